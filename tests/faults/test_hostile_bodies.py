"""Bodies and answers without end or sense (faults.md, rows 9 to 13 and 36): bounded in bytes, time and attempts."""

from __future__ import annotations

import asyncio
import os
import time
import zlib

import pytest
from aiohttp import web

from chassis.testing import settle
from pipeline.v1 import errors_pb2
from tests.support.pages import failure, fetcher, raw_site, site

CAP = 2 * 1024 * 1024


def peak_kib() -> int:
    with open(f"/proc/{os.getpid()}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


async def test_a_page_of_a_gigabyte_is_stopped_at_the_cap() -> None:
    """Row 36: reading stops at the cap; neither the bytes taken nor the memory follow what is offered."""
    sent = 0

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1073741824\r\n\r\n")
        chunk = b"<p>all work and no play</p>" * 2_000
        while sent < 1_073_741_824:
            writer.write(chunk)
            await writer.drain()
            sent += len(chunk)

    before = peak_kib()
    async with raw_site(talk) as place, fetcher(place) as subject:
        error = await failure(subject, f"http://{place}/")
    assert error.metadata["cause"] == "too_large"
    # What the kernel's buffers on both sides take on top of the cap.
    assert sent < CAP + 16 * 1024 * 1024
    assert peak_kib() - before < 60_000


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_compressed_bomb_is_stopped_at_the_cap(encoding: str) -> None:
    """Row 36: decoded bytes count; a gigabyte in a megabyte does not unfold."""
    zeros = b"\0" * 1_000_000
    packer = zlib.compressobj(9, zlib.DEFLATED, 31 if encoding == "gzip" else 15)
    first = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    # After a full flush the same block unfolds the same again.
    bomb = first + (packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)) * 1_000

    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=bomb, headers={"Content-Encoding": encoding, "Content-Type": "text/html"})

    before = peak_kib()
    async with site(handler) as place, fetcher(place) as subject:
        assert (await failure(subject, f"http://{place}/")).metadata["cause"] == "too_large"
    assert peak_kib() - before < 60_000


async def test_an_encoding_that_was_not_asked_for_is_not_read() -> None:
    """Row 36: brotli and zstd, whose bombs are larger still, are never decoded."""

    async def handler(request: web.Request) -> web.Response:
        assert "br" not in request.headers["Accept-Encoding"]
        kind = request.path.strip("/")
        return web.Response(body=b"???", headers={"Content-Encoding": kind, "Content-Type": "text/html"})

    async with site(handler) as place, fetcher(place) as subject:
        for kind in ("br", "zstd", "gzip,gzip"):
            assert (await failure(subject, f"http://{place}/{kind}")).metadata["cause"] == "encoding"


@pytest.mark.parametrize("slow", ["never", "headers", "body"])
async def test_the_total_time_ends_what_is_slow(slow: str) -> None:
    """Rows 9 to 11: no answer, a header line that grows for ever, a byte at a time: DEADLINE_EXCEEDED on time."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if slow == "never":
            await reader.read()
        writer.write(b"HTTP/1.1 200 OK\r\n")
        if slow == "body":
            writer.write(b"Content-Type: text/html\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await settle(50)

    async with raw_site(talk) as place, fetcher(place, total_seconds=0.5) as subject:
        started = time.monotonic()
        error = await failure(subject, f"http://{place}/")
        took = time.monotonic() - started
    allowed = (errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED,)
    if slow == "headers":  # the bound on a header line may come first
        allowed += (errors_pb2.ERROR_REASON_UPSTREAM_FAILED,)
    assert error.reason in allowed
    assert took < 3


async def test_a_host_that_never_answers_opens_its_breaker() -> None:
    """Row 9: after three time-outs the host is left alone, and the answer comes at once."""

    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with raw_site(talk) as place, fetcher(place, total_seconds=0.5) as subject:
        for _ in range(3):
            error = await failure(subject, f"http://{place}/")
            assert error.reason == errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED
        started = time.monotonic()
        assert (await failure(subject, f"http://{place}/")).reason == errors_pb2.ERROR_REASON_BREAKER_OPEN
        assert time.monotonic() - started < 0.1


@pytest.mark.parametrize("second", ["whole", "broken"])
async def test_a_reset_in_mid_body_is_retried_once(second: str) -> None:
    """Row 12: one more attempt, whatever becomes of it."""
    calls = 0

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n"
        if calls > 1 and second == "whole":
            writer.write(head + b"Content-Length: 5\r\n\r\nwhole")
            await writer.drain()
            return
        writer.write(head + b"Content-Length: 1000\r\n\r\n<p>half")
        await writer.drain()
        await settle(50)
        writer.transport.abort()

    async with raw_site(talk) as place, fetcher(place) as subject:
        if second == "whole":
            assert (await subject.fetch(f"http://{place}/")).body == b"whole"
        else:
            assert (await failure(subject, f"http://{place}/")).metadata["interrupted"] == "true"
    assert calls == 2


@pytest.mark.parametrize("wait", ["999999999", "Fri, 31 Dec 9999 23:59:59 GMT", "soon"])
async def test_an_absurd_retry_after_is_capped(wait: str) -> None:
    """Row 13: RESOURCE_EXHAUSTED with the wait, at most five minutes; nonsense falls back."""

    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": wait})

    async with site(handler) as place, fetcher(place) as subject:
        error = await failure(subject, f"http://{place}/")
    assert error.reason == errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED
    assert error.retry_after == (10.0 if wait == "soon" else 300.0)


async def test_huge_headers_are_refused() -> None:
    """A header line of a megabyte, or ten thousand of them, is an error of the host, once."""
    calls = 0

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        many = b"".join(b"X-%d: y\r\n" % n for n in range(10_000))
        writer.write(b"HTTP/1.1 200 OK\r\n" + (b"X: " + b"y" * 1_000_000 + b"\r\n" if calls == 1 else many) + b"\r\n")
        await writer.drain()

    async with raw_site(talk) as place, fetcher(place) as subject:
        for _ in range(2):
            error = await failure(subject, f"http://{place}/")
            assert error.reason == errors_pb2.ERROR_REASON_UPSTREAM_FAILED
            assert error.metadata["cause"] in ("malformed", "content_type")


async def test_redirects_in_a_circle_end() -> None:
    """A loop is left after three redirects."""
    calls = 0

    async def handler(_: web.Request) -> web.Response:
        nonlocal calls
        calls += 1
        return web.Response(status=302, headers={"Location": "/again"})

    async with site(handler) as place, fetcher(place) as subject:
        assert (await failure(subject, f"http://{place}/")).metadata["cause"] == "redirect"
    assert calls == 4
