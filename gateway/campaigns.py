"""The calls of LiveCampaignService at the gateway: whose campaign it is, its money, and what its end means for the run.

The campaign server does the work. The gateway adds what only it knows: that the run is the caller's, that the run's
budget covers the ads, and that a reading which met its stopping rule is part of the run's verdict and report.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import grpc
from google.protobuf.message import Message

from chassis.logs import get_logger
from gateway.finish import Finisher
from gateway.results import Results
from gateway.runs.ids import parse
from gateway.runs.readings import ReadingStore
from gateway.runs.rows import TERMINAL
from gateway.runs.store import RunStore
from gateway.verdict import combine
from pipeline.errors import PipelineError, from_rpc_error
from pipeline.v1 import campaign_pb2, errors_pb2, pipeline_pb2

if TYPE_CHECKING:
    from pipeline.v1.campaign_pb2_grpc import LiveCampaignServiceAsyncStub

M = TypeVar("M", bound=Message)

# Publishing sets platforms up, pausing and completing switch them: each waits for the slowest of them.
CHANGE_SECONDS = 120.0
READ_SECONDS = 30.0

_DRAFT = campaign_pb2.CAMPAIGN_STATUS_DRAFT
_RUNNING = (campaign_pb2.PLATFORM_STATE_RUNNING, campaign_pb2.PLATFORM_STATE_PAUSED)

# Answers that say for sure that nothing was begun.
_REFUSED = ("FAILED_PRECONDITION", "INVALID_ARGUMENT", "NOT_FOUND")

_log = get_logger("gateway.campaigns")


def campaign_not_found(name: str) -> PipelineError:
    """The error for a campaign that is not there, or is somebody else's."""
    return PipelineError(
        errors_pb2.ERROR_REASON_CAMPAIGN_NOT_FOUND,
        "No campaign has this name; names look like runs/{run}/campaign.",
        metadata={"campaign": name[:200]},
    )


