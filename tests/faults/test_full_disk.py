"""A disk that becomes full among writes that share a transaction: whoever was told "kept" finds it there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import Database, schema_table
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

METADATA = MetaData()
schema_table(METADATA)
THINGS = Table("things", METADATA, Column("id", Integer, primary_key=True), Column("content", LargeBinary))


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A file that may grow by three pages of 4 KiB."""
    subject = Database(tmp_path / "things.db", METADATA, 1, "things")
    await subject.open()
    await grow(subject, 3)
    yield subject
    await subject.close()


async def grow(database: Database, pages: int) -> None:
    """SQLite's own bound on the file stands for the disk's end."""

    async def write(conn: AsyncConnection) -> None:
        count = (await conn.exec_driver_sql("PRAGMA page_count")).scalar_one()
        await conn.exec_driver_sql(f"PRAGMA max_page_count={count + pages}")

    await database.write(write)


async def keep(database: Database, number: int, size: int) -> int:
    async def write(conn: AsyncConnection) -> int:
        await conn.execute(insert(THINGS).values(id=number, content=b"x" * size))
        return number

    return await database.write(write)


async def kept(database: Database) -> list[int]:
    async with database.read() as conn:
        return list((await conn.execute(select(THINGS.c.id).order_by(THINGS.c.id))).scalars())


@pytest.mark.parametrize("size", [30_000, 10_000_000])
async def test_neighbours_of_a_write_that_did_not_fit_are_told_the_truth(database: Database, size: int) -> None:
    """SQLite may undo the whole transaction: then nobody in it is told that theirs was kept, and all may try again."""
    outcomes = await asyncio.gather(
        *(keep(database, number, size if number == 2 else 10) for number in range(5)), return_exceptions=True
    )
    assert [outcome for outcome in outcomes if isinstance(outcome, int)] == await kept(database)
    reasons = {outcome.reason for outcome in outcomes if isinstance(outcome, PipelineError)}
    assert reasons == {errors_pb2.ERROR_REASON_STORAGE_FULL}
    assert await keep(database, 1, 10) == 1


async def test_there_is_room_again(database: Database) -> None:
    """What was refused is kept once there is, and the file is whole."""
    with pytest.raises(PipelineError) as caught:
        await keep(database, 1, 100_000)
    assert caught.value.reason == errors_pb2.ERROR_REASON_STORAGE_FULL
    await grow(database, 1000)
    assert await keep(database, 1, 100_000) == 1
    assert await kept(database) == [1]
    async with database.read() as conn:
        assert (await conn.exec_driver_sql("PRAGMA integrity_check")).scalar_one() == "ok"
