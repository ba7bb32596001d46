"""One SQLite file behind the caches of all processes of a machine: answers outlive the process that asked for them.

The file is a convenience, never a need. All its work is done in one thread; a reader that waits longer than
`PATIENCE_SECONDS` goes on without it, and after a fault it is left alone for `REST_SECONDS`. A file that is damaged is
left alone until it is cleared. Times are wall-clock times, since they are compared over processes: an entry from the
future (the clock was set back) is not served.

Keys arrive hashed and values as bytes: see `chassis.cache_store`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from chassis.cache_disk import Disk, Row, Totals, Write
from chassis.clock import Clock, SystemClock
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

if TYPE_CHECKING:
    from chassis.config import ServerConfig

T = TypeVar("T")

_log = logging.getLogger(__name__)

FILE_NAME = "cache.db"
# A read takes well under a millisecond, but a busy process may be late to hear of it; whoever waits this long is
# better off asking the upstream.
PATIENCE_SECONDS = 0.25
# The first call also opens the file and may create it.
OPEN_SECONDS = 2.0
# After a fault: no caller waits for the file meanwhile.
REST_SECONDS = 5.0
# Writes that wait for the thread; more are dropped, as a lost write costs one later call.
PENDING_MAX = 2_000
# What closing waits for writes under way.
CLOSE_SECONDS = 5.0
ENTRIES_MAX = 200_000
BYTES_MAX = 256 * 1024 * 1024
# A clock may differ by this much between writing and reading.
CLOCK_SLACK_SECONDS = 60.0


class CacheFile:
    """Opened at its first use; for one event loop. Bounded by bytes of values and by entries."""

    def __init__(
        self,
        path: Path,
        *,
        bytes_max: int = BYTES_MAX,
        entries_max: int = ENTRIES_MAX,
        clock: Clock | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.path = path
        self._clock = clock or SystemClock()
        self._patience = patience_seconds
        self._disk = Disk(path, bytes_max, entries_max)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="cache-file")
        self._pending: list[Write] = []
        self._writing: Future[None] | None = None
        self._resting_until = 0.0
        self._opened = False
        self._closed = False
        self._told = ""
        self.dropped_writes = 0

    def __repr__(self) -> str:
        state = "closed" if self._closed else "resting" if self._rests else "ready"
        return f"<CacheFile {self.path} {state} pending={len(self._pending)}>"

    @classmethod
    def of(cls, config: ServerConfig, clock: Clock | None = None) -> CacheFile | None:
        """The file that the configuration asks for, None where caches stay in memory."""
        if not config.cache_on_disk:
            return None
        return cls(config.state_dir / FILE_NAME, bytes_max=config.cache_bytes_max, clock=clock)

    def now(self) -> float:
        return self._clock.now().timestamp()

    # ------------------------------------------------------------------------------------------ reading

    async def get(self, space: str, key: bytes) -> Row | None:
        return (await self.get_many(space, [key])).get(key)

    async def get_many(self, space: str, keys: Sequence[bytes]) -> dict[bytes, Row]:
        """What is there and still serves; nothing while the file rests or is slow. Pending writes are not seen."""
        if not keys:
            return {}
        now = self.now()
        rows = await self._ask(lambda: self._disk.read(space, keys))
        return {
            key: row
            for key, row in (rows or {}).items()
            if now < row.expires and row.stored <= now + CLOCK_SLACK_SECONDS
        }

    async def totals(self) -> dict[str, Totals]:
        """Entries and bytes by space; empty while the file rests."""
        return await self._ask(self._disk.totals) or {}

    async def spend(self, name: str, day: str, limit: int) -> bool | None:
        """Counts one use of a daily quota over all processes; False when `limit` is used up, None without the file."""
        return await self._ask(lambda: self._disk.spend(name, day, limit))

    # ------------------------------------------------------------------------------------------ writing

    def put(self, space: str, key: bytes, encode: Callable[[], bytes], ttl: float, age: float = 0.0) -> None:
        """Stores a value soon, for `ttl` seconds from when it was made, `age` seconds ago. Never waits, never raises.

        `encode` runs in the file's thread.
        """
        if self._closed or self._rests:
            return
        if len(self._pending) >= PENDING_MAX:
            self.dropped_writes += 1
            return
        stored = self.now() - age
        self._pending.append(Write(space, key, encode, stored, stored + ttl))
        if self._writing is None:
            self._flush()

    async def flush(self) -> None:
        """Returns when everything that was put is on disk or given up."""
        while self._writing is not None:
            await asyncio.wait({asyncio.wrap_future(self._writing)})
            await asyncio.sleep(0)

    async def delete(self, space: str, key: bytes) -> None:
        self._pending = [write for write in self._pending if (write.space, write.key) != (space, key)]
        await self._ask(lambda: self._disk.delete(space, key))

    async def clear(self, space: str | None = None) -> int:
        """Forgets one space or everything, what waits to be written too; returns how many entries.

        A damaged file is replaced when everything is cleared. Raises STORAGE_UNAVAILABLE where that fails.
        """
        kept = [write for write in self._pending if space is not None and write.space != space]
        dropped = len(self._pending) - len(kept)
        self._pending = kept
        if self._closed:
            return dropped
        try:
            # Behind what the thread is writing now: that goes as well.
            forgotten = await asyncio.wrap_future(self._thread.submit(self._disk.clear, space))
        except (sqlite3.Error, OSError) as error:
            raise PipelineError(
                errors_pb2.ERROR_REASON_STORAGE_UNAVAILABLE,
                f"the cache {self.path} cannot be cleared ({error}); stop what uses it and delete the file",
                metadata={"path": self.path.name},
            ) from error
        self._resting_until, self._told = 0.0, ""
        return dropped + forgotten

    async def close(self) -> None:
        """Writes what waits (for at most `CLOSE_SECONDS`) and closes the file."""
        if self._closed:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.flush()
        self._closed = True
        with contextlib.suppress(sqlite3.Error):
            await asyncio.wrap_future(self._thread.submit(self._disk.close))
        self._thread.shutdown(wait=False)

    # ---------------------------------------------------------------------------------------- the thread

    @property
    def _rests(self) -> bool:
        return self._clock.monotonic() < self._resting_until

    async def _ask(self, work: Callable[[], T]) -> T | None:
        """The answer of the thread; None when it is late, at fault, resting or closed."""
        if self._closed or self._rests:
            return None
        answer = asyncio.wrap_future(self._thread.submit(work))
        try:
            await asyncio.wait({answer}, timeout=self._patience if self._opened else max(OPEN_SECONDS, self._patience))
        finally:
            if not answer.done():
                answer.cancel()
        if answer.cancelled():
            self._rest("it is slow", level=logging.INFO)  # it, or a busy process; nobody need act
            return None
        error = answer.exception()
        if error is None:
            self._opened = True
            return answer.result()
        self._failed(error)
        return None

    def _flush(self) -> None:
        batch, self._pending = self._pending, []
        loop = asyncio.get_running_loop()
        now = self.now()
        self._writing = self._thread.submit(self._disk.write, batch, now)

        def written(done: Future[None]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits any more
                loop.call_soon_threadsafe(self._written, done)

        self._writing.add_done_callback(written)

    def _written(self, done: Future[None]) -> None:
        self._writing = None
        error = None if done.cancelled() else done.exception()
        if error is not None:
            self._pending.clear()
            self._failed(error)
        elif self._pending:
            self._flush()

    def _failed(self, error: BaseException) -> None:
        if not isinstance(error, sqlite3.Error | OSError):
            _log.error("the cache file %s failed", self.path, exc_info=error)
        damaged = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
        mend = "; `pipeline cache clear` replaces it" if damaged else ""
        self._rest(f"{error}{mend}", math.inf if damaged else REST_SECONDS)

    def _rest(self, why: str, seconds: float = REST_SECONDS, level: int = logging.WARNING) -> None:
        self._resting_until = self._clock.monotonic() + seconds
        if why != self._told:  # each reason once, not with each call
            _log.log(level, "the cache file %s is not used: %s", self.path, why)
            self._told = why
