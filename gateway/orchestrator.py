"""Runs a plan: starts what may start, keeps every result, says what is lacking, and ends the run.

Nothing is remembered here that the store does not hold: killed at any moment, the next worker claims the run, keeps the
checkpoints and goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from chassis.limits import ProfileLimits, resolve_profile
from chassis.logs import get_logger
from chassis.streaming import cancel_and_wait
from gateway.finish import Ending, Finisher
from gateway.names import PhaseValue, phase_name
from gateway.phase_runner import PhaseFailedError, PhaseJob, PhaseRunner
from gateway.phases.base import Inputs
from gateway.phases.kinds import PHASE_OF, STEP_OF
from gateway.plan import Outcome, Plan, Skip, Start, Step, Why
from gateway.results import AnyResult, Results
from gateway.runs.leases import Lease
from gateway.runs.progress import RunProgress
from gateway.runs.rows import TERMINAL
from gateway.runs.store import RunStore, Snapshot
from gateway.verdict import combine
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2, pipeline_pb2, validation_pb2

_log = get_logger("gateway.orchestrator")

# A run that was claimed this often kills its workers or never gets done: it ends as failed instead of going round.
CLAIMS_MAX = 50

_SETTLED: Mapping[int, Outcome] = {
    pipeline_pb2.PHASE_STATE_SUCCEEDED: Outcome.SUCCEEDED,
    pipeline_pb2.PHASE_STATE_FAILED: Outcome.FAILED,
    pipeline_pb2.PHASE_STATE_SKIPPED: Outcome.SKIPPED,
}


class Orchestrator:
    """Works on claimed runs, any number at a time."""

    def __init__(
        self,
        store: RunStore,
        progress: RunProgress,
        runner: PhaseRunner,
        finisher: Finisher,
        limits: ProfileLimits,
    ) -> None:
        self._store = store
        self._progress = progress
        self._runner = runner
        self._finisher = finisher
        self._limits = limits

    async def execute(self, lease: Lease) -> None:
        """Take the run to its end. Cancelled, it leaves the run as it stands for the next worker."""
        snapshot = await self._store.snapshot(lease.run_id)
        if snapshot.run.state in TERMINAL:
            await self._progress.release(lease)
            return
        execution = _Execution(snapshot, lease, self._limits)
        phases = [PHASE_OF[step] for step in execution.plan.steps]
        first = await self._progress.start(lease, phases)
        _log.info("run_started" if first else "run_resumed", run=lease.run_id, claim=lease.token)
        if lease.token > CLAIMS_MAX:
            failure = pipeline_pb2.Failure(
                reason=errors_pb2.ERROR_REASON_INTERNAL,
                message=f"The run was begun {lease.token} times without coming to its end.",
            )
            await self._finisher.finish(lease, Ending(pipeline_pb2.RUN_STATE_FAILED, failure))
            return
        await self._advance(execution)
        await self._finisher.finish(lease, execution.ending())

    async def _advance(self, execution: _Execution) -> None:
        """Start, await and settle phases until all have settled."""
        tasks: dict[asyncio.Task[AnyResult], Step] = {}
        try:
            while True:
                await self._decide_verdict(execution)
                for decision in execution.plan.decide(execution.settled, tasks.values(), rejected=execution.rejected):
                    if isinstance(decision, Start):
                        job = execution.job(decision.step)
                        task = asyncio.create_task(
                            self._runner.run(job), name=f"{execution.lease.run_id}:{decision.step}"
                        )
                        tasks[task] = decision.step
                    else:
                        await self._skip(execution, decision)
                if not tasks:
                    break
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    await self._settle(execution, tasks.pop(task), task)
        finally:
            await cancel_and_wait(tasks)
            for task in tasks:
                if not task.cancelled():
                    task.exception()

    async def _settle(self, execution: _Execution, step: Step, task: asyncio.Task[AnyResult]) -> None:
        phase = PHASE_OF[step]
        try:
            result = task.result()
        except PhaseFailedError as failed:
            failure = failure_of(failed.cause)
            missing = failed_missing(phase, failed.cause)
            await self._progress.fail_phase(execution.lease, phase, failure, missing)
            execution.settled[step] = Outcome.FAILED
            execution.failures[step] = failure
            return
        execution.settled[step] = Outcome.SUCCEEDED
        execution.results = execution.results.with_result(phase, result)

    async def _skip(self, execution: _Execution, skip: Skip) -> None:
        phase = PHASE_OF[skip.step]
        detail, missing = skipped_missing(phase, skip)
        await self._progress.skip_phase(execution.lease, phase, detail, missing)
        execution.settled[skip.step] = Outcome.SKIPPED

    async def _decide_verdict(self, execution: _Execution) -> None:
        """The run's verdict, as soon as validation and evidence have settled."""
        if execution.verdict is not None or not {Step.VALIDATION, Step.EVIDENCE} <= execution.settled.keys():
            return
        if execution.results.validation is None and execution.results.evidence is None:
            return  # nothing was measured: a verdict would be made up
        verdict = combine(execution.results.validation, execution.results.evidence)
        await self._progress.reach_verdict(execution.lease, pipeline_pb2.RunEvent(verdict_reached=verdict))
        execution.verdict = verdict


