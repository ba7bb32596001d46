"""Web search through Tavily: a key, excerpts made for reading by programs.

`POST {base}/search` with `{"query", "search_depth": "basic", "topic": "general", "max_results": 10}`, header
`Authorization: Bearer` (docs.tavily.com/documentation/api-reference/endpoint/search). No paging, `max_results` up to
20, `query` under 400 characters. Price: a basic search is 1 credit, $0.008 pay as you go
(docs.tavily.com/documentation/api-credits, read November 2026); 1,000 credits a month are free. Rate: 100 a minute
with a development key, 1,000 with a production key; 429 with Retry-After.
Errors: `{"detail": {"error": "..."}}`: 400 bad request, 401 key not taken, 432 the plan's limit is used up, 433 the
pay-as-you-go limit is.
A result: `url, title, content, score`, `published_date` only for the news topic.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from chassis.clock import Clock
from chassis.http_answer import HttpResponse
from chassis.pool import HttpPool
from services.evidence.domain.model import Found, Query
from services.evidence.providers import leads, reading, replies
from services.evidence.providers.base import Access, Source, Terms

PROVIDER = "tavily"
SETTING = "PIPELINE_TAVILY_KEY"
# Credits come back with the month or with a larger plan; asking every hour finds out soon enough.
USED_UP_SECONDS = 3_600.0


class TavilyProvider:
    """Searches one Tavily-shaped address."""

    name = PROVIDER
    offline = False

    def __init__(self, pool: HttpPool, base_url: str, key: str, clock: Clock) -> None:
        self._pool = pool
        self._url = f"{base_url.rstrip('/')}/search"
        self._key = key
        self._clock = clock
        self._rest = replies.Rest(PROVIDER, clock)

    def covers(self, query: Query) -> bool:
        return bool(leads.web_words(query))

    def key(self, query: Query) -> str:
        return f"{self._url}|{leads.web_words(query)}|{leads.HITS}"

    async def search(self, query: Query) -> Sequence[Found]:
        self._rest.check()
        response = await self._pool.request(
            "POST",
            self._url,
            json_body={
                "query": leads.web_words(query),
                "search_depth": "basic",
                "topic": "general",
                "max_results": leads.HITS,
            },
            headers={"Accept": "application/json", "Authorization": f"Bearer {self._key}"},
            reuse_connections=query.reuse_connections,
            answers={400, 401, 403, 432, 433},
        )
        if response.status >= 300:
            self._refuse(response)
        results = replies.rows(PROVIDER, reading.json_of(PROVIDER, response), "results")
        found = (self._lead(row, place) for place, row in enumerate(results[: leads.HITS], start=1))
        return [f for f in found if f is not None]

    def _refuse(self, response: HttpResponse) -> NoReturn:
        if response.status in (432, 433):
            why = "has no credits left on this plan"
            self._rest.begin(USED_UP_SECONDS, why)
            raise replies.limited(PROVIDER, USED_UP_SECONDS, response.status, why)
        if response.status in (401, 403):
            raise replies.refused_key(PROVIDER, SETTING, response.status)
        raise replies.failed(PROVIDER, "refused the search words", cause="refused", status=response.status)

    def _lead(self, row: dict[str, Any], place: int) -> Found | None:
        return leads.lead(
            PROVIDER,
            "Tavily",
            url=row.get("url"),
            title=row.get("title"),
            snippet=row.get("content"),
            place=place,
            published_at=leads.moment(row.get("published_date"), self._clock.now()),
        )


def _make(pool: HttpPool, access: Access) -> TavilyProvider:
    return TavilyProvider(pool, access.url, access.key, access.clock)


SOURCE = Source(
    PROVIDER,
    # 20 at once and one a second are at most 80 in any minute, below the 100 of a development key.
    Terms(rate=1.0, burst=20, concurrency=4, calls_per_run=8, price_micros=8_000, ttl_seconds=7 * 86_400.0),
    _make,
    lacks=lambda access: "" if access.key else f"{SETTING} is empty",
)
