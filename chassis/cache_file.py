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
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from chassis.clock import Clock, SystemClock
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

if TYPE_CHECKING:
    from chassis.config import ServerConfig

T = TypeVar("T")

_log = logging.getLogger(__name__)

FILE_NAME = "cache.db"
# A read takes well under a millisecond; whoever waits this long is better off asking the upstream.
PATIENCE_SECONDS = 0.1
# The first call also opens the file and may create it.
OPEN_SECONDS = 2.0
# After a fault: no caller waits for the file meanwhile.
REST_SECONDS = 5.0
# How long a write waits for another process's write, in the thread.
BUSY_SECONDS = 0.25
# Writes that wait for the thread; more are dropped, as a lost write costs one later call.
PENDING_MAX = 2_000
# What closing waits for writes under way.
CLOSE_SECONDS = 5.0
ENTRIES_MAX = 200_000
BYTES_MAX = 256 * 1024 * 1024
# One value may take this share of the file at most.
VALUE_SHARE_MAX = 1 / 16
# Past a bound, the file is emptied down to this share, oldest first, so that not every write evicts.
KEPT_SHARE = 0.9
# A clock may differ by this much between writing and reading.
CLOCK_SLACK_SECONDS = 60.0

_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY, space TEXT NOT NULL, key BLOB NOT NULL, stored REAL NOT NULL, expires REAL NOT NULL,
    size INTEGER NOT NULL, value BLOB NOT NULL, UNIQUE (space, key)
);
CREATE INDEX IF NOT EXISTS entries_by_age ON entries (stored);
CREATE INDEX IF NOT EXISTS entries_by_expiry ON entries (expires);
CREATE INDEX IF NOT EXISTS entries_by_space ON entries (space, size);
CREATE TABLE IF NOT EXISTS quotas (name TEXT PRIMARY KEY, day TEXT NOT NULL, used INTEGER NOT NULL);
"""


class Row(NamedTuple):
    """A stored value; times in seconds since 1970."""

    value: bytes
    stored: float
    expires: float


class Totals(NamedTuple):
    entries: int
    size_bytes: int


class _Write(NamedTuple):
    space: str
    key: bytes
    encode: Callable[[], bytes]
    stored: float
    expires: float


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
        self._disk = _Disk(path, bytes_max, entries_max)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="cache-file")
        self._pending: list[_Write] = []
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
        self._pending.append(_Write(space, key, encode, stored, stored + ttl))
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
            self._rest("it is slow")
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

    def _rest(self, why: str, seconds: float = REST_SECONDS) -> None:
        self._resting_until = self._clock.monotonic() + seconds
        if why != self._told:  # each reason once, not with each call
            _log.warning("the cache file %s is not used: %s", self.path, why)
            self._told = why


class _Disk:
    """The blocking part; used by one thread."""

    def __init__(self, path: Path, bytes_max: int, entries_max: int) -> None:
        self._path = path
        self._bytes_max = bytes_max
        self._entries_max = entries_max
        self._connection: sqlite3.Connection | None = None
        # Written since the bounds were last checked; the first write checks.
        self._unchecked = Totals(entries_max, bytes_max)

    def read(self, space: str, keys: Iterable[bytes]) -> dict[bytes, Row]:
        connection = self._open()
        found: dict[bytes, Row] = {}
        for key in keys:
            row = connection.execute(
                "SELECT value, stored, expires FROM entries WHERE space = ? AND key = ?", (space, key)
            ).fetchone()
            if row is not None:
                found[key] = Row(bytes(row[0]), row[1], row[2])
        return found

    def write(self, batch: Sequence[_Write], now: float) -> None:
        rows: list[tuple[str, bytes, float, float, int, bytes]] = []
        for write in batch:
            try:
                value = write.encode()
            except Exception:
                # A defect of one codec must cost neither the caller nor the other values anything.
                _log.exception("a value of cache %s cannot be stored", write.space)
                continue
            if len(value) <= self._bytes_max * VALUE_SHARE_MAX:
                rows.append((write.space, write.key, write.stored, write.expires, len(value), value))
        if not rows:
            return
        connection = self._open()
        with _transaction(connection):
            connection.executemany(
                "INSERT INTO entries (space, key, stored, expires, size, value) VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (space, key) DO UPDATE SET stored = excluded.stored, expires = excluded.expires, "
                "size = excluded.size, value = excluded.value",
                rows,
            )
        self._unchecked = Totals(
            self._unchecked.entries + len(rows), self._unchecked.size_bytes + sum(row[4] for row in rows)
        )
        # Other processes write too: the bound holds to within 2 % a process.
        if self._unchecked.entries * 50 >= self._entries_max or self._unchecked.size_bytes * 50 >= self._bytes_max:
            self._trim(connection, now)
            self._unchecked = Totals(0, 0)

    def _trim(self, connection: sqlite3.Connection, now: float) -> None:
        with _transaction(connection):
            connection.execute("DELETE FROM entries WHERE expires <= ?", (now,))
            entries, size = _sums(connection)
            if entries > self._entries_max or size > self._bytes_max:
                while entries > self._entries_max * KEPT_SHARE or size > self._bytes_max * KEPT_SHARE:
                    connection.execute(
                        "DELETE FROM entries WHERE id IN (SELECT id FROM entries ORDER BY stored, id LIMIT ?)",
                        (max(entries // 20, 1),),
                    )
                    entries, size = _sums(connection)
        connection.execute("PRAGMA incremental_vacuum").fetchall()

    def totals(self) -> dict[str, Totals]:
        rows = self._open().execute("SELECT space, count(*), sum(size) FROM entries GROUP BY space")
        return {space: Totals(entries, size) for space, entries, size in rows}

    def spend(self, name: str, day: str, limit: int) -> bool:
        connection = self._open()
        with _transaction(connection):
            row = connection.execute("SELECT day, used FROM quotas WHERE name = ?", (name,)).fetchone()
            used = row[1] if row is not None and row[0] == day else 0
            if used >= limit:
                return False
            connection.execute(
                "INSERT INTO quotas (name, day, used) VALUES (?, ?, ?) "
                "ON CONFLICT (name) DO UPDATE SET day = excluded.day, used = excluded.used",
                (name, day, used + 1),
            )
        return True

    def delete(self, space: str, key: bytes) -> None:
        self._open().execute("DELETE FROM entries WHERE space = ? AND key = ?", (space, key))

    def clear(self, space: str | None) -> int:
        """Quotas stay: forgetting answers gives no new calls."""
        try:
            if not self._path.exists():
                return 0
            connection = self._open()
            with _transaction(connection):
                if space is None:
                    forgotten = connection.execute("DELETE FROM entries").rowcount
                else:
                    forgotten = connection.execute("DELETE FROM entries WHERE space = ?", (space,)).rowcount
            connection.execute("PRAGMA incremental_vacuum").fetchall()
        except sqlite3.DatabaseError as error:
            if space is not None or isinstance(error, sqlite3.OperationalError):
                raise
            self.close()
            for suffix in ("", "-wal", "-shm"):
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)
            self._open()
            return 0
        return forgotten

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            connection = sqlite3.connect(
                self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version != _SCHEMA_VERSION:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
            with _transaction(connection):
                if connection.execute("PRAGMA user_version").fetchone()[0] not in (0, _SCHEMA_VERSION):
                    # Another build's file: its answers are asked for anew.
                    connection.execute("DROP TABLE IF EXISTS entries")
                    connection.execute("DROP TABLE IF EXISTS quotas")
                for statement in _SCHEMA.split(";"):
                    if statement.strip():
                        connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
            self._path.chmod(0o600)
        # A power cut may cost the last answers, never the file.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA journal_size_limit = 4194304").fetchall()


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _sums(connection: sqlite3.Connection) -> tuple[int, int]:
    entries, size = connection.execute("SELECT count(*), coalesce(sum(size), 0) FROM entries").fetchone()
    return entries, size
