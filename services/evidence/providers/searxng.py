"""Web search through a SearXNG of the operator's own: no key, one address, many engines behind it.

`GET {base}/search?q=...&format=json&language=en&pageno=1&safesearch=1` (docs.searxng.org/dev/search_api.html).
Auth: none. Paging: `pageno` from 1; the engines decide how many results a page has. Rate: the instance's own limiter
answers 429 without Retry-After; the engines behind it block an instance that asks fast.
Errors: 403 where `json` is not among `search.formats` of settings.yml (the default); HTTP 200 with no results and
`unresponsive_engines: [[name, reason], ...]` where every engine blocked the instance: that is an outage, not an answer.
A result: `url, title, content, publishedDate | pubdate, engines, score`.
"""

from __future__ import annotations

from typing import Any

from chassis.http_answer import HttpResponse
from services.evidence.providers import leads
from services.evidence.providers.base import Source, Terms
from services.evidence.providers.reading import json_of, line, rows, strings
from services.evidence.providers.refusals import failed
from services.evidence.providers.web_search import Result, WebSearch

PROVIDER = "searxng"
MEND = "add json to search.formats in the settings.yml of PIPELINE_SEARXNG_URL"


class SearxngProvider(WebSearch):
    """Searches one SearXNG."""

    name = PROVIDER
    path = "/search"

    async def _ask(self, words: str, reuse_connections: bool) -> HttpResponse:
        return await self._pool.request(
            "GET",
            self._url,
            params={"q": words, "format": "json", "language": leads.LANGUAGE, "pageno": 1, "safesearch": 1},
            headers={"Accept": "application/json"},
            reuse_connections=reuse_connections,
            answers={403},
        )

    def _refusal(self, response: HttpResponse) -> Exception:
        return failed(PROVIDER, f"does not give JSON; {MEND}", cause="status", status=response.status)

    def _results(self, response: HttpResponse) -> list[dict[str, Any]]:
        answer = json_of(PROVIDER, response)
        results = rows(PROVIDER, answer, "results")
        silent = answer.get("unresponsive_engines")
        if not results and isinstance(silent, list) and silent:
            raise failed(
                PROVIDER, f"got no answer from its {len(silent)} search engines; they may block it", cause="blocked"
            )
        return results

    def _result(self, row: dict[str, Any]) -> Result:
        engines = ", ".join(strings(row.get("engines"), 3))
        return Result(
            f"SearXNG ({engines})" if engines else "SearXNG",
            row.get("url"),
            row.get("title"),
            row.get("content"),
            row.get("publishedDate") or row.get("pubdate"),
            line(row.get("author"), 100),
        )


SOURCE = Source(
    PROVIDER,
    # The engines behind an instance see one address: a question a second does not look like a robot's flood. An
    # instance waits for its slowest engine, up to 10 s by its own default.
    Terms(rate=1.0, burst=5, concurrency=2, calls_per_run=8, timeout_seconds=15.0, ttl_seconds=86_400.0),
    SearxngProvider,
)
