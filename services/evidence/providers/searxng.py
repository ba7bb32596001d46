"""Web search through a SearXNG of the operator's own: no key, one address, many engines behind it.

`GET {base}/search?q=...&format=json&language=en&pageno=1&safesearch=1` (docs.searxng.org/dev/search_api.html).
Auth: none. Paging: `pageno` from 1; the engines decide how many results a page has. Rate: the instance's own limiter
answers 429 without Retry-After; the engines behind it block an instance that asks fast.
Errors: 403 where `json` is not among `search.formats` of settings.yml (the default); HTTP 200 with no results and
`unresponsive_engines: [[name, reason], ...]` where every engine blocked the instance: that is an outage, not an answer.
A result: `url, title, content, publishedDate | pubdate, engines, score`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chassis.clock import Clock
from chassis.pool import HttpPool
from services.evidence.domain.model import Found, Query
from services.evidence.providers import leads, reading, replies
from services.evidence.providers.base import Access, Source, Terms

PROVIDER = "searxng"
MEND = "add json to search.formats in the settings.yml of PIPELINE_SEARXNG_URL"


class SearxngProvider:
    """Searches one SearXNG."""

    name = PROVIDER
    offline = False

    def __init__(self, pool: HttpPool, base_url: str, clock: Clock) -> None:
        self._pool = pool
        self._url = f"{base_url.rstrip('/')}/search"
        self._clock = clock

    def covers(self, query: Query) -> bool:
        return bool(leads.web_words(query))

    def key(self, query: Query) -> str:
        return f"{self._url}|{leads.web_words(query)}|{leads.LANGUAGE}|{leads.HITS}"

    async def search(self, query: Query) -> Sequence[Found]:
        response = await self._pool.request(
            "GET",
            self._url,
            params={
                "q": leads.web_words(query),
                "format": "json",
                "language": leads.LANGUAGE,
                "pageno": 1,
                "safesearch": 1,
            },
            headers={"Accept": "application/json"},
            reuse_connections=query.reuse_connections,
            answers={403},
        )
        if response.status == 403:
            raise replies.failed(PROVIDER, f"does not give JSON; {MEND}", cause="status", status=403)
        answer = reading.json_of(PROVIDER, response)
        results = replies.rows(PROVIDER, answer, "results")
        silent = answer.get("unresponsive_engines")
        if not results and isinstance(silent, list) and silent:
            raise replies.failed(
                PROVIDER, f"got no answer from its {len(silent)} search engines; they may block it", cause="blocked"
            )
        found = (self._lead(row, place) for place, row in enumerate(results[: leads.HITS], start=1))
        return [f for f in found if f is not None]

    def _lead(self, row: dict[str, Any], place: int) -> Found | None:
        engines = row.get("engines")
        names = [e for e in engines if isinstance(e, str)][:3] if isinstance(engines, list) else []
        return leads.lead(
            PROVIDER,
            f"SearXNG ({', '.join(names)})" if names else "SearXNG",
            url=row.get("url"),
            title=row.get("title"),
            snippet=row.get("content"),
            place=place,
            published_at=leads.moment(row.get("publishedDate") or row.get("pubdate"), self._clock.now()),
            author=replies.plain_line(row.get("author"), 100),
        )


def _make(pool: HttpPool, access: Access) -> SearxngProvider:
    return SearxngProvider(pool, access.url, access.clock)


SOURCE = Source(
    PROVIDER,
    # The engines behind an instance see one address: a question a second does not look like a robot's flood. An
    # instance waits for its slowest engine, up to 10 s by its own default.
    Terms(rate=1.0, burst=5, concurrency=2, calls_per_run=8, timeout_seconds=15.0, ttl_seconds=86_400.0),
    _make,
)
