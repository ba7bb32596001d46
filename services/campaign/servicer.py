"""CampaignService streams what the drafter makes; LiveCampaignService runs what was drafted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio

from chassis.calls import MethodPolicy
from chassis.logs import get_logger
from chassis.streaming import Emit, stream
from chassis.usage import current_usage
from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2, campaign_pb2_grpc, common_pb2, errors_pb2
from pipeline.v1.campaign_pb2 import AdAsset, CampaignResult, DraftCampaignRequest, DraftCampaignResponse
from pipeline.v1.common_pb2 import Notice
from services.campaign.drafting import Drafter, Item
from services.campaign.live.campaigns import LiveCampaigns

# These wait for the slowest platform: after a crash it looks before it makes anything again (REQUEST_SECONDS_MAX), and
# errors that pass are waited out (domain/setup_steps.py). A caller who brings a deadline has that.
CHANGE_SECONDS = 120.0
POLICIES = {
    method: MethodPolicy(deadline_seconds=CHANGE_SECONDS)
    for method in ("PublishCampaign", "PauseCampaign", "ResumeCampaign", "CompleteCampaign", "ReadCampaign")
}

_log = get_logger("campaign.servicer")


class Live:
    """The live campaigns of this server, from the moment that their store is open."""

    def __init__(self) -> None:
        self.campaigns: LiveCampaigns | None = None

    def __call__(self) -> LiveCampaigns:
        """Raises STORAGE_UNAVAILABLE while there is no store."""
        if self.campaigns is None:
            raise PipelineError(
                errors_pb2.ERROR_REASON_STORAGE_UNAVAILABLE,
                "The store of campaigns could not be opened; see the server's log, mend it and start the server again.",
                metadata={"store": "campaigns"},
            )
        return self.campaigns


class CampaignServicer(campaign_pb2_grpc.CampaignServiceServicer):
    """Translates between the wire and `Drafter`; a run's draft is kept, so that it can be published."""

    def __init__(self, drafter: Drafter, live: Live) -> None:
        self._drafter = drafter
        self._live = live

    def DraftCampaign(
        self,
        request: DraftCampaignRequest,
        context: grpc.aio.ServicerContext[DraftCampaignRequest, DraftCampaignResponse],
    ) -> AsyncIterator[DraftCampaignResponse]:
        """Progress, each asset, then the result with the files."""
        return stream(lambda emit: self._draft(request, emit))

    async def _draft(self, request: DraftCampaignRequest, emit: Emit[DraftCampaignResponse]) -> None:
        async with current_usage().operation():
            for item in self._drafter.draft(request):
                if isinstance(item, CampaignResult):
                    item.notices.extend(await self._keep(request, item))
                    item.usage.CopyFrom(current_usage().to_proto())
                await emit(_response(item))
                # Drafting is computation of some tens of milliseconds; other calls get their turn between the steps.
                await asyncio.sleep(0)

    async def _keep(self, request: DraftCampaignRequest, draft: CampaignResult) -> list[Notice]:
        """Keep the draft; where that fails the run still gets it, with a word on what cannot be done with it."""
        if not request.context.run:
            return []
        try:
            return await self._live().keep_draft(request, draft)
        except PipelineError as error:
            _log.warning("draft_not_kept", run=request.context.run, error=str(error))
            text = f"The draft could not be stored for publication: {error.message} Its files are complete."
            return [Notice(subject="campaign", message=text, phase=common_pb2.PHASE_CAMPAIGN)]


class LiveCampaignServicer(campaign_pb2_grpc.LiveCampaignServiceServicer):
    """Translates between the wire and `LiveCampaigns`."""

    def __init__(self, live: Live) -> None:
        self._live = live

    async def GetCampaign(
        self, request: campaign_pb2.GetCampaignRequest, context: Any
    ) -> campaign_pb2.GetCampaignResponse:
        """The campaign as it stands."""
        return campaign_pb2.GetCampaignResponse(campaign=await self._live().get(request.name))

    async def ListCampaigns(
        self, request: campaign_pb2.ListCampaignsRequest, context: Any
    ) -> campaign_pb2.ListCampaignsResponse:
        """A page of a tenant's campaigns, newest first."""
        found, token = await self._live().list_campaigns(request.tenant, request.page_size, request.page_token)
        return campaign_pb2.ListCampaignsResponse(campaigns=found, next_page_token=token)

    async def PublishCampaign(
        self, request: campaign_pb2.PublishCampaignRequest, context: Any
    ) -> campaign_pb2.PublishCampaignResponse:
        """Pages online, platforms set up; or what that would send."""
        campaign = await self._live().publish(
            request.name,
            dry_run=request.dry_run,
            platforms=request.platforms,
            budget_micros=request.budget_micros if request.HasField("budget_micros") else None,
        )
        return campaign_pb2.PublishCampaignResponse(campaign=campaign)

    async def PauseCampaign(
        self, request: campaign_pb2.PauseCampaignRequest, context: Any
    ) -> campaign_pb2.PauseCampaignResponse:
        """Ads held, then pages."""
        return campaign_pb2.PauseCampaignResponse(campaign=await self._live().pause(request.name))

    async def ResumeCampaign(
        self, request: campaign_pb2.ResumeCampaignRequest, context: Any
    ) -> campaign_pb2.ResumeCampaignResponse:
        """Pages, then ads."""
        return campaign_pb2.ResumeCampaignResponse(campaign=await self._live().resume(request.name))

    async def CompleteCampaign(
        self, request: campaign_pb2.CompleteCampaignRequest, context: Any
    ) -> campaign_pb2.CompleteCampaignResponse:
        """The end, with the last reading."""
        campaign, reading = await self._live().complete(request.name)
        return campaign_pb2.CompleteCampaignResponse(campaign=campaign, reading=reading)

    async def ReadCampaign(
        self, request: campaign_pb2.ReadCampaignRequest, context: Any
    ) -> campaign_pb2.ReadCampaignResponse:
        """What the counts say now."""
        campaign, reading = await self._live().read(request.name)
        return campaign_pb2.ReadCampaignResponse(campaign=campaign, reading=reading)

    async def ExportCampaign(
        self, request: campaign_pb2.ExportCampaignRequest, context: Any
    ) -> campaign_pb2.ExportCampaignResponse:
        """The campaign's files."""
        files = await self._live().export(request.name, include_signups=request.include_signups)
        return campaign_pb2.ExportCampaignResponse(artifacts=files)


def _response(item: Item) -> DraftCampaignResponse:
    if isinstance(item, CampaignResult):
        return DraftCampaignResponse(result=item)
    if isinstance(item, AdAsset):
        return DraftCampaignResponse(asset=item)
    return DraftCampaignResponse(progress=item)
