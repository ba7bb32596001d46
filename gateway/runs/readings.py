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
    ) -> None:
        """Keep the reading, and the verdict that it leads to (None: as it is), together."""
        kept = campaign_pb2.CampaignReading()
        kept.CopyFrom(reading)
        for artifact in kept.artifacts:
            artifact.ClearField("content")
        row = {"reading": kept.SerializeToString(), "read_at": reading.read_at.ToMicroseconds()}

        async def write(conn: AsyncConnection) -> None:
            statement = insert(schema.readings).values(run_id=run_id, **row)
            newer = statement.on_conflict_do_update(
                index_elements=["run_id"], set_=row, where=schema.readings.c.read_at <= row["read_at"]
            )
            written = await conn.execute(newer)
            if verdict is not None and written.rowcount:
                await conn.execute(
                    update(schema.runs).where(schema.runs.c.id == run_id).values(verdict=verdict.SerializeToString())
                )

        await self._store.database.write(write)

    async def reserve_ads(self, run_id: str, amount_micros: int) -> None:
        """Keep the campaign's money in the run's budget; once. Raises BUDGET_EXHAUSTED."""
        await self._store.database.write(
            lambda conn: ledger.reserve(
                conn, run_id, ADS_KEY, amount_micros, common_pb2.BUDGET_CATEGORY_ADS, "the campaign's advertisements"
            )
        )

    async def settle_ads(self, run_id: str, spent_micros: int) -> None:
        """Book what the platforms say was spent in place of what was kept; once."""
        spend = common_pb2.Spend(
            category=common_pb2.BUDGET_CATEGORY_ADS,
            amount_micros=spent_micros,
            purpose="advertisements of the campaign",
            key=ADS_KEY,
        )
        await self._store.database.write(lambda conn: ledger.book(conn, run_id, ADS_KEY, [spend]))
