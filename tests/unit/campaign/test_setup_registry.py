"""Which platforms a server has, and what is put around each."""

from __future__ import annotations

import json

import pytest
from aiohttp import web

from bench.replay.platforms.stage import Asked, PlatformReplay
from chassis.clock import Clock
from chassis.deadline import Deadline, set_deadline
from chassis.testing import ManualClock, recording_telemetry
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2
from services.campaign.config import CampaignConfig
from services.campaign.providers.around import PlatformPool
from services.campaign.providers.base import Done, Entry, HostsPage, Terms
from services.campaign.providers.registry import PLATFORMS, make_platforms
from tests.support.platforms import SkippingClock, a_launch

TERMS = Terms(rate=100.0, burst=100, timeout_seconds=5.0)
ALL = frozenset(range(400, 600))


class EchoReplay(PlatformReplay):
    """Answers everything with what was asked."""

    def routes(self) -> list[web.RouteDef]:
        return [web.route("*", "/{path:.*}", self._echo)]

    def refusal(self, status: int) -> web.Response:
        return web.json_response({"status": status}, status=status)

    async def _echo(self, request: web.Request) -> web.Response:
        self.made["effect"] += self.has_effect(Asked(request.method, request.path, {}, {}, b""))
        return web.json_response({"method": request.method})


def config(**settings: object) -> CampaignConfig:
    return CampaignConfig(**{"offline": False, **settings})  # type: ignore[arg-type]


def pool(clock: Clock, terms: Terms = TERMS, **more: object) -> PlatformPool:
    return PlatformPool("echo", terms, telemetry=recording_telemetry(), clock=clock, **more)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------ registry


def test_without_keys_no_platform_is_ready_and_each_says_what_it_lacks() -> None:
    """With the setting's name and what to do by hand instead; each can still show its requests."""
    found = make_platforms(config(), telemetry=recording_telemetry(), clock=ManualClock())
    assert found.platforms == ()
    assert found.pools == ()
    assert [name for name, _ in found.not_configured] == [entry.name for entry in PLATFORMS]
    assert all("PIPELINE_" in reason and "By hand: " in reason for _, reason in found.not_configured)
    assert [platform.name for platform in found.drafts] == [entry.name for entry in PLATFORMS]


@pytest.mark.parametrize("entry", PLATFORMS, ids=lambda entry: entry.name)
def test_without_keys_each_platform_shows_every_request(entry: Entry) -> None:
    """What would be sent, with placeholders for accounts and ids that nobody knows yet."""
    found = make_platforms(config(), telemetry=recording_telemetry(), clock=ManualClock(), entries=(entry,))
    (draft,) = found.drafts
    launch = a_launch(budget_micros=200_000_000)
    steps = draft.steps(launch)
    assert steps
    done = Done({step.key: f"{{{step.key}}}" for step in steps})
    for step in steps:
        assert step.key.startswith(f"{entry.name}/")
        request = draft.request(launch, step, done)
        assert request.method in ("POST", "PUT")
        assert request.url.startswith("https://")
        assert json.loads(request.body)


def test_with_a_key_a_platform_is_ready() -> None:
    """And its pool is shown to operators."""
    found = make_platforms(config(netlify_token="t-1"), telemetry=recording_telemetry(), clock=ManualClock())
    assert [platform.name for platform in found.platforms] == ["netlify"]
    assert [pool.name for pool in found.pools] == ["netlify"]
    assert "netlify" not in dict(found.not_configured)


def test_offline_no_platform_is_ready() -> None:
    """Whatever keys there are."""
    settings = config(netlify_token="t-1", offline=True)
    found = make_platforms(settings, telemetry=recording_telemetry(), clock=ManualClock())
    assert found.platforms == ()
    assert all(reason.startswith("PIPELINE_OFFLINE is true") for _, reason in found.not_configured)


def test_a_key_is_never_shown() -> None:
    """Neither by the configuration nor by what is made of it."""
    settings = config(netlify_token="t-hush", posthog_key="phc-hush", posthog_personal_key="phx-hush")
    found = make_platforms(settings, telemetry=recording_telemetry(), clock=ManualClock())
    assert "hush" not in repr(settings)
    assert "hush" not in repr(found)


