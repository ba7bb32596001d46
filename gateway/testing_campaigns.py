"""A campaign server for tests of the gateway: the calls of LiveCampaignService without a wire."""

from __future__ import annotations

from typing import Any

from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2, common_pb2, errors_pb2

USD = 1_000_000


class FakeLiveCampaigns:
    """Plays one campaign per name: `budget_micros` planned, `spending` says whether a platform takes part.

    `reading` is what a read returns; tests set its decision.
    """

    def __init__(self, budget_micros: int = 25 * USD, *, spending: bool = True) -> None:
        self.budget_micros = budget_micros
        self.spending = spending
        self.spent_micros = 0
        # The budget that the first publication fixed.
        self.published_micros: int | None = None
        # What the next publications answer in place of a campaign; tests set it.
        self.publish_error: PipelineError | None = None
        self.asked: list[Any] = []
        self.status = campaign_pb2.CAMPAIGN_STATUS_DRAFT
        self.reading = campaign_pb2.CampaignReading()

    def campaign(self, name: str) -> campaign_pb2.Campaign:
        """The campaign as it stands."""
        campaign = campaign_pb2.Campaign(name=name, status=self.status, spent_micros=self.spent_micros)
        campaign.plan.budget_micros = self.budget_micros
        campaign.budget_micros = self.budget_micros if self.published_micros is None else self.published_micros
        if self.spending and self.status != campaign_pb2.CAMPAIGN_STATUS_DRAFT:
            ended = self.status == campaign_pb2.CAMPAIGN_STATUS_COMPLETED
            state = campaign_pb2.PLATFORM_STATE_COMPLETED if ended else campaign_pb2.PLATFORM_STATE_RUNNING
            campaign.platforms.add(platform="google_ads", state=state)
        return campaign

    async def GetCampaign(self, request: Any, timeout: float | None = None) -> campaign_pb2.GetCampaignResponse:
        return campaign_pb2.GetCampaignResponse(campaign=self._seen(request))

    async def ListCampaigns(self, request: Any, timeout: float | None = None) -> campaign_pb2.ListCampaignsResponse:
        self.asked.append(request)
        return campaign_pb2.ListCampaignsResponse(campaigns=[self.campaign(f"runs/{request.tenant}/campaign")])

    async def PublishCampaign(self, request: Any, timeout: float | None = None) -> campaign_pb2.PublishCampaignResponse:
        if self.status == campaign_pb2.CAMPAIGN_STATUS_COMPLETED:
            raise PipelineError(
                errors_pb2.ERROR_REASON_CAMPAIGN_STATE,
                "The campaign has ended; draft a new one with a new run.",
                metadata={"campaign": request.name, "status": "COMPLETED", "step": "publish"},
            )
        if self.publish_error is not None:
            raise self.publish_error
        if not request.dry_run:
            if self.published_micros is None:
                asked = request.HasField("budget_micros")
                self.published_micros = request.budget_micros if asked else self.budget_micros
            self.status = campaign_pb2.CAMPAIGN_STATUS_RUNNING
        return campaign_pb2.PublishCampaignResponse(campaign=self._seen(request))

    async def PauseCampaign(self, request: Any, timeout: float | None = None) -> campaign_pb2.PauseCampaignResponse:
        if self.status == campaign_pb2.CAMPAIGN_STATUS_DRAFT:
            raise PipelineError(
                errors_pb2.ERROR_REASON_CAMPAIGN_STATE,
                "The campaign is a draft; publish it first.",
                metadata={"campaign": request.name, "status": "DRAFT", "step": "pause"},
            )
        self.status = campaign_pb2.CAMPAIGN_STATUS_PAUSED
        return campaign_pb2.PauseCampaignResponse(campaign=self._seen(request))

    async def ResumeCampaign(self, request: Any, timeout: float | None = None) -> campaign_pb2.ResumeCampaignResponse:
        self.status = campaign_pb2.CAMPAIGN_STATUS_RUNNING
        return campaign_pb2.ResumeCampaignResponse(campaign=self._seen(request))

    async def CompleteCampaign(
        self, request: Any, timeout: float | None = None
    ) -> campaign_pb2.CompleteCampaignResponse:
        self.status = campaign_pb2.CAMPAIGN_STATUS_COMPLETED
        return campaign_pb2.CompleteCampaignResponse(campaign=self._seen(request), reading=self._read(request))

    async def ReadCampaign(self, request: Any, timeout: float | None = None) -> campaign_pb2.ReadCampaignResponse:
        return campaign_pb2.ReadCampaignResponse(campaign=self._seen(request), reading=self._read(request))

    async def ExportCampaign(self, request: Any, timeout: float | None = None) -> campaign_pb2.ExportCampaignResponse:
        self._seen(request)
        return campaign_pb2.ExportCampaignResponse(
            artifacts=[common_pb2.Artifact(path="campaign/counts.csv", media_type="text/csv", content=b"day\r\n")]
        )

    def _seen(self, request: Any) -> campaign_pb2.Campaign:
        self.asked.append(request)
        return self.campaign(request.name)

    def _read(self, request: Any) -> campaign_pb2.CampaignReading:
        reading = campaign_pb2.CampaignReading()
        reading.CopyFrom(self.reading)
        reading.campaign = request.name
        return reading
