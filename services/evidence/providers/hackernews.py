"""Hacker News through Algolia's public search: stories and comments, no key, 10,000 requests an hour and address.

`GET {base}/api/v1/search?query=...&tags=(story,comment)&hitsPerPage=20`. Algolia wants every word of a query in
the hit, so that a query has at most three.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chassis.pool import HttpPool
from pipeline.v1 import common_pb2
from services.evidence.domain.model import Found, Query
from services.evidence.providers import questions
from services.evidence.providers.base import Access, Source, Terms
from services.evidence.providers.extract import html_to_text
from services.evidence.providers.reading import TEXT_CHARS_MAX, count, line, moment_of, rows, string, votes

PROVIDER = "hackernews"
WORDS_MAX = 3
HITS = 20
ID_CHARS_MAX = 15
ITEM_URL = "https://news.ycombinator.com/item?id="


class HackerNewsProvider:
    """Searches one Algolia-shaped address."""

    name = PROVIDER
    offline = False

    def __init__(self, pool: HttpPool, access: Access) -> None:
        self._pool = pool
        self._url = f"{access.url.rstrip('/')}/api/v1/search"

    def covers(self, query: Query) -> bool:
        return bool(search_words(query))

    def key(self, query: Query) -> str:
        return f"{self._url}|{search_words(query)}"

    async def search(self, query: Query) -> Sequence[Found]:
        answer = await self._pool.get_json(
            self._url,
            {"query": search_words(query), "tags": "(story,comment)", "hitsPerPage": HITS},
            reuse_connections=query.reuse_connections,
        )
        hits = rows(PROVIDER, answer, "hits")[:HITS]
        return [found for hit in hits if (found := _found(hit)) is not None]


def search_words(query: Query) -> str:
    """Return at most three words that say something about the field, strongest first."""
    return " ".join(questions.whole_words(query, WORDS_MAX))


def _found(hit: dict[str, Any]) -> Found | None:
    """A hit as a source; None where it has no id or says nothing."""
    item = string(hit, "objectID")
    if not (item.isascii() and item.isdigit() and len(item) <= ID_CHARS_MAX):
        return None
    comment = string(hit, "comment_text")
    title = line(string(hit, "story_title") or hit.get("title"))
    body = html_to_text(comment or string(hit, "story_text"))
    text = body if comment else "\n\n".join(part for part in (title, body) if part)
    text = text[:TEXT_CHARS_MAX].strip()
    if not text:
        return None
    points = count(hit.get("points"))
    kind = "comment" if comment else "story"
    return Found(
        provider=PROVIDER,
        url=f"{ITEM_URL}{item}",
        title=title or f"Hacker News {kind} {item}",
        text=text,
        source_type=common_pb2.SOURCE_TYPE_COMMUNITY,
        author=line(hit.get("author"), 100),
        published_at=moment_of(hit.get("created_at_i")),
        why=f"A {kind} on Hacker News" + (f" with {points:,} points." if points else "."),
        confidence=0.2,
        votes=votes(points),
    )


SOURCE = Source(
    PROVIDER,
    # 10,000 calls an hour and address are 2.7 a second; a burst is one run's worth.
    Terms(rate=2.5, burst=10, ttl_seconds=6 * 3600.0),
    HackerNewsProvider,
)
