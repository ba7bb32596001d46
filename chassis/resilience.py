"""Resilience as decorators over one small shape: an `Operation` takes a query and awaits a result.

They compose from the inside out. What a provider's call usually wears:

    op = counted(op)                                  # an outside call of the run
    op = timed(op, 10.0, clock)                       # a total time-out
    op = guarded(op, breaker)                         # the breaker sees each attempt, and none of the waiting
    op = traced(op, telemetry, "hackernews")          # a span for each attempt, with what the breaker did
    op = limited(op, asyncio.Semaphore(5))            # so many at a time
    op = rate_limited(op, TokenBucket(5, 5, clock))   # waits for its turn
    op = refused_early(op, breaker)                   # while the upstream rests nobody waits for a turn
    op = retried(op, RetryPolicy(), clock)            # the one layer that retries
    op = cached(op, cache, key, ttl=3600)             # asked first, outermost

Retry is outside the breaker, so that a breaker that opens ends the retrying at once. What breakers and retries do is
told as events of the current span, so that a run's trace tells which breaker opened when and why.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from chassis.breaker import CircuitBreaker, Transition, counts_as_failure
from chassis.cache import Cache
from chassis.clock import Clock
from chassis.limiters import DailyQuota, Limiter, TokenBucket
from chassis.usage import current_usage
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

if TYPE_CHECKING:
    from chassis.telemetry import Telemetry

Q = TypeVar("Q")
R = TypeVar("R")
Operation: TypeAlias = Callable[[Q], Awaitable[R]]

__all__ = [
    "DailyQuota",
    "Limiter",
    "Operation",
    "RetryBudget",
    "RetryPolicy",
    "TokenBucket",
    "cached",
    "counted",
    "guarded",
    "is_retryable",
    "limited",
    "rate_limited",
    "refused_early",
    "retried",
    "tell_refusal",
    "tell_transition",
    "timed",
    "traced",
]

_log = logging.getLogger(__name__)

# Causes named by chassis.pool and by providers that another attempt would meet again.
_LASTING_CAUSES = frozenset({"too_large", "redirect", "address", "encoding", "refused"})


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
    """Refuses at once with BREAKER_OPEN while the upstream rests; transitions are events of the current span."""
    breaker.add_listener(tell_transition)

    async def run(query: Q) -> R:
        return await breaker.call(lambda: op(query), is_failure=is_failure)

    return run


def refused_early(op: Operation[Q, R], breaker: CircuitBreaker) -> Operation[Q, R]:
    """Refuses with BREAKER_OPEN before `op` waits for a turn or makes a span; the refusal is an event instead."""

    async def run(query: Q) -> R:
        try:
            breaker.check()
        except PipelineError as refusal:
            tell_refusal(breaker.name, refusal)
            raise
        return await op(query)

    return run


def tell_transition(transition: Transition) -> None:
    """A breaker's listener: the transition as an event of the span whose call caused it."""
    from chassis import telemetry as names

    names.add_event(
        names.EVENT_BREAKER_TRANSITION,
        {
            names.ATTR_BREAKER: transition.breaker,
            names.ATTR_BREAKER_FROM: transition.old.value,
            names.ATTR_BREAKER_TO: transition.new.value,
            names.ATTR_BREAKER_CAUSE: transition.cause,
            names.ATTR_BREAKER_REST: round(transition.rest, 3),
        },
    )


def tell_refusal(breaker: str, refusal: PipelineError) -> None:
    """A refusal as an event of the current span."""
    from chassis import telemetry as names

    names.add_event(
        names.EVENT_BREAKER_REFUSAL,
        {names.ATTR_BREAKER: breaker, names.ATTR_RETRY_AFTER: round(refusal.retry_after or 0.0, 3)},
    )


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
    name: str = "upstream",
    on_retry: Callable[[], None] | None = None,
) -> Operation[Q, R]:
    """Calls again after an error that may pass. The last error is the one raised.

    Each retry is an event of the current span, and so is an error that could have been retried but was not, because
    the attempts or the budget were used up.
    """
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
                if wait is None:
                    if failed > 1 and is_retryable(exc):
                        _tell_retry(name, exc, failed, cause="attempts")
                    raise
                if budget is not None and not budget.spend():
                    _tell_retry(name, exc, failed, cause="retry budget exhausted")
                    raise
                _tell_retry(name, exc, failed, wait=wait)
                if on_retry is not None:
                    on_retry()
                _log.debug("attempt %d failed (%s), next in %.2f s", failed, exc, wait)
            await clock.sleep(wait)

    return run


def _tell_retry(name: str, error: Exception, failed: int, *, wait: float | None = None, cause: str = "") -> None:
    from chassis import telemetry as names

    reason = error.reason_name if isinstance(error, PipelineError) else type(error).__name__
    attributes: dict[str, str | int | float | bool] = {
        names.ATTR_PROVIDER: name,
        names.ATTR_RETRY_ATTEMPT: failed,
        names.ATTR_ERROR_REASON: reason,
    }
    if wait is not None:
        names.add_event(names.EVENT_RETRY, {**attributes, names.ATTR_RETRY_WAIT: round(wait, 3)})
    else:
        names.add_event(names.EVENT_RETRY_GIVEN_UP, {**attributes, names.ATTR_RETRY_CAUSE: cause})


# --------------------------------------------------------------------------------- rate and concurrency


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
    counts: bool | None = None,
    attributes: Mapping[str, str | int | float | bool] | None = None,
) -> Operation[Q, R]:
    """A span around each call, with the provider's name; an outside call (`external`) is counted as well.

    `counts=False` where `counted` is inside, next to the call itself.

    A failure leaves its reason on the span and no text, which may hold somebody's data.
    """
    from opentelemetry.trace import SpanKind

    from chassis.telemetry import ATTR_PROVIDER, SPAN_PROVIDER

    fixed = {ATTR_PROVIDER: name, **(attributes or {})}
    kind = SpanKind.CLIENT if external else SpanKind.INTERNAL
    count = external if counts is None else counts

    async def run(query: Q) -> R:
        if count:
            current_usage().external_call()
        with telemetry.span(SPAN_PROVIDER, fixed, kind=kind):
            return await op(query)

    return run
