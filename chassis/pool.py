"""HTTP to one upstream: a bounded pool of connections, bounded time, bounded bytes, typed errors.

What is bounded, and why: connections (an upstream's courtesy limit), the queue for them (memory), the time in
all (a read time-out never fires on an upstream that sends a byte per 0.1 s), the bytes after decoding (gzip
bombs), the redirects. Environment variables never change where a call goes.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from chassis.clock import Clock, SystemClock
from chassis.http_answer import HttpResponse, Inflate, MalformedError, Plain
from chassis.pool_errors import Failures, OfflineError
from chassis.pool_slots import Slots, Ticket
from chassis.safe_http import AddressRefusedError

if TYPE_CHECKING:
    import socket

    import aiohttp
    from aiohttp.abc import AbstractResolver

__all__ = ["HttpPool", "OfflineError", "PoolStats", "user_agent_for"]

PROJECT_NAME = "startup-idea-pipeline"
# Every result page of the public APIs we call is below 1 MiB; a larger page is not an answer to a search.
BODY_BYTES_MAX = 2 * 1024 * 1024
REDIRECTS_MAX = 3
DNS_CACHE_SECONDS = 300
# Callers in the queue for a connection; above it a call is refused rather than kept.
WAITING_MAX = 200
_CHUNK_BYTES = 64 * 1024
REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
# Meant for one upstream only; some carry its key.
_ORIGIN_HEADERS = frozenset(
    {"authorization", "cookie", "developer-token", "proxy-authorization", "x-api-key", "x-subscription-token"}
)

SocketFactory = Callable[[Any], "socket.socket"]
# Whether the body of an answer with this status and these headers (names in lower case) is read.
WantsBody = Callable[[int, Mapping[str, str]], bool]


def user_agent_for(contact: str = "") -> str:
    """A User-Agent that names the project; `contact` is where an upstream's operator reaches the user."""
    return f"{PROJECT_NAME}/0.1" + (f" (+{contact})" if contact else "")


class PoolStats(NamedTuple):
    """As OperationsService shows it."""

    name: str
    size_limit: int
    in_use: int
    waiting: int
    acquired_total: int


