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

from collections.abc import Sequence
from typing import Any, NoReturn

from chassis.clock import Clock
from chassis.http_answer import HttpResponse
from chassis.pool import HttpPool
from chassis.pool_errors import RETRY_AFTER_SECONDS_DEFAULT
from services.evidence.domain.model import Found, Query
from services.evidence.providers import leads, reading, replies
from services.evidence.providers.base import Access, Source, Terms

PROVIDER = "brave"
SETTING = "PIPELINE_BRAVE_KEY"
_HEADER = "x-subscription-token"


class BraveProvider:
    """Searches one Brave-shaped address."""

    name = PROVIDER
    offline = False

    def __init__(self, pool: HttpPool, base_url: str, key: str, clock: Clock) -> None:
        self._pool = pool
        self._url = f"{base_url.rstrip('/')}/res/v1/web/search"
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
            "GET",
            self._url,
            params={
                "q": leads.web_words(query),
                "count": leads.HITS,
                "search_lang": leads.LANGUAGE,
                "result_filter": "web",
                "text_decorations": "false",
            },
            headers={"Accept": "application/json", "X-Subscription-Token": self._key},
            reuse_connections=query.reuse_connections,
            answers={401, 403, 422, 429},
        )
        if response.status >= 300:
            self._refuse(response)
        answer = reading.json_of(PROVIDER, response)
        # Where nothing fits, the group of web results is left out altogether.
        nothing = isinstance(answer, dict) and "web" not in answer and answer.get("type") == "search"
        results = [] if nothing else replies.rows(PROVIDER, answer, "web", "results")
        found = (self._lead(row, place) for place, row in enumerate(results[: leads.HITS], start=1))
        return [f for f in found if f is not None]

    def _refuse(self, response: HttpResponse) -> NoReturn:
        error = reading.record(replies.error_body(response).get("error"))
        code = reading.string(error, "code")
        if response.status == 429:
            wait = self._wait(response)
            self._rest.begin(wait)
            raise replies.limited(PROVIDER, wait, 429)
        if (
            response.status in (401, 403)
            or code.startswith("SUBSCRIPTION_TOKEN")
            or _HEADER in str(error)[:2_000].lower()
        ):
            raise replies.refused_key(PROVIDER, SETTING, response.status)
        raise replies.failed(PROVIDER, "refused the search words", cause="refused", status=response.status)

    def _wait(self, response: HttpResponse) -> float:
        """Seconds until the last of the exhausted windows opens again."""
        named = replies.wait_of(response, self._clock)
        if named is not None:
            return named
        resets = _numbers(response.headers.get("x-ratelimit-reset", ""))
        left = _numbers(response.headers.get("x-ratelimit-remaining", ""))
        closed = [seconds for seconds, rest in zip(resets, left, strict=False) if rest <= 0]
        return max(closed, default=resets[0] if resets else RETRY_AFTER_SECONDS_DEFAULT)

    def _lead(self, row: dict[str, Any], place: int) -> Found | None:
        return leads.lead(
            PROVIDER,
            "Brave Search",
            url=row.get("url"),
            # Both are HTML: escaped, with marks around the words that met.
            title=replies.html_line(row.get("title"), leads.TITLE_CHARS_MAX),
            snippet=replies.html_line(row.get("description"), leads.SNIPPET_CHARS_MAX),
            place=place,
            published_at=leads.moment(row.get("page_age"), self._clock.now()),
        )


def _numbers(header: str) -> list[float]:
    return [float(part) for part in (p.strip() for p in header.split(",")) if part.isascii() and part.isdigit()]


def _make(pool: HttpPool, access: Access) -> BraveProvider:
    return BraveProvider(pool, access.url, access.key, access.clock)


SOURCE = Source(
    PROVIDER,
    # A fifth of the plan's 50 a second: other programs may share the key.
    Terms(rate=10.0, burst=10, concurrency=4, calls_per_run=8, price_micros=5_000, ttl_seconds=7 * 86_400.0),
    _make,
    lacks=lambda access: "" if access.key else f"{SETTING} is empty",
)
