"""What the gateway keeps of a run's campaign: the money kept for its ads, and its last reading with the verdict."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.runs import ledger, schema
from gateway.runs.store import RunStore
from pipeline.v1 import campaign_pb2, common_pb2, validation_pb2

# One campaign a run, so one entry of the ledger.
ADS_KEY = "campaign:ads"


class ReadingStore:
    """Writes what campaigns come to beside the runs they belong to."""

    def __init__(self, store: RunStore) -> None:
        self._store = store

    async def put(
        self, run_id: str, reading: campaign_pb2.CampaignReading, verdict: validation_pb2.Verdict | None
    ) -> bool:
        """Keep the reading, and the verdict that it leads to (None: as it is), together; False where a newer one is
        kept already."""
        kept = campaign_pb2.CampaignReading()
        kept.CopyFrom(reading)
        for artifact in kept.artifacts:
            artifact.ClearField("content")
        row = {"reading": kept.SerializeToString(), "read_at": reading.read_at.ToMicroseconds()}

        async def write(conn: AsyncConnection) -> bool:
            statement = insert(schema.readings).values(run_id=run_id, **row)
            newer = statement.on_conflict_do_update(
                index_elements=["run_id"], set_=row, where=schema.readings.c.read_at <= row["read_at"]
            )
            written = await conn.execute(newer)
            if verdict is not None and written.rowcount:
                await conn.execute(
                    update(schema.runs).where(schema.runs.c.id == run_id).values(verdict=verdict.SerializeToString())
                )
            return bool(written.rowcount)

        return await self._store.database.write(write)

    async def reserve_ads(self, run_id: str, amount_micros: int) -> bool:
        """Keep the campaign's money in the run's budget: once, and no less than was asked for last.

        Returns whether nothing was kept before. Raises BUDGET_EXHAUSTED; what was kept before stays then.
        """

        async def write(conn: AsyncConnection) -> bool:
            kept = await ledger.reserved(conn, run_id, ADS_KEY)
            if kept < amount_micros:
                await ledger.release(conn, run_id, ADS_KEY)
                category = common_pb2.BUDGET_CATEGORY_ADS
                await ledger.reserve(conn, run_id, ADS_KEY, amount_micros, category, "the campaign's advertisements")
            return not kept

        return await self._store.database.write(write)

    async def release_ads(self, run_id: str) -> None:
        """Free what was kept: nobody can spend it."""
        await self._store.database.write(lambda conn: ledger.release(conn, run_id, ADS_KEY))

    async def settle_ads(self, run_id: str, spent_micros: int) -> None:
        """Book what the platforms say was spent in place of what was kept; once."""
        spend = common_pb2.Spend(
            category=common_pb2.BUDGET_CATEGORY_ADS,
            amount_micros=spent_micros,
            purpose="advertisements of the campaign",
            key=ADS_KEY,
        )
        await self._store.database.write(lambda conn: ledger.book(conn, run_id, ADS_KEY, [spend]))
