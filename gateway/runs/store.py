"""What callers ask of the store: create, read, list, watch and cancel runs.

What the worker of a run writes stands in `progress.py`; both share one `Database`. Every method raises PipelineError:
RUN_NOT_FOUND and its like, STORAGE_FULL, STORAGE_UNAVAILABLE.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.clock import Clock
from chassis.database import Database
from gateway.runs import creation, events, leases, ledger, rows, schema
from gateway.runs.creation import NewBatch, NewRun
from gateway.runs.ids import micros, run_name
from gateway.runs.wakeup import Wakeup
from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2, common_pb2, errors_pb2, pipeline_pb2

# Events read at a time: bounds a watcher's memory whatever the run's length.
EVENT_PAGE = 200
# A watcher looks again after this many seconds even if nobody woke it (another process may have written).
POLL_SECONDS = 1.0
# Topic of the wake-up for new work.
QUEUE = "queue"


@dataclass(frozen=True)
class TraceIds:
    """Ids that the run's spans share, drawn when the run was accepted."""

    trace_id: str
    root_span_id: str
    caller_traceparent: str


@dataclass(frozen=True)
class Snapshot:
    """Everything stored of a run: enough to go on with it or to report on it."""

    run_id: str
    tenant: str
    run: pipeline_pb2.Run
    trace: TraceIds
    documents: tuple[common_pb2.Document, ...]
    results: dict[int, bytes]  # by Phase: the serialised result message
    phase_missing: tuple[common_pb2.Missing, ...]
    metrics: pipeline_pb2.Metrics | None
    # Last reading of the run's campaign.
    reading: campaign_pb2.CampaignReading | None = None


def draining() -> PipelineError:
    """What a watcher is told when the gateway stops: come back and go on after the last event you saw."""
    return PipelineError(
        errors_pb2.ERROR_REASON_DRAINING,
        "The gateway is stopping; watch again after the last event you saw.",
        metadata={"server": "gateway"},
        retry_after=2.0,
    )


def run_not_found(run_id: str) -> PipelineError:
    """The error for a run that is not there."""
    return PipelineError(
        errors_pb2.ERROR_REASON_RUN_NOT_FOUND,
        "No run has this name; `pipeline runs` lists those that exist.",
        metadata={"run": run_name(run_id)[:200]},
    )


