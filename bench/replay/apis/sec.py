"""SEC full-text search: `GET /LATEST/search-index`, an Elasticsearch answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from bench.replay.api import Answer, Api, Refusal
from bench.replay.world import Record, World

JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html"}


def _hit(record: Record) -> dict[str, Any]:
    cik = f"{record.number % 10_000_000:010d}"
    accession = f"{cik}-{record.published:%y}-{record.number % 1_000_000:06d}"
    return {
        "_index": "edgar_file",
        "_id": f"{accession}:form10-k{record.number % 100}.htm",
        "_score": 12.5,
        "_source": {
            "ciks": [cik],
            "period_ending": f"{record.published.year - 1}-12-31",
            "file_num": ["001-12345"],
            "display_names": [f"{record.author.partition(' ')[2]} Holdings, Inc.  (RPLY)  (CIK {cik})"],
            "xsl": None,
            "sequence": 1,
            "root_forms": ["10-K"],
            "file_date": record.published.date().isoformat(),
            "biz_states": ["CA"],
            "sics": ["7372"],
            "form": "10-K",
            "adsh": accession,
            "film_num": ["26100200"],
            "biz_locations": ["San Francisco, CA"],
            "file_type": "10-K",
            "file_description": "ANNUAL REPORT",
            "inc_states": ["DE"],
            "items": [],
        },
    }


def _page(hits: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "took": 21,
        "timed_out": False,
        "_shards": {"total": 50, "successful": 50, "skipped": 0, "failed": 0},
        "hits": {
            "total": {"value": len(hits), "relation": "eq"},
            "max_score": 12.5 if hits else None,
            "hits": hits,
        },
        "aggregations": {},
        "query": {},
    }


REFUSED = Answer(403, b"<html><head><title>SEC.gov | Undeclared Automated Tool</title></head></html>", HTML)


def routes(world: World) -> Sequence[web.RouteDef]:
    async def search(request: web.Request) -> web.Response:
        # A User-Agent must say whom to write to.
        if not any(mark in request.headers.get("User-Agent", "") for mark in ("@", "http")):
            return REFUSED.response()
        words = request.query.get("q", "").replace('"', "")
        return web.json_response(_page([_hit(record) for record in world.search(words, "page", 12)]))

    return [web.get("/LATEST/search-index", search)]


API = Api(
    name="sec",
    routes=routes,
    empty=Answer(body=json.dumps(_page([])).encode(), headers=JSON),
    refusals={
        "undeclared": Refusal(REFUSED, "UPSTREAM_FAILED"),
        "too_many": Refusal(
            Answer(403, b"<html><head><title>SEC.gov | Request Rate Threshold Exceeded</title></head></html>", HTML),
            "UPSTREAM_RATE_LIMITED",
            300.0,
        ),
        "broken": Refusal(Answer(500, b'{"message": "Internal server error"}', JSON), "UPSTREAM_FAILED"),
    },
)
