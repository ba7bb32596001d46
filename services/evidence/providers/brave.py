"""Web search through the Brave Search API: a key, its own index.

`GET {base}/res/v1/web/search?q=...&count=10&search_lang=en&result_filter=web&text_decorations=false`, header
`X-Subscription-Token` (api-dashboard.search.brave.com/app/documentation). `q` has at most 400 characters and 50
words. Paging: `count` up to 20, `offset` up to 9. Price: $5 for 1,000 searches (read November 2026); only answered
ones are billed. Rate: 50 a second on that plan; `X-RateLimit-Limit`, `-Remaining`, `-Reset` each list the windows
("1, 1419704": a second and a month), in seconds.
Errors: `{"type": "ErrorResponse", "error": {"code", "detail", "status", ...}}`: a key that is not taken is 422
`SUBSCRIPTION_TOKEN_INVALID` (a missing one 422 `VALIDATION`), a plan without web search 403, too many calls 429.
A result (`web.results`): `url, title, description` with `<strong>`, `page_age` (ISO, no zone).
"""

from __future__ import annotations

from typing import Any

from chassis.http_answer import HttpResponse
from chassis.pool_errors import RETRY_AFTER_SECONDS_DEFAULT
from services.evidence.providers import leads
from services.evidence.providers.base import Source, Terms
from services.evidence.providers.reading import html_line, json_of, record, rows, string
from services.evidence.providers.refusals import error_body, limited, refused_key, refused_words, wait_of
from services.evidence.providers.web_search import Result, WebSearch, needs_key

PROVIDER = "brave"
SETTING = "PIPELINE_BRAVE_KEY"
_HEADER = "x-subscription-token"


class BraveProvider(WebSearch):
    """Searches one Brave-shaped address."""

    name = PROVIDER
    path = "/res/v1/web/search"

    async def _ask(self, words: str, reuse_connections: bool) -> HttpResponse:
        return await self._pool.request(
            "GET",
            self._url,
            params={
                "q": words,
                "count": leads.HITS,
                "search_lang": leads.LANGUAGE,
                "result_filter": "web",
                "text_decorations": "false",
            },
            headers={"Accept": "application/json", "X-Subscription-Token": self._key},
            reuse_connections=reuse_connections,
            answers={401, 403, 422, 429},
        )

    def _refusal(self, response: HttpResponse) -> Exception:
        if response.status == 429:
            wait = self._wait(response)
            self._rest.begin(wait)
            return limited(PROVIDER, wait, 429)
        error = record(error_body(response).get("error"))
        of_key = string(error, "code").startswith("SUBSCRIPTION_TOKEN") or _HEADER in str(error)[:2_000].lower()
        if response.status in (401, 403) or of_key:
            return refused_key(PROVIDER, SETTING, response.status)
        return refused_words(PROVIDER, response.status)

    def _results(self, response: HttpResponse) -> list[dict[str, Any]]:
        answer = json_of(PROVIDER, response)
        # Where nothing fits, the group of web results is left out altogether.
        if isinstance(answer, dict) and "web" not in answer and answer.get("type") == "search":
            return []
        return rows(PROVIDER, answer, "web", "results")

    def _wait(self, response: HttpResponse) -> float:
        """Seconds until the last of the exhausted windows opens again."""
        named = wait_of(response, self._clock)
        if named is not None:
            return named
        resets = _numbers(response.headers.get("x-ratelimit-reset", ""))
        left = _numbers(response.headers.get("x-ratelimit-remaining", ""))
        closed = [seconds for seconds, rest in zip(resets, left, strict=False) if rest <= 0]
        return max(closed, default=resets[0] if resets else RETRY_AFTER_SECONDS_DEFAULT)

    def _result(self, row: dict[str, Any]) -> Result:
        # Both are HTML: escaped, with marks around the words that met.
        title = html_line(row.get("title"), leads.TITLE_CHARS_MAX)
        excerpt = html_line(row.get("description"), leads.SNIPPET_CHARS_MAX)
        return Result("Brave Search", row.get("url"), title, excerpt, row.get("page_age"))


def _numbers(header: str) -> list[float]:
    return [float(part) for part in (p.strip() for p in header.split(",")) if part.isascii() and part.isdigit()]


SOURCE = Source(
    PROVIDER,
    # A fifth of the plan's 50 a second: other programs may share the key.
    Terms(rate=10.0, burst=10, concurrency=4, calls_per_run=8, price_micros=5_000, ttl_seconds=7 * 86_400.0),
    BraveProvider,
    lacks=needs_key(SETTING),
)
