"""LiveCampaignService over gRPC at the gateway: translates, nothing else."""

from __future__ import annotations

from typing import Any

from chassis.calls import MethodPolicy
from gateway.campaigns import CHANGE_SECONDS, READ_SECONDS, CampaignApi
from pipeline.v1 import campaign_pb2, campaign_pb2_grpc

SERVICE = "pipeline.v1.LiveCampaignService"
# The campaign server's time for the same call, and what the gateway does around it.
POLICIES = {
    method: MethodPolicy(deadline_seconds=CHANGE_SECONDS + READ_SECONDS)
    for method in ("PublishCampaign", "PauseCampaign", "ResumeCampaign", "CompleteCampaign", "ReadCampaign")
}


class LiveCampaignServicer(campaign_pb2_grpc.LiveCampaignServiceServicer):
    """Every call is one of `CampaignApi`."""

    def __init__(self) -> None:
        # Set when the server starts: the parts behind it need a running loop.
        self.api: CampaignApi | None = None

    @property
    def _api(self) -> CampaignApi:
        assert self.api is not None, "the server has started"
        return self.api

    async def GetCampaign(
        self, request: campaign_pb2.GetCampaignRequest, context: Any
    ) -> campaign_pb2.GetCampaignResponse:
        return await self._api.get(request)

    async def ListCampaigns(
        self, request: campaign_pb2.ListCampaignsRequest, context: Any
    ) -> campaign_pb2.ListCampaignsResponse:
        return await self._api.list(request)

    async def PublishCampaign(
        self, request: campaign_pb2.PublishCampaignRequest, context: Any
    ) -> campaign_pb2.PublishCampaignResponse:
        return await self._api.publish(request)

    async def PauseCampaign(
        self, request: campaign_pb2.PauseCampaignRequest, context: Any
    ) -> campaign_pb2.PauseCampaignResponse:
        return await self._api.pause(request)

    async def ResumeCampaign(
        self, request: campaign_pb2.ResumeCampaignRequest, context: Any
    ) -> campaign_pb2.ResumeCampaignResponse:
        return await self._api.resume(request)

    async def CompleteCampaign(
        self, request: campaign_pb2.CompleteCampaignRequest, context: Any
    ) -> campaign_pb2.CompleteCampaignResponse:
        return await self._api.complete(request)

    async def ReadCampaign(
        self, request: campaign_pb2.ReadCampaignRequest, context: Any
    ) -> campaign_pb2.ReadCampaignResponse:
        return await self._api.read(request)

    async def ExportCampaign(
        self, request: campaign_pb2.ExportCampaignRequest, context: Any
    ) -> campaign_pb2.ExportCampaignResponse:
        return await self._api.export(request)
