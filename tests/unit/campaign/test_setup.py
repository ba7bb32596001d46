"""A campaign on several platforms: in parallel, resumed, switched in order, ended, its spend read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import date
from pathlib import Path

import pytest

from chassis.database import Database
from chassis.testing import ManualClock, until
from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2, errors_pb2
from services.campaign.domain.counts import Counts, DayCount
from services.campaign.live.setup import Launches, Setup
from services.campaign.providers.base import CampaignPlatforms, Done, Launch, Step
from services.campaign.providers.fake import FakePlatform
from services.campaign.store.effects import EffectStore
from tests.support.platforms import CAMPAIGN, SkippingClock, a_launch, a_setup, campaign_store

RUNNING = campaign_pb2.PLATFORM_STATE_RUNNING
PAUSED = campaign_pb2.PLATFORM_STATE_PAUSED
FAILED = campaign_pb2.PLATFORM_STATE_FAILED
UNDONE = campaign_pb2.PLATFORM_STATE_UNDONE
COMPLETED = campaign_pb2.PLATFORM_STATE_COMPLETED


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with campaign_store(tmp_path / "campaigns.db", CAMPAIGN) as opened:
        yield opened


def on(*platforms: FakePlatform) -> Launches:
    return [(platform.name, a_launch()) for platform in platforms]


def states(setups: list[campaign_pb2.PlatformSetup]) -> dict[str, campaign_pb2.PlatformState.ValueType]:
    return {setup.platform: setup.state for setup in setups}


async def test_platforms_are_set_up_at_the_same_time(database: Database) -> None:
    """Each is under way before any is done."""
    meeting = asyncio.Barrier(3)

    class Meeting(FakePlatform):
        async def find(self, launch: Launch, step: object, done: Done) -> None:
            raise AssertionError("nothing was sent before")

        async def perform(self, launch, step, done):  # type: ignore[no-untyped-def]
            await meeting.wait()
            return await super().perform(launch, step, done)

    platforms = [Meeting(name, things=("ad",)) for name in ("one", "two", "three")]
    made = await a_setup(database, SkippingClock(), *platforms).set_up(on(*platforms))
    assert set(states(made).values()) == {PAUSED}


async def test_one_that_is_refused_stops_no_other(database: Database) -> None:
    """It says why; the others stand; published again, it alone is gone on with."""
    bad, good = FakePlatform("bad"), FakePlatform("good")
    bad.fail("401")
    setup = a_setup(database, SkippingClock(), bad, good)
    assert states(await setup.set_up(on(bad, good))) == {"bad": FAILED, "good": PAUSED}
    asked = len(good.asked)
    assert states(await setup.set_up(on(bad, good))) == {"bad": PAUSED, "good": PAUSED}
    assert len(good.asked) == asked
    assert set(bad.made.values()) == {1}


async def test_a_defect_in_an_adapter_is_a_failure_of_its_platform(database: Database) -> None:
    """An answer that nobody thought of fails that platform with a typed reason, and shows nothing of it."""

    class Broken(FakePlatform):
        async def perform(self, launch, step, done):  # type: ignore[no-untyped-def]
            raise KeyError("secret-1")

    broken, good = Broken("broken"), FakePlatform("good")
    made = await a_setup(database, SkippingClock(), broken, good).set_up(on(broken, good))
    assert states(made) == {"broken": FAILED, "good": PAUSED}
    assert "secret-1" not in str(made)


async def test_a_launch_that_a_platform_cannot_take_is_told(database: Database) -> None:
    """An address or a budget that makes no steps there: failed with the field, and nothing sent."""

    class Picky(FakePlatform):
        def steps(self, launch: Launch) -> Sequence[Step]:
            raise PipelineError.invalid("origin_url", "is no public address")

    picky, good = Picky("picky"), FakePlatform("good")
    setup = a_setup(database, SkippingClock(), picky, good)
    made = {found.platform: found for found in await setup.set_up(on(picky, good))}
    assert made["picky"].state == FAILED
    assert "origin_url" in made["picky"].detail
    assert made["good"].state == PAUSED
    (shown,) = await setup.dry_run(on(picky))
    assert "origin_url" in shown.detail


async def test_later_steps_get_what_earlier_ones_made(database: Database) -> None:
    """Also when the earlier ones are of an earlier publication."""
    seen: list[dict[str, str]] = []

    class Looking(FakePlatform):
        async def perform(self, launch, step, done):  # type: ignore[no-untyped-def]
            seen.append(dict(done.effects))
            return await super().perform(launch, step, done)

    platform = Looking("p")
    platform.fail("reset", "401")
    setup = a_setup(database, SkippingClock(), platform)
    assert states(await setup.set_up(on(platform)))["p"] == FAILED
    await setup.set_up(on(platform))
    assert seen[-1] == {"p/account": "p/account-1"}


async def test_nothing_that_costs_runs_before_everything_else_does(database: Database) -> None:
    """The page's host comes first; where it refuses, ads stay off and the error says so."""
    ads, host = FakePlatform("ads", spends=True), FakePlatform("host")
    setup = a_setup(database, SkippingClock(), ads, host)
    await setup.set_up(on(ads, host))
    host.fail("401")
    with pytest.raises(PipelineError, match="host refused"):
        await setup.switch(on(ads, host), on=True)
    assert ads.running == set()
    assert states(await setup.switch(on(ads, host), on=True)) == {"ads": RUNNING, "host": RUNNING}
    assert ads.running == {CAMPAIGN}


