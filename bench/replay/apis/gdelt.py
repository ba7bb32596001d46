"""GDELT DOC 2.0: `GET /api/v2/doc/doc`; its errors are plain text, mostly with HTTP 200."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from bench.replay.api import Answer, Api, Refusal
from bench.replay.world import Record, World

JSON = {"Content-Type": "application/json; charset=utf-8"}
TEXT = {"Content-Type": "text/html; charset=utf-8"}
LIMIT = b"Please limit requests to one every 5 seconds or contact the project for larger queries.\n"
TOO_SHORT = b"Your query was too short or too long.\n"
SHORT_PHRASE = b"The specified phrase is too short.\n"


def _article(record: Record) -> dict[str, Any]:
    return {
        "url": record.url,
        "url_mobile": "",
        "title": record.title,
        "seendate": f"{record.published:%Y%m%dT%H%M%SZ}",
        "socialimage": "",
        "domain": "example.org",
        "language": "English",
        "sourcecountry": "United States",
    }


def refused(query: str) -> bytes | None:
    """What the syntax check says, as far as it is known."""
    phrases = re.findall(r'"([^"]*)"', query)
    words = re.sub(r'"[^"]*"|\S+:\S+', " ", query).split()
    if len(query) > 250 or not (phrases or words) or any(len(word) < 3 for word in words):
        return TOO_SHORT
    return SHORT_PHRASE if any(len(p) < 5 or " " not in p for p in phrases) else None


def routes(world: World) -> Sequence[web.RouteDef]:
    async def search(request: web.Request) -> web.Response:
        query = request.query.get("query", "")
        if (said := refused(query)) is not None:
            return Answer(200, said, TEXT).response()
        words = re.sub(r'"|\S+:\S+', " ", query)
        size = min(int(request.query.get("maxrecords", "75")), 250)
        found = world.search(words, "news", min(size, 10))
        return web.json_response({"articles": [_article(record) for record in found]} if found else {})

    return [web.get("/api/v2/doc/doc", search)]


API = Api(
    name="gdelt",
    routes=routes,
    empty=Answer(body=json.dumps({}).encode(), headers=JSON),
    refusals={
        "limit_with_200": Refusal(Answer(200, LIMIT, TEXT), "UPSTREAM_RATE_LIMITED", 5.0),
        "limit_with_429": Refusal(Answer(429, LIMIT, TEXT), "UPSTREAM_RATE_LIMITED", 5.0),
        "query_refused_with_200": Refusal(Answer(200, TOO_SHORT, TEXT), "UPSTREAM_FAILED"),
        "phrase_refused_with_200": Refusal(Answer(200, SHORT_PHRASE, TEXT), "UPSTREAM_FAILED"),
        "empty_body": Refusal(Answer(200, b"", TEXT), "UPSTREAM_FAILED"),
    },
)
