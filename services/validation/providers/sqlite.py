"""Ideas in SQLite: one table, WAL, one row per tenant and run; the order of arrival is the row number."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
    select,
    text,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2
from services.validation.domain.duplicates import StoredIdea
from services.validation.providers.base import EARLIER_MAX

BUSY_TIMEOUT_MS = 5_000

_metadata = MetaData()
_ideas = Table(
    "ideas",
    _metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("tenant", String(200), nullable=False),
    Column("run", String(200), nullable=False),
    Column("idea", Text, nullable=False),
    Column("seen_at", String(40), nullable=False),
    Column("embedder", String(100), nullable=False),
    Column("vector", LargeBinary, nullable=False),
    UniqueConstraint("tenant", "run"),
    sqlite_autoincrement=True,
)


class SqliteIdeaStore:
    """`validation.db` in the server's state folder; the table is made when it is not there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engine: AsyncEngine | None = None

    def __repr__(self) -> str:
        return f"SqliteIdeaStore({self._path.name}, {'open' if self._engine else 'closed'})"

    async def open(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _failed(error) from error
        engine = create_async_engine(f"sqlite+aiosqlite:///{self._path}")
        event.listen(engine.sync_engine, "connect", _set_up)
        self._engine = engine
        async with self._begin() as connection:
            await connection.run_sync(_metadata.create_all)

    async def close(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.dispose()

    async def remember(self, idea: StoredIdea) -> StoredIdea:
        async with self._begin() as connection:
            await connection.execute(
                insert(_ideas)
                .values(
                    tenant=idea.tenant,
                    run=idea.run,
                    idea=idea.text,
                    seen_at=idea.seen_at.astimezone(UTC).isoformat(),
                    embedder=idea.embedder,
                    vector=idea.vector,
                )
                .on_conflict_do_nothing(index_elements=["tenant", "run"])
            )
            row = (
                await connection.execute(select(_ideas).where(_ideas.c.tenant == idea.tenant, _ideas.c.run == idea.run))
            ).one()
        return _stored(row)

    async def earlier(self, idea: StoredIdea, limit: int = EARLIER_MAX) -> list[StoredIdea]:
        own = select(_ideas.c.number).where(_ideas.c.tenant == idea.tenant, _ideas.c.run == idea.run).scalar_subquery()
        query = select(_ideas).where(_ideas.c.tenant == idea.tenant, _ideas.c.run != idea.run)
        async with self._begin() as connection:
            number = (await connection.execute(select(own))).scalar()
            if number is not None:
                query = query.where(_ideas.c.number < number)
            rows = (await connection.execute(query.order_by(_ideas.c.number.desc()).limit(limit))).all()
        return [_stored(row) for row in rows]

    async def ready(self) -> bool:
        try:
            async with self._begin() as connection:
                await connection.execute(text("SELECT 1"))
        except PipelineError:
            return False
        return True

    @asynccontextmanager
    async def _begin(self) -> AsyncIterator[AsyncConnection]:
        if self._engine is None:
            raise PipelineError(
                errors_pb2.ERROR_REASON_STORAGE_UNAVAILABLE, "the idea store is not open; start the server first"
            )
        try:
            async with self._engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise _failed(error) from error


def _set_up(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", f"busy_timeout={BUSY_TIMEOUT_MS}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _stored(row: Any) -> StoredIdea:
    return StoredIdea(
        tenant=row.tenant,
        run=row.run,
        text=row.idea,
        seen_at=datetime.fromisoformat(row.seen_at),
        embedder=row.embedder,
        vector=row.vector,
    )


def _failed(error: Exception) -> PipelineError:
    full = "disk is full" in str(error).lower() or getattr(error, "errno", 0) == 28
    if full:
        return PipelineError(
            errors_pb2.ERROR_REASON_STORAGE_FULL, "the disk of the idea store is full; free some space"
        )
    return PipelineError(
        errors_pb2.ERROR_REASON_STORAGE_UNAVAILABLE, "the idea store does not answer; look at the server's log"
    )
