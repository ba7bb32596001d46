"""A platform on loopback that remembers what was made there: effects can be counted after any weather.

async with PlatformServer(NetlifyWorld()) as server:
    server.mishap("lost")                 # the next request with an effect happens, and its reply is lost
    ...                                   # point the adapter at server.address
    server.world.effects()                # ["site sip-larderwise-01j9"]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from aiohttp import web

from bench.replay.api import Answer
from bench.replay.faults import EFFECT_KINDS, KINDS, Faults, Handler, fail


class PlatformWorld(Protocol):
    """A platform's state and its API, in the shapes of the real one."""

    @property
    def name(self) -> str:
        """The provider's name."""
        ...

    @property
    def refusals(self) -> Mapping[str, Answer]:
        """Its own way of failing, by kind of fault ("401", "429_seconds", "503"); other kinds fail as everywhere."""
        ...

    def routes(self) -> Sequence[web.RouteDef]: ...

    def effects(self) -> list[str]:
        """What exists now, one entry a thing ("campaign Larderwise [01j9]"): what was made twice is there twice."""
        ...


@dataclass(frozen=True)
class Asked:
    """A request as it arrived. Header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class _Mishap:
    kind: str
    method: str
    path: str
    times: int


class PlatformServer:
    """`world` served on loopback. `faults`: seeded weather over all requests; mishaps come before it."""

    def __init__(self, world: PlatformWorld, faults: Faults | None = None) -> None:
        self.world = world
        self.faults = faults
        self.address = ""
        self.asked: list[Asked] = []
        # Kinds of the requests that were made to fail, in their order.
        self.failed: list[str] = []
        self._mishaps: list[_Mishap] = []
        self._runner: web.AppRunner | None = None

    def mishap(self, kind: str, *, method: str = "", path: str = "", times: int = 1) -> None:
        """Let the next `times` requests fail so whose path contains `path`; without a method, those with an effect."""
        if kind not in (*KINDS, *EFFECT_KINDS):
            raise ValueError(f"{kind} is no kind of fault; give one of {', '.join((*KINDS, *EFFECT_KINDS))}")
        self._mishaps.append(_Mishap(kind, method, path, times))

    @property
    def writes(self) -> list[Asked]:
        """Requests that were not GET."""
        return [asked for asked in self.asked if asked.method != "GET"]

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._weather])
        app.add_routes(self.world.routes())
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.address = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _weather(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append(Asked(request.method, request.path, headers, await request.read()))
        kind = self._next(request) or (self.faults.pick(self.world.name, request.path) if self.faults else "")
        if not kind:
            return await handler(request)
        self.failed.append(kind)
        own = self.world.refusals.get(kind)
        return own.response() if own is not None else await fail(kind, request, handler)

    def _next(self, request: web.Request) -> str:
        for mishap in self._mishaps:
            fits = request.method == mishap.method if mishap.method else request.method != "GET"
            if fits and mishap.path in request.path and mishap.times > 0:
                mishap.times -= 1
                return mishap.kind
        return ""
