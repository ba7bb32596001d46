"""The pages' server: its own address, security headers on every answer, bounds on every request."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable

from aiohttp import web

from chassis.clock import Clock
from chassis.listen import ListenError
from chassis.logs import get_logger
from pipeline.errors import PipelineError
from services.campaign.http.contract import MessageKind, View, Views
from services.campaign.http.routes import FORM_BYTES_MAX, PageError, PageRoutes, PageRules, PageStores

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# Requests in flight; more are told to come back.
IN_FLIGHT_MAX = 512
BUSY_RETRY_SECONDS = 5.0
# For answers without a view of their own, errors of the protocol for instance.
_NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # The person's own page has a secret in its address: no other site is told it. Under "no-referrer" browsers send
    # forms with "Origin: null", which looks like another site's.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), browsing-topics=()",
    # Every page holds a form of its own or a person's data.
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}

_log = get_logger("campaign.pages")


def make_app(stores: PageStores, views: Views, clock: Clock, rules: PageRules) -> web.Application:
    """The application."""
    in_flight = 0

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        nonlocal in_flight
        if in_flight >= IN_FLIGHT_MAX:
            return _message(views.message(MessageKind.UNAVAILABLE), BUSY_RETRY_SECONDS)
        in_flight += 1
        try:
            return await handler(request)
        except PageError as error:
            return _message(views.message(error.kind, error.published), error.retry_after)
        except PipelineError as error:
            _log.warning("page_failed", reason=error.reason_name)
            return _message(views.message(MessageKind.UNAVAILABLE), error.retry_after or BUSY_RETRY_SECONDS)
        except web.HTTPNotFound:
            return _message(views.message(MessageKind.NOT_FOUND))
        except web.HTTPException:
            raise
        except Exception:
            # Never the path: it may hold a person's token.
            _log.exception("page_failed", route=getattr(request.match_info.route.resource, "canonical", ""))
            return _message(views.message(MessageKind.SERVER_ERROR))
        finally:
            in_flight -= 1

    app = web.Application(client_max_size=FORM_BYTES_MAX, middlewares=[guard])
    app.on_response_prepare.append(_secure)
    PageRoutes(stores, views, clock, rules).add_to(app)
    return app


async def _secure(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", _NOTHING)
    response.headers.popall("Server", None)


def _message(view: View, retry_after: float = 0.0) -> web.Response:
    headers = {"Content-Security-Policy": view.csp}
    if retry_after:
        headers["Retry-After"] = str(max(round(retry_after + 0.5), 1))
    return web.Response(text=view.html, status=view.status, content_type="text/html", headers=headers)


class PageSide:
    """Binds, serves, stops."""

    def __init__(self, listen: str, stores: PageStores, views: Views, clock: Clock, rules: PageRules) -> None:
        self._listen = listen
        self._app = make_app(stores, views, clock, rules)
        self._runner: web.AppRunner | None = None
        self.address = ""

    async def start(self) -> None:
        """Serve. Raises ListenError where the address cannot be had."""
        host, _, port = self._listen.rpartition(":")
        host = host.strip("[]")
        # Long headers are refused by the parser (8 KiB a line); an idle connection is closed after a minute.
        self._runner = web.AppRunner(self._app, access_log=None, keepalive_timeout=60.0, shutdown_timeout=5.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, int(port), reuse_address=True, backlog=512)
        try:
            await site.start()
        except (OSError, socket.gaierror) as error:
            await self.stop()
            raise ListenError(
                f"Cannot serve landing pages on {self._listen} ({error.strerror or error}); stop what serves there, or"
                " set PIPELINE_PAGE_LISTEN to another address, or to off for no pages."
            ) from error
        bound = self._runner.addresses[0]
        self.address = f"http://{host if ':' not in host else f'[{host}]'}:{bound[1]}"
        _log.info("pages_served", address=self.address)

    async def stop(self) -> None:
        """Take no more requests and let those under way be answered."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
