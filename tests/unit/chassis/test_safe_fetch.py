"""Fetching and checking pages, against sites on loopback."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from chassis.safe_fetch import CHECKS_AT_A_TIME
from chassis.testing import ManualClock, NetworkGuard, settle, until
from chassis.usage import record_usage
from pipeline.v1 import common_pb2, errors_pb2
from tests.support.pages import Names, Sockets, failure, fetcher, raw_site, site


def page(text: str = "<p>hello</p>", **options: Any) -> web.Response:
    return web.Response(text=text, **{"content_type": "text/html", **options})


async def test_a_page_comes_with_all_that_is_known_of_it() -> None:
    """Bytes, media type, charset, where it was found and when; we say who we are, and send nothing else."""
    headers: dict[str, str] = {}

    async def handler(request: web.Request) -> web.Response:
        if request.path == "/old":
            response = web.Response(status=301, headers={"Location": "/new?x=1"})
            response.set_cookie("id", "7")
            return response
        headers.update(request.headers)
        return page("<p>grüße</p>", charset="iso-8859-1")

    clock = ManualClock(datetime(2026, 5, 1, tzinfo=UTC))
    async with site(handler) as place, fetcher(place, clock=clock, user_agent="us/1 (+mail)") as subject:
        turns = asyncio.create_task(subject.fetch(f"http://{place}/old#part"))
        while not turns.done():
            await clock.tick(0.01)
        found = turns.result()
    assert found.url == f"http://{place}/old#part"
    assert found.final_url == f"http://{place}/new?x=1"
    assert (found.status, found.media_type, found.charset) == (200, "text/html", "iso-8859-1")
    assert found.body == "<p>grüße</p>".encode("iso-8859-1")
    assert found.fetched_at.date() == datetime(2026, 5, 1, tzinfo=UTC).date()
    assert headers["User-Agent"] == "us/1 (+mail)"
    assert headers["Accept-Encoding"] == "gzip, deflate"
    assert not {"Cookie", "Authorization", "Referer"} & set(headers)


async def test_offline_opens_nothing(guard: NetworkGuard) -> None:
    """Offline, a fetch is refused and a check says nothing, before any name is resolved."""
    names, sockets = Names(), Sockets()
    async with fetcher(offline=True, lookup=names, sockets=sockets) as subject:
        assert "offline" in (await failure(subject, "https://example.org/")).metadata
        assert await subject.check("https://example.org/") == common_pb2.LINK_STATUS_UNSPECIFIED
    assert (names.asked, sockets.wanted, guard.violations) == ([], [], [])


@pytest.mark.parametrize("kind", ["image/png", "application/json", "application/octet-stream", "text/css", ""])
async def test_only_pages_texts_and_pdf_are_read(kind: str) -> None:
    """Another kind of content is refused by its headers; its body is not read."""
    sent = asyncio.Event()

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = f"Content-Type: {kind}\r\n" if kind else ""
        writer.write(f"HTTP/1.1 200 OK\r\n{line}Content-Length: 10000000\r\n\r\n".encode())
        await writer.drain()
        await sent.wait()

    async with raw_site(talk) as place, fetcher(place) as subject:
        error = await failure(subject, f"http://{place}/")
        sent.set()
    assert error.metadata["cause"] == "content_type"
    assert error.message.startswith("127.0.0.1 sent")


async def test_robots_txt_is_respected_at_every_hop() -> None:
    """A page that is disallowed is not asked for, not even through a redirect from one that is allowed."""
    asked: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=302, headers={"Location": "/private"}) if request.path == "/a" else page()

    async with site(handler, robots="User-agent: *\nDisallow: /private") as place, fetcher(place) as subject:
        for path in ("a", "private"):
            assert (await failure(subject, f"http://{place}/{path}")).metadata["cause"] == "robots"
        assert await subject.check(f"http://{place}/private") == common_pb2.LINK_STATUS_REFUSED
        assert subject.robots_cache.stats().entries == 1
    assert asked == ["/a"]


async def test_a_robots_txt_without_end_is_cut() -> None:
    """Of a robots.txt of a gigabyte half a megabyte is read, and its rules hold."""

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nUser-agent: *\nDisallow: /x\n")
        while True:
            writer.write(b"# nothing here\n" * 4_000)
            await writer.drain()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    place = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        async with fetcher(place) as subject:
            assert (await failure(subject, f"http://{place}/x")).metadata["cause"] == "robots"
    finally:
        server.close()


async def test_a_short_wait_that_a_host_names_is_waited_once() -> None:
    """Retry-After of two seconds is waited within the call; the second answer counts."""
    calls = 0

    async def handler(_: web.Request) -> web.Response:
        nonlocal calls
        calls += 1
        return page() if calls > 1 else web.Response(status=503, headers={"Retry-After": "2"})

    clock = ManualClock()
    async with site(handler) as place, fetcher(place, clock=clock) as subject:
        task = asyncio.create_task(subject.fetch(f"http://{place}/"))
        await until(lambda: calls == 1 and clock.sleepers)
        assert not task.done()
        while not task.done():
            await clock.tick(0.5)
        assert task.result().status == 200
    assert calls == 2
    assert clock.monotonic() >= 2


async def test_a_long_wait_that_a_host_names_is_kept() -> None:
    """After a 429 with a minute to wait the host is not asked again before, by nobody."""
    calls = 0

    async def handler(_: web.Request) -> web.Response:
        nonlocal calls
        calls += 1
        return web.Response(status=429, headers={"Retry-After": "60"})

    async with site(handler) as place, fetcher(place) as subject:
        for path in ("a", "b"):
            error = await failure(subject, f"http://{place}/{path}")
            assert error.reason == errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED
            assert error.retry_after is not None
            assert 58 < error.retry_after <= 60
        assert await subject.check(f"http://{place}/c") == common_pb2.LINK_STATUS_UNKNOWN
    assert calls == 1


async def test_a_host_that_fails_is_left_alone() -> None:
    """After three failures in a row the host's breaker opens; another host is asked as before."""
    calls = 0

    async def handler(_: web.Request) -> web.Response:
        nonlocal calls
        calls += 1
        return web.Response(status=500)

    async def well(_: web.Request) -> web.Response:
        return page()

    async with site(handler) as ill, site(well) as other, fetcher(ill, other) as subject:
        for _ in range(3):
            assert (await failure(subject, f"http://{ill}/")).metadata["status"] == "500"
        assert (await failure(subject, f"http://{ill}/")).reason == errors_pb2.ERROR_REASON_BREAKER_OPEN
        assert (await subject.fetch(f"http://{other}/")).status == 200
    assert calls == 3


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, common_pb2.LINK_STATUS_ALIVE),
        (204, common_pb2.LINK_STATUS_ALIVE),
        (404, common_pb2.LINK_STATUS_DEAD),
        (410, common_pb2.LINK_STATUS_DEAD),
        (401, common_pb2.LINK_STATUS_REFUSED),
        (403, common_pb2.LINK_STATUS_REFUSED),
        (999, common_pb2.LINK_STATUS_REFUSED),
        (429, common_pb2.LINK_STATUS_UNKNOWN),
        (500, common_pb2.LINK_STATUS_UNKNOWN),
    ],
)
async def test_what_a_status_says_of_a_link(status: int, expected: int) -> None:
    """Each answer is told as alive, dead, refused or unknown."""

    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=status)

    async with site(handler) as place, fetcher(place) as subject:
        assert await subject.check(f"http://{place}/") == expected


