"""Every platform against its replay: what each promises whatever becomes of its requests. One line a platform.

The effect is counted where it happens. A fault is met by each request with an effect in turn: what a retry does not
send again does not use one up, so that as many faults as there are steps meet one step each.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from chassis.database import Database
from pipeline.v1 import campaign_pb2
from pipeline.v1.campaign_pb2 import PlatformSetup
from services.campaign.domain.setup_steps import TRIES_MAX
from services.campaign.live.setup import Setup
from services.campaign.providers.base import Done, Launch, Platform
from tests.support.platforms import CAMPAIGN, CASES, Case, SkippingClock, a_launch, a_setup, campaign_store, on_stage

DONE = campaign_pb2.SETUP_STEP_STATE_DONE
OTHER = "01j9x7k4-other"


class Scene(NamedTuple):
    """A platform on its stage and a set-up that uses it."""

    case: Case
    platform: Platform
    stage: Any
    setup: Setup
    clock: SkippingClock
    database: Database
    launch: Launch

    async def publish(self, launch: Launch | None = None) -> PlatformSetup:
        (made,) = await self.setup.set_up([(self.platform.name, launch or self.launch)])
        return made

    @property
    def writes(self) -> int:
        """Requests with an effect that a set-up takes."""
        return self.case.writes or sum(self.case.made.values())


@pytest.fixture(params=CASES, ids=lambda case: case.name)
async def scene(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Scene]:
    case: Case = request.param
    clock = SkippingClock()
    async with (
        campaign_store(tmp_path / "campaigns.db", CAMPAIGN, OTHER) as database,
        on_stage(case, clock) as (platform, stage),
    ):
        setup = a_setup(database, clock, platform)
        yield Scene(case, platform, stage, setup, clock, database, a_launch())


def complete(scene: Scene, setup: PlatformSetup) -> None:
    """Everything is there, once, and known by its id."""
    assert setup.state == campaign_pb2.PLATFORM_STATE_PAUSED, setup.detail
    assert {step.state for step in setup.steps} == {DONE}
    assert all(step.external_id for step in setup.steps)
    assert dict(scene.stage.made) == dict(scene.case.made)


async def test_a_set_up_makes_each_thing_once_and_nothing_runs(scene: Scene) -> None:
    """The happy path: every step done with the platform's id, one request each, switched off."""
    made = await scene.publish()
    complete(scene, made)
    assert [step.attempts for step in made.steps] == [1] * len(made.steps)
    assert scene.case.runs is None or not scene.case.runs(scene.stage)


async def test_publishing_again_changes_nothing(scene: Scene) -> None:
    """What is done is not asked about again."""
    await scene.publish()
    asked = len(scene.stage.asked)
    complete(scene, await scene.publish())
    assert len(scene.stage.asked) == asked


async def test_what_was_made_is_found_by_the_campaigns_name(scene: Scene) -> None:
    """Before it is made `find` sees nothing, then the id that `perform` gave; another campaign sees none."""
    done: dict[str, str] = {}
    other = a_launch(OTHER, slug="other-1a2b")
    for step, others in zip(scene.platform.steps(scene.launch), scene.platform.steps(other), strict=True):
        assert await scene.platform.find(scene.launch, step, Done(done)) is None
        effect = await scene.platform.perform(scene.launch, step, Done(done))
        found = await scene.platform.find(scene.launch, step, Done(done))
        assert found is not None
        assert found.found
        assert found.external_id == effect.external_id
        assert await scene.platform.find(other, others, Done(done)) is None
        done[step.key] = effect.external_id


async def test_refused_credentials_stop_the_platform_and_a_later_try_goes_on(scene: Scene) -> None:
    """401: no second request, no effect, and a sentence that says what to mend; mended, it is set up once."""
    scene.stage.fail("401")
    failed = await scene.publish()
    assert failed.state == campaign_pb2.PLATFORM_STATE_FAILED
    assert "credentials" in failed.detail
    assert failed.steps[0].state == campaign_pb2.SETUP_STEP_STATE_FAILED
    assert failed.steps[0].attempts == 1
    assert sum(scene.stage.made.values()) == 0
    complete(scene, await scene.publish())


async def test_a_429_is_waited_out(scene: Scene) -> None:
    """The wait that the platform names is kept before the request leaves again."""
    scene.stage.fail("429")
    made = await scene.publish()
    complete(scene, made)
    assert made.steps[0].attempts == 2
    assert max(scene.clock.slept) >= 1.0


@pytest.mark.parametrize("kind", ["503", "reset"])
async def test_what_fails_before_its_effect_is_made_in_the_end(scene: Scene, kind: str) -> None:
    """Unwell, or cut off, as often as the tries of one step allow: then it is made, once."""
    scene.stage.fail(*[kind] * (TRIES_MAX - 1))
    complete(scene, await scene.publish())


