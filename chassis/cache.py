"""A bounded cache with time to live, least-recently-used eviction and single-flight.

Single-flight: when many callers ask for a key that is not there, it is computed once, in a task of its own.
Cancelling any of the callers, the first included, fails no other; only when the last one leaves is the
computation cancelled. What the computation raises goes to all who wait and is not cached.

Values are kept **by reference**: a caller must not change what it got. Store frozen dataclasses, tuples,
bytes, str or protobuf messages that nobody mutates (copy before changing).
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

from chassis.clock import Clock, SystemClock
from chassis.usage import current_usage
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

T = TypeVar("T")


class CacheStats(NamedTuple):
    """Counts since the cache was made. A coalesced call is one that joined a computation under way."""

    name: str
    entries: int
    max_size: int
    hits: int
    misses: int
    coalesced: int
    evictions: int
    # On disk; 0 for a cache in memory only.
    stored_entries: int = 0
    stored_bytes: int = 0

    @property
    def hit_rate(self) -> float:
        """hits / (hits + misses), 0.0 before the first call."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else 0.0


class Clearable(Protocol):
    """What operators see of anything that keeps answers."""

    @property
    def name(self) -> str: ...

    def stats(self) -> CacheStats:
        """Counts that are at hand; what is on disk as it was last measured."""
        ...

    async def measure(self) -> CacheStats:
        """Counts, with what is on disk counted anew."""
        ...

    async def clear(self) -> int:
        """Forgets everything, on disk too; returns how many entries. What is under way is not kept afterwards."""
        ...


class Cache(Clearable, Protocol):
    """What services program against: memory (`MemoryCache`), with a disk behind it (`chassis.cache_store`)."""

    async def get(self, key: str, default: Any = None, *, ttl: float | None = None) -> Any:
        """The value, or `default` where there is none or it is older than `ttl` seconds."""
        ...

    async def set(self, key: str, value: Any, ttl: float | None = None) -> None: ...

    async def get_or_compute(
        self,
        key: str,
        compute: Callable[[], Awaitable[T]],
        ttl: float | None = None,
        *,
        saves_calls: int = 0,
    ) -> T:
        """The value, computed at most once at a time. `saves_calls`: outside calls that a hit avoids."""
        ...

    async def delete(self, key: str) -> None: ...

    async def close(self) -> None: ...


class _Entry(NamedTuple):
    value: Any
    stored: float
    expires: float


@dataclass(eq=False)
class _Flight:
    task: asyncio.Task[Any]
    waiters: int = 0


