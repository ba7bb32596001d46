"""grpc.health.v1 with readiness: SERVING says that work would be done now, not merely that the process lives.

The servicer of grpcio-health-checking writes to the context by hand and keeps its watchers open when the server
stops; this one yields, and ends them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

# A watcher hears of a change of readiness (a store that stopped answering) after at most this long.
READINESS_POLL_SECONDS = 5.0

# A probe for "the process works at all": true also while a store is away or the server drains, so that Kubernetes
# restarts only what a restart would mend.
LIVENESS = "liveness"

Readiness = Callable[[], Awaitable[bool]]


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]
    """Status per service name and for "" (the whole server); NOT_SERVING before start-up and while draining."""

    def __init__(self, services: Iterable[str] = ()) -> None:
        self._services = {"", LIVENESS, *services}
        self._serving = False
        self._closing = False
        self._changed = asyncio.Event()
        self._readiness: list[Readiness] = []

    def __repr__(self) -> str:
        return f"Health({'SERVING' if self._serving else 'NOT_SERVING'}, {len(self._services)} services)"

    def add_service(self, name: str) -> None:
        self._services.add(name)

    def on_ready(self, check: Readiness) -> None:
        """`check` is asked at every Check: False (or an exception) reads NOT_SERVING. Keep it fast."""
        self._readiness.append(check)

    def set_serving(self, serving: bool) -> None:
        self._serving = serving
        self._notify()

    def close(self) -> None:
        """NOT_SERVING for good; watchers are told and end."""
        self._closing = True
        self.set_serving(False)

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def status(self, service: str) -> int:
        """ServingStatus of `service`; SERVICE_UNKNOWN where there is none of that name."""
        if service not in self._services:
            return int(health_pb2.HealthCheckResponse.SERVICE_UNKNOWN)
        if service == LIVENESS:
            return int(health_pb2.HealthCheckResponse.SERVING)
        if not self._serving:
            return int(health_pb2.HealthCheckResponse.NOT_SERVING)
        for check in self._readiness:
            try:
                ready = await check()
            except Exception:  # a readiness check that breaks means not ready, whatever broke it
                ready = False
            if not ready:
                return int(health_pb2.HealthCheckResponse.NOT_SERVING)
        return int(health_pb2.HealthCheckResponse.SERVING)

    async def Check(self, request: Any, context: Any) -> Any:
        status = await self.status(request.service)
        if status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such service here")
        return health_pb2.HealthCheckResponse(status=status)

    async def List(self, request: Any, context: Any) -> Any:
        del request, context
        statuses = {name: await self.status(name) for name in sorted(self._services)}
        return health_pb2.HealthListResponse(
            statuses={name: health_pb2.HealthCheckResponse(status=value) for name, value in statuses.items()}
        )

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[Any]:
        del context
        last: int | None = None
        while True:
            changed = self._changed
            status = await self.status(request.service)
            if status != last:
                last = status
                yield health_pb2.HealthCheckResponse(status=status)
            if self._closing:
                return
            try:
                await asyncio.wait_for(changed.wait(), READINESS_POLL_SECONDS if self._readiness else None)
            except TimeoutError:
                continue
