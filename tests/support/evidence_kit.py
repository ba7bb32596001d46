"""What the evidence tests share: finds, queries, a PDF, and a Hacker News that answers as told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from pipeline.v1 import common_pb2
from services.evidence.domain.model import Candidate, Found, IdeaFacts, Query

FOOD = "A mobile app that helps households waste less food by tracking expiry dates and suggesting recipes"
CLINIC = "A scheduling tool for small clinics that reduces no-shows with automatic reminders and waitlist filling"
FRAUD = "A B2B tool that detects fraudulent invoices before finance teams pay them"
TUTOR = "A marketplace that matches high school students with vetted tutors for online lessons"
DRONE = "A drone service that scans farm fields and tells growers where to irrigate and spray"
VALIDATOR = "AI-powered startup idea validation platform"

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def query(
    kind: int = common_pb2.CLAIM_KIND_PROBLEM,
    *,
    claim_id: str = "problem",
    text: str = "Households throw food away because they forget what they have.",
    terms: tuple[str, ...] = ("food waste", "households", "expiry dates"),
    idea: IdeaFacts | None = None,
    domain: str = "customer_pain",
    keywords: tuple[str, ...] = (),
) -> Query:
    """A query about a claim; by default about the problem of wasted food."""
    return Query(domain, claim_id, common_pb2.ClaimKind.ValueType(kind), text, terms, idea or IdeaFacts(FOOD), keywords)


def found(text: str = "We throw away a bag of food every week.", **fields: Any) -> Found:
    """A community post, unless told otherwise."""
    values: dict[str, Any] = {
        "provider": "fake",
        "url": "https://example.org/a",
        "title": "",
        "source_type": common_pb2.SOURCE_TYPE_COMMUNITY,
    }
    return Found(text=text, **{**values, **fields})


def candidate(source: Found | None = None, asked: Query | None = None, **fields: Any) -> Candidate:
    """The whole text of a find as a candidate."""
    source = source or found()
    return Candidate(source, asked or query(), 0, len(source.text), **fields)


def product(
    name: str = "grocy", stars: int = 9_399, fit: float = 0.9, rivals: tuple[str, ...] = (), **fields: Any
) -> Found:
    """A product of the directory."""
    text = f"{name}. Category: Inventory Management. GitHub stars: {stars:,}."
    return found(
        text,
        url=f"https://{name}.example",
        source_type=common_pb2.SOURCE_TYPE_DIRECTORY,
        product=common_pb2.ProductFact(name=name, stars=stars, alternative_to=rivals),
        fit=fit,
        **fields,
    )


def pdf(*lines: str) -> bytes:
    """A valid PDF with one page of text."""
    text = "BT /F1 12 Tf 50 700 Td 14 TL " + " ".join(f"({line}) Tj T*" for line in lines) + " ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        "/Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(text)} >>\nstream\n{text}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    body, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n".encode()
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    start = len(body)
    body += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode()
    body += f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF".encode()
    return body


def hit(item: str = "101", **fields: Any) -> dict[str, Any]:
    """A comment in the shape that the search API gives."""
    return {
        "objectID": item,
        "author": "cook",
        "comment_text": "<p>We <i>waste</i> so much food &amp; forget expiry dates. It is frustrating for households.",
        "story_title": "Ask HN: How do you stop food waste?",
        "story_id": 100,
        "created_at": "2026-05-01T10:00:00Z",
        "created_at_i": 1777629600,
        "points": None,
        "_tags": ["comment", "author_cook"],
        **fields,
    }


def page(*hits: dict[str, Any]) -> dict[str, Any]:
    """A result page in the shape that the search API gives."""
    return {"hits": list(hits), "nbHits": len(hits), "page": 0, "nbPages": 1, "hitsPerPage": 20, "query": "x"}


class Upstream:
    """What the local Hacker News was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[dict[str, str]] = []


Answer = Callable[[web.Request, int], Awaitable[web.StreamResponse] | web.StreamResponse]


@asynccontextmanager
async def hackernews(answer: Answer) -> AsyncIterator[Upstream]:
    """A server on loopback; `answer(request, number)` makes each response, numbered from 1."""
    state = Upstream("")

    async def handle(request: web.Request) -> web.StreamResponse:
        state.asked.append(dict(request.query))
        response = answer(request, len(state.asked))
        return response if isinstance(response, web.StreamResponse) else await response

    app = web.Application()
    app.router.add_get("/api/v1/search", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        state.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield state
    finally:
        await runner.cleanup()
