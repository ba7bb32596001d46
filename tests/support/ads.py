"""Advertising platforms against their replays: a launch to put online, adapters that are pointed at a replay."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from pydantic import SecretStr

from bench.replay.platforms import fly as fly_replay
from bench.replay.platforms import google_ads as google_replay
from bench.replay.platforms import meta as meta_replay
from chassis.figures import Figures
from chassis.pool import HttpPool
from chassis.testing import ManualClock
from pipeline.v1 import campaign_pb2
from services.campaign.drafting import Drafter
from services.campaign.providers.base import Done, Launch, Platform
from services.campaign.providers.fly import Fly
from services.campaign.providers.fly_front import FlyAccess
from services.campaign.providers.google_ads import GoogleAds
from services.campaign.providers.google_ads_access import GoogleAdsAccess
from services.campaign.providers.meta import Meta
from services.campaign.providers.meta_objects import MetaAccess
from services.campaign.rendering import PageRenderer, Signup
from tests.support.campaigns import IDEAS, draft

NOW = datetime(2026, 11, 25, 3, 30, tzinfo=UTC)
CAMPAIGN = "01jd9q3k7m2xw4v8h5t6p0r1sa"
SECRETS = (
    google_replay.REFRESH_TOKEN,
    google_replay.CLIENT_SECRET,
    google_replay.CLIENT_ID,
    google_replay.ACCESS_TOKEN.format(1),
    meta_replay.TOKEN,
    fly_replay.TOKEN,
)


@lru_cache(maxsize=4)
def drafted(idea: str = IDEAS["food"], budget_usd: float = 500) -> campaign_pb2.CampaignResult:
    """A campaign as the server drafts it, for a budget that pays search and social ads."""
    return draft(Drafter(Figures.load(), PageRenderer(), Signup()), idea, budget_usd=budget_usd, name="Larderwise")


def launched(idea: str = IDEAS["food"], **changes: Any) -> Launch:
    """A launch of the drafted campaign; `changes` are fields of `Launch`."""
    launch = Launch(
        campaign_id=CAMPAIGN,
        title="Larderwise",
        slug="larderwise-7k2m",
        page_url="https://try.example.org/p/larderwise-7k2m",
        origin_url="https://try.example.org",
        draft=drafted(idea),
        budget_micros=300_000_000,
        days=14,
        starts_at=NOW,
    )
    return replace(launch, **changes)


def manual_clock() -> ManualClock:
    return ManualClock(NOW)


@asynccontextmanager
async def pool_for(name: str, clock: ManualClock, seconds: float = 5.0) -> AsyncIterator[HttpPool]:
    pool = HttpPool(name, total_timeout=seconds, clock=clock)
    try:
        yield pool
    finally:
        await pool.close()


@asynccontextmanager
async def google_ads(
    replay: google_replay.GoogleAdsReplay, clock: ManualClock | None = None, *, seconds: float = 5.0, **changes: Any
) -> AsyncIterator[GoogleAds]:
    access = GoogleAdsAccess(
        customer_id="123-456-7890",
        refresh_token=SecretStr(google_replay.REFRESH_TOKEN),
        client_id=SecretStr(google_replay.CLIENT_ID),
        client_secret=SecretStr(google_replay.CLIENT_SECRET),
        url=replay.url,
        token_url=f"{replay.url}/token",
    )
    clock = clock or manual_clock()
    async with pool_for("google_ads", clock, seconds) as pool:
        yield GoogleAds(pool, replace(access, **changes), clock)


@asynccontextmanager
async def meta(
    replay: meta_replay.MetaReplay, clock: ManualClock | None = None, *, seconds: float = 5.0, **changes: Any
) -> AsyncIterator[Meta]:
    access = MetaAccess(
        token=SecretStr(meta_replay.TOKEN),
        account_id=f"act_{meta_replay.ACCOUNT}",
        page_id=meta_replay.PAGE,
        url=replay.url,
    )
    clock = clock or manual_clock()
    async with pool_for("meta", clock, seconds) as pool:
        yield Meta(pool, replace(access, **changes), clock)


@asynccontextmanager
async def fly(
    replay: fly_replay.FlyReplay, clock: ManualClock | None = None, *, seconds: float = 5.0, **changes: Any
) -> AsyncIterator[Fly]:
    access = FlyAccess(token=SecretStr(fly_replay.TOKEN), url=replay.url)
    clock = clock or manual_clock()
    async with pool_for("fly", clock, seconds) as pool:
        yield Fly(pool, replace(access, **changes), clock)


async def made(platform: Platform, launch: Launch) -> Done:
    """Every step of a platform, made one after the other."""
    effects: dict[str, str] = {}
    for step in platform.steps(launch):
        effects[step.key] = (await platform.perform(launch, step, Done(dict(effects)))).external_id
    return Done(effects)


def planned(platform: Platform, launch: Launch) -> list[campaign_pb2.PlannedRequest]:
    """What each step would send, before anything was made."""
    steps = platform.steps(launch)
    ahead = Done({step.key: f"{{{step.key}}}" for step in steps})
    return [platform.request(launch, step, ahead) for step in steps]


def body_of(request: campaign_pb2.PlannedRequest) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(request.body)
    return body
