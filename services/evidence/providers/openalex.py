"""OpenAlex: papers with abstracts, English, not retracted.

`GET {base}/works?search=...&filter=...&select=...&per_page=15`. Words are joined by AND, so that a query has at
most three. Abstracts come as `abstract_inverted_index`: word -> places. Prices (developers.openalex.org,
Authentication & Pricing, 2026): a search costs $0.001; a day's allowance is $0.10 without a key (100 searches; the
guide of early 2026 named $0.01) and $1 with a free key (1,000); 100 requests a second at most. The key is
documented as the parameter `api_key` only, no header. Errors: 429 when the allowance is spent, with a Retry-After
of hours; 403 "rate limit exceeded"; 400 `{"error", "message"}`; 404 is HTML.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chassis.pool import HttpPool
from services.evidence.domain.model import Found, Query
from services.evidence.providers.base import Access, Source, Terms
from services.evidence.providers.questions import plain_words, request_key
from services.evidence.providers.reading import authors, json_of, moment, record, records, rows, string, year
from services.evidence.providers.refusals import throttled
from services.evidence.providers.scholarly import AUTHORS_READ, KINDS, PAPERS, doi_url, paper, plain

PROVIDER = "openalex"
WORDS_MAX = 3
# Longest abstract that is put together, in words.
ABSTRACT_WORDS_MAX = 5_000
_FIELDS = (
    "id,doi,display_name,publication_date,publication_year,type,authorships,cited_by_count,primary_location,"
    "is_retracted,abstract_inverted_index"
)


class OpenAlexProvider:
    """Searches the works of one OpenAlex."""

    name = PROVIDER
    offline = False

    def __init__(self, pool: HttpPool, access: Access) -> None:
        self._pool = pool
        self._url = f"{access.url.rstrip('/')}/works"
        self._key = access.key
        self._clock = access.clock

    def covers(self, query: Query) -> bool:
        return query.kind in KINDS and bool(plain_words(query, WORDS_MAX))

    def key(self, query: Query) -> str:
        return request_key(self._url, _params(query))

    async def search(self, query: Query) -> Sequence[Found]:
        params = _params(query)
        response = await self._pool.request(
            "GET",
            self._url,
            params={**params, "api_key": self._key} if self._key else params,
            headers={"Accept": "application/json"},
            reuse_connections=query.reuse_connections,
            answers={403},
        )
        if response.status == 403:
            raise throttled(PROVIDER, response, self._clock)
        works = rows(PROVIDER, json_of(PROVIDER, response), "results")[:PAPERS]
        return [found for work in works if (found := _found(work)) is not None]


def _params(query: Query) -> dict[str, str | int]:
    return {
        "search": " ".join(plain_words(query, WORDS_MAX)),
        "filter": "has_abstract:true,is_retracted:false,language:en",
        "select": _FIELDS,
        "per_page": PAPERS,
    }


def _found(work: dict[str, Any]) -> Found | None:
    if work.get("is_retracted") is True:
        return None
    location = record(work.get("primary_location"))
    names = [string(record(a.get("author")), "display_name") for a in records(work.get("authorships"), AUTHORS_READ)]
    own = string(work, "id")
    return paper(
        PROVIDER,
        url=doi_url(string(work, "doi")) or (own if own.startswith("https://openalex.org/") else ""),
        title=plain(string(work, "display_name") or string(work, "title")),
        abstract=plain(abstract_of(work.get("abstract_inverted_index"))),
        author=authors(names),
        published_at=moment(work.get("publication_date")),
        year=year(work.get("publication_year")),
        citations=work.get("cited_by_count"),
        venue=string(record(location.get("source")), "display_name"),
        reviewed=string(work, "type") != "preprint",
    )


def abstract_of(index: object) -> str:
    """Return the text of an inverted index, words in the order of their places; "" where it is none.

    >>> abstract_of({"is": [1], "Food": [0], "wasted.": [2]})
    'Food is wasted.'
    """
    places: dict[int, str] = {}
    for word, numbers in record(index).items():
        for number in numbers if isinstance(numbers, list) else []:
            if isinstance(number, int) and not isinstance(number, bool) and 0 <= number < ABSTRACT_WORDS_MAX:
                places[number] = word
    return " ".join(places[number] for number in sorted(places))


SOURCE = Source(
    PROVIDER,
    # 100 searches a day for everybody on this address: two a run leave room for dozens of runs.
    Terms(rate=2.0, burst=4, concurrency=2, calls_per_day=100, calls_per_run=2, ttl_seconds=7 * 86_400.0),
    OpenAlexProvider,
    keyed_terms=Terms(rate=5.0, burst=10, calls_per_day=1_000, calls_per_run=6, ttl_seconds=7 * 86_400.0),
)
