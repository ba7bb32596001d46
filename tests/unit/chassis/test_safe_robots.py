"""robots.txt, and what is owed to a host besides."""

from __future__ import annotations

import asyncio
import time

import pytest

from chassis.cache import MemoryCache
from chassis.safe_hosts import Hosts
from chassis.safe_robots import Robots, RobotsText, parse
from chassis.safe_url import SafeUrl, read_url
from chassis.testing import ManualClock, settle
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

AGENT = "startup-idea-pipeline"


class Site:
    """Answers for robots.txt as told, and counts how often it was asked."""

    def __init__(self, answer: RobotsText | PipelineError) -> None:
        self.answer = answer
        self.asked = 0

    async def __call__(self, url: SafeUrl) -> RobotsText:
        self.asked += 1
        if isinstance(self.answer, PipelineError):
            raise self.answer
        return self.answer


def robots(site: Site, clock: ManualClock) -> Robots:
    return Robots(site, MemoryCache("robots", 10, 24 * 3600.0, clock), AGENT, clock)


async def refusal(subject: Robots, url: str) -> str:
    with pytest.raises(PipelineError) as caught:
        await subject.check(read_url(url))
    return caught.value.metadata.get("cause", "")


async def test_rules_hold_for_a_day_and_are_asked_once() -> None:
    """What is disallowed is refused, what is allowed gets the site's pause, and the file is asked for once a day."""
    clock = ManualClock()
    site = Site(RobotsText(200, "User-agent: *\nDisallow: /private\nAllow: /private/open\nCrawl-delay: 3\n"))
    subject = robots(site, clock)
    assert await subject.check(read_url("https://example.org/a")) == 3
    assert await subject.check(read_url("https://example.org/private/open/x")) == 3
    assert await refusal(subject, "https://example.org/private/x") == "robots"
    assert site.asked == 1
    assert await subject.check(read_url("http://example.org/a")) == 3
    assert site.asked == 2, "another origin has another file"
    clock.advance(24 * 3600 + 1)
    await subject.check(read_url("https://example.org/a"))
    assert site.asked == 3


async def test_our_own_group_wins_over_everybody_s() -> None:
    """A group that names us holds instead of the one for all."""
    rules = parse("User-agent: *\nDisallow: /\n\nUser-agent: Startup-Idea-Pipeline\nDisallow: /x\n", AGENT)
    assert rules.can_fetch("https://example.org/y", AGENT)
    assert not rules.can_fetch("https://example.org/x", AGENT)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
async def test_a_site_without_rules_lets_everything_be_read(status: int) -> None:
    """4xx means that there are no rules (RFC 9309, 2.3.1.3)."""
    assert await robots(Site(RobotsText(status, "")), ManualClock()).check(read_url("https://example.org/a")) is None


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_site_that_cannot_show_its_rules_is_not_read_for_an_hour(status: int) -> None:
    """5xx and 429 close the site, and it is asked anew after an hour."""
    clock, site = ManualClock(), Site(RobotsText(status, ""))
    subject = robots(site, clock)
    for _ in range(3):
        assert await refusal(subject, "https://example.org/a") == "robots"
    assert site.asked == 1
    site.answer = RobotsText(404, "")
    clock.advance(3601)
    assert await subject.check(read_url("https://example.org/a")) is None


async def test_a_site_that_is_not_there_is_told_as_such() -> None:
    """Unreachable is no refusal: the page's own error comes, and five minutes later the site is asked anew."""
    clock = ManualClock()
    site = Site(PipelineError(errors_pb2.ERROR_REASON_UPSTREAM_FAILED, "x", metadata={"cause": "unknown_host"}))
    subject = robots(site, clock)
    assert await refusal(subject, "https://example.org/a") == "unknown_host"
    assert await refusal(subject, "https://example.org/b") == "unknown_host"
    assert site.asked == 1
    site.answer = RobotsText(200, "")
    clock.advance(301)
    assert await subject.check(read_url("https://example.org/a")) is None


async def test_our_own_refusals_are_not_the_site_s() -> None:
    """What our side refused is not remembered of the site."""
    site = Site(PipelineError(errors_pb2.ERROR_REASON_OVERLOADED, "busy"))
    subject = robots(site, ManualClock())
    for _ in range(2):
        with pytest.raises(PipelineError):
            await subject.check(read_url("https://example.org/a"))
    assert site.asked == 2


@pytest.mark.parametrize(
    "text",
    [
        "User-agent: a\n" * 18_000 + "Disallow: /x\n" * 18_000,
        "".join(f"User-agent: a{n}\n" for n in range(15_000)) + "Disallow: /x*y*z\n" * 14_000,
        "User-agent: *\nDisallow: /" + "*a" * 200_000,
        "\x00\x01\x02" * 100_000,
        ":" * 500_000,
    ],
)
def test_a_hostile_file_is_read_in_a_moment(text: str) -> None:
    """Half a megabyte of groups, rules or wildcards costs neither minutes nor gigabytes."""
    started = time.perf_counter()
    parse(text, AGENT).can_fetch("https://example.org/" + "a" * 2_000, AGENT)
    assert time.perf_counter() - started < 5


async def test_a_host_is_asked_at_its_pace() -> None:
    """Calls to one host come one pause apart, to two hosts at once; a longer pause is kept up to ten seconds."""
    clock = ManualClock()
    hosts = Hosts(clock, pause=0.5)
    await hosts.turn("a:80")
    await hosts.turn("b:80")
    second = asyncio.create_task(hosts.turn("a:80"))
    await settle()
    assert not second.done()
    await clock.tick(0.5)
    assert second.done()
    await hosts.turn("c:80", 7)
    third = asyncio.create_task(hosts.turn("c:80", 7))
    await clock.tick(6.9)
    assert not third.done()
    await clock.tick(0.2)
    assert third.done()
    await hosts.turn("d:80", 3_600)
    fourth = asyncio.create_task(hosts.turn("d:80", 3_600))
    with pytest.raises(PipelineError, match="next turn"):
        await asyncio.gather(hosts.turn("d:80", 3_600), fourth)
    fourth.cancel()


async def test_a_host_that_asked_for_rest_has_it() -> None:
    """Until the time it named a host is not asked, and the error says when."""
    clock = ManualClock()
    hosts = Hosts(clock)
    hosts.rest("a:80", 30)
    with pytest.raises(PipelineError) as caught:
        await hosts.turn("a:80")
    assert caught.value.reason == errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED
    assert caught.value.retry_after == 30
    clock.advance(30)
    await hosts.turn("a:80")


async def test_hosts_are_forgotten_beyond_the_bound() -> None:
    """Memory of hosts is bounded; the least recently asked goes first."""
    hosts = Hosts(ManualClock(), hosts_max=2)
    for name in ("a", "b", "c"):
        await hosts.turn(name)
    assert repr(hosts) == "<Hosts 2/2 pause=0.25>"
    with pytest.raises(ValueError, match="pause"):
        Hosts(ManualClock(), pause=0)
