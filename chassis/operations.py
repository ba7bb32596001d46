"""OperationsService: what an operator asks a server. The gateway extends it to ask the other servers too."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chassis.build_info import version
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2, operations_pb2, operations_pb2_grpc

if TYPE_CHECKING:
    from chassis.breaker import CircuitBreaker
    from chassis.server import Server

_STATES: Mapping[str, operations_pb2.BreakerState.ValueType] = {
    "closed": operations_pb2.BREAKER_STATE_CLOSED,
    "open": operations_pb2.BREAKER_STATE_OPEN,
    "half_open": operations_pb2.BREAKER_STATE_HALF_OPEN,
}


class OperationsServicer(operations_pb2_grpc.OperationsServiceServicer):
    """Answers for one server, from what is registered with it.

    Extend by overriding the handlers and calling `own_breakers`, `own_info`, `own_clear`, `own_spans` for its part.
    """

    def __init__(self, server: Server) -> None:
        self.server = server

    def own_breakers(self) -> list[operations_pb2.Breaker]:
        return [
            breaker_to_proto(f"{self.server.name}.{name}", breaker)
            for name, breaker in sorted(self.server.breakers.items())
        ]

    async def own_info(self) -> operations_pb2.ServerInfo:
        server = self.server
        info = operations_pb2.ServerInfo(
            server=server.name,
            version=version(),
            in_flight=server.calls.working,
            in_flight_limit=server.calls.limit,
            limits=server.profile_limits.as_map(),
        )
        if server.started_at is not None:
            info.started_at.FromDatetime(server.started_at)
        for name, pool in sorted(server.pools.items()):
            info.pools.append(_fill(operations_pb2.PoolInfo(name=name), pool.stats()))
        for name, cache in sorted(server.caches.items()):
            info.caches.append(_fill(operations_pb2.CacheInfo(name=name), await cache.measure()))
        return info

    async def own_clear(self, names: Collection[str]) -> dict[str, int]:
        """Clears the caches of these names, all for none; returns `{server}.{cache}` and the entries forgotten."""
        return {
            f"{self.server.name}.{name}": await cache.clear()
            for name, cache in sorted(self.server.caches.items())
            if not names or name in names
        }

    def own_spans(self, trace_id: str) -> list[str]:
        """At most one ResourceSpans object; PipelineError for an id that is not 32 hex digits."""
        text = self.server.telemetry.resource_spans_json(trace_id)
        return [] if text is None else [text]

    async def ListBreakers(
        self, request: operations_pb2.ListBreakersRequest, context: Any
    ) -> operations_pb2.ListBreakersResponse:
        del request, context
        return operations_pb2.ListBreakersResponse(breakers=self.own_breakers())

    async def GetServerInfo(
        self, request: operations_pb2.GetServerInfoRequest, context: Any
    ) -> operations_pb2.GetServerInfoResponse:
        del request, context
        return operations_pb2.GetServerInfoResponse(servers=[await self.own_info()])

    async def ClearCaches(
        self, request: operations_pb2.ClearCachesRequest, context: Any
    ) -> operations_pb2.ClearCachesResponse:
        del context
        return operations_pb2.ClearCachesResponse(entries=await self.own_clear(request.names))

    async def ListSpans(
        self, request: operations_pb2.ListSpansRequest, context: Any
    ) -> operations_pb2.ListSpansResponse:
        del context
        return self.spans_response(request.trace_id, self.own_spans(request.trace_id))

    @staticmethod
    def spans_response(trace_id: str, parts: Sequence[str]) -> operations_pb2.ListSpansResponse:
        """The answer, or ARTIFACT_REJECTED for a trace that is larger than a response may be."""
        response = operations_pb2.ListSpansResponse(resource_spans_json=parts)
        if response.ByteSize() > RESPONSE_BYTES_MAX:
            raise PipelineError(
                errors_pb2.ERROR_REASON_ARTIFACT_REJECTED,
                "the trace is larger than a response may be; configure an OTLP collector for traces of this size",
                metadata={"trace_id": trace_id, "limit_bytes": str(RESPONSE_BYTES_MAX)},
            )
        return response


# Leaves room below the 20 MiB that a channel receives.
RESPONSE_BYTES_MAX = 18 * 1024 * 1024


def breaker_to_proto(name: str, breaker: CircuitBreaker) -> operations_pb2.Breaker:
    """A breaker as operators see it."""
    message = operations_pb2.Breaker(
        name=name,
        state=_STATES.get(str(breaker.state), operations_pb2.BREAKER_STATE_UNSPECIFIED),
        failure_count=breaker._failure_count,
        open_count=breaker.open_count,
    )
    if breaker.retry_after:
        message.retry_after.FromNanoseconds(int(breaker.retry_after * 1e9))
    message.last_transition_at.FromDatetime(breaker.last_transition_at)
    for transition in breaker.history:
        told = message.transitions.add(
            to=_STATES[str(transition.new)], cause=transition.cause, **{"from": _STATES[str(transition.old)]}
        )
        told.at.FromDatetime(transition.at)
        if transition.rest:
            told.rest.FromNanoseconds(int(transition.rest * 1e9))
    return message


def _fill(message: Any, stats: Any) -> Any:
    """Copies the counters of a pool or cache into the fields of the same name."""
    for field in message.DESCRIPTOR.fields:
        if field.name != "name" and hasattr(stats, field.name):
            setattr(message, field.name, int(getattr(stats, field.name)))
    return message
