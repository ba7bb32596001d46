"""The blocking half of `chassis.cache_file`: SQLite statements, used by one thread."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

_log = logging.getLogger(__name__)

# How long a write waits for another process's write, in the thread.
BUSY_SECONDS = 0.25
# One value may take this share of the file at most.
VALUE_SHARE_MAX = 1 / 16
# Past a bound, the file is emptied down to this share, oldest first, so that not every write evicts.
KEPT_SHARE = 0.9

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


class Write(NamedTuple):
    space: str
    key: bytes
    encode: Callable[[], bytes]
    stored: float
    expires: float


class Disk:
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

    def write(self, batch: Sequence[Write], now: float) -> None:
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
