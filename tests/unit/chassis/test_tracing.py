"""One trace over several servers, without an orphan; chosen ids; the OTLP JSON form; bounds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from opentelemetry.sdk.trace import ReadableSpan

from chassis import telemetry as names
from chassis.channel import open_channel
from chassis.config import ServerConfig, load
from chassis.server import Server
from chassis.streaming import Emit, stream
from chassis.telemetry import (
    SpanBuffer,
    Telemetry,
    attached,
    join_resource_spans,
    new_span_id,
    new_trace_id,
    remote_parent,
)
from chassis.testing import recording_telemetry, serve, until
from pipeline.errors import PipelineError
from pipeline.v1 import (
    common_pb2,
    errors_pb2,
    evidence_pb2,
    evidence_pb2_grpc,
    operations_pb2,
    operations_pb2_grpc,
    pipeline_pb2,
    pipeline_pb2_grpc,
)

REQUEST = evidence_pb2.CollectEvidenceRequest()


class Evidence(evidence_pb2_grpc.EvidenceServiceServicer):
    def __init__(self, telemetry: Telemetry) -> None:
        self.telemetry = telemetry

    def CollectEvidence(self, request: Any, context: Any) -> AsyncIterator[Any]:
        return stream(self.work)

    async def work(self, emit: Emit[Any]) -> None:
        async def provider(number: int) -> None:
            with self.telemetry.span(names.SPAN_PROVIDER, {names.ATTR_PROVIDER: f"p{number}"}):
                item = common_pb2.EvidenceItem(id=str(number))
                await emit(evidence_pb2.CollectEvidenceResponse(item=item))

        await asyncio.gather(*(provider(number) for number in range(3)))


class Gateway(pipeline_pb2_grpc.PipelineServiceServicer):
    def __init__(self, channel: Any) -> None:
        self.stub = evidence_pb2_grpc.EvidenceServiceStub(channel)

    async def GetRun(self, request: Any, context: Any) -> Any:
        call = self.stub.CollectEvidence(REQUEST)
        try:
            async for _ in call:
                pass
        finally:
            call.cancel()
        return pipeline_pb2.GetRunResponse()


def server(name: str, telemetry: Telemetry) -> Server:
    return Server(name, load(ServerConfig), telemetry=telemetry)


def evidence_server(servicer: Any, telemetry: Telemetry) -> Server:
    built = server("evidence", telemetry)
    built.add(evidence_pb2_grpc.add_EvidenceServiceServicer_to_server, servicer, "pipeline.v1.EvidenceService")
    return built


def span_id(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.span_id)


def trace_id(span: ReadableSpan) -> str:
    assert span.context is not None
    return format(span.context.trace_id, "032x")


async def test_spans_of_client_gateway_and_phase_join_in_one_trace() -> None:
    """Client and server spans of every hop, and what handlers do inside, form one tree with one root."""
    client, gateway, evidence = (recording_telemetry(name) for name in ("client", "gateway", "evidence"))
    async with serve(evidence_server(Evidence(evidence), evidence), telemetry=gateway) as downstream:
        front = server("gateway", gateway)
        front.add(
            pipeline_pb2_grpc.add_PipelineServiceServicer_to_server,
            Gateway(downstream),
            "pipeline.v1.PipelineService",
        )
        async with serve(front, telemetry=client) as channel:
            await pipeline_pb2_grpc.PipelineServiceStub(channel).GetRun(pipeline_pb2.GetRunRequest())
        spans = [span for telemetry in (client, gateway, evidence) for span in telemetry.spans()]
    assert len({trace_id(span) for span in spans}) == 1
    known = {span_id(span): span for span in spans}
    roots = [span for span in spans if span.parent is None]
    assert [root.name for root in roots] == ["pipeline.v1.PipelineService/GetRun"]
    assert all(span.parent.span_id in known for span in spans if span.parent is not None)
    by_kind = sorted((span.kind.name, span.name.rpartition("/")[2]) for span in spans)
    assert by_kind == [
        ("CLIENT", "CollectEvidence"),
        ("CLIENT", "GetRun"),
        *[("INTERNAL", names.SPAN_PROVIDER)] * 3,
        ("SERVER", "CollectEvidence"),
        ("SERVER", "GetRun"),
    ]
    for span in evidence.spans():
        if span.name == names.SPAN_PROVIDER:
            assert span.parent is not None
            assert known[span.parent.span_id].kind.name == "SERVER"


async def test_failed_and_abandoned_streams_end_their_client_spans() -> None:
    """A client span ends with the call's code when the server fails it or the reader cancels it."""
    telemetry, client = recording_telemetry("evidence"), recording_telemetry("client")

    class Failing(evidence_pb2_grpc.EvidenceServiceServicer):
        async def CollectEvidence(self, request: Any, context: Any) -> AsyncIterator[Any]:
            yield evidence_pb2.CollectEvidenceResponse()
            if not request.domains:
                raise PipelineError(errors_pb2.ERROR_REASON_UPSTREAM_FAILED, "secret upstream text")
            await asyncio.Event().wait()

    async with serve(evidence_server(Failing(), telemetry), telemetry=client) as channel:
        stub = evidence_pb2_grpc.EvidenceServiceStub(channel)
        call = stub.CollectEvidence(REQUEST)
        await call.read()
        with pytest.raises(grpc.RpcError):
            await call.read()
        call = stub.CollectEvidence(evidence_pb2.CollectEvidenceRequest(domains=[{"name": "x"}]))
        await call.read()
        call.cancel()
        await until(lambda: len(client.spans()) == 2)
        await until(lambda: len(telemetry.spans()) == 2)
    codes = [span.attributes[names.ATTR_RPC_STATUS] for span in client.spans() if span.attributes]
    assert codes == [grpc.StatusCode.UNAVAILABLE.value[0], grpc.StatusCode.CANCELLED.value[0]]
    served = telemetry.spans()[0]
    assert served.attributes is not None
    assert served.attributes[names.ATTR_ERROR_REASON] == "UPSTREAM_FAILED"
    assert "secret" not in served.to_json()


