"""Another server's OperationsService, asked on behalf of operators and for a run's trace."""

from __future__ import annotations

from collections.abc import Sequence

import grpc

from pipeline.v1 import operations_pb2, operations_pb2_grpc

# Operators wait for the slowest server: one that does not answer within this is named as unreachable.
ASK_SECONDS = 2.0
# Clearing deletes up to a full cache file.
CLEAR_SECONDS = 4.0


class Peer:
    """One server, by name."""

    def __init__(self, name: str, channel: grpc.aio.Channel) -> None:
        self.name = name
        self._channel = channel
        self._stub = operations_pb2_grpc.OperationsServiceStub(channel)

    def __repr__(self) -> str:
        return f"Peer({self.name})"

    async def breakers(self) -> list[operations_pb2.Breaker]:
        """Its circuit breakers. Raises grpc.RpcError."""
        reply = await self._stub.ListBreakers(operations_pb2.ListBreakersRequest(), timeout=ASK_SECONDS)
        return list(reply.breakers)

    async def info(self) -> list[operations_pb2.ServerInfo]:
        """What it says about itself. Raises grpc.RpcError."""
        reply = await self._stub.GetServerInfo(operations_pb2.GetServerInfoRequest(), timeout=ASK_SECONDS)
        return list(reply.servers)

    async def clear_caches(self, names: Sequence[str]) -> list[tuple[str, int]]:
        """Clear its caches of these names (all for none): `{server}.{cache}` and entries. Raises grpc.RpcError."""
        request = operations_pb2.ClearCachesRequest(names=names)
        reply = await self._stub.ClearCaches(request, timeout=CLEAR_SECONDS)
        return list(reply.entries.items())

    async def spans(self, trace_id: str) -> Sequence[str]:
        """Its spans of a trace, one ResourceSpans object each. Raises grpc.RpcError."""
        request = operations_pb2.ListSpansRequest(trace_id=trace_id)
        reply = await self._stub.ListSpans(request, timeout=ASK_SECONDS)
        return list(reply.resource_spans_json)

    async def close(self) -> None:
        """Close the connection."""
        await self._channel.close()
