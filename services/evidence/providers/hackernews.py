"""Hacker News through Algolia's public search: stories and comments, no key, 10,000 requests an hour and address.

`GET {base}/api/v1/search?query=...&tags=(story,comment)&hitsPerPage=20`. Algolia wants every word of a query in
the hit, so that a query has at most three.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from chassis.pool import HttpPool
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2
from services.evidence.domain.model import Found, Query
from services.evidence.domain.scoring import VOTES_FULL
from services.evidence.domain.words import is_generic, stem
from services.evidence.providers.base import Source, Terms
from services.evidence.providers.extract import html_to_text, visible

PROVIDER = "hackernews"
WORDS_MAX = 3
HITS = 20
TEXT_CHARS_MAX = 20_000
ITEM_URL = "https://news.ycombinator.com/item?id="
_WORD = re.compile(r"[^\W_][\w'’+.#-]*", re.UNICODE)


class HackerNewsProvider:
    """Searches one Algolia-shaped address."""

    name = PROVIDER
    offline = False

    def __init__(self, pool: HttpPool, base_url: str) -> None:
        self._pool = pool
        self._url = f"{base_url.rstrip('/')}/api/v1/search"

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
        hits = answer.get("hits") if isinstance(answer, dict) else None
        if not isinstance(hits, list):
            raise PipelineError(
                errors_pb2.ERROR_REASON_UPSTREAM_FAILED,
                f"{PROVIDER} answered without a list of hits",
                metadata={"upstream": PROVIDER, "cause": "malformed"},
            )
        found = [_found(hit) for hit in hits[:HITS] if isinstance(hit, dict)]
        return [f for f in found if f is not None]


def search_words(query: Query) -> str:
    """Return at most three words that say something about the field, strongest first."""
    words: dict[str, str] = {}
    for term in [*query.terms, *query.idea.keywords]:
        for word in _WORD.findall(term.lower()):
            key = stem(word)
            if not is_generic(key) and len(words) < WORDS_MAX:
                words.setdefault(key, word)
    return " ".join(words.values())


def _found(hit: dict[str, Any]) -> Found | None:
    """A hit as a source; None where it has no id or says nothing."""
    item = _text(hit, "objectID")
    if not item.isascii() or not item.isdigit():
        return None
    comment = _text(hit, "comment_text")
    title = visible(_text(hit, "story_title") or _text(hit, "title")).strip()
    body = html_to_text(comment or _text(hit, "story_text"))
    text = body if comment else "\n\n".join(part for part in (title, body) if part)
    text = text[:TEXT_CHARS_MAX].strip()
    if not text:
        return None
    points = hit.get("points")
    votes = points if isinstance(points, int) and not isinstance(points, bool) and points > 0 else 0
    kind = "comment" if comment else "story"
    return Found(
        provider=PROVIDER,
        url=f"{ITEM_URL}{item}",
        title=title or f"Hacker News {kind} {item}",
        text=text,
        source_type=common_pb2.SOURCE_TYPE_COMMUNITY,
        author=visible(_text(hit, "author"))[:100],
        published_at=_date(hit.get("created_at_i")),
        why=f"A {kind} on Hacker News" + (f" with {votes:,} points." if votes else "."),
        confidence=0.2,
        votes=min(votes, 10 * VOTES_FULL),
    )


def _text(hit: dict[str, Any], field: str) -> str:
    value = hit.get(field)
    return value if isinstance(value, str) else ""


def _date(seconds: object) -> datetime | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 < seconds < 4_102_444_800:
        return None
    return datetime.fromtimestamp(seconds, UTC)


SOURCE = Source(
    PROVIDER,
    # 10,000 calls an hour and address are 2.7 a second; a burst is one run's worth.
    Terms(rate=2.5, burst=10, ttl_seconds=6 * 3600.0),
    lambda pool, access: HackerNewsProvider(pool, access.url),
)
