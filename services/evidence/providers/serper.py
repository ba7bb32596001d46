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

from typing import Any

from chassis.http_answer import HttpResponse
from services.evidence.providers import leads
from services.evidence.providers.base import Source, Terms
from services.evidence.providers.reading import json_of, rows, string
from services.evidence.providers.refusals import error_body, limited, refused_key, refused_words
from services.evidence.providers.web_search import Result, WebSearch, needs_key

PROVIDER = "serper"
SETTING = "PIPELINE_SERPER_KEY"
# Until someone buys credits; asking every hour finds out soon enough.
USED_UP_SECONDS = 3_600.0


class SerperProvider(WebSearch):
    """Searches one Serper-shaped address."""

    name = PROVIDER
    path = "/search"

    async def _ask(self, words: str, reuse_connections: bool) -> HttpResponse:
        return await self._pool.request(
            "POST",
            self._url,
            json_body={"q": words, "num": leads.HITS, "hl": leads.LANGUAGE},
            headers={"Accept": "application/json", "X-API-KEY": self._key},
            reuse_connections=reuse_connections,
            answers={400, 401, 403},
        )

    def _refusal(self, response: HttpResponse) -> Exception:
        if response.status in (401, 403):
            return refused_key(PROVIDER, SETTING, response.status)
        if "credits" in string(error_body(response), "message").lower():
            why = "has no credits left"
            self._rest.begin(USED_UP_SECONDS, why)
            return limited(PROVIDER, USED_UP_SECONDS, response.status, why)
        return refused_words(PROVIDER, response.status)

    def _results(self, response: HttpResponse) -> list[dict[str, Any]]:
        answer = json_of(PROVIDER, response)
        return rows(PROVIDER, answer[0] if isinstance(answer, list) and answer else answer, "organic")

    def _result(self, row: dict[str, Any]) -> Result:
        return Result("Google (through Serper)", row.get("link"), row.get("title"), row.get("snippet"), row.get("date"))


SOURCE = Source(
    PROVIDER,
    # A fifth of the smallest package's 50 a second: other programs may share the key.
    Terms(rate=10.0, burst=10, concurrency=4, calls_per_run=8, price_micros=1_000, ttl_seconds=7 * 86_400.0),
    SerperProvider,
    lacks=needs_key(SETTING),
)
