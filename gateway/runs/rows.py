"""Rows of the database as messages of the contract."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.runs import ledger, schema
from gateway.runs.ids import batch_name, run_name
from pipeline.v1 import common_pb2, pipeline_pb2

TERMINAL = frozenset(
    {
        pipeline_pb2.RUN_STATE_SUCCEEDED,
        pipeline_pb2.RUN_STATE_PARTIAL,
        pipeline_pb2.RUN_STATE_FAILED,
        pipeline_pb2.RUN_STATE_CANCELLED,
    }
)


def timestamp(micros: int | None) -> Timestamp | None:
    """A Timestamp, or None for an empty column."""
    if micros is None:
        return None
    moment = Timestamp()
    moment.FromMicroseconds(micros)
    return moment


def phase_status(row: Row[Any]) -> pipeline_pb2.PhaseStatus:
    """A row of `phases`."""
    status = pipeline_pb2.PhaseStatus(
        phase=row.phase,
        state=row.state,
        attempt=row.attempt,
        started_at=timestamp(row.started_at),
        ended_at=timestamp(row.ended_at),
        detail=row.detail,
    )
    if row.failure is not None:
        status.failure.ParseFromString(row.failure)
    return status


async def load_runs(conn: AsyncConnection, rows: Sequence[Row[Any]]) -> list[pipeline_pb2.Run]:
    """Rows of `runs` with their phases and ledgers, in the order given: three queries however many runs."""
    ids = [row.id for row in rows]
    phases: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in await conn.execute(
        select(schema.phases).where(schema.phases.c.run_id.in_(ids)).order_by(schema.phases.c.phase)
    ):
        phases[row.run_id].append(row)
    entries: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in await conn.execute(
        select(schema.ledger).where(schema.ledger.c.run_id.in_(ids)).order_by(schema.ledger.c.key)
    ):
        entries[row.run_id].append(row)
    return [_run(row, phases[row.id], entries[row.id]) for row in rows]


def _run(row: Row[Any], phases: Sequence[Row[Any]], entries: Sequence[Row[Any]]) -> pipeline_pb2.Run:
    run = pipeline_pb2.Run(
        name=run_name(row.id),
        state=row.state,
        spec=pipeline_pb2.RunSpec.FromString(row.spec),
        created_at=timestamp(row.created_at),
        started_at=timestamp(row.started_at),
        ended_at=timestamp(row.ended_at),
        phases=[phase_status(phase) for phase in phases],
        budget=ledger.status_of(row.cap_micros, entries),
        trace_id=row.trace_id,
        last_sequence=row.last_sequence,
        batch=batch_name(row.batch_id) if row.batch_id else "",
        notices=pipeline_pb2.Run.FromString(row.notices).notices,
    )
    if row.verdict is not None:
        run.verdict.ParseFromString(row.verdict)
    if row.failure is not None:
        run.failure.ParseFromString(row.failure)
    return run


def artifact(row: Row[Any]) -> common_pb2.Artifact:
    """A row of `artifacts`, without content."""
    return common_pb2.Artifact(
        path=row.path,
        media_type=row.media_type,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        phase=row.phase,
        name=f"{run_name(row.run_id)}/artifacts/{row.path}",
    )
