"""The twelve calls of PipelineService, whatever they arrive over. gRPC and REST only translate to and from these.

Every method raises PipelineError; streams are async iterators that their reader closes.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator

from chassis.clock import Clock
from chassis.limits import ProfileLimits
from chassis.telemetry import new_span_id, new_trace_id
from gateway.batches import BatchStore, plan_batch
from gateway.config import GatewayConfig
from gateway.finish import Finisher, not_finished
from gateway.request import CheckedSpec, check_batch, check_request_id, check_spec
from gateway.runs.artifacts import ArtifactStore, check_path
from gateway.runs.creation import NewRun, body_digest
from gateway.runs.ids import new_id, parse
from gateway.runs.rows import TERMINAL
from gateway.runs.store import RunStore, run_not_found
from gateway.worker import Worker
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2, pipeline_pb2

RUNS_PAGE = (50, 200)
ARTIFACTS_PAGE = (200, 1000)


class PipelineApi:
    """What callers can ask of the gateway."""

    def __init__(
        self,
        config: GatewayConfig,
        store: RunStore,
        artifacts: ArtifactStore,
        finisher: Finisher,
        worker: Worker,
        limits: ProfileLimits,
        clock: Clock,
    ) -> None:
        self._config = config
        self._store = store
        self._artifacts = artifacts
        self._finisher = finisher
        self._worker = worker
        self._limits = limits
        self._clock = clock
        self._batches = BatchStore(store)
        self._tenant = config.tenant

    async def create_run(self, request: pipeline_pb2.CreateRunRequest, traceparent: str = "") -> pipeline_pb2.Run:
        """Check, store and queue a run. The same request id and body return the same run."""
        check_request_id(request.request_id)
        if not request.HasField("spec"):
            raise PipelineError.invalid("spec", "is missing; give at least spec.idea.text")
        checked = check_spec(request.spec, self._limits)
        new = self._new_run(checked, traceparent)
        # Over the spec alone: CreateRun and RunPipeline with one request id are the same creation.
        digest = body_digest(request.spec)
        name = await self._store.create(self._tenant, new, request.request_id, digest, self._config.max_queued_runs)
        return await self._store.get(self._tenant, self.run_id(name))

    async def watch_run(self, name: str, after: int) -> AsyncIterator[pipeline_pb2.RunEvent]:
        """The run's events above `after` until it has ended."""
        if after < 0:
            raise PipelineError.invalid("after_sequence", f"is {after}; give 0 or the last number you saw")
        source = self._store.watch(self._tenant, self.run_id(name), after, self._config.poll_seconds)
        try:
            async for event in source:
                yield event
        finally:
            await source.aclose()  # type: ignore[attr-defined]

    async def get_run(self, name: str) -> pipeline_pb2.Run:
        """The run as it stands."""
        return await self._store.get(self._tenant, self.run_id(name))

    async def list_runs(self, size: int, token: str) -> tuple[list[pipeline_pb2.Run], str]:
        """A page of runs, newest first, and the token of the next."""
        limit = _page_size(size, RUNS_PAGE)
        before = _read_token(token)
        found = await self._store.list_runs(self._tenant, before, limit + 1)
        more = len(found) > limit
        page = found[:limit]
        return page, _token(page[-1].name.removeprefix("runs/")) if more else ""

    async def cancel_run(self, name: str) -> pipeline_pb2.Run:
        """Cancel the run; its work here has stopped when this returns."""
        run_id = self.run_id(name)
        run = await self._store.cancel(self._tenant, run_id)
        await self._worker.drop(run_id)
        await self._finisher.after_cancel(run_id)
        return run

    async def get_report(self, name: str) -> pipeline_pb2.Report:
        """The report of a run that has ended."""
        run_id = self.run_id(name)
        run = await self._store.get(self._tenant, run_id)
        if run.state not in TERMINAL:
            raise not_finished(run)
        return await self._finisher.report(self._tenant, run_id)

    async def list_artifacts(self, parent: str, size: int, token: str) -> tuple[list[common_pb2.Artifact], str]:
        """A page of artifacts in the order of their paths, without content."""
        limit = _page_size(size, ARTIFACTS_PAGE)
        found = await self._store.list_artifacts(self._tenant, self.run_id(parent), _read_token(token), limit + 1)
        page = found[:limit]
        return page, _token(page[-1].path) if len(found) > limit else ""

    async def open_artifact(self, name: str) -> tuple[common_pb2.Artifact, AsyncIterator[bytes]]:
        """An artifact and its content in chunks of at most 64 KiB. Name: `runs/{run}/artifacts/{path}`."""
        run, _, path = name.partition("/artifacts/")
        run_id = parse(run, "runs")
        try:
            check_path(path)
        except ValueError:
            run_id = None
        if run_id is None:
            raise PipelineError(
                errors_pb2.ERROR_REASON_ARTIFACT_NOT_FOUND,
                "There is no such artifact; names look like runs/{run}/artifacts/{path}.",
                metadata={"artifact": name[:200]},
            )
        artifact = await self._store.get_artifact(self._tenant, run_id, path)
        return artifact, self._artifacts.read(run_id, artifact)

    async def create_batch(self, request: pipeline_pb2.CreateBatchRequest, traceparent: str = "") -> pipeline_pb2.Batch:
        """Check every idea, store all or nothing; equal ideas share a run."""
        check_request_id(request.request_id)
        checked = check_batch(request, self._limits)
        cap = request.budget_micros if request.HasField("budget_micros") else None
        planned = plan_batch(checked, cap)
        new = planned.build(new_id(self._clock.now()), [self._new_run(spec, traceparent) for spec in planned.specs])
        body = pipeline_pb2.CreateBatchRequest()
        body.CopyFrom(request)
        body.ClearField("request_id")
        digest = body_digest(body)
        name = await self._store.create(self._tenant, new, request.request_id, digest, self._config.max_queued_runs)
        return await self.get_batch(name)

    async def get_batch(self, name: str) -> pipeline_pb2.Batch:
        """The batch as it stands, ranked as far as its runs have ended."""
        return await self._batches.get(self._tenant, name)

    async def watch_batch(self, name: str) -> AsyncIterator[pipeline_pb2.Batch]:
        """The batch now, and again each time one of its runs ends, until all have."""
        source = self._batches.watch(self._tenant, name, self._config.poll_seconds)
        try:
            async for batch in source:
                yield batch
        finally:
            await source.aclose()  # type: ignore[attr-defined]

    def run_id(self, name: str) -> str:
        """The id in `runs/{run}`. A name of another form names no run."""
        run_id = parse(name, "runs")
        if run_id is None:
            raise run_not_found(name.removeprefix("runs/"))
        return run_id

    def _new_run(self, checked: CheckedSpec, traceparent: str) -> NewRun:
        return NewRun(
            run_id=new_id(self._clock.now()),
            spec=checked.spec,
            cap_micros=checked.cap_micros,
            trace_id=new_trace_id(),
            root_span_id=new_span_id(),
            caller_traceparent=traceparent,
            notices=checked.notices,
        )


def _page_size(size: int, bounds: tuple[int, int]) -> int:
    default, largest = bounds
    if size < 0 or size > largest:
        raise PipelineError.invalid("page_size", f"is {size}; give 0 (for {default}) to {largest}")
    return size or default


def _token(last: str) -> str:
    return base64.urlsafe_b64encode(last.encode()).decode().rstrip("=")


def _read_token(token: str) -> str:
    if not token:
        return ""
    try:
        if len(token) > 1000:
            raise ValueError
        return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (binascii.Error, ValueError) as error:
        raise PipelineError.invalid(
            "page_token", "is not a token of this server; take next_page_token of the page before"
        ) from error
