"""OperationsService of the gateway: its own part, and every phase server's where that is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from chassis.operations import OperationsServicer
from chassis.server import Server
from chassis.telemetry import check_trace_id
from gateway.phases.peer import Peer
from pipeline.v1 import operations_pb2

T = TypeVar("T")


class GatewayOperations(OperationsServicer):
    """Asks all servers at once; those that do not answer within 2 s are named."""

    def __init__(self, server: Server, peers: Callable[[], Sequence[Peer]]) -> None:
        super().__init__(server)
        self._peers = peers

    async def ListBreakers(
        self, request: operations_pb2.ListBreakersRequest, context: Any
    ) -> operations_pb2.ListBreakersResponse:
        response = operations_pb2.ListBreakersResponse(breakers=self.own_breakers())
        if request.include_downstream:
            found, unreachable = await self._ask(Peer.breakers)
            response.breakers.extend(found)
            response.unreachable_servers.extend(unreachable)
        return response

    async def GetServerInfo(
        self, request: operations_pb2.GetServerInfoRequest, context: Any
    ) -> operations_pb2.GetServerInfoResponse:
        response = operations_pb2.GetServerInfoResponse(servers=[await self.own_info()])
        if request.include_downstream:
            found, unreachable = await self._ask(Peer.info)
            response.servers.extend(found)
            response.unreachable_servers.extend(unreachable)
        return response

    async def ClearCaches(
        self, request: operations_pb2.ClearCachesRequest, context: Any
    ) -> operations_pb2.ClearCachesResponse:
        response = operations_pb2.ClearCachesResponse(entries=await self.own_clear(request.names))
        if request.include_downstream:
            found, unreachable = await self._ask(lambda peer: peer.clear_caches(request.names))
            response.entries.update(found)
            response.unreachable_servers.extend(unreachable)
        return response

    async def ListSpans(
        self, request: operations_pb2.ListSpansRequest, context: Any
    ) -> operations_pb2.ListSpansResponse:
        trace_id = check_trace_id(request.trace_id)
        parts = self.own_spans(trace_id)
        found, _ = await self._ask(lambda peer: peer.spans(trace_id))
        return self.spans_response(trace_id, [*parts, *found])

    async def _ask(self, question: Callable[[Peer], Awaitable[Sequence[T]]]) -> tuple[list[T], list[str]]:
        peers = list(self._peers())
        answers = await asyncio.gather(*(question(peer) for peer in peers), return_exceptions=True)
        found: list[T] = []
        unreachable: list[str] = []
        for peer, answer in zip(peers, answers, strict=True):
            if isinstance(answer, asyncio.CancelledError):
                raise answer
            if isinstance(answer, BaseException):
                unreachable.append(peer.name)
            else:
                found.extend(answer)
        return found, unreachable
