"""Tracing: one provider per server, passed in and never global, and the names everybody uses.

Every server keeps its finished spans in a bounded memory, so that a run's trace can be collected without any
collector (`OperationsService.ListSpans`); with an OTLP endpoint configured they are exported as well. All traces
are sampled: the buffer bounds them.

Never hold a current span across a `yield` ("Failed to detach context"): put the work in a task
(`chassis.streaming.stream`) or make the span current only around awaits.
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from threading import Lock
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from chassis.build_info import version
from pipeline.errors import PipelineError

# Span names.
SPAN_RUN = "pipeline.run"
SPAN_PHASE = "pipeline.phase"
SPAN_CHECKPOINT = "pipeline.checkpoint"
SPAN_PROVIDER = "provider.call"
SPAN_CACHE = "cache.get_or_compute"
SPAN_EMBED = "model.embed"
# As the GenAI semantic conventions name it: "chat {model}".
SPAN_CHAT = "chat"
SPAN_SANDBOX = "sandbox.run"
SPAN_HTTP = "http.request"

# Events on the span of the call, or of the phase, that met them.
EVENT_BREAKER_TRANSITION = "breaker.transition"
EVENT_BREAKER_REFUSAL = "breaker.refusal"
EVENT_RETRY = "retry"
EVENT_RETRY_GIVEN_UP = "retry.given_up"

# Attribute keys.
ATTR_RUN = "pipeline.run"
ATTR_PHASE = "pipeline.phase"
ATTR_ATTEMPT = "pipeline.attempt"
ATTR_TENANT = "pipeline.tenant"
ATTR_PROVIDER = "pipeline.provider"
ATTR_UPSTREAM = "pipeline.upstream"
ATTR_CACHE_HIT = "pipeline.cache.hit"
ATTR_REQUEST_ID = "pipeline.request_id"
ATTR_ERROR_REASON = "pipeline.error.reason"
ATTR_OUTCOME = "pipeline.outcome"
ATTR_ITEMS = "pipeline.items"
ATTR_BREAKER = "pipeline.breaker"
ATTR_BREAKER_FROM = "pipeline.breaker.from"
ATTR_BREAKER_TO = "pipeline.breaker.to"
ATTR_BREAKER_CAUSE = "pipeline.breaker.cause"
ATTR_BREAKER_REST = "pipeline.breaker.rest_s"
ATTR_RETRY_AFTER = "pipeline.retry.after_s"
ATTR_RETRY_ATTEMPT = "pipeline.retry.attempt"
ATTR_RETRY_WAIT = "pipeline.retry.wait_s"
ATTR_RETRY_CAUSE = "pipeline.retry.cause"
ATTR_RPC_SYSTEM = "rpc.system"
ATTR_RPC_SERVICE = "rpc.service"
ATTR_RPC_METHOD = "rpc.method"
ATTR_RPC_STATUS = "rpc.grpc.status_code"
ATTR_SERVER_ADDRESS = "server.address"
# OpenTelemetry's GenAI semantic conventions; they name no cost.
ATTR_GEN_AI_OPERATION = "gen_ai.operation.name"
ATTR_GEN_AI_PROVIDER = "gen_ai.provider.name"
ATTR_GEN_AI_REQUEST_MODEL = "gen_ai.request.model"
ATTR_GEN_AI_MAX_TOKENS = "gen_ai.request.max_tokens"
ATTR_GEN_AI_TEMPERATURE = "gen_ai.request.temperature"
ATTR_GEN_AI_RESPONSE_MODEL = "gen_ai.response.model"
ATTR_GEN_AI_FINISH_REASONS = "gen_ai.response.finish_reasons"
ATTR_GEN_AI_INPUT_TOKENS = "gen_ai.usage.input_tokens"
ATTR_GEN_AI_OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
ATTR_COST_MICROS = "pipeline.cost_micros"
ATTR_REPAIRED = "pipeline.model.repaired"

# Bounds of the memory: at about 1 KiB a span, a full buffer of ordinary runs (200 spans) stays near 50 MiB.
TRACES_MAX = 256
SPANS_PER_TRACE_MAX = 5_000
ATTRIBUTE_CHARS_MAX = 1_024
# Refusals and retries of a run are events of one phase span: 20 sources, some tens of questions each.
EVENTS_PER_SPAN_MAX = 1_000

_forced_ids: ContextVar[tuple[int, int] | None] = ContextVar("pipeline_forced_span_ids", default=None)
_random = random.SystemRandom()


def new_trace_id() -> str:
    """32 hex digits, not all zero."""
    return format(_random.randrange(1, 1 << 128), "032x")


def new_span_id() -> str:
    """16 hex digits, not all zero."""
    return format(_random.randrange(1, 1 << 64), "016x")


def remote_parent(trace_id: str, span_id: str) -> Context:
    """A context whose current span is the one with these hex ids, wherever it lives (or has yet to be emitted)."""
    span_context = SpanContext(
        int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED)
    )
    if not span_context.is_valid:
        raise ValueError(f"trace id {trace_id!r} and span id {span_id!r} are not 32 and 16 hex digits")
    return trace.set_span_in_context(NonRecordingSpan(span_context), Context())


@contextmanager
def attached(context: Context) -> Iterator[None]:
    """Makes `context` current inside the block; do not `yield` to another task's caller from within."""
    token = otel_context.attach(context)
    try:
        yield
    finally:
        otel_context.detach(token)