async def test_holding_tries_every_platform_before_it_complains(database: Database) -> None:
    """One that does not answer keeps no other running, and counts as running itself."""
    one, two = FakePlatform("one", spends=True), FakePlatform("two", spends=True)
    setup = a_setup(database, SkippingClock(), one, two)
    await setup.set_up(on(one, two))
    await setup.switch(on(one, two), on=True)
    one.fail(*["503"] * 5)
    with pytest.raises(PipelineError, match="one answered 503"):
        await setup.switch(on(one, two), on=False)
    assert two.running == set()
    assert states(await setup.setups(CAMPAIGN)) == {"one": RUNNING, "two": PAUSED}


async def test_a_switch_whose_reply_was_lost_counts_as_on(database: Database) -> None:
    """A platform counts as running before the request that switches it on leaves."""
    ads = FakePlatform("ads", spends=True)
    setup = a_setup(database, SkippingClock(), ads)
    await setup.set_up(on(ads))
    ads.fail("lost", "401")
    with pytest.raises(PipelineError):
        await setup.switch(on(ads), on=True)
    assert ads.running == {CAMPAIGN}
    assert states(await setup.setups(CAMPAIGN)) == {"ads": RUNNING}


async def test_what_is_not_set_up_cannot_run_and_has_nothing_to_hold(database: Database) -> None:
    """Switching it on is refused with the mend; holding it is done already."""
    ads = FakePlatform("ads", spends=True)
    ads.fail("401")
    setup = a_setup(database, SkippingClock(), ads)
    await setup.set_up(on(ads))
    with pytest.raises(PipelineError) as caught:
        await setup.switch(on(ads), on=True)
    assert caught.value.reason == errors_pb2.ERROR_REASON_CAMPAIGN_STATE
    assert states(await setup.switch(on(ads), on=False)) == {"ads": FAILED}


async def test_the_end_holds_what_ran_and_takes_back_what_never_did(database: Database) -> None:
    """What stands for good is held; a half-finished set-up is taken back."""
    ran, half = FakePlatform("ran", spends=True), FakePlatform("half")
    setup = a_setup(database, SkippingClock(), ran, half)
    await setup.set_up(on(ran))
    await setup.switch(on(ran), on=True)
    half.fail("lost", "401")  # its first step is made, the second is refused
    await setup.set_up(on(half))
    assert len(half.things) == 1
    assert states(await setup.end(on(ran, half))) == {"ran": COMPLETED, "half": UNDONE}
    assert ran.running == set()
    assert len(ran.things) == 2
    assert half.things == []


async def test_an_undo_that_was_refused_is_gone_on_with(database: Database) -> None:
    """What could not be taken back stays recorded as done; the last thing goes first."""
    platform = FakePlatform("p")
    setup = a_setup(database, SkippingClock(), platform)
    await setup.set_up(on(platform))
    platform.fail("401")
    (made,) = await setup.undo(on(platform))
    assert "credentials" in made.detail
    assert {step.state for step in made.steps} == {campaign_pb2.SETUP_STEP_STATE_DONE}
    platform.asked.clear()
    platform.fail("503", "lost")
    assert states(await setup.undo(on(platform))) == {"p": UNDONE}
    assert platform.asked == ["undo p/ad"] * 3 + ["undo p/account"]
    assert platform.things == []


async def test_spend_is_what_the_platforms_say_and_stays_where_one_does_not(database: Database) -> None:
    """A platform that does not answer keeps its last figure with its time; the caller is told which and why."""
    clock = SkippingClock()
    one, two, free = FakePlatform("one", spends=True), FakePlatform("two", spends=True), FakePlatform("free")
    setup = a_setup(database, clock, one, two, free)
    await setup.set_up(on(one, two, free))
    one.spent[CAMPAIGN], two.spent[CAMPAIGN] = 1_500_000, 2_000_000
    assert await setup.read_spend(on(one, two, free)) == []
    clock.advance(3_600)
    one.spent[CAMPAIGN] = 1_700_000
    two.fail("503")
    assert await setup.read_spend(on(one, two, free)) == ["two: two answered 503"]
    after = {setup.platform: setup for setup in await setup.setups(CAMPAIGN)}
    assert {name: found.spent_micros for name, found in after.items()} == {
        "one": 1_700_000,
        "two": 2_000_000,
        "free": 0,
    }
    assert after["one"].spend_read_at.seconds - after["two"].spend_read_at.seconds == 3_600
    assert not after["free"].HasField("spend_read_at")
    assert "spend" not in free.asked


