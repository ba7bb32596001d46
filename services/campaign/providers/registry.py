"""Every platform that a campaign can be set up on. A new one is a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.campaign.providers import fly, google_ads, meta, netlify, posthog
from services.campaign.providers.around import PlatformPool
from services.campaign.providers.base import CampaignPlatforms, Entry, Platform

if TYPE_CHECKING:
    from chassis.clock import Clock
    from chassis.telemetry import Telemetry
    from services.campaign.config import CampaignConfig

# Hosts of the page first, ads last: the order in which people read them.
PLATFORMS: tuple[Entry, ...] = (netlify.ENTRY, fly.ENTRY, posthog.ENTRY, google_ads.ENTRY, meta.ENTRY)

OFFLINE = "PIPELINE_OFFLINE is true"


def make_platforms(
    config: CampaignConfig, *, telemetry: Telemetry, clock: Clock, entries: tuple[Entry, ...] = PLATFORMS
) -> CampaignPlatforms:
    """The platforms that the configuration has everything for, and why the others cannot be used, with the mend.

    Nothing is connected to. Offline, no platform can be used; each still shows what it would send.
    """
    ready: list[Platform] = []
    drafts: list[Platform] = []
    reasons: list[tuple[str, str]] = []
    pools: list[PlatformPool] = []
    for entry in entries:
        pool = PlatformPool(entry.name, entry.terms, telemetry=telemetry, clock=clock, offline=config.offline)
        platform = entry.make(pool, config, clock)
        lacks = OFFLINE if config.offline else entry.lacks(config)
        if lacks:
            drafts.append(platform)
            reasons.append((entry.name, f"{lacks}. By hand: {entry.by_hand}" if entry.by_hand else lacks))
        else:
            ready.append(platform)
            pools.append(pool)
    return CampaignPlatforms(tuple(ready), tuple(reasons), tuple(drafts), tuple(pools))
