"""Sites on loopback for tests of fetching, names under the test's control, and sockets that are written down."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from chassis.safe_dns import Address
from chassis.safe_fetch import SafeFetcher
from chassis.safe_http import UnknownHostError, public_sockets_only
from chassis.testing import settle
from pipeline.errors import PipelineError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def site(handler: Handler, *, robots: str | int = 404) -> AsyncIterator[str]:
    """A server on a free port of loopback; "host:port". `robots`: the text of its robots.txt, or a status."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/robots.txt":
            return web.Response(text=robots) if isinstance(robots, str) else web.Response(status=robots)
        return await handler(request)

    app = web.Application(handler_args={"auto_decompress": False})
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def raw_site(talk: Talk) -> AsyncIterator[str]:
    """A server that speaks bytes, for what a proper one would never send; it has no robots.txt."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if b" /robots.txt " in head:
                writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                await writer.drain()
            else:
                await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


class Names:
    """A resolver that answers as told: each name with its answers in turn, the last one for ever."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self._answers = {name.replace("_", "."): list(turns) for name, turns in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str) -> Sequence[Address]:
        self.asked.append(host)
        turns = self._answers.get(host.rstrip("."))
        if not turns:
            raise UnknownHostError(f"{host} does not exist")
        addresses = turns.pop(0) if len(turns) > 1 else turns[0]
        return [Address(socket.AF_INET6 if ":" in a else socket.AF_INET, a) for a in addresses]


class Sockets:
    """A socket factory that vets as the product's does and writes down who was let through.

    What is let through is public, which a test may not reach: it is refused after it was written down.
    """

    def __init__(self) -> None:
        self.wanted: list[str] = []
        self.let_through: list[str] = []

    def __call__(self, info: Any) -> socket.socket:
        self.wanted.append(str(info[4][0]))
        public_sockets_only(info).close()
        self.let_through.append(str(info[4][0]))
        raise ConnectionRefusedError("tests stay on loopback")


class Target:
    """A listening socket that nobody may reach. It accepts nothing; `touched` says whether anybody connected."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.bind((host, 0))
        self._socket.listen(8)
        self._socket.setblocking(False)
        self.port = int(self._socket.getsockname()[1])

    @property
    def touched(self) -> bool:
        """Whether a connection came: the kernel completes the handshake before anybody accepts."""
        try:
            connection, _ = self._socket.accept()
        except BlockingIOError:
            return False
        connection.close()
        return True

    def close(self) -> None:
        self._socket.close()


@asynccontextmanager
async def fetcher(*places: str, **options: Any) -> AsyncIterator[SafeFetcher]:
    """A fetcher that may ask `places`; at its end every connection and task of it is gone."""
    subject = SafeFetcher(allowed=places, **{"total_seconds": 5.0, "pause_seconds": 0.001, **options})
    before = _our_tasks()
    try:
        yield subject
        await settle()
        for pool in subject.pools:
            assert (pool.stats().in_use, pool.stats().waiting) == (0, 0), "a connection was not given back"
    finally:
        await subject.close()
    await settle()
    assert _our_tasks() <= before, "a task was left behind"


def _our_tasks() -> set[asyncio.Task[Any]]:
    """What runs, but for the servers that the tests fetch from."""
    servers = ("raw_site", "RequestHandler")
    return {task for task in asyncio.all_tasks() if not any(name in repr(task.get_coro()) for name in servers)}


async def failure(subject: SafeFetcher, url: str) -> PipelineError:
    """The error that fetching `url` ends in."""
    with pytest.raises(PipelineError) as caught:
        await subject.fetch(url)
    return caught.value
