"""Channels to other servers: tracing, deadlines that shrink, keepalive, round robin, and room for artifacts.

    async with open_channel("dns:///evidence:50062", telemetry=telemetry) as channel:
        stub = evidence_pb2_grpc.EvidenceServiceStub(channel)

Open it inside the running loop. A response stream that is not read to its end must be cancelled by its reader
(`call.cancel()` in a `finally`): since grpcio 1.83 nobody else does it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import grpc
import grpc.aio
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from chassis import telemetry as names
from chassis.deadline import current_deadline
from chassis.interceptors import EXEMPT_SERVICES, REQUEST_ID_KEY
from chassis.logs import current_request_id
from chassis.telemetry import Telemetry

# A phase returns up to 16 MiB of artifacts inline, plus its report.
MESSAGE_BYTES_MAX = 20 * 1024 * 1024

_PROPAGATOR = TraceContextTextMapPropagator()

# faults.md: ping_timeout's own default of 60 s would override the keepalive time-out.
_OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.ping_timeout_ms", 20_000),
    ("grpc.http2.max_pings_without_data", 0),
    # A server that restarts is found again within seconds, not minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # Retries are decided in one place only (chassis.resilience), never by the transport.
    ("grpc.enable_retries", 0),
)
_ROUND_ROBIN = json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})


def open_channel(
    target: str,
    *,
    telemetry: Telemetry | None = None,
    options: Sequence[tuple[str, Any]] = (),
) -> grpc.aio.Channel:
    """An insecure channel to `target` (host:port, dns:///name:port or unix:/path); close it when done.

    Targets that may have several addresses (dns:///, ipv4:a,b) are called in turn. With `telemetry` every
    unary-unary and unary-stream call gets a client span that ends when the call does. Calls made while serving
    another inherit its deadline, less a margin, and raise PipelineError DEADLINE_EXCEEDED when nothing is left.
    """
    merged = dict(_OPTIONS)
    if target.startswith(("dns:", "ipv4:", "ipv6:")):
        merged["grpc.service_config"] = _ROUND_ROBIN
    merged.update(dict(options))
    return grpc.aio.insecure_channel(
        target,
        options=list(merged.items()),
        interceptors=[_UnaryUnary(telemetry), _UnaryStream(telemetry)],
    )


class _Outgoing:
    """What both kinds of calls share: one per channel."""

    def __init__(self, telemetry: Telemetry | None) -> None:
        self.telemetry = telemetry

    def prepare(self, details: grpc.aio.ClientCallDetails) -> tuple[grpc.aio.ClientCallDetails, Span | None]:
        """The call's details with its shrunken deadline, trace and request id; and the span to end."""
        name = details.method
        method = (name.decode() if isinstance(name, bytes) else name).lstrip("/")
        service, _, short = method.rpartition("/")
        timeout = details.timeout
        deadline = current_deadline()
        if deadline is not None:
            seconds = deadline.shrink(math.inf if timeout is None else timeout)
            timeout = None if math.isinf(seconds) else seconds
        carrier: dict[str, str] = {}
        span: Span | None = None
        if self.telemetry is not None and service not in EXEMPT_SERVICES:
            span = self.telemetry.tracer.start_span(
                method,
                kind=SpanKind.CLIENT,
                attributes={
                    names.ATTR_RPC_SYSTEM: "grpc",
                    names.ATTR_RPC_SERVICE: service,
                    names.ATTR_RPC_METHOD: short,
                },
            )
            _PROPAGATOR.inject(carrier, context=trace.set_span_in_context(span))
        else:
            _PROPAGATOR.inject(carrier)
        if request_id := current_request_id():
            carrier[REQUEST_ID_KEY] = request_id
        metadata = grpc.aio.Metadata(*(details.metadata or ()))
        for key, value in carrier.items():
            if metadata.get(key) is None:
                metadata.add(key, value)
        prepared = grpc.aio.ClientCallDetails(
            details.method, timeout, metadata, details.credentials, details.wait_for_ready
        )
        return prepared, span

    async def send(self, continuation: Callable[..., Awaitable[Any]], details: Any, request: Any) -> Any:
        """The call, begun with what `prepare` adds."""
        prepared, span = self.prepare(details)
        try:
            call = await continuation(prepared, request)
        except BaseException as error:
            if span is not None:
                names.fail_span(span, error)
                span.end()
            raise
        self.finish(span, call)
        return call

    @staticmethod
    def finish(span: Span | None, call: Any) -> None:
        """Ends `span` when `call` does."""
        if span is None:
            return

        def done(ended: Any) -> None:
            code = _final_code(ended if ended is not None else call)
            span.set_attribute(names.ATTR_RPC_STATUS, code.value[0])
            if code is not grpc.StatusCode.OK:
                span.set_status(Status(StatusCode.ERROR, code.name))
            span.end()

        call.add_done_callback(done)


class _UnaryUnary(_Outgoing, grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(
        self, continuation: Callable[..., Awaitable[Any]], client_call_details: Any, request: Any
    ) -> Any:
        return await self.send(continuation, client_call_details, request)


class _UnaryStream(_Outgoing, grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(
        self, continuation: Callable[..., Awaitable[Any]], client_call_details: Any, request: Any
    ) -> Any:
        return await self.send(continuation, client_call_details, request)


def _final_code(call: Any) -> grpc.StatusCode:
    """The status of a call that is done: its coroutine has nothing to wait for, so one step ends it."""
    coroutine = call.code()
    try:
        coroutine.send(None)
    except StopIteration as stop:
        code: grpc.StatusCode = stop.value
        return code
    finally:
        coroutine.close()
    return grpc.StatusCode.UNKNOWN
