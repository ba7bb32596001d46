"""arXiv: `GET /api/query`, an Atom feed."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from aiohttp import web

from bench.replay.api import Answer, Api, Refusal
from bench.replay.world import Record, World

ATOM = {"Content-Type": "application/atom+xml; charset=UTF-8"}


def _feed(entries: Sequence[str], title: str = "") -> bytes:
    return (
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        '<feed xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" '
        'xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns="http://www.w3.org/2005/Atom">\n'
        "  <id>https://arxiv.org/api/replay</id>\n"
        f"  <title>arXiv Query: {escape(title)}</title>\n"
        "  <updated>2026-06-01T00:00:00Z</updated>\n"
        '  <link href="https://arxiv.org/api/query" type="application/atom+xml"/>\n'
        "  <opensearch:itemsPerPage>15</opensearch:itemsPerPage>\n"
        f"  <opensearch:totalResults>{len(entries)}</opensearch:totalResults>\n"
        "  <opensearch:startIndex>0</opensearch:startIndex>\n" + "".join(entries) + "</feed>\n"
    ).encode()


def _entry(record: Record) -> str:
    paper = f"{record.published:%y%m}.{record.number % 100_000:05d}v1"
    moment = record.published.isoformat().replace("+00:00", "Z")
    # Summaries are wrapped in mid-sentence.
    summary = escape(record.text).replace(" ", "\n  ", 1)
    return (
        f"  <entry>\n    <id>http://arxiv.org/abs/{paper}</id>\n    <title>{escape(record.title)}</title>\n"
        f"    <updated>{moment}</updated>\n"
        f'    <link href="https://arxiv.org/abs/{paper}" rel="alternate" type="text/html"/>\n'
        f"    <summary>{summary}</summary>\n"
        '    <category term="cs.CY" scheme="http://arxiv.org/schemas/atom"/>\n'
        f"    <published>{moment}</published>\n"
        '    <arxiv:primary_category term="cs.CY"/>\n'
        f"    <author>\n      <name>{escape(record.author)}</name>\n    </author>\n  </entry>\n"
    )


def _error(code: str, message: str) -> bytes:
    address = f"https://arxiv.org/api/errors#{code}"
    return _feed(
        [
            f"  <entry>\n    <id>{address}</id>\n    <title>Error</title>\n    <summary>{escape(message)}</summary>\n"
            "    <updated>2026-06-01T00:00:00Z</updated>\n"
            f'    <link href="{address}" rel="alternate" type="text/html"/>\n'
            "    <author>\n      <name>arXiv api core</name>\n    </author>\n  </entry>\n"
        ]
    )


def routes(world: World) -> Sequence[web.RouteDef]:
    async def search(request: web.Request) -> web.Response:
        asked = request.query.get("search_query", "")
        count = request.query.get("max_results", "10")
        if not count.isdigit():
            return web.Response(body=_error("max_results_must_be_an_integer", "max_results must be an integer"))
        words = " ".join(part.removeprefix("all:") for part in asked.split(" AND "))
        entries = [_entry(record) for record in world.search(words, "paper", min(int(count), 12))]
        return web.Response(body=_feed(entries, f"search_query={asked}"), headers=ATOM)

    return [web.get("/api/query", search)]


API = Api(
    name="arxiv",
    routes=routes,
    empty=Answer(body=_feed([]), headers=ATOM),
    refusals={
        "error_entry": Refusal(
            Answer(200, _error("incorrect_id_format_for_1234.12345", "incorrect id format for 1234.12345"), ATOM),
            "UPSTREAM_FAILED",
        ),
        "error_entry_400": Refusal(
            Answer(400, _error("start_must_be_non-negative", "start must be non-negative"), ATOM),
            "UPSTREAM_FAILED",
        ),
        "rate_exceeded": Refusal(
            Answer(200, b"Rate exceeded.", {"Content-Type": "text/plain"}), "UPSTREAM_RATE_LIMITED"
        ),
        "rate_exceeded_429": Refusal(
            Answer(429, b"Rate exceeded.", {"Content-Type": "text/plain", "Retry-After": "3"}),
            "UPSTREAM_RATE_LIMITED",
            3.0,
        ),
        "busy": Refusal(Answer(503, b"", {"Retry-After": "30"}), "UPSTREAM_FAILED", 30.0),
    },
)
