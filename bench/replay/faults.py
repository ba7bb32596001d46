"""Bad weather by the share: which request fails in which way, decided by a seed."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# What a 429 asks for, by kind; faults.md row 13.
_RETRY_AFTER: Mapping[str, Callable[[], str]] = {
    "429_seconds": lambda: "1",
    "429_date": lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True),
    "429_absurd": lambda: "86400",
    "429_bare": lambda: "",
}
KINDS = (*_RETRY_AFTER, "503", "reset", "hang", "slow", "truncated", "malformed")
# For requests with an effect: refused credentials; the effect happens and its reply is lost, or never comes.
EFFECT_KINDS = ("401", "lost", "stalled")
# Pause between two bytes of a slow answer: faults.md row 11.
SLOW_SECONDS = 0.1


@dataclass
class Faults:
    """Which share of the requests fails, by upstream, and how. `share` from 0 to 1 holds for all not named."""

    seed: int = 7
    share: float = 0.0
    shares: Mapping[str, float] = field(default_factory=dict)
    kinds: Sequence[str] = KINDS
    _asked: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = (*KINDS, *EFFECT_KINDS)
        unknown = [kind for kind in self.kinds if kind not in known]
        if unknown or not self.kinds:
            raise ValueError(f"{unknown or 'nothing'} is no kind of fault; give some of {', '.join(known)}")
        if not all(0 <= share <= 1 for share in (self.share, *self.shares.values())):
            raise ValueError("a share is a number from 0 to 1")

    def pick(self, upstream: str, target: str) -> str:
        """The kind of fault for this request, "" for none; the n-th request of a target always gets the same."""
        number = self._asked[target] = self._asked.get(target, 0) + 1
        digest = hashlib.sha256(f"{self.seed}|{upstream}|{target}|{number}".encode()).digest()
        if int.from_bytes(digest[:4]) / 2**32 >= self.shares.get(upstream, self.share):
            return ""
        return self.kinds[int.from_bytes(digest[4:8]) % len(self.kinds)]


async def fail(kind: str, request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a request in this bad way."""
    if kind in _RETRY_AFTER:
        wait = _RETRY_AFTER[kind]()
        return web.Response(status=429, text="too many requests", headers={"Retry-After": wait} if wait else None)
    if kind == "401":
        return web.Response(status=401, text="unauthorized")
    if kind == "503":
        return web.Response(status=503, text="out of order")
    if kind == "reset":
        return _cut(request)
    if kind == "hang":
        await asyncio.Event().wait()
    answer = await handler(request)
    if kind == "lost":
        return _cut(request)
    if kind == "stalled":
        await asyncio.Event().wait()
    body = answer.body if isinstance(answer, web.Response) and isinstance(answer.body, bytes) else b""
    if kind == "malformed":
        wrong = body[: len(body) // 2] + b'\xff{"<' + body[:8]
        return web.Response(status=answer.status, body=wrong, content_type=answer.content_type)
    return await _drip(kind, request, answer, body)


async def _drip(kind: str, request: web.Request, answer: web.StreamResponse, body: bytes) -> web.StreamResponse:
    """Slowly byte by byte, or half and then nothing."""
    headers = {"Content-Type": answer.headers.get("Content-Type", "text/plain"), "Content-Length": str(len(body))}
    response = web.StreamResponse(status=answer.status, headers=headers)
    with contextlib.suppress(ConnectionError):
        await response.prepare(request)
        if kind == "truncated":
            await response.write(body[: len(body) // 2])
            return _cut(request)
        for place in range(len(body)):
            await response.write(body[place : place + 1])
            await asyncio.sleep(SLOW_SECONDS)
        await response.write_eof()
    return response


def _cut(request: web.Request) -> web.Response:
    """End the connection with a reset."""
    if request.transport is not None:
        connection: Any = request.transport.get_extra_info("socket")
        if connection is not None:
            # No lingering: what is closed is reset.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response()
