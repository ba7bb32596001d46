"""Starting, listening, health, reflection, operations, draining and stopping."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from chassis import lifecycle
from chassis.channel import open_channel
from chassis.config import ServerConfig, load
from chassis.listen import ListenError
from chassis.server import Server
from chassis.testing import ManualClock, recording_telemetry, serve, until
from pipeline.errors import from_rpc_error
from pipeline.v1 import errors_pb2, operations_pb2, operations_pb2_grpc, pipeline_pb2, pipeline_pb2_grpc

NAME = "pipeline.v1.PipelineService"


class Slow(pipeline_pb2_grpc.PipelineServiceServicer):
    """GetRun waits for `release`; its clean-up takes turns of the loop; `log` says what happened when."""

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.cleanup = asyncio.Event()
        self.cleanup.set()
        self.log: list[str] = []

    async def GetRun(self, request: Any, context: Any) -> Any:
        self.log.append("begun")
        try:
            await self.release.wait()
            return pipeline_pb2.GetRunResponse()
        finally:
            await self.cleanup.wait()
            self.log.append("handler cleaned up")


def build(servicer: Any | None = None, **config: Any) -> Server:
    server = Server(
        "gateway", load(ServerConfig, **config), telemetry=recording_telemetry("gateway"), clock=ManualClock()
    )
    server.add(pipeline_pb2_grpc.add_PipelineServiceServicer_to_server, servicer or Slow(), NAME)
    return server


def get_run(channel: Any) -> Any:
    return pipeline_pb2_grpc.PipelineServiceStub(channel).GetRun(pipeline_pb2.GetRunRequest())


async def check(channel: Any, service: str = "") -> int:
    stub = health_pb2_grpc.HealthStub(channel)
    return int((await stub.Check(health_pb2.HealthCheckRequest(service=service))).status)


async def test_stop_waits_until_handlers_have_run_their_finally() -> None:
    """Resources close only after the last handler's finally, even when its grace is over."""
    servicer = Slow()
    servicer.cleanup.clear()
    server = build(servicer)

    async def close(name: str) -> None:
        servicer.log.append(f"{name} closed")

    server.on_close(lambda: close("store"))
    server.on_close(lambda: close("pool"))
    async with serve(server) as channel:
        call = asyncio.ensure_future(get_run(channel))
        await until(lambda: servicer.log)
        stopping = asyncio.create_task(server.stop(0))
        with pytest.raises(grpc.RpcError):
            await call
        assert not stopping.done()
        assert servicer.log == ["begun"]
        servicer.cleanup.set()
        await stopping
    assert servicer.log == ["begun", "handler cleaned up", "pool closed", "store closed"]


async def test_calls_in_flight_finish_within_the_grace() -> None:
    """A drain lets work that was admitted end well, and its caller gets the answer."""
    servicer = Slow()
    server = build(servicer)
    async with serve(server) as channel:
        call = asyncio.ensure_future(get_run(channel))
        await until(lambda: servicer.log)
        stopping = asyncio.create_task(server.stop(10))
        await until(lambda: server.calls.draining)
        servicer.release.set()
        assert isinstance(await call, pipeline_pb2.GetRunResponse)
        await stopping


async def test_a_drain_callback_that_breaks_does_not_cut_the_drain_short() -> None:
    """Whatever a callback raises, calls in flight finish and resources close."""
    servicer = Slow()
    server = build(servicer)
    server.on_close(lambda: servicer.log.append("closed"))

    def broken() -> None:
        raise RuntimeError("a store that is away")

    server.on_drain(broken)
    async with serve(server) as channel:
        call = asyncio.ensure_future(get_run(channel))
        await until(lambda: servicer.log)
        stopping = asyncio.create_task(server.stop(10))
        await until(lambda: server.calls.draining)
        servicer.release.set()
        assert isinstance(await call, pipeline_pb2.GetRunResponse)
        await stopping
    assert servicer.log[-1] == "closed"


async def test_draining_refuses_new_work_and_says_not_serving() -> None:
    """While draining, health reads NOT_SERVING and new calls get DRAINING with a retry delay."""
    server = build()
    async with serve(server) as channel:
        assert await check(channel) == health_pb2.HealthCheckResponse.SERVING
        server.begin_drain()
        for service in ("", NAME):
            assert await check(channel, service) == health_pb2.HealthCheckResponse.NOT_SERVING
        assert await check(channel, "liveness") == health_pb2.HealthCheckResponse.SERVING, "alive while draining"
        with pytest.raises(grpc.RpcError) as caught:
            await get_run(channel)
    error = from_rpc_error(caught.value)
    assert (error.reason, error.code) == (errors_pb2.ERROR_REASON_DRAINING, grpc.StatusCode.UNAVAILABLE)
    assert error.retry_after


async def test_health_follows_readiness_and_ends_its_watchers() -> None:
    """A failing or broken readiness check reads NOT_SERVING; a watcher sees the stop and its stream ends."""
    ready: list[bool] = [True]

    async def store_answers() -> bool:
        if not ready:
            raise ConnectionError("gone")
        return ready[0]

    server = build()
    server.on_ready(store_answers)
    async with serve(server) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        watch = stub.Watch(health_pb2.HealthCheckRequest(service=NAME))
        seen = [(await watch.read()).status]
        assert await check(channel, NAME) == health_pb2.HealthCheckResponse.SERVING
        ready[0] = False
        assert await check(channel, NAME) == health_pb2.HealthCheckResponse.NOT_SERVING
        ready.clear()
        assert await check(channel, NAME) == health_pb2.HealthCheckResponse.NOT_SERVING
        with pytest.raises(grpc.RpcError) as caught:
            await check(channel, "nobody")
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
        await server.stop(5)
        seen += [response.status async for response in watch]
    assert seen == [health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING]


