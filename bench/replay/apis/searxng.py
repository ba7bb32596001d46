"""A SearXNG instance: `GET /search?format=json`; 403 where JSON is off, HTTP 200 where its engines are blocked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from bench.replay.api import Answer, Api, Refusal
from bench.replay.world import Record, World

JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html; charset=utf-8"}


def _result(record: Record, place: int) -> dict[str, Any]:
    parts = urlsplit(record.url)
    return {
        "template": "default.html",
        "url": record.url,
        "title": record.title,
        "content": record.text,
        "publishedDate": f"{record.published:%Y-%m-%dT%H:%M:%S}" if place % 2 else None,
        "thumbnail": "",
        "engine": "brave",
        "parsed_url": [parts.scheme, parts.netloc, parts.path, "", "", ""],
        "img_src": "",
        "priority": "",
        "engines": ["brave", "google"],
        "positions": [place, place],
        "score": 2.0 / place,
        "category": "general",
    }


def _page(words: str, results: Sequence[dict[str, Any]], silent: Sequence[tuple[str, str]] = ()) -> dict[str, Any]:
    return {
        "query": words,
        "number_of_results": len(results),
        "results": list(results),
        "answers": [],
        "corrections": [],
        "infoboxes": [],
        "suggestions": [],
        "unresponsive_engines": [list(pair) for pair in silent],
    }


def routes(world: World) -> Sequence[web.RouteDef]:
    async def search(request: web.Request) -> web.Response:
        if request.query.get("format") != "json":
            return web.Response(text="<!doctype html><title>SearXNG</title>", content_type="text/html")
        words = request.query.get("q", "")
        if not words.strip():
            return Answer(400, json.dumps({"error": "No query"}).encode(), JSON).response()
        found = world.search(words, "page", 12)
        results = [_result(record, place) for place, record in enumerate(found, start=1)]
        return web.json_response(_page(words, results, [("duckduckgo", "CAPTCHA")]))

    return [web.get("/search", search)]


API = Api(
    name="searxng",
    routes=routes,
    empty=Answer(body=json.dumps(_page("x", [])).encode(), headers=JSON),
    refusals={
        "json_is_off": Refusal(Answer(403, b"<!doctype html><h1>Forbidden</h1>", HTML), "UPSTREAM_FAILED"),
        "every_engine_blocked_with_200": Refusal(
            Answer(
                200,
                json.dumps(
                    _page("x", [], [("brave", "Suspended: too many requests"), ("duckduckgo", "CAPTCHA")])
                ).encode(),
                JSON,
            ),
            "UPSTREAM_FAILED",
        ),
        "limiter": Refusal(Answer(429, b"Rate limit exceeded", HTML), "UPSTREAM_RATE_LIMITED", 10.0),
    },
)
