"""The decorators, one by one and together, on a manual clock."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from chassis.breaker import BreakerConfig, BreakerState, CircuitBreaker
from chassis.cache import MemoryCache
from chassis.pool import OfflineError
from chassis.resilience import (
    RetryBudget,
    RetryPolicy,
    TokenBucket,
    cached,
    counted,
    guarded,
    is_retryable,
    limited,
    rate_limited,
    retried,
    timed,
    traced,
)
from chassis.testing import ManualClock, recording_telemetry, settle
from chassis.usage import record_usage
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2


def failed(retry_after: float | None = None, **metadata: str) -> PipelineError:
    return PipelineError(errors_pb2.ERROR_REASON_UPSTREAM_FAILED, "no", metadata=metadata, retry_after=retry_after)


def busy(retry_after: float | None) -> PipelineError:
    return PipelineError(
        errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED,
        "busy",
        metadata={"status": "429"},
        retry_after=retry_after,
    )


class Upstream:
    """Fails as often as told to, then answers; notes when it was called."""

    def __init__(self, clock: ManualClock, *errors: Exception) -> None:
        self.clock = clock
        self.errors = list(errors)
        self.times: list[float] = []

    async def __call__(self, query: str) -> str:
        self.times.append(self.clock.monotonic())
        if self.errors:
            raise self.errors.pop(0)
        return f"answer to {query}"


async def run(clock: ManualClock, op: Callable[[str], Awaitable[object]], seconds: float = 60) -> object:
    """The outcome of one call, however long it waits on the manual clock."""
    task = asyncio.ensure_future(op("q"))
    await clock.tick(seconds)
    await asyncio.wait({task})
    return task.exception() or task.result()


async def test_retry_waits_grow_with_jitter() -> None:
    """Four attempts, 0.1 s doubling, each wait within a fifth of its nominal length."""
    clock = ManualClock()
    upstream = Upstream(clock, failed(), failed(), failed())
    op = retried(upstream, RetryPolicy(), clock, rng=random.Random(3))
    assert await run(clock, op) == "answer to q"
    waits = [later - earlier for earlier, later in zip(upstream.times, upstream.times[1:], strict=False)]
    assert len(waits) == 3
    for wait, nominal in zip(waits, (0.1, 0.2, 0.4), strict=True):
        assert nominal * 0.8 <= wait <= nominal * 1.2
        assert wait != nominal


async def test_retry_gives_up_after_four_attempts() -> None:
    """The last error is the one raised."""
    clock = ManualClock()
    errors = [failed(n=str(n)) for n in range(9)]
    upstream = Upstream(clock, *errors)
    assert await run(clock, retried(upstream, RetryPolicy(), clock)) is errors[3]
    assert len(upstream.times) == 4


@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        (failed(status="503"), 4),
        (ConnectionResetError(), 4),
        (failed(interrupted="true"), 2),
        (failed(status="404"), 1),
        (failed(cause="too_large"), 1),
        (busy(1.0), 4),
        (busy(None), 1),
        (OfflineError("x"), 1),
        (PipelineError(errors_pb2.ERROR_REASON_BREAKER_OPEN, "resting", retry_after=0.5), 1),
        (PipelineError(errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED, "late"), 1),
        (PipelineError.invalid("query", "is empty"), 1),
        (KeyError("defect"), 1),
    ],
)
async def test_only_what_may_pass_is_retried(error: Exception, attempts: int) -> None:
    """UNAVAILABLE and a named wait are retried, an interrupted answer once, everything else not at all."""
    clock = ManualClock()
    upstream = Upstream(clock, *[error] * 9)
    assert await run(clock, retried(upstream, RetryPolicy(), clock)) is error
    assert len(upstream.times) == attempts
    assert is_retryable(error) is (attempts > 1)


async def test_retry_after_is_honoured() -> None:
    """A named wait replaces ours; one above the cap ends the retrying instead of calling too early."""
    clock = ManualClock()
    upstream = Upstream(clock, busy(3.0), failed(4.5, status="503"))
    assert await run(clock, retried(upstream, RetryPolicy(), clock)) == "answer to q"
    assert upstream.times == [0, 3.0, 7.5]
    impatient = Upstream(clock, busy(5.5))
    outcome = await run(clock, retried(impatient, RetryPolicy(), clock))
    assert isinstance(outcome, PipelineError)
    assert outcome.retry_after == 5.5
    assert len(impatient.times) == 1


async def test_retry_budget_bounds_an_outage() -> None:
    """When everything fails, 100 calls make at most 130 upstream calls."""
    clock = ManualClock()
    upstream = Upstream(clock, *[failed() for _ in range(1_000)])
    op = retried(upstream, RetryPolicy(), clock, budget=RetryBudget())
    for _ in range(100):
        assert isinstance(await run(clock, op, 5), PipelineError)
    assert 110 < len(upstream.times) <= 130


async def test_breaker_ends_retrying() -> None:
    """Once the breaker opens, the retry stops at once and the upstream is left alone."""
    clock = ManualClock()
    upstream = Upstream(clock, *[failed() for _ in range(20)])
    breaker = CircuitBreaker("x", BreakerConfig(mode="consecutive", failure_threshold=2), clock)
    op = retried(guarded(upstream, breaker), RetryPolicy(), clock)
    outcome = await run(clock, op, 3)
    assert isinstance(outcome, PipelineError)
    assert outcome.reason == errors_pb2.ERROR_REASON_BREAKER_OPEN
    assert len(upstream.times) == 2
    assert breaker.state is BreakerState.OPEN


async def test_token_bucket_spaces_calls() -> None:
    """A burst goes at once, then one call per interval, in order."""
    clock = ManualClock()
    upstream = Upstream(clock)
    op = rate_limited(upstream, TokenBucket(2, 3, clock))
    tasks = [asyncio.ensure_future(op(str(n))) for n in range(6)]
    await clock.tick(10)
    assert [task.result() for task in tasks] == [f"answer to {n}" for n in range(6)]
    assert upstream.times == [0, 0, 0, 0.5, 1.0, 1.5]


async def test_token_bucket_refuses_long_waits() -> None:
    """Who would wait longer than the bound is refused at once, with the time to come back."""
    clock = ManualClock()
    bucket = TokenBucket(1, 1, clock, max_wait=2, name="hackernews")
    waiting = [asyncio.create_task(bucket.acquire()) for _ in range(3)]
    await settle()
    with pytest.raises(PipelineError) as caught:
        await bucket.acquire()
    assert caught.value.reason == errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED
    assert caught.value.retry_after == 3
    await clock.tick(2)
    assert all(task.done() for task in waiting)


async def test_cancelled_turn_is_given_back() -> None:
    """A caller who leaves while it waits costs the others no turn."""
    clock = ManualClock()
    bucket = TokenBucket(1, 1, clock)
    await bucket.acquire()
    leaving = asyncio.create_task(bucket.acquire())
    await settle()
    leaving.cancel()
    await settle()
    staying = asyncio.create_task(bucket.acquire())
    await clock.tick(1)
    assert staying.done()


async def test_time_out_cancels_the_call() -> None:
    """A call past its time ends with DEADLINE_EXCEEDED, having been cancelled and waited for."""
    clock, ended = ManualClock(), []

    async def hangs(query: str) -> str:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(query)
        return ""

    outcome = await run(clock, timed(hangs, 2.0, clock, name="hackernews"), 1.99 + 0.02)
    assert isinstance(outcome, PipelineError)
    assert outcome.reason == errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED
    assert outcome.metadata == {"upstream": "hackernews"}
    assert ended == ["q"]
    assert len(asyncio.all_tasks()) == 1


async def test_time_out_leaves_fast_calls_and_cancellation_alone() -> None:
    """Results, errors and the caller's own cancellation pass through; the timer goes with them."""
    clock = ManualClock()
    assert await run(clock, timed(Upstream(clock), 5, clock), 0) == "answer to q"
    error = failed()
    assert await run(clock, timed(Upstream(clock, error), 5, clock), 0) is error
    cancelled = asyncio.Event()

    async def hangs(_: str) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    task = asyncio.ensure_future(timed(hangs, 5, clock)("q"))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cancelled.is_set()
    assert clock.sleepers == 0