def test_the_address_of_a_front_is_known_before_it_is_made() -> None:
    """It depends on the campaign alone, and differs between campaigns."""
    found = make_platforms(config(), telemetry=recording_telemetry(), clock=ManualClock())
    fronts = [platform for platform in found.drafts if isinstance(platform, HostsPage)]
    assert "netlify" in [platform.name for platform in fronts]  # type: ignore[attr-defined]
    for front in fronts:
        assert front.front_url(a_launch()) == front.front_url(a_launch(page_url="", origin_url=""))
        assert front.front_url(a_launch()) != front.front_url(a_launch("another"))


# -------------------------------------------------------------------------------------------- around


@pytest.mark.parametrize("kind", ["503", "reset"])
async def test_a_read_is_repeated_and_an_effect_is_not(kind: str) -> None:
    """A GET is asked again; a POST fails with what it met, having left once."""
    async with EchoReplay() as replay:
        client = pool(SkippingClock())
        replay.fail(kind, reads=True)
        assert (await client.request("GET", f"{replay.url}/a")).json() == {"method": "GET"}
        replay.fail(kind)
        with pytest.raises(PipelineError):
            await client.request("POST", f"{replay.url}/a", json_body={})
        await client.close()
    assert [asked.method for asked in replay.asked] == ["GET", "GET", "POST"]


async def test_an_unwell_platform_is_left_alone() -> None:
    """Five 5xx in a row open the breaker, although the adapter reads each answer; then nothing leaves."""
    async with EchoReplay() as replay:
        client = pool(ManualClock())
        replay.fail(*["503"] * 5)
        for _ in range(5):
            answer = await client.request("POST", f"{replay.url}/a", answers=ALL)
            assert (answer.status, answer.json()) == (503, {"status": 503})
        with pytest.raises(PipelineError) as caught:
            await client.request("POST", f"{replay.url}/a", answers=ALL)
        await client.close()
    assert caught.value.reason == errors_pb2.ERROR_REASON_BREAKER_OPEN
    assert len(replay.asked) == 5


async def test_refusals_do_not_open_the_breaker() -> None:
    """4xx says nothing about the platform's health."""
    async with EchoReplay() as replay:
        client = pool(ManualClock())
        replay.fail(*["401", "403", "429"] * 3)
        for _ in range(9):
            await client.request("POST", f"{replay.url}/a", answers=ALL)
        assert client.breaker.state == "closed"
        await client.close()


async def test_requests_are_spaced_as_the_terms_say() -> None:
    """One in a second after a burst of two: four take two seconds."""
    clock = SkippingClock()
    async with EchoReplay() as replay:
        client = pool(clock, Terms(rate=1.0, burst=2))
        for _ in range(4):
            await client.request("POST", f"{replay.url}/a")
        await client.close()
    assert clock.monotonic() == pytest.approx(2.0)


async def test_no_request_leaves_after_the_callers_deadline() -> None:
    """The time that is left for the call being served bounds a request."""
    clock = ManualClock()
    async with EchoReplay() as replay:
        client = pool(clock)
        set_deadline(Deadline(1.0, clock))
        clock.advance(2.0)
        with pytest.raises(PipelineError) as caught:
            await client.request("POST", f"{replay.url}/a")
        set_deadline(None)
        await client.close()
    assert caught.value.reason == errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED
    assert replay.asked == []


async def test_a_request_is_a_span_without_its_secrets() -> None:
    """Each attempt is seen in a trace; its headers are not."""
    telemetry = recording_telemetry()
    async with EchoReplay() as replay:
        client = PlatformPool("echo", TERMS, telemetry=telemetry, clock=ManualClock())
        await client.request("POST", f"{replay.url}/a?key=s-1", headers={"Authorization": "Bearer s-1"})
        await client.close()
    spans = telemetry.spans()
    assert len(spans) == 1
    assert "s-1" not in str([(span.name, dict(span.attributes or {})) for span in spans])
