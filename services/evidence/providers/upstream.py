"""A provider with everything that is put around it: cache, single-flight, retry, breaker, limits, price, span.

The parts that remember (breaker, cache, token bucket, quota of the day) live as long as the server; what a run brings
(its slots for outside calls, its cache settings, its budget, its tally) is put together per call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Any

from chassis.breaker import BreakerConfig, CircuitBreaker
from chassis.budget import Budget
from chassis.cache import Cache, MemoryCache
from chassis.cache_file import CacheFile
from chassis.cache_store import StoredCache
from chassis.clock import Clock
from chassis.limits import Profile
from chassis.resilience import (
    DailyQuota,
    Limiter,
    Operation,
    RetryBudget,
    RetryPolicy,
    TokenBucket,
    counted,
    guarded,
    limited,
    rate_limited,
    refused_early,
    retried,
    timed,
    traced,
)
from chassis.telemetry import Telemetry
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2
from services.evidence.domain.model import Found, Query
from services.evidence.found_codec import FoundCodec
from services.evidence.providers.base import DEFAULT_TERMS, Provider, Terms

# Five failures in a row, or half of a busy window: a run asks a source some six times, which fills no window.
BREAKER = BreakerConfig(mode="either")

# Questions to a source without terms: what 20 domains and 30 claims can make.
QUESTIONS_MAX = 600

# Refusals of our own side: the question was not put.
_NOT_PUT = frozenset({errors_pb2.ERROR_REASON_BREAKER_OPEN, errors_pb2.ERROR_REASON_BUDGET_EXHAUSTED})


@dataclass
class Tally:
    """What one run asked of one provider. `calls` are attempts that left; answers from the cache are not in it."""

    calls: int = 0
    failures: int = 0
    last_error: str = ""
    # Answers that another run, or an earlier one, had paid for.
    cache_hits: int = 0
    spent_micros: int = 0
    retries: int = 0
    # Questions that were not put: the run's share of questions, the day's quota, the budget or the breaker forbade it.
    left_out: int = 0
    # Attempts that money was reserved for; numbers their bookings.
    priced: int = 0
    # Told of each attempt that left: None where it was answered, else what became of it.
    attempted: Callable[[Exception | None], None] = lambda error: None


class Upstream:
    """One provider and its lasting state. `private`: nothing of it may be kept, in memory or on disk.

    `terms` are those of its operator; `rate_factor` multiplies rate and quota (for mirrors of one's own); `store` is
    where its answers and its quota outlive the process. `limiter` and `timeout_seconds` replace what the terms say.
    Without terms the calls are not spaced.
    """

    def __init__(
        self,
        provider: Provider,
        *,
        telemetry: Telemetry,
        clock: Clock,
        terms: Terms | None = None,
        rate_factor: float = 1.0,
        cache_size: int = 1_000,
        store: CacheFile | None = None,
        limiter: Limiter | None = None,
        timeout_seconds: float | None = None,
        breaker: BreakerConfig | None = None,
        retry: RetryPolicy | None = None,
        private: bool = False,
    ) -> None:
        self.provider = provider
        self.name = provider.name
        agreed = terms or DEFAULT_TERMS
        self.terms = agreed if timeout_seconds is None else replace(agreed, timeout_seconds=timeout_seconds)
        # Put in one run at most; a source of our own has no operator to spare.
        self.questions_max = terms.calls_per_run if terms is not None and not provider.offline else QUESTIONS_MAX
        self.breaker = CircuitBreaker(provider.name, breaker or BREAKER, clock)
        self.cache: Cache | None = None
        if not private:
            self.cache = _cache(provider, agreed, cache_size, store, clock)
        self._telemetry = telemetry
        self._clock = clock
        self._limiters: list[Limiter] = []
        if not provider.offline:
            if limiter is None and terms is not None:
                limiter = TokenBucket(terms.rate * rate_factor, terms.burst, clock, name=self.name)
            if limiter is not None:
                self._limiters.append(limiter)
            if agreed.calls_per_day:
                calls = max(int(agreed.calls_per_day * rate_factor), 1)
                self._limiters.append(DailyQuota(calls, clock, store=store, name=self.name))
        self._retry = retry or RetryPolicy()
        self._retry_budget = RetryBudget()

    def operation(
        self,
        profile: Profile,
        slots: AbstractAsyncContextManager[Any],
        tally: Tally,
        budget: Budget | None = None,
        effect: str = "",
    ) -> Operation[Query, Sequence[Found]]:
        """Return the search as one run makes it: `slots` bounds its calls to the outside, `budget` what it spends.

        A provider with a price is not asked without a budget that covers it (BUDGET_EXHAUSTED). `effect` begins the
        keys of its bookings: run, phase and attempt.
        """
        provider, external = self.provider, not self.provider.offline

        async def ask(query: Query) -> Sequence[Found]:
            tally.calls += 1
            try:
                found = tuple(await provider.search(query))
            except Exception as error:
                tally.failures += 1
                tally.attempted(error)
                raise
            tally.attempted(None)
            return found

        def retry_made() -> None:
            tally.retries += 1

        op: Operation[Query, Sequence[Found]] = ask
        if external:
            op = timed(counted(op), self._seconds(profile), self._clock, name=self.name)
            if self.terms.price_micros:
                op = self._paid(op, tally, budget, effect)
        op = guarded(op, self.breaker)
        op = traced(op, self._telemetry, self.name, external=external, counts=False)
        if external:
            op = limited(op, slots)
            # Waiting for a turn keeps no slot from the other sources.
            for limiter in self._limiters:
                op = rate_limited(op, limiter)
        op = refused_early(op, self.breaker)
        if external:
            op = retried(op, self._retry, self._clock, budget=self._retry_budget, name=self.name, on_retry=retry_made)
        if profile.caching and self.cache is not None:
            op = self._cached(op, self.cache, profile, tally)
        return _left_out_told(op, tally)

    def _seconds(self, profile: Profile) -> float:
        """The operator's time-out or the run's `connection_timeout`, whichever is shorter; for the whole call."""
        return min(self.terms.timeout_seconds, profile.connection_timeout)

    def _cached(
        self, op: Operation[Query, Sequence[Found]], cache: Cache, profile: Profile, tally: Tally
    ) -> Operation[Query, Sequence[Found]]:
        """Asks the cache first. An answer serves as long as both its operator's terms and the run allow."""
        ttl = min(self.terms.ttl_seconds, profile.cache_ttl)
        saves = int(not self.provider.offline)

        async def run(query: Query) -> Sequence[Found]:
            while True:
                asked = False

                async def compute() -> Sequence[Found]:
                    nonlocal asked
                    asked = True
                    return await op(query)

                try:
                    found: Sequence[Found] = await cache.get_or_compute(
                        self.provider.key(query), compute, ttl, saves_calls=saves
                    )
                except PipelineError as error:
                    if asked or error.reason != errors_pb2.ERROR_REASON_BUDGET_EXHAUSTED:
                        raise
                    continue  # another run's money was used up while this one waited for its answer
                tally.cache_hits += not asked
                return found

        return run

    def _paid(
        self, op: Operation[Query, Sequence[Found]], tally: Tally, budget: Budget | None, effect: str
    ) -> Operation[Query, Sequence[Found]]:
        """Reserves the price before each attempt; books it, unless the operator refused the call and bills nothing."""
        price = self.terms.price_micros

        async def run(query: Query) -> Sequence[Found]:
            if budget is None:
                raise PipelineError(
                    errors_pb2.ERROR_REASON_BUDGET_EXHAUSTED,
                    f"{self.name} costs {price} micros of USD a call and the run gave it no budget",
                    metadata={"upstream": self.name},
                )
            tally.priced += 1
            key = "/".join(part for part in (effect, self.name, str(tally.priced)) if part)
            purpose = f"{self.name}, call {tally.priced}"
            held = budget.reserve(common_pb2.BUDGET_CATEGORY_SEARCH, price, key, purpose)
            try:
                found = await op(query)
            except BaseException as error:
                if _is_free(error):
                    budget.release(held)
                else:
                    budget.settle(held, price)
                    tally.spent_micros += price
                raise
            budget.settle(held, price)
            tally.spent_micros += price
            return found

        return run

    def __repr__(self) -> str:
        return f"<Upstream {self.name} {self.breaker.state}>"


def _cache(provider: Provider, terms: Terms, size: int, store: CacheFile | None, clock: Clock) -> Cache:
    # What is answered from our own data is cheaper to find again than to read from a disk.
    if store is None or provider.offline:
        return MemoryCache(provider.name, size, terms.ttl_seconds, clock)
    return StoredCache(provider.name, store, FoundCodec(), size, terms.ttl_seconds, clock)


def _is_free(error: BaseException) -> bool:
    """Whether an attempt that failed costs nothing: an answer with an error status, or no connection at all.

    Anything else (a time-out, an answer that broke off, a cancelled call) may have been billed.
    """
    if not isinstance(error, PipelineError):
        return False
    status = error.metadata.get("status", "")
    refused = error.reason == errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED or (status.isdigit() and int(status) >= 400)
    return refused or error.metadata.get("cause") == "connect" or "offline" in error.metadata


def _left_out_told(op: Operation[Query, Sequence[Found]], tally: Tally) -> Operation[Query, Sequence[Found]]:
    """Counts the questions that were never put."""

    async def run(query: Query) -> Sequence[Found]:
        before = tally.calls
        try:
            return await op(query)
        except PipelineError as error:
            refused = error.reason in _NOT_PUT or error.metadata.get("cause") == "daily_quota"
            if refused and tally.calls == before:
                tally.left_out += 1
            raise

    return run
