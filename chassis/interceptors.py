"""What surrounds every handler: admission, deadline, trace, usage, log line, and errors made fit for the wire.

A handler runs in a task of its own with one context from beginning to end: the server span, the request id, the
deadline and the usage recorder are set there once and never taken back, so that nothing is detached in a foreign
context however the call ends. The call counts as in flight until that task, and every task it began through
`chassis.streaming.stream`, has run its `finally` blocks.

Own tracing rather than opentelemetry-instrumentation-grpc: that one keeps the span current across the yields of a
streaming handler, and does not see `abort_with_status`.
"""

from __future__ import annotations

import asyncio
import contextvars
import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import grpc
import grpc.aio
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from chassis import telemetry as names
from chassis.calls import Calls, MethodPolicy
from chassis.clock import Clock
from chassis.deadline import Deadline, caller_seconds, exceeded, set_deadline
from chassis.logs import get_logger, set_request_id
from chassis.streaming import begin_scope, cancel_and_wait, cancel_once, stream
from chassis.telemetry import Telemetry, fail_span
from chassis.usage import UsageRecorder, set_usage
from pipeline.errors import PipelineError, from_rpc_error, to_status
from pipeline.v1 import errors_pb2

REQUEST_ID_KEY = "x-request-id"

# Asked by machines all the time and needed when a server is full or stopping: no limit, no span, no log line.
EXEMPT_SERVICES = frozenset(
    {
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
        "grpc.reflection.v1.ServerReflection",
        "pipeline.v1.OperationsService",
    }
)

# A handler is at most this many items ahead of the network; servicers choose larger buffers of their own.
_AHEAD_ITEMS = 2

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_PROPAGATOR = TraceContextTextMapPropagator()
_QUIET = frozenset({grpc.StatusCode.OK, grpc.StatusCode.CANCELLED})


# The caller's core ends a call at its deadline by its own timer: a busy loop hears of it this much before its own.
SLACK_SECONDS = 0.05


class CallInterceptor(grpc.aio.ServerInterceptor):
    """One per server; wraps every handler but those of exempt services."""

    def __init__(
        self,
        server: str,
        *,
        telemetry: Telemetry,
        clock: Clock,
        calls: Calls,
        policies: Mapping[str, MethodPolicy],
        unary_deadline_seconds: float,
        stream_deadline_seconds: float,
    ) -> None:
        self.server = server
        self.telemetry = telemetry
        self.clock = clock
        self.calls = calls
        self.policies = policies
        self.unary_deadline_seconds = unary_deadline_seconds
        self.stream_deadline_seconds = stream_deadline_seconds
        self.log = get_logger(server, server=server)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        handler: Any = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None:
            return handler
        exempt = method.strip("/").rpartition("/")[0] in EXEMPT_SERVICES
        serializers = {
            "request_deserializer": handler.request_deserializer,
            "response_serializer": handler.response_serializer,
        }
        kind = f"{'stream' if handler.request_streaming else 'unary'}_" + (
            "stream" if handler.response_streaming else "unary"
        )
        behaviour = getattr(handler, kind)
        if exempt and handler.response_streaming:
            # Health.Watch and reflection are generators that hold nothing; they end with their connection.
            return handler
        make = getattr(grpc, f"{kind}_rpc_method_handler")
        wrap = self._stream if handler.response_streaming else self._unary
        return make(wrap(method, behaviour, exempt), **serializers)

    def _unary(self, method: str, behaviour: Callable[..., Awaitable[Any]], exempt: bool) -> Any:
        async def call(request: Any, context: Any) -> Any:
            call = Call(self, method, context, exempt, self.unary_deadline_seconds)
            try:
                call.begin()
                return await call.run(behaviour, request)
            except BaseException as error:
                await call.abort(error)

        return call

    def _stream(self, method: str, behaviour: Callable[..., Any], exempt: bool) -> Any:
        async def call(request: Any, context: Any) -> AsyncIterator[Any]:
            call = Call(self, method, context, exempt, self.stream_deadline_seconds)
            try:
                call.begin()
                async for item in call.iterate(behaviour, request):
                    yield item
            except GeneratorExit:
                raise
            except BaseException as error:
                await call.abort(error)

        return call


