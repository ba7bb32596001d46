"""Semantic Scholar: `GET /graph/v1/paper/search`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from bench.replay.api import Answer, Api, Refusal
from bench.replay.world import Record, World

JSON = {"Content-Type": "application/json"}
TOO_MANY = {"message": "Too Many Requests. Please wait and try again or apply for a key.", "code": "429"}


def _paper(record: Record) -> dict[str, Any]:
    paper_id = f"{record.number:040x}"
    # A third of the records have no abstract; not every one has a DOI or a day.
    return {
        "paperId": paper_id,
        "externalIds": {"CorpusId": record.number}
        | ({"DOI": f"10.5555/replay.{record.number}"} if record.number % 2 else {}),
        "url": f"https://www.semanticscholar.org/paper/{paper_id}",
        "title": record.title,
        "abstract": record.text if record.number % 3 else None,
        "venue": "Journal of Replays",
        "year": record.published.year,
        "citationCount": record.votes,
        "publicationDate": record.published.date().isoformat() if record.number % 4 else None,
        "authors": [{"authorId": str(record.number % 1_000), "name": record.author}],
    }


def routes(world: World) -> Sequence[web.RouteDef]:
    async def search(request: web.Request) -> web.Response:
        limit = min(max(int(request.query.get("limit", "100")), 1), 100)
        found = world.search(request.query.get("query", ""), "paper", min(limit, 12))
        if not found:
            return web.json_response({"total": 0, "offset": 0})
        papers = [_paper(record) for record in found]
        return web.json_response({"total": len(papers), "offset": 0, "data": papers})

    return [web.get("/graph/v1/paper/search", search)]


API = Api(
    name="semantic_scholar",
    routes=routes,
    empty=Answer(body=b'{"total": 0, "offset": 0}', headers=JSON),
    refusals={
        "too_many": Refusal(Answer(429, json.dumps(TOO_MANY).encode(), JSON), "UPSTREAM_RATE_LIMITED"),
        "bad_fields": Refusal(
            Answer(400, b'{"error": "Unrecognized or unsupported fields: [unknown]"}', JSON), "UPSTREAM_FAILED"
        ),
        "no_paper": Refusal(Answer(404, b'{"error": "Paper with id 0 not found"}', JSON), "UPSTREAM_FAILED"),
        "bad_key": Refusal(Answer(403, b'{"message": "Forbidden"}', JSON), "UPSTREAM_FAILED"),
    },
)
