"""A set-up that ends in its middle, is begun twice, or meets bad weather: each effect happens once."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path
from typing import Any

import pytest

from chassis.clock import Clock
from chassis.database import Database
from chassis.testing import ManualClock, until
from pipeline.v1 import campaign_pb2
from services.campaign.live.setup import Setup
from services.campaign.providers.base import CampaignPlatforms, Done, Effect, Launch, Platform, Step
from services.campaign.providers.fake import FakePlatform
from services.campaign.store.effects import EffectStore
from tests.support.platforms import CAMPAIGN, CASES, Case, SkippingClock, a_launch, a_setup, campaign_store, on_stage

PAUSED = campaign_pb2.PLATFORM_STATE_PAUSED
SENT = campaign_pb2.SETUP_STEP_STATE_SENT
WEATHER = ("429", "503", "reset", "lost", "500_after")

# Those whose requests leave the process.
REPLAYED = [case for case in CASES if case.replay is not None]


class KilledError(BaseException):
    """The process ends here."""


class DyingStore(EffectStore):
    """Ends the process instead of recording the `last`th effect, which has happened."""

    def __init__(self, database: Database, clock: Clock, last: int) -> None:
        super().__init__(database, clock)
        self._left = last

    async def keep_step(self, campaign_id: str, key: str, state: Any, **more: Any) -> None:
        if state == campaign_pb2.SETUP_STEP_STATE_DONE:
            self._left -= 1
            if self._left == 0:
                raise KilledError
        await super().keep_step(campaign_id, key, state, **more)


class GatedPlatform(FakePlatform):
    """Waits in the middle of each request until the gate opens."""

    def __init__(self) -> None:
        super().__init__(things=("ad",))
        self.gate = asyncio.Event()
        self.waiting = 0

    async def perform(self, launch: Launch, step: Step, done: Done) -> Effect:
        self.waiting += 1
        await self.gate.wait()
        return await super().perform(launch, step, done)


def dying(database: Database, clock: Clock, platform: Platform, last: int) -> Setup:
    return Setup(CampaignPlatforms((platform,)), DyingStore(database, clock, last), clock)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_killed_between_an_effect_and_its_record_the_next_process_finds_it(case: Case, tmp_path: Path) -> None:
    """Whichever step it was: the record says sent, the platform is asked, and nothing is made again."""
    clock, launch, last, steps = SkippingClock(), a_launch(), 0, 1
    while last < steps:
        last += 1
        path = tmp_path / f"{last}.db"
        async with on_stage(case, clock) as (platform, stage):
            steps = len(platform.steps(launch))
            async with campaign_store(path, CAMPAIGN) as database:
                with pytest.raises(KilledError):
                    await dying(database, clock, platform, last).set_up([(case.name, launch)])
                stored = await EffectStore(database, clock).steps(CAMPAIGN, case.name)
                assert stored[last - 1].state == SENT
            async with campaign_store(path) as database:
                (setup,) = await a_setup(database, clock, platform).set_up([(case.name, launch)])
        assert setup.state == PAUSED, setup.detail
        assert dict(stage.made) == dict(case.made)
        assert setup.steps[last - 1].attempts == 1
        assert "found" in setup.steps[last - 1].detail


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_killed_between_an_effect_and_its_record_it_can_be_taken_back(case: Case, tmp_path: Path) -> None:
    """Undo looks for a step of unknown outcome before it counts as not there."""
    clock, launch = SkippingClock(), a_launch()
    async with on_stage(case, clock) as (platform, stage):
        async with campaign_store(tmp_path / "campaigns.db", CAMPAIGN) as database:
            with pytest.raises(KilledError):
                await dying(database, clock, platform, 1).set_up([(case.name, launch)])
            (setup,) = await a_setup(database, clock, platform).undo([(case.name, launch)])
        assert setup.state == campaign_pb2.PLATFORM_STATE_UNDONE, setup.detail
        assert case.standing(stage) == 0


@pytest.mark.parametrize("case", REPLAYED, ids=lambda case: case.name)
async def test_kill_9_while_the_answer_is_on_its_way(case: Case, tmp_path: Path) -> None:
    """A real process, killed after its first effect and before the answer: the next one makes the rest, once."""
    path, clock, launch = tmp_path / "campaigns.db", SkippingClock(), a_launch()
    async with on_stage(case, clock) as (platform, stage):
        stage.fail("held")
        command = [sys.executable, "-m", "tests.support.publish_child", str(path), case.name, stage.url]
        child = await asyncio.create_subprocess_exec(*command)
        try:
            await until(lambda: sum(stage.made.values()) == 1, seconds=60)
        finally:
            child.kill()
            await child.wait()
        clock.advance(366 * 86_400)  # the child's records are of today: they are old by now
        async with campaign_store(path) as database:
            (setup,) = await a_setup(database, clock, platform).set_up([(case.name, launch)])
    assert setup.state == PAUSED, setup.detail
    assert dict(stage.made) == dict(case.made)
    assert setup.steps[0].attempts == 1


async def test_a_cancelled_publication_is_gone_on_with_once_its_request_is_over(tmp_path: Path) -> None:
    """What was sent a moment ago may still arrive: it is waited for before the platform is asked."""
    clock, platform, launch = ManualClock(), GatedPlatform(), a_launch()
    async with campaign_store(tmp_path / "campaigns.db", CAMPAIGN) as database:
        setup = a_setup(database, clock, platform)
        first = asyncio.create_task(setup.set_up([("fake", launch)]))
        await until(lambda: platform.waiting == 1)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        platform.gate.set()
        second = asyncio.create_task(setup.set_up([("fake", launch)]))
        await until(lambda: clock.sleepers == 1)
        assert platform.waiting == 1
        while not second.done():
            clock.advance(1.0)
            await until(lambda: clock.sleepers == 1 or second.done())
        (made,) = await second
    assert clock.monotonic() >= 29
    assert made.state == PAUSED
    assert sum(platform.made.values()) == 1


async def test_two_publications_at_once_in_one_process_make_one_set_up(tmp_path: Path) -> None:
    """The second waits for the first and finds everything done."""
    platform, launch = GatedPlatform(), a_launch()
    async with campaign_store(tmp_path / "campaigns.db", CAMPAIGN) as database:
        setup = a_setup(database, ManualClock(), platform)
        both = [asyncio.create_task(setup.set_up([("fake", launch)])) for _ in range(2)]
        await until(lambda: platform.waiting == 1)
        platform.gate.set()
        for (made,) in await asyncio.gather(*both):
            assert made.state == PAUSED
    assert sum(platform.made.values()) == 1


async def test_two_processes_at_once_make_one_set_up(tmp_path: Path) -> None:
    """The second sees the first one's claim, waits, and takes what came of it."""
    clock, platform, launch = ManualClock(), GatedPlatform(), a_launch()
    path = tmp_path / "campaigns.db"
    async with campaign_store(path, CAMPAIGN) as one, campaign_store(path) as other:
        first = asyncio.create_task(a_setup(one, clock, platform).set_up([("fake", launch)]))
        await until(lambda: platform.waiting == 1)
        second = asyncio.create_task(a_setup(other, clock, platform).set_up([("fake", launch)]))
        await until(lambda: clock.sleepers == 1)
        platform.gate.set()
        await first
        clock.advance(1.0)
        (made,) = await second
    assert made.state == PAUSED
    assert sum(platform.made.values()) == 1


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("case", REPLAYED, ids=lambda case: case.name)
async def test_whatever_the_weather_each_thing_is_there_once(case: Case, seed: int, tmp_path: Path) -> None:
    """Random faults before and after effects, a death in between: published until it stands, it is there once."""
    rng, clock, launch = random.Random(seed), SkippingClock(), a_launch()
    async with (
        on_stage(case, clock) as (platform, stage),
        campaign_store(tmp_path / "campaigns.db", CAMPAIGN) as database,
    ):
        for number in range(12):
            stage.fail(*rng.choices(WEATHER, k=rng.randrange(4)))
            setup = dying(database, clock, platform, 1) if number == 0 else a_setup(database, clock, platform)
            try:
                (made,) = await setup.set_up([(case.name, launch)])
            except KilledError:
                continue
            clock.advance(600)  # a breaker that opened has rested
            if made.state == PAUSED:
                break
    assert made.state == PAUSED, made.detail
    assert dict(stage.made) == dict(case.made)
