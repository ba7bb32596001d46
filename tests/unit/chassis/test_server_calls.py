"""What the chassis makes of handlers that answer, fail, stream, are cancelled or are too many."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest

from chassis.calls import MethodPolicy
from chassis.config import ServerConfig, load
from chassis.deadline import current_deadline
from chassis.logs import current_request_id
from chassis.server import Server
from chassis.streaming import Emit, stream
from chassis.testing import ManualClock, phase_context, recording_telemetry, serve, settle, until
from chassis.usage import current_usage
from pipeline.errors import PipelineError, from_rpc_error
from pipeline.v1 import common_pb2, errors_pb2, evidence_pb2, evidence_pb2_grpc, pipeline_pb2, pipeline_pb2_grpc

NAME = "pipeline.v1.EvidenceService"
Work = Callable[[evidence_pb2.CollectEvidenceRequest, Emit[Any]], Any]
REQUEST = evidence_pb2.CollectEvidenceRequest(context=phase_context(common_pb2.PHASE_EVIDENCE))


def item(identifier: str) -> evidence_pb2.CollectEvidenceResponse:
    return evidence_pb2.CollectEvidenceResponse(item=common_pb2.EvidenceItem(id=identifier))


class Streaming(evidence_pb2_grpc.EvidenceServiceServicer):
    """The way phases are written: `return stream(work)`."""

    def __init__(self, work: Work) -> None:
        self.work = work

    def CollectEvidence(self, request: Any, context: Any) -> AsyncIterator[Any]:
        return stream(lambda emit: self.work(request, emit))


class Generator(evidence_pb2_grpc.EvidenceServiceServicer):
    """A plain generator handler works too."""

    def __init__(self, ended: asyncio.Event) -> None:
        self.ended = ended

    async def CollectEvidence(self, request: Any, context: Any) -> AsyncIterator[Any]:
        try:
            for number in range(100_000):
                current_usage().cache_hit()
                yield item(str(number))
        finally:
            await settle()
            self.ended.set()


class Unary(pipeline_pb2_grpc.PipelineServiceServicer):
    def __init__(self, work: Callable[[Any, Any], Any]) -> None:
        self.work = work

    async def GetRun(self, request: Any, context: Any) -> Any:
        return await self.work(request, context)


def build(servicer: Any, *, clock: Any = None, policies: Any = None, **config: Any) -> Server:
    server = Server(
        "evidence",
        load(ServerConfig, **config),
        telemetry=recording_telemetry("evidence"),
        clock=clock,
    )
    if isinstance(servicer, pipeline_pb2_grpc.PipelineServiceServicer):
        server.add(
            pipeline_pb2_grpc.add_PipelineServiceServicer_to_server,
            servicer,
            "pipeline.v1.PipelineService",
            policies=policies,
        )
    else:
        server.add(evidence_pb2_grpc.add_EvidenceServiceServicer_to_server, servicer, NAME, policies=policies)
    return server


async def collect(channel: Any, into: list[str] | None = None, **options: Any) -> list[str]:
    got: list[str] = [] if into is None else into
    call = evidence_pb2_grpc.EvidenceServiceStub(channel).CollectEvidence(REQUEST, **options)
    try:
        async for response in call:
            got.append(response.item.id)
    finally:
        call.cancel()
    return got


async def get_run(channel: Any, **options: Any) -> Any:
    return await pipeline_pb2_grpc.PipelineServiceStub(channel).GetRun(pipeline_pb2.GetRunRequest(), **options)


async def failure(awaitable: Any) -> PipelineError:
    with pytest.raises(grpc.RpcError) as caught:
        await awaitable
    return from_rpc_error(caught.value)


async def test_stream_delivers_in_order_with_usage_and_request_id() -> None:
    """A streamed handler has one recorder, request id and deadline from its first item to its last."""
    seen: list[tuple[int, str]] = []

    async def work(request: Any, emit: Emit[Any]) -> None:
        for number in range(300):
            current_usage().external_call()
            seen.append((current_usage().external_calls, current_request_id()))
            await emit(item(str(number)))

    async with serve(build(Streaming(work))) as channel:
        assert await collect(channel, metadata=[("x-request-id", "req-1")]) == [str(n) for n in range(300)]
    assert seen == [(n + 1, "req-1") for n in range(300)]


async def test_typed_error_crosses_the_wire_after_the_items_before_it() -> None:
    """Items emitted before a failure arrive, then the typed error with all its parts."""

    async def work(request: Any, emit: Emit[Any]) -> None:
        await emit(item("a"))
        raise PipelineError(
            errors_pb2.ERROR_REASON_BREAKER_OPEN, "resting", metadata={"upstream": "hn"}, retry_after=2.5
        )

    got: list[str] = []
    async with serve(build(Streaming(work))) as channel:
        error = await failure(collect(channel, into=got))
    assert got == ["a"]
    assert error.reason == errors_pb2.ERROR_REASON_BREAKER_OPEN
    assert (error.code, error.metadata, error.retry_after) == (
        grpc.StatusCode.UNAVAILABLE,
        {"upstream": "hn"},
        2.5,
    )
    assert error.request_id


@pytest.mark.parametrize("kind", ["unary", "stream"])
async def test_exception_text_stays_in_the_log(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """A defect reaches the caller as INTERNAL with a request id; its text and secrets do not."""

    async def broken(*_: Any) -> Any:
        raise ValueError("password=hunter2 in /etc/app")

    with caplog.at_level(logging.INFO, logger="pipeline.evidence"):
        if kind == "unary":
            async with serve(build(Unary(broken))) as channel:
                error = await failure(get_run(channel))
        else:
            async with serve(build(Streaming(broken))) as channel:
                error = await failure(collect(channel))
    assert error.code is grpc.StatusCode.INTERNAL
    assert "hunter2" not in error.message
    assert "/etc/app" not in error.message
    assert error.request_id
    assert error.request_id in error.message
    record = next(r for r in caplog.records if r.levelno >= logging.ERROR)
    assert "ValueError" in record.getMessage()
    assert "hunter2" not in record.getMessage()
    assert error.request_id in record.getMessage()


async def test_lone_surrogates_and_floods_still_arrive_as_errors() -> None:
    """Text that would hang or overflow the trailers is made valid and short."""

    async def work(request: Any, context: Any) -> Any:
        raise PipelineError.invalid_fields([(f"f{n}\ud800", "\udfff" + "x" * 20_000) for n in range(200)])

    async with serve(build(Unary(work))) as channel:
        error = await asyncio.wait_for(failure(get_run(channel)), 5)
    assert error.code is grpc.StatusCode.INVALID_ARGUMENT
    assert error.violations
    assert "\ud800" not in error.violations[0].field


async def test_no_failed_detach_is_logged_when_a_caller_leaves(caplog: pytest.LogCaptureFixture) -> None:
    """Dropping a stream ends the handler, runs its finally and detaches nothing in a foreign context."""
    ended = asyncio.Event()
    server = build(Generator(ended))
    async with serve(server) as channel:
        call = evidence_pb2_grpc.EvidenceServiceStub(channel).CollectEvidence(REQUEST)
        async for _ in call:
            break
        call.cancel()
        await asyncio.wait_for(ended.wait(), 5)
        await asyncio.wait_for(server.calls.idle.wait(), 5)
    assert "detach" not in caplog.text
    (span,) = server.telemetry.spans()
    assert span.attributes is not None
    assert span.attributes["rpc.grpc.status_code"] == grpc.StatusCode.CANCELLED.value[0]


async def test_overload_is_refused_at_once_and_capacity_comes_back() -> None:
    """Beyond max_in_flight calls get OVERLOADED with a retry delay while the admitted ones go on."""
    release = asyncio.Event()

    async def work(request: Any, context: Any) -> Any:
        await release.wait()
        return pipeline_pb2.GetRunResponse()

    server = build(Unary(work), max_in_flight=2)
    async with serve(server) as channel:
        admitted = [asyncio.create_task(get_run(channel)) for _ in range(2)]
        await until(lambda: server.calls.working == 2)
        error = await asyncio.wait_for(failure(get_run(channel)), 1)
        assert error.reason == errors_pb2.ERROR_REASON_OVERLOADED
        assert error.retry_after == 1.0
        assert error.metadata == {"limit": "2", "server": "evidence"}
        release.set()
        await asyncio.gather(*admitted)
        await get_run(channel)


async def test_watchers_take_no_slot() -> None:
    """A method with the watcher policy leaves the concurrency limit alone."""
    release = asyncio.Event()

    async def work(request: Any, context: Any) -> Any:
        await release.wait()
        return pipeline_pb2.GetRunResponse()

    server = build(Unary(work), max_in_flight=1, policies={"GetRun": MethodPolicy(None, watcher=True)})
    async with serve(server) as channel:
        calls = [asyncio.create_task(get_run(channel)) for _ in range(3)]
        await until(lambda: server.calls.watching == 3)
        assert server.calls.working == 0
        release.set()
        await asyncio.gather(*calls)


async def test_default_deadline_ends_a_call_that_brings_none() -> None:
    """Without a caller's deadline the server's own ends the work, on the injected clock."""
    cleaned = asyncio.Event()

    async def work(request: Any, context: Any) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.set()

    clock = ManualClock()
    server = build(Unary(work), clock=clock, unary_deadline_seconds=7)
    async with serve(server) as channel:
        call = asyncio.create_task(failure(get_run(channel)))
        await until(lambda: clock.sleepers)
        clock.advance(7)
        error = await call
    assert error.reason == errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED
    assert cleaned.is_set()


@pytest.mark.parametrize("kind", ["unary", "stream"])
async def test_a_callers_deadline_ends_the_work(kind: str) -> None:
    """When the caller's time is over the handler is cancelled, and the span says DEADLINE_EXCEEDED."""
    ended = asyncio.Event()

    async def work(*_: Any) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    server = build(Unary(work) if kind == "unary" else Streaming(work))
    async with serve(server) as channel:
        call = get_run(channel, timeout=0.1) if kind == "unary" else collect(channel, timeout=0.1)
        error = await failure(call)
        await asyncio.wait_for(ended.wait(), 5)
        await until(server.telemetry.spans)
    assert error.code is grpc.StatusCode.DEADLINE_EXCEEDED
    (span,) = server.telemetry.spans()
    assert span.attributes is not None
    assert span.attributes["rpc.grpc.status_code"] == grpc.StatusCode.DEADLINE_EXCEEDED.value[0]


