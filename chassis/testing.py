"""Fakes that ship with the product, so that tests never patch and never sleep.

A manual clock, a deterministic embedder, telemetry to look into, a server on a temporary socket, and a guard that
fails whatever reaches for the network.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import heapq
import ipaddress
import itertools
import re
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipeline.v1 import common_pb2

if TYPE_CHECKING:
    import grpc.aio
    import numpy as np
    from numpy.typing import NDArray

    from chassis.server import Server
    from chassis.telemetry import Telemetry

# Turns of the event loop that `ManualClock.tick` gives tasks to reach their next wait.
SETTLE_TURNS = 20


class ManualClock:
    """A clock that moves when told to; see `chassis.clock.Clock`."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    def __repr__(self) -> str:
        return f"ManualClock(+{self._elapsed:g} s, {self.sleepers} sleeping)"

    @property
    def sleepers(self) -> int:
        """Tasks that wait for this clock."""
        return sum(not future.done() for _, _, future in self._sleepers)

    def monotonic(self) -> float:
        return self._elapsed

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._numbers), future))
        await future

    def advance(self, seconds: float) -> None:
        """Moves on and wakes every sleeper that is due, earliest first; they run when the loop does."""
        self._elapsed += seconds
        while self._sleepers and self._sleepers[0][0] <= self._elapsed:
            _, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)

    async def tick(self, seconds: float = 0.0) -> None:
        """Moves on in the steps that sleepers wait for, letting tasks run before, between and after."""
        target = self._elapsed + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= target:
            self.advance(max(self._sleepers[0][0] - self._elapsed, 0.0))
            await settle()
        self.advance(max(target - self._elapsed, 0.0))
        await settle()


async def settle(turns: int = SETTLE_TURNS) -> None:
    """Lets tasks that are ready run, a bounded number of turns; no time passes."""
    for _ in range(turns):
        await asyncio.sleep(0)


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    """Returns as soon as `condition()` holds, letting tasks and sockets proceed; TimeoutError after `seconds`.

    For what depends on a real socket; with a ManualClock use `tick`.
    """
    loop = asyncio.get_running_loop()
    limit = loop.time() + seconds
    for _ in itertools.count():
        if condition():
            return
        if loop.time() > limit:
            raise TimeoutError("the condition did not come true")
        await asyncio.sleep(0)


class FakeEmbedder:
    """Deterministic vectors without a model: each word adds to one of 384 dimensions; rows are L2-normalised.

    Texts that share words are similar; nothing else is understood. A text without words is the zero vector.
    """

    name = "fake"
    dimensions = 384

    def __init__(self) -> None:
        self.texts_embedded = 0

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (len(texts), 384), float32."""
        import numpy as np

        self.texts_embedded += len(texts)
        rows = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()):
                digest = hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=4).digest()
                row[int.from_bytes(digest, "big") % self.dimensions] += 1.0
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        np.divide(rows, norms, out=rows, where=norms > 0)
        return rows

    async def close(self) -> None:
        return None


def phase_context(
    phase: common_pb2.Phase.ValueType = common_pb2.PHASE_VALIDATION,
    *,
    run: str = "runs/test",
    attempt: int = 1,
    tenant: str = "default",
    profile: common_pb2.ExecutionProfile | None = None,
    allowance_micros: int = 0,
) -> common_pb2.PhaseContext:
    """What a phase is told about its run."""
    return common_pb2.PhaseContext(
        run=run,
        phase=phase,
        attempt=attempt,
        tenant=tenant,
        profile=profile,
        allowance_micros=allowance_micros,
    )


def recording_telemetry(name: str = "test") -> Telemetry:
    """Telemetry that exports nothing; look at `.spans()`."""
    from chassis.telemetry import Telemetry

    return Telemetry.create(name)


@asynccontextmanager
async def serve(
    server: Server, *, telemetry: Telemetry | None = None, grace: float = 1.0
) -> AsyncIterator[grpc.aio.Channel]:
    """Starts `server` on a temporary unix socket and yields a channel to it; stops it afterwards.

    `telemetry` is the client's: with it, calls are traced.
    """
    from chassis.channel import open_channel

    with tempfile.TemporaryDirectory(prefix="sip-") as folder:
        await server.start(listen=f"unix:{folder}/s")
        try:
            async with open_channel(server.address, telemetry=telemetry) as channel:
                yield channel
        finally:
            await server.stop(grace)


class NetworkBlockedError(RuntimeError):
    """A test reached for something outside of this machine."""


class NetworkGuard:
    """Refuses connections and DNS queries that would leave loopback, and remembers who tried.

    Works through an audit hook, so every Python socket is seen, whatever library owns it. gRPC's C core makes its
    own system calls and is not seen: its targets in tests are unix sockets and 127.0.0.1. Asking the resolver for
    an address literal sends nothing and is allowed.
    """

    def __init__(self) -> None:
        self.violations: list[str] = []
        self._expecting = 0

    @contextlib.contextmanager
    def expected(self) -> Iterator[list[str]]:
        """Inside, violations are still refused but collected here instead of failing the test."""
        before = self.violations
        self.violations = []
        try:
            yield self.violations
        finally:
            self.violations = before

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """The hook; raises NetworkBlockedError."""
        if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            family = getattr(arguments[0], "family", None)
            address = arguments[1] if len(arguments) > 1 else None
            if family in (socket.AF_INET, socket.AF_INET6) and address and not is_local(str(address[0])):
                self._refuse(f"{event} to {address[0]}:{address[1]}")
        elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
            host = arguments[0]
            text = host.decode("ascii", "replace") if isinstance(host, bytes) else host
            if text and not is_literal(str(text)) and not is_local(str(text)):
                self._refuse(f"{event} of {text}")

    def _refuse(self, what: str) -> None:
        self.violations.append(what)
        raise NetworkBlockedError(f"{what}: tests stay on loopback; use a fake or a local server")


def is_literal(host: str) -> bool:
    """True for an IP address, so that asking for it sends no DNS query."""
    try:
        ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return True


def is_local(host: str) -> bool:
    """True for loopback (and the unspecified address, which reaches this machine)."""
    text = host.strip("[]").partition("%")[0]
    if text.lower() in ("localhost", "localhost.localdomain", socket.gethostname().lower()):
        return True
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback or address.is_unspecified)


def network_guard() -> NetworkGuard:
    """Installs a guard for the rest of the process (an audit hook cannot be taken back)."""
    guard = NetworkGuard()
    sys.addaudithook(guard.audit)
    return guard
