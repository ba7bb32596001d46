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

from typing import Any

from chassis.http_answer import HttpResponse
from services.evidence.providers import leads
from services.evidence.providers.base import Source, Terms
from services.evidence.providers.reading import json_of, rows
from services.evidence.providers.refusals import limited, refused_key, refused_words
from services.evidence.providers.web_search import Result, WebSearch, needs_key

PROVIDER = "tavily"
SETTING = "PIPELINE_TAVILY_KEY"
# Credits come back with the month or with a larger plan; asking every hour finds out soon enough.
USED_UP_SECONDS = 3_600.0


class TavilyProvider(WebSearch):
    """Searches one Tavily-shaped address."""

    name = PROVIDER
    path = "/search"

    async def _ask(self, words: str, reuse_connections: bool) -> HttpResponse:
        return await self._pool.request(
            "POST",
            self._url,
            json_body={"query": words, "search_depth": "basic", "topic": "general", "max_results": leads.HITS},
            headers={"Accept": "application/json", "Authorization": f"Bearer {self._key}"},
            reuse_connections=reuse_connections,
            answers={400, 401, 403, 432, 433},
        )

    def _refusal(self, response: HttpResponse) -> Exception:
        if response.status in (432, 433):
            why = "has no credits left on this plan"
            self._rest.begin(USED_UP_SECONDS, why)
            return limited(PROVIDER, USED_UP_SECONDS, response.status, why)
        if response.status in (401, 403):
            return refused_key(PROVIDER, SETTING, response.status)
        return refused_words(PROVIDER, response.status)

    def _results(self, response: HttpResponse) -> list[dict[str, Any]]:
        return rows(PROVIDER, json_of(PROVIDER, response), "results")

    def _result(self, row: dict[str, Any]) -> Result:
        return Result("Tavily", row.get("url"), row.get("title"), row.get("content"), row.get("published_date"))


SOURCE = Source(
    PROVIDER,
    # 20 at once and one a second are at most 80 in any minute, below the 100 of a development key.
    Terms(rate=1.0, burst=20, concurrency=4, calls_per_run=8, price_micros=8_000, ttl_seconds=7 * 86_400.0),
    TavilyProvider,
    lacks=needs_key(SETTING),
)
