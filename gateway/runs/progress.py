"""What the worker of a run writes, every time under its lease.

Each method is one transaction that first checks the fencing token: a worker that lost its run gets LEASE_LOST and has
changed nothing. Event keys make a second attempt of a phase silent about what the first one told.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.names import PhaseValue, phase_name
from gateway.runs import events, leases, ledger, rows, schema
from gateway.runs.leases import Lease
from gateway.runs.store import RunStore
from pipeline.v1 import common_pb2, pipeline_pb2

T = TypeVar("T")


@dataclass(frozen=True)
class Checkpoint:
    """The stored result of a phase: `result` without artifact contents, `artifacts` as they lie in the folder."""

    phase: PhaseValue
    attempt: int
    result: bytes
    artifacts: Sequence[common_pb2.Artifact]
    missing: Sequence[common_pb2.Missing]
    spends: Sequence[common_pb2.Spend]


class RunProgress:
    """Writes of workers."""

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._database = store.database

    async def claim(self, owner: str, ttl_seconds: float, held: Collection[str] = ()) -> Lease | None:
        """Take the oldest run that waits or whose worker is gone; None when there is none."""
        now = self._store.now()
        ttl = round(ttl_seconds * 1_000_000)
        async with self._database.read() as conn:
            if await leases.claimable(conn, now, held) is None:
                return None
        return await self._database.write(lambda conn: leases.claim(conn, owner, now, ttl, held))

    async def renew(self, lease: Lease, ttl_seconds: float) -> None:
        """Keep the run. Raises LEASE_LOST."""
        now = self._store.now()
        ttl = round(ttl_seconds * 1_000_000)
        await self._database.write(lambda conn: leases.renew(conn, lease, now, ttl))

    async def release(self, lease: Lease) -> None:
        """Give the run back as it stands."""
        await self._database.write(lambda conn: leases.release(conn, lease))

    async def release_all(self, owner: str) -> None:
        """Give back every run that the owner holds."""
        await self._database.write(lambda conn: leases.release_all(conn, owner))

    async def start(self, lease: Lease, phases: Sequence[PhaseValue]) -> bool:
        """Open the run's log: RunStarted the first time, RunResumed ever after. True when it is the first time."""

        async def write(conn: AsyncConnection, now: int) -> bool:
            run = (await conn.execute(select(schema.runs).where(schema.runs.c.id == lease.run_id))).one()
            event = pipeline_pb2.RunEvent()
            if run.started_at is None:
                await conn.execute(
                    update(schema.runs)
                    .where(schema.runs.c.id == lease.run_id)
                    .values(state=pipeline_pb2.RUN_STATE_RUNNING, started_at=now)
                )
                event.run_started.trace_id = run.trace_id
                event.run_started.phases.extend(phases)
                await events.append(conn, lease.run_id, "run_started", event, now)
                return True
            kept = await conn.execute(
                select(schema.phase_results.c.phase)
                .where(schema.phase_results.c.run_id == lease.run_id)
                .order_by(schema.phase_results.c.phase)
            )
            event.run_resumed.kept_phases.extend(kept.scalars())
            event.run_resumed.SetInParent()
            await events.append(conn, lease.run_id, f"run_resumed:{lease.token}", event, now)
            return False

        return await self._fenced(lease, write)

    async def emit(self, lease: Lease, items: Sequence[tuple[str, pipeline_pb2.RunEvent]]) -> int:
        """Append events by key and return how many were new."""

        async def write(conn: AsyncConnection, now: int) -> int:
            new = 0
            for key, event in items:
                new += bool(await events.append(conn, lease.run_id, key, event, now))
            return new

        return await self._fenced(lease, write)

    async def begin_attempt(self, lease: Lease, phase: PhaseValue, allowance_micros: int) -> tuple[int, int]:
        """Count the attempt, keep its allowance and tell it. Returns (attempt, micros it may spend).

        Where the budget does not cover the allowance, the phase may spend what is left.
        """

        async def write(conn: AsyncConnection, now: int) -> tuple[int, int]:
            attempt = (
                await conn.execute(
                    update(schema.phases)
                    .where(schema.phases.c.run_id == lease.run_id, schema.phases.c.phase == phase)
                    .values(
                        state=pipeline_pb2.PHASE_STATE_RUNNING,
                        attempt=schema.phases.c.attempt + 1,
                        started_at=now,
                    )
                    .returning(schema.phases.c.attempt)
                )
            ).scalar_one()
            key = _reservation(phase)
            await ledger.release(conn, lease.run_id, key)
            status = await ledger.load(conn, lease.run_id)
            left = max(status.cap_micros - status.spent_micros - status.reserved_micros, 0)
            allowed = min(allowance_micros, left)
            models = phase == common_pb2.PHASE_PITCH  # evidence pays searches and models, mostly searches
            category = common_pb2.BUDGET_CATEGORY_MODELS if models else common_pb2.BUDGET_CATEGORY_SEARCH
            await ledger.reserve(conn, lease.run_id, key, allowed, category, f"phase {phase_name(phase)}")
            event = pipeline_pb2.RunEvent()
            event.phase_started.phase = phase
            event.phase_started.attempt = attempt
            await events.append(conn, lease.run_id, f"phase_started:{phase}:{attempt}", event, now)
            return int(attempt), allowed

        return await self._fenced(lease, write)

    async def paths_of_others(self, lease: Lease, phase: PhaseValue) -> list[str]:
        """Paths of the run's artifacts that other phases made."""
        artifacts = schema.artifacts.c
        query = select(artifacts.path).where(artifacts.run_id == lease.run_id, artifacts.phase != phase)
        async with self._database.read() as conn:
            return list((await conn.execute(query)).scalars())

    async def checkpoint(self, lease: Lease, done: Checkpoint) -> bool:
        """Store a phase's result, book its money and tell what it lacks. False when a result is stored already."""

        async def write(conn: AsyncConnection, now: int) -> bool:
            stored = await conn.execute(
                insert(schema.phase_results)
                .values(
                    run_id=lease.run_id,
                    phase=done.phase,
                    attempt=done.attempt,
                    result=done.result,
                    created_at=now,
                )
                .on_conflict_do_nothing()
            )
            if not stored.rowcount:
                return False
            await put_artifacts(conn, lease.run_id, done.artifacts)
            await ledger.settle(conn, lease.run_id, _reservation(done.phase), done.spends, now)
            for missing in done.missing:
                await events.append_missing(conn, lease.run_id, missing, now)
            await self._settle(conn, lease, done.phase, now, {"state": pipeline_pb2.PHASE_STATE_SUCCEEDED})
            return True

        return await self._fenced(lease, write)

    async def fail_phase(
        self, lease: Lease, phase: PhaseValue, failure: pipeline_pb2.Failure, missing: common_pb2.Missing
    ) -> None:
        """Settle a phase as failed."""

        async def write(conn: AsyncConnection, now: int) -> None:
            await ledger.release(conn, lease.run_id, _reservation(phase))
            await events.append_missing(conn, lease.run_id, missing, now)
            values = {
                "state": pipeline_pb2.PHASE_STATE_FAILED,
                "detail": failure.message,
                "failure": failure.SerializeToString(),
                "missing": missing.SerializeToString(),
            }
            await self._settle(conn, lease, phase, now, values)

        await self._fenced(lease, write)

    async def skip_phase(
        self, lease: Lease, phase: PhaseValue, detail: str, missing: common_pb2.Missing | None
    ) -> None:
        """Settle a phase that will not run; `missing` is None where the caller left it out."""

        async def write(conn: AsyncConnection, now: int) -> None:
            values: dict[str, object] = {"state": pipeline_pb2.PHASE_STATE_SKIPPED, "detail": detail}
            if missing is not None:
                await events.append_missing(conn, lease.run_id, missing, now)
                values["missing"] = missing.SerializeToString()
            await self._settle(conn, lease, phase, now, values)

        await self._fenced(lease, write)

    async def reach_verdict(self, lease: Lease, verdict: pipeline_pb2.RunEvent) -> None:
        """Store the run's verdict (an event with `verdict_reached`) and tell it, once."""

        async def write(conn: AsyncConnection, now: int) -> None:
            await conn.execute(
                update(schema.runs)
                .where(schema.runs.c.id == lease.run_id)
                .values(verdict=verdict.verdict_reached.SerializeToString())
            )
            await events.append(conn, lease.run_id, "verdict", verdict, now)

        await self._fenced(lease, write)

    async def add_artifacts(self, run_id: str, artifacts: Sequence[common_pb2.Artifact]) -> None:
        """Name files of the gateway's own (report, trace). Not fenced: a cancelled run gets its report as well."""
        await self._database.write(lambda conn: put_artifacts(conn, run_id, artifacts))

    async def finish(self, lease: Lease, finished: pipeline_pb2.RunFinished, ended_at: int) -> None:
        """End the run: state, metrics, its last event and the lease, together."""

        async def write(conn: AsyncConnection, now: int) -> str:
            values: dict[str, object] = {
                "state": finished.state,
                "ended_at": ended_at,
                "metrics": finished.metrics.SerializeToString(),
            }
            if finished.HasField("failure"):
                values["failure"] = finished.failure.SerializeToString()
            batch = (
                await conn.execute(
                    update(schema.runs)
                    .where(schema.runs.c.id == lease.run_id)
                    .values(values)
                    .returning(schema.runs.c.batch_id)
                )
            ).scalar_one()
            event = pipeline_pb2.RunEvent(run_finished=finished)
            await events.append(conn, lease.run_id, "run_finished", event, now)
            await leases.release(conn, lease)
            return str(batch)

        batch = await self._fenced(lease, write)
        if batch:
            self._store.wakeup.notify(f"batches/{batch}")

    async def _settle(
        self, conn: AsyncConnection, lease: Lease, phase: PhaseValue, now: int, values: Mapping[str, object]
    ) -> None:
        row = (
            await conn.execute(
                update(schema.phases)
                .where(schema.phases.c.run_id == lease.run_id, schema.phases.c.phase == phase)
                .values({"ended_at": now, **values})
                .returning(schema.phases)
            )
        ).one()
        event = pipeline_pb2.RunEvent()
        event.phase_finished.status.CopyFrom(rows.phase_status(row))
        await events.append(conn, lease.run_id, f"phase_finished:{phase}", event, now)

    async def _fenced(self, lease: Lease, operation: Callable[[AsyncConnection, int], Awaitable[T]]) -> T:
        async def write(conn: AsyncConnection) -> T:
            await leases.check(conn, lease)
            return await operation(conn, self._store.now())

        result = await self._database.write(write)
        self._store.wakeup.notify(lease.run_id)
        return result


async def put_artifacts(conn: AsyncConnection, run_id: str, artifacts: Sequence[common_pb2.Artifact]) -> None:
    """Insert or replace rows of `artifacts`."""
    for artifact in artifacts:
        values = {
            "media_type": artifact.media_type,
            "size_bytes": artifact.size_bytes,
            "sha256": artifact.sha256,
            "phase": artifact.phase,
        }
        await conn.execute(
            insert(schema.artifacts)
            .values(run_id=run_id, path=artifact.path, **values)
            .on_conflict_do_update(index_elements=["run_id", "path"], set_=values)
        )


def _reservation(phase: PhaseValue) -> str:
    return f"phase:{phase_name(phase)}"
