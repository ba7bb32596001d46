"""Crossref: `GET /works?query=...`, abstracts in JATS."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from aiohttp import web

from bench.replay.api import Answer, Api, Refusal
from bench.replay.world import Record, World

JSON = {"Content-Type": "application/json"}
POOL = {"x-api-pool": "public", "x-concurrency-limit": "1", "x-rate-limit-interval": "1s", "x-rate-limit-limit": "5"}


def _work(record: Record) -> dict[str, Any]:
    day = record.published
    # Publishers give a day, a month or only a year.
    parts = [[day.year, day.month, day.day], [day.year, day.month], [day.year]][record.number % 3]
    given, _, family = record.author.partition(" ")
    return {
        "DOI": f"10.5555/replay.{record.number}",
        "type": "journal-article",
        "title": [record.title],
        "abstract": f"<jats:title>Abstract</jats:title><jats:p>{escape(record.text)}</jats:p>",
        "author": [{"given": given, "family": family, "sequence": "first", "affiliation": []}],
        "issued": {"date-parts": [parts]},
        "container-title": ["Journal of Replays"],
        "is-referenced-by-count": record.votes,
    }


def _page(works: list[dict[str, Any]], rows: int) -> dict[str, Any]:
    return {
        "status": "ok",
        "message-type": "work-list",
        "message-version": "1.0.0",
        "message": {
            "facets": {},
            "total-results": len(works),
            "items": works,
            "items-per-page": rows,
            "query": {"start-index": 0, "search-terms": None},
        },
    }


def _failed(kind: str, fault: str, value: str, message: str) -> bytes:
    faults = [{"type": fault, "value": value, "message": message}]
    return json.dumps({"status": "failed", "message-type": kind, "message": faults}).encode()


def routes(world: World) -> Sequence[web.RouteDef]:
    async def works(request: web.Request) -> web.Response:
        rows = request.query.get("rows", "20")
        if not rows.isdigit():
            body = _failed("validation-failure", "integer-not-valid", rows, f"Integer specified as {rows}")
            return web.Response(status=400, body=body, headers={**JSON, **POOL})
        found = world.search(request.query.get("query", ""), "paper", min(int(rows), 12))
        return web.json_response(_page([_work(record) for record in found], int(rows)), headers=POOL)

    return [web.get("/works", works)]


API = Api(
    name="crossref",
    routes=routes,
    empty=Answer(body=json.dumps(_page([], 15)).encode(), headers={**JSON, **POOL}),
    refusals={
        "bad_rows": Refusal(
            Answer(400, _failed("validation-failure", "integer-not-valid", "x", "Integer specified as x"), JSON),
            "UPSTREAM_FAILED",
        ),
        "bad_cursor": Refusal(
            Answer(404, _failed("resource-failure", "cursor-invalid", "x", "Cursor specified but it is invalid"), JSON),
            "UPSTREAM_FAILED",
        ),
        "too_many": Refusal(
            Answer(429, b"Too many requests", {"Content-Type": "text/plain", "Retry-After": "1", **POOL}),
            "UPSTREAM_RATE_LIMITED",
            1.0,
        ),
    },
)
