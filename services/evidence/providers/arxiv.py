"""arXiv: preprints about techniques, by relevance.

`GET {base}/api/query?search_query=all:a AND all:b&start=0&max_results=15&sortBy=relevance` (no key) answers an Atom
feed. Terms of use (info.arxiv.org/help/api/tou.html): one request per three seconds, one connection. An error is a
feed with HTTP 200 (of late also 400) whose only entry has the title "Error" and an id below `/api/errors`; a
throttle can be the bare text "Rate exceeded.". Titles and summaries may be wrapped in mid-sentence.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from typing import Any

from chassis.http_answer import HttpResponse
from chassis.pool import HttpPool
from pipeline.v1 import common_pb2
from services.evidence.domain.model import Found, Query
from services.evidence.domain.technical import rests_on_a_technique
from services.evidence.providers.base import Access, Source, Terms
from services.evidence.providers.questions import plain_words, request_key
from services.evidence.providers.reading import TEXT_CHARS_MAX, authors, line, moment
from services.evidence.providers.refusals import malformed, refused, throttled
from services.evidence.providers.scholarly import AUTHORS_READ, PAPERS, paper

PROVIDER = "arxiv"
WORDS_MAX = 3
# Preprints of physics, mathematics and computing: whether a thing can be built and where a technique moves.
KINDS = frozenset({common_pb2.CLAIM_KIND_FEASIBILITY, common_pb2.CLAIM_KIND_TIMING})
ATOM = "{http://www.w3.org/2005/Atom}"
_PAPER = re.compile(
    r"https?://(?:export\.)?arxiv\.org/abs/([a-z-]+(?:\.[A-Z]{2})?/\d{7}(?:v\d+)?|\d{4}\.\d{4,5}(?:v\d+)?)"
)


class ArxivProvider:
    """Searches one arXiv."""

    name = PROVIDER
    offline = False

    def __init__(self, pool: HttpPool, access: Access) -> None:
        self._pool = pool
        self._url = f"{access.url.rstrip('/')}/api/query"
        self._clock = access.clock

    def covers(self, query: Query) -> bool:
        # One word alone ("food") finds whatever holds it.
        return query.kind in KINDS and rests_on_a_technique(query.idea) and len(plain_words(query, WORDS_MAX)) >= 2

    def key(self, query: Query) -> str:
        return request_key(self._url, _params(query))

    async def search(self, query: Query) -> Sequence[Found]:
        response = await self._pool.request(
            "GET",
            self._url,
            params=_params(query),
            headers={"Accept": "application/atom+xml"},
            reuse_connections=query.reuse_connections,
            answers={400},
        )
        if response.body.strip().lower().startswith(b"rate exceeded"):
            raise throttled(PROVIDER, response, self._clock)
        return papers(response)


def _params(query: Query) -> dict[str, str | int]:
    return {
        "search_query": " AND ".join(f"all:{word}" for word in plain_words(query, WORDS_MAX)),
        "start": 0,
        "max_results": PAPERS,
        "sortBy": "relevance",
        "sortOrder": "descending",
    }


def papers(response: HttpResponse) -> list[Found]:
    """Return the papers of a feed. Raises UPSTREAM_FAILED for an error entry and what is no feed."""
    entries = _feed(response.body).findall(f"{ATOM}entry")
    for entry in entries:
        if "/api/errors" in _text(entry, "id"):
            raise refused(PROVIDER, response, _text(entry, "id").partition("#")[2])
    if response.status != 200:
        raise refused(PROVIDER, response)
    return [found for entry in entries[:PAPERS] if (found := _found(entry)) is not None]


def _feed(body: bytes) -> Any:
    """The root of the feed. Nothing is fetched and no entity unfolds: a document type is refused."""
    # lxml has no type information.
    etree: Any = importlib.import_module("lxml.etree")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False, recover=False
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as exc:
        raise malformed(PROVIDER, "without valid XML") from exc
    if root.getroottree().docinfo.doctype or root.tag != f"{ATOM}feed":
        raise malformed(PROVIDER, "with something else than an Atom feed")
    return root


def _text(entry: Any, name: str) -> str:
    """The text of a child, markup left out; "" where there is none."""
    child = entry.find(f"{ATOM}{name}")
    return "".join(child.itertext())[:TEXT_CHARS_MAX].strip() if child is not None else ""


def _found(entry: Any) -> Found | None:
    paper_id = _PAPER.fullmatch(_text(entry, "id"))
    if paper_id is None:
        return None
    return paper(
        PROVIDER,
        url=f"https://arxiv.org/abs/{paper_id[1]}",
        title=_text(entry, "title"),
        abstract=line(_text(entry, "summary"), TEXT_CHARS_MAX),
        author=authors([_text(author, "name") for author in entry.findall(f"{ATOM}author")[:AUTHORS_READ]]),
        published_at=moment(_text(entry, "published")),
        venue="arXiv",
        reviewed=False,
    )


SOURCE = Source(
    PROVIDER,
    # One request per three seconds over one connection, no burst. New papers come daily, old ones stay.
    Terms(rate=1 / 3, burst=1, concurrency=1, calls_per_run=2, timeout_seconds=20.0, ttl_seconds=7 * 86_400.0),
    ArxivProvider,
)
