"""`python -m tests.support.publish_child STORE NAME URL`: a process that sets a campaign up on a replayed platform.

Tests kill it in the middle.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from chassis.clock import SystemClock
from chassis.testing import recording_telemetry
from services.campaign.config import CampaignConfig
from services.campaign.providers.around import PlatformPool
from tests.support.platforms import CAMPAIGN, CASES, a_launch, a_setup, campaign_store


async def main(store: Path, name: str, url: str) -> None:
    """Sets the campaign of the tests up on the platform `name`, whose replay is at `url`."""
    case = next(case for case in CASES if case.name == name)
    assert case.entry is not None
    clock = SystemClock()
    config = CampaignConfig(offline=False, **case.settings(url))
    pool = PlatformPool(name, case.entry.terms, telemetry=recording_telemetry(), clock=clock)
    async with campaign_store(store, CAMPAIGN) as database:
        await a_setup(database, clock, case.entry.make(pool, config, clock)).set_up([(name, a_launch())])


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
