"""Platforms on a stage: the adapter, and what stands behind it, which counts effects and fails when told to."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import insert

from bench.replay.platforms import fly as replayed_fly
from bench.replay.platforms import google_ads as replayed_google_ads
from bench.replay.platforms import meta as replayed_meta
from bench.replay.platforms import netlify as replayed_netlify
from bench.replay.platforms import posthog as replayed_posthog
from bench.replay.platforms.netlify import NetlifyReplay
from bench.replay.platforms.posthog import PostHogReplay
from bench.replay.platforms.stage import PlatformReplay
from chassis.clock import Clock
from chassis.database import Database
from chassis.figures import Figures
from chassis.testing import ManualClock, recording_telemetry
from pipeline.v1 import campaign_pb2
from services.campaign.config import CampaignConfig
from services.campaign.drafting import Drafter
from services.campaign.live.setup import Setup
from services.campaign.providers import fly, google_ads, meta, netlify, posthog
from services.campaign.providers.around import PlatformPool
from services.campaign.providers.base import CampaignPlatforms, Entry, Launch, Platform
from services.campaign.providers.fake import FakePlatform
from services.campaign.rendering import PageRenderer, Signup
from services.campaign.store.effects import EffectStore
from services.campaign.store.schema import campaigns, campaigns_database
from tests.support.campaigns import IDEAS, draft

# Long for loopback on a busy machine; a test that holds an answer back waits as long.
TIMEOUT_SECONDS = 3.0
CAMPAIGN = "01j9x7k3-food"


class SkippingClock(ManualClock):
    """Whoever sleeps wakes at once, and the time has passed. `slept`: the pauses, in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(max(seconds, 0.0))
        await super().sleep(0)


class Stage(Protocol):
    """What stands behind an adapter."""

    made: Counter[str]

    def fail(self, *kinds: str) -> None:
        """Order faults for the next requests with an effect."""
        ...


@dataclass(frozen=True)
class Case:
    """A platform of the contract tests."""

    name: str
    # Effects of a whole set-up, by kind, each once.
    made: Mapping[str, int]
    # How many things exist now.
    standing: Callable[[Any], int]
    # Its registry entry, its replay and the settings that lead to it; None for the platform without a network.
    entry: Entry | None = None
    replay: Callable[[], PlatformReplay] | None = None
    settings: Callable[[str], dict[str, Any]] = lambda url: {}
    # Requests with an effect of a whole set-up, where an effect takes several.
    writes: int = 0
    # Values that nobody may be shown.
    secrets: Sequence[str] = ()
    # Whether the campaign runs, where switching is an effect there.
    runs: Callable[[Any], bool] | None = None


CASES = [
    Case(
        "fake",
        made={"fake/account": 1, "fake/ad": 1},
        standing=lambda stage: len(stage.things),
        runs=lambda stage: CAMPAIGN in stage.running,
    ),
    Case(
        "netlify",
        made={"site": 1, "deploy": 1},
        writes=5,  # the deploy's three files besides
        standing=lambda stage: len(stage.sites),
        entry=netlify.ENTRY,
        replay=NetlifyReplay,
        settings=lambda url: {"netlify_url": url, "netlify_token": replayed_netlify.TOKEN},
        secrets=(replayed_netlify.TOKEN,),
    ),
    Case(
        "posthog",
        made={"annotation": 1},
        standing=lambda stage: len(stage.standing()),
        entry=posthog.ENTRY,
        replay=PostHogReplay,
        settings=lambda url: {
            "posthog_url": url,
            "posthog_capture_url": url,
            "posthog_key": replayed_posthog.KEY,
            "posthog_personal_key": replayed_posthog.PERSONAL_KEY,
            "posthog_project": replayed_posthog.PROJECT,
        },
        secrets=(replayed_posthog.KEY, replayed_posthog.PERSONAL_KEY),
    ),
    Case(
        "google_ads",
        made={"campaigns": 1},
        standing=lambda stage: len(stage.all("campaigns")),
        entry=google_ads.ENTRY,
        # Dates are shown in UTC until the account's time zone is known.
        replay=lambda: replayed_google_ads.GoogleAdsReplay(time_zone="UTC"),
        settings=lambda url: {
            "google_ads_url": url,
            "google_ads_token_url": f"{url}/token",
            "google_ads_customer_id": replayed_google_ads.CUSTOMER,
            "google_ads_client_id": replayed_google_ads.CLIENT_ID,
            "google_ads_client_secret": replayed_google_ads.CLIENT_SECRET,
            "google_ads_refresh_token": replayed_google_ads.REFRESH_TOKEN,
        },
        secrets=(
            replayed_google_ads.CLIENT_SECRET,
            replayed_google_ads.REFRESH_TOKEN,
            replayed_google_ads.ACCESS_TOKEN.format(1),
        ),
        runs=lambda stage: any(campaign["status"] == "ENABLED" for campaign in stage.all("campaigns")),
    ),
    Case(
        "meta",
        made={"campaigns": 1, "adsets": 1, "ads": 1},
        standing=lambda stage: len(stage.nodes),
        entry=meta.ENTRY,
        replay=replayed_meta.MetaReplay,
        settings=lambda url: {
            "meta_url": url,
            "meta_token": replayed_meta.TOKEN,
            "meta_account_id": replayed_meta.ACCOUNT,
            "meta_page_id": replayed_meta.PAGE,
        },
        secrets=(replayed_meta.TOKEN,),
        runs=lambda stage: any(campaign["status"] == "ACTIVE" for campaign in stage.all("campaigns")),
    ),
    Case(
        "fly",
        made={"apps": 1, "shared_v4": 1, "v6": 1, "machines": 1},
        standing=lambda stage: len(stage.apps),
        entry=fly.ENTRY,
        replay=replayed_fly.FlyReplay,
        settings=lambda url: {"fly_url": url, "fly_token": replayed_fly.TOKEN},
        secrets=(replayed_fly.TOKEN,),
        runs=lambda stage: any(m["state"] == "started" for app in stage.apps for m in stage.machines(app)),
    ),
]