class HttpPool:
    """Connections to one upstream. Sessions are made at the first call, in the running loop.

    `limit` and `limit_per_host` in connections, time-outs in seconds. `socket_factory` decides which addresses
    may be connected to (`chassis.safe_http.public_sockets_only`); `resolver` makes what is asked for names instead
    of aiohttp's own resolver with its cache.
    """

    def __init__(
        self,
        name: str,
        *,
        limit: int = 20,
        limit_per_host: int = 4,
        connect_timeout: float = 30.0,
        total_timeout: float = 20.0,
        offline: bool = False,
        reuse_connections: bool = True,
        user_agent: str = "",
        body_bytes_max: int = BODY_BYTES_MAX,
        max_waiting: int = WAITING_MAX,
        socket_factory: SocketFactory | None = None,
        resolver: Callable[[], AbstractResolver] | None = None,
        clock: Clock | None = None,
    ) -> None:
        for field, value in (("connect_timeout", connect_timeout), ("total_timeout", total_timeout)):
            if not (0 < value < math.inf):
                raise ValueError(f"{field} is {value}; write seconds above 0")
        self.name = name
        self.offline = offline
        self._slots = Slots(limit, limit_per_host, max_waiting)
        self._connect_timeout = connect_timeout
        self._total_timeout = total_timeout
        self._reuse = reuse_connections
        self._user_agent = user_agent or user_agent_for()
        self._body_bytes_max = body_bytes_max
        self._socket_factory = socket_factory
        self._resolver = resolver
        self._errors = Failures(name, clock or SystemClock())
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._closed = False

    # ------------------------------------------------------------------------------------ calls

    async def get_json(
        self,
        url: str,
        params: Mapping[str, str | int | float] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        timeout: float | None = None,
        reuse_connections: bool | None = None,
    ) -> Any:
        """GET and parse. An answer that is not JSON is UPSTREAM_FAILED with cause `malformed`."""
        wanted = {"Accept": "application/json", **(headers or {})}
        response = await self.request(
            "GET", url, params=params, headers=wanted, timeout=timeout, reuse_connections=reuse_connections
        )
        try:
            return response.json()
        except ValueError as exc:
            raise self._errors.failed("sent no JSON", cause="malformed", status=response.status) from exc

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str | int | float] | None = None,
        headers: Mapping[str, str] | None = None,
        json_body: object | None = None,
        body: bytes | None = None,
        timeout: float | None = None,
        reuse_connections: bool | None = None,
        answers: Collection[int] = (),
    ) -> HttpResponse:
        """One call with up to three redirects, whole body, within the pool's total time-out (or `timeout`).

        `body` (a form, a file) is sent as it is, under the Content-Type that `headers` name; `json_body` as JSON.
        `answers`: statuses besides 2xx that the caller reads itself (an upstream that throttles with 400 says so in
        its body). Raises UPSTREAM_RATE_LIMITED for 429, UPSTREAM_FAILED for every other answer and for what goes
        wrong on the way (metadata `cause`: connect, disconnected, truncated, too_large, ...; `status` where there
        was one; `interrupted` where the answer broke off), DEADLINE_EXCEEDED for the time-out, OVERLOADED where
        too many wait, and OfflineError.
        """
        async with self._bounded(timeout):
            reuse = self._reuse if reuse_connections is None else reuse_connections
            payload = {"json": json_body} if body is None else {"data": body}
            return await self._follow(method, url, params, dict(headers or {}), payload, reuse, answers)

    async def exchange(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        wants_body: WantsBody,
        cut_at: int | None = None,
    ) -> HttpResponse:
        """One answer as it comes, whatever its status; redirects are the caller's.

        The body is b"" where `wants_body` says no: nothing of it is read. `cut_at` bytes end the reading without an
        error (the rest is not fetched). Raises as `request` does for what goes wrong on the way.
        """
        async with self._bounded(timeout), self._open(method, url, None, headers or {}, {}, self._reuse) as response:
            fields = {k.lower(): v for k, v in response.headers.items()}
            body = b""
            if wants_body(response.status, fields):
                body = await self._body(response, fields.get("content-encoding", ""), cut_at)
            return HttpResponse(response.status, str(response.url), fields, body)

    @asynccontextmanager
    async def _bounded(self, timeout: float | None) -> AsyncIterator[None]:
        """Refuses what cannot start; ends what takes longer than the time-out in all."""
        if self.offline:
            raise OfflineError(self.name)
        if self._closed:
            raise self._errors.closed()
        seconds = min(self._total_timeout, timeout) if timeout is not None else self._total_timeout
        if not seconds > 0:
            raise self._errors.too_late(seconds)
        try:
            async with asyncio.timeout(seconds) as limit:
                yield
        except TimeoutError as exc:
            if limit.expired():
                raise self._errors.too_late(seconds) from exc
            raise self._errors.failed("did not take the connection in time", cause="connect") from exc

    async def _follow(
        self,
        method: str,
        url: str,
        params: Mapping[str, str | int | float] | None,
        headers: dict[str, str],
        payload: Mapping[str, Any],
        reuse: bool,
        answers: Collection[int],
    ) -> HttpResponse:
        for _ in range(REDIRECTS_MAX + 1):
            status, next_url, response = await self._once(method, url, params, headers, payload, reuse, answers)
            if response is not None:
                return response
            params = None
            if status == 303 or (status in (301, 302) and method == "POST"):
                method, payload = "GET", {}
            if _origin(next_url) != _origin(url):
                headers = {k: v for k, v in headers.items() if k.lower() not in _ORIGIN_HEADERS}
            url = next_url
        raise self._errors.failed(f"redirected more than {REDIRECTS_MAX} times", cause="redirect")

    async def _once(
        self,
        method: str,
        url: str,
        params: Mapping[str, str | int | float] | None,
        headers: Mapping[str, str],
        payload: Mapping[str, Any],
        reuse: bool,
        answers: Collection[int],
    ) -> tuple[int, str, HttpResponse | None]:
        """(status, redirect target, None) or (status, "", response)."""
        async with self._open(method, url, params, headers, payload, reuse) as response:
            if response.status in REDIRECT_STATUSES and (target := response.headers.get("Location")):
                return response.status, urljoin(str(response.url), target), None
            if not 200 <= response.status < 300 and response.status not in answers:
                self._errors.refuse(response.status, response.headers.get("Retry-After"))
            fields = {k.lower(): v for k, v in response.headers.items()}
            body = await self._body(response, fields.get("content-encoding", ""))
            return response.status, "", HttpResponse(response.status, str(response.url), fields, body)

    @asynccontextmanager
    async def _open(
        self,
        method: str,
        url: str,
        params: Mapping[str, str | int | float] | None,
        headers: Mapping[str, str],
        payload: Mapping[str, Any],
        reuse: bool,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The head of one answer, its body still to be read; what goes wrong meanwhile becomes a typed error."""
        import aiohttp

        host = _host(url)
        if host is None:
            raise self._errors.failed("has an address that is not http or https", cause="redirect")
        async with self._slot(host):
            started = False
            try:
                async with self._session(reuse).request(
                    method, url, params=params, headers=headers, allow_redirects=False, **payload
                ) as response:
                    started = True
                    yield response
            except MalformedError as exc:
                raise self._errors.failed("sent a body that cannot be decoded", cause="malformed") from exc
            except AddressRefusedError as exc:
                raise self._errors.failed("leads to an address that is not public", cause="address") from exc
            except (aiohttp.ClientError, ConnectionError) as exc:
                raise self._errors.broken(exc, started) from exc

    async def _body(self, response: aiohttp.ClientResponse, encoding: str, cut_at: int | None = None) -> bytes:
        """The decoded body; stops reading as soon as it is above the cap, or has `cut_at` bytes."""
        decode = self._decoder(encoding)
        cap = self._body_bytes_max if cut_at is None else min(cut_at, self._body_bytes_max)
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            # One byte more than the cap is enough to know.
            body += decode.feed(chunk, cap + 1 - len(body))
            if len(body) > cap:
                response.close()
                if cut_at is not None:
                    return bytes(body[:cap])
                raise self._errors.failed(
                    f"sent more than {cap} bytes", cause="too_large", status=response.status, limit_bytes=str(cap)
                )
        if not decode.complete:
            raise self._errors.failed("broke off its answer", cause="truncated", interrupted="true")
        return bytes(body)

    def _decoder(self, encoding: str) -> Plain | Inflate:
        match encoding.strip().lower():
            case "" | "identity":
                return Plain()
            case "gzip" | "x-gzip" | "deflate":
                return Inflate()
        raise self._errors.failed("sent an encoding that was not asked for", cause="encoding")

    # ------------------------------------------------------------------------------------ state

    @asynccontextmanager
    async def _slot(self, host: str) -> AsyncIterator[None]:
        """Holds one of the pool's connections, after a wait that the call's time-out bounds."""
        granted = asyncio.Event()
        ticket: Ticket | None = self._slots.ask(host, granted.set)
        if ticket is None:
            raise self._errors.queue_full(self._slots.max_waiting)
        try:
            if not ticket.granted:
                await granted.wait()
            yield
        finally:
            self._slots.give_back(ticket)

    def _session(self, reuse: bool) -> aiohttp.ClientSession:
        import aiohttp

        session = self._sessions.get(reuse)
        if session is None:
            connector = aiohttp.TCPConnector(
                limit=self._slots.limit,
                limit_per_host=self._slots.limit_per_host,
                resolver=self._resolver() if self._resolver is not None else None,
                use_dns_cache=self._resolver is None,
                ttl_dns_cache=DNS_CACHE_SECONDS,
                force_close=not reuse,
                socket_factory=self._socket_factory,
            )
            session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_timeout),
                headers={"User-Agent": self._user_agent, "Accept-Encoding": "gzip, deflate"},
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
            # aiohttp would ask again by itself after a lost connection, unseen by retry budgets and counts.
            session._retry_connection = False
            self._sessions[reuse] = session
        return session

    async def close(self) -> None:
        """Closes every connection; later calls are refused."""
        self._closed = True
        sessions, self._sessions = list(self._sessions.values()), {}
        for session in sessions:
            await session.close()

    def stats(self) -> PoolStats:
        slots = self._slots
        return PoolStats(self.name, slots.limit, slots.in_use, slots.waiting, slots.acquired_total)

    def __repr__(self) -> str:
        state = " offline" if self.offline else " closed" if self._closed else ""
        s = self.stats()
        return f"<HttpPool {s.name}{state} {s.in_use}/{s.size_limit} waiting={s.waiting} total={s.acquired_total}>"


def _host(url: str) -> str | None:
    """ "host:port" of an http(s) address, None for any other."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return None
        return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
    except ValueError:
        return None


def _origin(url: str) -> Sequence[str | None]:
    return (urlsplit(url).scheme, _host(url))
