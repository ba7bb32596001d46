"""What every replayed platform shares: a server on loopback, what it was asked, and faults on order.

    async with GoogleAdsReplay() as replay:
        replay.fail("lost")                  # the next effect happens, and its reply does not arrive
        ...
        assert replay.made["campaigns"] == 1

Faults are taken by requests with an effect, one each, in the order in which they were ordered:

- a status ("401", "429", "503"): refused in the platform's own shape, nothing happens;
- "reset": the connection is cut before anything happens;
- "lost": it happens, then the connection is cut; "held": it happens, and the reply never comes;
- "500_after": it happens, and the answer says 500.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from bench.replay.faults import Handler, fail

STATUSES = ("401", "403", "429", "500", "503")
KINDS = (*STATUSES, "reset", "lost", "held", "500_after")


@dataclass(frozen=True)
class Asked:
    """A request as it arrived. Header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class PlatformReplay:
    """One platform. Subclasses give routes, refusals, and what counts as an effect."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        # Effects by kind; what was taken back stays counted, so that a second one is seen.
        self.made: Counter[str] = Counter()
        self._due: deque[tuple[str, bool]] = deque()
        self._runner: web.AppRunner | None = None

    # ------------------------------------------------------------------------------------ for subclasses

    def routes(self) -> list[web.RouteDef]:
        raise NotImplementedError

    def has_effect(self, asked: Asked) -> bool:
        """Whether a request changes something."""
        return asked.method != "GET"

    def refusal(self, status: int) -> web.Response:
        """The platform's own way of saying it."""
        raise NotImplementedError

    # ------------------------------------------------------------------------------------ faults

    def fail(self, *kinds: str, reads: bool = False) -> None:
        """Order faults for the next requests with an effect; `reads`: for the next requests without one."""
        unknown = [kind for kind in kinds if kind not in KINDS]
        if unknown:
            raise ValueError(f"{unknown[0]} is no fault; write some of {', '.join(KINDS)}")
        self._due.extend((kind, reads) for kind in kinds)

    @web.middleware
    async def _around(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(request.method, request.path, dict(request.query), headers, await request.read())
        self.asked.append(asked)
        kind = ""
        if self._due and self._due[0][1] != self.has_effect(asked):
            kind = self._due.popleft()[0]
        if kind in STATUSES:
            return self.refusal(int(kind))
        if kind == "reset":
            return await fail("reset", request, handler)
        response = await handler(request)
        if kind == "lost":
            return await fail("reset", request, handler)
        if kind == "held":
            await asyncio.Event().wait()
        return self.refusal(500) if kind == "500_after" else response

    # ------------------------------------------------------------------------------------ server

    async def start(self) -> str:
        """Listen on a free port of loopback; returns the address."""
        app = web.Application(middlewares=[self._around])
        app.add_routes(self.routes())
        self._runner = web.AppRunner(app, shutdown_timeout=0.05)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self.url

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


def bearer(request: web.Request) -> str:
    """The token of an Authorization header; "" where there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme == "Bearer" else ""


async def body_of(request: web.Request) -> dict[str, Any]:
    """The JSON object of a request; {} where it is none."""
    try:
        body = json.loads(await request.read() or b"{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
