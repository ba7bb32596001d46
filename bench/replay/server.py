"""The replayed world as one server on loopback: every API under `/{name}`, pages, weather, counters.

    async with ReplayServer(seed=7) as replay:
        settings(replay.address)      # for EvidenceConfig, or `EmbeddedPipeline(settings=...)`

Each answer takes a seeded log-normal time with a median of 120 ms, clipped to 50-300 ms: what a public API shows from
afar. `GET /_stats` tells what came, `POST /_control` changes the weather while it runs.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import math
import pkgutil
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from bench.replay import apis
from bench.replay.api import Api
from bench.replay.faults import KINDS, Faults, Handler, fail
from bench.replay.pages import Pages
from bench.replay.world import World

LATENCY_MEDIAN_SECONDS = 0.120
LATENCY_SIGMA = 0.45
LATENCY_BOUNDS_SECONDS = (0.050, 0.300)
# Counters' names for what is no API.
PAGES = "pages"
# What `POST /_control` takes.
CONTROLS = ("faults", "shares", "kinds", "latency", "pages_change_after", "reset")


def find_apis() -> list[Api]:
    """Every API of `bench/replay/apis`, by name."""
    modules = [
        importlib.import_module(f"{apis.__name__}.{found.name}") for found in pkgutil.iter_modules(apis.__path__)
    ]
    return sorted((module.API for module in modules if hasattr(module, "API")), key=lambda api: api.name)


def settings(address: str, names: Sequence[str] | None = None) -> dict[str, Any]:
    """Settings of `EvidenceConfig` that lead every provider that is replayed to `address`, and ask no other.

    Keys are set where a provider needs one; the sources' own call rates are lifted, as nobody is hurt here.
    """
    from services.evidence.config import EvidenceConfig
    from services.evidence.providers.base import Access
    from services.evidence.providers.registry import SOURCES

    replayed = {api.name for api in find_apis()} if names is None else set(names)
    asked = {source.name: source for source in SOURCES if source.name in replayed}
    place = address.removeprefix("http://")
    found: dict[str, Any] = {
        "offline": False,
        "providers": ",".join(asked),
        "upstream_rate_factor": 1_000.0,
        "contact": "replay@example.org",
        # Pages of the replayed world alone are read.
        "fetch_allowed": place,
        "fetch_only": place,
    }
    for field in EvidenceConfig.model_fields:
        name, _, kind = field.rpartition("_")
        name = name.removesuffix("_registry")
        if name in asked and kind == "url":
            found[field] = f"{address}/{name}"
        elif name in asked and kind == "key" and asked[name].lacks(Access(address)):
            found[field] = "replayed"
    return found


class ReplayServer:
    """The world, served. `latency=False` answers at once."""

    def __init__(
        self,
        *,
        seed: int = 7,
        faults: float = 0.0,
        latency: bool = True,
        replayed: Sequence[Api] | None = None,
    ) -> None:
        self.world = World(seed)
        self.faults = Faults(seed, faults)
        self.pages = Pages(self.world)
        self.latency = latency
        self.address = ""
        self.calls: Counter[str] = Counter()
        self.paths: dict[str, Counter[str]] = defaultdict(Counter)
        self.failed: dict[str, Counter[str]] = defaultdict(Counter)
        self._random = random.Random(seed)
        self._apis = find_apis() if replayed is None else list(replayed)
        self._runner: web.AppRunner | None = None

    async def start(self, port: int = 0) -> str:
        """Listen on loopback; returns the address."""
        app = web.Application(middlewares=[self._weather])
        for api in self._apis:
            app.add_routes(
                web.RouteDef(route.method, f"/{api.name}{route.path}", route.handler, route.kwargs)
                for route in api.routes(self.world)
            )
        app.router.add_get("/page/{number:[0-9]+}", self.pages.show)
        app.router.add_get("/robots.txt", self.pages.robots)
        app.router.add_get("/_stats", self._stats)
        app.router.add_post("/_control", self._control)
        # Handlers end with their client: one that hangs must not outlive it.
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        host, bound = self._runner.addresses[0][:2]
        self.address = self.world.pages_at = f"http://{host}:{bound}"
        return self.address

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def stats(self) -> dict[str, Any]:
        """Calls so far: in all, by upstream, by upstream and path, and the faults by upstream and kind."""
        return {
            "calls": sum(count for name, count in self.calls.items() if name != PAGES),
            "pages": self.calls[PAGES],
            "upstreams": dict(self.calls),
            "paths": {name: dict(paths) for name, paths in self.paths.items()},
            "faults": {name: dict(kinds) for name, kinds in self.failed.items()},
        }

    def control(self, **wanted: Any) -> None:
        """Change the weather; raises ValueError naming what it does not know. `reset`: counters begin anew."""
        unknown = sorted(set(wanted) - set(CONTROLS))
        if unknown:
            raise ValueError(f"{', '.join(unknown)} cannot be controlled; give some of {', '.join(CONTROLS)}")
        self.faults = replace(
            self.faults,
            share=wanted.get("faults", self.faults.share),
            shares=wanted.get("shares", self.faults.shares),
            kinds=tuple(wanted.get("kinds", self.faults.kinds)) or KINDS,
        )
        self.latency = bool(wanted.get("latency", self.latency))
        self.pages.change_after = int(wanted.get("pages_change_after", self.pages.change_after))
        if wanted.get("reset"):
            for counters in (self.calls, self.paths, self.failed):
                counters.clear()

    @web.middleware
    async def _weather(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        first = request.path.split("/")[1]
        if first.startswith("_"):
            return await handler(request)
        name = PAGES if first in ("page", "robots.txt") else first
        self.calls[name] += 1
        self.paths[name][request.path] += 1
        if self.latency:
            await asyncio.sleep(self._seconds())
        kind = self.faults.pick(name, request.path_qs)
        if not kind:
            return await handler(request)
        self.failed[name][kind] += 1
        return await fail(kind, request, handler)

    def _seconds(self) -> float:
        low, high = LATENCY_BOUNDS_SECONDS
        return min(max(self._random.lognormvariate(math.log(LATENCY_MEDIAN_SECONDS), LATENCY_SIGMA), low), high)

    async def _stats(self, _: web.Request) -> web.Response:
        return web.json_response(self.stats())

    async def _control(self, request: web.Request) -> web.Response:
        try:
            self.control(**await request.json())
        except (ValueError, TypeError, json.JSONDecodeError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({"faults": self.faults.share, "shares": dict(self.faults.shares)})
