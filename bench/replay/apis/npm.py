"""npm: `GET /-/v1/search` of the registry and `GET /downloads/point/last-month/...` of the counts, at one address."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from aiohttp import web

from bench.replay.api import Answer, Api, Refusal
from bench.replay.world import EPOCH, Record, World

JSON = {"Content-Type": "application/json"}


def _name(record: Record) -> str:
    slug = "-".join(record.title.split(":")[0].lower().split())
    return f"@{slug[:20]}/core-{record.number}" if record.number % 4 == 0 else f"{slug}-{record.number}"


def _object(record: Record) -> dict[str, Any]:
    user = record.author.rpartition(" ")[2].lower()
    return {
        "downloads": {"monthly": record.votes * 900, "weekly": record.votes * 210},
        "dependents": str(record.votes),
        "updated": f"{record.published:%Y-%m-%dT%H:%M:%S.000Z}",
        "searchScore": 100.5,
        "package": {
            "name": _name(record),
            "version": "1.4.0",
            "description": record.text,
            "keywords": record.title.split(":")[0].lower().split(),
            "license": "MIT",
            "date": f"{record.published:%Y-%m-%dT%H:%M:%S.000Z}",
            "links": {"npm": record.url, "repository": f"git+https://github.com/{user}/{record.number}.git"},
            "publisher": {"username": user},
            "maintainers": [{"username": user}],
        },
        "score": {"final": 100.5, "detail": {"popularity": 1, "quality": 1, "maintenance": 1}},
        "flags": {"insecure": 0},
    }


def _page(objects: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"objects": list(objects), "total": len(objects), "time": f"{EPOCH:%Y-%m-%dT%H:%M:%S.000Z}"}


def _error(status: int, message: str, **headers: str) -> Answer:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps({"error": message}).encode(), {**JSON, **names})


def routes(world: World) -> Sequence[web.RouteDef]:
    # What was found: the counts know no other packages.
    known: dict[str, Record] = {}

    async def search(request: web.Request) -> web.Response:
        text = request.query.get("text", "")
        if not 2 <= len(text) <= 64:
            return _error(400, "'text' must be between 2 and 64 characters").response()
        size = min(int(request.query.get("size", "20")), 250)
        found = world.search(text, "product", min(size, 8))
        known.update({_name(record): record for record in found})
        return web.json_response(_page([_object(record) for record in found]))

    def count(name: str) -> dict[str, Any] | None:
        record = known.get(name)
        if record is None:
            return None
        start, end = EPOCH - timedelta(days=30), EPOCH - timedelta(days=1)
        return {
            "downloads": record.votes * 900 + 1,
            "start": f"{start:%Y-%m-%d}",
            "end": f"{end:%Y-%m-%d}",
            "package": name,
        }

    async def downloads(request: web.Request) -> web.Response:
        names = request.match_info["names"].split(",")
        if len(names) > 128 or (len(names) > 1 and any(name.startswith("@") for name in names)):
            return _error(400, "scoped packages are not supported in bulk lookups").response()
        if len(names) > 1:
            return web.json_response({name: count(name) for name in names})
        one = count(names[0])
        return web.json_response(one) if one else _error(404, f"package {names[0]} not found").response()

    return [web.get("/-/v1/search", search), web.get("/downloads/point/last-month/{names:.+}", downloads)]


API = Api(
    name="npm",
    routes=routes,
    empty=Answer(body=json.dumps(_page([])).encode(), headers=JSON),
    refusals={
        "bad_text": Refusal(_error(400, "'text' must be between 2 and 64 characters"), "UPSTREAM_FAILED"),
        "too_many": Refusal(_error(429, "Too Many Requests", Retry_After="15"), "UPSTREAM_RATE_LIMITED", 15.0),
    },
)
