"""A SQLite file that keeps what was acknowledged: write-ahead log, and a disk sync per commit.

Writes go through one task that owns the only writing connection. It takes whatever is waiting and commits it in one
transaction (a savepoint each), so that a hundred events cost a few disk syncs instead of a hundred, and so that
cancelling a caller never cuts a transaction in half. Reads have connections of their own.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import Column, Integer, MetaData, Table, event, insert, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from chassis.logs import get_logger
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

T = TypeVar("T")
Write = Callable[[AsyncConnection], Awaitable[T]]

# Writes that share a transaction at most: bounds how long the last of them waits for its neighbours.
GROUP_LIMIT = 64
# Writes that may wait. Beyond it the store counts as overloaded: callers get an answer instead of a queue.
QUEUE_LIMIT = 4096
# Readers at a time; SQLite reads do not block each other.
READERS = 4
# A write of another process may hold the lock this long.
BUSY_MS = 10_000

_log = get_logger("chassis.database")


def schema_table(metadata: MetaData) -> Table:
    """The table that says which version of its tables a file has; `metadata` gets it."""
    return Table("schema_info", metadata, Column("version", Integer, primary_key=True))


def storage_error(error: BaseException, store: str = "runs") -> PipelineError:
    """The typed error of a failed statement: full disk, or a store that does not answer."""
    text = str(error).lower()
    if "disk is full" in text or "no space left" in text:
        return PipelineError(
            errors_pb2.ERROR_REASON_STORAGE_FULL,
            f"The disk that holds the {store} is full; free some space and try again.",
            metadata={"store": store},
        )
    return PipelineError(
        errors_pb2.ERROR_REASON_STORAGE_UNAVAILABLE,
        f"The store of {store} does not answer; try again shortly.",
        metadata={"store": store},
        retry_after=1.0,
    )


class Database:
    """One SQLite file. `open()` before use, `close()` after; every other call is `read()` or `write()`."""

    def __init__(self, path: Path, metadata: MetaData, version: int, store: str) -> None:
        """`metadata`: the tables, `schema_table` among them. `store`: what it holds, in a word ("runs")."""
        self.path = path
        self.store = store
        self._metadata = metadata
        self._version = version
        self._writer: AsyncEngine | None = None
        self._reader: AsyncEngine | None = None
        self._queue: asyncio.Queue[tuple[Write[Any], asyncio.Future[Any]] | None] = asyncio.Queue(QUEUE_LIMIT)
        self._task: asyncio.Task[None] | None = None
        # Writes done since the start, failed ones included.
        self.writes = 0
        # Callers that wait for a read or a write now.
        self.active = 0

    async def open(self) -> None:
        """Create the file and its tables where they are missing. Raises PipelineError where it cannot be used."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = _engine(self.path, size=1, begin="BEGIN IMMEDIATE")
            self._reader = _engine(self.path, size=READERS, begin="BEGIN")
            async with self._writer.begin() as conn:
                await conn.run_sync(self._metadata.create_all)
                info = self._metadata.tables["schema_info"]
                version = (await conn.execute(select(info.c.version))).scalar()
                if version is None:
                    await conn.execute(insert(info).values(version=self._version))
                elif version != self._version:
                    raise PipelineError(
                        errors_pb2.ERROR_REASON_STORAGE_UNAVAILABLE,
                        f"The store of {self.store} has version {version}, this program needs {self._version};"
                        " point state_dir at another folder.",
                        metadata={"store": self.store},
                    )
        except (SQLAlchemyError, OSError) as error:
            await self.close()
            raise storage_error(error, self.store) from error
        except PipelineError:
            await self.close()
            raise
        self._task = asyncio.create_task(self._write_loop(), name=f"{self.store}-writer")

    async def close(self) -> None:
        """Commit what was handed in, then close every connection. What is handed in from now on is refused."""
        task, self._task = self._task, None
        if task is not None:
            await self._queue.put(None)
            await task
        for engine in (self._writer, self._reader):
            if engine is not None:
                await engine.dispose()
        self._writer = self._reader = None

    async def write(self, operation: Write[T]) -> T:
        """Run `operation` in a transaction and return once it is on the disk.

        What the operation raises reaches the caller and undoes only that operation. The operation finishes even when
        the caller is cancelled meanwhile.
        """
        if self._task is None or self._task.done():
            raise storage_error(RuntimeError("closed"), self.store)
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        try:
            self._queue.put_nowait((operation, future))
        except asyncio.QueueFull as error:
            raise storage_error(error, self.store) from error
        self.active += 1
        try:
            return await future
        finally:
            self.active -= 1

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees one consistent state of the database."""
        if self._reader is None:
            raise storage_error(RuntimeError("closed"), self.store)
        self.active += 1
        try:
            async with self._reader.connect() as conn, conn.begin():
                yield conn
        except (DBAPIError, PoolTimeoutError) as error:
            raise storage_error(error, self.store) from error
        finally:
            self.active -= 1

    async def _write_loop(self) -> None:
        stopping = False
        while not stopping:
            group: list[tuple[Write[Any], asyncio.Future[Any]]] = []
            item = await self._queue.get()
            while True:
                if item is None:
                    stopping = True
                    break
                group.append(item)
                if len(group) >= GROUP_LIMIT or self._queue.empty():
                    break
                item = self._queue.get_nowait()
            if group:
                await self._commit(group)

    async def _commit(self, group: list[tuple[Write[Any], asyncio.Future[Any]]]) -> None:
        outcomes: list[tuple[asyncio.Future[Any], Any, BaseException | None]] = []
        try:
            assert self._writer is not None
            async with self._writer.begin() as conn:
                for operation, future in group:
                    try:
                        value = await _attempt(conn, operation)
                    except DBAPIError as error:
                        if not await _in_transaction(conn):
                            # SQLite undid all of it, neighbours that were done included: none may be told otherwise.
                            raise
                        outcomes.append((future, None, storage_error(error, self.store)))
                        _log.warning("write_failed", error=str(error))
                    except Exception as error:  # the caller's own error: it gets it back
                        outcomes.append((future, None, error))
                    else:
                        outcomes.append((future, value, None))
        except Exception as error:
            _log.warning("commit_failed", error=str(error))
            failure = storage_error(error, self.store)
            outcomes = [(future, None, failure) for _, future in group]
        self.writes += len(outcomes)
        for future, value, failed in outcomes:
            if future.done():
                continue
            if failed is None:
                future.set_result(value)
            else:
                future.set_exception(failed)


async def _attempt(conn: AsyncConnection, operation: Write[T]) -> T:
    """The operation in a savepoint of its own. Raises what it raised, not what undoing that may lead to."""
    failed: DBAPIError | None = None
    try:
        async with conn.begin_nested():
            try:
                return await operation(conn)
            except DBAPIError as error:
                failed = error
                raise
    except DBAPIError as error:
        raise (failed or error) from None


async def _in_transaction(conn: AsyncConnection) -> bool:
    """Whether SQLite still has the transaction: a full disk, among others, may end it (sqlite.org/lang_transaction)."""
    driver = (await conn.get_raw_connection()).driver_connection
    return bool(driver is not None and driver.in_transaction)


def _engine(path: Path, *, size: int, begin: str) -> AsyncEngine:
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{path}",
        pool_size=size,
        max_overflow=0,
        pool_timeout=30,
        pool_pre_ping=False,
        # Errors are logged, and what could not be written may be somebody's address.
        hide_parameters=True,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        # The driver's own transaction handling is off: it would begin too late and without IMMEDIATE.
        connection.isolation_level = None
        cursor = cast(sqlite3.Cursor, connection.cursor())
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            f"busy_timeout={BUSY_MS}",
            "foreign_keys=ON",
            "journal_size_limit=67108864",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine
