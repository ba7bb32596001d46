"""The REST server beside gRPC: same process, same calls, its own address."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable

from aiohttp import web

from chassis.listen import ListenError
from chassis.logs import get_logger
from gateway.campaigns import CampaignApi
from gateway.http import errors
from gateway.http.campaign_routes import CampaignRoutes
from gateway.http.errors import Handler
from gateway.http.routes import Routes
from gateway.service import PipelineApi
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

_log = get_logger("gateway.http")

# 8 MiB of documents in base64, and the rest of a request.
BODY_BYTES_MAX = 16 * 1024 * 1024
# Calls in flight, streams included.
IN_FLIGHT_MAX = 1024
# Asked by machines also of a server that stops.
PROBES = ("/healthz", "/readyz")
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]", "::1")


def make_app(
    api: PipelineApi,
    ready: Callable[[], Awaitable[bool]],
    refuse: Callable[[], None] = lambda: None,
    *,
    loopback_only: bool = False,
    campaigns: CampaignApi | None = None,
) -> web.Application:
    """The application. `refuse` raises while no work is taken (the server stops). `loopback_only`: serve only names
    of this machine, so that no web page can reach it by a name of its own (DNS rebinding).
    """
    in_flight = 0

    @web.middleware
    async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
        nonlocal in_flight
        host = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
        if loopback_only and host.lower() not in _LOOPBACK:
            raise PipelineError(
                errors_pb2.ERROR_REASON_PERMISSION_DENIED,
                "This server answers to localhost only.",
                metadata={"host": request.host[:100]},
            )
        if request.path not in PROBES:
            refuse()
        if in_flight >= IN_FLIGHT_MAX:
            raise PipelineError(
                errors_pb2.ERROR_REASON_OVERLOADED,
                "The server has as many calls open as it takes.",
                metadata={"limit": str(IN_FLIGHT_MAX), "server": "gateway"},
                retry_after=2.0,
            )
        in_flight += 1
        try:
            return await handler(request)
        finally:
            in_flight -= 1

    app = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[errors.errors, admit])
    app.on_response_prepare.append(errors.mark_started)
    Routes(api, ready).add_to(app)
    if campaigns is not None:
        CampaignRoutes(campaigns).add_to(app)
    return app


class HttpSide:
    """Binds, serves, stops."""

    def __init__(self, listen: str) -> None:
        self._listen = listen
        self._runner: web.AppRunner | None = None
        self.address = ""

    async def start(
        self,
        api: PipelineApi,
        ready: Callable[[], Awaitable[bool]],
        refuse: Callable[[], None] = lambda: None,
        campaigns: CampaignApi | None = None,
    ) -> None:
        """Serve on the configured address, see `make_app`. Raises ListenError where it cannot be had."""
        host, _, port = self._listen.rpartition(":")
        host = host.strip("[]")
        app = make_app(api, ready, refuse, loopback_only=host in _LOOPBACK, campaigns=campaigns)
        # A handler is cancelled when its reader leaves: a dropped stream costs nothing a second later.
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=2.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, int(port), reuse_address=True)
        try:
            await site.start()
        except (OSError, socket.gaierror) as error:
            await self.stop()
            raise ListenError(
                f"Cannot serve REST on {self._listen} ({error.strerror or error}); stop what serves there, or set"
                " PIPELINE_HTTP_LISTEN to another address, or to off for no REST."
            ) from error
        bound = self._runner.addresses[0]
        self.address = f"http://{host if ':' not in host else f'[{host}]'}:{bound[1]}"
        _log.info("http_serving", address=self.address)

    async def stop(self) -> None:
        """Stop taking calls, then end those that are open."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
