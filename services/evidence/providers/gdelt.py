"""News of the last three months through the GDELT DOC 2.0 API: no key, one request every five seconds.

`GET {base}/api/v2/doc/doc?query=...&mode=artlist&format=json&maxrecords=20&timespan=3months&sort=hybridrel`
(blog.gdeltproject.org/gdelt-doc-2-0-api-debuts). No paging, `maxrecords` up to 250. Words are joined by AND; phrases
stand in quotes and need five characters; a quoted single word, a very short word, a hyphen or more than about 250
characters are refused; `sourcelang:english` limits the language.
Errors are plain text, mostly with HTTP 200: "Please limit requests to one every 5 seconds ...", "Your query was too
short or too long.", "The specified phrase is too short."; the first also with 429, even on a first call, and without
Retry-After. Some JSON has escapes that JSON does not know.
An article: `url, title, seendate` ("20260828T121500Z"), `domain, language, sourcecountry`; no text. Nothing
found: `{}`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from chassis.http_answer import HttpResponse
from chassis.pool import HttpPool
from chassis.pool_errors import RETRY_AFTER_SECONDS_DEFAULT
from pipeline.v1 import common_pb2
from services.evidence.domain.model import Found, Query
from services.evidence.domain.source_types import source_type
from services.evidence.domain.words import is_generic, stem, stems
from services.evidence.providers.base import Access, Source, Terms
from services.evidence.providers.leads import TITLE_CHARS_MAX, web_url
from services.evidence.providers.questions import phrases
from services.evidence.providers.reading import html_line, line, rows
from services.evidence.providers.refusals import Rest, limited, malformed, refused_words, wait_of

PROVIDER = "gdelt"
HITS = 20
# Every part must stand in the article: more of them find nothing.
PARTS_MAX = 2
PHRASE_CHARS_MIN = 5
WORD_CHARS_MIN = 3
# Looked through for one that it takes.
NAMES_MAX = 12
# What the operator asks for, and what its refusal without a wait means.
SPACING_SECONDS = 5.0
KINDS = frozenset({common_pb2.CLAIM_KIND_TIMING, common_pb2.CLAIM_KIND_MARKET_SIZE, common_pb2.CLAIM_KIND_PROBLEM})
# An error is a sentence in plain text.
_SENTENCE = re.compile(r"[A-Z][a-z']* [\x20-\x7e]{5,400}")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


class GdeltProvider:
    """Searches one GDELT-shaped address."""

    name = PROVIDER
    offline = False

    def __init__(self, pool: HttpPool, access: Access) -> None:
        self._pool = pool
        self._url = f"{access.url.rstrip('/')}/api/v2/doc/doc"
        self._clock = access.clock
        self._rest = Rest(PROVIDER, access.clock)

    def covers(self, query: Query) -> bool:
        return query.kind in KINDS and bool(news_words(query))

    def key(self, query: Query) -> str:
        return f"{self._url}|{news_words(query)}|3months|{HITS}"

    async def search(self, query: Query) -> Sequence[Found]:
        self._rest.check()
        response = await self._pool.request(
            "GET",
            self._url,
            params={
                "query": f"{news_words(query)} sourcelang:english",
                "mode": "artlist",
                "format": "json",
                "maxrecords": HITS,
                "timespan": "3months",
                "sort": "hybridrel",
            },
            headers={"Accept": "application/json"},
            reuse_connections=query.reuse_connections,
            answers={429},
        )
        answer = self._read(response)
        articles = rows(PROVIDER, answer, "articles")[:HITS] if answer else []
        return [found for place, row in enumerate(articles, start=1) if (found := _lead(row, place)) is not None]

    def _read(self, response: HttpResponse) -> dict[str, Any]:
        """The answer; raises what its plain text means."""
        body = response.text().strip()
        said_so = not body.startswith("{") and "limit requests" in body[:200].lower()
        if response.status == 429 or said_so:
            named = wait_of(response, self._clock)
            assumed = SPACING_SECONDS if said_so else RETRY_AFTER_SECONDS_DEFAULT
            wait = assumed if named is None else named
            self._rest.begin(wait)
            raise limited(PROVIDER, wait, response.status)
        if not body.startswith("{"):
            if _SENTENCE.fullmatch(body):
                raise refused_words(PROVIDER, response.status)
            raise malformed(PROVIDER, "without JSON")
        try:
            answer = json.loads(_ESCAPE.sub(_known_escape, body), strict=False)
        except (ValueError, RecursionError) as exc:
            raise malformed(PROVIDER, "without JSON") from exc
        return answer if isinstance(answer, dict) else {}


def _known_escape(escape: re.Match[str]) -> str:
    """An escape that JSON knows stays; before any other character the backslash goes."""
    return escape[0] if escape[1] in '"\\/bfnrtu' else escape[1]


def news_words(query: Query) -> str:
    """The strongest phrase in quotes and one more word, or two words, as GDELT takes them; "" where none is fit."""
    names = [name for name in phrases(query, NAMES_MAX) if name.isascii() and name.replace(" ", "").isalnum()]
    phrase = next((name for name in names if " " in name and len(name) >= PHRASE_CHARS_MIN), "")
    # A name of one word before a word of a longer name.
    words = [name for name in names if " " not in name] + [word for name in names for word in name.split()]
    fresh: dict[str, str] = {}
    for word in words:
        if len(word) >= WORD_CHARS_MIN and not is_generic(stem(word)) and stem(word) not in stems(phrase):
            fresh.setdefault(stem(word), word)
    parts = [f'"{phrase}"'] if phrase else []
    parts += fresh.values()
    return " ".join(parts[:PARTS_MAX])


def _lead(article: dict[str, Any], place: int) -> Found | None:
    address = web_url(article.get("url"))
    title = html_line(article.get("title"), TITLE_CHARS_MAX)
    if not address or not title:
        return None
    domain = line(article.get("domain"), 100)
    country = line(article.get("sourcecountry"), 60)
    # GDELT watches news outlets; a host that the table knows as something else is believed to be that.
    kind = source_type(address)
    known = kind not in (common_pb2.SOURCE_TYPE_UNSPECIFIED, common_pb2.SOURCE_TYPE_COMPANY)
    return Found(
        provider=PROVIDER,
        url=address,
        title=title,
        text=title,
        source_type=kind if known else common_pb2.SOURCE_TYPE_NEWS,
        author=domain,
        published_at=_seen(article.get("seendate")),
        why=(
            f"Article {place} of the GDELT news index"
            + (f", from {domain}" if domain else "")
            + (f" ({country})" if country else "")
            + "; the text is its headline, the page says more."
        ),
        # GDELT lists everything that calls itself news, wire agencies and rewritten press releases alike.
        confidence=0.3,
        origin=common_pb2.TEXT_ORIGIN_SEARCH_SNIPPET,
    )


def _seen(value: object) -> datetime | None:
    try:
        return datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) if isinstance(value, str) else None
    except ValueError:
        return None


SOURCE = Source(
    PROVIDER,
    # One every five seconds, from one connection. News of three months does not change within the hour.
    Terms(rate=0.2, burst=1, concurrency=1, calls_per_run=2, timeout_seconds=15.0, ttl_seconds=6 * 3600.0),
    GdeltProvider,
)
