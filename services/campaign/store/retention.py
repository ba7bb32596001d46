"""Addresses are kept until the test has ended and its people were told: then they go, whether anybody asks or not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import CursorResult, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.clock import Clock
from chassis.database import Database
from services.campaign.store import schema
from services.campaign.store.campaigns import micros


async def forget_people(database: Database, clock: Clock, days: int) -> int:
    """Erase the addresses of every campaign that completed more than `days` ago; returns how many. Numbers stay.

    Raises PipelineError: STORAGE_FULL, STORAGE_UNAVAILABLE.
    """
    now = clock.now()
    table, campaigns = schema.signups, schema.campaigns
    over = select(campaigns.c.id).where(campaigns.c.completed_at < micros(now - timedelta(days=days)))
    change = (
        update(table)
        .where(table.c.campaign_id.in_(over), table.c.erased_at.is_(None))
        .values(
            email=None,
            email_key=None,
            erased_at=micros(now),
            withdrawn_at=func.coalesce(table.c.withdrawn_at, micros(now)),
        )
    )

    async def write(conn: AsyncConnection) -> int:
        result: CursorResult[Any] = await conn.execute(change)
        return result.rowcount

    return await database.write(write)
