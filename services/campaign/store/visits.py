"""Visits in the store: one row a visitor, a number a day for what does not count."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy import Integer, cast, distinct, func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.clock import Clock
from chassis.database import Database
from services.campaign.domain.counts import Counts, DayCount
from services.campaign.domain.visiting import Origin
from services.campaign.store import schema

# Reasons of `excluded` that speak of programs; the others are people who asked not to be counted.
NO_PERSON = ("method", "prefetch", "no_user_agent", "robot", "honeypot", "too_fast")


class VisitStore:
    """Counts visits. Every method raises PipelineError: STORAGE_FULL, STORAGE_UNAVAILABLE."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def visit(self, campaign_id: str, visitor: str, variant: str, origin: Origin) -> str:
        """Count a page view; on the disk when this returns. Returns the visitor's page: that of the first visit."""
        now = self._clock.now()
        row = {
            "campaign_id": campaign_id,
            "visitor": visitor,
            "variant": variant,
            "first_seen_at": int(now.timestamp() * 1_000_000),
            "day": day_of(now),
            "views": 1,
            **origin._asdict(),
        }
        table = schema.visitors
        statement = (
            insert(table)
            .values(**row)
            .on_conflict_do_update(
                index_elements=["campaign_id", "visitor"], set_={"views": cast(table.c.views, Integer) + 1}
            )
            .returning(table.c.variant)
        )

        async def write(conn: AsyncConnection) -> str:
            return str((await conn.execute(statement)).scalar_one())

        return await self._database.write(write)

    async def exclude(self, campaign_id: str, reason: str) -> None:
        """Count a visit that counts for nothing."""
        table = schema.excluded
        statement = (
            insert(table)
            .values(campaign_id=campaign_id, day=day_of(self._clock.now()), reason=reason, visits=1)
            .on_conflict_do_update(
                index_elements=["campaign_id", "day", "reason"], set_={"visits": cast(table.c.visits, Integer) + 1}
            )
        )

        async def write(conn: AsyncConnection) -> None:
            await conn.execute(statement)

        await self._database.write(write)

    async def counts(self, campaign_id: str) -> Counts:
        """People by the day of their first visit and their page, and those among them who have signed up since."""
        seen, signed = schema.visitors, schema.signups
        visits = (
            select(seen.c.day, seen.c.variant, func.count().label("visitors"), func.sum(seen.c.views).label("views"))
            .where(seen.c.campaign_id == campaign_id)
            .group_by(seen.c.day, seen.c.variant)
            .order_by(seen.c.day, seen.c.variant)
        )
        # A person with two addresses is one person; a withdrawn or erased sign-up was one all the same.
        signups = (
            select(seen.c.day, seen.c.variant, func.count(distinct(signed.c.visitor)).label("signups"))
            .join(signed, (signed.c.campaign_id == seen.c.campaign_id) & (signed.c.visitor == seen.c.visitor))
            .where(seen.c.campaign_id == campaign_id, signed.c.counted, signed.c.repeat_of.is_(None))
            .group_by(seen.c.day, seen.c.variant)
        )
        programs = select(func.coalesce(func.sum(schema.excluded.c.visits), 0)).where(
            schema.excluded.c.campaign_id == campaign_id, schema.excluded.c.reason.in_(NO_PERSON)
        )
        async with self._database.read() as conn:
            by_day = {(row.day, row.variant): row.signups for row in await conn.execute(signups)}
            days = tuple(
                DayCount(
                    date.fromisoformat(row.day),
                    row.variant,
                    row.visitors,
                    by_day.get((row.day, row.variant), 0),
                    row.views,
                )
                for row in await conn.execute(visits)
            )
            bots = (await conn.execute(programs)).scalar_one()
        return Counts(days=days, bots=int(bots))


def day_of(moment: datetime) -> str:
    """The day in UTC, "2026-11-25"."""
    return moment.astimezone(UTC).date().isoformat()
