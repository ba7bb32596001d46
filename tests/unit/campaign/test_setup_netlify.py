"""The site in front of the counting server: its files, its name, its deploys."""

from __future__ import annotations

import dataclasses
from typing import cast

import pytest

from bench.replay.platforms.netlify import NetlifyReplay
from pipeline.errors import PipelineError
from services.campaign.providers.base import Done
from services.campaign.providers.netlify import DEPLOY, NAME_CHARS_MAX, SITE, Netlify, files, site_name
from tests.support.platforms import CASES, SkippingClock, a_launch, on_stage

CASE = next(case for case in CASES if case.name == "netlify")


def test_the_campaigns_paths_are_passed_on_and_no_others() -> None:
    """Counting and sign-up stay with the counting server; the visitor's address bar stays with the site."""
    lines = files(a_launch())["/_redirects"].decode().splitlines()
    assert lines == [
        "/p/larderwise-7f3a https://pages.example.org/p/larderwise-7f3a 200!",
        "/p/larderwise-7f3a/* https://pages.example.org/p/larderwise-7f3a/:splat 200!",
        "/ /p/larderwise-7f3a 302",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"origin_url": "https://a.example\n/* https://evil.example 200"},
        {"origin_url": "https://a.example/path"},
        {"origin_url": "ftp://a.example"},
        {"origin_url": ""},
        {"slug": "a b"},
        {"slug": "../x"},
    ],
)
def test_nothing_but_an_origin_and_a_slug_gets_into_the_rules(changes: dict[str, str]) -> None:
    """A rule of somebody else's making would pass visitors on to them."""
    with pytest.raises(PipelineError):
        files(a_launch(**changes))


def test_a_site_in_front_of_itself_is_refused() -> None:
    """Visits would go round in a ring."""
    launch = a_launch()
    with pytest.raises(PipelineError, match="is the site itself"):
        files(dataclasses.replace(launch, origin_url=f"https://{site_name(launch)}.netlify.app"))


@pytest.mark.parametrize("slug", ["x", "a" * 200, "Ünï çode", "-", "larder--wise"])
def test_a_name_is_a_label_of_a_host_name(slug: str) -> None:
    """Whatever the slug; campaigns with the same slug have other names."""
    name = site_name(a_launch(slug=slug))
    assert len(name) <= NAME_CHARS_MAX
    assert name.replace("-", "a").isascii()
    assert name.replace("-", "a").isalnum()
    assert name[0] != "-" != name[-1]
    assert name != site_name(a_launch("another", slug=slug))


async def test_the_deployed_files_are_those_that_were_made() -> None:
    """Byte for byte, and only what the site lacked was sent: a second campaign sends its rules alone."""
    async with on_stage(CASE, SkippingClock()) as (platform, stage):
        replay = cast(NetlifyReplay, stage)
        for launch in (a_launch(), a_launch("another", slug="another-1")):
            before = len([asked for asked in replay.asked if asked.method == "PUT"])
            site, deploy = platform.steps(launch)
            made = await platform.perform(launch, site, Done())
            await platform.perform(launch, deploy, Done({SITE: made.external_id}))
            assert replay.served(made.external_id) == files(launch)
            sent = len([asked for asked in replay.asked if asked.method == "PUT"]) - before
            assert sent == (3 if launch.campaign_id != "another" else 1)


async def test_an_unfinished_deploy_is_gone_on_with() -> None:
    """Its files are sent to the deploy that exists."""
    async with on_stage(CASE, SkippingClock()) as (platform, stage):
        launch = a_launch()
        site, deploy = platform.steps(launch)
        done = Done({SITE: (await platform.perform(launch, site, Done())).external_id})
        stage.fail("lost")
        with pytest.raises(PipelineError):
            await platform.perform(launch, deploy, done)
        assert await platform.find(launch, deploy, done) is None
        await platform.perform(launch, deploy, done)
        assert stage.made["deploy"] == 1


async def test_deploys_are_spaced() -> None:
    """Three a minute: the fourth waits for twenty seconds."""
    clock = SkippingClock()
    async with on_stage(CASE, clock) as (platform, _):
        for number in range(4):
            launch = a_launch(f"campaign-{number}")
            site, deploy = platform.steps(launch)
            made = await platform.perform(launch, site, Done())
            await platform.perform(launch, deploy, Done({SITE: made.external_id}))
    assert sum(pause for pause in clock.slept if pause > 5) == pytest.approx(20.0, abs=10.0)


async def test_a_name_that_somebody_else_has_is_told() -> None:
    """422: no retry would change it."""
    async with on_stage(CASE, SkippingClock()) as (platform, stage):
        launch = a_launch()
        cast(NetlifyReplay, stage).taken.add(site_name(launch))
        site = platform.steps(launch)[0]
        assert await platform.find(launch, site, Done()) is None
        with pytest.raises(PipelineError, match="taken by somebody else"):
            await platform.perform(launch, site, Done())


async def test_a_team_of_its_own_gets_the_site() -> None:
    """`POST /{team}/sites`."""
    async with on_stage(CASE, SkippingClock(), netlify_team="acme") as (platform, stage):
        launch = a_launch()
        await platform.perform(launch, platform.steps(launch)[0], Done())
    assert [asked.path for asked in stage.asked] == ["/acme/sites"]


async def test_a_deploy_that_netlify_cannot_process_is_an_error() -> None:
    """It is not waited for, and the next try makes a new one."""
    async with on_stage(CASE, SkippingClock()) as (platform, stage):
        launch = a_launch()
        site, deploy = platform.steps(launch)
        done = Done({SITE: (await platform.perform(launch, site, Done())).external_id})
        stage.fail("lost")
        with pytest.raises(PipelineError):
            await platform.perform(launch, deploy, done)
        for unfinished in cast(NetlifyReplay, stage).deploys.values():
            unfinished["state"] = "error"
        await platform.perform(launch, deploy, done)
        assert stage.made["deploy"] == 2


def test_the_steps_are_a_site_and_its_files() -> None:
    """Other content is another deploy, of the same site."""
    first, second = a_launch(), a_launch(origin_url="https://elsewhere.example.org")
    one = {step.key: step.name for step in Netlify.steps(cast(Netlify, None), first)}
    two = {step.key: step.name for step in Netlify.steps(cast(Netlify, None), second)}
    assert one[SITE] == two[SITE]
    assert one[DEPLOY] != two[DEPLOY]
