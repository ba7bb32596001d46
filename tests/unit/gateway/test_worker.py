"""Leases of a worker that stops or meets a store in trouble, and what watching leaves behind."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.telemetry import Telemetry
from chassis.testing import ManualClock, until
from gateway import trace
from gateway.runs import schema
from gateway.runs.creation import NewRun
from gateway.runs.ids import new_id
from gateway.runs.leases import Lease
from gateway.runs.progress import RunProgress
from gateway.runs.schema import runs_database
from gateway.runs.store import RunStore
from gateway.runs.wakeup import Wakeup
from gateway.testing import GatewayRig
from gateway.worker import Worker
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2, pipeline_pb2

TENANT = "default"


class Bench:
    """A worker over a real store whose work never ends."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.database = runs_database(folder / "runs.db")
        self.wakeup = Wakeup(self.clock)
        self.store = RunStore(self.database, self.clock, self.wakeup)
        self.worker = Worker(
            RunProgress(self.store),
            self.work,
            self.wakeup,
            self.clock,
            owner="me",
            limit=2,
            lease_seconds=10,
            poll_seconds=1,
        )

    async def work(self, lease: Lease) -> None:
        await asyncio.Event().wait()

    async def run(self) -> str:
        spec = pipeline_pb2.RunSpec(idea=common_pb2.Idea(text="An idea of ten characters or more"))
        new = NewRun(new_id(self.clock.now()), spec, 0, "ab" * 16, "cd" * 8)
        await self.store.create(TENANT, new, "", "")
        return new.run_id

    async def owners(self) -> list[str]:
        async with self.database.read() as conn:
            return list((await conn.execute(select(schema.leases.c.owner))).scalars())


async def test_stop_during_a_claim_gives_the_run_back(tmp_path: Path) -> None:
    """A worker stopped while its claim waits for the disk leaves no lease behind: the next start need not wait."""
    bench = Bench(tmp_path)
    await bench.database.open()
    await bench.run()
    gate = asyncio.Event()

    async def slow(_: AsyncConnection) -> None:
        await gate.wait()

    blocker = asyncio.create_task(bench.database.write(slow))
    bench.worker.start()
    await until(lambda: not bench.database._queue.empty(), 5)
    stopping = asyncio.create_task(bench.worker.stop())
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(blocker, stopping)
    assert await bench.owners() == [""]
    await bench.database.close()


async def test_full_reader_pool_is_a_typed_error(tmp_path: Path) -> None:
    """A reader that gets no connection in time reads STORAGE_UNAVAILABLE, which the worker outlives."""
    bench = Bench(tmp_path)
    await bench.database.open()
    with pytest.raises(PipelineError) as caught:
        async with bench.database.read():
            raise PoolTimeoutError("QueuePool limit of size 4 overflow 0 reached")
    assert caught.value.reason == errors_pb2.ERROR_REASON_STORAGE_UNAVAILABLE
    await bench.database.close()


async def test_a_write_after_closing_began_is_refused(tmp_path: Path) -> None:
    """What is handed in while the store closes fails at once instead of waiting for ever."""
    bench = Bench(tmp_path)
    await bench.database.open()
    gate = asyncio.Event()

    async def slow(_: AsyncConnection) -> None:
        await gate.wait()

    blocker = asyncio.create_task(bench.database.write(slow))
    await asyncio.sleep(0)
    closing = asyncio.create_task(bench.database.close())
    await asyncio.sleep(0)
    late = asyncio.create_task(bench.run())
    gate.set()
    await asyncio.gather(blocker, closing)
    async with asyncio.timeout(1):
        with pytest.raises(PipelineError) as caught:
            await late
    assert caught.value.reason == errors_pb2.ERROR_REASON_STORAGE_UNAVAILABLE


async def test_watching_what_has_ended_or_never_was_leaves_nothing(tmp_path: Path) -> None:
    """However many unknown or ended runs are asked for, the wake-up remembers none of them."""
    async with GatewayRig(tmp_path, ManualClock()) as rig:
        name = await rig.create()
        await rig.finish(name)
        before = rig.gateway.wakeup.topics
        for _ in range(20):
            assert [event async for event in rig.api.watch_run(name, 0)]
            with pytest.raises(PipelineError):
                _ = [event async for event in rig.api.watch_run(f"runs/{new_id(rig.clock.now())}", 0)]
        assert rig.gateway.wakeup.topics == before


async def test_replay_does_not_count_against_a_full_queue(tmp_path: Path) -> None:
    """With a full queue a repeated request id still returns its run; new work is refused, also many at once."""
    async with GatewayRig(tmp_path, ManualClock(), max_concurrent_runs=0, max_queued_runs=3) as rig:
        spec = pipeline_pb2.RunSpec(idea=common_pb2.Idea(text="A tool that does something useful"))
        first = await rig.api.create_run(pipeline_pb2.CreateRunRequest(spec=spec, request_id="one"))
        many = [rig.api.create_run(pipeline_pb2.CreateRunRequest(spec=spec)) for _ in range(10)]
        answers = await asyncio.gather(*many, return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, PipelineError)]
        assert {error.reason_name for error in refused} == {"OVERLOADED"}
        assert len(refused) == 8
        again = await rig.api.create_run(pipeline_pb2.CreateRunRequest(spec=spec, request_id="one"))
        assert again.name == first.name


async def test_a_frozen_server_is_asked_once_for_its_spans() -> None:
    """A server that does not answer holds up the end of a run by one question, not by one per look."""
    asked = 0

    async def silent(_: str) -> list[str]:
        nonlocal asked
        asked += 1
        raise TimeoutError

    async def lacking(_: str) -> list[str]:
        orphan = '{"scopeSpans":[{"spans":[{"spanId":"01","parentSpanId":"02"}]}]}'
        return [orphan]

    clock = ManualClock()
    gathering = asyncio.create_task(
        trace.gather("ab" * 16, "cd" * 8, Telemetry.create("gateway"), [silent, lacking], clock)
    )
    await clock.tick(10)
    assert b'"01"' in await gathering
    assert asked == 1
