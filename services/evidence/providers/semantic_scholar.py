"""Semantic Scholar: papers with abstracts and citation counts.

`GET {base}/graph/v1/paper/search?query=...&fields=...&limit=15`; the key, where there is one, goes into the header
`x-api-key` and allows one call a second. Without it all callers of the world share one allowance and 429
(`{"message", "code": "429"}`, mostly without Retry-After) is the usual answer: one question a run is put. A query
with a hyphen finds nothing, so that words have none. An empty answer is `{"total": 0, "offset": 0}` without `data`.
Other errors are `{"error": "..."}` with 400 or 404; the 404 "Title match not found" means that nothing was found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chassis.pool import HttpPool
from services.evidence.domain.model import Found, Query
from services.evidence.providers.base import Access, Source, Terms
from services.evidence.providers.questions import plain_words, request_key
from services.evidence.providers.reading import authors, json_of, moment, record, records, rows, string, year
from services.evidence.providers.refusals import error_body, refused, throttled
from services.evidence.providers.scholarly import AUTHORS_READ, KINDS, PAPERS, doi_url, paper, plain

PROVIDER = "semantic_scholar"
WORDS_MAX = 4
_FIELDS = "title,abstract,authors,year,publicationDate,citationCount,externalIds,url,venue"
_PAPER_PAGES = "https://www.semanticscholar.org/paper/"


class SemanticScholarProvider:
    """Searches one Semantic Scholar graph."""

    name = PROVIDER
    offline = False

    def __init__(self, pool: HttpPool, access: Access) -> None:
        self._pool = pool
        self._url = f"{access.url.rstrip('/')}/graph/v1/paper/search"
        self._headers = {"Accept": "application/json"} | ({"x-api-key": access.key} if access.key else {})
        self._clock = access.clock

    def covers(self, query: Query) -> bool:
        return query.kind in KINDS and bool(plain_words(query, WORDS_MAX))

    def key(self, query: Query) -> str:
        return request_key(self._url, _params(query))

    async def search(self, query: Query) -> Sequence[Found]:
        response = await self._pool.request(
            "GET",
            self._url,
            params=_params(query),
            headers=self._headers,
            reuse_connections=query.reuse_connections,
            answers={400, 404},
        )
        if response.status != 200:
            if response.status == 404 and error_body(response).get("error") == "Title match not found":
                return []
            raise refused(PROVIDER, response)
        answer = json_of(PROVIDER, response)
        if str(record(answer).get("code")) == "429":
            raise throttled(PROVIDER, response, self._clock)
        if record(answer).get("total") == 0 and "data" not in answer:
            return []
        papers = rows(PROVIDER, answer, "data")[:PAPERS]
        return [found for item in papers if (found := _found(item)) is not None]


def _params(query: Query) -> dict[str, str | int]:
    return {"query": " ".join(plain_words(query, WORDS_MAX)), "fields": _FIELDS, "offset": 0, "limit": PAPERS}


def _found(item: dict[str, Any]) -> Found | None:
    ids = record(item.get("externalIds"))
    own = string(item, "url")
    # Records of papers that are only on arXiv say so in their venue and have its DOI.
    preprint = string(item, "venue") == "arXiv.org" or string(ids, "DOI").lower().startswith("10.48550/")
    return paper(
        PROVIDER,
        url=doi_url(string(ids, "DOI")) or (own if own.startswith(_PAPER_PAGES) else _page(item)),
        title=plain(string(item, "title")),
        abstract=plain(string(item, "abstract")),
        author=authors([string(author, "name") for author in records(item.get("authors"), AUTHORS_READ)]),
        published_at=moment(item.get("publicationDate")),
        year=year(item.get("year")),
        citations=item.get("citationCount"),
        venue=string(item, "venue"),
        reviewed=not preprint,
    )


def _page(item: dict[str, Any]) -> str:
    paper_id = string(item, "paperId")
    return f"{_PAPER_PAGES}{paper_id}" if paper_id.isalnum() and len(paper_id) == 40 else ""


SOURCE = Source(
    PROVIDER,
    # Shared by all callers without a key: one question a run, and none soon after another.
    Terms(rate=0.2, burst=1, concurrency=1, calls_per_run=1, timeout_seconds=15.0, ttl_seconds=7 * 86_400.0),
    SemanticScholarProvider,
    keyed_terms=Terms(
        rate=1.0, burst=1, concurrency=1, calls_per_run=4, timeout_seconds=15.0, ttl_seconds=7 * 86_400.0
    ),
)
