"""Brave Search: `GET /res/v1/web/search` with `X-Subscription-Token`; a key that is not taken is 422."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from bench.replay.api import Answer, Api, Refusal
from bench.replay.world import Record, World

JSON = {"Content-Type": "application/json"}


def _result(record: Record) -> dict[str, Any]:
    host = urlsplit(record.url).hostname or ""
    first, _, rest = record.text.partition(" ")
    return {
        "title": html.escape(record.title),
        "url": record.url,
        "is_source_local": False,
        "is_source_both": False,
        "description": f"<strong>{html.escape(first)}</strong> {html.escape(rest)}",
        "page_age": f"{record.published:%Y-%m-%dT%H:%M:%S}",
        "language": "en",
        "profile": {"name": host, "url": record.url, "long_name": host},
        "family_friendly": True,
        "type": "search_result",
        "subtype": "generic",
        "meta_url": {"scheme": "https", "netloc": host, "hostname": host, "path": ""},
        "age": f"{record.published:%B %d, %Y}",
    }


def _page(words: str, results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    page: dict[str, Any] = {
        "query": {"original": words, "country": "us", "more_results_available": bool(results)},
        "mixed": {"type": "mixed", "main": [{"type": "web", "index": i, "all": False} for i in range(len(results))]},
        "type": "search",
    }
    # Where nothing fits, the group is left out.
    if results:
        page["web"] = {"type": "search", "results": list(results), "family_friendly": True}
    return page


def _error(status: int, code: str, detail: str, **headers: str) -> Answer:
    error = {
        "id": "5d832250",
        "status": status,
        "code": code,
        "detail": detail,
        "meta": {"component": "authentication"},
    }
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    body = {"type": "ErrorResponse", "error": error, "time": 1_767_225_600}
    return Answer(status, json.dumps(body).encode(), {**JSON, **names})


NO_TOKEN = _error(422, "SUBSCRIPTION_TOKEN_INVALID", "The provided subscription token is invalid.")


def routes(world: World) -> Sequence[web.RouteDef]:
    async def search(request: web.Request) -> web.Response:
        if not request.headers.get("X-Subscription-Token"):
            return NO_TOKEN.response()
        words, size = request.query.get("q", ""), int(request.query.get("count", "20"))
        if not 0 < len(words) <= 400 or len(words.split()) > 50 or not 1 <= size <= 20:
            return _error(422, "VALIDATION", "Unable to validate request parameter(s)").response()
        found = world.search(words, "page", size)
        headers = {"X-RateLimit-Limit": "50, 0", "X-RateLimit-Remaining": "49, 0", "X-RateLimit-Reset": "1, 1419704"}
        return web.json_response(_page(words, [_result(record) for record in found]), headers=headers)

    return [web.get("/res/v1/web/search", search)]


API = Api(
    name="brave",
    routes=routes,
    empty=Answer(body=json.dumps(_page("x", [])).encode(), headers=JSON),
    refusals={
        "bad_key": Refusal(NO_TOKEN, "UPSTREAM_FAILED"),
        "bad_query": Refusal(_error(422, "VALIDATION", "Unable to validate request parameter(s)"), "UPSTREAM_FAILED"),
        "this_second_is_full": Refusal(
            _error(
                429,
                "RATE_LIMITED",
                "Request rate limit exceeded for plan.",
                X_RateLimit_Remaining="0, 1000",
                X_RateLimit_Reset="1, 1419704",
            ),
            "UPSTREAM_RATE_LIMITED",
            1.0,
        ),
        "this_month_is_full": Refusal(
            _error(
                429,
                "QUOTA_LIMITED",
                "Request quota exceeded for plan.",
                X_RateLimit_Remaining="1, 0",
                X_RateLimit_Reset="1, 1419704",
            ),
            "UPSTREAM_RATE_LIMITED",
            # The longest wait that any caller is told.
            300.0,
        ),
    },
)
