"""What every cache promises, in memory alone and with a disk behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis.cache import MemoryCache
from chassis.cache_file import CacheFile
from chassis.cache_store import StoredCache
from chassis.codecs import JsonCodec
from chassis.testing import ManualClock, settle, until
from chassis.usage import record_usage
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["memory", "stored"])
async def cache(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> AsyncIterator[MemoryCache]:
    if request.param == "memory":
        yield MemoryCache("c", max_size=3, ttl=60, clock=clock)
        return
    file = CacheFile(tmp_path / "cache.db", clock=clock, patience_seconds=5)
    yield StoredCache("c", file, JsonCodec(), max_size=3, ttl=60, clock=clock)
    await file.close()


class Source:
    """Something to ask; waits until it may answer and counts."""

    def __init__(self, answer: object = "value", *, ready: bool = True) -> None:
        self.answer = answer
        self.calls = 0
        self.may = asyncio.Event()
        if ready:
            self.may.set()

    async def __call__(self) -> object:
        self.calls += 1
        await self.may.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def test_a_value_serves_for_its_time(cache: MemoryCache, clock: ManualClock) -> None:
    """A value is served for its ttl and not a moment longer, wherever it is kept."""
    await cache.set("a", {"n": [1, "x", None]})
    await cache.set("b", 2, ttl=10)
    clock.advance(59.9)
    assert (await cache.get("a"), await cache.get("b")) == ({"n": [1, "x", None]}, None)
    clock.advance(0.2)
    assert await cache.get("a", "gone") == "gone"


async def test_a_fresher_value_may_be_insisted_on(cache: MemoryCache, clock: ManualClock) -> None:
    """A caller with a shorter ttl computes anew; the others get what it found."""
    await cache.set("a", "old")
    clock.advance(30)
    assert await cache.get("a", ttl=20) is None
    assert await cache.get("a") == "old"
    assert await cache.get_or_compute("a", Source("new"), ttl=20) == "new"
    assert await cache.get("a") == "new"


async def test_none_is_a_value(cache: MemoryCache) -> None:
    """None is a hit like any other value."""
    source = Source(None)
    assert await cache.get_or_compute("a", source) is None
    assert await cache.get_or_compute("a", source) is None
    assert await cache.get("a", "default") is None
    assert source.calls == 1


async def test_many_readers_compute_once(cache: MemoryCache) -> None:
    """A missing key is computed once for all who ask meanwhile, and the counts say so."""
    source = Source(ready=False)
    with record_usage() as usage:
        readers = [asyncio.create_task(cache.get_or_compute("k", source, saves_calls=1)) for _ in range(50)]
        await until(lambda: source.calls)
        source.may.set()
        assert await asyncio.gather(*readers) == ["value"] * 50
    assert source.calls == 1
    assert (usage.cache_misses, usage.cache_hits, usage.external_calls_saved) == (1, 0, 49)


async def test_the_leader_may_leave(cache: MemoryCache) -> None:
    """Cancelling the first caller fails no other; when all have left, the next one begins anew."""
    source = Source(ready=False)
    callers = [asyncio.create_task(cache.get_or_compute("k", source)) for _ in range(3)]
    await until(lambda: source.calls)
    callers[0].cancel()
    await settle()
    source.may.set()
    assert await asyncio.gather(*callers[1:]) == ["value"] * 2
    assert source.calls == 1


async def test_errors_reach_everyone_and_are_not_kept(cache: MemoryCache) -> None:
    """All who wait get the error, and the next caller asks again."""
    source = Source(PipelineError(errors_pb2.ERROR_REASON_UPSTREAM_FAILED, "down"))
    outcomes = await asyncio.gather(*(cache.get_or_compute("k", source) for _ in range(5)), return_exceptions=True)
    assert all(isinstance(outcome, PipelineError) for outcome in outcomes)
    source.answer = "up"
    assert await cache.get_or_compute("k", source) == "up"
    assert source.calls == 2


async def test_deleted_is_gone(cache: MemoryCache) -> None:
    """A deleted key is computed anew, its neighbours are not."""
    await cache.set("a", 1)
    await cache.set("b", 2)
    await cache.delete("a")
    assert (await cache.get("a"), await cache.get("b")) == (None, 2)


async def test_clear_forgets_what_is_under_way_too(cache: MemoryCache) -> None:
    """What is computed across a clear reaches its caller but is kept nowhere."""
    await cache.set("a", 1)
    source = Source("late", ready=False)
    caller = asyncio.create_task(cache.get_or_compute("k", source))
    await until(lambda: source.calls)
    assert await cache.clear() == 1
    source.may.set()
    assert await caller == "late"
    assert await cache.get("k") is None
    assert await cache.get("a") is None
    assert (await cache.measure()).stored_entries == 0


async def test_memory_is_bounded(cache: MemoryCache) -> None:
    """However much is set, no more than `max_size` entries stay in memory."""
    for number in range(50):
        await cache.set(str(number), number)
    assert cache.stats().entries == 3


async def test_the_rate_of_hits_is_counted(cache: MemoryCache) -> None:
    """Hits and misses add up to what was asked."""
    source = Source()
    for _ in range(4):
        await cache.get_or_compute("k", source)
    assert (cache.stats().hits, cache.stats().misses) == (3, 1)
