"""The run's money: reserved before a paid step, settled after it, released where it was not spent.

The cap binds inside the transaction that reserves: spent + reserved + amount <= cap, whoever else asks at the same
time. A spend is booked once per key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Row, delete, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.runs import events, schema
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2, pipeline_pb2


def status_of(cap_micros: int, rows: Iterable[Row[tuple[object, ...]]]) -> pipeline_pb2.BudgetStatus:
    """Sum up ledger rows. `entries` holds the settled spends."""
    status = pipeline_pb2.BudgetStatus(cap_micros=cap_micros)
    for row in rows:
        if row.settled:
            status.spent_micros += row.amount_micros
            status.entries.add(category=row.category, amount_micros=row.amount_micros, purpose=row.purpose, key=row.key)
        else:
            status.reserved_micros += row.amount_micros
    return status


def crossed(status: pipeline_pb2.BudgetStatus) -> list[int]:
    """Thresholds in percent that spent money has reached; none without a cap to measure against."""
    if status.cap_micros <= 0:
        return []
    return [percent for percent in events.ALERT_PERCENTS if status.spent_micros * 100 >= percent * status.cap_micros]


async def load(conn: AsyncConnection, run_id: str) -> pipeline_pb2.BudgetStatus:
    """The ledger as it stands."""
    cap = (await conn.execute(select(schema.runs.c.cap_micros).where(schema.runs.c.id == run_id))).scalar_one()
    rows = await conn.execute(
        select(schema.ledger).where(schema.ledger.c.run_id == run_id).order_by(schema.ledger.c.key)
    )
    return status_of(cap, rows)


async def reserve(
    conn: AsyncConnection,
    run_id: str,
    key: str,
    amount_micros: int,
    category: common_pb2.BudgetCategory.ValueType,
    purpose: str,
) -> None:
    """Keep money for a step. The same key keeps it once. Raises BUDGET_EXHAUSTED when the cap does not cover it."""
    if amount_micros <= 0:
        return
    known = await conn.execute(
        select(schema.ledger.c.key).where(schema.ledger.c.run_id == run_id, schema.ledger.c.key == key)
    )
    if known.first() is not None:
        return
    status = await load(conn, run_id)
    left = status.cap_micros - status.spent_micros - status.reserved_micros
    if amount_micros > left:
        raise PipelineError(
            errors_pb2.ERROR_REASON_BUDGET_EXHAUSTED,
            f"The run's budget does not cover {purpose}: {amount_micros} micros needed, {max(left, 0)} left.",
            metadata={
                "category": common_pb2.BudgetCategory.Name(category).removeprefix("BUDGET_CATEGORY_"),
                "needed_micros": str(amount_micros),
                "left_micros": str(max(left, 0)),
            },
        )
    await conn.execute(
        insert(schema.ledger).values(
            run_id=run_id,
            key=key,
            category=category,
            amount_micros=amount_micros,
            settled=False,
            purpose=purpose,
        )
    )


async def reserved(conn: AsyncConnection, run_id: str, key: str) -> int:
    """Micros kept under a key; 0 where nothing is, or where it was settled."""
    table = schema.ledger
    query = select(table.c.amount_micros).where(
        table.c.run_id == run_id, table.c.key == key, table.c.settled.is_(False)
    )
    return int((await conn.execute(query)).scalar() or 0)


async def release(conn: AsyncConnection, run_id: str, key: str) -> None:
    """Give a reservation back; nothing happens to what was settled."""
    await conn.execute(
        delete(schema.ledger).where(
            schema.ledger.c.run_id == run_id, schema.ledger.c.key == key, schema.ledger.c.settled.is_(False)
        )
    )


async def settle(
    conn: AsyncConnection, run_id: str, reservation_key: str, spends: Sequence[common_pb2.Spend], now: int
) -> int:
    """Replace a reservation by what was spent, tell thresholds that were crossed, and return the micros booked.

    Money that is gone is booked even where a phase spent more than it was allowed: the ledger tells the truth, and
    the caller notes the overrun.
    """
    booked = await book(conn, run_id, reservation_key, spends)
    status = await load(conn, run_id)
    for percent in crossed(status):
        alert = pipeline_pb2.RunEvent()
        alert.budget_alert.percent = percent
        alert.budget_alert.budget.CopyFrom(status)
        await events.append(conn, run_id, f"budget:{percent}", alert, now)
    return booked


async def book(conn: AsyncConnection, run_id: str, reservation_key: str, spends: Sequence[common_pb2.Spend]) -> int:
    """Replace a reservation by what was spent and return the micros booked, without telling anybody.

    For money that is spent after the run's last event, as a campaign's is.
    """
    await release(conn, run_id, reservation_key)
    booked = 0
    for number, spend in enumerate(spends):
        if spend.amount_micros <= 0:
            continue
        result = await conn.execute(
            insert(schema.ledger)
            .values(
                run_id=run_id,
                key=f"spend:{spend.key or f'{reservation_key}:{number}'}",
                category=spend.category,
                amount_micros=spend.amount_micros,
                settled=True,
                purpose=spend.purpose,
            )
            .on_conflict_do_nothing()
        )
        if result.rowcount:
            booked += spend.amount_micros
    return booked
