"""Pages of the web, read once and kept: fetched safely, cut down to their text, hashed.

What is hashed is what quotes count in: `content_sha256` is the SHA-256 of `text` in UTF-8, and a quote is
`text[start:end]` in code points. A page is public: it is cached by its address for all runs, and holds nothing of any.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from chassis.cache import Cache
from chassis.clock import Clock
from chassis.safe_fetch import SafeFetcher
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2
from services.evidence.domain.model import SourceFlag
from services.evidence.providers.extract import UnreadableError
from services.evidence.providers.page_worker import Extractor

# A page changes more slowly than a run takes; its hash says when it has.
PAGE_TTL_SECONDS = 6 * 3600.0
# Pages of at most 200,000 characters: a full cache holds about 50 MB of ordinary ones, 400 MB of the longest.
PAGES_MAX = 500
LINK_TTL_SECONDS = 3600.0
_LASTING = frozenset({common_pb2.LINK_STATUS_ALIVE, common_pb2.LINK_STATUS_DEAD, common_pb2.LINK_STATUS_REFUSED})


@dataclass(frozen=True)
class Page:
    """A page as a run may quote it. `url` as asked, `final_url` where its redirects led."""

    url: str
    final_url: str
    title: str
    text: str
    content_sha256: str
    media_type: str
    fetched_at: datetime
    author: str = ""
    published_at: datetime | None = None
    flags: tuple[SourceFlag, ...] = ()


class PageReader:
    """Reads and checks pages. `cache=None` keeps nothing. Fetcher, extractor and cache are their owner's to close.

    `only`: "host:port" places outside of which nothing is read; empty: any public page.
    """

    def __init__(
        self,
        fetcher: SafeFetcher,
        extractor: Extractor,
        clock: Clock,
        cache: Cache | None,
        only: Collection[str] = (),
    ) -> None:
        self._only = frozenset(place.lower() for place in only)
        self._fetcher = fetcher
        self._extractor = extractor
        self._clock = clock
        self._cache = cache

    async def read(self, url: str, *, caching: bool = True, ttl: float = PAGE_TTL_SECONDS) -> Page:
        """The page; one fetch for all who ask at a time. `ttl`: seconds, how old a kept page may be.

        Raises what `SafeFetcher.fetch` does, and UPSTREAM_FAILED with cause `unreadable`.
        """
        if not self._within(url):
            raise PipelineError(
                errors_pb2.ERROR_REASON_UPSTREAM_FAILED,
                "the page lies outside of the places that this server reads",
                metadata={"cause": "outside", "url": url[:150]},
            )
        key = f"page|{url.partition('#')[0]}"
        if self._cache is None or not caching:
            return await self._read(url)
        return await self._cache.get_or_compute(key, lambda: self._read(url), ttl, saves_calls=1)

    async def check(self, url: str, *, caching: bool = True) -> common_pb2.LinkStatus.ValueType:
        """Whether the address leads to a page, asked at most once an hour where the answer was a firm one."""
        if not self._within(url):
            return common_pb2.LINK_STATUS_UNSPECIFIED
        key = f"link|{url.partition('#')[0]}"
        if self._cache is None or not caching:
            return await self._fetcher.check(url)
        known: common_pb2.LinkStatus.ValueType | None = await self._cache.get(key, ttl=LINK_TTL_SECONDS)
        if known is not None:
            return known
        status = await self._fetcher.check(url)
        if status in _LASTING:
            await self._cache.set(key, status, LINK_TTL_SECONDS)
        return status

    def _within(self, url: str) -> bool:
        if not self._only:
            return True
        try:
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:  # no port, no address
            return False
        return f"{parts.hostname}:{port}" in self._only

    async def _read(self, url: str) -> Page:
        body = await self._fetcher.fetch(url)
        try:
            page = await self._extractor.extract(body.media_type, body.charset, body.body, self._clock.now())
        except UnreadableError as error:
            raise PipelineError(
                errors_pb2.ERROR_REASON_UPSTREAM_FAILED,
                f"the page {error}",
                metadata={"cause": "unreadable", "url": body.final_url[:150]},
            ) from None
        return Page(
            url=url,
            final_url=body.final_url,
            title=page.title,
            text=page.text,
            content_sha256=hashlib.sha256(page.text.encode()).hexdigest(),
            media_type=body.media_type,
            fetched_at=body.fetched_at,
            author=page.author,
            published_at=page.published_at,
            flags=page.flags,
        )
