"""SEC: filings of companies listed in the United States whose text holds the words, since 2001.

`GET {base}/LATEST/search-index?q="food waste" households&forms=10-K,20-F,S-1` (no key; 100 hits a page, 10,000
reachable). sec.gov asks every program for a User-Agent with a contact and at most 10 requests a second, and
answers 403 with an HTML page otherwise: "Undeclared Automated Tool", or "Request Rate Threshold Exceeded", which
ends ten minutes after the rate has fallen. A hit has no excerpt: `_id` is "accession:file", `_source` names the
company, form, date and period. The text is those facts in a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import Any

from chassis.http_answer import RETRY_AFTER_SECONDS_MAX
from chassis.pool import HttpPool
from pipeline.v1 import common_pb2
from services.evidence.domain.model import Found, Query
from services.evidence.domain.words import stems
from services.evidence.providers.base import Access, Source, Terms
from services.evidence.providers.questions import phrases, request_key
from services.evidence.providers.reading import first_string, json_of, line, moment, record, rows, string
from services.evidence.providers.refusals import refused, throttled

PROVIDER = "sec"
# Each must stand in the filing.
PHRASES_MAX = 2
# Looked through for a phrase, which says more than a word.
NAMES_MAX = 4
HITS = 10
# Annual reports and prospectuses describe a business, its market and its rivals; other forms report events.
FORMS = "10-K,20-F,S-1,F-1,1-A"
KINDS = frozenset(
    {
        common_pb2.CLAIM_KIND_MARKET_SIZE,
        common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY,
        common_pb2.CLAIM_KIND_COMPETITION,
    }
)
_ACCESSION = re.compile(r"(\d{10}-\d{2}-\d{6}):([\w.-]{1,120})", re.ASCII)
_IN_NAME = re.compile(r"\s*\((?:CIK\s*\d+|[A-Z0-9.,\s-]{1,60})\)")
_FORM = re.compile(r"[A-Z0-9/ -]{1,20}")


class SecProvider:
    """Searches one full-text index of EDGAR."""

    name = PROVIDER
    offline = False

    def __init__(self, pool: HttpPool, access: Access) -> None:
        self._pool = pool
        self._url = f"{access.url.rstrip('/')}/LATEST/search-index"
        self._clock = access.clock

    def covers(self, query: Query) -> bool:
        return query.kind in KINDS and bool(full_text(query))

    def key(self, query: Query) -> str:
        return request_key(self._url, _params(query))

    async def search(self, query: Query) -> Sequence[Found]:
        params = _params(query)
        response = await self._pool.request(
            "GET",
            self._url,
            params=params,
            headers={"Accept": "application/json"},
            reuse_connections=query.reuse_connections,
            answers={403},
        )
        if response.status == 403:
            if b"Request Rate Threshold" in response.body:
                raise throttled(PROVIDER, response, self._clock, RETRY_AFTER_SECONDS_MAX)
            raise refused(PROVIDER, response)
        hits = rows(PROVIDER, json_of(PROVIDER, response), "hits", "hits")[:HITS]
        return [found for hit in hits if (found := _found(hit, params["q"])) is not None]


def full_text(query: Query) -> str:
    """The strongest phrase in quotes and the strongest other name; "" for a single word, which any filing holds."""
    names = phrases(query, NAMES_MAX)
    phrase = next((name for name in names if " " in name), "")
    if not phrase:
        return " ".join(names[:PHRASES_MAX]) if len(names) > 1 else ""
    # A word of the phrase adds nothing to it.
    others = (name for name in names if not set(stems(name)) <= set(stems(phrase)))
    return " ".join(f'"{name}"' if " " in name else name for name in [phrase, *islice(others, PHRASES_MAX - 1)])


def _params(query: Query) -> dict[str, str]:
    return {"q": full_text(query), "forms": FORMS}


def _found(hit: dict[str, Any], words: str) -> Found | None:
    """A filing as a source; None without a company, a form, a date or an address of its document."""
    facts = record(hit.get("_source"))
    place = _ACCESSION.fullmatch(string(hit, "_id"))
    company = line(_IN_NAME.sub("", first_string(facts.get("display_names"))), 120)
    cik = first_string(facts.get("ciks"))
    form = string(facts, "form") or string(facts, "file_type") or first_string(facts.get("root_forms"))
    filed = moment(facts.get("file_date"))
    if place is None or not company or not re.fullmatch(r"[0-9]{1,10}", cik) or filed is None:
        return None
    if not _FORM.fullmatch(form):
        return None
    period = moment(facts.get("period_ending"))
    of_period = f" for the period that ended on {period.date()}" if period is not None else ""
    filing = f"{company} filed form {form}{of_period} with the SEC on {filed.date()}"
    return Found(
        provider=PROVIDER,
        url=f"https://www.sec.gov/Archives/edgar/data/{int(cik)}/{place[1].replace('-', '')}/{place[2]}",
        title=f"{company}: form {form} of {filed.date()}",
        text=f"{filing}; full-text search lists it for {words}.",
        source_type=common_pb2.SOURCE_TYPE_COMPANY,
        author=company,
        published_at=filed,
        why="Facts of an SEC full-text hit, put into a sentence; the filing itself was not read.",
        # Filed under liability, but what it says about the words is not known.
        confidence=0.5,
    )


SOURCE = Source(
    PROVIDER,
    # 10 a second are allowed over all of sec.gov; two are enough for one run after another.
    Terms(rate=2.0, burst=3, concurrency=2, calls_per_run=3, ttl_seconds=86_400.0),
    SecProvider,
    lacks=lambda access: "" if access.contact else "PIPELINE_CONTACT is empty",
)
