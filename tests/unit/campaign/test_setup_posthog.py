"""What PostHog is told of a campaign: its life and the counts of whole days, once each."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, cast

import pytest
from aiohttp import web

from bench.replay.platforms.posthog import KEY, PostHogReplay
from pipeline.errors import PipelineError
from services.campaign.domain.counts import Counts, DayCount
from services.campaign.providers.base import Done
from services.campaign.providers.posthog import PostHog
from tests.support.platforms import CASES, SkippingClock, a_launch, on_stage

CASE = next(case for case in CASES if case.name == "posthog")
# Of the manual clock: 1 January 2026.
TODAY = date(2026, 1, 1)
SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "api-samples" / "posthog"


class Scene(NamedTuple):
    platform: PostHog
    replay: PostHogReplay
    clock: SkippingClock


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    clock = SkippingClock()
    async with on_stage(CASE, clock) as (platform, stage):
        yield Scene(cast(PostHog, platform), cast(PostHogReplay, stage), clock)


def counts(*days: tuple[int, str, int, int]) -> Counts:
    """(days ago, variant, visitors, sign-ups)."""
    return Counts([DayCount(TODAY - timedelta(days=ago), v, n, s, views=n + 1) for ago, v, n, s in days])


async def test_the_counts_of_whole_days_can_be_read_back(scene: Scene) -> None:
    """Today is not over and is not told."""
    await scene.platform.tell(a_launch(), counts((2, "a", 10, 2), (2, "b", 12, 1), (0, "a", 5, 0)))
    assert await scene.platform.told(a_launch()) == {("2025-12-30", "a"): (10, 2, 11), ("2025-12-30", "b"): (12, 1, 13)}
    assert await scene.platform.told(a_launch("another")) == {}


async def test_telling_again_sends_nothing_and_news_alone_are_sent(scene: Scene) -> None:
    """A late sign-up is news of its day."""
    await scene.platform.tell(a_launch(), counts((2, "a", 10, 2), (1, "a", 7, 0)))
    sent = len([asked for asked in scene.replay.asked if asked.path == "/batch/"])
    await scene.platform.tell(a_launch(), counts((2, "a", 10, 2), (1, "a", 7, 0)))
    assert len([asked for asked in scene.replay.asked if asked.path == "/batch/"]) == sent
    await scene.platform.tell(a_launch(), counts((2, "a", 10, 3), (1, "a", 7, 0)))
    assert scene.replay.made["event smoke_test_day"] == 3
    assert (await scene.platform.told(a_launch()))[("2025-12-30", "a")] == (10, 3, 11)


async def test_a_batch_whose_reply_was_lost_is_there_once(scene: Scene) -> None:
    """It is asked for before it is sent again."""
    scene.replay.fail("lost")
    with pytest.raises(PipelineError):
        await scene.platform.tell(a_launch(), counts((1, "a", 7, 0)))
    await scene.platform.tell(a_launch(), counts((1, "a", 7, 0)))
    assert scene.replay.made["event smoke_test_day"] == 1


async def test_a_switch_whose_reply_was_lost_is_told_once(scene: Scene) -> None:
    """It is sent again under the same uuid, which is made from what it says."""
    scene.replay.fail("lost")
    with pytest.raises(PipelineError):
        await scene.platform.switch(a_launch(), Done(), on=True)
    await scene.platform.switch(a_launch(), Done(), on=True)
    assert scene.replay.made == {"event smoke_test_running": 1}


async def test_events_say_nothing_about_anybody(scene: Scene) -> None:
    """No person is made of a campaign; the project token is in the body, as the API wants it, and nowhere else."""
    await scene.platform.tell(a_launch(), counts((1, "a", 7, 0)))
    await scene.platform.switch(a_launch(), Done(), on=True)
    for event in scene.replay.events.values():
        properties = event["properties"]
        assert properties["$process_person_profile"] is False
        assert properties["distinct_id"] == "campaign:01j9x7k3-food"
        assert set(properties) <= {
            *("distinct_id", "$process_person_profile", "campaign", "day", "variant", "visitors", "signups", "views")
        }
        assert datetime.fromisoformat(event["timestamp"]).tzinfo is not None
    assert all(KEY not in str(asked.headers) + asked.path for asked in scene.replay.asked)


async def test_switching_is_told_once_a_day_and_kind(scene: Scene) -> None:
    """However often it is repeated."""
    for on in (True, True, False, False, True):
        await scene.platform.switch(a_launch(), Done(), on=on)
    assert scene.replay.made == {"event smoke_test_running": 1, "event smoke_test_paused": 1}
    scene.clock.advance(86_400)
    await scene.platform.switch(a_launch(), Done(), on=True)
    assert scene.replay.made["event smoke_test_running"] == 2


async def test_the_annotation_stands_at_the_publication(scene: Scene) -> None:
    """The same moment in every try."""
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    launch = a_launch(starts_at=at)
    await scene.platform.perform(launch, scene.platform.steps(launch)[0], Done())
    (annotation,) = scene.replay.standing()
    assert datetime.fromisoformat(annotation["date_marker"]) == at
    assert launch.campaign_id in annotation["content"]


async def answered(body: object, status: int = 200) -> tuple[PipelineError, PostHogReplay]:
    """The error that this answer to the query leads to, and what was told nevertheless."""

    class Odd(PostHogReplay):
        async def _query(self, request: web.Request) -> web.Response:
            return web.json_response(body, status=status)

    case = dataclasses.replace(CASE, replay=Odd)
    async with on_stage(case, SkippingClock()) as (platform, stage):
        with pytest.raises(PipelineError) as caught:
            await cast(PostHog, platform).tell(a_launch(), counts((1, "a", 7, 0)))
    return caught.value, stage


@pytest.mark.parametrize(
    "body",
    [
        {"query_status": {"id": "2f", "complete": False}},
        {"results": [["2025-12-30"]]},
        {"results": [["2025-12-30", "a", None, 1, 1]]},
        {"results": None},
        [],
    ],
)
async def test_an_answer_that_is_no_counts_is_an_error(body: object) -> None:
    """A query that runs on, and whatever else was not asked for; nothing is told on such a ground."""
    error, replay = await answered(body)
    assert error.metadata["cause"] == "malformed"
    assert replay.events == {}


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="needs shared/api-samples beside the repository")
async def test_recorded_samples_are_read_as_what_they_are() -> None:
    """The recorded 500 is an upstream that is unwell; the vendor's unfinished query holds no results."""
    unwell, _ = await answered(json.loads((SAMPLES / "error_query_500.json").read_bytes()), 500)
    assert (unwell.metadata["status"], unwell.metadata["code"]) == ("500", "error")
    unfinished, _ = await answered(json.loads((SAMPLES / "query_async_status.vendor_example.json").read_bytes()))
    assert unfinished.metadata["cause"] == "malformed"