@cache
def _drafted() -> campaign_pb2.CampaignResult:
    """A campaign as it is drafted; written once, as every test reads it alone."""
    return draft(Drafter(Figures.load(), PageRenderer(), Signup(controller="Ada, Example Street 1")), IDEAS["food"])


def a_launch(campaign_id: str = CAMPAIGN, **changes: Any) -> Launch:
    """A drafted campaign on its way online."""
    values: dict[str, Any] = {
        "campaign_id": campaign_id,
        "title": "Larderwise",
        "slug": "larderwise-7f3a",
        "page_url": "https://try.example.org/p/larderwise-7f3a",
        "origin_url": "https://pages.example.org",
        "draft": _drafted(),
        "budget_micros": 20_000_000,
        "days": 14,
    }
    return Launch(**{**values, **changes})


@asynccontextmanager
async def on_stage(
    case: Case, clock: Clock, *, timeout_seconds: float = TIMEOUT_SECONDS, **settings: Any
) -> AsyncIterator[tuple[Platform, Any]]:
    """The adapter as the registry makes it, and its stage; `settings` replace those of the case."""
    if case.entry is None or case.replay is None:
        fake = FakePlatform()
        yield fake, fake
        return
    async with case.replay() as replay:
        config = CampaignConfig(offline=False, **{**case.settings(replay.url), **settings})
        terms = replace_time(case.entry, timeout_seconds).terms
        pool = PlatformPool(case.entry.name, terms, telemetry=recording_telemetry(), clock=clock)
        try:
            yield case.entry.make(pool, config, clock), replay
        finally:
            await pool.close()


def replace_time(entry: Entry, seconds: float) -> Entry:
    """The entry with a shorter patience."""
    return replace(entry, terms=replace(entry.terms, timeout_seconds=seconds))


@asynccontextmanager
async def campaign_store(path: Path, *campaign_ids: str) -> AsyncIterator[Database]:
    """An open store with these campaigns, which may be there already."""
    database = campaigns_database(path)
    await database.open()
    try:
        for number, campaign_id in enumerate(campaign_ids):
            row = {
                "id": campaign_id,
                "tenant": "default",
                "slug": f"slug-{campaign_id}",
                "status": campaign_pb2.CAMPAIGN_STATUS_DRAFT,
                "request": b"",
                "draft": b"",
                "created_at": number,
            }
            statement = insert(campaigns).prefix_with("OR IGNORE").values(**row)
            await database.write(lambda conn, statement=statement: conn.execute(statement))  # type: ignore[misc]
        yield database
    finally:
        await database.close()


def a_setup(database: Database, clock: Clock, *platforms: Platform) -> Setup:
    """A set-up with these platforms."""
    return Setup(CampaignPlatforms(tuple(platforms)), EffectStore(database, clock), clock)