class _Execution:
    """What a worker knows of the run it works on; rebuilt from the store at every claim."""

    def __init__(self, snapshot: Snapshot, lease: Lease, limits: ProfileLimits) -> None:
        self.snapshot = snapshot
        self.lease = lease
        self.spec = snapshot.run.spec
        profile = resolve_profile(self.spec.profile, limits).profile
        self.profile = profile.to_proto()
        left_out = frozenset(STEP_OF[phase] for phase in self.spec.skip_phases if phase in STEP_OF)
        self.plan = Plan(left_out=left_out - {Step.VALIDATION}, max_concurrent=min(profile.max_concurrent_phases, 5))
        self.results = Results.parse(snapshot.results)
        self.settled: dict[Step, Outcome] = {}
        self.failures: dict[Step, pipeline_pb2.Failure] = {}
        for status in snapshot.run.phases:
            if status.state in _SETTLED:
                step = STEP_OF[status.phase]
                self.settled[step] = _SETTLED[status.state]
                if status.HasField("failure"):
                    self.failures[step] = status.failure
        self.verdict: validation_pb2.Verdict | None = None
        if snapshot.run.HasField("verdict"):
            self.verdict = snapshot.run.verdict

    @property
    def rejected(self) -> bool:
        """True when the gate is closed: validation says NO_GO and the caller did not ask to go on."""
        validation = self.results.validation
        return (
            validation is not None
            and validation.verdict.recommendation == validation_pb2.RECOMMENDATION_NO_GO
            and self.spec.on_rejection != pipeline_pb2.REJECTION_POLICY_CONTINUE
        )

    def job(self, step: Step) -> PhaseJob:
        """What a phase is to do, with everything that exists by now."""
        return PhaseJob(
            lease=self.lease,
            phase=PHASE_OF[step],
            inputs=Inputs(
                spec=self.spec,
                documents=self.snapshot.documents,
                validation=self.results.validation,
                evidence=self.results.evidence,
                verdict=self.verdict,
            ),
            profile=self.profile,
            tenant=self.snapshot.tenant,
            trace=self.snapshot.trace,
        )

    def ending(self) -> Ending:
        """How the run ends: FAILED only when neither validation nor evidence has anything to show."""
        if self.settled.get(Step.VALIDATION) is not Outcome.SUCCEEDED and self.results.evidence is None:
            return Ending(pipeline_pb2.RUN_STATE_FAILED, self.failures.get(Step.VALIDATION))
        asked = self.plan.steps
        if all(self.settled.get(step) is Outcome.SUCCEEDED for step in asked):
            return Ending(pipeline_pb2.RUN_STATE_SUCCEEDED)
        return Ending(pipeline_pb2.RUN_STATE_PARTIAL)


def failure_of(error: PipelineError) -> pipeline_pb2.Failure:
    """The error as a run tells it."""
    return pipeline_pb2.Failure(reason=error.reason, message=error.message[:400], request_id=error.request_id)


def failed_missing(phase: PhaseValue, error: PipelineError) -> common_pb2.Missing:
    """The entry for a phase that failed."""
    name = phase_name(phase)
    if error.status_name in ("UNAVAILABLE", "CANCELLED"):
        next_step = f"Start the {name} server, then run the idea again."
    elif error.violations:
        next_step = f"Mend {error.violations[0].field}, then run the idea again."
    else:
        next_step = "Run the idea again; if it fails anew, the server's log says more under the request id."
    return common_pb2.Missing(
        subject=name,
        phase=phase,
        kind=common_pb2.MISSING_KIND_PHASE_FAILED,
        reason=f"The {name} phase failed: {error.message[:300]}",
        next_step=next_step,
        error=error.reason,
    )


def skipped_missing(phase: PhaseValue, skip: Skip) -> tuple[str, common_pb2.Missing | None]:
    """Why a phase is skipped, in words, and its entry; none where the caller left the phase out."""
    name = phase_name(phase)
    if skip.why is Why.NOT_ASKED:
        return "left out at the caller's request", None
    if skip.why is Why.GATED:
        return "validation rejected the idea", common_pb2.Missing(
            subject=name,
            phase=phase,
            kind=common_pb2.MISSING_KIND_GATED,
            reason=f"Validation rejected the idea, so the {name} phase did not run.",
            next_step="Change what validation objects to, or ask to continue after a rejection.",
        )
    need = str(skip.because)
    return f"{need} failed", common_pb2.Missing(
        subject=name,
        phase=phase,
        kind=common_pb2.MISSING_KIND_PHASE_FAILED,
        reason=f"The {name} phase builds on {need}, which failed.",
        next_step=f"See what {need} lacks, then run the idea again.",
    )
