"""Tavily: `POST /search` with a Bearer key; 432 and 433 say that the plan is used up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from bench.replay.api import Answer, Api, Refusal
from bench.replay.world import Record, World

JSON = {"Content-Type": "application/json"}


def _result(record: Record, place: int) -> dict[str, Any]:
    return {
        "url": record.url,
        "title": record.title,
        "content": record.text,
        "score": round(0.99 / place, 6),
        "raw_content": None,
    }


def _page(words: str, results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "query": words,
        "follow_up_questions": None,
        "answer": None,
        "images": [],
        "results": list(results),
        "response_time": 0.89,
        "request_id": "3b2f7385-b01d-479e-9825-1ce0f8c59b93",
    }


def _error(status: int, message: str, **headers: str) -> Answer:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps({"detail": {"error": message}}).encode(), {**JSON, **names})


NO_KEY = _error(401, "Unauthorized: missing or invalid API key.")


def routes(world: World) -> Sequence[web.RouteDef]:
    async def search(request: web.Request) -> web.Response:
        if not request.headers.get("Authorization", "").removeprefix("Bearer").strip():
            return NO_KEY.response()
        asked = json.loads(await request.read())
        words = asked.get("query", "")
        if not 0 < len(words) < 400:
            return _error(400, "Query is too long. Max query length is 400 characters.").response()
        found = world.search(words, "page", min(asked.get("max_results", 5), 20))
        results = [_result(record, place) for place, record in enumerate(found, start=1)]
        return web.json_response(_page(words, results))

    return [web.post("/search", search)]


API = Api(
    name="tavily",
    routes=routes,
    empty=Answer(body=json.dumps(_page("x", [])).encode(), headers=JSON),
    refusals={
        "bad_key": Refusal(NO_KEY, "UPSTREAM_FAILED"),
        "bad_query": Refusal(_error(400, "Query is too long. Max query length is 400 characters."), "UPSTREAM_FAILED"),
        "plan_used_up": Refusal(
            _error(432, "This request exceeds your plan's set usage limit."),
            "UPSTREAM_RATE_LIMITED",
            # The longest wait that any caller is told.
            300.0,
        ),
        "pay_as_you_go_used_up": Refusal(
            _error(433, "This request exceeds the pay-as-you-go limit."), "UPSTREAM_RATE_LIMITED", 300.0
        ),
        "too_many": Refusal(
            _error(429, "Your request has been blocked due to excessive requests.", Retry_After="60"),
            "UPSTREAM_RATE_LIMITED",
            60.0,
        ),
    },
)
