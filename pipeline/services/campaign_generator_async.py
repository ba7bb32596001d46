"""A smoke-test campaign for one idea, without the other phases."""

from __future__ import annotations

import logging
from typing import Any

from chassis.idea.reading import read_idea
from chassis.idea.text import normalise
from pipeline.options import AsyncPipelineConfig, CampaignType, run_spec
from pipeline.services.phase import PhaseCaller
from pipeline.v1 import campaign_pb2, campaign_pb2_grpc

__all__ = ["AsyncCampaignGenerator", "CampaignType", "create_async_campaign_generator"]

logger = logging.getLogger(__name__)


class AsyncCampaignGenerator(PhaseCaller):
    """Drafts campaigns through a campaign server."""

    phase = "campaign"

    async def generate_campaign(
        self,
        startup_idea: str,
        ad_budget: float = 25.0,
        campaign_type: CampaignType | str = CampaignType.SMOKE_TEST,
        *,
        name: str = "",
    ) -> campaign_pb2.CampaignResult:
        """Ads, landing pages and a plan; `ad_budget` in USD. Raises `PipelineError`.

        Without a run there is no evidence: the plan rests on benchmark figures and the idea's own words.
        """
        spec = run_spec(
            startup_idea,
            config=self.config,
            campaign_type=campaign_type,
            max_total_budget=ad_budget,
            name=name,
        )
        reading = read_idea(normalise(startup_idea, field="startup_idea"), name)
        request = campaign_pb2.DraftCampaignRequest(
            context=self.context(),
            profile=reading.profile,
            claims=reading.claims,
            campaign_type=spec.campaign_type,
            ad_budget_micros=spec.budget_micros,
        )
        stub = campaign_pb2_grpc.CampaignServiceStub(await self.start())
        result = campaign_pb2.CampaignResult()
        async for reply in self.stream(stub.DraftCampaign, request):
            if reply.HasField("result"):
                result = reply.result
        logger.info("%d assets for %r", len(result.assets), startup_idea[:80])
        return result


async def create_async_campaign_generator(
    config: AsyncPipelineConfig | None = None, **options: Any
) -> AsyncCampaignGenerator:
    """A started generator; options are those of `PhaseCaller`."""
    generator = AsyncCampaignGenerator(config, **options)
    await generator.start()
    return generator
