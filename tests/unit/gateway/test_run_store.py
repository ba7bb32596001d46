"""The store keeps what it promised: once, in order, under a lease."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.testing import ManualClock
from gateway.runs import ledger
from gateway.runs.creation import NewRun
from gateway.runs.ids import new_id, parse
from gateway.runs.progress import Checkpoint, RunProgress
from gateway.runs.schema import runs_database
from gateway.runs.store import RunStore
from gateway.runs.wakeup import Wakeup
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2, pipeline_pb2, validation_pb2

VALIDATION = common_pb2.PHASE_VALIDATION
TENANT = "default"


class Stored:
    """A store on a file, with what tests need around it."""

    def __init__(self, path: Path, clock: ManualClock) -> None:
        self.clock = clock
        self.database = runs_database(path / "runs.db")
        self.store = RunStore(self.database, clock, Wakeup(clock))
        self.progress = RunProgress(self.store)

    def new(self, cap: int = 60_000_000) -> NewRun:
        spec = pipeline_pb2.RunSpec(idea=common_pb2.Idea(text="An idea of ten characters or more"))
        spec.documents.add(name="plan.md", content=b"# plan")
        return NewRun(new_id(self.clock.now()), spec, cap, "ab" * 16, "cd" * 8)

    async def run(self, cap: int = 60_000_000) -> str:
        new = self.new(cap)
        await self.store.create(TENANT, new, "", "")
        return new.run_id


@pytest.fixture
async def stored(tmp_path: Path) -> AsyncIterator[Stored]:
    made = Stored(tmp_path, ManualClock())
    await made.database.open()
    yield made
    await made.database.close()


def progress_event(number: int) -> tuple[str, pipeline_pb2.RunEvent]:
    event = pipeline_pb2.RunEvent()
    event.phase_progress.phase = VALIDATION
    event.phase_progress.progress.message = str(number)
    return f"progress:{number}", event


async def test_creation_is_idempotent(stored: Stored) -> None:
    """The same request id returns the same run; another body with it is refused and stores nothing."""
    first, second = stored.new(), stored.new()
    made = await stored.store.create(TENANT, first, "r1", "body")
    again = await stored.store.create(TENANT, second, "r1", "body")
    assert made == again
    with pytest.raises(PipelineError) as caught:
        await stored.store.create(TENANT, stored.new(), "r1", "other body")
    assert caught.value.reason == errors_pb2.ERROR_REASON_REQUEST_ID_REUSED
    assert caught.value.http_status == 422
    assert len(await stored.store.list_runs(TENANT, "", 10)) == 1


async def test_creations_at_once_make_one_run(stored: Stored) -> None:
    """Ten callers with one request id at the same moment share one run."""
    made = await asyncio.gather(*(stored.store.create(TENANT, stored.new(), "r1", "body") for _ in range(10)))
    assert len(set(made)) == 1


async def test_run_survives_a_restart(stored: Stored, tmp_path: Path) -> None:
    """What was acknowledged is there when the file is opened again, documents included."""
    run_id = await stored.run()
    await stored.database.close()
    again = Stored(tmp_path, stored.clock)
    await again.database.open()
    snapshot = await again.store.snapshot(run_id)
    assert snapshot.documents[0].content == b"# plan"
    assert snapshot.run.spec.documents[0].content == b""
    assert snapshot.run.state == pipeline_pb2.RUN_STATE_QUEUED
    await again.database.close()
    await stored.database.open()


async def test_unknown_and_foreign_runs_are_not_found(stored: Stored) -> None:
    """A run of another tenant looks exactly like one that does not exist."""
    run_id = await stored.run()
    for tenant, name in ((TENANT, "0" * 26), ("other", run_id)):
        with pytest.raises(PipelineError) as caught:
            await stored.store.get(tenant, name)
        assert caught.value.reason == errors_pb2.ERROR_REASON_RUN_NOT_FOUND


async def test_events_are_gapless_under_many_writers(stored: Stored) -> None:
    """Fifty concurrent appends, some with keys that exist, leave numbers 1..n without gap or double."""
    run_id = await stored.run()
    lease = await stored.progress.claim("me", 10)
    assert lease is not None
    await asyncio.gather(*(stored.progress.emit(lease, [progress_event(n % 30)]) for n in range(50)))
    seen = []
    watch = stored.store.watch(TENANT, run_id)
    async for event in watch:
        seen.append(event)
        if len(seen) == 30:
            break
    await watch.aclose()  # type: ignore[attr-defined]
    assert [event.sequence for event in seen] == list(range(1, 31))
    assert (await stored.store.get(TENANT, run_id)).last_sequence == 30


async def test_watcher_gets_stored_then_live_then_the_end(stored: Stored) -> None:
    """A watcher that starts in the middle gets the rest in order and stops after the last event."""
    run_id = await stored.run()
    lease = await stored.progress.claim("me", 10)
    assert lease is not None
    await stored.progress.emit(lease, [progress_event(1), progress_event(2)])

    async def read() -> list[int]:
        return [event.sequence async for event in stored.store.watch(TENANT, run_id, after=1)]

    reader = asyncio.create_task(read())
    await stored.progress.emit(lease, [progress_event(3)])
    finished = pipeline_pb2.RunFinished(state=pipeline_pb2.RUN_STATE_SUCCEEDED)
    await stored.progress.finish(lease, finished, stored.store.now())
    assert await reader == [2, 3, 4]


async def test_watcher_of_another_process_polls(stored: Stored, tmp_path: Path) -> None:
    """Without a wake-up, a watcher finds the event at its next poll."""
    run_id = await stored.run()
    other = Stored(tmp_path, stored.clock)
    await other.database.open()
    lease = await other.progress.claim("other", 10)
    assert lease is not None
    watch = stored.store.watch(TENANT, run_id)
    pending = asyncio.ensure_future(anext(watch))
    await other.progress.emit(lease, [progress_event(1)])
    while not pending.done():
        await stored.clock.tick(1)
        await stored.store.snapshot(run_id)  # the watcher's own reads get their turn
    assert pending.result().sequence == 1
    await watch.aclose()  # type: ignore[attr-defined]
    await other.database.close()


async def test_claims_take_each_run_once_and_oldest_first(stored: Stored) -> None:
    """Two workers never hold the same run; the oldest goes first."""
    first = await stored.run()
    await stored.clock.tick(1)
    second = await stored.run()
    a, b, c = [await stored.progress.claim(owner, 10) for owner in ("a", "b", "c")]
    assert (a and a.run_id, b and b.run_id, c) == (first, second, None)


async def test_loser_of_a_lease_writes_nothing(stored: Stored) -> None:
    """After an expiry another worker takes the run over; every write of the first is refused."""
    run_id = await stored.run()
    old = await stored.progress.claim("old", 10)
    await stored.clock.tick(11)
    new = await stored.progress.claim("new", 10)
    assert old is not None
    assert new is not None
    assert new.token > old.token
    with pytest.raises(PipelineError) as caught:
        await stored.progress.emit(old, [progress_event(1)])
    assert caught.value.reason == errors_pb2.ERROR_REASON_LEASE_LOST
    with pytest.raises(PipelineError):
        await stored.progress.checkpoint(old, Checkpoint(VALIDATION, 1, b"", (), (), ()))
    with pytest.raises(PipelineError):
        await stored.progress.renew(old, 10)
    await stored.progress.release(old)  # a lost lease cannot be given back either
    assert await stored.progress.claim("third", 10) is None
    snapshot = await stored.store.snapshot(run_id)
    assert (snapshot.results, snapshot.run.last_sequence) == ({}, 0)


async def test_renewed_lease_is_not_taken(stored: Stored) -> None:
    """A worker that shows signs of life keeps its run; a released run is taken at once."""
    await stored.run()
    lease = await stored.progress.claim("a", 10)
    assert lease is not None
    await stored.clock.tick(8)
    await stored.progress.renew(lease, 10)
    await stored.clock.tick(8)
    assert await stored.progress.claim("b", 10) is None
    await stored.progress.release(lease)
    await stored.progress.renew(lease, 10)  # given back by its own holder: not lost, and not taken again either
    taken = await stored.progress.claim("b", 10)
    assert taken is not None
    assert taken.token == lease.token + 1
    with pytest.raises(PipelineError) as caught:
        await stored.progress.renew(lease, 10)
    assert caught.value.reason == errors_pb2.ERROR_REASON_LEASE_LOST


async def test_checkpoint_is_stored_once(stored: Stored) -> None:
    """A second result of the same phase changes nothing: not the result, not the money, not the log."""
    run_id = await stored.run()
    lease = await stored.progress.claim("a", 10)
    assert lease is not None
    attempt, allowed = await stored.progress.begin_attempt(lease, VALIDATION, 1000)
    assert (attempt, allowed) == (1, 1000)
    spend = common_pb2.Spend(category=common_pb2.BUDGET_CATEGORY_SEARCH, amount_micros=700, key="k")
    first = validation_pb2.ValidationResult(suspicious_passages=["first"]).SerializeToString()
    second = validation_pb2.ValidationResult(suspicious_passages=["second"]).SerializeToString()
    assert await stored.progress.checkpoint(lease, Checkpoint(VALIDATION, 1, first, (), (), (spend,)))
    assert not await stored.progress.checkpoint(lease, Checkpoint(VALIDATION, 2, second, (), (), (spend,)))
    snapshot = await stored.store.snapshot(run_id)
    assert snapshot.results[VALIDATION] == first
    assert (snapshot.run.budget.spent_micros, snapshot.run.budget.reserved_micros) == (700, 0)
    assert snapshot.run.last_sequence == 2  # phase_started, phase_finished


async def test_cap_holds_against_many(stored: Stored) -> None:
    """Fifty concurrent reservations over a cap for ten: ten pass, the cap is never exceeded."""
    run_id = await stored.run(cap=1000)

    async def reserve(number: int) -> bool:
        async def write(conn: AsyncConnection) -> None:
            await ledger.reserve(conn, run_id, f"k{number}", 100, common_pb2.BUDGET_CATEGORY_SEARCH, "a search")

        try:
            await stored.database.write(write)
        except PipelineError as error:
            return error.reason != errors_pb2.ERROR_REASON_BUDGET_EXHAUSTED
        return True

    passed = await asyncio.gather(*(reserve(number) for number in range(50)))
    assert sum(passed) == 10
    assert (await stored.store.budget(run_id)).reserved_micros == 1000


async def test_alerts_are_told_once(stored: Stored) -> None:
    """Spending past 80, 95 and 100 percent of the cap tells each threshold once."""
    run_id = await stored.run(cap=1000)
    lease = await stored.progress.claim("a", 10)
    assert lease is not None
    for phase, amount in ((VALIDATION, 850), (common_pb2.PHASE_EVIDENCE, 150)):
        await stored.progress.begin_attempt(lease, phase, amount)
        spend = common_pb2.Spend(amount_micros=amount, key=str(phase))
        await stored.progress.checkpoint(lease, Checkpoint(phase, 1, b"", (), (), (spend,)))
    finished = pipeline_pb2.RunFinished(state=pipeline_pb2.RUN_STATE_SUCCEEDED)
    await stored.progress.finish(lease, finished, stored.store.now())
    events = [event async for event in stored.store.watch(TENANT, run_id)]
    assert [event.budget_alert.percent for event in events if event.HasField("budget_alert")] == [80, 95, 100]


async def test_cancel_ends_the_run_and_shuts_its_worker_out(stored: Stored) -> None:
    """After a cancel the run has ended, nothing is reserved, and its worker can add nothing."""
    run_id = await stored.run()
    lease = await stored.progress.claim("a", 10)
    assert lease is not None
    await stored.progress.start(lease, [VALIDATION])
    await stored.progress.begin_attempt(lease, VALIDATION, 1000)
    run = await stored.store.cancel(TENANT, run_id)
    assert run.state == pipeline_pb2.RUN_STATE_CANCELLED
    assert run.budget.reserved_micros == 0
    with pytest.raises(PipelineError) as caught:
        await stored.progress.emit(lease, [progress_event(1)])
    assert caught.value.reason == errors_pb2.ERROR_REASON_LEASE_LOST
    with pytest.raises(PipelineError) as caught:
        await stored.store.cancel(TENANT, run_id)
    assert caught.value.reason == errors_pb2.ERROR_REASON_RUN_ALREADY_ENDED
    events = [event async for event in stored.store.watch(TENANT, run_id)]
    assert events[-1].run_finished.state == pipeline_pb2.RUN_STATE_CANCELLED
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert await stored.progress.claim("b", 10) is None


async def test_write_finishes_although_its_caller_left(stored: Stored) -> None:
    """Cancelling a caller never cuts a transaction in half: the write is there."""
    run_id = await stored.run()
    lease = await stored.progress.claim("a", 10)
    assert lease is not None
    task = asyncio.create_task(stored.progress.emit(lease, [progress_event(1)]))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await stored.progress.emit(lease, [progress_event(2)])
    assert (await stored.store.get(TENANT, run_id)).last_sequence == 2


async def test_failing_write_spoils_no_neighbour(stored: Stored) -> None:
    """Writes share a transaction, failures do not: the others of the group are stored."""
    run_id = await stored.run()
    lease = await stored.progress.claim("a", 10)
    assert lease is not None

    async def bad(conn: AsyncConnection) -> None:
        raise ValueError("mine alone")

    results = await asyncio.gather(
        stored.progress.emit(lease, [progress_event(1)]),
        stored.database.write(bad),
        stored.progress.emit(lease, [progress_event(2)]),
        return_exceptions=True,
    )
    assert isinstance(results[1], ValueError)
    assert (await stored.store.get(TENANT, run_id)).last_sequence == 2


async def test_unusable_folder_is_a_typed_error(tmp_path: Path) -> None:
    """A store that cannot be opened says so, typed."""
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(PipelineError) as caught:
        await runs_database(tmp_path / "file" / "runs.db").open()
    assert caught.value.reason == errors_pb2.ERROR_REASON_STORAGE_UNAVAILABLE


async def test_foreign_schema_version_is_refused(stored: Stored, tmp_path: Path) -> None:
    """A database of another version is refused rather than misread."""

    async def change(conn: AsyncConnection) -> None:
        await conn.exec_driver_sql("UPDATE schema_info SET version = 999")

    await stored.database.write(change)
    with pytest.raises(PipelineError, match="version 999"):
        await runs_database(tmp_path / "runs.db").open()


async def test_ids_sort_by_time_and_parse() -> None:
    """Later runs have greater ids; only well-formed names are taken apart."""
    clock = ManualClock()
    first = new_id(clock.now())
    clock.advance(1)
    second = new_id(clock.now())
    assert first < second
    assert len(first) == 26
    assert parse(f"runs/{first}", "runs") == first
    for name in (first, f"batches/{first}", "runs/", "runs/../x", f"runs/{first}/x", "runs/" + "u" * 26):
        assert parse(name, "runs") is None


async def test_readers_that_leave_in_mid_read_cost_nothing(stored: Stored) -> None:
    """Two hundred watchers cancelled at every point of their read leave a store that still answers."""
    run_id = await stored.run()

    async def read() -> None:
        async for _ in stored.store.watch(TENANT, run_id):
            pass

    for turns in range(20):
        tasks = [asyncio.create_task(read()) for _ in range(10)]
        for _ in range(turns):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(5):
        snapshots = await asyncio.gather(*(stored.store.snapshot(run_id) for _ in range(20)))
    assert len(snapshots) == 20
    assert repr(stored.store.wakeup) == "Wakeup()"
