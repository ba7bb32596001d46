"""One bootstrap for all servers, so that none can forget health, reflection, tracing, error mapping or draining.

    server = Server("evidence", config, telemetry=telemetry, clock=clock)
    server.add(add_EvidenceServiceServicer_to_server, servicer, "pipeline.v1.EvidenceService")
    server.on_start(pool.open)
    server.on_close(pool.close)
    await server.start()

Built outside or inside a loop, started inside one; signals are the business of `chassis.lifecycle`, so that a
server can be embedded.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from typing import TYPE_CHECKING, Any

import grpc.aio
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from chassis.calls import Calls, MethodPolicy
from chassis.channel import MESSAGE_BYTES_MAX
from chassis.clock import Clock, SystemClock
from chassis.config import ServerConfig, check_listen
from chassis.health import Health
from chassis.interceptors import CallInterceptor
from chassis.listen import bind
from chassis.logs import get_logger
from chassis.operations import OperationsServicer
from chassis.telemetry import Telemetry
from pipeline.v1 import operations_pb2_grpc

if TYPE_CHECKING:
    from chassis.breaker import CircuitBreaker
    from chassis.cache import Clearable
    from chassis.limits import ProfileLimits
    from chassis.pool import HttpPool

# After `drain_seconds` handlers are cancelled; their `finally` blocks get this long before they are given up on.
FINALLY_SECONDS = 10.0

# A connection is closed after five minutes so that clients discover new servers; streams that are open then get
# ten more minutes, as long as the longest phase may take.
CONNECTION_AGE_MS = 300_000
CONNECTION_AGE_GRACE_MS = 600_000

_OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.ping_timeout_ms", 20_000),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 30_000),
    ("grpc.http2.max_ping_strikes", 2),
    ("grpc.max_connection_age_ms", CONNECTION_AGE_MS),
    ("grpc.max_connection_age_grace_ms", CONNECTION_AGE_GRACE_MS),
)

Callback = Callable[[], Awaitable[None] | None]


class Server:
    """A gRPC server with everything a server of this house has."""

    def __init__(
        self,
        name: str,
        config: ServerConfig,
        *,
        telemetry: Telemetry,
        clock: Clock | None = None,
        profile_limits: ProfileLimits | None = None,
    ) -> None:
        from chassis.limits import ProfileLimits

        self.name = name
        self.config = config
        self.telemetry = telemetry
        self.clock: Clock = clock if clock is not None else SystemClock()
        self.breakers: dict[str, CircuitBreaker] = {}
        self.caches: dict[str, Clearable] = {}
        self.pools: dict[str, HttpPool] = {}
        self.profile_limits = profile_limits if profile_limits is not None else ProfileLimits()
        self.calls = Calls(name, config.max_in_flight)
        self.health = Health()
        # Replace it before `start` to answer for other servers too.
        self.operations: OperationsServicer = OperationsServicer(self)
        self.started_at: datetime | None = None
        self.address = ""
        self.log = get_logger(name, server=name)
        self._services: list[tuple[Callable[[Any, grpc.aio.Server], None], Any, str]] = []
        self._policies: dict[str, MethodPolicy] = {}
        self._on_start: list[Callback] = []
        self._on_drain: list[Callback] = []
        self._close = AsyncExitStack()
        self._server: grpc.aio.Server | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()

    def __repr__(self) -> str:
        return f"Server({self.name} on {self.address or self.config.listen}, {self.calls!r})"

    def add(
        self,
        add_to_server: Callable[[Any, Any], None],
        servicer: Any,
        service_name: str,
        *,
        policies: Mapping[str, MethodPolicy] | None = None,
    ) -> None:
        """Registers a service ("pipeline.v1.EvidenceService"); `policies` by method name ("WatchRun")."""
        self._services.append((add_to_server, servicer, service_name))
        self.health.add_service(service_name)
        for method, policy in (policies or {}).items():
            self._policies[f"{service_name}/{method}"] = policy

    def on_start(self, callback: Callback) -> None:
        """Called in order before the first call is served (open stores and pools)."""
        self._on_start.append(callback)

    def on_drain(self, callback: Callback) -> None:
        """Called when stopping begins, before in-flight calls are waited for (end watchers, give leases back)."""
        self._on_drain.append(callback)

    def on_close(self, callback: Callback) -> None:
        """Called last-in first-out when no handler runs any more, also after a start-up that failed half-way."""
        self._close.push_async_callback(_call, callback)

    def on_ready(self, check: Callable[[], Awaitable[bool]]) -> None:
        """Health reads NOT_SERVING while `check` says False (a store that does not answer)."""
        self.health.on_ready(check)

    async def start(self, listen: str | None = None) -> None:
        """Opens resources, binds (to `listen` instead of the configured address) and serves.

        Raises ListenError when the address cannot be had; whatever had been opened is closed again.
        """
        if self._server is not None:
            raise RuntimeError(f"{self!r} was started before; build a new one")
        interceptor = CallInterceptor(
            self.name,
            telemetry=self.telemetry,
            clock=self.clock,
            calls=self.calls,
            policies=self._policies,
            unary_deadline_seconds=self.config.unary_deadline_seconds,
            stream_deadline_seconds=self.config.stream_deadline_seconds,
        )
        server = grpc.aio.server(interceptors=[interceptor], options=_OPTIONS)
        self._server = server
        try:
            # The address first: a second server must not open (and migrate) the first one's stores.
            address = bind(server, check_listen(listen or self.config.listen))
            for callback in self._on_start:
                await _call(callback)
            for add_to_server, servicer, _ in self._services:
                add_to_server(servicer, server)
            operations_pb2_grpc.add_OperationsServiceServicer_to_server(self.operations, server)
            health_pb2_grpc.add_HealthServicer_to_server(self.health, server)
            self.health.add_service("pipeline.v1.OperationsService")
            reflection.enable_server_reflection(
                (
                    *(name for _, _, name in self._services),
                    "pipeline.v1.OperationsService",
                    health.SERVICE_NAME,
                    reflection.SERVICE_NAME,
                ),
                server,
            )
            await server.start()
        except BaseException:
            await server.stop(0)
            await self._close.aclose()
            raise
        self.address = address
        self.started_at = self.clock.now()
        self.health.set_serving(True)
        self.log.info("serving", address=address)

    def begin_drain(self) -> None:
        """Health turns NOT_SERVING and new work is refused with DRAINING; calls in flight go on."""
        self.health.close()
        self.calls.draining = True

    async def stop(self, grace: float | None = None) -> None:
        """Drains and closes: refuses new work, lets calls finish for `grace` seconds, cancels the rest, waits for
        their `finally` blocks, then closes resources. Idempotent; a second caller waits for the first.
        """
        if self._stopping is None:
            seconds = self.config.drain_seconds if grace is None else grace
            self._stopping = asyncio.get_running_loop().create_task(self._stop(seconds))
        await asyncio.shield(self._stopping)

    def hurry(self) -> None:
        """Ends the grace of a stop under way: what is in flight is cancelled now."""
        self._hurry.set()

    async def _stop(self, grace: float) -> None:
        self.begin_drain()
        self.log.info("draining", in_flight=self.calls.working, watching=self.calls.watching, grace_s=grace)
        try:
            for callback in self._on_drain:
                try:
                    await _call(callback)
                except Exception:
                    # Whatever it was, the calls in flight are still owed their drain.
                    self.log.exception("drain callback failed")
            if self._server is not None:
                await self._stop_serving(self._server, grace)
            # `server.stop` may return while cancelled handlers still run their `finally` (grpc/grpc#37239).
            async with asyncio.timeout(FINALLY_SECONDS):
                await self.calls.idle.wait()
        except TimeoutError:
            self.log.critical("handlers do not end", calls=repr(self.calls), waited_s=FINALLY_SECONDS)
        finally:
            await self._close.aclose()
            self.log.info("stopped")

    async def _stop_serving(self, server: grpc.aio.Server, grace: float) -> None:
        hurry = asyncio.create_task(self._hurry.wait())
        stopping = asyncio.create_task(server.stop(grace))
        await asyncio.wait({hurry, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if hurry.done() and not stopping.done():
            await server.stop(0)
        hurry.cancel()
        await stopping


async def _call(callback: Callback) -> None:
    result = callback()
    if inspect.isawaitable(result):
        await result
