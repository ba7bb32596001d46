"""Batches: equal ideas run once, one budget over all, best first.

Ranking, in this order: recommendation (GO, PIVOT, INCONCLUSIVE, NO_GO), the verdict's score, the measured quality,
the place in the request. Runs without a verdict stay unranked.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from gateway.names import state_name
from gateway.report.build import recommendation_word
from gateway.request import CheckedSpec, lower_budget
from gateway.runs import rows, schema
from gateway.runs.creation import NewBatch, NewRun
from gateway.runs.ids import parse, run_name
from gateway.runs.store import RunStore, draining
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2, pipeline_pb2, validation_pb2

_ORDER = {
    validation_pb2.RECOMMENDATION_GO: 0,
    validation_pb2.RECOMMENDATION_PIVOT: 1,
    validation_pb2.RECOMMENDATION_INCONCLUSIVE: 2,
    validation_pb2.RECOMMENDATION_NO_GO: 3,
}


@dataclass(frozen=True)
class PlannedBatch:
    """`specs`: one per run. `entries`: per idea the place of its run and the index it repeats, or None."""

    specs: tuple[CheckedSpec, ...]
    entries: tuple[tuple[int, int | None], ...]
    budget_micros: int

    def build(self, batch_id: str, runs: Sequence[NewRun]) -> NewBatch:
        """The batch to store."""
        return NewBatch(batch_id, self.budget_micros, tuple(runs), self.entries)


def plan_batch(checked: Sequence[CheckedSpec], cap_micros: int | None) -> PlannedBatch:
    """Which ideas share a run, and what each run may spend. Without a cap every run keeps its own budget."""
    first_index: dict[str, int] = {}
    place: dict[str, int] = {}
    specs: list[CheckedSpec] = []
    entries: list[tuple[int, int | None]] = []
    for index, spec in enumerate(checked):
        key = same_key(spec.spec)
        if key in place:
            entries.append((place[key], first_index[key]))
            continue
        first_index[key] = index
        place[key] = len(specs)
        entries.append((len(specs), None))
        specs.append(spec)
    if cap_micros is None:
        return PlannedBatch(tuple(specs), tuple(entries), sum(spec.cap_micros for spec in specs))
    parts = shares([spec.cap_micros for spec in specs], cap_micros)
    lowered = tuple(lower_budget(spec, part) for spec, part in zip(specs, parts, strict=True))
    return PlannedBatch(lowered, tuple(entries), cap_micros)


def same_key(spec: pipeline_pb2.RunSpec) -> str:
    """Equal for specs that would give the same result: same words (whatever their case), same options."""
    copy = pipeline_pb2.RunSpec()
    copy.CopyFrom(spec)
    copy.idea.text = copy.idea.text.casefold().rstrip(" .!")
    copy.idea.name = copy.idea.name.casefold()
    return hashlib.sha256(copy.SerializeToString(deterministic=True)).hexdigest()


def shares(wanted: Sequence[int], total: int) -> list[int]:
    """Split `total` evenly, giving on what one does not want; never more than it wants, never more in all."""
    parts = [0] * len(wanted)
    left = total
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    for number, index in enumerate(order):
        parts[index] = min(wanted[index], left // (len(order) - number))
        left -= parts[index]
    return parts


def rank(entries: Sequence[pipeline_pb2.BatchEntry]) -> list[pipeline_pb2.BatchEntry]:
    """The entries with rank and reason, ranked ones first. Ideas that share a run share its rank."""
    best: list[pipeline_pb2.BatchEntry] = []
    for entry in entries:
        if entry.HasField("duplicate_of"):
            continue
        if entry.state in rows.TERMINAL and entry.HasField("verdict"):
            best.append(entry)
    best.sort(
        key=lambda e: (
            _ORDER.get(e.verdict.recommendation, 4),
            -e.verdict.score,
            -e.overall_quality_score,
            e.index,
        )
    )
    place = {entry.run: number for number, entry in enumerate(best, start=1)}
    for entry in entries:
        entry.rank = place.get(entry.run, 0)
        entry.reason = _reason(entry)
    return sorted(entries, key=lambda e: (e.rank == 0, e.rank, e.index))


def _reason(entry: pipeline_pb2.BatchEntry) -> str:
    same = f"; the same idea as number {entry.duplicate_of}" if entry.HasField("duplicate_of") else ""
    if entry.state not in rows.TERMINAL:
        return f"not ended yet{same}"
    if not entry.rank:
        return f"ended as {state_name(entry.state)} without a verdict{same}"
    verdict = entry.verdict
    why = verdict.reasons[0].explanation if verdict.reasons else f"score {verdict.score:.1f} of 5"
    return f"{recommendation_word(verdict)}: {why}{same}"


class BatchStore:
    """Batches as their callers see them."""

    def __init__(self, store: RunStore) -> None:
        self._store = store

    async def get(self, tenant: str, name: str) -> pipeline_pb2.Batch:
        """The batch as it stands. Raises BATCH_NOT_FOUND."""
        batch_id = parse(name, "batches")
        async with self._store.database.read() as conn:
            found = (
                await conn.execute(
                    select(schema.batches).where(
                        schema.batches.c.id == (batch_id or ""), schema.batches.c.tenant == tenant
                    )
                )
            ).first()
            if found is None:
                raise PipelineError(
                    errors_pb2.ERROR_REASON_BATCH_NOT_FOUND,
                    "No batch has this name.",
                    metadata={"batch": name[:200]},
                )
            members = (
                await conn.execute(
                    select(schema.batch_entries)
                    .where(schema.batch_entries.c.batch_id == batch_id)
                    .order_by(schema.batch_entries.c.position)
                )
            ).all()
            ids = {member.run_id for member in members}
            run_rows = (await conn.execute(select(schema.runs).where(schema.runs.c.id.in_(ids)))).all()
            runs = {run.name: run for run in await rows.load_runs(conn, run_rows)}
        quality = {
            run_name(row.id): pipeline_pb2.Metrics.FromString(row.metrics).overall_quality_score
            for row in run_rows
            if row.metrics is not None
        }
        entries = []
        for member in members:
            run = runs[run_name(member.run_id)]
            entry = pipeline_pb2.BatchEntry(
                index=member.position,
                run=run.name,
                state=run.state,
                idea=run.spec.idea.text,
                verdict=run.verdict if run.HasField("verdict") else None,
                overall_quality_score=quality.get(run.name, 0.0),
            )
            if member.duplicate_of is not None:
                entry.duplicate_of = member.duplicate_of
            entries.append(entry)
        ended = sum(run.state in rows.TERMINAL for run in runs.values())
        return pipeline_pb2.Batch(
            name=name,
            state=(pipeline_pb2.BATCH_STATE_ENDED if ended == len(runs) else pipeline_pb2.BATCH_STATE_RUNNING),
            created_at=rows.timestamp(found.created_at),
            entries=rank(entries),
            budget_micros=found.budget_micros,
            spent_micros=sum(run.budget.spent_micros for run in runs.values()),
            runs_ended=ended,
        )

    async def watch(self, tenant: str, name: str, poll_seconds: float) -> AsyncIterator[pipeline_pb2.Batch]:
        """The batch now and after every end of one of its runs, until all have ended."""
        told = -1
        while True:
            ticket = self._store.wakeup.ticket(name)
            batch = await self.get(tenant, name)
            if batch.runs_ended != told:
                told = batch.runs_ended
                yield batch
            if batch.state == pipeline_pb2.BATCH_STATE_ENDED:
                return
            if self._store.wakeup.closed:
                raise draining()
            await self._store.wakeup.wait(name, ticket, poll_seconds)
