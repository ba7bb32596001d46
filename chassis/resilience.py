"""Resilience as decorators over one small shape: an `Operation` takes a query and awaits a result.

They compose from the inside out. What a provider's call usually wears:

    op = traced(op, telemetry, "hackernews")          # a span and a count for each call that leaves
    op = timed(op, 10.0, clock)                       # a total time-out
    op = rate_limited(op, TokenBucket(5, 5, clock))   # waits for its turn
    op = limited(op, asyncio.Semaphore(5))            # so many at a time
    op = guarded(op, breaker)                         # the breaker sees each attempt
    op = retried(op, RetryPolicy(), clock)            # the one layer that retries
    op = cached(op, cache, key, ttl=3600)             # asked first, outermost

Retry is outside the breaker, so that a breaker that opens ends the retrying at once.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from chassis.breaker import CircuitBreaker, counts_as_failure
from chassis.cache import Cache
from chassis.clock import Clock
from chassis.usage import current_usage
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

if TYPE_CHECKING:
    from chassis.telemetry import Telemetry

Q = TypeVar("Q")
R = TypeVar("R")
Operation: TypeAlias = Callable[[Q], Awaitable[R]]

_log = logging.getLogger(__name__)

# Causes named by chassis.pool that another attempt would meet again.
_LASTING_CAUSES = frozenset({"too_large", "redirect", "address", "encoding"})


# ---------------------------------------------------------------------------------------------- cache


def cached(
    op: Operation[Q, R],
    cache: Cache | None,
    key: Callable[[Q], str],
    *,
    ttl: float | None = None,
    saves_calls: int = 1,
) -> Operation[Q, R]:
    """Asks the cache first; equal queries under way are made once. `cache=None` leaves `op` as it is.

    Each hit or joined computation counts `saves_calls` outside calls as saved: give 0 where `op` makes none.
    """
    if cache is None:
        return op

    async def run(query: Q) -> R:
        return await cache.get_or_compute(key(query), lambda: op(query), ttl, saves_calls=saves_calls)

    return run


# -------------------------------------------------------------------------------------------- breaker


def guarded(
    op: Operation[Q, R],
    breaker: CircuitBreaker,
    is_failure: Callable[[BaseException], bool] = counts_as_failure,
) -> Operation[Q, R]:
    """Refuses at once with BREAKER_OPEN while the upstream rests."""

    async def run(query: Q) -> R:
        return await breaker.call(lambda: op(query), is_failure=is_failure)

    return run


# ---------------------------------------------------------------------------------------------- retry


def is_retryable(exc: BaseException) -> bool:
    """UNAVAILABLE from the upstream, and 429 with a wait that it named. Not 4xx, breaker open or offline."""
    if not isinstance(exc, PipelineError):
        return isinstance(exc, ConnectionError)
    if exc.reason == errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED:
        return exc.retry_after is not None
    if exc.metadata.get("cause") in _LASTING_CAUSES:
        return False
    if exc.reason in (errors_pb2.ERROR_REASON_UPSTREAM_FAILED, errors_pb2.ERROR_REASON_STORAGE_UNAVAILABLE):
        return counts_as_failure(exc)  # leaves out 4xx and offline
    return False


@dataclass(frozen=True)
class RetryPolicy:
    """At most `attempts` calls; waits grow from `first_wait` by `factor` to `max_wait` seconds, +-jitter.

    Only for idempotent operations. A `retry_after` that the upstream named replaces the wait; one above
    `retry_after_max` ends the retrying, since calling earlier than asked would not honour it.
    """

    attempts: int = 4
    first_wait: float = 0.1
    max_wait: float = 1.0
    factor: float = 2.0
    jitter: float = 0.2
    retry_after_max: float = 5.0
    # After an answer that broke off in its middle: one retry, as the upstream did its work already.
    interrupted_attempts: int = 2

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.interrupted_attempts < 1:
            raise ValueError("attempts are 0 or less; write 1 or more")
        for field in ("first_wait", "max_wait", "factor", "retry_after_max"):
            if not (0 < getattr(self, field) < math.inf):
                raise ValueError(f"{field} is {getattr(self, field)}; write a number above 0")

    def wait(self, failed: int, exc: BaseException, rng: random.Random) -> float | None:
        """Seconds to wait after the `failed`th failure (from 1), or None: give up."""
        limit = self.attempts
        if isinstance(exc, PipelineError) and exc.metadata.get("interrupted"):
            limit = min(limit, self.interrupted_attempts)
        if failed >= limit or not is_retryable(exc):
            return None
        asked = exc.retry_after if isinstance(exc, PipelineError) else None
        if asked is not None:
            return None if asked > self.retry_after_max else max(asked, self.first_wait)
        wait = min(self.first_wait * self.factor ** (failed - 1), self.max_wait)
        return wait * (1 + rng.uniform(-self.jitter, self.jitter))


class RetryBudget:
    """Bounds the retries of an upstream to a share of its calls, so that an outage is not multiplied.

    Each call earns `ratio` of a retry, up to `reserve` in stock; each retry costs one. With the defaults, 100
    calls against a dead upstream make at most 130.
    """

    def __init__(self, ratio: float = 0.2, reserve: float = 10.0) -> None:
        if not (0 <= ratio < math.inf and 0 <= reserve < math.inf):
            raise ValueError("ratio and reserve are numbers from 0")
        self._ratio = ratio
        self._reserve = reserve
        self._stock = reserve

    def earn(self) -> None:
        self._stock = min(self._reserve, self._stock + self._ratio)

    def spend(self) -> bool:
        """Takes one retry; False when there is none left."""
        if self._stock < 1.0:
            return False
        self._stock -= 1.0
        return True

    def __repr__(self) -> str:
        return f"<RetryBudget {self._stock:.1f} of {self._reserve:g}>"


def retried(
    op: Operation[Q, R],
    policy: RetryPolicy,
    clock: Clock,
    *,
    rng: random.Random | None = None,
    budget: RetryBudget | None = None,
) -> Operation[Q, R]:
    """Calls again after an error that may pass. The last error is the one raised."""
    spread = rng or random.Random()  # noqa: S311  (spreads retries; guards nothing)

    async def run(query: Q) -> R:
        if budget is not None:
            budget.earn()
        failed = 0
        while True:
            try:
                return await op(query)
            except Exception as exc:
                failed += 1
                wait = policy.wait(failed, exc, spread)
                if wait is None or (budget is not None and not budget.spend()):
                    raise
                _log.debug("attempt %d failed (%s), next in %.2f s", failed, exc, wait)
            await clock.sleep(wait)

    return run


# --------------------------------------------------------------------------------- rate and concurrency


class Limiter(Protocol):
    async def acquire(self) -> None:
        """Returns when the caller may go on; raises UPSTREAM_RATE_LIMITED where that would take too long."""
        ...


class TokenBucket:
    """At most `rate` calls per second on average, `burst` at once; callers go in the order they came.

    Who would wait longer than `max_wait` seconds is refused at once. A cancelled caller's turn is given back.
    """

    def __init__(
        self, rate: float, burst: int, clock: Clock, *, max_wait: float = 10.0, name: str = "upstream"
    ) -> None:
        if not (0 < rate < math.inf) or burst < 1 or not (0 <= max_wait < math.inf):
            raise ValueError("rate is above 0 per second, burst from 1, max_wait from 0 seconds")
        self._rate = rate
        self._burst = float(burst)
        self._clock = clock
        self._max_wait = max_wait
        self._name = name
        self._tokens = float(burst)  # below zero: turns already promised
        self._updated = clock.monotonic()

    async def acquire(self) -> None:
        self._refill()
        wait = (1.0 - self._tokens) / self._rate
        if wait > self._max_wait:
            raise PipelineError(
                errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED,
                f"{self._name} takes {self._rate:g} calls a second; the next turn is in {wait:.1f} s",
                metadata={"upstream": self._name},
                retry_after=wait,
            )
        self._tokens -= 1.0
        if wait <= 0:
            return
        try:
            await self._clock.sleep(wait)
        except asyncio.CancelledError:
            self._tokens = min(self._burst, self._tokens + 1.0)
            raise

    def _refill(self) -> None:
        now = self._clock.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._updated) * self._rate)
        self._updated = now

    def __repr__(self) -> str:
        return f"<TokenBucket {self._name} {self._rate:g}/s tokens={self._tokens:.1f}/{self._burst:g}>"


def rate_limited(op: Operation[Q, R], limiter: Limiter) -> Operation[Q, R]:
    """Waits for a turn before each call."""

    async def run(query: Q) -> R:
        await limiter.acquire()
        return await op(query)

    return run


def limited(op: Operation[Q, R], slots: AbstractAsyncContextManager[Any]) -> Operation[Q, R]:
    """At most as many calls at a time as `slots` (an asyncio.Semaphore, shared by a run's providers) has."""

    async def run(query: Q) -> R:
        async with slots:
            return await op(query)

    return run


# ----------------------------------------------------------------------------------------------- time


def timed(op: Operation[Q, R], seconds: float, clock: Clock, *, name: str = "upstream") -> Operation[Q, R]:
    """Ends the call after `seconds` in all with DEADLINE_EXCEEDED, having cancelled it."""
    if not (0 < seconds < math.inf):
        raise ValueError(f"seconds is {seconds}; write a time above 0")

    async def run(query: Q) -> R:
        work = asyncio.ensure_future(op(query))
        timer = asyncio.ensure_future(clock.sleep(seconds))
        try:
            await asyncio.wait({work, timer}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                raise PipelineError(
                    errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED,
                    f"{name} did not answer within {seconds:g} s",
                    metadata={"upstream": name},
                )
            return work.result()
        finally:
            await _end(work, timer)

    return run


async def _end(*futures: asyncio.Future[Any]) -> None:
    """Cancels what still runs and waits until it has: sockets and permits are free afterwards."""
    running = {future for future in futures if not future.done()}
    for future in running:
        future.cancel()
    if running:
        await asyncio.wait(running)
    for future in running:
        if not future.cancelled():
            future.exception()  # seen: the caller has its own error


# -------------------------------------------------------------------------------- telemetry and counts


def counted(op: Operation[Q, R]) -> Operation[Q, R]:
    """Counts one outside call of the current run for each call, failed ones too."""

    async def run(query: Q) -> R:
        current_usage().external_call()
        return await op(query)

    return run


def traced(
    op: Operation[Q, R],
    telemetry: Telemetry,
    name: str,
    *,
    external: bool = True,
    attributes: Mapping[str, str | int | float | bool] | None = None,
) -> Operation[Q, R]:
    """A span around each call, with the provider's name; an outside call (`external`) is counted as well.

    A failure leaves its reason on the span and no text, which may hold somebody's data.
    """
    from opentelemetry.trace import SpanKind

    from chassis.telemetry import ATTR_PROVIDER, SPAN_PROVIDER

    fixed = {ATTR_PROVIDER: name, **(attributes or {})}
    kind = SpanKind.CLIENT if external else SpanKind.INTERNAL

    async def run(query: Q) -> R:
        if external:
            current_usage().external_call()
        with telemetry.span(SPAN_PROVIDER, fixed, kind=kind):
            return await op(query)

    return run