@pytest.mark.parametrize("head", [400, 403, 404, 405, 500, 501])
async def test_get_is_asked_where_head_says_nothing(head: int) -> None:
    """A site that does not answer HEAD is asked with GET, whose body is left where it is."""
    methods: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        methods.append(request.method)
        return web.Response(status=head) if request.method == "HEAD" else page("x" * 1_000_000)

    async with site(handler) as place, fetcher(place) as subject:
        assert await subject.check(f"http://{place}/") == common_pb2.LINK_STATUS_ALIVE
    assert methods == ["HEAD", "GET"]


async def test_links_that_are_none_and_hosts_that_are_not() -> None:
    """A document or a file is no link; a name that does not exist is dead; a private place is blocked."""
    sockets = Sockets()
    names = Names(inside_example=[["10.0.0.7"]], outside_example=[["93.184.216.34"]])
    async with fetcher(lookup=names, sockets=sockets) as subject:
        found = await subject.check_all(
            [
                "document:plan.md",
                "ftp://example.org/x",
                "https://user@outside.example/",
                "https://nowhere.example/",
                "https://inside.example/",
                "http://169.254.169.254/",
                "http://outside.example/",
                "http://outside.example/",
            ]
        )
    assert list(found.values()) == [
        common_pb2.LINK_STATUS_UNSPECIFIED,
        common_pb2.LINK_STATUS_UNSPECIFIED,
        common_pb2.LINK_STATUS_UNSPECIFIED,
        common_pb2.LINK_STATUS_DEAD,
        common_pb2.LINK_STATUS_BLOCKED,
        common_pb2.LINK_STATUS_BLOCKED,
        common_pb2.LINK_STATUS_UNKNOWN,
    ]
    assert set(sockets.wanted) == {"93.184.216.34"}


async def test_twenty_checks_at_a_time_and_four_at_a_host() -> None:
    """No more than twenty links are looked at at once, no more than four of one host."""
    running = 0
    most = 0
    go = asyncio.Event()

    async def handler(_: web.Request) -> web.Response:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await go.wait()
        running -= 1
        return page()

    async with site(handler) as place, fetcher(place) as subject:
        task = asyncio.create_task(subject.check_all(f"http://{place}/{n}" for n in range(30)))
        await until(lambda: running == 4)
        await settle()
        pool = subject.pools[1].stats()
        assert pool.in_use + pool.waiting <= CHECKS_AT_A_TIME
        go.set()
        assert set((await task).values()) == {common_pb2.LINK_STATUS_ALIVE}
    assert most == 4


async def test_names_are_asked_once_for_a_while() -> None:
    """The resolver's answers are cached, visibly, and the calls are counted for the run."""
    names, sockets = Names(a_example=[["93.184.216.34"]]), Sockets()
    with record_usage() as usage:
        async with fetcher(lookup=names, sockets=sockets, respect_robots=False) as subject:
            for path in ("x", "y"):
                assert (await failure(subject, f"http://a.example/{path}")).metadata["cause"] == "connect"
            assert subject.dns_cache.stats().hits == 1
    assert names.asked == ["a.example"]
    assert usage.external_calls == 2
