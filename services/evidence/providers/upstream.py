"""A provider with everything that is put around it: cache, single-flight, retry, breaker, limits, span.

The parts that remember (breaker, cache, token bucket) live as long as the server; what a run brings (its slots
for outside calls, its cache settings, its tally) is put together per call.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from chassis.breaker import BreakerConfig, CircuitBreaker
from chassis.cache import Cache, MemoryCache
from chassis.clock import Clock
from chassis.limits import Profile
from chassis.resilience import (
    Limiter,
    Operation,
    RetryBudget,
    RetryPolicy,
    cached,
    guarded,
    limited,
    rate_limited,
    retried,
    timed,
    traced,
)
from chassis.telemetry import Telemetry
from services.evidence.domain.model import Found, Query
from services.evidence.providers.base import Provider


@dataclass
class Tally:
    """What one run asked of one provider. Calls that a cache answered are not in it."""

    calls: int = 0
    failures: int = 0
    last_error: str = ""


class Upstream:
    """One provider and its lasting state. `cache=None` where nothing of it may be kept."""

    def __init__(
        self,
        provider: Provider,
        *,
        telemetry: Telemetry,
        clock: Clock,
        cache_size: int = 1_000,
        limiter: Limiter | None = None,
        timeout_seconds: float = 10.0,
        breaker: BreakerConfig | None = None,
        retry: RetryPolicy | None = None,
        questions_max: int = 1_000,
        private: bool = False,
    ) -> None:
        self.provider = provider
        # Put in one run at most.
        self.questions_max = questions_max
        self.name = provider.name
        self.breaker = CircuitBreaker(provider.name, breaker or BreakerConfig(), clock)
        self.cache: Cache | None = None if private else MemoryCache(provider.name, cache_size, clock=clock)
        self._telemetry = telemetry
        self._clock = clock
        self._limiter = limiter
        self._timeout = timeout_seconds
        self._retry = retry or RetryPolicy()
        self._retry_budget = RetryBudget()

    def operation(
        self, profile: Profile, slots: AbstractAsyncContextManager[Any], tally: Tally
    ) -> Operation[Query, Sequence[Found]]:
        """Return the search as one run makes it: `slots` bounds its calls to the outside."""
        provider, external = self.provider, not self.provider.offline

        async def ask(query: Query) -> Sequence[Found]:
            tally.calls += 1
            try:
                return tuple(await provider.search(query))
            except Exception:
                tally.failures += 1
                raise

        op: Operation[Query, Sequence[Found]] = traced(ask, self._telemetry, self.name, external=external)
        if external:
            op = timed(op, self._timeout, self._clock, name=self.name)
            op = limited(op, slots)
            # Waiting for a turn keeps no slot from the other sources.
            if self._limiter is not None:
                op = rate_limited(op, self._limiter)
        op = guarded(op, self.breaker)
        if external:
            op = retried(op, self._retry, self._clock, budget=self._retry_budget)
        if profile.caching and self.cache is not None:
            op = cached(op, self.cache, provider.key, ttl=profile.cache_ttl, saves_calls=int(external))
        return op

    def __repr__(self) -> str:
        return f"<Upstream {self.name} {self.breaker.state}>"
