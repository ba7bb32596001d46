"""PipelineService over gRPC: translates, nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from chassis.calls import MethodPolicy
from gateway.service import PipelineApi
from pipeline.v1 import pipeline_pb2, pipeline_pb2_grpc

SERVICE = "pipeline.v1.PipelineService"
# A watch lasts as long as its run; it takes no working slot.
POLICIES = {
    method: MethodPolicy(deadline_seconds=None, watcher=True) for method in ("RunPipeline", "WatchRun", "WatchBatch")
}


def current_traceparent() -> str:
    """The W3C traceparent of the call being served; empty without one."""
    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent", "")


class PipelineServicer(pipeline_pb2_grpc.PipelineServiceServicer):
    """Streams are generators: grpc.aio wants `yield`, one writer per stream."""

    def __init__(self) -> None:
        # Set when the server starts: the parts behind it need a running loop.
        self.api: PipelineApi | None = None

    @property
    def _api(self) -> PipelineApi:
        assert self.api is not None, "the server has started"
        return self.api

    async def CreateRun(self, request: pipeline_pb2.CreateRunRequest, context: Any) -> pipeline_pb2.CreateRunResponse:
        return pipeline_pb2.CreateRunResponse(run=await self._api.create_run(request, current_traceparent()))

    async def RunPipeline(
        self, request: pipeline_pb2.RunPipelineRequest, context: Any
    ) -> AsyncIterator[pipeline_pb2.RunPipelineResponse]:
        creation = pipeline_pb2.CreateRunRequest(
            spec=request.spec if request.HasField("spec") else None, request_id=request.request_id
        )
        run = await self._api.create_run(creation, current_traceparent())
        async with aclosing(self._api.watch_run(run.name, 0)) as events:  # type: ignore[type-var]
            async for event in events:
                yield pipeline_pb2.RunPipelineResponse(event=event)

    async def WatchRun(
        self, request: pipeline_pb2.WatchRunRequest, context: Any
    ) -> AsyncIterator[pipeline_pb2.WatchRunResponse]:
        async with aclosing(self._api.watch_run(request.name, request.after_sequence)) as events:  # type: ignore[type-var]
            async for event in events:
                yield pipeline_pb2.WatchRunResponse(event=event)

    async def GetRun(self, request: pipeline_pb2.GetRunRequest, context: Any) -> pipeline_pb2.GetRunResponse:
        return pipeline_pb2.GetRunResponse(run=await self._api.get_run(request.name))

    async def ListRuns(self, request: pipeline_pb2.ListRunsRequest, context: Any) -> pipeline_pb2.ListRunsResponse:
        runs, token = await self._api.list_runs(request.page_size, request.page_token)
        return pipeline_pb2.ListRunsResponse(runs=runs, next_page_token=token)

    async def CancelRun(self, request: pipeline_pb2.CancelRunRequest, context: Any) -> pipeline_pb2.CancelRunResponse:
        return pipeline_pb2.CancelRunResponse(run=await self._api.cancel_run(request.name))

    async def GetReport(self, request: pipeline_pb2.GetReportRequest, context: Any) -> pipeline_pb2.GetReportResponse:
        return pipeline_pb2.GetReportResponse(report=await self._api.get_report(request.name))

    async def ListArtifacts(
        self, request: pipeline_pb2.ListArtifactsRequest, context: Any
    ) -> pipeline_pb2.ListArtifactsResponse:
        artifacts, token = await self._api.list_artifacts(request.parent, request.page_size, request.page_token)
        return pipeline_pb2.ListArtifactsResponse(artifacts=artifacts, next_page_token=token)

    async def DownloadArtifact(
        self, request: pipeline_pb2.DownloadArtifactRequest, context: Any
    ) -> AsyncIterator[pipeline_pb2.DownloadArtifactResponse]:
        artifact, chunks = await self._api.open_artifact(request.name)
        first: Any = artifact
        async with aclosing(chunks) as content:  # type: ignore[type-var]
            async for chunk in content:
                yield pipeline_pb2.DownloadArtifactResponse(chunk=chunk, artifact=first)
                first = None
        if first is not None:  # an empty file has no chunk, but it has its description
            yield pipeline_pb2.DownloadArtifactResponse(artifact=first)

    async def CreateBatch(
        self, request: pipeline_pb2.CreateBatchRequest, context: Any
    ) -> pipeline_pb2.CreateBatchResponse:
        batch = await self._api.create_batch(request, current_traceparent())
        return pipeline_pb2.CreateBatchResponse(batch=batch)

    async def GetBatch(self, request: pipeline_pb2.GetBatchRequest, context: Any) -> pipeline_pb2.GetBatchResponse:
        return pipeline_pb2.GetBatchResponse(batch=await self._api.get_batch(request.name))

    async def WatchBatch(
        self, request: pipeline_pb2.WatchBatchRequest, context: Any
    ) -> AsyncIterator[pipeline_pb2.WatchBatchResponse]:
        async with aclosing(self._api.watch_batch(request.name)) as batches:  # type: ignore[type-var]
            async for batch in batches:
                yield pipeline_pb2.WatchBatchResponse(batch=batch)
