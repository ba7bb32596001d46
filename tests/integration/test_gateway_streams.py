"""What happens to work when readers leave or are slow, and when the gateway stops under load: over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc

from chassis.channel import open_channel
from chassis.clock import SystemClock
from chassis.config import ServerConfig, load
from chassis.server import Server
from chassis.telemetry import Telemetry
from chassis.testing import recording_telemetry, serve, settle, until
from chassis.testing_phases import FakePhases
from gateway.config import GatewayConfig
from gateway.server import build
from gateway.servicer import POLICIES, SERVICE
from pipeline.errors import PipelineError, from_rpc_error
from pipeline.v1 import common_pb2, errors_pb2, evidence_pb2, evidence_pb2_grpc, pipeline_pb2, pipeline_pb2_grpc

IDEA = common_pb2.Idea(text="A tool that helps bakeries plan how much bread to bake")
SPEC = pipeline_pb2.RunSpec(idea=IDEA)
EVIDENCE = common_pb2.PHASE_EVIDENCE


@asynccontextmanager
async def gateway_over(folder: Path, phases: FakePhases, **more: Any) -> AsyncIterator[tuple[Server, Any]]:
    async with phases.serve(folder) as targets:
        settings = {f"{name}_target": target for name, target in targets.items()}
        config = load(
            GatewayConfig,
            listen=f"unix:{folder}/gateway.sock",
            http_listen="",
            state_dir=folder / "state",
            poll_seconds=0.2,
            **settings,
            **more,
        )
        server = build(config, telemetry=Telemetry.create("gateway"))
        await server.start()
        async with open_channel(server.address) as channel:
            try:
                yield server, pipeline_pb2_grpc.PipelineServiceStub(channel)
            finally:
                await server.stop(1)


async def test_a_reader_that_leaves_frees_its_watch_and_the_run_goes_on(tmp_path: Path) -> None:
    """RunPipeline dropped after its first event: the watch is gone within a second, the run ends as any other."""
    phases = FakePhases(SystemClock())
    phases.script(EVIDENCE).seconds = 30
    async with gateway_over(tmp_path, phases) as (server, stub):
        call = stub.RunPipeline(pipeline_pb2.RunPipelineRequest(spec=SPEC))
        async for reply in call:
            name = reply.event.run
            break
        await until(lambda: phases.script(EVIDENCE).running)
        call.cancel()
        await until(lambda: not server.calls.watching, seconds=1)
        assert phases.script(EVIDENCE).running == 1
        assert phases.script(EVIDENCE).cancelled == 0
        await stub.CancelRun(pipeline_pb2.CancelRunRequest(name=name))


async def test_a_phase_call_that_is_dropped_stops_its_work_within_a_second(tmp_path: Path) -> None:
    """What a phase server does only for a call ends when its caller leaves."""
    phases = FakePhases(SystemClock())
    phases.script(EVIDENCE).seconds = 30
    async with phases.serve(tmp_path) as targets, open_channel(targets["evidence"]) as channel:
        stub: Any = evidence_pb2_grpc.EvidenceServiceStub(channel)
        call = stub.CollectEvidence(evidence_pb2.CollectEvidenceRequest(idea=IDEA))
        reading = asyncio.ensure_future(call.read())
        await until(lambda: phases.script(EVIDENCE).running)
        call.cancel()
        await until(lambda: not phases.script(EVIDENCE).running, seconds=1)
        assert phases.script(EVIDENCE).cancelled == 1
        await asyncio.gather(reading, return_exceptions=True)


class Talker(pipeline_pb2_grpc.PipelineServiceServicer):
    """A watch of 200 MB; counts what was asked of it."""

    def __init__(self) -> None:
        self.given = 0

    async def WatchRun(self, request: Any, context: Any) -> AsyncIterator[pipeline_pb2.WatchRunResponse]:
        for _ in range(2000):
            self.given += 1
            event = pipeline_pb2.RunEvent(sequence=self.given)
            event.phase_progress.progress.message = "x" * 100_000
            yield pipeline_pb2.WatchRunResponse(event=event)


async def test_a_slow_reader_slows_its_source_down() -> None:
    """A reader that takes one event and rests is sent a bounded part of 200 MB; it goes on in order."""
    talker = Talker()
    server = Server("gateway", load(ServerConfig), telemetry=recording_telemetry("gateway"))
    server.add(pipeline_pb2_grpc.add_PipelineServiceServicer_to_server, talker, SERVICE, policies=POLICIES)
    async with serve(server) as channel:
        stub: Any = pipeline_pb2_grpc.PipelineServiceStub(channel)
        call = stub.WatchRun(pipeline_pb2.WatchRunRequest(name="runs/0"))
        assert (await call.read()).event.sequence == 1
        before = -1
        while talker.given != before:
            before = talker.given
            await settle(2000)
        assert talker.given < 200
        assert [(await call.read()).event.sequence for _ in range(500)] == list(range(2, 502))
        call.cancel()
        await until(lambda: not server.calls.watching)


async def test_a_drain_under_load_loses_no_accepted_run(tmp_path: Path) -> None:
    """Stopped while runs pour in: some are refused as DRAINING, each accepted one ends after the next start."""
    phases = FakePhases(SystemClock())
    accepted: list[str] = []
    refused: list[PipelineError] = []
    async with gateway_over(tmp_path, phases) as (server, stub):

        async def pour() -> None:
            while not refused:
                try:
                    reply = await stub.CreateRun(pipeline_pb2.CreateRunRequest(spec=SPEC))
                    accepted.append(reply.run.name)
                except grpc.aio.AioRpcError as error:
                    refused.append(from_rpc_error(error))

        pouring = [asyncio.create_task(pour()) for _ in range(4)]
        await until(lambda: len(accepted) >= 8)
        await server.stop(5)
        await asyncio.gather(*pouring)
    assert {error.code for error in refused} == {grpc.StatusCode.UNAVAILABLE}
    assert errors_pb2.ERROR_REASON_DRAINING in {error.reason for error in refused}
    async with gateway_over(tmp_path, phases) as (_, stub):
        for name in accepted:
            watch = stub.WatchRun(pipeline_pb2.WatchRunRequest(name=name), timeout=30)
            events = [reply.event async for reply in watch]
            assert events[-1].run_finished.state == pipeline_pb2.RUN_STATE_SUCCEEDED
            assert [event.sequence for event in events] == list(range(1, len(events) + 1))
