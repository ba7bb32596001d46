"""Wikipedia: `GET /w/api.php` with `generator=search` and extracts; format version 1, `pages` by page id."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from bench.replay.api import Answer, Api, Refusal
from bench.replay.world import Record, World

JSON = {"Content-Type": "application/json; charset=utf-8"}
NOTICE = "See https://en.wikipedia.org/w/api.php for API usage."


def mediawiki_error(code: str, info: str, headers: dict[str, str] | None = None, **extra: Any) -> Answer:
    """An error as MediaWiki sends it: HTTP 200 and a header."""
    error = {"code": code, "info": info, **extra, "*": NOTICE}
    body = json.dumps({"error": error, "servedby": "mw-api-ext.replay"})
    return Answer(200, body.encode(), {**JSON, "MediaWiki-API-Error": code, **(headers or {})})


# What every wiki may answer.
REFUSALS = {
    "ratelimited": Refusal(
        mediawiki_error("ratelimited", "You've exceeded your rate limit. Please wait some time and try again."),
        "UPSTREAM_RATE_LIMITED",
    ),
    "ratelimited_for": Refusal(
        mediawiki_error("ratelimited", "You've exceeded your rate limit.", {"Retry-After": "17"}),
        "UPSTREAM_RATE_LIMITED",
        17.0,
    ),
    "maxlag": Refusal(
        mediawiki_error(
            "maxlag",
            "Waiting for all: 6.3 seconds lagged.",
            {"Retry-After": "5", "X-Database-Lag": "6"},
            host="all",
            lag=6.3,
            type="db",
        ),
        "UPSTREAM_RATE_LIMITED",
        5.0,
    ),
    "broken": Refusal(
        mediawiki_error("internal_api_error_DBQueryError", "[replay] Caught exception of type DBQueryError"),
        "UPSTREAM_FAILED",
    ),
    "robot": Refusal(
        Answer(403, b"<html><body>Please set a user-agent and respect our robot policy.</body></html>"),
        "UPSTREAM_FAILED",
    ),
}


def _page(record: Record, index: int, base: str) -> dict[str, Any]:
    path = record.title.replace(" ", "_")
    return {
        "pageid": record.number,
        "ns": 0,
        "title": record.title,
        "index": index,
        "extract": record.text,
        "contentmodel": "wikitext",
        "pagelanguage": "en",
        "pagelanguagehtmlcode": "en",
        "pagelanguagedir": "ltr",
        "touched": record.published.isoformat().replace("+00:00", "Z"),
        "lastrevid": record.number + 1,
        "length": 40 * len(record.text),
        "fullurl": f"{base}/wiki/{path}",
        "editurl": f"{base}/w/index.php?title={path}&action=edit",
        "canonicalurl": f"{base}/wiki/{path}",
        "revisions": [{"timestamp": record.published.isoformat().replace("+00:00", "Z")}],
    }


def routes(world: World) -> Sequence[web.RouteDef]:
    async def api(request: web.Request) -> web.Response:
        asked = request.query
        if asked.get("generator") != "search" or "gsrsearch" not in asked:
            return mediawiki_error("missingparam", 'The "gsrsearch" parameter must be set.').response()
        limit = min(max(int(asked.get("gsrlimit", "10")), 1), 50)
        found = world.search(asked["gsrsearch"], "article", limit)
        if not found:
            return web.json_response({"batchcomplete": ""})
        # Keys are page ids, so that the order of the object is not that of the search.
        pages = {str(r.number): _page(r, n, "https://en.wikipedia.org") for n, r in enumerate(found, start=1)}
        answer = {
            "batchcomplete": "",
            "continue": {"gsroffset": limit, "continue": "gsroffset||"},
            "query": {"pages": dict(sorted(pages.items()))},
        }
        return web.json_response(answer)

    return [web.get("/w/api.php", api)]


API = Api(
    name="wikipedia",
    routes=routes,
    empty=Answer(body=b'{"batchcomplete":""}', headers=JSON),
    refusals=REFUSALS,
)
