"""One phase of one run: attempts until it has a result, its events as they come, its checkpoint.

Each try is an attempt of its own: counted in the store before the call leaves, named in the phase's context, so that
effects are keyed by (run, phase, attempt). Only a way that failed is tried again (the server was away); what the
server itself refused is final.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, cast

from chassis import telemetry as names
from chassis.clock import Clock
from chassis.logs import get_logger
from chassis.telemetry import Telemetry, remote_parent
from gateway.feed import Feed
from gateway.names import PhaseValue
from gateway.phases.base import Inputs, PhaseClient, worth_another_try
from gateway.results import AnyResult
from gateway.runs.artifacts import ArtifactStore, check_set
from gateway.runs.ids import run_name
from gateway.runs.leases import Lease
from gateway.runs.progress import Checkpoint, RunProgress
from gateway.runs.store import TraceIds
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2, pipeline_pb2, validation_pb2

_log = get_logger("gateway.phase")

# First and longest pause before another attempt, in seconds; it doubles in between, +-20 %.
PAUSES = (0.1, 2.0)
JITTER = 0.2


class PhaseFailedError(Exception):
    """The phase ended without a result for good; `cause` says why. The store's own errors are not wrapped."""

    def __init__(self, cause: PipelineError) -> None:
        super().__init__(str(cause))
        self.cause = cause


@dataclass(frozen=True)
class PhaseJob:
    """What a phase is to do, for whom."""

    lease: Lease
    phase: PhaseValue
    inputs: Inputs
    profile: common_pb2.ExecutionProfile
    tenant: str
    trace: TraceIds


@dataclass(frozen=True)
class Patience:
    """How long a run stands by a phase whose server is away: `attempts` tries within `seconds` of the first loss."""

    seconds: float = 30.0
    attempts: int = 4


