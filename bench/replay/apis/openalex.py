"""OpenAlex: `GET /works?search=...`, abstracts as inverted indexes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from bench.replay.api import Answer, Api, Refusal
from bench.replay.world import Record, World

JSON = {"Content-Type": "application/json"}


def _inverted(text: str) -> dict[str, list[int]]:
    index: dict[str, list[int]] = {}
    for place, word in enumerate(text.split()):
        index.setdefault(word, []).append(place)
    return index


def _work(record: Record) -> dict[str, Any]:
    doi = f"https://doi.org/10.5555/replay.{record.number}"
    return {
        "id": f"https://openalex.org/W{record.number}",
        "doi": doi,
        "display_name": record.title,
        "relevance_score": 100.0,
        "publication_year": record.published.year,
        "publication_date": record.published.date().isoformat(),
        "type": "preprint" if record.number % 5 == 0 else "article",
        "primary_location": {
            "is_oa": True,
            "landing_page_url": doi,
            "pdf_url": None,
            "source": {"id": "https://openalex.org/S1", "display_name": "Journal of Replays", "type": "journal"},
        },
        "authorships": [
            {
                "author_position": "first",
                "author": {"id": "https://openalex.org/A1", "display_name": record.author, "orcid": None},
                "institutions": [],
                "raw_author_name": record.author,
            }
        ],
        "cited_by_count": record.votes,
        "is_retracted": False,
        "abstract_inverted_index": _inverted(record.text),
    }


def _page(works: list[dict[str, Any]], per_page: int) -> dict[str, Any]:
    meta = {"count": len(works), "db_response_time_ms": 31, "page": 1, "per_page": per_page, "groups_count": None}
    return {"meta": meta, "results": works, "group_by": []}


def routes(world: World) -> Sequence[web.RouteDef]:
    async def works(request: web.Request) -> web.Response:
        per_page = min(max(int(request.query.get("per_page", "25")), 1), 100)
        found = world.search(request.query.get("search", ""), "paper", min(per_page, 12))
        headers = {"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "990", "X-RateLimit-Reset": "3600"}
        return web.json_response(_page([_work(record) for record in found], per_page), headers=headers)

    return [web.get("/works", works)]


API = Api(
    name="openalex",
    routes=routes,
    empty=Answer(body=json.dumps(_page([], 15)).encode(), headers=JSON),
    refusals={
        # The day's allowance is spent: the wait of hours is cut to the longest that a breaker rests.
        "spent": Refusal(
            Answer(
                429,
                b'{"error":"Rate limit exceeded","message":"Insufficient budget"}',
                {**JSON, "Retry-After": "54000"},
            ),
            "UPSTREAM_RATE_LIMITED",
            300.0,
        ),
        "slow_down": Refusal(
            Answer(403, b'{"error":"Forbidden","message":"Rate limit exceeded"}', {**JSON, "Retry-After": "2"}),
            "UPSTREAM_RATE_LIMITED",
            2.0,
        ),
        "bad_filter": Refusal(
            Answer(
                400, b'{"error":"Invalid query parameters error.","message":"has_abstrakt is not a valid field."}', JSON
            ),
            "UPSTREAM_FAILED",
        ),
        "not_found": Refusal(
            Answer(
                404,
                b"<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n",
                {"Content-Type": "text/html; charset=utf-8"},
            ),
            "UPSTREAM_FAILED",
        ),
    },
)
