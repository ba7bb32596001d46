"""pypistats.org: `GET /api/packages/{package}/recent`; it has no search."""

from __future__ import annotations

import json
from collections.abc import Sequence

from aiohttp import web

from bench.replay.api import Answer, Api, Refusal
from bench.replay.world import World

JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html; charset=utf-8"}
NOT_FOUND = Answer(404, b"<!doctype html><title>404</title><h1>404</h1>", HTML)


def routes(world: World) -> Sequence[web.RouteDef]:
    async def recent(request: web.Request) -> web.Response:
        package = request.match_info["package"]
        found = world.search(package, "product", 1)
        if not found:
            return NOT_FOUND.response()
        month = found[0].number // 10
        data = {"last_day": month // 30, "last_month": month, "last_week": month // 4}
        return web.json_response({"data": data, "package": package, "type": "recent_downloads"})

    return [web.get("/api/packages/{package}/recent", recent)]


API = Api(
    name="pypistats",
    routes=routes,
    empty=NOT_FOUND,
    refusals={
        "too_many": Refusal(Answer(429, b"RATE LIMIT EXCEEDED", HTML), "UPSTREAM_RATE_LIMITED", 10.0),
        "no_data": Refusal(
            Answer(200, json.dumps({"type": "recent_downloads", "package": "x"}).encode(), JSON), "UPSTREAM_FAILED"
        ),
    },
)
