"""World Bank: `GET /v2/country/{country}/indicator/{id}`, `[meta, rows]`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from bench.replay.api import Answer, Api, Refusal
from bench.replay.world import EPOCH, World

JSON = {"Content-Type": "application/json;charset=utf-8"}


def _row(indicator: str, name: str, year: int, value: float) -> dict[str, Any]:
    return {
        "indicator": {"id": indicator, "value": name},
        "country": {"id": "1W", "value": "World"},
        "countryiso3code": "WLD",
        "date": str(year),
        "value": value,
        "unit": "",
        "obs_status": "",
        "decimal": 1,
    }


def _refused(code: str, key: str, value: str) -> Answer:
    """An error as the API sends it: HTTP 200 and a list of one."""
    return Answer(200, json.dumps([{"message": [{"id": code, "key": key, "value": value}]}]).encode(), JSON)


def routes(world: World) -> Sequence[web.RouteDef]:
    async def values(request: web.Request) -> web.Response:
        indicator = request.match_info["indicator"]
        if request.query.get("format") != "json":
            return web.Response(text='<?xml version="1.0" encoding="utf-8"?><wb:data/>', content_type="text/xml")
        count = min(max(int(request.query.get("mrnev", "50")), 1), 60)
        found = world.search(indicator, "page", count)
        newest = EPOCH.year - 1
        rows = [
            _row(indicator, f"Replayed indicator {indicator} (% of population)", newest - n, record.votes / 7 + 1)
            for n, record in enumerate(found)
        ]
        meta = {
            "page": 1,
            "pages": 1,
            "per_page": count,
            "total": len(rows),
            "sourceid": "2",
            "lastupdated": EPOCH.date().isoformat(),
        }
        return web.json_response([meta, rows or None])

    return [web.get("/v2/country/{country}/indicator/{indicator}", values)]


_NONE = {"page": 0, "pages": 0, "per_page": 0, "total": 0, "sourceid": None, "lastupdated": None}

API = Api(
    name="worldbank",
    routes=routes,
    empty=Answer(body=json.dumps([_NONE, None]).encode(), headers=JSON),
    refusals={
        "bad_value": Refusal(
            _refused("120", "Invalid value", "The provided parameter value is not valid"), "UPSTREAM_FAILED"
        ),
        "archived": Refusal(
            _refused("175", "Invalid format", "The indicator was not found. It may have been deleted or archived."),
            "UPSTREAM_FAILED",
        ),
        "gateway": Refusal(
            Answer(502, b"<html><body>Bad Gateway</body></html>", {"Content-Type": "text/html"}), "UPSTREAM_FAILED"
        ),
    },
)
