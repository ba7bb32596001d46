"""The gateway as a server: gRPC in front, real gRPC phase servers with scripted work behind."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from chassis.channel import open_channel
from chassis.clock import SystemClock
from chassis.config import load
from chassis.server import Server
from chassis.telemetry import Telemetry
from chassis.testing import until
from chassis.testing_phases import FakePhases
from gateway.config import GatewayConfig
from gateway.server import build
from pipeline.errors import PipelineError, from_rpc_error
from pipeline.v1 import (
    common_pb2,
    errors_pb2,
    operations_pb2,
    operations_pb2_grpc,
    pipeline_pb2,
    pipeline_pb2_grpc,
)

IDEA = "A tool that helps bakeries plan how much bread to bake"
EVIDENCE = common_pb2.PHASE_EVIDENCE


class Served:
    """A gateway with its fake phases and a client."""

    def __init__(self, gateway: Server, phases: FakePhases, channel: grpc.aio.Channel) -> None:
        self.gateway = gateway
        self.phases = phases
        self.stub: Any = pipeline_pb2_grpc.PipelineServiceStub(channel)
        self.operations: Any = operations_pb2_grpc.OperationsServiceStub(channel)

    def spec(self, text: str = IDEA, **fields: Any) -> pipeline_pb2.RunSpec:
        return pipeline_pb2.RunSpec(idea=common_pb2.Idea(text=text), **fields)

    async def run(self, **fields: Any) -> list[pipeline_pb2.RunEvent]:
        call = self.stub.RunPipeline(pipeline_pb2.RunPipelineRequest(spec=self.spec(**fields)), timeout=30)
        return [reply.event async for reply in call]


def settings(folder: Path, targets: dict[str, str], **more: Any) -> GatewayConfig:
    return load(
        GatewayConfig,
        listen=f"unix:{folder}/gateway.sock",
        http_listen="",
        state_dir=folder / "state",
        poll_seconds=0.2,
        **{f"{name}_target": target for name, target in targets.items()},
        **more,
    )


@asynccontextmanager
async def gateway_on(folder: Path, targets: dict[str, str], phases: FakePhases, **more: Any) -> AsyncIterator[Served]:
    gateway = build(settings(folder, targets, **more), telemetry=Telemetry.create("gateway"))
    await gateway.start()
    async with open_channel(gateway.address) as channel:
        try:
            yield Served(gateway, phases, channel)
        finally:
            await gateway.stop(1)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    phases = FakePhases(SystemClock())
    async with phases.serve(tmp_path) as targets, gateway_on(tmp_path, targets, phases) as served:
        yield served


async def failure(call: Any) -> PipelineError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return from_rpc_error(caught.value)


async def test_every_call_of_the_service(served: Served) -> None:
    """Create, watch, get, list, report, artifacts, download and batches work over the wire."""
    stub = served.stub
    request = pipeline_pb2.CreateRunRequest(spec=served.spec(), request_id="one")
    run = (await stub.CreateRun(request)).run
    assert (await stub.CreateRun(request)).run.name == run.name
    events = [reply.event async for reply in stub.WatchRun(pipeline_pb2.WatchRunRequest(name=run.name), timeout=30)]
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert events[-1].run_finished.state == pipeline_pb2.RUN_STATE_SUCCEEDED
    tail = stub.WatchRun(pipeline_pb2.WatchRunRequest(name=run.name, after_sequence=len(events) - 1))
    assert [reply.event.sequence async for reply in tail] == [len(events)]
    ended = (await stub.GetRun(pipeline_pb2.GetRunRequest(name=run.name))).run
    assert ended.last_sequence == len(events)
    assert [r.name for r in (await stub.ListRuns(pipeline_pb2.ListRunsRequest())).runs] == [run.name]
    report = (await stub.GetReport(pipeline_pb2.GetReportRequest(name=run.name))).report
    assert report.run == ended
    listed = await stub.ListArtifacts(pipeline_pb2.ListArtifactsRequest(parent=run.name))
    deck = next(artifact for artifact in listed.artifacts if artifact.path == "deck.html")
    chunks = [m async for m in stub.DownloadArtifact(pipeline_pb2.DownloadArtifactRequest(name=deck.name))]
    assert b"".join(message.chunk for message in chunks) == b"<p>made up</p>"
    assert chunks[0].artifact.sha256 == deck.sha256
    specs = [served.spec(), served.spec(text=IDEA + "."), served.spec(text="A marketplace for used lab equipment")]
    batch = (await stub.CreateBatch(pipeline_pb2.CreateBatchRequest(specs=specs))).batch
    states = [m.batch async for m in stub.WatchBatch(pipeline_pb2.WatchBatchRequest(name=batch.name), timeout=30)]
    assert states[-1].state == pipeline_pb2.BATCH_STATE_ENDED
    assert states[-1].runs_ended == 2
    assert (await stub.GetBatch(pipeline_pb2.GetBatchRequest(name=batch.name))).batch == states[-1]


async def test_errors_are_typed(served: Served) -> None:
    """Bad input and unknown names come back with reason, fields and code."""
    stub = served.stub
    error = await failure(stub.CreateRun(pipeline_pb2.CreateRunRequest(spec=served.spec(text="short"))))
    assert (error.code, error.violations[0].field) == (grpc.StatusCode.INVALID_ARGUMENT, "spec.idea.text")
    error = await failure(stub.GetRun(pipeline_pb2.GetRunRequest(name="runs/nothing")))
    assert error.reason == errors_pb2.ERROR_REASON_RUN_NOT_FOUND
    many = pipeline_pb2.CreateBatchRequest(specs=[served.spec()] * 501)
    assert (await failure(stub.CreateBatch(many))).violations[0].field == "specs"
    assert not (await stub.ListRuns(pipeline_pb2.ListRunsRequest())).runs


async def test_one_trace_over_all_servers(served: Served) -> None:
    """trace.json joins the spans of all six servers: one root, every parent present."""
    events = await served.run()
    name = events[0].run
    call = served.stub.DownloadArtifact(pipeline_pb2.DownloadArtifactRequest(name=f"{name}/artifacts/trace.json"))
    trace: dict[str, Any] = json.loads(b"".join([message.chunk async for message in call]))
    spans = [s for r in trace["resourceSpans"] for scope in r["scopeSpans"] for s in scope["spans"]]
    services = {
        attribute["value"]["stringValue"]
        for resource in trace["resourceSpans"]
        for attribute in resource["resource"]["attributes"]
        if attribute["key"] == "service.name"
    }
    assert services == {"gateway", "validation", "evidence", "pitch", "campaign", "mvp"}
    assert {span["traceId"] for span in spans} == {events[0].run_started.trace_id}
    known = {span["spanId"] for span in spans}
    roots = [span for span in spans if not span.get("parentSpanId")]
    assert len(roots) == 1
    assert all(span["parentSpanId"] in known for span in spans if span is not roots[0])
    assert "lost_parent" not in json.dumps(trace)


async def test_operations_over_all_servers(served: Served) -> None:
    """Breakers and server info are gathered from every server."""
    await served.run()
    breakers = await served.operations.ListBreakers(operations_pb2.ListBreakersRequest(include_downstream=True))
    assert "gateway.evidence" in {breaker.name for breaker in breakers.breakers}
    info = await served.operations.GetServerInfo(operations_pb2.GetServerInfoRequest(include_downstream=True))
    assert [server.server for server in info.servers] == [
        "gateway", "validation", "evidence", "pitch", "campaign", "mvp",
    ]  # fmt: skip
    assert not info.unreachable_servers


async def test_phase_server_that_dies_and_comes_back(tmp_path: Path) -> None:
    """Evidence is stopped hard in mid-phase and started again: the run succeeds at a later attempt, stored once."""
    phases = FakePhases(SystemClock())
    phases.script(EVIDENCE).seconds = 30
    async with phases.serve(tmp_path) as targets:
        folder = tmp_path / "other"
        await asyncio.to_thread(folder.mkdir)
        first = phases.build(EVIDENCE, folder)
        await first.start()
        moved = {**targets, "evidence": first.address}
        async with gateway_on(tmp_path, moved, phases) as served:
            running = asyncio.create_task(served.run())
            await until(lambda: phases.script(EVIDENCE).running, 10)
            await first.stop(0)
            phases.script(EVIDENCE).seconds = 0
            second = phases.build(EVIDENCE, folder)
            await second.start()
            events = await running
            await second.stop(0)
    assert events[-1].run_finished.state == pipeline_pb2.RUN_STATE_SUCCEEDED
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    attempts = [e.phase_started.attempt for e in events if e.phase_started.phase == EVIDENCE]
    # A try may still meet the server that is going down; each one is counted.
    assert attempts == list(range(1, len(attempts) + 1))
    assert len(attempts) >= 2
    found = [event.evidence_found.id for event in events if event.HasField("evidence_found")]
    assert len(found) == len(set(found)) == 4


async def test_gateway_that_restarts_resumes_and_watchers_reattach(tmp_path: Path) -> None:
    """A gateway drained in mid-run is started again: the run goes on at once, a watcher misses nothing."""
    phases = FakePhases(SystemClock())
    phases.script(EVIDENCE).seconds = 30
    async with phases.serve(tmp_path) as targets:
        seen: list[int] = []
        async with gateway_on(tmp_path, targets, phases) as served:
            run = (await served.stub.CreateRun(pipeline_pb2.CreateRunRequest(spec=served.spec()))).run
            call = served.stub.WatchRun(pipeline_pb2.WatchRunRequest(name=run.name))

            async def watch() -> PipelineError | None:
                try:
                    async for reply in call:
                        seen.append(reply.event.sequence)
                except grpc.aio.AioRpcError as error:
                    return from_rpc_error(error)
                return None

            watching = asyncio.create_task(watch())
            await until(lambda: phases.script(EVIDENCE).running, 10)
            await served.gateway.stop(1)
            told = await watching
            assert told is not None
            assert told.reason == errors_pb2.ERROR_REASON_DRAINING
        phases.script(EVIDENCE).seconds = 0
        async with gateway_on(tmp_path, targets, phases) as served:
            request = pipeline_pb2.WatchRunRequest(name=run.name, after_sequence=seen[-1] if seen else 0)
            async for reply in served.stub.WatchRun(request, timeout=20):
                seen.append(reply.event.sequence)
            ended = (await served.stub.GetRun(pipeline_pb2.GetRunRequest(name=run.name))).run
    assert ended.state == pipeline_pb2.RUN_STATE_SUCCEEDED
    assert seen == list(range(1, ended.last_sequence + 1))


async def test_absent_phase_servers_leave_a_report(tmp_path: Path) -> None:
    """With no phase server at all the run fails within its patience, typed, with a report that says so."""
    targets = {name: f"unix:{tmp_path}/{name}.none" for name in ("validation", "evidence", "pitch", "campaign", "mvp")}
    phases = FakePhases(SystemClock())
    async with gateway_on(tmp_path, targets, phases, phase_patience_seconds=0.3) as served:
        events = await served.run()
        assert events[-1].run_finished.state == pipeline_pb2.RUN_STATE_FAILED
        report = (await served.stub.GetReport(pipeline_pb2.GetReportRequest(name=events[0].run))).report
        assert {missing.subject for missing in report.missing} == {
            "validation", "evidence", "pitch", "campaign", "mvp",
        }  # fmt: skip
        info = await served.operations.GetServerInfo(operations_pb2.GetServerInfoRequest(include_downstream=True))
        assert len(info.unreachable_servers) == 5


async def test_cancel_over_grpc(served: Served) -> None:
    """CancelRun stops the phase server's work and ends the stream of a watcher."""
    served.phases.script(EVIDENCE).seconds = 30
    run = (await served.stub.CreateRun(pipeline_pb2.CreateRunRequest(spec=served.spec()))).run
    await until(lambda: served.phases.script(EVIDENCE).running, 10)
    cancelled = (await served.stub.CancelRun(pipeline_pb2.CancelRunRequest(name=run.name))).run
    assert cancelled.state == pipeline_pb2.RUN_STATE_CANCELLED
    await until(lambda: not served.phases.script(EVIDENCE).running, 2)
    watch = served.stub.WatchRun(pipeline_pb2.WatchRunRequest(name=run.name), timeout=5)
    events = [reply.event async for reply in watch]
    assert events[-1].run_finished.state == pipeline_pb2.RUN_STATE_CANCELLED
