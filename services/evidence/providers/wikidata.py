"""Wikidata: products, companies and groups of people by their names.

`GET {base}/w/api.php?action=wbsearchentities&search=...&language=en&type=item&limit=20` (no key; at most 50 a page,
more through `search-continue`). It matches the beginnings of labels and aliases, so that one phrase is asked at a
time: the strongest, and the next one only where that finds nothing. An item has a label and a description of a few
words; the text is those two. Etiquette and errors: see `mediawiki`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from chassis.pool import HttpPool
from pipeline.v1 import common_pb2
from services.evidence.domain.model import Found, Query
from services.evidence.providers.base import Access, Source, Terms
from services.evidence.providers.mediawiki import Wiki
from services.evidence.providers.questions import phrases, request_key
from services.evidence.providers.reading import line, record, rows, string

PROVIDER = "wikidata"
PHRASES_MAX = 2
HITS = 20
KINDS = frozenset({common_pb2.CLAIM_KIND_COMPETITION, common_pb2.CLAIM_KIND_AUDIENCE})
_ITEM = re.compile(r"Q[1-9]\d{0,11}")
# Descriptions of things that somebody offers.
_OFFERED = re.compile(
    r"\b(?:software|apps?|application|program|platform|web ?site|web ?service|service|compan(?:y|ies)|business"
    r"|enterprise|start-?up|brand|product|marketplace|tool|library|framework|manufacturer|retailer|corporation)\b",
    re.IGNORECASE,
)
# Items about pages and papers, not about things.
_ABOUT_PAGES = re.compile(
    r"\b(?:wikimedia|wikinews|disambiguation|template|scientific article|scholarly article|article published"
    r"|family name|given name|clinical trial|patent|painting|album|song|film|episode)\b",
    re.IGNORECASE,
)


class WikidataProvider:
    """Searches one Wikibase."""

    name = PROVIDER
    offline = False

    def __init__(self, pool: HttpPool, access: Access) -> None:
        self._wiki = Wiki(PROVIDER, pool, access)

    def covers(self, query: Query) -> bool:
        return query.kind in KINDS and bool(names(query))

    def key(self, query: Query) -> str:
        offers = "offers" if query.kind == common_pb2.CLAIM_KIND_COMPETITION else "all"
        return request_key(self._wiki.url, _params("|".join(names(query)))) + f"|{offers}"

    async def search(self, query: Query) -> Sequence[Found]:
        offers = query.kind == common_pb2.CLAIM_KIND_COMPETITION
        for phrase in names(query):
            answer = await self._wiki.ask(_params(phrase), reuse_connections=query.reuse_connections)
            hits = rows(PROVIDER, answer, "search")[:HITS]
            found = [f for hit in hits if (f := _found(hit, offers_only=offers)) is not None]
            if found:
                return found
        return []


def names(query: Query) -> list[str]:
    """What labels are searched for, strongest first; for rivals single words, which begin any name, last."""
    found = phrases(query, 2 * PHRASES_MAX)
    if query.kind == common_pb2.CLAIM_KIND_COMPETITION:
        found.sort(key=lambda name: " " not in name)
    return found[:PHRASES_MAX]


def _params(phrase: str) -> dict[str, str | int]:
    return {
        "action": "wbsearchentities",
        "search": phrase,
        "language": "en",
        "uselang": "en",
        "type": "item",
        "limit": HITS,
    }


def _found(hit: dict[str, Any], *, offers_only: bool) -> Found | None:
    """An item as a source; None without a description, for pages and papers, and for what nobody offers."""
    item, label, description = string(hit, "id"), line(hit.get("label")), line(hit.get("description"))
    if not _ITEM.fullmatch(item) or not label or not description or _ABOUT_PAGES.search(description):
        return None
    offered = bool(_OFFERED.search(description))
    if offers_only and not offered:
        return None
    match = record(hit.get("match"))
    alias = line(match.get("text")) if match.get("type") == "alias" else ""
    url = f"https://www.wikidata.org/wiki/{item}"
    return Found(
        provider=PROVIDER,
        url=url,
        title=label,
        text=f"{label}: {description}." + (f" Also called {alias}." if alias else ""),
        source_type=common_pb2.SOURCE_TYPE_REFERENCE,
        author="Wikidata contributors",
        product=common_pb2.ProductFact(name=label, source_url=url) if offers_only else None,
        why="Label and description of the Wikidata item, put into a sentence.",
        # Descriptions are a few words, often without a source: below an article.
        confidence=0.4,
    )


SOURCE = Source(
    PROVIDER,
    # Serial; half of Wikipedia's rate, since a question may take two calls.
    Terms(rate=0.5, burst=2, concurrency=1, calls_per_run=3, ttl_seconds=7 * 86_400.0),
    WikidataProvider,
)