@pytest.mark.parametrize("kind", ["lost", "500_after"])
async def test_what_happened_unseen_is_not_made_again(scene: Scene, kind: str) -> None:
    """The reply to each request of the set-up is lost after its effect, or says 500: nothing is there twice."""
    scene.stage.fail(*[kind] * scene.writes)
    complete(scene, await scene.publish())
    assert scene.case.standing(scene.stage) > 0


async def test_a_reply_that_never_comes_makes_nothing_twice(scene: Scene) -> None:
    """The effect exists, the answer is held until the time-out: it is found and not made again."""
    scene.stage.fail("held")
    made = await scene.publish()
    complete(scene, made)
    assert made.steps[0].attempts == 1
    assert "found" in made.steps[0].detail


async def test_a_platform_that_stays_unwell_is_given_up_and_gone_on_with(scene: Scene) -> None:
    """Tries are bounded. What may have been sent stays recorded so, and the next publication makes it once."""
    scene.stage.fail(*["503"] * 5)
    failed = await scene.publish()
    assert failed.state == campaign_pb2.PLATFORM_STATE_FAILED
    assert failed.steps[0].state == campaign_pb2.SETUP_STEP_STATE_SENT
    assert sum(scene.stage.made.values()) == 0
    scene.clock.advance(600)  # the breaker has rested
    complete(scene, await scene.publish())


async def test_a_dry_run_sends_nothing_and_shows_no_secret(scene: Scene) -> None:
    """Every step with its exact request; ids that are not known yet stand by the key of their step."""
    (shown,) = await scene.setup.dry_run([(scene.platform.name, scene.launch)])
    assert [step.key for step in shown.steps] == [step.key for step in scene.platform.steps(scene.launch)]
    assert all(step.request.method and step.request.url for step in shown.steps)
    assert list(scene.stage.asked) == []
    assert await scene.setup.setups(CAMPAIGN) == []
    for secret in scene.case.secrets:
        assert secret not in str(shown)


async def test_the_request_that_is_shown_is_the_one_that_is_sent(scene: Scene) -> None:
    """Method, path and body of the first step, byte for byte in what they say."""
    if scene.case.entry is None:
        pytest.skip("the fake has no request on a wire")
    (shown,) = await scene.setup.dry_run([(scene.platform.name, scene.launch)])
    await scene.publish()
    planned = shown.steps[0].request
    sent = [asked for asked in scene.stage.asked if planned.url.partition("?")[0].endswith(asked.path)]
    (asked,) = [asked for asked in sent if asked.method == planned.method]
    assert json.loads(asked.body) == json.loads(planned.body)


async def test_undoing_takes_back_what_was_made_and_can_be_repeated(scene: Scene) -> None:
    """Nothing of the campaign stands afterwards; undone twice is undone; setting up again makes it anew."""
    await scene.publish()
    (undone,) = await scene.setup.undo([(scene.platform.name, scene.launch)])
    assert undone.state == campaign_pb2.PLATFORM_STATE_UNDONE, undone.detail
    assert {step.state for step in undone.steps} == {campaign_pb2.SETUP_STEP_STATE_UNDONE}
    assert scene.case.standing(scene.stage) == 0
    for step in undone.steps:
        await scene.platform.undo(scene.launch, _step(scene, step.key), step.external_id)
    again = await scene.publish()
    assert again.state == campaign_pb2.PLATFORM_STATE_PAUSED, again.detail
    assert scene.case.standing(scene.stage) > 0


async def test_an_effect_whose_reply_was_lost_is_undone_too(scene: Scene) -> None:
    """A step that was sent, and whose answer nobody has seen, is looked for before it counts as not there."""
    scene.stage.fail("lost", *["401"] * 3)  # the effect, then whatever else has one is refused
    await scene.publish()
    scene.stage.fail()
    for _ in range(4):
        (undone,) = await scene.setup.undo([(scene.platform.name, scene.launch)])
    assert undone.state == campaign_pb2.PLATFORM_STATE_UNDONE, undone.detail
    assert scene.case.standing(scene.stage) == 0


async def test_switching_is_repeated_without_harm(scene: Scene) -> None:
    """On twice is on, off twice is off; the stored state follows."""
    launches = [(scene.platform.name, scene.launch)]
    await scene.publish()
    made = dict(scene.stage.made)
    for on, state in ((True, campaign_pb2.PLATFORM_STATE_RUNNING), (False, campaign_pb2.PLATFORM_STATE_PAUSED)):
        for _ in range(2):
            (setup,) = await scene.setup.switch(launches, on=on)
            assert setup.state == state
            assert scene.case.runs is None or scene.case.runs(scene.stage) is on
    things = {kind: count for kind, count in scene.stage.made.items() if kind in made}
    assert things == made


async def test_no_secret_is_in_an_error(scene: Scene) -> None:
    """What a refusal leaves in the store names the setting, never its value."""
    scene.stage.fail("401")
    failed = await scene.publish()
    for secret in scene.case.secrets:
        assert secret not in str(failed)


def _step(scene: Scene, key: str) -> Any:
    return next(step for step in scene.platform.steps(scene.launch) if step.key == key)