async def test_a_root_span_chosen_earlier_is_emitted_with_its_ids() -> None:
    """Workers hang spans under ids stored with the run; whoever ends the run emits the root later."""
    trace, root = new_trace_id(), new_span_id()
    worker, other = recording_telemetry("gateway"), recording_telemetry("gateway")
    with attached(remote_parent(trace, root)), worker.span(names.SPAN_PHASE):
        pass
    began = datetime(2026, 1, 2, 3, 4, 5, 250_000, tzinfo=UTC)
    other.start_span_with_ids(names.SPAN_RUN, trace, root, began, attributes={names.ATTR_RUN: "runs/1"}).end()
    with other.span("another"):
        pass
    (phase,) = worker.spans(trace)
    (emitted,) = other.spans(trace)
    assert phase.parent is not None
    assert format(phase.parent.span_id, "016x") == root
    assert emitted.parent is None
    assert (trace_id(emitted), format(span_id(emitted), "016x")) == (trace, root)
    assert emitted.start_time == int(began.timestamp() * 1_000) * 1_000_000
    assert len(other.spans()) == 2


def test_a_chosen_span_can_have_a_parent_of_the_same_trace_only() -> None:
    """A span with chosen ids under a parent keeps both; a parent of another trace is refused."""
    telemetry = recording_telemetry()
    trace, above, own = new_trace_id(), new_span_id(), new_span_id()
    telemetry.start_span_with_ids("x", trace, own, parent=remote_parent(trace, above)).end()
    (span,) = telemetry.spans(trace)
    assert span.parent is not None
    assert (format(span.parent.span_id, "016x"), format(span_id(span), "016x")) == (above, own)
    with pytest.raises(ValueError, match="belongs to trace"):
        telemetry.start_span_with_ids("x", trace, own, parent=remote_parent(new_trace_id(), above))
    with pytest.raises(ValueError, match="hex digits"):
        remote_parent("0", "0")


