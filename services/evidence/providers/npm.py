"""Packages on npm and how often they are downloaded: what builders of software use already.

`GET {registry}/-/v1/search?text=...&size=8` at registry.npmjs.org
(github.com/npm/registry/blob/main/docs/REGISTRY-API.md), then the counts of what it found at api.npmjs.org:
`GET {base}/downloads/point/last-month/a,b,c` (docs/download-counts.md). Auth: none. Paging: `from`, `size` up to 250.
Counts are given in bulk for up to 128 names, scoped ones (`@a/b`) not among them; a single name gets an object
`{downloads, start, end, package}`, several get `{name: object or null}`. A scoped package is taken with the monthly
count that the search itself gives since 2025. Rate: none is published; both hosts answer 429 to floods, mostly without
Retry-After.
Errors: `{"error": "..."}`: 400 for a search text below 2 or above 64 characters, 404 for the count of an unknown
package.
A search object: `downloads: {monthly}`, `package: {name, version, description, date, license, links: {npm, repository},
publisher}`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from chassis.pool import HttpPool
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2
from services.evidence.domain.model import Found, Query
from services.evidence.domain.technical import is_technical
from services.evidence.domain.words import stem
from services.evidence.providers.base import Access, Source, Terms
from services.evidence.providers.leads import web_url
from services.evidence.providers.questions import whole_words
from services.evidence.providers.reading import count, line, moment, record, rows, string
from services.evidence.providers.refusals import malformed

PROVIDER = "npm"
HITS = 8
WORDS_MAX = 3
SEARCH_CHARS = range(2, 65)
DESCRIPTION_CHARS_MAX = 300
NAME_CHARS_MAX = 214
PERIOD = "last-month"
KINDS = frozenset({common_pb2.CLAIM_KIND_COMPETITION, common_pb2.CLAIM_KIND_FEASIBILITY})
# Every package is a package for developers; other languages have other registries.
_SAID_BY_ALL = frozenset(
    stem(word) for word in "python javascript typescript library libraries developer package framework".split()
)


class NpmProvider:
    """Searches one registry and reads one address of counts."""

    name = PROVIDER
    offline = False

    def __init__(self, pool: HttpPool, access: Access) -> None:
        self._pool = pool
        self._counts = f"{access.url.rstrip('/')}/downloads/point/{PERIOD}/"
        self._search = f"{(access.registry_url or access.url).rstrip('/')}/-/v1/search"

    def covers(self, query: Query) -> bool:
        return query.kind in KINDS and is_technical(query.idea) and bool(package_words(query))

    def key(self, query: Query) -> str:
        return f"{self._search}|{self._counts}|{package_words(query)}|{HITS}"

    async def search(self, query: Query) -> Sequence[Found]:
        answer = await self._pool.get_json(
            self._search,
            {"text": package_words(query), "size": HITS},
            reuse_connections=query.reuse_connections,
        )
        objects = [row for row in rows(PROVIDER, answer, "objects")[:HITS] if _name(row)]
        plain = dict.fromkeys(name for name in map(_name, objects) if not name.startswith("@"))
        counts = await self._downloads(list(plain), query.reuse_connections) if plain else {}
        today = moment(answer.get("time"))
        pairs = ((row, counts.get(_name(row)) or _own_count(row, today)) for row in objects)
        return [found for row, downloads in pairs if (found := _found(row, downloads)) is not None]

    async def _downloads(self, names: list[str], reuse: bool) -> dict[str, dict[str, Any]]:
        """The counts by package name; packages without one are missing."""
        path = ",".join(quote(name, safe="") for name in names)
        try:
            answer = await self._pool.get_json(self._counts + path, reuse_connections=reuse)
        except PipelineError as error:
            # A package so young that nobody counted it.
            if error.metadata.get("status") == "404":
                return {}
            raise
        if not isinstance(answer, dict):
            raise malformed(PROVIDER, "without an object of counts")
        counts = (row for row in _single_or_many(answer) if isinstance(row, dict))
        return {name: row for row in counts if (name := string(row, "package"))}


def _single_or_many(answer: dict[str, Any]) -> list[Any]:
    """The counts of an answer; a package may itself be called "downloads"."""
    return [answer] if isinstance(answer.get("downloads"), int) else list(answer.values())


def package_words(query: Query) -> str:
    """The words to search packages with; "" where there is none that says more than that it is a package."""
    words = [w for w in whole_words(query, 2 * WORDS_MAX) if stem(w) not in _SAID_BY_ALL][:WORDS_MAX]
    text = " ".join(words)
    while len(text) not in SEARCH_CHARS and words:
        words.pop()
        text = " ".join(words)
    return text


def _own_count(row: dict[str, Any], today: datetime | None) -> dict[str, Any]:
    """The count that the search gives, in the shape of the counts; of the month to the day of the answer."""
    monthly = count(record(row.get("downloads")).get("monthly"))
    return {"downloads": monthly, "end": f"{today:%Y-%m-%d}"} if monthly and today else {}


def _name(row: dict[str, Any]) -> str:
    """The package's name; "" where it is none that npm gives, so that no name shapes another address."""
    name = string(record(row.get("package")), "name")
    fit = 0 < len(name) <= NAME_CHARS_MAX and name.isprintable() and not any(c in name for c in " ,?#%\\")
    return name if fit and ".." not in name and name.count("/") == name.startswith("@") else ""


def _found(row: dict[str, Any], counted: dict[str, Any]) -> Found | None:
    name, package = _name(row), record(row.get("package"))
    description = line(package.get("description"), DESCRIPTION_CHARS_MAX)
    released = moment(package.get("date"))
    licence = line(package.get("license"), 60)
    end = moment(counted.get("end"))
    downloads = count(counted.get("downloads")) if end is not None else 0
    said = f"{name}: {description}" if description else f"{name}."
    figure = None
    if downloads and end is not None:
        said += f"\nDownloads from npm in the month to {end:%Y-%m-%d}: {downloads:,}."
        figure = common_pb2.Figure(
            metric="npm.downloads.last_month", segment=name, value=downloads, unit="downloads", year=end.year
        )
    facts = [
        f"Latest release: {released:%Y-%m-%d}." if released else "",
        f"Licence: {licence}." if licence else "",
    ]
    if not description and figure is None:
        return None
    return Found(
        provider=PROVIDER,
        url=web_url(record(package.get("links")).get("npm")) or f"https://www.npmjs.com/package/{name}",
        title=f"{name} (npm)",
        text="\n".join([said, *(fact for fact in facts if fact)]),
        source_type=common_pb2.SOURCE_TYPE_DIRECTORY,
        author=line(record(package.get("publisher")).get("username"), 100),
        published_at=released,
        figure=figure,
        spans=((0, len(said)),),
        why="A package on npm. The first line is its own description; the rest is composed of recorded facts.",
        # A registry counts truthfully, but machines download too: in between.
        confidence=0.5,
    )


SOURCE = Source(
    PROVIDER,
    # No figure is published. A question makes two calls; counts change once a day.
    Terms(rate=0.5, burst=3, concurrency=2, calls_per_run=3, ttl_seconds=86_400.0),
    NpmProvider,
)
