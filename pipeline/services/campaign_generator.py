"""The blocking campaign generator: the fallback beside `campaign_generator_async`."""

from __future__ import annotations

from typing import Any

from pipeline.background import Blocking
from pipeline.options import CampaignType, sequential_config
from pipeline.services.campaign_generator_async import AsyncCampaignGenerator
from pipeline.v1 import campaign_pb2

__all__ = ["CampaignGenerator", "CampaignType", "get_campaign_generator"]


class CampaignGenerator(Blocking):
    """Drafts campaigns, one operation after another."""

    def __init__(self, **options: Any) -> None:
        """Options are those of `PhaseCaller`."""
        self._generator = AsyncCampaignGenerator(sequential_config(), **options)
        super().__init__(self._generator)

    def generate_campaign(self, startup_idea: str, **options: Any) -> campaign_pb2.CampaignResult:
        """Ads, landing pages and a plan; as the async generator's method."""
        return self._loop.call(self._generator.generate_campaign(startup_idea, **options))


def get_campaign_generator(**options: Any) -> CampaignGenerator:
    """A blocking generator."""
    return CampaignGenerator(**options)
