"""A watch over a gateway that goes away: how long it waits, and from when it counts."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from chassis.config import ServerConfig, load
from chassis.server import Server
from chassis.testing import ManualClock, recording_telemetry, until
from pipeline.client import GatewayClient
from pipeline.errors import PipelineError
from pipeline.v1 import pipeline_pb2, pipeline_pb2_grpc

NAME = "runs/0"


class Gateway(pipeline_pb2_grpc.PipelineServiceServicer):
    """Tells the first event and then nothing, or everything that is left."""

    def __init__(self, *, whole: bool) -> None:
        self.whole = whole
        self.watched_after: list[int] = []

    async def WatchRun(self, request: Any, context: Any) -> AsyncIterator[pipeline_pb2.WatchRunResponse]:
        self.watched_after.append(request.after_sequence)
        if not request.after_sequence:
            event = pipeline_pb2.RunEvent(sequence=1, run=NAME)
            event.run_started.SetInParent()
            yield pipeline_pb2.WatchRunResponse(event=event)
        if not self.whole:
            await asyncio.Event().wait()
        event = pipeline_pb2.RunEvent(sequence=2, run=NAME)
        event.run_finished.SetInParent()
        yield pipeline_pb2.WatchRunResponse(event=event)


async def serve(path: Path, servicer: Gateway) -> Server:
    config = load(ServerConfig, listen=f"unix:{path}")
    server = Server("gateway", config, telemetry=recording_telemetry("gateway"))
    server.add(pipeline_pb2_grpc.add_PipelineServiceServicer_to_server, servicer, "pipeline.v1.PipelineService")
    await server.start()
    return server


async def test_a_watch_gives_up_on_a_gateway_that_never_comes(tmp_path: Path) -> None:
    """Where nobody answers, a watch ends with UNAVAILABLE when its patience is over instead of waiting for ever."""
    clock = ManualClock()
    async with GatewayClient(f"unix:{tmp_path}/none.sock", clock=clock) as client:
        watching = asyncio.ensure_future(anext(client.watch_run(NAME)))
        async with asyncio.timeout(10):
            while not watching.done():
                await until(lambda: clock.sleepers or watching.done())
                clock.advance(30)
        with pytest.raises(PipelineError) as caught:
            await watching
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE


async def test_patience_counts_from_the_loss_not_from_the_last_event(tmp_path: Path) -> None:
    """A gateway lost after ten quiet minutes is waited for like any other, and no event is seen twice."""
    clock = ManualClock()
    path = tmp_path / "gateway.sock"
    first, second = Gateway(whole=False), Gateway(whole=True)
    server = await serve(path, first)
    async with GatewayClient(f"unix:{path}", clock=clock) as client:
        seen: list[int] = []

        async def watch() -> None:
            async for event in client.watch_run(NAME):
                seen.append(event.sequence)

        watching = asyncio.create_task(watch())
        await until(lambda: seen)
        clock.advance(600)
        await server.stop(0)
        await until(lambda: clock.sleepers or watching.done())
        server = await serve(path, second)
        async with asyncio.timeout(10):
            while not watching.done():
                await until(lambda: clock.sleepers or watching.done())
                clock.advance(0.5)
        await watching
        await server.stop(0)
    assert seen == [1, 2]
    assert second.watched_after == [1]