async def test_reflection_lists_the_services() -> None:
    """Reflection names every service that the server has."""

    async def requests() -> AsyncIterator[Any]:
        yield reflection_pb2.ServerReflectionRequest(list_services="")

    async with serve(build()) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        call = stub.ServerReflectionInfo(requests())
        names = [s.name async for r in call for s in r.list_services_response.service]
    assert set(names) >= {NAME, "pipeline.v1.OperationsService", "grpc.health.v1.Health"}


@pytest.mark.parametrize("kind", ["tcp", "unix"])
async def test_an_address_in_use_is_refused_with_its_mend(kind: str, tmp_path: Path) -> None:
    """A second server on the same address does not start, says why, and leaves the first one alone."""
    first = build()
    await first.start("127.0.0.1:0" if kind == "tcp" else f"unix:{tmp_path}/s")
    second = build()
    closed: list[bool] = []
    second.on_start(lambda: closed.append(False))
    second.on_close(lambda: closed.append(True))
    with pytest.raises(ListenError, match=r"in use|another server serves there") as caught:
        await second.start(first.address)
    assert "PIPELINE_LISTEN" in str(caught.value)
    assert closed == [True]
    async with open_channel(first.address) as channel:
        assert await check(channel) == health_pb2.HealthCheckResponse.SERVING
    await first.stop(0)


async def test_a_dead_socket_file_is_taken_over(tmp_path: Path) -> None:
    """A socket file left by a killed process does not keep a server from starting; another file does."""
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    server = build()
    await server.start(f"unix:{path}")
    await server.stop(0)
    (tmp_path / "f").write_text("mine")
    with pytest.raises(ListenError, match="a file of that name exists"):
        await build().start(f"unix:{tmp_path}/f")
    assert (tmp_path / "f").read_text() == "mine"


async def test_unknown_hosts_and_foreign_addresses_are_named() -> None:
    """An address that is not of this machine gives one sentence."""
    with pytest.raises(ListenError, match="not one of this machine"):
        await build().start("192.0.2.1:50051")


async def test_what_start_opened_is_closed_when_start_fails() -> None:
    """A start-up that fails half-way closes what it had opened."""
    log: list[str] = []
    server = build()

    async def fail() -> None:
        raise RuntimeError("no disk")

    server.on_start(lambda: log.append("open"))
    server.on_close(lambda: log.append("close"))
    server.on_start(fail)
    with pytest.raises(RuntimeError, match="no disk"):
        await server.start("127.0.0.1:0")
    assert log == ["open", "close"]


async def test_operations_show_the_server_and_its_spans() -> None:
    """GetServerInfo, ListBreakers and ListSpans answer from what is registered; a bad id is INVALID_FIELD."""
    servicer = Slow()
    servicer.release.set()
    server = build(servicer, max_in_flight=7)
    async with serve(server) as channel:
        await get_run(channel)
        stub = operations_pb2_grpc.OperationsServiceStub(channel)
        (info,) = (await stub.GetServerInfo(operations_pb2.GetServerInfoRequest())).servers
        assert (info.server, info.in_flight, info.in_flight_limit) == ("gateway", 0, 7)
        assert info.limits["batch_size"] == 256
        assert not (await stub.ListBreakers(operations_pb2.ListBreakersRequest())).breakers
        (span,) = server.telemetry.spans()
        assert span.context is not None
        trace_id = format(span.context.trace_id, "032x")
        response = await stub.ListSpans(operations_pb2.ListSpansRequest(trace_id=trace_id))
        assert NAME in response.resource_spans_json[0]
        with pytest.raises(grpc.RpcError) as caught:
            await stub.ListSpans(operations_pb2.ListSpansRequest(trace_id="x"))
    error = from_rpc_error(caught.value)
    assert error.reason == errors_pb2.ERROR_REASON_INVALID_FIELD
    assert error.violations[0].field == "trace_id"
    assert len(server.telemetry.spans()) == 1


async def test_run_serves_until_told_to_stop() -> None:
    """lifecycle.run starts, serves, drains and closes in this order."""
    stop = asyncio.Event()
    server = build(listen="127.0.0.1:0")
    log: list[str] = []
    server.on_start(lambda: log.append("start"))
    server.on_drain(lambda: log.append("drain"))
    server.on_close(lambda: log.append("close"))
    running = asyncio.create_task(lifecycle.run(server, stop=stop))
    await until(lambda: server.address)
    async with open_channel(server.address) as channel:
        assert await check(channel) == health_pb2.HealthCheckResponse.SERVING
    stop.set()
    await running
    assert log == ["start", "drain", "close"]


def test_main_exits_2_with_one_sentence_for_a_port_in_use(capsys: pytest.CaptureFixture[str]) -> None:
    """A process whose port is taken prints one sentence on stderr, nothing on stdout, and exits 2."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"

        class Config(ServerConfig):
            listen: str = address

        with pytest.raises(SystemExit) as caught:
            lifecycle.main(lambda config: build(listen=config.listen), Config)
    out, err = capsys.readouterr()
    assert caught.value.code == 2
    assert out == ""
    assert "is in use" in err
    assert "Traceback" not in err
