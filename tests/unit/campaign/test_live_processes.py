"""Two processes over one store of campaigns, and a campaign whose money may not be spent any more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2
from services.campaign.domain.status import COMPLETED, FAILED, PAUSED
from services.campaign.live.watch import CampaignWatch
from tests.support.live_campaigns import NAME, Kit, live_kit

BUDGET = 25_000_000
RAN = campaign_pb2.PLATFORM_STATE_RUNNING


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[tuple[Kit, Kit]]:
    """A drafted campaign in two processes: one store, the same platforms."""
    async with live_kit(tmp_path, "google_ads") as one, live_kit(tmp_path, shared=one.platforms) as other:
        await one.draft()
        yield one, other


@pytest.mark.parametrize(("step", "status"), [("complete", COMPLETED), ("pause", PAUSED)])
async def test_ads_stay_off_where_another_process_stopped_the_campaign_meanwhile(
    both: tuple[Kit, Kit], step: str, status: int
) -> None:
    """Publishing takes minutes: whoever ends or pauses the campaign in that time has no ad running afterwards."""
    one, other = both
    _before_on(one, getattr(other.live, step))
    campaign = await one.live.publish(NAME)
    assert campaign.status == status
    assert RAN not in one.platforms.states.values()


async def test_ads_stay_off_where_the_campaign_is_ended_while_it_is_resumed(both: tuple[Kit, Kit]) -> None:
    """The same between resuming and completing."""
    one, other = both
    await one.live.publish(NAME)
    await one.live.pause(NAME)
    _before_on(one, other.live.complete)
    assert (await one.live.resume(NAME)).status == COMPLETED
    assert RAN not in one.platforms.states.values()


async def test_a_pause_holds_ads_that_another_process_switched_on_behind_it(both: tuple[Kit, Kit]) -> None:
    """Between the ads held and the status written, another process publishes again: the ads are held once more."""
    one, other = both
    await one.live.publish(NAME)
    hold = one.platforms.switch

    async def then_published(launches: Sequence[Any], *, on: bool) -> Any:
        one.platforms.switch = hold  # type: ignore[method-assign]
        made = await hold(launches, on=on)
        await other.live.publish(NAME)
        return made

    one.platforms.switch = then_published  # type: ignore[method-assign]
    assert (await one.live.pause(NAME)).status == PAUSED
    assert RAN not in one.platforms.states.values()


async def test_a_decision_stands_against_a_reading_that_began_before_it(both: tuple[Kit, Kit]) -> None:
    """The slower of two readers keeps and returns the decision that the other has taken; so does completing."""
    one, other = both
    await one.live.publish(NAME)
    go = campaign_pb2.CampaignReading(decision=campaign_pb2.CAMPAIGN_DECISION_GO, rule="sequential_go", is_final=True)
    tell = one.platforms.tell_counts

    async def slowly(launches: Any, counts: Any) -> list[str]:
        one.platforms.tell_counts = tell  # type: ignore[method-assign]
        other.decision.CopyFrom(go)
        await other.live.read(NAME)
        return []

    one.platforms.tell_counts = slowly  # type: ignore[method-assign]
    _, reading = await one.live.read(NAME)
    assert (reading.rule, reading.is_final) == ("sequential_go", True)
    _, last = await one.live.complete(NAME)
    assert (last.rule, last.decision) == ("sequential_go", go.decision)


async def test_the_last_reading_stands_against_a_reading_that_began_before_it(both: tuple[Kit, Kit]) -> None:
    """A look that was under way when the campaign was completed returns what it was completed with."""
    one, other = both
    await one.live.publish(NAME)
    tell = one.platforms.tell_counts

    async def slowly(launches: Any, counts: Any) -> list[str]:
        one.platforms.tell_counts = tell  # type: ignore[method-assign]
        one.clock.advance(60)
        other.decision.rule = "ended_early"
        await other.live.complete(NAME)
        return []

    one.platforms.tell_counts = slowly  # type: ignore[method-assign]
    assert (await one.live.read(NAME))[1].rule == "ended_early"


async def test_a_campaign_whose_money_is_spent_is_not_published_again(both: tuple[Kit, Kit]) -> None:
    """A set-up that failed half-way is gone on with only as long as money is left."""
    kit, _ = both
    await kit.live.publish(NAME)
    kit.platforms.spent["google_ads"] = BUDGET
    kit.platforms.broken.add("switch_on")
    with pytest.raises(PipelineError, match="cannot be published again: the platforms report"):
        await kit.live.publish(NAME)
    kit.platforms.spent["google_ads"] = 0
    assert (await kit.live.publish(NAME)).status == FAILED
    kit.platforms.broken.clear()
    kit.platforms.spent["google_ads"] = BUDGET
    with pytest.raises(PipelineError, match="complete it"):
        await kit.live.publish(NAME)


async def test_the_watch_survives_a_defect_of_the_store(both: tuple[Kit, Kit]) -> None:
    """What nobody foresaw ends one look and not the watch; people who cannot be forgotten keep no spend unread."""
    kit, _ = both
    await kit.live.publish(NAME)
    watch = CampaignWatch(kit.live, kit.clock, seconds=600)
    running = kit.store.running

    async def broken() -> list[str]:
        raise RuntimeError("a defect")

    kit.store.running = broken  # type: ignore[method-assign]
    await watch.look()
    kit.store.running = running  # type: ignore[method-assign]
    kit.live.forget_people = broken  # type: ignore[method-assign, assignment]
    await watch.look()
    assert (await kit.live.store.get(NAME.split("/")[1])).reading is not None


def _before_on(kit: Kit, step: Any) -> None:
    """Let `step` happen elsewhere just before the ads are switched on."""
    switch = kit.platforms.switch

    async def after_step(launches: Sequence[Any], *, on: bool) -> Any:
        kit.platforms.switch = switch  # type: ignore[method-assign]
        await step(NAME)
        return await switch(launches, on=on)

    kit.platforms.switch = after_step  # type: ignore[method-assign]