async def test_limited_shares_slots() -> None:
    """Operations that share a semaphore run so many at a time."""
    running = most = 0

    async def work(_: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await settle(3)
        running -= 1

    slots = asyncio.Semaphore(3)
    first, second = limited(work, slots), limited(work, slots)
    await asyncio.gather(*(op(n) for n in range(10) for op in (first, second)))
    assert most == 3


async def test_cached_saves_calls() -> None:
    """Equal queries are asked once; each hit counts as a call saved; no cache leaves the operation alone."""
    clock = ManualClock()
    upstream = Upstream(clock)
    op = cached(upstream, MemoryCache("c", clock=clock), key=str.lower)
    with record_usage() as usage:
        assert await op("Food") == await op("food") == "answer to Food"
    assert (len(upstream.times), usage.cache_hits, usage.external_calls_saved) == (1, 1, 1)
    assert cached(upstream, None, key=str) is upstream


async def test_traced_makes_a_span_and_counts() -> None:
    """Each call leaves a span with the provider's name and counts once; a failed one says why, without text."""
    clock, telemetry = ManualClock(), recording_telemetry()
    op = traced(Upstream(clock, failed(secret="x")), telemetry, "hackernews")
    with record_usage() as usage:
        with pytest.raises(PipelineError):
            await op("q")
        await op("q")
    assert usage.external_calls == 2
    first, second = telemetry.spans()
    assert first.attributes is not None
    assert first.attributes["pipeline.provider"] == "hackernews"
    assert first.kind.name == "CLIENT"
    assert (first.status.is_ok, first.status.description) == (False, "UPSTREAM_FAILED")
    assert second.status.is_ok
    assert first.events == ()


async def test_inside_operations_are_traced_without_counting() -> None:
    """A provider that reads our own data has a span but no outside call; `counted` counts without a span."""
    clock, telemetry = ManualClock(), recording_telemetry()
    with record_usage() as usage:
        await traced(Upstream(clock), telemetry, "directory", external=False)("q")
        assert usage.external_calls == 0
        await counted(Upstream(clock))("q")
        assert usage.external_calls == 1
    assert [span.kind.name for span in telemetry.spans()] == ["INTERNAL"]


async def test_the_whole_stack() -> None:
    """Composed, a failing then working upstream is retried, counted per attempt, traced, and cached."""
    clock, telemetry = ManualClock(), recording_telemetry()
    upstream = Upstream(clock, failed(status="503"), failed(interrupted="true"))
    op = traced(upstream, telemetry, "hackernews")
    op = timed(op, 10, clock)
    op = rate_limited(op, TokenBucket(100, 100, clock))
    op = limited(op, asyncio.Semaphore(5))
    op = guarded(op, CircuitBreaker("x", clock=clock))
    op = retried(op, RetryPolicy(interrupted_attempts=3), clock)
    op = cached(op, MemoryCache("c", clock=clock), str)
    with record_usage() as usage:
        calls = [asyncio.ensure_future(op("q")) for _ in range(3)]
        for _ in range(20):
            await clock.tick(0.1)
        outcomes = await asyncio.gather(*calls)
    assert outcomes == ["answer to q"] * 3
    assert (usage.external_calls, usage.external_calls_saved, usage.cache_misses) == (3, 2, 1)
    assert len(telemetry.spans()) == 3


def test_nonsense_is_refused() -> None:
    """Policies and limits that make no sense are refused when they are made."""
    clock = ManualClock()
    for make in (
        lambda: RetryPolicy(attempts=0),
        lambda: RetryPolicy(max_wait=float("nan")),
        lambda: TokenBucket(0, 1, clock),
        lambda: TokenBucket(1, 0, clock),
        lambda: RetryBudget(ratio=-1),
        lambda: timed(Upstream(clock), 0, clock),
    ):
        with pytest.raises(ValueError):
            make()
