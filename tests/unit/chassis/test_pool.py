"""The HTTP pool against servers on loopback that misbehave in every way we know of."""

from __future__ import annotations

import asyncio
import gzip
import os
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web

from chassis.breaker import counts_as_failure
from chassis.http_answer import HttpResponse, parse_retry_after
from chassis.pool import HttpPool, OfflineError, user_agent_for
from chassis.pool_slots import Slots, Ticket
from chassis.safe_http import public_sockets_only
from chassis.testing import ManualClock, NetworkGuard, settle
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def upstream(handler: Handler) -> AsyncIterator[str]:
    """A server on a free port of loopback that answers everything with `handler`."""
    runner = web.AppRunner(_app(handler), shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _app(handler: Handler) -> web.Application:
    app = web.Application(handler_args={"auto_decompress": False})
    app.router.add_route("*", "/{path:.*}", handler)
    return app


@asynccontextmanager
async def raw_upstream(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """A server that speaks bytes, for what a proper one would never send."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@asynccontextmanager
async def pool(**options: Any) -> AsyncIterator[HttpPool]:
    subject = HttpPool("hackernews", **{"total_timeout": 5.0, **options})
    try:
        yield subject
        assert (subject.stats().in_use, subject.stats().waiting) == (0, 0), "a slot was not given back"
    finally:
        await subject.close()


async def failure(call: Awaitable[object]) -> PipelineError:
    with pytest.raises(PipelineError) as caught:
        await call
    assert caught.value.metadata.get("upstream") == "hackernews"
    return caught.value


async def test_json_comes_back_over_one_reused_connection() -> None:
    """Calls one after another use one connection; the query, our name and the headers reach the upstream."""
    peers, agents = set(), set()

    async def handler(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        agents.add(request.headers["User-Agent"])
        return web.json_response({"q": request.query["q"], "accept": request.headers["Accept"]})

    async with upstream(handler) as url, pool(user_agent=user_agent_for("https://example.org/me")) as subject:
        for number in range(5):
            answer = await subject.get_json(f"{url}/search", {"q": number})
            assert answer == {"q": str(number), "accept": "application/json"}
        assert subject.stats() == ("hackernews", 20, 0, 0, 5)
    assert len(peers) == 1
    assert agents == {"startup-idea-pipeline/0.1 (+https://example.org/me)"}


@pytest.mark.parametrize("per_call", [False, True])
async def test_connections_are_not_reused_when_told_so(per_call: bool) -> None:
    """Without reuse every call opens its own connection, for the whole pool or for one call."""
    peers = set()

    async def handler(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return web.json_response(1)

    async with upstream(handler) as url, pool(reuse_connections=per_call) as subject:
        for _ in range(3):
            await subject.get_json(url, reuse_connections=False if per_call else None)
    assert len(peers) == 3


async def test_offline_opens_nothing(guard: NetworkGuard) -> None:
    """Offline, a call is refused before a name is resolved or a socket opened; it is no upstream failure."""
    async with pool(offline=True) as subject:
        error = await failure(subject.get_json("https://hn.algolia.com/api/v1/search"))
        assert isinstance(error, OfflineError)
        assert not counts_as_failure(error)
        assert subject._sessions == {}
    assert guard.violations == []


@pytest.mark.parametrize(
    ("header", "wait"),
    [("7", 7.0), (None, 10.0), ("999999999", 300.0), ("-5", 0.0), ("soon", 10.0), ("nan", 10.0)],
)
async def test_429_carries_the_wait(header: str | None, wait: float) -> None:
    """429 is RESOURCE_EXHAUSTED with the seconds the upstream named, capped; nonsense falls back."""

    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": header} if header else {})

    async with upstream(handler) as url, pool() as subject:
        error = await failure(subject.get_json(url))
    assert error.reason == errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED
    assert error.retry_after == wait
    assert not counts_as_failure(error)


async def test_429_with_a_date() -> None:
    """A Retry-After date counts from the pool's own clock."""
    clock = ManualClock(datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC))
    date = format_datetime(datetime(2026, 3, 1, 12, 1, 30, tzinfo=UTC), usegmt=True)

    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": date})

    async with upstream(handler) as url, pool(clock=clock) as subject:
        assert (await failure(subject.get_json(url))).retry_after == 90
    past = format_datetime(datetime(2020, 1, 1, tzinfo=UTC), usegmt=True)
    assert parse_retry_after(past, clock.now()) == 0
    assert parse_retry_after("Wed, 21 Oct 2015 07:28:00", clock.now()) == 0
    assert parse_retry_after("inf", clock.now()) == 300


@pytest.mark.parametrize(("status", "unwell"), [(500, True), (503, True), (404, False), (401, False)])
async def test_error_answers(status: int, unwell: bool) -> None:
    """5xx is UPSTREAM_FAILED and counts for the breaker; 4xx is UPSTREAM_FAILED and does not."""

    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=status, text="secret stack trace", headers={"Retry-After": "4"})

    async with upstream(handler) as url, pool() as subject:
        error = await failure(subject.get_json(url))
    assert error.reason == errors_pb2.ERROR_REASON_UPSTREAM_FAILED
    assert error.metadata["status"] == str(status)
    assert error.retry_after == 4
    assert counts_as_failure(error) is unwell
    assert "secret" not in str(error)


