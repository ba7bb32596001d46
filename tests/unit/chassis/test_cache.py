"""The memory cache: time, size, single-flight, counts."""

from __future__ import annotations

import asyncio

import pytest

from chassis.cache import CacheStats, MemoryCache
from chassis.testing import ManualClock, settle
from chassis.usage import current_usage, record_usage
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2


class Source:
    """Something slow to ask; counts how often it was, and answers when told to."""

    def __init__(self) -> None:
        self.calls = 0
        self.cancelled = 0
        self.answer = asyncio.Event()

    async def __call__(self) -> int:
        self.calls += 1
        call = self.calls
        try:
            await self.answer.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return call


async def constant(value: object = "value") -> object:
    return value


async def test_value_serves_until_its_time_is_up() -> None:
    """A value is served for its ttl and not a moment longer."""
    clock = ManualClock()
    cache = MemoryCache("c", ttl=60, clock=clock)
    await cache.set("a", 1)
    await cache.set("b", 2, ttl=10)
    clock.advance(59.9)
    assert (await cache.get("a"), await cache.get("b")) == (1, None)
    clock.advance(0.1)
    assert await cache.get("a", "gone") == "gone"


async def test_caller_may_insist_on_a_fresher_value() -> None:
    """A caller with a shorter ttl does not accept an old value; others still do."""
    clock = ManualClock()
    cache = MemoryCache("c", ttl=3600, clock=clock)
    await cache.set("a", "old")
    clock.advance(100)
    assert await cache.get("a", ttl=50) is None
    assert await cache.get("a") == "old"
    assert await cache.get_or_compute("a", lambda: constant("new"), ttl=50) == "new"
    assert await cache.get("a") == "new"


async def test_cached_none_is_a_hit() -> None:
    """None is a value like any other."""
    cache = MemoryCache("c")
    assert await cache.get_or_compute("a", lambda: constant(None)) is None
    assert await cache.get("a", "default") is None
    assert cache.stats().hits == 1


async def test_size_is_bounded_and_least_recently_used_leaves() -> None:
    """Past its size the entry that was not used for longest is evicted."""
    cache = MemoryCache("c", max_size=3)
    for key in "abc":
        await cache.set(key, key)
    await cache.get("a")
    await cache.set("d", "d")
    assert [await cache.get(key) for key in "abcd"] == ["a", None, "c", "d"]
    for number in range(10_000):
        await cache.set(str(number), number)
    assert cache.stats().entries == 3
    assert cache.stats().evictions == 10_001
    cache.resize(1)
    assert cache.stats().entries == 1


async def test_500_readers_of_a_missing_key_compute_it_once() -> None:
    """A hot key that is gone is computed once for 500 readers."""
    cache, source = MemoryCache("c"), Source()
    with record_usage() as usage:
        readers = [asyncio.create_task(cache.get_or_compute("k", source, saves_calls=1)) for _ in range(500)]
        await settle()
        source.answer.set()
        assert await asyncio.gather(*readers) == [1] * 500
    assert source.calls == 1
    assert cache.stats() == CacheStats("c", 1, 1000, hits=0, misses=1, coalesced=499, evictions=0)
    assert (usage.cache_misses, usage.cache_hits, usage.external_calls_saved) == (1, 0, 499)


async def test_cancelling_the_leader_fails_no_follower() -> None:
    """The first caller leaves; the others get their value from the same computation."""
    cache, source = MemoryCache("c"), Source()
    leader = asyncio.create_task(cache.get_or_compute("k", source))
    await settle()
    followers = [asyncio.create_task(cache.get_or_compute("k", source)) for _ in range(10)]
    await settle()
    leader.cancel()
    await settle()
    assert leader.cancelled()
    source.answer.set()
    assert await asyncio.gather(*followers) == [1] * 10
    assert source.cancelled == 0


async def test_computation_ends_when_everybody_has_left() -> None:
    """When the last caller is cancelled, so is the computation; the next caller starts a new one."""
    cache, source = MemoryCache("c"), Source()
    callers = [asyncio.create_task(cache.get_or_compute("k", source)) for _ in range(3)]
    await settle()
    for caller in callers[:2]:
        caller.cancel()
    await settle()
    assert source.cancelled == 0
    callers[2].cancel()
    await settle()
    assert source.cancelled == 1
    assert "computing=0" in repr(cache)
    source.answer.set()
    assert await cache.get_or_compute("k", source) == 2


async def test_exceptions_reach_everyone_and_are_not_cached() -> None:
    """All who wait get the error; the next caller computes again."""
    cache, calls = MemoryCache("c"), 0

    async def failing() -> str:
        nonlocal calls
        calls += 1
        await settle()
        if calls == 1:
            raise PipelineError(errors_pb2.ERROR_REASON_UPSTREAM_FAILED, "down")
        return "up"

    results = await asyncio.gather(*(cache.get_or_compute("k", failing) for _ in range(5)), return_exceptions=True)
    assert all(isinstance(result, PipelineError) for result in results)
    assert calls == 1
    assert await cache.get_or_compute("k", failing) == "up"


async def test_counts_belong_to_the_run_that_asked() -> None:
    """Hits and misses go to the run that caused them; outside calls to the run that began the computation."""
    cache = MemoryCache("c")

    async def call() -> str:
        current_usage().external_call()
        return "answer"

    with record_usage() as first:
        await cache.get_or_compute("k", call, saves_calls=1)
    with record_usage() as second:
        await cache.get_or_compute("k", call, saves_calls=1)
        await cache.get_or_compute("k", call)
    assert (first.cache_misses, first.external_calls, first.external_calls_saved) == (1, 1, 0)
    assert (second.cache_hits, second.external_calls, second.external_calls_saved) == (2, 0, 1)
    assert cache.stats().hit_rate == pytest.approx(2 / 3)


async def test_clear_drops_what_is_under_way() -> None:
    """A value computed from before a clear reaches its caller but is not kept."""
    cache, source = MemoryCache("c"), Source()
    caller = asyncio.create_task(cache.get_or_compute("k", source))
    await settle()
    await cache.clear()
    source.answer.set()
    assert await caller == 1
    assert await cache.get("k") is None


async def test_close_cancels_what_is_computed_with_a_typed_error() -> None:
    """Callers of a closing cache get CANCELLED as an error: they were not cancelled themselves."""
    cache, source = MemoryCache("c"), Source()
    caller = asyncio.create_task(cache.get_or_compute("k", source))
    await settle()
    await cache.close()
    with pytest.raises(PipelineError) as caught:
        await caller
    assert caught.value.reason == errors_pb2.ERROR_REASON_CANCELLED
    assert source.cancelled == 1


@pytest.mark.parametrize("ttl", [0.0, -1.0, float("nan"), float("inf")])
async def test_nonsense_ttl_is_refused(ttl: float) -> None:
    """A ttl that is not a positive number is refused."""
    with pytest.raises(ValueError, match="ttl"):
        MemoryCache("c", ttl=ttl)
    with pytest.raises(ValueError, match="ttl"):
        await MemoryCache("c").set("k", 1, ttl=ttl)
    with pytest.raises(ValueError, match="max_size"):
        MemoryCache("c", max_size=0)
