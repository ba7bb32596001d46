"""Counters of one call: cache hits, outside calls, calls saved, operations and how many of them overlapped.

A recorder travels in a contextvar. Caches, pools and decorators write to `current_usage()` without knowing
whose call they serve; tasks that a handler starts inherit it (asyncio copies the context). The server gives
every handler its own recorder (chassis.interceptors), so a servicer may simply read `current_usage()`; whoever
runs outside a server uses `record_usage()`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar

from pipeline.v1 import common_pb2

_current: ContextVar[UsageRecorder | None] = ContextVar("pipeline_usage", default=None)


class UsageRecorder:
    """What one call has used so far. Not thread-safe: it belongs to one event loop."""

    def __init__(self) -> None:
        self.cache_hits = 0
        self.cache_misses = 0
        self.external_calls = 0
        self.external_calls_saved = 0
        self.operations = 0
        self.parallel_operations = 0
        self._running: dict[int, bool] = {}  # operation number -> already counted as parallel

    def __repr__(self) -> str:
        return (
            f"UsageRecorder(cache {self.cache_hits}/{self.cache_hits + self.cache_misses}, "
            f"external {self.external_calls}, saved {self.external_calls_saved}, "
            f"operations {self.operations}, parallel {self.parallel_operations})"
        )

    def cache_hit(self, count: int = 1) -> None:
        self.cache_hits += count

    def cache_miss(self, count: int = 1) -> None:
        self.cache_misses += count

    def external_call(self, count: int = 1) -> None:
        """Counts calls that really left for an outside API (retries count each)."""
        self.external_calls += count

    def call_saved(self, count: int = 1) -> None:
        """Counts outside calls that a cache, a single flight or a dedupe made unnecessary."""
        self.external_calls_saved += count

    @asynccontextmanager
    async def operation(self) -> AsyncIterator[None]:
        """Counts one operation; it and its contemporaries count as parallel, each once."""
        self.operations += 1
        number = self.operations
        overlaps = bool(self._running)
        for other, counted in self._running.items():
            if not counted:
                self._running[other] = True
                self.parallel_operations += 1
        self._running[number] = overlaps
        self.parallel_operations += overlaps
        try:
            yield
        finally:
            del self._running[number]

    def to_proto(self) -> common_pb2.Usage:
        return common_pb2.Usage(
            cache_hits=self.cache_hits,
            cache_misses=self.cache_misses,
            external_calls=self.external_calls,
            external_calls_saved=self.external_calls_saved,
            operations=self.operations,
            parallel_operations=self.parallel_operations,
        )


def current_usage() -> UsageRecorder:
    """The recorder of the call being served; outside of one, a new one that nobody reads."""
    return _current.get() or UsageRecorder()


def set_usage(recorder: UsageRecorder) -> None:
    """Makes `recorder` current for the rest of this task (the server's interceptor does so, once a call)."""
    _current.set(recorder)


@contextmanager
def record_usage() -> Iterator[UsageRecorder]:
    """A fresh recorder, current inside the block."""
    recorder = UsageRecorder()
    token = _current.set(recorder)
    try:
        yield recorder
    finally:
        # ValueError: a generator that was closed from another task, which never saw the value.
        with suppress(ValueError):
            _current.reset(token)