@pytest.mark.parametrize("body", [b"<html>", b"", b'{"a": NaN}', b"\xff\xfe", b"[" * 100_000])
async def test_malformed_json(body: bytes) -> None:
    """An answer that is not JSON is UPSTREAM_FAILED with the cause."""

    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    async with upstream(handler) as url, pool() as subject:
        assert (await failure(subject.get_json(url))).metadata["cause"] == "malformed"


@pytest.mark.parametrize(
    "sent",
    [
        b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"half":',
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n',
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n"
        + gzip.compress(b"1" * 99, mtime=0)[:15],
    ],
)
@pytest.mark.parametrize("reset", [False, True])
async def test_answer_that_breaks_off(sent: bytes, reset: bool) -> None:
    """A body that ends early, politely or by a reset, is UPSTREAM_FAILED marked as interrupted."""

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        await writer.drain()
        if reset:
            writer.transport.abort()

    async with raw_upstream(talk) as url, pool() as subject:
        error = await failure(subject.get_json(url))
    assert error.metadata["interrupted"] == "true"
    assert counts_as_failure(error)


async def test_upstream_that_hangs_up_without_an_answer() -> None:
    """No bytes at all is UPSTREAM_FAILED, marked as interrupted; garbage is UPSTREAM_FAILED."""

    async def nothing(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        return

    async def garbage(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 smtp ready\r\n\r\n")
        await writer.drain()

    async with raw_upstream(nothing) as url, pool() as subject:
        assert (await failure(subject.get_json(url))).metadata["cause"] == "disconnected"
    async with raw_upstream(garbage) as url, pool() as subject:
        error = await failure(subject.get_json(url))
        assert error.reason == errors_pb2.ERROR_REASON_UPSTREAM_FAILED


async def test_upstream_that_never_answers() -> None:
    """The total time-out ends a call that gets no answer, and its slot is free again."""

    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with raw_upstream(talk) as url, pool(total_timeout=0.05) as subject:
        error = await failure(subject.get_json(url))
        assert error.reason == errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED
        assert counts_as_failure(error)
        error = await failure(subject.get_json(url, timeout=0))
        assert error.reason == errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED


async def test_upstream_that_trickles() -> None:
    """Bytes that keep coming do not prolong the total time-out."""
    sent = 0

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        while True:
            writer.write(b"x")
            sent += 1
            await writer.drain()
            await settle(3)

    async with raw_upstream(talk) as url, pool(total_timeout=0.1) as subject:
        started = time.monotonic()
        error = await failure(subject.get_json(url))
    assert error.reason == errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED
    assert time.monotonic() - started < 2
    assert sent > 1


async def test_a_page_above_the_cap_is_stopped() -> None:
    """A body above the cap ends the call there, however much the upstream would send."""
    sent = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(1_000):
            await response.write(b"x" * 65_536)
            sent += 65_536
        return response

    async with upstream(handler) as url, pool(body_bytes_max=100_000) as subject:
        error = await failure(subject.request("GET", url))
    assert error.metadata["cause"] == "too_large"
    assert error.metadata["limit_bytes"] == "100000"
    assert sent < 30_000_000


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_compressed_bomb_does_not_unfold(encoding: str) -> None:
    """Decoded bytes count: 200 MB of zeros in 200 kB are stopped at the cap without being held."""
    zeros = b"\0" * 1_000_000
    packer = zlib.compressobj(9, zlib.DEFLATED, 31 if encoding == "gzip" else 15)
    bomb = b"".join(packer.compress(zeros) for _ in range(200)) + packer.flush()

    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=bomb, headers={"Content-Encoding": encoding})

    before = _peak_kib()
    async with upstream(handler) as url, pool() as subject:
        error = await failure(subject.request("GET", url))
    assert error.metadata["cause"] == "too_large"
    assert _peak_kib() - before < 60_000


def _peak_kib() -> int:
    with open(f"/proc/{os.getpid()}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


async def test_compressed_answers_are_decoded() -> None:
    """gzip is asked for and decoded; a lie about it is malformed; an unknown encoding is refused."""

    async def handler(request: web.Request) -> web.Response:
        assert "br" not in request.headers["Accept-Encoding"]
        bodies = {"gzip": gzip.compress(b'{"ok": 1}', mtime=0), "lie": b"not gzip", "br": b"?"}
        kind = request.path.strip("/")
        encoding = "gzip" if kind == "lie" else kind
        return web.Response(body=bodies[kind], headers={"Content-Encoding": encoding})

    async with upstream(handler) as url, pool() as subject:
        assert await subject.get_json(f"{url}/gzip") == {"ok": 1}
        assert (await failure(subject.get_json(f"{url}/lie"))).metadata["cause"] == "malformed"
        assert (await failure(subject.get_json(f"{url}/br"))).metadata["cause"] == "encoding"


async def test_redirects() -> None:
    """At most three redirects are followed, over http only, and credentials stay with their origin."""
    names = ("Authorization", "developer-token", "X-API-KEY", "X-Subscription-Token")
    seen: list[tuple[str, list[str | None]]] = []

    async def other(request: web.Request) -> web.Response:
        seen.append(("other", [request.headers.get(name) for name in names]))
        return web.json_response("from the other")

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.path, [request.headers.get(name) for name in names]))
        hops = int(request.path.strip("/") or 0)
        target = {9: "file:///etc/passwd", 8: f"{elsewhere}/x"}.get(hops, f"/{hops - 1}")
        return web.Response(status=302, headers={"Location": target}) if hops else web.json_response("here")

    secret = dict.fromkeys(names, "t")
    async with upstream(other) as elsewhere, upstream(handler) as url, pool() as subject:
        assert await subject.get_json(f"{url}/3") == "here"
        assert (await failure(subject.get_json(f"{url}/4"))).metadata["cause"] == "redirect"
        assert (await failure(subject.get_json(f"{url}/9"))).metadata["cause"] == "redirect"
        seen.clear()
        assert await subject.get_json(f"{url}/8", headers=secret) == "from the other"
        assert seen == [("/8", ["t"] * 4), ("other", [None] * 4)]


