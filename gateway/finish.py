"""The end of a run: what it counted, its trace, its report, its files, its last event; in this order.

The files exist before the last event does, so that whoever waits for the end finds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from opentelemetry import trace as otel
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from chassis import telemetry as names
from chassis.artifacts import make_artifact
from chassis.logs import get_logger
from chassis.telemetry import Telemetry, nanoseconds
from gateway import metrics, trace
from gateway.names import ALL_PHASES, state_name
from gateway.report.build import build_report
from gateway.report.files import report_files
from gateway.results import Results
from gateway.runs.artifacts import ArtifactStore
from gateway.runs.ids import run_name
from gateway.runs.leases import Lease
from gateway.runs.progress import RunProgress
from gateway.runs.store import RunStore, Snapshot
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2, pipeline_pb2

_log = get_logger("gateway.finish")


@dataclass(frozen=True)
class Ending:
    """The state a run ends in, and why it failed where it did."""

    state: pipeline_pb2.RunState.ValueType
    failure: pipeline_pb2.Failure | None = None


class Finisher:
    """Ends runs and writes their files."""

    def __init__(
        self,
        store: RunStore,
        progress: RunProgress,
        artifacts: ArtifactStore,
        telemetry: Telemetry,
        span_sources: Sequence[trace.SpanSource] = (),
    ) -> None:
        self._store = store
        self._progress = progress
        self._artifacts = artifacts
        self._telemetry = telemetry
        self._span_sources = span_sources

    async def finish(self, lease: Lease, ending: Ending) -> None:
        """End the run as `ending` says. Raises what the store raises; nothing is lost, another worker ends it then."""
        snapshot = await self._store.snapshot(lease.run_id)
        ended_at = self._store.now()
        run = snapshot.run
        results = Results.parse(snapshot.results)
        measured = metrics.measure(run, results, asked(run), ended_at)
        run.state = ending.state
        run.ended_at.FromMicroseconds(ended_at)
        run.last_sequence += 1
        if ending.failure is not None:
            run.failure.CopyFrom(ending.failure)
        await self._write_files(snapshot, results, measured)
        finished = pipeline_pb2.RunFinished(
            state=ending.state,
            verdict=run.verdict if run.HasField("verdict") else None,
            metrics=measured,
            failure=ending.failure,
        )
        await self._progress.finish(lease, finished, ended_at)
        _log.info("run_finished", run=lease.run_id, state=state_name(ending.state))

    async def after_cancel(self, run_id: str) -> None:
        """Trace and report of a run that was cancelled, from what it had by then."""
        snapshot = await self._store.snapshot(run_id)
        results = Results.parse(snapshot.results)
        ended_at = snapshot.run.ended_at.ToMicroseconds()
        measured = metrics.measure(snapshot.run, results, asked(snapshot.run), ended_at)
        await self._write_files(snapshot, results, measured)

    async def report(self, tenant: str, run_id: str) -> pipeline_pb2.Report:
        """The report of a run as the store has it."""
        snapshot = await self._store.snapshot(run_id, tenant)
        results = Results.parse(snapshot.results)
        measured = snapshot.metrics
        if measured is None:
            ended_at = snapshot.run.ended_at.ToMicroseconds()
            measured = metrics.measure(snapshot.run, results, asked(snapshot.run), ended_at)
        return build_report(snapshot.run, results, snapshot.phase_missing, measured, snapshot.reading)

    async def rewrite(self, tenant: str, run_id: str, more: Sequence[common_pb2.Artifact] = ()) -> None:
        """Write the report's files anew, and `more` beside them: the run's campaign was read after its end."""
        await self._artifacts.put(run_id, more)
        await self._progress.add_artifacts(run_id, more)
        files = await self._store.list_artifacts(tenant, run_id)
        pictures = {artifact.path: artifact.content for artifact in more}
        written = report_files(await self.report(tenant, run_id), files, pictures)
        await self._artifacts.put(run_id, written)
        await self._progress.add_artifacts(run_id, written)

    async def _write_files(self, snapshot: Snapshot, results: Results, measured: pipeline_pb2.Metrics) -> None:
        self._end_root(snapshot)
        ids = snapshot.trace
        spans = await trace.gather(
            ids.trace_id, ids.root_span_id, self._telemetry, self._span_sources, self._store.clock
        )
        files = await self._store.list_artifacts(snapshot.tenant, snapshot.run_id)
        report = build_report(snapshot.run, results, snapshot.phase_missing, measured, snapshot.reading)
        try:
            written = [*report_files(report, files), make_artifact("trace.json", spans, "application/json")]
        except Exception:
            # A report that cannot be rendered must not keep the run from ending; report.json and GetReport remain.
            _log.exception("report_failed", run=snapshot.run_id)
            written = [make_artifact("trace.json", spans, "application/json")]
        await self._artifacts.put(snapshot.run_id, written)
        await self._progress.add_artifacts(snapshot.run_id, written)

    def _end_root(self, snapshot: Snapshot) -> None:
        """Emit the run's root span, with the ids that its children carry since the run was accepted."""
        run, ids = snapshot.run, snapshot.trace
        begun = run.started_at if run.HasField("started_at") else run.created_at
        span = self._telemetry.start_span_with_ids(
            names.SPAN_RUN,
            ids.trace_id,
            ids.root_span_id,
            start_time=begun.ToDatetime(tzinfo=UTC),
            kind=SpanKind.INTERNAL,
            attributes={
                names.ATTR_RUN: run_name(snapshot.run_id),
                names.ATTR_TENANT: snapshot.tenant,
                names.ATTR_OUTCOME: state_name(run.state),
            },
        )
        if ids.caller_traceparent:
            carrier = {"traceparent": ids.caller_traceparent}
            caller = otel.get_current_span(TraceContextTextMapPropagator().extract(carrier)).get_span_context()
            if caller.is_valid:
                span.add_link(caller)
        if run.state == pipeline_pb2.RUN_STATE_FAILED:
            span.set_status(Status(StatusCode.ERROR, state_name(run.state)))
        ended: datetime = run.ended_at.ToDatetime(tzinfo=UTC)
        span.end(end_time=nanoseconds(ended))


def asked(run: pipeline_pb2.Run) -> int:
    """Number of phases that the caller asked for."""
    left_out = set(run.spec.skip_phases) - {common_pb2.PHASE_VALIDATION}
    return sum(phase not in left_out for phase in ALL_PHASES)


def not_finished(run: pipeline_pb2.Run) -> PipelineError:
    """The error for a report that is asked for too early."""
    return PipelineError(
        errors_pb2.ERROR_REASON_RUN_NOT_FINISHED,
        "The report exists when the run has ended; watch the run until then.",
        metadata={"run": run.name, "state": state_name(run.state)},
        retry_after=2.0,
    )
