"""Hacker News as Algolia's search shows it: `GET /api/v1/search`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from bench.replay.api import Answer, Api, Refusal
from bench.replay.world import Record, World

JSON = {"Content-Type": "application/json; charset=utf-8"}


def _hit(record: Record) -> dict[str, Any]:
    """A comment, or a story for every third record."""
    is_story = record.number % 3 == 0
    kind = "story" if is_story else "comment"
    return {
        "objectID": str(record.number),
        "author": record.author.replace(". ", "").lower(),
        "created_at": record.published.isoformat().replace("+00:00", "Z"),
        "created_at_i": int(record.published.timestamp()),
        "title": record.title if is_story else None,
        "story_title": None if is_story else record.title,
        "story_id": record.number,
        "url": record.url if is_story else None,
        "story_text": record.text if is_story else None,
        "comment_text": None if is_story else f"<p>{record.text}",
        "points": record.votes if is_story else None,
        "num_comments": record.votes // 3 if is_story else None,
        "_tags": [kind, f"author_{record.author[-5:].strip().lower()}", f"story_{record.number}"],
    }


def _page(hits: Sequence[dict[str, Any]], words: str, per_page: int) -> dict[str, Any]:
    return {
        "hits": list(hits),
        "nbHits": len(hits),
        "page": 0,
        "nbPages": 1,
        "hitsPerPage": per_page,
        "exhaustiveNbHits": True,
        "query": words,
        "params": "",
        "processingTimeMS": 3,
    }


def routes(world: World) -> Sequence[web.RouteDef]:
    async def search(request: web.Request) -> web.Response:
        words = request.query.get("query", "")
        per_page = min(max(int(request.query.get("hitsPerPage", "20")), 0), 1_000)
        hits = [_hit(record) for record in world.search(words, "post", min(per_page, 12))]
        return web.json_response(_page(hits, words, per_page))

    return [web.get("/api/v1/search", search)]


API = Api(
    name="hackernews",
    routes=routes,
    empty=Answer(body=json.dumps(_page([], "", 20)).encode(), headers=JSON),
    refusals={
        "bad_query": Refusal(
            Answer(400, json.dumps({"message": "invalid tags", "status": 400}).encode(), JSON),
            "UPSTREAM_FAILED",
        ),
        "too_many": Refusal(
            Answer(429, b'{"message":"Too many requests","status":429}', {**JSON, "Retry-After": "20"}),
            "UPSTREAM_RATE_LIMITED",
            20.0,
        ),
    },
)
