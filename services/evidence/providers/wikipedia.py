"""Wikipedia: the opening sections of the articles that a search finds, one call.

`GET {base}/w/api.php?action=query&generator=search&gsrsearch=...&prop=extracts|info|revisions|pageprops` (no key).
`exintro` is what allows extracts of several pages at once (`exlimit` 20); `pages` is an object by page id whose
order is in each page's `index`. Search wants every word, so that a query has at most three. Etiquette and errors:
see `mediawiki`. The language is that of the address (en.wikipedia.org).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from chassis.pool import HttpPool
from pipeline.v1 import common_pb2
from services.evidence.domain.model import Found, Query
from services.evidence.providers.base import Access, Source, Terms
from services.evidence.providers.extract import visible
from services.evidence.providers.mediawiki import Wiki
from services.evidence.providers.questions import plain_words, request_key
from services.evidence.providers.reading import TEXT_CHARS_MAX, line, moment, record, records, string
from services.evidence.providers.refusals import malformed

PROVIDER = "wikipedia"
WORDS_MAX = 3
# The first few articles are about the subject, the rest only mention it.
PAGES = 5
# An encyclopedia says what a thing is, how large its field is and how it works; not who would pay or whether now.
KINDS = frozenset(
    {
        common_pb2.CLAIM_KIND_UNSPECIFIED,
        common_pb2.CLAIM_KIND_PROBLEM,
        common_pb2.CLAIM_KIND_MARKET_SIZE,
        common_pb2.CLAIM_KIND_FEASIBILITY,
    }
)


class WikipediaProvider:
    """Searches one wiki."""

    name = PROVIDER
    offline = False

    def __init__(self, pool: HttpPool, access: Access) -> None:
        self._wiki = Wiki(PROVIDER, pool, access)

    def covers(self, query: Query) -> bool:
        return query.kind in KINDS and bool(plain_words(query, WORDS_MAX))

    def key(self, query: Query) -> str:
        return request_key(self._wiki.url, _params(query))

    async def search(self, query: Query) -> Sequence[Found]:
        answer = await self._wiki.ask(_params(query), reuse_connections=query.reuse_connections)
        # Without a hit there is no `query` at all.
        hits = answer.get("query", {})
        pages = hits.get("pages", {}) if isinstance(hits, dict) else None
        if not isinstance(pages, dict):
            raise malformed(PROVIDER, "without an object of pages")
        ordered = sorted(records(list(pages.values()), 4 * PAGES), key=_place)[:PAGES]
        return [found for page in ordered if (found := _found(page, self._wiki.base)) is not None]


def _params(query: Query) -> dict[str, str | int]:
    return {
        "action": "query",
        "redirects": 1,
        "generator": "search",
        "gsrsearch": " ".join(plain_words(query, WORDS_MAX)),
        "gsrnamespace": 0,
        "gsrlimit": PAGES,
        "prop": "extracts|info|revisions|pageprops",
        "exintro": 1,
        "explaintext": 1,
        "exlimit": 20,
        "inprop": "url",
        "rvprop": "timestamp",
        "ppprop": "disambiguation",
    }


def _place(page: dict[str, Any]) -> int:
    index = page.get("index")
    return index if isinstance(index, int) else PAGES + 1


def _found(page: dict[str, Any], base: str) -> Found | None:
    """A page as a source; None for one that is missing, lists meanings of a word, or says nothing."""
    title = line(page.get("title"))
    text = visible(string(page, "extract"))[:TEXT_CHARS_MAX].strip()
    if not title or not text or "missing" in page or "disambiguation" in record(page.get("pageprops")):
        return None
    edits = records(page.get("revisions"), 1)
    url = string(page, "fullurl")
    return Found(
        provider=PROVIDER,
        url=url if url.startswith(("https://", "http://")) else f"{base}/wiki/{quote(title.replace(' ', '_'))}",
        title=title,
        text=text,
        source_type=common_pb2.SOURCE_TYPE_REFERENCE,
        author="Wikipedia contributors",
        published_at=moment(edits[0].get("timestamp")) if edits else None,
        why="Opening of the Wikipedia article; its date is that of the last edit.",
        # Anyone may edit, many read along: the middle of what a reference work can be.
        confidence=0.5,
    )


SOURCE = Source(
    PROVIDER,
    # Serial, at most one a second: what the etiquette calls a safe rate. Articles age by the week.
    Terms(rate=1.0, burst=2, concurrency=1, calls_per_run=4, ttl_seconds=7 * 86_400.0),
    WikipediaProvider,
)