async def test_a_body_is_sent_as_it_is() -> None:
    """A form or a file goes out byte for byte, under the type that the caller names; a redirect to GET drops it."""
    seen: list[tuple[str, str, bytes]] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.method, request.content_type, await request.read()))
        if request.path == "/moved":
            return web.Response(status=303, headers={"Location": "/"})
        return web.json_response(1)

    kind = "application/x-www-form-urlencoded"
    async with upstream(handler) as url, pool() as subject:
        for path in ("/", "/moved"):
            await subject.request("POST", f"{url}{path}", headers={"Content-Type": kind}, body=b"a=1&b=%20")
    assert seen[:2] == [("POST", kind, b"a=1&b=%20")] * 2
    assert (seen[2][0], seen[2][2]) == ("GET", b"")


async def test_address_that_is_not_public_is_refused() -> None:
    """With the public-only socket factory nothing connects to loopback, not even for a literal."""
    called = False

    async def handler(_: web.Request) -> web.Response:
        nonlocal called
        called = True
        return web.json_response(1)

    async with upstream(handler) as url, pool(socket_factory=public_sockets_only) as subject:
        error = await failure(subject.get_json(url))
    assert error.metadata["cause"] == "address"
    assert not called


async def test_upstream_that_is_not_there() -> None:
    """A refused connection is UPSTREAM_FAILED with the cause; so is an address that is none."""
    async with raw_upstream(lambda *_: settle()) as url:
        pass
    async with pool() as subject:
        assert (await failure(subject.get_json(url))).metadata["cause"] == "connect"
        for address in ("ftp://x/y", "nonsense", "http://", "http://[::1", "http://127.0.0.1:99999/"):
            assert (await failure(subject.get_json(address))).metadata["cause"] == "redirect", address