def test_resource_spans_are_in_the_otlp_json_form() -> None:
    """Ids are hex, times are strings of nanoseconds, enums are numbers, names are camelCase."""
    telemetry = recording_telemetry("pitch")
    with (
        telemetry.span("outer", {"a": 1, "b": "x", "c": 1.5, "d": True}),
        pytest.raises(KeyError),
        telemetry.span("inner"),
    ):
        raise KeyError("text that stays here")
    outer = next(span for span in telemetry.spans() if span.name == "outer")
    text = telemetry.resource_spans_json(trace_id(outer).upper())
    assert text is not None
    parsed = json.loads(join_resource_spans([text]))
    (resource,) = parsed["resourceSpans"]
    attributes = {item["key"]: item["value"] for item in resource["resource"]["attributes"]}
    assert attributes["service.name"] == {"stringValue": "pitch"}
    assert "service.version" in attributes
    inner_json, outer_json = resource["scopeSpans"][0]["spans"]
    assert outer_json["traceId"] == trace_id(outer)
    assert outer_json["spanId"] == format(span_id(outer), "016x") == inner_json["parentSpanId"]
    assert "parentSpanId" not in outer_json
    assert outer_json["startTimeUnixNano"] == str(outer.start_time)
    assert outer_json["kind"] == 1
    assert {"key": "a", "value": {"intValue": "1"}} in outer_json["attributes"]
    assert inner_json["status"] == {"message": "KeyError", "code": 2}
    assert "stays here" not in text


def test_unknown_traces_have_no_spans_and_bad_ids_are_refused() -> None:
    """None for a trace nobody saw; INVALID_FIELD for what is not a trace id."""
    telemetry = recording_telemetry()
    assert telemetry.resource_spans_json(new_trace_id()) is None
    with pytest.raises(PipelineError, match="32 hex digits"):
        telemetry.resource_spans_json("g" * 32)


def test_the_span_memory_is_bounded() -> None:
    """The oldest trace leaves first, and a trace keeps no more than its limit."""
    source = recording_telemetry()
    for _ in range(3):
        with source.span("root"):
            for _ in range(4):
                with source.span("child"):
                    pass
    buffer = SpanBuffer(traces_max=2, spans_per_trace_max=3)
    spans = source.spans()
    for span in spans:
        buffer.on_end(span)
    assert len(buffer.spans()) == 6
    assert not buffer.spans(trace_id(spans[0]))
    assert (buffer.evicted_traces, buffer.dropped_spans) == (1, 6)
    assert "2 traces" in repr(buffer)


async def test_operations_and_health_leave_no_spans() -> None:
    """What machines ask all the time is not traced on either side."""
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    telemetry, client = recording_telemetry(), recording_telemetry("client")
    async with serve(server("mvp", telemetry), telemetry=client) as channel:
        await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
    assert telemetry.spans() == client.spans() == []


async def test_a_deadline_shrinks_from_hop_to_hop() -> None:
    """Each of three servers sees less time than the one before; with none left, no call goes out."""
    left: list[float] = []

    class Hop(pipeline_pb2_grpc.PipelineServiceServicer):
        def __init__(self, channel: Any | None) -> None:
            self.channel = channel

        async def GetRun(self, request: Any, context: Any) -> Any:
            left.append(context.time_remaining())
            if self.channel is None:
                return pipeline_pb2.GetRunResponse()
            return await pipeline_pb2_grpc.PipelineServiceStub(self.channel).GetRun(request)

    def hop(name: str, channel: Any | None) -> Server:
        built = server(name, recording_telemetry(name))
        built.add(pipeline_pb2_grpc.add_PipelineServiceServicer_to_server, Hop(channel), "pipeline.v1.PipelineService")
        return built

    async with serve(hop("c", None)) as to_c, serve(hop("b", to_c)) as to_b, serve(hop("a", to_b)) as to_a:
        stub = pipeline_pb2_grpc.PipelineServiceStub(to_a)
        await stub.GetRun(pipeline_pb2.GetRunRequest(), timeout=2)
        a, b, c = left
        assert a - 0.15 > b > c + 0.15
        left.clear()
        with pytest.raises(grpc.RpcError) as caught:
            await stub.GetRun(pipeline_pb2.GetRunRequest(), timeout=0.19)
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert len(left) == 1


async def test_calls_go_to_all_addresses_of_a_target_in_turn() -> None:
    """A target with several addresses is balanced by round robin."""
    servers = [server(name, recording_telemetry(name)) for name in ("one", "two")]
    for built in servers:
        await built.start("127.0.0.1:0")
    stub_seen: set[str] = set()
    async with open_channel("ipv4:" + ",".join(built.address for built in servers)) as channel:
        stub = operations_pb2_grpc.OperationsServiceStub(channel)
        for _ in range(200):
            response = await stub.GetServerInfo(operations_pb2.GetServerInfoRequest(), wait_for_ready=True)
            stub_seen.add(response.servers[0].server)
            if len(stub_seen) == 2:
                break
    assert stub_seen == {"one", "two"}
    for built in servers:
        await built.stop(0)