class Call:
    """One call being served."""

    def __init__(
        self, chassis: CallInterceptor, method: str, context: Any, exempt: bool, default_seconds: float
    ) -> None:
        self.chassis = chassis
        self.method = method.lstrip("/")
        self.context = context
        self.exempt = exempt
        self.policy = chassis.policies.get(self.method, MethodPolicy())
        self.default_seconds = default_seconds
        self.metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        given = self.metadata.get(REQUEST_ID_KEY, "")
        self.request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        self.started = chassis.clock.monotonic()
        self.span: Span | None = None
        self.deadline: Deadline | None = None
        self.admitted = False
        self.reported = False
        self.out_of_time = False
        self.watchdog: asyncio.Task[None] | None = None
        self.scope: contextvars.Context = contextvars.copy_context()
        self.children: set[asyncio.Task[Any]] = set()

    def begin(self) -> None:
        """Admits the call and prepares the context of its task; raises PipelineError when it is refused."""
        self.scope.run(self._prepare)
        if self.exempt:
            return
        self.chassis.calls.admit(self.policy)
        self.admitted = True
        if self.deadline is not None:
            self.deadline.check()

    def _prepare(self) -> None:
        set_request_id(self.request_id)
        set_usage(UsageRecorder())
        self.children = begin_scope()
        default = self.policy.deadline(self.default_seconds)
        self.deadline = Deadline.from_context(self.context, self.chassis.clock, default)
        set_deadline(self.deadline)
        if self.exempt:
            return
        service, _, name = self.method.rpartition("/")
        self.span = self.chassis.telemetry.tracer.start_span(
            self.method,
            context=_PROPAGATOR.extract(self.metadata),
            kind=SpanKind.SERVER,
            attributes={
                names.ATTR_RPC_SYSTEM: "grpc",
                names.ATTR_RPC_SERVICE: service,
                names.ATTR_RPC_METHOD: name,
                names.ATTR_REQUEST_ID: self.request_id,
            },
        )
        # Never detached: the context dies with its task.
        otel_context.attach(trace.set_span_in_context(self.span))

    async def run(self, behaviour: Callable[..., Awaitable[Any]], request: Any) -> Any:
        """Runs a unary handler in its own task; cancelling this cancels it and waits for it."""

        async def serve() -> Any:
            try:
                return await behaviour(request, self.context)
            finally:
                await cancel_and_wait(self.children)

        task = asyncio.get_running_loop().create_task(serve(), context=self.scope)
        self._watch(task)
        return await task

    def iterate(self, behaviour: Callable[..., Any], request: Any) -> AsyncIterator[Any]:
        """Runs a streaming handler in its own task and yields its items."""
        own: asyncio.Task[Any] | None = None

        async def serve(emit: Callable[[Any], Awaitable[None]]) -> None:
            source = behaviour(request, self.context)
            try:
                if not hasattr(source, "__aiter__"):
                    await source  # a handler that writes to the context itself
                    return
                async for item in source:
                    await emit(item)
            finally:
                if hasattr(source, "aclose"):
                    await source.aclose()
                await cancel_and_wait(task for task in self.children if task is not own)

        def started(task: asyncio.Task[None]) -> None:
            nonlocal own
            own = task
            self._watch(task)
            # A caller that leaves while an item is being sent closes no generator: cancel from here.
            self.context.add_done_callback(lambda _: cancel_once(task))

        return stream(serve, buffer=_AHEAD_ITEMS, context=self.scope, on_started=started)

    def _watch(self, task: asyncio.Task[Any]) -> None:
        """Reports the task's end, and ends it at the server's own deadline where the caller set none."""
        task.add_done_callback(self._finished)
        if caller_seconds(self.context) is None and self.deadline is not None:
            seconds = self.deadline.remaining()
            if seconds != float("inf"):
                self.watchdog = asyncio.get_running_loop().create_task(self._end_after(seconds, task))

    async def _end_after(self, seconds: float, task: asyncio.Task[Any]) -> None:
        await self.chassis.clock.sleep(seconds)
        self.out_of_time = True
        cancel_once(task)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        if self.watchdog is not None:
            self.watchdog.cancel()
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        self._report(error)
        if self.admitted:
            self.admitted = False
            self.chassis.calls.finish(self.policy)

    def _typed(self, error: BaseException) -> PipelineError:
        """What the caller is told."""
        if isinstance(error, PipelineError):
            typed = error
        elif isinstance(error, asyncio.CancelledError):
            left = self.deadline.remaining() if self.deadline is not None else 1.0
            if self.out_of_time or left <= SLACK_SECONDS:
                typed = exceeded(0.0)
            else:
                typed = PipelineError(errors_pb2.ERROR_REASON_CANCELLED, "the call was cancelled")
        elif isinstance(error, grpc.RpcError):
            typed = from_rpc_error(error)
        elif isinstance(error, asyncio.TimeoutError):
            typed = exceeded(self.deadline.remaining() if self.deadline is not None else 0.0)
        else:
            typed = PipelineError(
                errors_pb2.ERROR_REASON_INTERNAL,
                f"something went wrong here; the log of the {self.chassis.server} server has it under request id "
                f"{self.request_id}",
            )
        if not typed.request_id:
            typed.request_id = self.request_id
        return typed

    async def abort(self, error: BaseException) -> None:
        """Ends the call with `error` in typed form; always raises."""
        if isinstance(error, grpc.aio.AbortError):
            raise error
        if self.admitted and not self.reported:  # refused after admission, before its task
            self.admitted = False
            self.chassis.calls.finish(self.policy)
        self._report(error)
        current = asyncio.current_task()
        if isinstance(error, asyncio.CancelledError) and current is not None and current.cancelling():
            raise error
        if not isinstance(error, Exception | asyncio.CancelledError):
            raise error
        await self.context.abort_with_status(to_status(self._typed(error)))

    def _report(self, error: BaseException | None) -> None:
        """Ends the span and writes the log line, once."""
        if self.reported:
            return
        self.reported = True
        typed: PipelineError | None = None
        code = grpc.StatusCode.OK
        if isinstance(error, grpc.aio.AbortError):
            code = _code_of(self.context)
        elif error is not None:
            typed = self._typed(error)
            code = typed.code
        internal = typed is not None and typed.reason == errors_pb2.ERROR_REASON_INTERNAL
        if self.span is not None:
            self.span.set_attribute(names.ATTR_RPC_STATUS, code.value[0])
            if typed is not None:
                fail_span(self.span, typed)
            elif code is not grpc.StatusCode.OK:
                self.span.set_status(StatusCode.ERROR, code.name)
        if not self.exempt or internal:
            self.scope.run(self._log, code, typed, error if internal else None)
        if self.span is not None:
            self.span.end()

    def _log(self, code: grpc.StatusCode, typed: PipelineError | None, cause: BaseException | None) -> None:
        fields: dict[str, object] = {
            "method": self.method,
            "code": code.name,
            "duration_ms": round((self.chassis.clock.monotonic() - self.started) * 1000, 1),
        }
        if typed is not None:
            fields |= {"reason": typed.reason_name, "error": str(typed)}
        if cause is not None:
            self.chassis.log.error("call", **fields, exc_info=cause)
        elif code in _QUIET:
            self.chassis.log.info("call", **fields)
        else:
            self.chassis.log.warning("call", **fields)


def _code_of(context: Any) -> grpc.StatusCode:
    """The status that a handler aborted with; the context holds it as an enum or as its number."""
    code = context.code()
    if isinstance(code, grpc.StatusCode):
        return code
    for member in grpc.StatusCode:
        if member.value[0] == code:
            return member
    return grpc.StatusCode.UNKNOWN
