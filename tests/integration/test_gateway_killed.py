"""kill -9 of a gateway process in the middle of a run: the next start takes the run over and loses nothing."""

import asyncio
import os
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest

from chassis.channel import open_channel
from chassis.clock import SystemClock
from chassis.testing_phases import FakePhases
from pipeline.v1 import common_pb2, pipeline_pb2, pipeline_pb2_grpc

ROOT = Path(__file__).resolve().parents[2]
EVIDENCE = common_pb2.PHASE_EVIDENCE


async def start(folder: Path, targets: dict[str, str]) -> asyncio.subprocess.Process:
    """A gateway process of its own that answers on `folder`/gateway.sock."""
    environment = {
        **os.environ,
        "PIPELINE_LISTEN": f"unix:{folder}/gateway.sock",
        "PIPELINE_HTTP_LISTEN": "off",
        "PIPELINE_STATE_DIR": str(folder / "state"),
        "PIPELINE_LEASE_SECONDS": "1",
        "PIPELINE_POLL_SECONDS": "0.2",
        "PIPELINE_OFFLINE": "1",
        **{f"PIPELINE_{name.upper()}_TARGET": target for name, target in targets.items()},
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", cwd=ROOT, env=environment, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    async with asyncio.timeout(30):
        while line := await process.stderr.readline():
            if b"gateway serving on" in line:
                break
        else:
            pytest.fail("the gateway did not start")
    return process


async def drain(process: asyncio.subprocess.Process) -> None:
    """Read what it still says, so that it never blocks on a full pipe."""
    assert process.stderr is not None
    while await process.stderr.read(65536):
        pass


async def test_kill_minus_nine_in_mid_run(tmp_path: Path) -> None:
    """Killed between two phases' results, started again: gapless events, kept phases, each result stored once."""
    phases = FakePhases(SystemClock())
    phases.script(EVIDENCE).seconds = 60
    async with phases.serve(tmp_path) as targets:
        first = await start(tmp_path, targets)
        reading = asyncio.create_task(drain(first))
        async with open_channel(f"unix:{tmp_path}/gateway.sock") as channel:
            stub: Any = pipeline_pb2_grpc.PipelineServiceStub(channel)
            spec = pipeline_pb2.RunSpec(idea=common_pb2.Idea(text="A tool that helps bakeries plan their bread"))
            run = (await stub.CreateRun(pipeline_pb2.CreateRunRequest(spec=spec), wait_for_ready=True)).run
            seen: list[int] = []
            call = stub.WatchRun(pipeline_pb2.WatchRunRequest(name=run.name))
            with pytest.raises(grpc.aio.AioRpcError):  # noqa: PT012  (the kill belongs between two events)
                async for reply in call:
                    seen.append(reply.event.sequence)
                    status = reply.event.phase_finished.status
                    if status.phase == common_pb2.PHASE_MVP:
                        first.send_signal(signal.SIGKILL)
        await first.wait()
        await reading
        phases.script(EVIDENCE).seconds = 0
        second = await start(tmp_path, targets)
        reading = asyncio.create_task(drain(second))
        events: list[pipeline_pb2.RunEvent] = []
        async with open_channel(f"unix:{tmp_path}/gateway.sock") as channel:
            stub = pipeline_pb2_grpc.PipelineServiceStub(channel)
            request = pipeline_pb2.WatchRunRequest(name=run.name, after_sequence=seen[-1])
            async for reply in stub.WatchRun(request, timeout=30, wait_for_ready=True):
                events.append(reply.event)
            ended = (await stub.GetRun(pipeline_pb2.GetRunRequest(name=run.name))).run
        second.send_signal(signal.SIGTERM)
        assert await second.wait() == 0
        await reading
    assert ended.state == pipeline_pb2.RUN_STATE_SUCCEEDED
    assert [*seen, *(event.sequence for event in events)] == list(range(1, ended.last_sequence + 1))
    resumed = next(event.run_resumed for event in events if event.HasField("run_resumed"))
    assert set(resumed.kept_phases) == {common_pb2.PHASE_VALIDATION, common_pb2.PHASE_MVP}
    assert [r.context.attempt for r in phases.script(EVIDENCE).requests] == [1, 2]
    assert len(phases.script(common_pb2.PHASE_VALIDATION).requests) == 1
    with sqlite3.connect(tmp_path / "state" / "runs.db") as database:
        stored = database.execute("SELECT phase, count(*) FROM phase_results GROUP BY phase").fetchall()
        check = database.execute("PRAGMA integrity_check").fetchone()
    assert stored == [(phase, 1) for phase in range(1, 6)]
    assert check == ("ok",)
