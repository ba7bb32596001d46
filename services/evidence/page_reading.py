"""Search results become sources: the pages behind the best of them are read, once each, within a bound.

A search engine's excerpt is not what the page says. A result whose page could not be read stays an excerpt, which
is shown as unverified and never quoted in the deck.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from chassis.clock import Clock
from chassis.deadline import share_of_time
from chassis.resilience import timed
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2
from services.evidence.domain.coverage import source_missing
from services.evidence.domain.dedupe import canonical_url
from services.evidence.domain.model import Found, Query
from services.evidence.domain.scoring import lexical

if TYPE_CHECKING:
    from services.evidence.providers.pages import Page

# Pages read for one run. Each takes a second or so and yields two passages; a claim shows eight finds at most.
PAGES_MAX = 24
# Longest time that a run waits for all its pages together, and the share of what is left of the call's time.
READING_SECONDS = 25.0
READING_SHARE = 0.5


class Reader(Protocol):
    """Reads a page and says what stands in it; raises PipelineError where it cannot or may not."""

    async def read(self, url: str, *, caching: bool = True) -> Page: ...


@dataclass
class Lead:
    """A search result and the queries that it was found for."""

    found: Found
    wanted: list[Query]


@dataclass
class Readings:
    """What came of the leads."""

    sources: list[Lead] = field(default_factory=list)
    # Why pages could not be read, by what hindered it.
    hindered: Counter[str] = field(default_factory=Counter)

    def missing(self) -> list[common_pb2.Missing]:
        """One entry that sums up what was not read."""
        if not self.hindered:
            return []
        count = self.hindered.total()
        why = ", ".join(f"{number} {reason}" for reason, number in self.hindered.most_common())
        return [
            source_missing(
                "pages",
                common_pb2.MISSING_KIND_SOURCE_FAILED,
                f"{count} of the {count + self.read} pages chosen could not be read: {why}.",
                "Open the addresses yourself; what the search engine says of them is shown as unverified.",
                errors_pb2.ERROR_REASON_UPSTREAM_FAILED,
            )
        ]

    @property
    def read(self) -> int:
        """Pages whose text was read."""
        return sum(lead.found.origin == common_pb2.TEXT_ORIGIN_FETCHED_PAGE for lead in self.sources)


def choose(leads: Sequence[Lead], limit: int = PAGES_MAX) -> list[Lead]:
    """Return the most promising results, each page once, whoever found it and in whatever order they came."""
    pages: dict[str, Lead] = {}
    for lead in sorted(leads, key=lambda lead: (lead.found.url, lead.found.provider, lead.found.text)):
        known = pages.setdefault(canonical_url(lead.found.url), Lead(lead.found, []))
        known.wanted.extend(query for query in lead.wanted if query not in known.wanted)
    ranked = sorted(pages.values(), key=lambda lead: (-_promise(lead), lead.found.url))
    return ranked[:limit]


def _promise(lead: Lead) -> float:
    found = lead.found
    return max((lexical(q.terms or [q.text], found.text, found.title) for q in lead.wanted), default=0.0)


async def read_leads(leads: Sequence[Lead], reader: Reader, clock: Clock, *, caching: bool) -> Readings:
    """Read the pages of the leads side by side (the reader bounds how many at a time).

    A lead whose page cannot be read stays what it was.
    """
    readings = Readings()
    seconds = share_of_time(READING_SECONDS, READING_SHARE)
    results = await asyncio.gather(*(_read(lead, reader, clock, caching, seconds) for lead in leads))
    for lead, result in zip(leads, results, strict=True):
        if isinstance(result, Found):
            readings.sources.append(Lead(result, lead.wanted))
        else:
            readings.sources.append(lead)
            readings.hindered[result] += 1
    return readings


async def _read(lead: Lead, reader: Reader, clock: Clock, caching: bool, seconds: float) -> Found | str:
    """The lead as its page says it, or what hindered it."""
    found = lead.found

    async def read(url: str) -> Page:
        return await reader.read(url, caching=caching)

    op = timed(read, seconds, clock, name="page")
    try:
        page = await op(found.url)
    except PipelineError as error:
        return hindrance(error)
    return replace(
        found,
        url=page.final_url,
        title=page.title or found.title,
        text=page.text,
        author=page.author or found.author,
        published_at=page.published_at or found.published_at,
        spans=(),
        origin=common_pb2.TEXT_ORIGIN_FETCHED_PAGE,
        flags=page.flags,
    )


_CAUSES = {
    "robots": "closed to programs by robots.txt",
    "address": "at an address that is not public",
    "content_type": "of a kind that is not read",
    "too_large": "too large",
    "unreadable": "without readable text",
    "resting": "on a host that rests after failures",
    "outside": "outside of the places that this server reads",
    "redirect": "at the end of too many redirects",
    "connect": "out of reach",
}


def hindrance(error: PipelineError) -> str:
    """Why a page could not be read, as what completes "the page is ..."."""
    if error.reason == errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED:
        return "too slow"
    if error.reason == errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED:
        return "asking for fewer visits"
    status = error.metadata.get("status", "")
    if status in ("404", "410"):
        return "gone"
    if status in ("401", "403", "451"):
        return "closed to programs"
    return _CAUSES.get(error.metadata.get("cause", ""), "failing")
