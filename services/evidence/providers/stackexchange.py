"""Questions on the sites of Stack Exchange: problems that people have, in their own words, with votes.

`GET {base}/2.3/search/advanced?q=...&site=...&order=desc&sort=relevance&pagesize=20&filter=withbody`
(api.stackexchange.com/docs/advanced-search, /docs/throttle). Auth: none, or `key` as a parameter (the API takes no
header). Paging: `page` from 1, `pagesize` up to 100. Always compressed with gzip. Rate: 300 calls a day and address
without a key, 10,000 with one; above 30 a second the address is banned for a while.
Etiquette: where the body holds `backoff`, the method must not be called for that many seconds; `quota_remaining` 0
lasts until midnight UTC. An equal question is not asked more than once a minute (the cache sees to that).
Errors are HTTP 400 with `{"error_id", "error_name", "error_message"}`: 502 `throttle_violation` ("... more requests
available in 67194 seconds"), 400 `bad_parameter` ("`key` doesn't match a known application"), 503
`temporarily_unavailable`.
A question: `title` and `body` in HTML, `score, link, creation_date, owner.display_name, is_answered, tags`;
content is CC BY-SA, so that author and link stay with it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from chassis.http_answer import HttpResponse
from chassis.pool import HttpPool
from pipeline.v1 import common_pb2
from services.evidence.domain.model import Found, IdeaFacts, Query
from services.evidence.domain.technical import is_technical
from services.evidence.providers.base import Access, Source, Terms
from services.evidence.providers.extract import html_to_text
from services.evidence.providers.leads import web_url
from services.evidence.providers.questions import whole_words
from services.evidence.providers.reading import (
    TEXT_CHARS_MAX,
    count,
    html_line,
    json_of,
    moment_of,
    record,
    rows,
    string,
    votes,
)
from services.evidence.providers.refusals import (
    Rest,
    error_body,
    failed,
    limited,
    malformed,
    refused_key,
    refused_words,
)

PROVIDER = "stackexchange"
SETTING = "PIPELINE_STACKEXCHANGE_KEY"
HITS = 20
WORDS_MAX = 3
TITLE_CHARS_MAX = 300
# A throttled caller that is told no time.
THROTTLED_SECONDS = 300.0
KINDS = frozenset({common_pb2.CLAIM_KIND_PROBLEM, common_pb2.CLAIM_KIND_FEASIBILITY})

# The site whose askers are the people of a category; a category without one is not asked about.
SITES = {
    "agriculture": "gardening",
    "ai-infrastructure": "datascience",
    "business-operations": "pm",
    "childcare": "parenting",
    "developer-tools": "stackoverflow",
    "education": "academia",
    "energy-climate": "sustainability",
    "fintech": "money",
    "fitness": "fitness",
    "food": "cooking",
    "health": "medicalsciences",
    "hr": "workplace",
    "legal": "law",
    "manufacturing": "engineering",
    "marketing": "webmasters",
    "mobility": "mechanics",
    "pets": "pets",
    "security": "security",
    "social": "interpersonal",
    "travel": "travel",
}
# Where people ask for themselves: what a clinic or a restaurant buys is not their subject.
_OF_PRIVATE_LIFE = frozenset(
    "cooking fitness gardening interpersonal mechanics medicalsciences money parenting pets travel".split()
)
_AVAILABLE = re.compile(r"available in (\d{1,9}) seconds")


class StackExchangeProvider:
    """Searches one address in the shape of the Stack Exchange API."""

    name = PROVIDER
    offline = False

    def __init__(self, pool: HttpPool, access: Access) -> None:
        self._pool = pool
        self._url = f"{access.url.rstrip('/')}/2.3/search/advanced"
        self._key = access.key
        self._clock = access.clock
        self._rest = Rest(PROVIDER, access.clock)

    def covers(self, query: Query) -> bool:
        return query.kind in KINDS and bool(site_of(query.idea)) and bool(whole_words(query, WORDS_MAX))

    def key(self, query: Query) -> str:
        words = " ".join(whole_words(query, WORDS_MAX))
        return f"{self._url}|{site_of(query.idea)}|{words}|{HITS}"

    async def search(self, query: Query) -> Sequence[Found]:
        self._rest.check()
        site = site_of(query.idea)
        params: dict[str, str | int] = {
            "q": " ".join(whole_words(query, WORDS_MAX)),
            "site": site,
            "order": "desc",
            "sort": "relevance",
            "pagesize": HITS,
            "filter": "withbody",
        }
        response = await self._pool.request(
            "GET",
            self._url,
            params={**params, "key": self._key} if self._key else params,
            headers={"Accept": "application/json"},
            reuse_connections=query.reuse_connections,
            answers={400},
        )
        # Older proxies answer with 200 what the API calls an error.
        if response.status >= 300 or error_body(response).get("error_id") is not None:
            raise self._refusal(response)
        answer = json_of(PROVIDER, response)
        self._heed(answer)
        questions = rows(PROVIDER, answer, "items")[:HITS]
        return [found for question in questions if (found := _found(question, site)) is not None]

    def _heed(self, answer: object) -> None:
        """Remembers the wishes that a good answer carries."""
        if not isinstance(answer, dict):
            return
        backoff, left = answer.get("backoff"), answer.get("quota_remaining")
        if isinstance(backoff, int | float) and not isinstance(backoff, bool):
            self._rest.begin(float(backoff))
        if isinstance(left, int) and not isinstance(left, bool) and left <= 0:
            self._rest.begin(_until_midnight(self._clock.now()), "has no calls left today")

    def _refusal(self, response: HttpResponse) -> Exception:
        error = error_body(response)
        message = string(error, "error_message")
        if error.get("error_id") == 502 or string(error, "error_name") == "throttle_violation":
            named = _AVAILABLE.search(message)
            wait = float(named[1]) if named else THROTTLED_SECONDS
            self._rest.begin(wait)
            return limited(PROVIDER, wait, response.status)
        if self._key and message.lstrip("`").startswith("key"):
            return refused_key(PROVIDER, SETTING, response.status)
        if error.get("error_id") in (500, 503):
            return failed(PROVIDER, "is out of order", cause="status", status=503)
        if not error:
            return malformed(PROVIDER, "without JSON")
        return refused_words(PROVIDER, response.status)


def site_of(idea: IdeaFacts) -> str:
    """The site of the idea's category; "" where none fits, or where its people are no customers of the idea.

    Ideas for people who build software go to Stack Overflow even where they were filed elsewhere.
    """
    site = SITES.get(idea.category, "")
    if site in _OF_PRIVATE_LIFE and idea.customer_type == common_pb2.CUSTOMER_TYPE_B2B:
        site = ""
    return site or ("stackoverflow" if is_technical(idea) else "")


def _found(question: dict[str, Any], site: str) -> Found | None:
    address = web_url(question.get("link"))
    title = html_line(question.get("title"), TITLE_CHARS_MAX)
    if not address or not title:
        return None
    body = html_to_text(string(question, "body"))
    score = count(question.get("score"))
    answered = "an answered" if question.get("is_answered") is True else "an unanswered"
    return Found(
        provider=PROVIDER,
        url=address,
        title=title,
        text="\n\n".join(part for part in (title, body) if part)[:TEXT_CHARS_MAX].strip(),
        source_type=common_pb2.SOURCE_TYPE_COMMUNITY,
        author=html_line(record(question.get("owner")).get("display_name"), 100),
        published_at=moment_of(question.get("creation_date")),
        why=f"It is {answered} question on {site} (Stack Exchange, CC BY-SA)"
        + (f" with {score:,} votes." if score else "."),
        # One asker; what raises it is the votes of others who recognise the question.
        confidence=0.2,
        votes=votes(score),
    )


def _until_midnight(now: datetime) -> float:
    tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (tomorrow - now).total_seconds()


SOURCE = Source(
    PROVIDER,
    # 300 a day are a hundred runs of three. Far below 30 a second, which bans the address.
    Terms(rate=1.0, burst=3, concurrency=2, calls_per_day=300, calls_per_run=3, ttl_seconds=86_400.0),
    StackExchangeProvider,
    keyed_terms=Terms(rate=5.0, burst=10, concurrency=4, calls_per_day=10_000, ttl_seconds=86_400.0),
)
