"""Serper: `POST /search` with `X-API-KEY`; a list as body gets a list as answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from bench.replay.api import Answer, Api, Refusal
from bench.replay.world import Record, World

JSON = {"Content-Type": "application/json; charset=utf-8"}


def _result(record: Record, place: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "title": record.title,
        "link": record.url,
        "snippet": record.text,
        "position": place,
    }
    # Not every page has a date.
    if place % 3:
        result["date"] = f"{record.published:%b} {record.published.day}, {record.published.year}"
    return result


def _page(words: str, results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "searchParameters": {"q": words, "type": "search", "num": 10, "hl": "en", "engine": "google"},
        "organic": list(results),
        "relatedSearches": [],
        "credits": 1,
    }


def _error(status: int, message: str) -> Answer:
    return Answer(status, json.dumps({"message": message, "statusCode": status}).encode(), JSON)


NO_KEY = _error(403, "Unauthorized.")


def routes(world: World) -> Sequence[web.RouteDef]:
    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        words = asked.get("q", "")
        found = world.search(words, "page", min(asked.get("num", 10), 100))
        return _page(words, [_result(record, place) for place, record in enumerate(found, start=1)])

    async def search(request: web.Request) -> web.Response:
        if not request.headers.get("X-API-KEY"):
            return NO_KEY.response()
        asked = json.loads(await request.read())
        many = asked if isinstance(asked, list) else [asked]
        if not all(one.get("q") for one in many):
            return _error(400, "Missing query parameter").response()
        answers = [answer(one) for one in many]
        return web.json_response(answers if isinstance(asked, list) else answers[0])

    return [web.post("/search", search)]


API = Api(
    name="serper",
    routes=routes,
    empty=Answer(body=json.dumps(_page("x", [])).encode(), headers=JSON),
    refusals={
        "bad_key": Refusal(NO_KEY, "UPSTREAM_FAILED"),
        "bad_query": Refusal(_error(400, "Missing query parameter"), "UPSTREAM_FAILED"),
        "credits_used_up": Refusal(
            _error(400, "Not enough credits"),
            "UPSTREAM_RATE_LIMITED",
            # The longest wait that any caller is told.
            300.0,
        ),
        "too_many": Refusal(_error(429, "Rate limit exceeded"), "UPSTREAM_RATE_LIMITED", 10.0),
    },
)
