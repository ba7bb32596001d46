"""Who works on a run: leases with an expiry and a fencing token.

The token grows with every claim. A worker that was paused, lost its lease and wakes up again still holds the older
token: the check inside its own transaction refuses the write. With SQLite the database's time is this machine's clock,
so `now` is passed in.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.runs import schema
from gateway.runs.ids import run_name
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2, pipeline_pb2

_OPEN = (pipeline_pb2.RUN_STATE_QUEUED, pipeline_pb2.RUN_STATE_RUNNING)


@dataclass(frozen=True)
class Lease:
    """The right to write to a run for as long as no higher token exists."""

    run_id: str
    owner: str
    token: int


def lost(lease: Lease) -> PipelineError:
    """The error a loser gets."""
    return PipelineError(
        errors_pb2.ERROR_REASON_LEASE_LOST,
        "Another worker took the run over; this one's writes are refused.",
        metadata={"run": run_name(lease.run_id), "fencing_token": str(lease.token)},
    )


async def claimable(conn: AsyncConnection, now_micros: int, held: Collection[str] = ()) -> Row[Any, Any] | None:
    """Run id and token of the oldest open run that nobody holds.

    Asked in a read before `claim` is tried: an idle worker must never hold the write lock, for whoever shares the
    database with it.
    """
    query = (
        select(schema.leases.c.run_id, schema.leases.c.token)
        .join(schema.runs, schema.runs.c.id == schema.leases.c.run_id)
        .where(schema.runs.c.state.in_(_OPEN))
        .where(or_(schema.leases.c.owner == "", schema.leases.c.expires_at <= now_micros))
        .where(schema.leases.c.run_id.not_in(list(held)))
        .order_by(schema.leases.c.run_id)
        .limit(1)
    )
    return (await conn.execute(query)).first()


async def claim(
    conn: AsyncConnection, owner: str, now_micros: int, ttl_micros: int, held: Collection[str] = ()
) -> Lease | None:
    """Take the oldest open run that nobody holds. `held`: runs this process works on already, lease or no lease."""
    row = await claimable(conn, now_micros, held)
    if row is None:
        return None
    lease = Lease(row.run_id, owner, row.token + 1)
    await conn.execute(
        update(schema.leases)
        .where(schema.leases.c.run_id == lease.run_id)
        .values(owner=owner, token=lease.token, expires_at=now_micros + ttl_micros)
    )
    return lease


async def _holder(conn: AsyncConnection, lease: Lease) -> Row[Any, Any] | None:
    query = select(schema.leases.c.owner, schema.leases.c.token).where(schema.leases.c.run_id == lease.run_id)
    return (await conn.execute(query)).first()


async def check(conn: AsyncConnection, lease: Lease) -> None:
    """Raise LEASE_LOST unless the lease is still the newest. To be called inside the transaction that writes."""
    row = await _holder(conn, lease)
    if row is None or row.token != lease.token or row.owner != lease.owner:
        raise lost(lease)


async def renew(conn: AsyncConnection, lease: Lease, now_micros: int, ttl_micros: int) -> None:
    """Move the expiry on. Raises LEASE_LOST when somebody else has claimed the run, or it was cancelled.

    A lease that this worker itself gave back, with the run's last write a moment ago, is not lost.
    """
    row = await _holder(conn, lease)
    if row is not None and row.token == lease.token and row.owner == "":
        return
    await check(conn, lease)
    await conn.execute(
        update(schema.leases).where(schema.leases.c.run_id == lease.run_id).values(expires_at=now_micros + ttl_micros)
    )


async def release(conn: AsyncConnection, lease: Lease) -> None:
    """Give the run back, so that the next claim need not wait for the expiry. A lost lease stays as it is."""
    await conn.execute(
        update(schema.leases)
        .where(schema.leases.c.run_id == lease.run_id)
        .where(schema.leases.c.token == lease.token)
        .values(owner="", expires_at=0)
    )


async def release_all(conn: AsyncConnection, owner: str) -> None:
    """Give back every run of an owner that has stopped working."""
    await conn.execute(update(schema.leases).where(schema.leases.c.owner == owner).values(owner="", expires_at=0))


async def revoke(conn: AsyncConnection, run_id: str) -> None:
    """Shut out whoever holds the run (it was cancelled)."""
    await conn.execute(
        update(schema.leases)
        .where(schema.leases.c.run_id == run_id)
        .values(owner="", token=schema.leases.c.token + 1, expires_at=0)
    )
