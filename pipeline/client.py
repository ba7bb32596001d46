"""Async client of the gateway: runs, campaigns and operations, with the manners that gRPC leaves to us.

Every call has a deadline (gRPC has no default one), creation carries a request id so that a retry is safe, and a
watch that loses its connection goes on after the last event it saw.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Sequence
from types import TracebackType
from typing import Self, TypeVar

import grpc

from chassis.channel import open_channel
from chassis.clock import Clock, SystemClock
from pipeline.errors import PipelineError, from_rpc_error
from pipeline.v1 import (
    campaign_pb2,
    campaign_pb2_grpc,
    common_pb2,
    errors_pb2,
    operations_pb2,
    operations_pb2_grpc,
    pipeline_pb2,
    pipeline_pb2_grpc,
)

T = TypeVar("T")

READ_SECONDS = 5.0
"""Deadline of a read: a healthy gateway answers in milliseconds."""

CREATE_SECONDS = 15.0
"""Deadline of a creation: it may carry 8 MiB of documents and syncs to disk."""

PLATFORM_SECONDS = 180.0
"""Deadline of a call that may ask advertising platforms: a dozen requests, each with its time-out and retries."""

RECONNECT_SECONDS = 60.0
"""How long a watch keeps trying to reach a gateway that it lost before it gives up."""

RECONNECT_PAUSE_SECONDS = (0.1, 2.0)
"""First and longest pause between two tries to reconnect; it doubles in between."""

TERMINAL_STATES = frozenset(
    {
        pipeline_pb2.RUN_STATE_SUCCEEDED,
        pipeline_pb2.RUN_STATE_PARTIAL,
        pipeline_pb2.RUN_STATE_FAILED,
        pipeline_pb2.RUN_STATE_CANCELLED,
    }
)


class GatewayClient:
    """Calls one gateway (`host:port`, `dns:///name:port` or `unix:/path`). Use it as a context manager."""

    def __init__(self, target: str, *, clock: Clock | None = None) -> None:
        self.target = target
        self._clock = clock or SystemClock()
        self._channel: grpc.aio.Channel | None = None

    async def __aenter__(self) -> Self:
        self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _open(self) -> grpc.aio.Channel:
        # Opened on first use: a channel made outside a running loop raises.
        if self._channel is None:
            self._channel = open_channel(self.target)
        return self._channel

    @property
    def _pipeline(self) -> pipeline_pb2_grpc.PipelineServiceAsyncStub:
        return pipeline_pb2_grpc.PipelineServiceStub(self._open())

    @property
    def _operations(self) -> operations_pb2_grpc.OperationsServiceAsyncStub:
        return operations_pb2_grpc.OperationsServiceStub(self._open())

    @property
    def _campaigns(self) -> campaign_pb2_grpc.LiveCampaignServiceAsyncStub:
        return campaign_pb2_grpc.LiveCampaignServiceStub(self._open())

    async def close(self) -> None:
        """Close the connection; calls under way end as CANCELLED."""
        if self._channel is not None:
            await self._channel.close()
            self._channel = None

    async def create_run(self, spec: pipeline_pb2.RunSpec, request_id: str = "") -> pipeline_pb2.Run:
        """Start a run and return at once. Raises `PipelineError` (INVALID_FIELD names what to mend)."""
        request = pipeline_pb2.CreateRunRequest(spec=spec, request_id=request_id or uuid.uuid4().hex)
        try:
            reply = await self._pipeline.CreateRun(request, timeout=CREATE_SECONDS, wait_for_ready=True)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error
        return reply.run

    async def watch_run(self, name: str, after_sequence: int = 0) -> AsyncIterator[pipeline_pb2.RunEvent]:
        """Yield the run's events after `after_sequence`, each once and in order, until the run has ended.

        Survives a gateway that goes away and comes back within `RECONNECT_SECONDS`.
        """
        seen = after_sequence
        pause = RECONNECT_PAUSE_SECONDS[0]
        lost_at: float | None = None
        while True:
            begun = self._clock.monotonic()
            # Without wait_for_ready, which would wait for ever: how long to try is decided here.
            call = self._pipeline.WatchRun(pipeline_pb2.WatchRunRequest(name=name, after_sequence=seen))
            try:
                async for reply in call:
                    seen = reply.event.sequence
                    pause, lost_at = RECONNECT_PAUSE_SECONDS[0], None
                    yield reply.event
                    if reply.event.HasField("run_finished"):
                        return
                if (await self.get_run(name)).state in TERMINAL_STATES:
                    return
            except (grpc.aio.AioRpcError, PipelineError) as error:
                failure = from_rpc_error(error) if isinstance(error, grpc.aio.AioRpcError) else error
                now = self._clock.monotonic()
                if lost_at is None or now - begun >= RECONNECT_SECONDS:
                    lost_at = now  # a try that lasted that long had a gateway: it was quiet, and lost only now
                if failure.code is not grpc.StatusCode.UNAVAILABLE or now - lost_at >= RECONNECT_SECONDS:
                    raise failure from (None if failure is error else error)
            finally:
                # An abandoned response stream is never cancelled by grpc.aio itself (grpc/grpc#43462).
                call.cancel()
            await self._clock.sleep(pause)
            pause = min(pause * 2, RECONNECT_PAUSE_SECONDS[1])

    async def get_run(self, name: str) -> pipeline_pb2.Run:
        """The run's present state. Raises RUN_NOT_FOUND."""
        try:
            reply = await self._pipeline.GetRun(pipeline_pb2.GetRunRequest(name=name), timeout=READ_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error
        return reply.run

    async def list_runs(self, page_size: int = 50, page_token: str = "") -> pipeline_pb2.ListRunsResponse:
        """One page of runs, newest first."""
        request = pipeline_pb2.ListRunsRequest(page_size=page_size, page_token=page_token)
        try:
            return await self._pipeline.ListRuns(request, timeout=READ_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error

    async def cancel_run(self, name: str) -> pipeline_pb2.Run:
        """Cancel a run under way. Raises RUN_ALREADY_ENDED when there is nothing left to cancel."""
        try:
            reply = await self._pipeline.CancelRun(pipeline_pb2.CancelRunRequest(name=name), timeout=READ_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error
        return reply.run

    async def get_report(self, name: str) -> pipeline_pb2.Report:
        """The whole result of a run that has ended. Raises RUN_NOT_FINISHED before."""
        try:
            reply = await self._pipeline.GetReport(pipeline_pb2.GetReportRequest(name=name), timeout=READ_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error
        return reply.report

    async def list_artifacts(self, name: str) -> list[common_pb2.Artifact]:
        """Every artifact of a run, without contents."""
        found: list[common_pb2.Artifact] = []
        token = ""
        while True:
            request = pipeline_pb2.ListArtifactsRequest(parent=name, page_size=1000, page_token=token)
            try:
                reply = await self._pipeline.ListArtifacts(request, timeout=READ_SECONDS)
            except grpc.aio.AioRpcError as error:
                raise from_rpc_error(error) from error
            found.extend(reply.artifacts)
            token = reply.next_page_token
            if not token:
                return found

    async def download_artifact(self, name: str) -> bytes:
        """An artifact's bytes, checked against its digest. Raises ARTIFACT_REJECTED when they differ."""
        content = bytearray()
        digest = ""
        call = self._pipeline.DownloadArtifact(pipeline_pb2.DownloadArtifactRequest(name=name), timeout=CREATE_SECONDS)
        try:
            async for reply in call:
                digest = reply.artifact.sha256 or digest
                content += reply.chunk
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error
        finally:
            call.cancel()
        if hashlib.sha256(content).hexdigest() != digest:
            raise PipelineError(
                errors_pb2.ERROR_REASON_ARTIFACT_REJECTED,
                f"{name} arrived damaged; download it again",
                metadata={"artifact": name},
            )
        return bytes(content)

    async def create_batch(
        self, specs: Sequence[pipeline_pb2.RunSpec], budget_micros: int | None = None, request_id: str = ""
    ) -> pipeline_pb2.Batch:
        """Start many runs under one budget. Raises INVALID_FIELD naming `specs[i]...` when one cannot be used."""
        request = pipeline_pb2.CreateBatchRequest(
            specs=specs, request_id=request_id or uuid.uuid4().hex, budget_micros=budget_micros
        )
        try:
            reply = await self._pipeline.CreateBatch(request, timeout=CREATE_SECONDS, wait_for_ready=True)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error
        return reply.batch

    async def watch_batch(self, name: str) -> AsyncIterator[pipeline_pb2.Batch]:
        """Yield the batch each time one of its runs ends, until all have."""
        call = self._pipeline.WatchBatch(pipeline_pb2.WatchBatchRequest(name=name))
        try:
            async for reply in call:
                yield reply.batch
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error
        finally:
            call.cancel()

    async def list_breakers(self) -> operations_pb2.ListBreakersResponse:
        """Circuit breakers of the gateway and of every phase server it reaches."""
        request = operations_pb2.ListBreakersRequest(include_downstream=True)
        try:
            return await self._operations.ListBreakers(request, timeout=READ_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error

    async def server_info(self) -> operations_pb2.GetServerInfoResponse:
        """Pools, caches and limits of the gateway and of every phase server it reaches."""
        request = operations_pb2.GetServerInfoRequest(include_downstream=True)
        try:
            return await self._operations.GetServerInfo(request, timeout=READ_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error

    async def clear_caches(self, names: Sequence[str] = ()) -> operations_pb2.ClearCachesResponse:
        """Clear the caches of the gateway and of every phase server: all, or those of these names."""
        request = operations_pb2.ClearCachesRequest(include_downstream=True, names=names)
        try:
            return await self._operations.ClearCaches(request, timeout=READ_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error

    async def get_campaign(self, name: str) -> campaign_pb2.Campaign:
        """The campaign `runs/{run}/campaign` as it stands. Raises CAMPAIGN_NOT_FOUND."""
        request = campaign_pb2.GetCampaignRequest(name=name)
        return (await _answer(self._campaigns.GetCampaign(request, timeout=READ_SECONDS))).campaign

    async def list_campaigns(self, page_size: int = 50, page_token: str = "") -> campaign_pb2.ListCampaignsResponse:
        """One page of campaigns, newest first."""
        request = campaign_pb2.ListCampaignsRequest(page_size=page_size, page_token=page_token)
        return await _answer(self._campaigns.ListCampaigns(request, timeout=READ_SECONDS))

    async def publish_campaign(
        self, name: str, *, dry_run: bool = False, platforms: Sequence[str] = (), budget_micros: int | None = None
    ) -> campaign_pb2.Campaign:
        """Put the campaign online, or show what that would send. May be repeated: nothing is set up twice."""
        request = campaign_pb2.PublishCampaignRequest(
            name=name, dry_run=dry_run, platforms=platforms, budget_micros=budget_micros
        )
        return (await _answer(self._campaigns.PublishCampaign(request, timeout=PLATFORM_SECONDS))).campaign

    async def pause_campaign(self, name: str) -> campaign_pb2.Campaign:
        """Hold ads and pages. Raises CAMPAIGN_STATE where there is nothing to hold."""
        request = campaign_pb2.PauseCampaignRequest(name=name)
        return (await _answer(self._campaigns.PauseCampaign(request, timeout=PLATFORM_SECONDS))).campaign

    async def resume_campaign(self, name: str) -> campaign_pb2.Campaign:
        """Let pages and ads go on. Raises CAMPAIGN_STATE where the money is spent or the test is over."""
        request = campaign_pb2.ResumeCampaignRequest(name=name)
        return (await _answer(self._campaigns.ResumeCampaign(request, timeout=PLATFORM_SECONDS))).campaign

    async def read_campaign(self, name: str) -> campaign_pb2.ReadCampaignResponse:
        """Ask for the spend and read the counts by the plan."""
        request = campaign_pb2.ReadCampaignRequest(name=name)
        return await _answer(self._campaigns.ReadCampaign(request, timeout=PLATFORM_SECONDS))

    async def complete_campaign(self, name: str) -> campaign_pb2.CompleteCampaignResponse:
        """End it for good, with a last reading."""
        request = campaign_pb2.CompleteCampaignRequest(name=name)
        return await _answer(self._campaigns.CompleteCampaign(request, timeout=PLATFORM_SECONDS))

    async def export_campaign(self, name: str, *, include_signups: bool = False) -> list[common_pb2.Artifact]:
        """The campaign's files with their content, each checked against its digest; personal data where asked for."""
        request = campaign_pb2.ExportCampaignRequest(name=name, include_signups=include_signups)
        reply = await _answer(self._campaigns.ExportCampaign(request, timeout=CREATE_SECONDS))
        for artifact in reply.artifacts:
            if hashlib.sha256(artifact.content).hexdigest() != artifact.sha256:
                raise PipelineError(
                    errors_pb2.ERROR_REASON_ARTIFACT_REJECTED,
                    f"{artifact.path} arrived damaged; export again",
                    metadata={"artifact": artifact.path},
                )
        return list(reply.artifacts)


async def _answer(call: Awaitable[T]) -> T:
    """The reply of a call; a failure as the typed error that it carries."""
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        raise from_rpc_error(error) from error
