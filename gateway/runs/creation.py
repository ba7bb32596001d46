"""Accepting runs and batches, once per request id."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from google.protobuf.message import Message
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.names import ALL_PHASES
from gateway.runs import schema
from gateway.runs.ids import batch_name, run_name
from pipeline.errors import FieldViolation, PipelineError
from pipeline.v1 import common_pb2, errors_pb2, pipeline_pb2


@dataclass(frozen=True)
class NewRun:
    """A run that passed every check and is about to be stored."""

    run_id: str
    spec: pipeline_pb2.RunSpec
    cap_micros: int
    trace_id: str
    root_span_id: str
    caller_traceparent: str = ""
    notices: tuple[common_pb2.Notice, ...] = ()


@dataclass(frozen=True)
class NewBatch:
    """A batch with its runs. `entries`: per idea the position of its run in `runs` and what it repeats, or None."""

    batch_id: str
    budget_micros: int
    runs: tuple[NewRun, ...]
    entries: tuple[tuple[int, int | None], ...] = field(default=())


def body_digest(message: Message) -> str:
    """The same for equal bodies, whatever order a client wrote its fields in."""
    return hashlib.sha256(message.SerializeToString(deterministic=True)).hexdigest()


async def replay(conn: AsyncConnection, tenant: str, request_id: str, digest: str) -> str | None:
    """The resource that this request id made before; None for a new one. Raises REQUEST_ID_REUSED for another body."""
    if not request_id:
        return None
    row = (
        await conn.execute(
            select(schema.request_ids).where(
                schema.request_ids.c.tenant == tenant, schema.request_ids.c.request_id == request_id
            )
        )
    ).first()
    if row is None:
        return None
    if row.body_sha256 != digest:
        kind = "run" if row.resource.startswith("runs/") else "batch"
        raise PipelineError(
            errors_pb2.ERROR_REASON_REQUEST_ID_REUSED,
            f"request_id {request_id!r} was used before with another body; choose a new one.",
            metadata={"request_id": request_id, kind: row.resource},
            violations=[FieldViolation("request_id", "was used before with another body; choose a new one")],
        )
    return str(row.resource)


async def remember(conn: AsyncConnection, tenant: str, request_id: str, digest: str, resource: str) -> None:
    """Bind the request id to what it made."""
    if request_id:
        await conn.execute(
            insert(schema.request_ids).values(
                tenant=tenant, request_id=request_id, body_sha256=digest, resource=resource
            )
        )


async def check_queue(conn: AsyncConnection, count: int, limit: int) -> None:
    """Raise OVERLOADED when `count` more runs would make more than `limit` that wait to be worked on."""
    waiting = select(func.count()).select_from(schema.runs).where(schema.runs.c.state == pipeline_pb2.RUN_STATE_QUEUED)
    queued = (await conn.execute(waiting)).scalar_one()
    if queued + count > limit:
        raise PipelineError(
            errors_pb2.ERROR_REASON_OVERLOADED,
            f"{queued} runs wait already, {limit} may; try again when some have been worked on.",
            metadata={"limit": str(limit), "server": "gateway"},
            retry_after=10.0,
        )


async def insert_run(conn: AsyncConnection, tenant: str, new: NewRun, now: int, batch_id: str = "") -> None:
    """Store a queued run with its documents, its phases and a free lease."""
    spec = pipeline_pb2.RunSpec()
    spec.CopyFrom(new.spec)
    for document in spec.documents:
        document.ClearField("content")
    await conn.execute(
        insert(schema.runs).values(
            id=new.run_id,
            tenant=tenant,
            state=pipeline_pb2.RUN_STATE_QUEUED,
            spec=spec.SerializeToString(),
            created_at=now,
            trace_id=new.trace_id,
            root_span_id=new.root_span_id,
            caller_traceparent=new.caller_traceparent,
            cap_micros=new.cap_micros,
            batch_id=batch_id,
            last_sequence=0,
            notices=pipeline_pb2.Run(notices=new.notices).SerializeToString(),
        )
    )
    if new.spec.documents:
        await conn.execute(
            insert(schema.documents),
            [
                {"run_id": new.run_id, "position": number, "name": document.name, "content": document.content}
                for number, document in enumerate(new.spec.documents)
            ],
        )
    await conn.execute(
        insert(schema.phases),
        [
            {"run_id": new.run_id, "phase": phase, "state": pipeline_pb2.PHASE_STATE_PENDING, "attempt": 0}
            for phase in ALL_PHASES
        ],
    )
    await conn.execute(insert(schema.leases).values(run_id=new.run_id, owner="", token=0, expires_at=0))


async def insert_batch(conn: AsyncConnection, tenant: str, new: NewBatch, now: int) -> None:
    """Store a batch and its runs together: all of them or none."""
    await conn.execute(
        insert(schema.batches).values(id=new.batch_id, tenant=tenant, created_at=now, budget_micros=new.budget_micros)
    )
    for run in new.runs:
        await insert_run(conn, tenant, run, now, new.batch_id)
    await conn.execute(
        insert(schema.batch_entries),
        [
            {
                "batch_id": new.batch_id,
                "position": position,
                "run_id": new.runs[place].run_id,
                "duplicate_of": duplicate_of,
            }
            for position, (place, duplicate_of) in enumerate(new.entries)
        ],
    )


def resource_of(new: NewRun | NewBatch) -> str:
    """`runs/{id}` or `batches/{id}`."""
    return run_name(new.run_id) if isinstance(new, NewRun) else batch_name(new.batch_id)


def runs_of(new: NewRun | NewBatch) -> Sequence[NewRun]:
    """The runs that come into being."""
    return (new,) if isinstance(new, NewRun) else new.runs