async def test_a_dry_run_shows_platforms_that_are_not_configured(database: Database) -> None:
    """With their requests, the reason and what to do by hand; setting them up is refused with it."""
    draft = FakePlatform("draft")
    platforms = CampaignPlatforms((), (("draft", "PIPELINE_X is empty. By hand: import campaign/ads.csv"),), (draft,))
    setup = Setup(platforms, EffectStore(database, ManualClock()), ManualClock())
    (shown,) = await setup.dry_run(on(draft))
    assert shown.state == campaign_pb2.PLATFORM_STATE_NOT_CONFIGURED
    assert "campaign/ads.csv" in shown.detail
    assert [step.request.method for step in shown.steps] == ["POST", "POST"]
    assert "{draft/account}" in shown.steps[1].request.body
    assert draft.asked == []
    with pytest.raises(PipelineError, match="PIPELINE_X is empty"):
        await setup.set_up(on(draft))


async def test_a_dry_run_of_a_published_campaign_shows_what_exists(database: Database) -> None:
    """Ids that are known stand in the requests."""
    platform = FakePlatform("p")
    setup = a_setup(database, SkippingClock(), platform)
    await setup.set_up(on(platform))
    (shown,) = await setup.dry_run(on(platform))
    assert "p/account-1" in shown.steps[1].request.body
    assert shown.steps[0].external_id == "p/account-1"


async def test_a_name_that_is_no_platform_is_refused(database: Database) -> None:
    """With the names that are."""
    setup = a_setup(database, ManualClock(), FakePlatform("p"))
    with pytest.raises(PipelineError, match="choose from p"):
        await setup.set_up([("bing", a_launch())])
    with pytest.raises(PipelineError, match="choose from p"):
        await setup.dry_run([("bing", a_launch())])


async def test_counts_are_told_to_platforms_that_take_them(database: Database) -> None:
    """Others are left alone; one that fails is named."""
    told: list[Counts] = []

    class Telling(FakePlatform):
        async def tell(self, launch: Launch, counts: Counts) -> None:
            if self.name == "broken":
                raise self._failed("answered 503", "status", status="503")
            told.append(counts)

    platforms = [Telling("telling"), Telling("broken"), FakePlatform("deaf")]
    counts = Counts([DayCount(date(2026, 11, 1), "a", 10, 2)])
    setup = a_setup(database, ManualClock(), *platforms)
    assert await setup.tell_counts(on(*platforms), counts) == ["broken: broken answered 503"]
    assert told == [counts]


async def test_of_two_claims_of_one_step_one_wins(database: Database) -> None:
    """Who has seen an older state is refused and sends nothing."""
    store = EffectStore(database, ManualClock())
    platform = FakePlatform("p")
    await store.plan(CAMPAIGN, "p", platform.steps(a_launch()))
    seen = await store.step(CAMPAIGN, "p/account")
    await store.claim(CAMPAIGN, seen)
    with pytest.raises(PipelineError) as caught:
        await store.claim(CAMPAIGN, seen)
    assert caught.value.reason == errors_pb2.ERROR_REASON_REQUEST_IN_FLIGHT
    assert (await store.step(CAMPAIGN, "p/account")).attempts == 1


async def test_a_store_that_fails_is_raised_and_nothing_is_sent(tmp_path: Path) -> None:
    """No request leaves that could not be recorded before."""
    platform = FakePlatform("p")
    async with campaign_store(tmp_path / "c.db", CAMPAIGN) as database:
        setup = a_setup(database, SkippingClock(), platform)
    with pytest.raises(PipelineError) as caught:
        await setup.set_up(on(platform))
    assert caught.value.reason == errors_pb2.ERROR_REASON_STORAGE_UNAVAILABLE
    assert platform.asked == []


async def test_a_step_is_on_the_disk_as_sent_before_its_request_leaves(database: Database) -> None:
    """Seen from the request itself."""
    seen: list[int] = []
    store = EffectStore(database, SkippingClock())

    class Looking(FakePlatform):
        async def perform(self, launch, step, done):  # type: ignore[no-untyped-def]
            seen.append((await store.step(launch.campaign_id, step.key)).state)
            return await super().perform(launch, step, done)

    platform = Looking("p")
    await a_setup(database, SkippingClock(), platform).set_up(on(platform))
    assert seen == [campaign_pb2.SETUP_STEP_STATE_SENT] * 2


async def test_campaigns_do_not_wait_for_each_other(tmp_path: Path) -> None:
    """The lock is the campaign's."""
    meeting = asyncio.Barrier(2)

    class Meeting(FakePlatform):
        async def perform(self, launch, step, done):  # type: ignore[no-untyped-def]
            await meeting.wait()
            return await super().perform(launch, step, done)

    platform = Meeting("p", things=("ad",))
    async with campaign_store(tmp_path / "c.db", CAMPAIGN, "other") as database:
        setup = a_setup(database, SkippingClock(), platform)
        both = [asyncio.create_task(setup.set_up([("p", a_launch(name))])) for name in (CAMPAIGN, "other")]
        await until(lambda: all(task.done() for task in both))
    assert platform.made["p/ad"] == 2