async def test_limits_per_host_and_in_all() -> None:
    """No more than limit_per_host calls run for one host; the others wait their turn and all get served."""
    running = most = 0
    go = asyncio.Event()

    async def handler(_: web.Request) -> web.Response:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await go.wait()
        running -= 1
        return web.json_response(1)

    async with upstream(handler) as url, pool(limit=3, limit_per_host=2) as subject:
        calls = [asyncio.create_task(subject.get_json(url)) for _ in range(10)]
        while running < 2:
            await settle(1)
        await settle()
        assert (subject.stats().in_use, subject.stats().waiting) == (2, 8)
        calls[-1].cancel()
        await settle()
        assert subject.stats().waiting == 7
        go.set()
        assert (await asyncio.gather(*calls, return_exceptions=True))[:9] == [1] * 9
        assert subject.stats().acquired_total == 9
    assert most == 2


async def test_exhausted_pool_waits_no_longer_than_the_time_out() -> None:
    """Waiting for a slot counts against the total time; a full queue is refused at once."""
    go = asyncio.Event()

    async def handler(_: web.Request) -> web.Response:
        await go.wait()
        return web.json_response(1)

    async with upstream(handler) as url, pool(limit=1, max_waiting=1) as subject:
        first = asyncio.create_task(subject.get_json(url))
        await settle()
        second = asyncio.create_task(subject.get_json(url, timeout=0.05))
        await settle()
        third = await failure(subject.get_json(url))
        assert third.reason == errors_pb2.ERROR_REASON_OVERLOADED
        assert third.retry_after
        assert (await failure(second)).reason == errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED
        go.set()
        assert await first == 1


async def test_post_and_close() -> None:
    """A call posts its JSON; the environment has no say; a closed pool refuses with DRAINING."""

    async def handler(request: web.Request) -> web.Response:
        return web.json_response({"method": request.method, "body": await request.json()})

    async with upstream(handler) as url, pool() as subject:
        response = await subject.request("POST", url, json_body={"a": 1})
        assert response.json() == {"method": "POST", "body": {"a": 1}}
        assert (response.status, response.media_type) == (200, "application/json")
        assert subject._session(True).trust_env is False
        await subject.close()
        with pytest.raises(PipelineError) as caught:
            await subject.get_json(url)
        assert caught.value.reason == errors_pb2.ERROR_REASON_DRAINING


def test_text_in_any_charset() -> None:
    """Text is decoded by the charset it names, and never fails."""
    for header, body, text in (
        ("text/html; charset=ISO-8859-1", b"caf\xe9", "café"),
        ('text/html; charset="utf-8"', "café".encode(), "café"),
        ("text/html; charset=klingon", b"ok", "ok"),
        ("", b"\xff", "�"),
    ):
        assert HttpResponse(200, "", {"content-type": header}, body).text() == text


def test_slots_are_granted_in_order_past_a_busy_host() -> None:
    """A free slot goes to the oldest who may use it; a host at its limit does not hold up another."""
    slots = Slots(limit=3, limit_per_host=1, max_waiting=10)
    granted: list[str] = []

    def ask(host: str, name: str) -> Ticket:
        ticket = slots.ask(host, lambda: granted.append(name))
        assert ticket is not None
        return ticket

    a1, a2, a3 = ask("a", "a1"), ask("a", "a2"), ask("a", "a3")
    b1 = ask("b", "b1")
    assert (a1.granted, a2.granted, a3.granted, b1.granted) == (True, False, False, True)
    c1, d1 = ask("c", "c1"), ask("d", "d1")
    assert (c1.granted, d1.granted) == (True, False)
    slots.give_back(b1)
    assert granted == ["d1"]
    slots.give_back(a2)
    slots.give_back(a1)
    assert granted == ["d1", "a3"]
    for ticket in (a3, c1, d1):
        slots.give_back(ticket)
    assert repr(slots) == "<Slots 0/3 waiting=0 total=5>"