class PhaseRunner:
    """Runs phases over their clients."""

    def __init__(
        self,
        clients: Mapping[PhaseValue, PhaseClient],
        progress: RunProgress,
        artifacts: ArtifactStore,
        clock: Clock,
        telemetry: Telemetry,
        patience: Patience,
        allowances: Mapping[PhaseValue, int] | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._clients = clients
        self._progress = progress
        self._artifacts = artifacts
        self._clock = clock
        self._telemetry = telemetry
        self._patience = patience
        # Micros a phase may spend on its own; everything that exists so far is free.
        self._allowances = allowances or {}
        self._rng = rng or random.Random()  # noqa: S311  (spreads retries, guards nothing)

    async def run(self, job: PhaseJob) -> AnyResult:
        """The phase's stored result. Raises PhaseFailedError, or what the store raises (LEASE_LOST, STORAGE_...)."""
        client = self._clients[job.phase]
        parent = remote_parent(job.trace.trace_id, job.trace.root_span_id)
        attributes = {names.ATTR_RUN: run_name(job.lease.run_id), names.ATTR_PHASE: client.kind.name}
        with self._telemetry.span(f"{names.SPAN_PHASE} {client.kind.name}", attributes, parent=parent) as span:
            lost_at: float | None = None
            tries = 0
            while True:
                tries += 1
                attempt, allowance = await self._progress.begin_attempt(
                    job.lease, job.phase, self._allowances.get(job.phase, 0)
                )
                span.set_attribute(names.ATTR_ATTEMPT, attempt)
                try:
                    return await self._attempt(client, job, attempt, allowance)
                except PhaseFailedError as failed:
                    now = self._clock.monotonic()
                    lost_at = now if lost_at is None else lost_at
                    left = self._patience.seconds - (now - lost_at)
                    retry = worth_another_try(failed.cause) and tries < self._patience.attempts and left > 0
                    _log.warning(
                        "phase_attempt_failed",
                        run=job.lease.run_id,
                        phase=client.kind.name,
                        attempt=attempt,
                        reason=failed.cause.reason_name,
                        error=failed.cause.message,
                        retry=retry,
                    )
                    if not retry or not await self._wait(client, failed.cause, tries, left):
                        raise

    async def _wait(self, client: PhaseClient, error: PipelineError, tries: int, left: float) -> bool:
        """Pause, then wait for the server to answer; False when it does not within `left` seconds."""
        until = self._clock.monotonic() + left
        pause = min(PAUSES[0] * 2 ** (tries - 1), PAUSES[1]) * self._rng.uniform(1 - JITTER, 1 + JITTER)
        await self._clock.sleep(min(max(pause, error.retry_after or 0.0), left))
        return await client.wait_ready(max(until - self._clock.monotonic(), 0.0))

    async def _attempt(self, client: PhaseClient, job: PhaseJob, attempt: int, allowance: int) -> AnyResult:
        kind = client.kind
        context = common_pb2.PhaseContext(
            run=run_name(job.lease.run_id),
            phase=job.phase,
            attempt=attempt,
            tenant=job.tenant,
            profile=job.profile,
            allowance_micros=allowance,
        )
        request = kind.request(context, job.inputs)
        feed = Feed(self._progress, job.lease)
        told = _Told(kind.item_field, kind.event_field, job.phase, attempt)
        try:
            async with aclosing(cast(Any, client.call(request))) as responses:
                while True:
                    try:
                        response = await anext(responses)
                    except StopAsyncIteration:
                        break
                    except PipelineError as error:
                        raise PhaseFailedError(error) from error
                    payload = response.WhichOneof("payload")
                    if payload == "result":
                        told.result = response.result
                    elif payload is not None:
                        await feed.add(*told.event(payload, response, kind.item_key))
            await feed.close()
        finally:
            await feed.abandon()
        if told.result is None:
            raise PhaseFailedError(
                PipelineError(
                    errors_pb2.ERROR_REASON_UPSTREAM_FAILED,
                    f"The {kind.name} server ended its answer without a result.",
                    metadata={"upstream": kind.name},
                )
            )
        return await self._store(job, attempt, allowance, told.result)

    async def _store(self, job: PhaseJob, attempt: int, allowance: int, result: AnyResult) -> AnyResult:
        files = []
        for artifact in _artifacts(result):
            copy = common_pb2.Artifact()
            copy.CopyFrom(artifact)
            copy.phase = job.phase
            files.append(copy)
        others = await self._progress.paths_of_others(job.lease, job.phase)
        try:
            check_set(files, others)
            await self._artifacts.put(job.lease.run_id, files)
        except PipelineError as error:
            if error.reason != errors_pb2.ERROR_REASON_ARTIFACT_REJECTED:
                raise
            raise PhaseFailedError(error) from error
        for artifact in _artifacts(result):
            artifact.ClearField("content")
            artifact.phase = job.phase
            artifact.name = f"{run_name(job.lease.run_id)}/artifacts/{artifact.path}"
        for missing in result.missing:
            missing.phase = missing.phase or job.phase
        for notice in result.notices:
            notice.phase = notice.phase or job.phase
        spent = sum(spend.amount_micros for spend in result.usage.spend)
        if spent > allowance:
            result.notices.add(
                subject="budget",
                message=f"reports {spent} micros spent, {spent - allowance} more than it was allowed",
                phase=job.phase,
            )
        await self._progress.checkpoint(
            job.lease,
            Checkpoint(
                phase=job.phase,
                attempt=attempt,
                result=result.SerializeToString(),
                artifacts=files,
                missing=list(result.missing),
                spends=list(result.usage.spend),
            ),
        )
        return result


def _artifacts(result: AnyResult) -> Sequence[common_pb2.Artifact]:
    """The files of a result; validation makes none."""
    return () if isinstance(result, validation_pb2.ValidationResult) else result.artifacts


@dataclass
class _Told:
    """What one attempt has said so far."""

    item_field: str
    event_field: str
    phase: PhaseValue
    attempt: int
    result: AnyResult | None = None
    progress: int = field(default=0)

    def event(self, payload: str, response: Any, item_key: Any) -> tuple[str, pipeline_pb2.RunEvent]:
        """The run event of a response, with its key. Items keep theirs over attempts, progress does not."""
        event = pipeline_pb2.RunEvent()
        if payload == self.item_field:
            item = getattr(response, payload)
            getattr(event, self.event_field).CopyFrom(item)
            return f"item:{self.phase}:{item_key(item)}", event
        self.progress += 1
        event.phase_progress.phase = self.phase
        event.phase_progress.progress.CopyFrom(response.progress)
        return f"progress:{self.phase}:{self.attempt}:{self.progress}", event
