"""Crossref: publishers' own records of papers, those with an abstract.

`GET {base}/works?query=...&filter=has-abstract:true&rows=15&select=...` (no key). Hits are scored, any word may
match. With a `mailto` the request is in the polite pool. Limits come in `x-rate-limit-limit`,
`x-rate-limit-interval` and `x-concurrency-limit`: recorded in June 2026 for the public pool 5 a second, one at a
time. Abstracts are JATS XML; dates are `date-parts` of one to three numbers, the first may be null. Errors:
400 and 404 with `{"status": "failed", "message": [{"type", "value", "message"}]}`, 429 and 503.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from chassis.pool import HttpPool
from services.evidence.domain.model import Found, Query
from services.evidence.providers.base import Access, Source, Terms
from services.evidence.providers.extract import html_to_text
from services.evidence.providers.questions import plain_words, request_key
from services.evidence.providers.reading import (
    TEXT_CHARS_MAX,
    authors,
    first_string,
    json_of,
    record,
    records,
    rows,
    string,
    year,
)
from services.evidence.providers.refusals import error_body, refused
from services.evidence.providers.scholarly import AUTHORS_READ, KINDS, PAPERS, doi_url, paper

PROVIDER = "crossref"
WORDS_MAX = 5
_FIELDS = "DOI,title,abstract,author,issued,container-title,is-referenced-by-count,type"
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# Formulas are given twice or thrice; the readable one is kept.
_FORMULA = re.compile(r"<(jats:tex-math|tex-math|mml:annotation)\b[^>]*>.*?</\1>", re.IGNORECASE | re.DOTALL)
_PREFIXED = re.compile(r"<(/?)(?:jats|mml):([a-z-]+)[^>]*>", re.IGNORECASE)
_AS_HTML = {"title": "h4", "sec": "section", "p": "p", "list": "ul", "list-item": "li", "break": "br"}


class CrossrefProvider:
    """Searches the works of one Crossref."""

    name = PROVIDER
    offline = False

    def __init__(self, pool: HttpPool, access: Access) -> None:
        self._pool = pool
        self._url = f"{access.url.rstrip('/')}/works"
        self._mailto = access.contact if _EMAIL.fullmatch(access.contact) else ""

    def covers(self, query: Query) -> bool:
        return query.kind in KINDS and bool(plain_words(query, WORDS_MAX))

    def key(self, query: Query) -> str:
        return request_key(self._url, _params(query))

    async def search(self, query: Query) -> Sequence[Found]:
        params = _params(query)
        response = await self._pool.request(
            "GET",
            self._url,
            params={**params, "mailto": self._mailto} if self._mailto else params,
            headers={"Accept": "application/json"},
            reuse_connections=query.reuse_connections,
            answers={400, 404},
        )
        if response.status != 200:
            # The first fault has a type ("integer-not-valid").
            faults = records(error_body(response).get("message"), 1)
            raise refused(PROVIDER, response, string(faults[0], "type") if faults else "")
        works = rows(PROVIDER, json_of(PROVIDER, response), "message", "items")[:PAPERS]
        return [found for work in works if (found := _found(work)) is not None]


def _params(query: Query) -> dict[str, str | int]:
    return {
        "query": " ".join(plain_words(query, WORDS_MAX)),
        "filter": "has-abstract:true",
        "select": _FIELDS,
        "rows": PAPERS,
    }


def _found(work: dict[str, Any]) -> Found | None:
    published_at, of_year = _issued(record(work.get("issued")).get("date-parts"))
    people = records(work.get("author"), AUTHORS_READ)
    names = [string(a, "name") or f"{string(a, 'given')} {string(a, 'family')}".strip() for a in people]
    return paper(
        PROVIDER,
        url=doi_url(string(work, "DOI")),
        title=html_to_text(first_string(work.get("title"))),
        abstract=jats_to_text(string(work, "abstract")),
        author=authors(names),
        published_at=published_at,
        year=of_year,
        citations=work.get("is-referenced-by-count"),
        venue=html_to_text(first_string(work.get("container-title"))),
        reviewed=string(work, "type") != "posted-content",
    )


def _issued(parts: object) -> tuple[datetime | None, int]:
    """(day, year) of `[[2022, 7, 26]]`; no day where the record has only a year or a month."""
    numbers = parts[0] if isinstance(parts, list) and parts and isinstance(parts[0], list) else []
    of_year = year(numbers[0]) if numbers else 0
    if of_year and len(numbers) == 3 and all(isinstance(number, int) for number in numbers):
        try:
            return datetime(of_year, numbers[1], numbers[2], tzinfo=UTC), of_year
        except (ValueError, OverflowError):
            return None, of_year
    return None, of_year


def jats_to_text(xml: str) -> str:
    """Return the text of a JATS fragment: paragraphs apart, headings on their own line, formulas once.

    >>> jats_to_text("<jats:title>Abstract</jats:title><jats:p>Food &amp; waste.</jats:p>")
    'Abstract\\n\\nFood & waste.'
    """
    xml = _FORMULA.sub("", xml[: 4 * TEXT_CHARS_MAX])
    return html_to_text(_PREFIXED.sub(lambda m: f"<{m[1]}{_AS_HTML.get(m[2].lower(), 'span')}>", xml))


SOURCE = Source(
    PROVIDER,
    # 5 a second, one at a time, is what the public pool allows; half of it is enough. Records change rarely.
    Terms(rate=2.5, burst=3, concurrency=1, calls_per_run=4, timeout_seconds=15.0, ttl_seconds=7 * 86_400.0),
    CrossrefProvider,
)
