"""The Stack Exchange API: `GET /2.3/search/advanced`, always compressed; it throttles with HTTP 400."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from bench.replay.api import Answer, Api, Refusal
from bench.replay.world import Record, World

JSON = {"Content-Type": "application/json; charset=utf-8"}


def _question(record: Record) -> dict[str, Any]:
    asked = int(record.published.timestamp())
    return {
        "tags": [word.lower() for word in record.title.split(":")[0].split()][:5],
        "owner": {
            "account_id": record.number // 7,
            "reputation": record.votes * 10 + 1,
            "user_id": record.number // 9,
            "user_type": "registered",
            "display_name": record.author,
            "link": f"https://stackoverflow.com/users/{record.number // 9}",
        },
        "is_answered": record.votes > 3,
        "view_count": record.votes * 40,
        "answer_count": record.votes % 5,
        "score": record.votes,
        "last_activity_date": asked + 86_400,
        "creation_date": asked,
        "question_id": record.number,
        "content_license": "CC BY-SA 4.0",
        "link": record.url,
        "title": html.escape(record.title),
        "body": f"<p>{html.escape(record.text)}</p>\n",
    }


def _page(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"items": list(items), "has_more": False, "quota_max": 300, "quota_remaining": 297}


def _error(number: int, name: str, message: str) -> Answer:
    return Answer(400, json.dumps({"error_id": number, "error_message": message, "error_name": name}).encode(), JSON)


def routes(world: World) -> Sequence[web.RouteDef]:
    async def search(request: web.Request) -> web.Response:
        words, site = request.query.get("q", ""), request.query.get("site", "")
        if not site:
            return _error(400, "bad_parameter", "site is required").response()
        size = min(max(int(request.query.get("pagesize", "30")), 1), 100)
        found = world.search(words, "post", min(size, 12))
        response = web.json_response(_page([_question(record) for record in found]))
        response.enable_compression(web.ContentCoding.gzip)
        return response

    return [web.get("/2.3/search/advanced", search)]


API = Api(
    name="stackexchange",
    routes=routes,
    empty=Answer(body=json.dumps(_page([])).encode(), headers=JSON),
    refusals={
        "throttled": Refusal(
            _error(
                502, "throttle_violation", "too many requests from this IP, more requests available in 67194 seconds"
            ),
            "UPSTREAM_RATE_LIMITED",
            # The longest wait that any caller is told.
            300.0,
        ),
        "throttled_shortly": Refusal(
            _error(502, "throttle_violation", "too many requests from this IP, more requests available in 9 seconds"),
            "UPSTREAM_RATE_LIMITED",
            9.0,
        ),
        "bad_site": Refusal(
            _error(400, "bad_parameter", "No site found for name `cookin`"),
            "UPSTREAM_FAILED",
        ),
        "bad_key": Refusal(
            _error(400, "bad_parameter", "`key` doesn't match a known application"),
            "UPSTREAM_FAILED",
        ),
        "out_of_order": Refusal(
            _error(503, "temporarily_unavailable", "this method is currently unavailable"),
            "UPSTREAM_FAILED",
        ),
    },
)
