"""Advertising platforms that answer garbage, and two who set up at once: typed errors, and nothing twice."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from bench.replay.platforms.fly import FlyReplay
from bench.replay.platforms.google_ads import GoogleAdsReplay
from bench.replay.platforms.meta import MetaReplay
from chassis.http_answer import HttpResponse
from chassis.pool import HttpPool
from pipeline.errors import PipelineError
from services.campaign.config import CampaignConfig
from services.campaign.providers.base import Done, Entry, Platform
from tests.support.ads import SECRETS, launched, made, manual_clock
from tests.support.platforms import CASES

ODD_VALUES: list[Any] = [None, 7, -1.5, "x", "", True, [], {}, [None], [[]], {"x": "y"}, "9" * 400]
ROUNDS = 40
NAMES = ("google_ads", "meta", "fly")
REPLAYS: dict[str, Callable[[], Any]] = {"google_ads": GoogleAdsReplay, "meta": MetaReplay, "fly": FlyReplay}


class MutatingPool(HttpPool):
    """Passes on what is answered with one value of it replaced, once `dice` are there."""

    dice: random.Random | None = None

    async def request(self, *args: Any, **more: Any) -> HttpResponse:
        response = await super().request(*args, **more)
        if self.dice is None or not response.body or self.dice.random() < 0.3:
            return response
        body = json.dumps(mutated(response.json(), self.dice)).encode()
        return HttpResponse(response.status, response.url, response.headers, body)


def mutated(value: Any, dice: random.Random) -> Any:
    """The value with something odd in the place of one of its parts."""
    if isinstance(value, dict) and value and dice.random() < 0.85:
        key = dice.choice(sorted(value))
        return {**value, key: mutated(value[key], dice)}
    if isinstance(value, list) and value and dice.random() < 0.85:
        place = dice.randrange(len(value))
        return [*value[:place], mutated(value[place], dice), *value[place + 1 :]]
    return dice.choice(ODD_VALUES)


def staged(name: str) -> AbstractAsyncContextManager[tuple[Platform, Any, MutatingPool]]:
    case = next(case for case in CASES if case.name == name)

    @asynccontextmanager
    async def run() -> AsyncIterator[tuple[Platform, Any, MutatingPool]]:
        entry: Entry | None = case.entry
        assert entry is not None
        async with REPLAYS[name]() as replay:
            clock = manual_clock()
            pool = MutatingPool(name, total_timeout=5.0, clock=clock)
            try:
                yield entry.make(pool, CampaignConfig(offline=False, **case.settings(replay.url)), clock), replay, pool
            finally:
                await pool.close()

    return run()


@pytest.mark.parametrize("name", NAMES)
async def test_whatever_a_platform_answers_is_a_result_or_a_typed_error(name: str) -> None:
    """Mutated answers of every call: no other exception, and no secret in what is raised."""
    launch = launched()
    raised: list[PipelineError] = []
    async with staged(name) as (platform, _, pool):
        done = await made(platform, launch)
        for seed in range(ROUNDS):
            pool.dice = random.Random(seed)
            for step in platform.steps(launch):
                for call in (
                    platform.find(launch, step, done),
                    platform.perform(launch, step, done),
                    platform.switch(launch, done, on=seed % 2 == 0),
                    platform.spent_micros(launch, done),
                ):
                    try:
                        await call
                    except PipelineError as error:
                        raised.append(error)
    told = json.dumps([error.to_json() for error in raised])
    assert raised
    assert not any(secret in told for secret in SECRETS)


@pytest.mark.parametrize(("name", "kinds"), [("google_ads", ["campaigns"]), ("fly", ["apps", "machines"])])
async def test_two_who_set_up_at_once_make_one(name: str, kinds: list[str]) -> None:
    """Where names are unique, the one who comes second takes what the first one made."""
    launch = launched()
    async with staged(name) as (platform, replay, _):
        effects: dict[str, str] = {}
        for step in platform.steps(launch):
            if step.name and not step.key.startswith("fly/ip"):
                first, second = await asyncio.gather(
                    platform.perform(launch, step, Done(dict(effects))),
                    platform.perform(launch, step, Done(dict(effects))),
                )
                assert first.external_id == second.external_id
                effects[step.key] = first.external_id
        assert [replay.made[kind] for kind in kinds] == [1] * len(kinds)