class MemoryCache:
    """A cache in this process, for one event loop. `max_size` in entries, `ttl` in seconds."""

    def __init__(self, name: str, max_size: int = 1000, ttl: float = 3600.0, clock: Clock | None = None) -> None:
        if max_size < 1:
            raise ValueError(f"max_size is {max_size}; write 1 or more")
        self.name = name
        self._max_size = max_size
        self._ttl = _checked_ttl(ttl)
        self._clock = clock or SystemClock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._flights: dict[str, _Flight] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._epoch = 0  # grows with clear(): what was under way before it is not stored after it
        self._hits = self._misses = self._coalesced = self._evictions = 0

    async def get(self, key: str, default: Any = None, *, ttl: float | None = None) -> Any:
        entry = self._find(key, ttl)
        self._count(hit=entry is not None)
        return default if entry is None else entry.value

    async def set(self, key: str, value: Any, ttl: float | None = None) -> None:
        self._store(key, value, ttl)

    async def get_or_compute(
        self,
        key: str,
        compute: Callable[[], Awaitable[T]],
        ttl: float | None = None,
        *,
        saves_calls: int = 0,
    ) -> T:
        """The cached value, or that of one computation which all who ask meanwhile share.

        `ttl` bounds both how long the value is kept and how old a value this caller accepts. The computation
        runs in the context (trace, usage counters) of the caller that began it.
        """
        entry = self._find(key, ttl)
        if entry is not None:
            self._count(hit=True)
            current_usage().call_saved(saves_calls)
            value: T = entry.value
            return value
        flight = self._flights.get(key)
        if flight is None:
            flight = self._begin(key, compute, ttl, saves_calls)
        else:
            self._coalesced += 1
            current_usage().call_saved(saves_calls)
        result: T = await self._join(key, flight)
        return result

    async def delete(self, key: str) -> None:
        self._entries.pop(key, None)

    async def clear(self) -> int:
        """Forgets everything; what is being computed reaches its callers but is not kept."""
        forgotten = len(self._entries)
        self._entries.clear()
        self._epoch += 1
        return forgotten

    def resize(self, max_size: int) -> None:
        """Sets another bound and evicts down to it."""
        if max_size < 1:
            raise ValueError(f"max_size is {max_size}; write 1 or more")
        self._max_size = max_size
        self._evict()

    async def close(self) -> None:
        """Cancels what is being computed and waits until it has ended."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._entries.clear()

    def stats(self) -> CacheStats:
        return CacheStats(
            self.name,
            len(self._entries),
            self._max_size,
            self._hits,
            self._misses,
            self._coalesced,
            self._evictions,
        )

    async def measure(self) -> CacheStats:
        return self.stats()

    def __repr__(self) -> str:
        s = self.stats()
        return (
            f"<MemoryCache {s.name} {s.entries}/{s.max_size} hits={s.hits} misses={s.misses} "
            f"coalesced={s.coalesced} evictions={s.evictions} computing={len(self._flights)}>"
        )

    def _begin(self, key: str, compute: Callable[[], Awaitable[Any]], ttl: float | None, saves_calls: int) -> _Flight:
        work = self._fill(key, compute, ttl, saves_calls)
        task = asyncio.create_task(work, name=f"cache:{self.name}")
        self._tasks.add(task)
        flight = _Flight(task)
        self._flights[key] = flight

        def landed(done: asyncio.Task[Any]) -> None:
            self._tasks.discard(done)
            self._drop_flight(key, flight)
            if not done.cancelled():
                done.exception()  # seen, even where every caller has left

        task.add_done_callback(landed)
        return flight

    async def _fill(self, key: str, compute: Callable[[], Awaitable[Any]], ttl: float | None, saves_calls: int) -> Any:
        """What a flight does; runs in the context of the caller that began it."""
        del saves_calls
        epoch = self._epoch
        self._count(hit=False)
        value = await compute()
        if epoch == self._epoch:
            self._store(key, value, ttl)
        return value

    async def _join(self, key: str, flight: _Flight) -> Any:
        flight.waiters += 1
        try:
            await asyncio.wait({flight.task})
        finally:
            flight.waiters -= 1
            if flight.waiters == 0 and not flight.task.done():
                # Nobody waits any more. A caller that comes now begins anew rather than join a dying task.
                self._drop_flight(key, flight)
                flight.task.cancel()
        if flight.task.cancelled():
            # Not this caller was cancelled, but the computation (the cache closes): it must not look as if.
            raise PipelineError(
                errors_pb2.ERROR_REASON_CANCELLED, f"the computation for cache {self.name} was cancelled"
            )
        return flight.task.result()

    def _drop_flight(self, key: str, flight: _Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]

    def _find(self, key: str, ttl: float | None) -> _Entry | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        now = self._clock.monotonic()
        if now >= entry.expires:
            del self._entries[key]
            return None
        if ttl is not None and now >= entry.stored + _checked_ttl(ttl):
            return None  # too old for this caller, not for others
        self._entries.move_to_end(key)
        return entry

    def _store(self, key: str, value: Any, ttl: float | None, age: float = 0.0) -> None:
        """Keeps a value for `ttl` seconds from when it was made, which is `age` seconds ago."""
        now = self._clock.monotonic() - age
        lifetime = self._ttl if ttl is None else _checked_ttl(ttl)
        self._entries[key] = _Entry(value, now, now + lifetime)
        self._entries.move_to_end(key)
        self._evict()

    def _evict(self) -> None:
        while len(self._entries) > self._max_size:
            self._entries.popitem(last=False)
            self._evictions += 1

    def _count(self, *, hit: bool) -> None:
        usage = current_usage()
        if hit:
            self._hits += 1
            usage.cache_hit()
        else:
            self._misses += 1
            usage.cache_miss()


def _checked_ttl(ttl: float) -> float:
    if not (0 < ttl < math.inf):
        raise ValueError(f"ttl is {ttl}; write seconds above 0")
    return ttl