class RunStore:
    """Runs as their callers see them."""

    def __init__(self, database: Database, clock: Clock, wakeup: Wakeup) -> None:
        self.database = database
        self.clock = clock
        self.wakeup = wakeup

    def now(self) -> int:
        """Microseconds since the epoch."""
        return micros(self.clock.now())

    async def create(
        self, tenant: str, new: NewRun | NewBatch, request_id: str, digest: str, queued_max: int | None = None
    ) -> str:
        """Store a run or a batch and return its resource name.

        The same request id and body return what they made before; another body raises REQUEST_ID_REUSED. With more
        than `queued_max` runs waiting, OVERLOADED.
        """
        now = self.now()

        async def write(conn: AsyncConnection) -> str:
            before = await creation.replay(conn, tenant, request_id, digest)
            if before is not None:
                return before
            if queued_max is not None:
                await creation.check_queue(conn, len(creation.runs_of(new)), queued_max)
            if isinstance(new, NewRun):
                await creation.insert_run(conn, tenant, new, now)
            else:
                await creation.insert_batch(conn, tenant, new, now)
            resource = creation.resource_of(new)
            await creation.remember(conn, tenant, request_id, digest, resource)
            return resource

        resource = await self.database.write(write)
        self.wakeup.notify(QUEUE)
        return resource

    async def get(self, tenant: str, run_id: str) -> pipeline_pb2.Run:
        """The run as it stands now."""
        async with self.database.read() as conn:
            row = await self._row(conn, tenant, run_id)
            return (await rows.load_runs(conn, [row]))[0]

    async def list_runs(self, tenant: str, before: str, limit: int) -> list[pipeline_pb2.Run]:
        """Up to `limit` runs, newest first, older than the id `before` ("" for the newest)."""
        query = select(schema.runs).where(schema.runs.c.tenant == tenant)
        if before:
            query = query.where(schema.runs.c.id < before)
        async with self.database.read() as conn:
            found = (await conn.execute(query.order_by(schema.runs.c.id.desc()).limit(limit))).all()
            return await rows.load_runs(conn, found)

    async def snapshot(self, run_id: str, tenant: str | None = None) -> Snapshot:
        """Everything stored of the run, seen at one moment."""
        async with self.database.read() as conn:
            row = await self._row(conn, tenant, run_id)
            run = (await rows.load_runs(conn, [row]))[0]
            documents = await conn.execute(
                select(schema.documents)
                .where(schema.documents.c.run_id == run_id)
                .order_by(schema.documents.c.position)
            )
            results = await conn.execute(select(schema.phase_results).where(schema.phase_results.c.run_id == run_id))
            missing = await conn.execute(
                select(schema.phases.c.missing)
                .where(schema.phases.c.run_id == run_id, schema.phases.c.missing.is_not(None))
                .order_by(schema.phases.c.phase)
            )
            reading = (
                await conn.execute(select(schema.readings.c.reading).where(schema.readings.c.run_id == run_id))
            ).scalar()
            return Snapshot(
                run_id=run_id,
                tenant=row.tenant,
                run=run,
                trace=TraceIds(row.trace_id, row.root_span_id, row.caller_traceparent),
                documents=tuple(common_pb2.Document(name=d.name, content=d.content) for d in documents),
                results={result.phase: result.result for result in results},
                phase_missing=tuple(common_pb2.Missing.FromString(m.missing) for m in missing),
                metrics=None if row.metrics is None else pipeline_pb2.Metrics.FromString(row.metrics),
                reading=None if reading is None else campaign_pb2.CampaignReading.FromString(reading),
            )

    async def watch(
        self, tenant: str, run_id: str, after: int = 0, poll_seconds: float = POLL_SECONDS
    ) -> AsyncIterator[pipeline_pb2.RunEvent]:
        """Events above `after`: stored ones first, then each as it is stored, until the run has ended.

        The reader sets the pace: what it has not taken waits in the database, not in memory.
        """
        while True:
            ticket = self.wakeup.ticket(run_id)
            async with self.database.read() as conn:
                row = await self._row(conn, tenant, run_id)
                page = await events.read(conn, run_id, after, EVENT_PAGE)
            for event in page:
                after = event.sequence
                yield event
            if row.state in rows.TERMINAL and after >= row.last_sequence:
                return
            if len(page) < EVENT_PAGE:
                if self.wakeup.closed:
                    raise draining()
                await self.wakeup.wait(run_id, ticket, poll_seconds)

    async def cancel(self, tenant: str, run_id: str) -> pipeline_pb2.Run:
        """End the run as CANCELLED and shut its worker out. Raises RUN_ALREADY_ENDED.

        The worker learns of it from its next write at the latest: its lease is void.
        """
        now = self.now()

        async def write(conn: AsyncConnection) -> pipeline_pb2.Run:
            row = await self._row(conn, tenant, run_id)
            if row.state in rows.TERMINAL:
                state = pipeline_pb2.RunState.Name(row.state).removeprefix("RUN_STATE_")
                raise PipelineError(
                    errors_pb2.ERROR_REASON_RUN_ALREADY_ENDED,
                    "The run has ended, so that it cannot be cancelled any more.",
                    metadata={"run": run_name(run_id), "state": state},
                )
            await leases.revoke(conn, run_id)
            await _cancel_phases(conn, run_id, now)
            await conn.execute(
                delete(schema.ledger).where(schema.ledger.c.run_id == run_id, schema.ledger.c.settled.is_(False))
            )
            failure = pipeline_pb2.Failure(reason=errors_pb2.ERROR_REASON_CANCELLED, message="The run was cancelled.")
            finished = pipeline_pb2.RunFinished(state=pipeline_pb2.RUN_STATE_CANCELLED, failure=failure)
            await conn.execute(
                update(schema.runs)
                .where(schema.runs.c.id == run_id)
                .values(state=pipeline_pb2.RUN_STATE_CANCELLED, ended_at=now, failure=failure.SerializeToString())
            )
            await events.append(conn, run_id, "run_finished", pipeline_pb2.RunEvent(run_finished=finished), now)
            return (await rows.load_runs(conn, [await self._row(conn, tenant, run_id)]))[0]

        run = await self.database.write(write)
        self.wakeup.notify(run_id)
        if run.batch:
            self.wakeup.notify(run.batch)
        return run

    async def list_artifacts(
        self, tenant: str, run_id: str, after: str = "", limit: int = 1000
    ) -> list[common_pb2.Artifact]:
        """Artifacts in the order of their paths, beyond the path `after`."""
        async with self.database.read() as conn:
            await self._row(conn, tenant, run_id)
            found = await conn.execute(
                select(schema.artifacts)
                .where(schema.artifacts.c.run_id == run_id, schema.artifacts.c.path > after)
                .order_by(schema.artifacts.c.path)
                .limit(limit)
            )
            return [rows.artifact(row) for row in found]

    async def get_artifact(self, tenant: str, run_id: str, path: str) -> common_pb2.Artifact:
        """One artifact without its content. Raises ARTIFACT_NOT_FOUND."""
        async with self.database.read() as conn:
            await self._row(conn, tenant, run_id)
            row = (
                await conn.execute(
                    select(schema.artifacts).where(schema.artifacts.c.run_id == run_id, schema.artifacts.c.path == path)
                )
            ).first()
        if row is None:
            raise PipelineError(
                errors_pb2.ERROR_REASON_ARTIFACT_NOT_FOUND,
                "The run has no such artifact, or not yet; ListArtifacts names those it has.",
                metadata={"artifact": f"{run_name(run_id)}/artifacts/{path}"[:200]},
            )
        return rows.artifact(row)

    async def answers(self) -> bool:
        """True while the database does: the gateway is not ready without it."""
        try:
            async with self.database.read() as conn:
                await conn.execute(select(schema.schema_info.c.version))
        except PipelineError:
            return False
        return True

    async def budget(self, run_id: str) -> pipeline_pb2.BudgetStatus:
        """The run's ledger, summed up."""
        async with self.database.read() as conn:
            return await ledger.load(conn, run_id)

    async def _row(self, conn: AsyncConnection, tenant: str | None, run_id: str) -> Row[Any]:
        row = (await conn.execute(select(schema.runs).where(schema.runs.c.id == run_id))).first()
        if row is None or (tenant is not None and row.tenant != tenant):
            raise run_not_found(run_id)
        return row


async def _cancel_phases(conn: AsyncConnection, run_id: str, now: int) -> None:
    """Settle what had not settled, and say so."""
    open_states = (pipeline_pb2.PHASE_STATE_PENDING, pipeline_pb2.PHASE_STATE_RUNNING)
    found = await conn.execute(
        update(schema.phases)
        .where(schema.phases.c.run_id == run_id, schema.phases.c.state.in_(open_states))
        .values(state=pipeline_pb2.PHASE_STATE_SKIPPED, ended_at=now, detail="the run was cancelled")
        .returning(schema.phases)
    )
    for row in sorted(found.all(), key=lambda each: int(each.phase)):
        event = pipeline_pb2.RunEvent()
        event.phase_finished.status.CopyFrom(rows.phase_status(row))
        await events.append(conn, run_id, f"phase_finished:{row.phase}", event, now)
