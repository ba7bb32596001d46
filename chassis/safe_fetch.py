"""Fetching pages whose addresses somebody else wrote: search results, citations, redirects.

Every hop is vetted: the address as text, the place that is connected to, robots.txt, the host's pace. Nothing is
sent that could be worth stealing: no cookies, no credentials, no referrer. What comes back is bounded in bytes after
decoding, in time, in redirects and in kind.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from chassis.breaker import counts_as_failure
from chassis.cache import Cache, MemoryCache
from chassis.clock import Clock, SystemClock
from chassis.http_answer import HttpResponse
from chassis.pool import BODY_BYTES_MAX, PROJECT_NAME, REDIRECT_STATUSES, REDIRECTS_MAX, HttpPool, SocketFactory
from chassis.pool_errors import Failures, OfflineError
from chassis.safe_hosts import PAUSE_SECONDS, Hosts
from chassis.safe_http import public_sockets_only
from chassis.safe_robots import ORIGINS_MAX, ROBOTS_BYTES_MAX, ROBOTS_REDIRECTS_MAX, TTL_SECONDS, Robots, RobotsText
from chassis.safe_url import PORTS, SafeUrl, UrlRefusedError, check_place, joined, read_url
from chassis.usage import current_usage
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2

if TYPE_CHECKING:
    from chassis.safe_dns import Lookup, PublicResolver

NAME = "pages"
MEDIA_TYPES = frozenset({"text/html", "application/xhtml+xml", "text/plain", "application/pdf"})
ACCEPT = "text/html, application/xhtml+xml, application/pdf;q=0.9, text/plain;q=0.8"
TOTAL_SECONDS = 20.0
CHECKS_AT_A_TIME = 20
# A wait that a host asks for is waited within the call up to here, once; a longer one is the caller's to plan.
RETRY_AFTER_WAITED_MAX = 5.0
# Answers to HEAD that say nothing about the page: GET is asked, which reads no more than the headers.
_HEAD_SILENT = frozenset(range(400, 600)) - {429}
_NOT_THERE = frozenset({404, 410})
# 999 is what one large network answers to programs.
_NOT_FOR_PROGRAMS = frozenset({401, 402, 403, 407, 451, 999})

_Step = Callable[[SafeUrl], Awaitable[HttpResponse]]


@dataclass(frozen=True)
class FetchedBody:
    """A page as it was sent: `body` decoded from its transfer, at most 2 MiB; `charset` "" where none is named."""

    url: str
    final_url: str
    status: int
    media_type: str
    charset: str
    body: bytes
    fetched_at: datetime


class SafeFetcher:
    """Fetches and checks pages. `allowed`: exact "host:port" places that may be asked although they are not public.

    An allowed place weakens nothing else: another name that leads to the same address is refused. Times in seconds,
    `ports` that public hosts may be asked at, `lookup` replaces the system's resolver, `sockets` decides what may be
    connected to.
    """

    def __init__(
        self,
        *,
        user_agent: str = "",
        offline: bool = False,
        allowed: Collection[str] = (),
        ports: Collection[int] = PORTS,
        total_seconds: float = TOTAL_SECONDS,
        body_bytes_max: int = BODY_BYTES_MAX,
        pause_seconds: float = PAUSE_SECONDS,
        respect_robots: bool = True,
        lookup: Lookup | None = None,
        sockets: SocketFactory = public_sockets_only,
        clock: Clock | None = None,
    ) -> None:
        if not 0 < total_seconds < math.inf:
            raise ValueError(f"total_seconds is {total_seconds}; write seconds above 0")
        self._clock = clock or SystemClock()
        self.offline = offline
        self._allowed = frozenset(check_place(place) for place in allowed)
        self._ports = frozenset(ports)
        self._total = total_seconds
        self._lookup = lookup
        self._respect_robots = respect_robots
        self.dns_cache: Cache = MemoryCache("dns", 1_000, 300.0, self._clock)
        self.robots_cache: Cache = MemoryCache("robots", ORIGINS_MAX, TTL_SECONDS, self._clock)

        def pool(name: str, factory: SocketFactory | None, resolver: Callable[[], PublicResolver] | None) -> HttpPool:
            return HttpPool(
                name,
                limit=CHECKS_AT_A_TIME,
                connect_timeout=min(10.0, total_seconds),
                total_timeout=total_seconds,
                offline=offline,
                user_agent=user_agent,
                body_bytes_max=body_bytes_max,
                socket_factory=factory,
                resolver=resolver,
                clock=self._clock,
            )

        self._public = pool(NAME, sockets, self._resolver)
        # Pools share no connection, so that what an allowed name led to never answers for another name.
        self._intranet = pool(f"{NAME}-allowed", None, None)
        self.hosts = Hosts(self._clock, pause=pause_seconds)
        self._robots = Robots(self._fetch_robots, self.robots_cache, PROJECT_NAME, self._clock)
        self._checks = asyncio.Semaphore(CHECKS_AT_A_TIME)

    @property
    def pools(self) -> tuple[HttpPool, ...]:
        """The pools to show to operators; `close` closes them."""
        return (self._public, self._intranet) if self._allowed else (self._public,)

    @property
    def caches(self) -> tuple[Cache, ...]:
        """The caches to show to operators."""
        return (self.dns_cache, self.robots_cache)

    async def close(self) -> None:
        for pool in (self._public, self._intranet):
            await pool.close()
        for cache in self.caches:
            await cache.close()

    # -------------------------------------------------------------------------------------- fetching

    async def fetch(self, url: str) -> FetchedBody:
        """The page at `url`, at most three redirects on, in 20 s in all.

        Raises UPSTREAM_FAILED (metadata `cause`: url, address, robots, content_type, too_large, redirect, status,
        connect, unknown_host, disconnected, truncated, malformed, encoding), UPSTREAM_RATE_LIMITED,
        DEADLINE_EXCEEDED, BREAKER_OPEN for a host that failed three times in a row, OVERLOADED and OfflineError.
        An answer that broke off, and one that names a wait of at most 5 s, is asked for once more.
        """
        async with self._in_time(url) as until:
            start = self._read(url)
            try:
                last, answer = await self._follow(start, self._get_page, until)
            except PipelineError as error:
                wait = _retry_wait(error)
                if wait is None:
                    raise
                await self._clock.sleep(wait)
                last, answer = await self._follow(start, self._get_page, until)
        return FetchedBody(
            url=url,
            final_url=last.text,
            status=answer.status,
            media_type=answer.media_type,
            charset=answer.charset,
            body=answer.body,
            fetched_at=self._clock.now(),
        )

    async def _get_page(self, url: SafeUrl) -> HttpResponse:
        def wanted(status: int, headers: Mapping[str, str]) -> bool:
            return 200 <= status < 300 and _media_type(headers) in MEDIA_TYPES

        answer = await self._exchange("GET", url, wanted)
        if answer.status in REDIRECT_STATUSES and "location" in answer.headers:
            return answer
        errors = Failures(url.host, self._clock)
        if not 200 <= answer.status < 300:
            errors.refuse(answer.status, answer.headers.get("retry-after"))
        if answer.media_type not in MEDIA_TYPES:
            kind = answer.media_type[:60] or "nothing it names"
            raise errors.failed(f"sent {kind}; pages, plain text and PDF are read", cause="content_type")
        return answer

    # -------------------------------------------------------------------------------------- checking

    async def check(self, url: str) -> common_pb2.LinkStatus.ValueType:
        """Whether `url` leads to a page: HEAD, and GET (headers only) where HEAD says nothing. At most 20 at a time.

        Raises nothing but cancellation: what goes wrong is a status.
        """
        if self.offline or not url.lower().startswith(("http://", "https://")):
            return common_pb2.LINK_STATUS_UNSPECIFIED
        async with self._checks:
            try:
                async with self._in_time(url) as until:
                    return await self._checked(self._read(url), until)
            except PipelineError as error:
                return _status_of(error)

    async def check_all(self, urls: Iterable[str]) -> dict[str, common_pb2.LinkStatus.ValueType]:
        """`check` for each different address."""
        unique = list(dict.fromkeys(urls))
        return dict(zip(unique, await asyncio.gather(*(self.check(url) for url in unique)), strict=True))

    async def _checked(self, url: SafeUrl, until: float) -> common_pb2.LinkStatus.ValueType:
        status = 0
        try:
            _, answer = await self._follow(url, self._head, until)
            status = answer.status
        except PipelineError as error:
            if "interrupted" not in error.metadata:
                raise
        if status == 0 or status in _HEAD_SILENT:
            _, answer = await self._follow(url, self._headers_of_get, until)
            status = answer.status
        if 200 <= status < 400:
            return common_pb2.LINK_STATUS_ALIVE
        if status in _NOT_THERE:
            return common_pb2.LINK_STATUS_DEAD
        if status in _NOT_FOR_PROGRAMS:
            return common_pb2.LINK_STATUS_REFUSED
        return common_pb2.LINK_STATUS_UNKNOWN

    async def _head(self, url: SafeUrl) -> HttpResponse:
        return await self._exchange("HEAD", url, lambda status, headers: False)

    async def _headers_of_get(self, url: SafeUrl) -> HttpResponse:
        return await self._exchange("GET", url, lambda status, headers: False)

    # ------------------------------------------------------------------------------------------ hops

    async def _follow(self, url: SafeUrl, step: _Step, until: float) -> tuple[SafeUrl, HttpResponse]:
        """The first answer that is no redirect, and where it came from; each hop vetted, allowed and in turn."""
        for _ in range(REDIRECTS_MAX + 1):
            delay = await self._robots.check(url) if self._respect_robots else None
            await self.hosts.turn(url.place, delay)
            timed = partial(self._timed, step, url, until)
            answer = await self.hosts.breaker(url.place).call(timed, is_failure=_is_unwell)
            if answer.status not in REDIRECT_STATUSES or "location" not in answer.headers:
                return url, answer
            url = self._joined(url, answer.headers["location"])
        raise Failures(url.host, self._clock).failed(f"redirected more than {REDIRECTS_MAX} times", cause="redirect")

    async def _timed(self, step: _Step, url: SafeUrl, until: float) -> HttpResponse:
        # A little before the call as a whole ends, so that the host's breaker sees a failure and no cancellation.
        try:
            async with asyncio.timeout_at(until - min(0.5, self._total / 10)):
                return await step(url)
        except TimeoutError as exc:
            raise Failures(url.host, self._clock).too_late(self._total) from exc

    async def _exchange(
        self,
        method: str,
        url: SafeUrl,
        wants_body: Callable[[int, Mapping[str, str]], bool],
        *,
        cut_at: int | None = None,
        timeout: float | None = None,
    ) -> HttpResponse:
        """One call, its error told of the host; a wait that the host names is kept for everybody."""
        current_usage().external_call()
        pool = self._intranet if url.allowed else self._public
        try:
            answer = await pool.exchange(
                method, url.text, headers={"Accept": ACCEPT}, wants_body=wants_body, cut_at=cut_at, timeout=timeout
            )
        except PipelineError as error:
            raise _of_host(error, url.host, pool.name) from error
        if answer.status in (429, 503):
            try:
                Failures(url.host, self._clock).refuse(answer.status, answer.headers.get("retry-after"))
            except PipelineError as error:
                if error.retry_after:
                    self.hosts.rest(url.place, error.retry_after)
        return answer

    async def _fetch_robots(self, page: SafeUrl) -> RobotsText:
        """robots.txt of the page's origin, under the same rules but its own.

        It gets half of the time, so that a host that does not answer is known as such before its page is given up.
        """
        url = self._joined(page, "/robots.txt")
        for _ in range(ROBOTS_REDIRECTS_MAX + 1):
            answer = await self._exchange(
                "GET",
                url,
                lambda status, headers: 200 <= status < 300,
                cut_at=ROBOTS_BYTES_MAX,
                timeout=self._total / 2,
            )
            if answer.status not in REDIRECT_STATUSES or "location" not in answer.headers:
                return RobotsText(answer.status, answer.text() if answer.body else "")
            url = self._joined(url, answer.headers["location"])
        raise Failures(url.host, self._clock).failed("redirects its robots.txt too often", cause="redirect")

    def _read(self, url: str) -> SafeUrl:
        return read_url(url, self._allowed, self._ports)

    def _joined(self, base: SafeUrl, target: str) -> SafeUrl:
        return joined(base, target, self._allowed, self._ports)

    def _resolver(self) -> PublicResolver:
        from chassis.safe_dns import PublicResolver, system_lookup

        return PublicResolver(self.dns_cache, self._lookup or system_lookup)

    @asynccontextmanager
    async def _in_time(self, url: str) -> AsyncIterator[float]:
        """Bounds everything that one call does: robots.txt, waiting for a turn, redirects, the retry.

        Yields when it ends, in the event loop's time.
        """
        if self.offline:
            raise OfflineError(NAME)
        try:
            until = asyncio.get_running_loop().time() + self._total
            async with asyncio.timeout_at(until):
                yield until
        except TimeoutError as exc:
            raise PipelineError(
                errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED,
                f"the page was not there within {self._total:g} s",
                metadata={"upstream": NAME, "url": url[:150]},
            ) from exc


def _media_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _of_host(error: PipelineError, host: str, pool: str) -> PipelineError:
    """The pool's error, told of the host that was asked."""
    if isinstance(error, OfflineError):
        return error
    message = f"{host}{error.message.removeprefix(pool)}"
    return PipelineError(
        error.reason, message, metadata={**error.metadata, "upstream": host}, retry_after=error.retry_after
    )


def _retry_wait(error: PipelineError) -> float | None:
    """Seconds until the one retry, None where there is none."""
    if error.metadata.get("interrupted"):
        return 0.0
    if error.metadata.get("status") in ("429", "503") and error.retry_after is not None:
        return error.retry_after if error.retry_after <= RETRY_AFTER_WAITED_MAX else None
    return None


def _is_unwell(error: BaseException) -> bool:
    """Whether a host's breaker counts it: what a page says or is does not make its host unwell."""
    if isinstance(error, PipelineError):
        cause = error.metadata.get("cause", "")
        if cause in ("url", "address", "content_type", "too_large", "redirect", "encoding", "malformed", "robots"):
            return False
    return counts_as_failure(error)


def _status_of(error: PipelineError) -> common_pb2.LinkStatus.ValueType:
    match error.metadata.get("cause", ""):
        case "address":
            return common_pb2.LINK_STATUS_BLOCKED
        case "unknown_host":
            return common_pb2.LINK_STATUS_DEAD
        case "robots":
            return common_pb2.LINK_STATUS_REFUSED
        case "url" if isinstance(error, UrlRefusedError):
            return common_pb2.LINK_STATUS_UNSPECIFIED
    return common_pb2.LINK_STATUS_UNKNOWN
