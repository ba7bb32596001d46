"""Who may call when: so many calls a second, so many a day."""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, datetime, timedelta
from typing import Protocol

from chassis.clock import Clock
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2


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


class QuotaStore(Protocol):
    """Counts uses of a daily quota over processes (`chassis.cache_file.CacheFile`)."""

    async def spend(self, name: str, day: str, limit: int) -> bool | None:
        """Takes one use; False when none is left, None when the store cannot say."""
        ...


class DailyQuota:
    """At most `calls` calls in a day (UTC), over all processes that share `store`; by itself while that is away.

    A call counts when it is made, whatever becomes of it, as the upstream's operator counts it.
    """

    def __init__(self, calls: int, clock: Clock, *, store: QuotaStore | None = None, name: str = "upstream") -> None:
        if calls < 1:
            raise ValueError(f"calls is {calls}; write 1 or more")
        self._calls = calls
        self._clock = clock
        self._store = store
        self._name = name
        self._day = ""
        self._used = 0

    async def acquire(self) -> None:
        """Raises UPSTREAM_RATE_LIMITED with the seconds until midnight UTC when the day's calls are used up."""
        now = self._clock.now().astimezone(UTC)
        day = now.date().isoformat()
        if day != self._day:
            self._day, self._used = day, 0
        if self._used >= self._calls:
            raise self._used_up(now)
        self._used += 1
        if self._store is not None and await self._store.spend(self._name, day, self._calls) is False:
            self._used = self._calls
            raise self._used_up(now)

    def _used_up(self, now: datetime) -> PipelineError:
        midnight = datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)
        return PipelineError(
            errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED,
            f"{self._name} answers {self._calls:,} calls a day, which are used up until midnight UTC",
            metadata={"upstream": self._name, "cause": "daily_quota"},
            retry_after=(midnight - now).total_seconds(),
        )

    def __repr__(self) -> str:
        return f"<DailyQuota {self._name} {self._used}/{self._calls} on {self._day or 'no day yet'}>"
