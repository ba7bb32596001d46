"""What a replayed upstream consists of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from bench.replay.world import World


@dataclass(frozen=True)
class Answer:
    """A canned response."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> web.Response:
        return web.Response(status=self.status, body=self.body, headers=dict(self.headers))


@dataclass(frozen=True)
class Refusal:
    """One of the upstream's own ways of saying no, and what the provider is to make of it."""

    answer: Answer
    # Member of ErrorReason without its prefix ("UPSTREAM_RATE_LIMITED", "UPSTREAM_FAILED").
    reason: str
    # Seconds that the refusal asks for; None where it names none.
    retry_after: float | None = None


@dataclass(frozen=True)
class Api:
    """An upstream as its provider sees it. Paths are those of the real API."""

    # The provider's name.
    name: str
    # Handlers that answer from the world in the exact shape of the API.
    routes: Callable[[World], Sequence[web.RouteDef]]
    # What it sends when nothing fits.
    empty: Answer
    # By what it is ("throttled", "bad_query"); those with HTTP 200 among them.
    refusals: Mapping[str, Refusal] = field(default_factory=dict)