def fail_span(span: Span, error: BaseException) -> None:
    """Marks `span` as failed by the error's reason or type; its text stays out (traces leave the house)."""
    if isinstance(error, PipelineError):
        span.set_attribute(ATTR_ERROR_REASON, error.reason_name)
        span.set_status(Status(StatusCode.ERROR, error.reason_name))
    else:
        span.set_status(Status(StatusCode.ERROR, type(error).__name__))


def add_event(name: str, attributes: Mapping[str, str | int | float | bool]) -> None:
    """An event on the current span; nothing where there is none."""
    trace.get_current_span().add_event(name, attributes)


class _Ids(IdGenerator):
    """Random ids, unless `start_span_with_ids` has chosen them."""

    def generate_trace_id(self) -> int:
        forced = _forced_ids.get()
        return forced[0] if forced else _random.randrange(1, 1 << 128)

    def generate_span_id(self) -> int:
        forced = _forced_ids.get()
        return forced[1] if forced else _random.randrange(1, 1 << 64)


class SpanBuffer(SpanProcessor):
    """Finished spans by trace id, bounded: the oldest trace goes first; spans past a trace's limit are dropped.

    Thread-safe: spans may end on worker threads.
    """

    def __init__(self, traces_max: int = TRACES_MAX, spans_per_trace_max: int = SPANS_PER_TRACE_MAX) -> None:
        self._traces: OrderedDict[int, list[ReadableSpan]] = OrderedDict()
        self._traces_max = traces_max
        self._spans_max = spans_per_trace_max
        self._lock = Lock()
        self.dropped_spans = 0
        self.evicted_traces = 0

    def __repr__(self) -> str:
        return f"SpanBuffer({len(self._traces)} traces, {self.dropped_spans} spans dropped)"

    def on_end(self, span: ReadableSpan) -> None:
        if span.context is None:
            return
        with self._lock:
            spans = self._traces.setdefault(span.context.trace_id, [])
            if len(spans) >= self._spans_max:
                self.dropped_spans += 1
            else:
                spans.append(span)
            while len(self._traces) > self._traces_max:
                self._traces.popitem(last=False)
                self.evicted_traces += 1

    def spans(self, trace_id: str | None = None) -> list[ReadableSpan]:
        """Finished spans in the order they ended, of one trace (hex id) or of all."""
        with self._lock:
            if trace_id is not None:
                return list(self._traces.get(int(trace_id, 16), ()))
            return [span for spans in self._traces.values() for span in spans]


