"""GitHub's repository search: `GET /search/repositories`; its limits come as 403 and 429, with and without headers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from bench.replay.api import Answer, Api, Refusal
from bench.replay.world import Record, World

JSON = {"Content-Type": "application/json; charset=utf-8", "Server": "GitHub.com"}
# Seconds since 1970 of the moment in the Date header below, and a reset 42 seconds later.
DATE, RESET = "Thu, 01 Jan 2026 00:00:00 GMT", 1_767_225_642
LICENCES = ("MIT", "Apache-2.0", "AGPL-3.0", "NOASSERTION", None)


def _repository(record: Record) -> dict[str, Any]:
    owner = record.author.rpartition(" ")[2].lower()
    name = "-".join(record.title.split(":")[0].lower().split()) + f"-{record.number % 100}"
    spdx = LICENCES[record.number % len(LICENCES)]
    moment = f"{record.published:%Y-%m-%dT%H:%M:%SZ}"
    return {
        "id": record.number,
        "name": name,
        "full_name": f"{owner}/{name}",
        "private": False,
        "owner": {"login": owner, "id": record.number // 11, "type": "User", "html_url": f"https://github.com/{owner}"},
        "html_url": record.url,
        "description": record.text,
        "fork": False,
        "created_at": moment,
        "updated_at": moment,
        "pushed_at": moment,
        "homepage": None,
        "stargazers_count": record.votes * 13,
        "watchers_count": record.votes * 13,
        "language": "Python",
        "forks_count": record.votes,
        "archived": record.number % 7 == 0,
        "license": None if spdx is None else {"key": spdx.lower(), "name": spdx, "spdx_id": spdx, "url": None},
        "topics": [word.lower() for word in record.title.split(":")[0].split()][:4],
        "visibility": "public",
        "score": 1.0,
    }


def _page(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"total_count": len(items), "incomplete_results": False, "items": list(items)}


def _error(status: int, message: str, **headers: str) -> Answer:
    body = {"message": message, "documentation_url": "https://docs.github.com/rest"}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps(body).encode(), {**JSON, **names})


def routes(world: World) -> Sequence[web.RouteDef]:
    async def search(request: web.Request) -> web.Response:
        words = request.query.get("q", "")
        if not words.strip():
            return _error(422, "Validation Failed").response()
        size = min(max(int(request.query.get("per_page", "30")), 1), 100)
        found = world.search(words, "product", min(size, 8))
        left = {"x-ratelimit-limit": "10", "x-ratelimit-remaining": "8", "x-ratelimit-resource": "search"}
        return web.json_response(_page([_repository(record) for record in found]), headers=left)

    return [web.get("/search/repositories", search)]


API = Api(
    name="github",
    routes=routes,
    empty=Answer(body=json.dumps(_page([])).encode(), headers=JSON),
    refusals={
        "limit_used_up": Refusal(
            _error(
                403,
                "API rate limit exceeded for 192.0.2.1.",
                Date=DATE,
                x_ratelimit_limit="10",
                x_ratelimit_remaining="0",
                x_ratelimit_reset=str(RESET),
                x_ratelimit_resource="search",
            ),
            "UPSTREAM_RATE_LIMITED",
            43.0,
        ),
        "secondary_with_wait": Refusal(
            _error(429, "You have exceeded a secondary rate limit.", Retry_After="8"), "UPSTREAM_RATE_LIMITED", 8.0
        ),
        "secondary_in_body_only": Refusal(
            _error(
                403,
                "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
                x_ratelimit_remaining="21",
                x_ratelimit_reset=str(RESET),
            ),
            "UPSTREAM_RATE_LIMITED",
            60.0,
        ),
        "bad_query": Refusal(_error(422, "Validation Failed"), "UPSTREAM_FAILED"),
        "bad_token": Refusal(_error(401, "Bad credentials"), "UPSTREAM_FAILED"),
    },
)