class CampaignApi:
    """What callers can ask about campaigns. `stub`: LiveCampaignService of the campaign server."""

    def __init__(self, stub: LiveCampaignServiceAsyncStub, store: RunStore, finisher: Finisher, tenant: str) -> None:
        self._stub = stub
        self._store = store
        self._finisher = finisher
        self._tenant = tenant
        self._readings = ReadingStore(store)
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    async def get(self, request: campaign_pb2.GetCampaignRequest) -> campaign_pb2.GetCampaignResponse:
        """The campaign as it stands."""
        await self._own(request.name)
        return await self._ask(self._stub.GetCampaign, request, READ_SECONDS)

    async def list(self, request: campaign_pb2.ListCampaignsRequest) -> campaign_pb2.ListCampaignsResponse:
        """A page of the tenant's campaigns, newest first."""
        asked = campaign_pb2.ListCampaignsRequest()
        asked.CopyFrom(request)
        asked.tenant = self._tenant
        return await self._ask(self._stub.ListCampaigns, asked, READ_SECONDS)

    async def publish(self, request: campaign_pb2.PublishCampaignRequest) -> campaign_pb2.PublishCampaignResponse:
        """Put it online. The ads' money is kept in the run's budget before any platform hears of it."""
        run = await self._own(request.name)
        if request.dry_run:
            return await self._ask(self._stub.PublishCampaign, request, CHANGE_SECONDS)
        run_id = run.name.removeprefix("runs/")
        async with self._lock(run_id):
            named = campaign_pb2.GetCampaignRequest(name=request.name)
            now = (await self._ask(self._stub.GetCampaign, named, READ_SECONDS)).campaign
            # The first publication fixes the budget; before it the plan's stands.
            fixed = now.plan.budget_micros if now.status == _DRAFT else now.budget_micros
            asked = request.budget_micros if request.HasField("budget_micros") else fixed
            is_first = await self._readings.reserve_ads(run_id, min(max(asked, 0), fixed))
            try:
                reply = await self._ask(self._stub.PublishCampaign, request, CHANGE_SECONDS)
            except PipelineError as error:
                if error.status_name in _REFUSED and (is_first or await self._is_draft(named)):
                    await self._readings.release_ads(run_id)
                raise
            if not _can_spend(reply.campaign):
                # Nobody can spend: the money is free again.
                await self._readings.release_ads(run_id)
            return reply

    async def pause(self, request: campaign_pb2.PauseCampaignRequest) -> campaign_pb2.PauseCampaignResponse:
        """Hold ads and page."""
        await self._own(request.name)
        return await self._ask(self._stub.PauseCampaign, request, CHANGE_SECONDS)

    async def resume(self, request: campaign_pb2.ResumeCampaignRequest) -> campaign_pb2.ResumeCampaignResponse:
        """Go on after a pause."""
        await self._own(request.name)
        return await self._ask(self._stub.ResumeCampaign, request, CHANGE_SECONDS)

    async def complete(self, request: campaign_pb2.CompleteCampaignRequest) -> campaign_pb2.CompleteCampaignResponse:
        """End it for good: its money is booked, its reading is part of the run."""
        run = await self._own(request.name)
        reply = await self._ask(self._stub.CompleteCampaign, request, CHANGE_SECONDS)
        await self._readings.settle_ads(run.name.removeprefix("runs/"), reply.campaign.spent_micros)
        await self._feed_back(run, reply.reading)
        return reply

    async def read(self, request: campaign_pb2.ReadCampaignRequest) -> campaign_pb2.ReadCampaignResponse:
        """Counts by the plan; what they come to is part of the run's report, a final decision of its verdict."""
        run = await self._own(request.name)
        reply = await self._ask(self._stub.ReadCampaign, request, CHANGE_SECONDS)
        await self._feed_back(run, reply.reading)
        return reply

    async def export(self, request: campaign_pb2.ExportCampaignRequest) -> campaign_pb2.ExportCampaignResponse:
        """The campaign's files."""
        await self._own(request.name)
        return await self._ask(self._stub.ExportCampaign, request, READ_SECONDS)

    async def _own(self, name: str) -> pipeline_pb2.Run:
        """The run that the campaign belongs to, where it is the caller's."""
        run_name, _, rest = name.rpartition("/")
        run_id = parse(run_name, "runs")
        if run_id is None or rest != "campaign":
            raise campaign_not_found(name)
        try:
            return await self._store.get(self._tenant, run_id)
        except PipelineError as error:
            if error.reason == errors_pb2.ERROR_REASON_RUN_NOT_FOUND:
                raise campaign_not_found(name) from error
            raise

    async def _is_draft(self, named: campaign_pb2.GetCampaignRequest) -> bool:
        """Whether the campaign is known to have never been published, after an earlier call's answer was lost too."""
        try:
            return (await self._ask(self._stub.GetCampaign, named, READ_SECONDS)).campaign.status == _DRAFT
        except PipelineError:
            return False

    def _lock(self, run_id: str) -> asyncio.Lock:
        lock = self._locks.get(run_id)
        if lock is None:
            lock = self._locks[run_id] = asyncio.Lock()
        return lock

    async def _ask(self, method: Callable[..., Awaitable[M]], request: Message, seconds: float) -> M:
        try:
            return await method(request, timeout=seconds)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error

    async def _feed_back(self, run: pipeline_pb2.Run, reading: campaign_pb2.CampaignReading) -> None:
        """Weigh the reading in the run's verdict and write the report anew, once the run itself has ended."""
        if run.state not in TERMINAL or not reading.campaign:
            return
        run_id = run.name.removeprefix("runs/")
        snapshot = await self._store.snapshot(run_id, self._tenant)
        results = Results.parse(snapshot.results)
        verdict = combine(results.validation, results.evidence, reading) if reading.is_final else None
        # One writer at a time: a slower, older reading would leave its plots beside a newer one's report.
        async with self._lock(run_id):
            if not await self._readings.put(run_id, reading, verdict):
                return
            await self._finisher.rewrite(self._tenant, run_id, list(reading.artifacts))
        _log.info("campaign_read", run=run_id, rule=reading.rule, final=reading.is_final)


def _can_spend(campaign: campaign_pb2.Campaign) -> bool:
    return any(platform.state in _RUNNING for platform in campaign.platforms)
