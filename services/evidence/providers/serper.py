"""Google's web results through Serper: a key.

`POST {base}/search` with `{"q", "num": 10, "hl": "en"}`, header `X-API-KEY` (serper.dev). A list as body gets a list
as answer, of which the first is ours. Paging: `page` from 1. Price: $1.00 for 1,000 credits in the smallest package
of 50,000 (read November 2026); up to 10 results are 1 credit, only answered calls are charged. Rate: 50 a second in
that package; no rate headers, no Retry-After.
Errors: `{"message": "...", "statusCode": ...}`: 403 "Unauthorized." for a key that is not taken, 400 "Not enough
credits" when the package is used up, 429.
A result (`organic`): `link, title, snippet, date` ("Jun 1, 2023" or "10 hours ago"), `position`.
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

PROVIDER = "serper"
SETTING = "PIPELINE_SERPER_KEY"
# Until someone buys credits; asking every hour finds out soon enough.
USED_UP_SECONDS = 3_600.0


class SerperProvider:
    """Searches one Serper-shaped address."""

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
        return f"{self._url}|{leads.web_words(query)}|{leads.LANGUAGE}|{leads.HITS}"

    async def search(self, query: Query) -> Sequence[Found]:
        self._rest.check()
        response = await self._pool.request(
            "POST",
            self._url,
            json_body={"q": leads.web_words(query), "num": leads.HITS, "hl": leads.LANGUAGE},
            headers={"Accept": "application/json", "X-API-KEY": self._key},
            reuse_connections=query.reuse_connections,
            answers={400, 401, 403},
        )
        if response.status >= 300:
            self._refuse(response)
        answer = reading.json_of(PROVIDER, response)
        if isinstance(answer, list) and answer:
            answer = answer[0]
        results = replies.rows(PROVIDER, answer, "organic")
        found = (self._lead(row, place) for place, row in enumerate(results[: leads.HITS], start=1))
        return [f for f in found if f is not None]

    def _refuse(self, response: HttpResponse) -> NoReturn:
        if response.status in (401, 403):
            raise replies.refused_key(PROVIDER, SETTING, response.status)
        if "credits" in reading.string(replies.error_body(response), "message").lower():
            why = "has no credits left"
            self._rest.begin(USED_UP_SECONDS, why)
            raise replies.limited(PROVIDER, USED_UP_SECONDS, response.status, why)
        raise replies.failed(PROVIDER, "refused the search words", cause="refused", status=response.status)

    def _lead(self, row: dict[str, Any], place: int) -> Found | None:
        return leads.lead(
            PROVIDER,
            "Google (through Serper)",
            url=row.get("link"),
            title=row.get("title"),
            snippet=row.get("snippet"),
            place=place,
            published_at=leads.moment(row.get("date"), self._clock.now()),
        )


def _make(pool: HttpPool, access: Access) -> SerperProvider:
    return SerperProvider(pool, access.url, access.key, access.clock)


SOURCE = Source(
    PROVIDER,
    # A fifth of the smallest package's 50 a second: other programs may share the key.
    Terms(rate=10.0, burst=10, concurrency=4, calls_per_run=8, price_micros=1_000, ttl_seconds=7 * 86_400.0),
    _make,
    lacks=lambda access: "" if access.key else f"{SETTING} is empty",
)
