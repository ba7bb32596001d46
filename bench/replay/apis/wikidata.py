"""Wikidata: `GET /w/api.php?action=wbsearchentities`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from bench.replay.api import Answer, Api
from bench.replay.apis.wikipedia import JSON, REFUSALS, mediawiki_error
from bench.replay.world import Record, World

DESCRIPTIONS = ("mobile app", "software company", "people who work with it", "open-source software", "field of study")


def _hit(record: Record) -> dict[str, Any]:
    item = f"Q{record.number}"
    label, description = record.title.partition(":")[0], DESCRIPTIONS[record.number % len(DESCRIPTIONS)]
    return {
        "id": item,
        "title": item,
        "pageid": record.number,
        "concepturi": f"http://www.wikidata.org/entity/{item}",
        "repository": "wikidata",
        "url": f"//www.wikidata.org/wiki/{item}",
        "display": {
            "label": {"value": label, "language": "en"},
            "description": {"value": description, "language": "en"},
        },
        "label": label,
        "description": description,
        "match": {"type": "label", "language": "en", "text": label},
    }


def _page(words: str, hits: list[dict[str, Any]]) -> dict[str, Any]:
    return {"searchinfo": {"search": words}, "search": hits, "success": 1}


def routes(world: World) -> Sequence[web.RouteDef]:
    async def api(request: web.Request) -> web.Response:
        asked = request.query
        if asked.get("action") != "wbsearchentities" or not asked.get("search"):
            return mediawiki_error("missingparam", 'The "search" parameter must be set.').response()
        limit = min(max(int(asked.get("limit", "7")), 1), 50)
        hits = [_hit(record) for record in world.search(asked["search"], "product", min(limit, 12))]
        return web.json_response(_page(asked["search"], hits))

    return [web.get("/w/api.php", api)]


API = Api(
    name="wikidata",
    routes=routes,
    empty=Answer(body=json.dumps(_page("nothing", [])).encode(), headers=JSON),
    refusals=REFUSALS,
)
