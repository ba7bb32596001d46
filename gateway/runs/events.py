"""The run's log: numbers from 1 without gaps, each key once.

Both hold because a number is drawn in the same transaction that stores the event, and writers take turns.
"""

from __future__ import annotations

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.runs import schema
from gateway.runs.ids import run_name
from pipeline.v1 import common_pb2, pipeline_pb2

# Thresholds of the cap that are told, in percent.
ALERT_PERCENTS = (80, 95, 100)


async def append(conn: AsyncConnection, run_id: str, key: str, event: pipeline_pb2.RunEvent, now_micros: int) -> int:
    """Store the event under the next number and return it; 0 when the run has an event of this key already."""
    known = select(schema.events.c.sequence).where(schema.events.c.run_id == run_id, schema.events.c.key == key)
    if (await conn.execute(known)).first() is not None:
        return 0
    last = (
        await conn.execute(
            update(schema.runs)
            .where(schema.runs.c.id == run_id)
            .values(last_sequence=schema.runs.c.last_sequence + 1)
            .returning(schema.runs.c.last_sequence)
        )
    ).scalar_one()
    event.sequence = last
    event.run = run_name(run_id)
    event.time.FromMicroseconds(now_micros)
    await conn.execute(
        insert(schema.events).values(
            run_id=run_id, sequence=last, key=key, event=event.SerializeToString(deterministic=True)
        )
    )
    return int(last)


async def read(conn: AsyncConnection, run_id: str, after: int, limit: int) -> list[pipeline_pb2.RunEvent]:
    """Events with a number above `after`, in order."""
    rows = await conn.execute(
        select(schema.events.c.event)
        .where(schema.events.c.run_id == run_id, schema.events.c.sequence > after)
        .order_by(schema.events.c.sequence)
        .limit(limit)
    )
    return [pipeline_pb2.RunEvent.FromString(row.event) for row in rows]


def missing_key(missing: common_pb2.Missing) -> str:
    """One event per lacking thing, however often a phase is tried."""
    return f"missing:{missing.phase}:{missing.kind}:{missing.subject}"


async def append_missing(conn: AsyncConnection, run_id: str, missing: common_pb2.Missing, now_micros: int) -> None:
    """Tell that something is lacking, once."""
    await append(conn, run_id, missing_key(missing), pipeline_pb2.RunEvent(missing_noted=missing), now_micros)