async def test_a_handler_that_aborts_by_itself_keeps_its_status() -> None:
    """context.abort of a handler passes through and is recorded on the span."""

    async def work(request: Any, context: Any) -> Any:
        await context.abort(grpc.StatusCode.ALREADY_EXISTS, "there")

    server = build(Unary(work))
    async with serve(server) as channel:
        error = await failure(get_run(channel))
    assert error.code is grpc.StatusCode.ALREADY_EXISTS
    (span,) = server.telemetry.spans()
    assert span.attributes is not None
    assert span.attributes["rpc.grpc.status_code"] == grpc.StatusCode.ALREADY_EXISTS.value[0]


async def test_deadline_is_visible_to_the_handler() -> None:
    """The caller's deadline reaches the handler as a value."""
    left: list[float] = []

    async def work(request: Any, context: Any) -> Any:
        deadline = current_deadline()
        assert deadline is not None
        left.append(deadline.remaining())
        return pipeline_pb2.GetRunResponse()

    async with serve(build(Unary(work))) as channel:
        await get_run(channel, timeout=9)
    assert 0 < left[0] <= 9.2  # gRPC rounds a deadline up on the wire


async def test_request_log_carries_the_trace(caplog: pytest.LogCaptureFixture) -> None:
    """Each call logs one line with method, code, request id, trace id and span id."""

    async def work(request: Any, context: Any) -> Any:
        return pipeline_pb2.GetRunResponse()

    server = build(Unary(work))
    with caplog.at_level(logging.INFO, logger="pipeline.evidence"):
        async with serve(server) as channel:
            await get_run(channel, metadata=[("x-request-id", "abc")])
    (fields,) = [r.pipeline for r in caplog.records if getattr(r, "pipeline_event", "") == "call"]  # type: ignore[attr-defined]
    (span,) = server.telemetry.spans()
    assert span.context is not None
    assert fields["method"] == "pipeline.v1.PipelineService/GetRun"
    assert (fields["code"], fields["request_id"]) == ("OK", "abc")
    assert fields["trace_id"] == format(span.context.trace_id, "032x")
    assert fields["span_id"] == format(span.context.span_id, "016x")
    assert json.dumps(fields)