class Telemetry:
    """A server's tracer with its span memory. Use `Telemetry.create`."""

    def __init__(self, service_name: str, provider: TracerProvider, buffer: SpanBuffer | None) -> None:
        self.service_name = service_name
        self.provider = provider
        self.buffer = buffer
        self.tracer = provider.get_tracer("pipeline", version())

    def __repr__(self) -> str:
        return f"Telemetry({self.service_name}, {self.buffer!r})"

    @classmethod
    def create(cls, service_name: str, *, otlp_endpoint: str = "", span_buffer: bool = True) -> Telemetry:
        """A provider of its own for `service_name`; `otlp_endpoint` (http://host:4317) adds an exporter."""
        provider = TracerProvider(
            sampler=ALWAYS_ON,
            resource=Resource({"service.name": service_name, "service.version": version()}),
            id_generator=_Ids(),
            span_limits=SpanLimits(max_span_attribute_length=ATTRIBUTE_CHARS_MAX, max_events=EVENTS_PER_SPAN_MAX),
            shutdown_on_exit=False,
        )
        buffer = SpanBuffer() if span_buffer else None
        if buffer is not None:
            provider.add_span_processor(buffer)
        if otlp_endpoint:
            # Imported here: only a configured exporter pays for it.
            from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.trace.export import BatchSpanProcessor

            exporter = OTLPSpanExporter(endpoint=otlp_endpoint, insecure=otlp_endpoint.startswith("http://"), timeout=5)
            provider.add_span_processor(BatchSpanProcessor(exporter))
        return cls(service_name, provider, buffer)

    @contextmanager
    def span(
        self,
        name: str,
        attributes: Mapping[str, Any] | None = None,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        parent: Context | None = None,
    ) -> Iterator[Span]:
        """A current span around a block of awaits (no `yield` inside); an exception marks it failed."""
        with self.tracer.start_as_current_span(
            name,
            context=parent,
            kind=kind,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except BaseException as error:
                fail_span(span, error)
                raise

    def start_span_with_ids(
        self,
        name: str,
        trace_id: str,
        span_id: str,
        start_time: datetime | None = None,
        parent: Context | None = None,
        *,
        attributes: Mapping[str, Any] | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> Span:
        """Starts a span with ids chosen earlier (hex); end it with `.end()`.

        A run's root span must survive a killed gateway: its ids are stored with the run, workers hang their spans
        under them with `remote_parent`, and whoever ends the run emits the root with this. With `parent`, whose
        trace id must be the same, the span becomes its child; without, it is a root.
        """
        if parent is not None:
            above = trace.get_current_span(parent).get_span_context()
            if above.is_valid and format(above.trace_id, "032x") != trace_id:
                raise ValueError(f"the parent belongs to trace {above.trace_id:032x}, not to {trace_id}")
        token = _forced_ids.set((int(trace_id, 16), int(span_id, 16)))
        try:
            return self.tracer.start_span(
                name,
                context=parent if parent is not None else Context(),
                kind=kind,
                attributes=attributes,
                start_time=None if start_time is None else nanoseconds(start_time),
            )
        finally:
            _forced_ids.reset(token)

    def spans(self, trace_id: str | None = None) -> list[ReadableSpan]:
        """Finished spans still in memory."""
        return self.buffer.spans(trace_id) if self.buffer is not None else []

    def resource_spans_json(self, trace_id: str) -> str | None:
        """The trace's spans of this server as one OTLP JSON ResourceSpans object; None when there are none.

        Raises PipelineError for an id that is not 32 hex digits.
        """
        spans = self.spans(check_trace_id(trace_id))
        if not spans:
            return None
        from chassis.otlp_json import resource_spans_json

        return resource_spans_json(spans)

    def shutdown(self) -> None:
        """Flushes and closes exporters; blocks up to seconds when a collector is slow. The memory stays readable."""
        self.provider.shutdown()


def nanoseconds(moment: datetime) -> int:
    """Nanoseconds since 1970 of an aware datetime."""
    return int(moment.timestamp() * 1_000_000) * 1_000


def check_trace_id(trace_id: str) -> str:
    """`trace_id` in lower case; PipelineError when it is not 32 hex digits."""
    text = trace_id.lower()
    if len(text) != 32 or any(character not in "0123456789abcdef" for character in text):
        raise PipelineError.invalid("trace_id", "is not a trace id; write 32 hex digits")
    return text


def join_resource_spans(parts: Sequence[str]) -> str:
    """A trace file (OTLP JSON, the form Jaeger's page uploads) from `resource_spans_json` of several servers."""
    return '{"resourceSpans":[' + ",".join(parts) + "]}"
