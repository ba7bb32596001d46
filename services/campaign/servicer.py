"""CampaignService: streams what the drafter makes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc.aio

from chassis.streaming import Emit, stream
from chassis.usage import current_usage
from pipeline.v1 import campaign_pb2_grpc
from pipeline.v1.campaign_pb2 import AdAsset, CampaignResult, DraftCampaignRequest, DraftCampaignResponse
from services.campaign.drafting import Drafter, Item


class CampaignServicer(campaign_pb2_grpc.CampaignServiceServicer):
    """Translates between the wire and `Drafter`."""

    def __init__(self, drafter: Drafter) -> None:
        self._drafter = drafter

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
                    item.usage.CopyFrom(current_usage().to_proto())
                await emit(_response(item))
                # Drafting is computation of some tens of milliseconds; other calls get their turn between the steps.
                await asyncio.sleep(0)


def _response(item: Item) -> DraftCampaignResponse:
    if isinstance(item, CampaignResult):
        return DraftCampaignResponse(result=item)
    if isinstance(item, AdAsset):
        return DraftCampaignResponse(asset=item)
    return DraftCampaignResponse(progress=item)
