"""World Bank: what an indicator of the field says about the whole world, newest years.

`GET {base}/v2/country/WLD/indicator/{id}?format=json&mrnev=6&per_page=6` (no key; XML unless format=json; `mrnev`
are the most recent years that have a value). The answer is `[meta, rows]`, rows null where there are none. Errors
come with HTTP 200 as `[{"message": [{"id": "120", "key", "value"}]}]`. No limit is published.

Which indicator is asked for is decided by a table (`worldbank_indicators`); an idea that no row fits is not asked
about. A figure of the world is a base rate, never a finding about the idea, and is rated as one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from chassis.pool import HttpPool
from pipeline.v1 import common_pb2
from services.evidence.domain.model import Found, Query
from services.evidence.providers.base import Access, Source, Terms
from services.evidence.providers.questions import request_key
from services.evidence.providers.reading import json_of, line, record, records, string, year
from services.evidence.providers.refusals import malformed, refused
from services.evidence.providers.worldbank_indicators import Indicator, indicator_for

PROVIDER = "worldbank"
COUNTRY = "WLD"
YEARS = 6
# As good as a base rate fits any idea of its field: never enough to cover a claim (coverage.COVERING_RELEVANCE).
FIT = 0.5
_UNIT = re.compile(r"\(([^()]{1,60})\)\s*\Z")


class WorldBankProvider:
    """Asks one World Bank API."""

    name = PROVIDER
    offline = False

    def __init__(self, pool: HttpPool, access: Access) -> None:
        self._pool = pool
        self._base = f"{access.url.rstrip('/')}/v2/country/{COUNTRY}/indicator"

    def covers(self, query: Query) -> bool:
        return indicator_for(query) is not None

    def key(self, query: Query) -> str:
        indicator = indicator_for(query)
        compared = "compared" if query.kind == common_pb2.CLAIM_KIND_TIMING else "newest"
        return request_key(self._address(indicator), _PARAMS) + f"|{compared}"

    async def search(self, query: Query) -> Sequence[Found]:
        indicator = indicator_for(query)
        if indicator is None:
            return []
        response = await self._pool.request(
            "GET",
            self._address(indicator),
            params=_PARAMS,
            headers={"Accept": "application/json"},
            reuse_connections=query.reuse_connections,
        )
        answer = json_of(PROVIDER, response)
        meta = records(answer, 1)
        if meta and "message" in meta[0]:
            faults = records(meta[0].get("message"), 1)
            raise refused(PROVIDER, response, string(faults[0], "id") if faults else "")
        if not isinstance(answer, list) or len(answer) != 2 or not meta or not isinstance(answer[1], list | None):
            raise malformed(PROVIDER, "with something else than [meta, rows]")
        found = _found(indicator, records(answer[1], 2 * YEARS), compared=query.kind == common_pb2.CLAIM_KIND_TIMING)
        return [found] if found is not None else []

    def _address(self, indicator: Indicator | None) -> str:
        return f"{self._base}/{indicator.id if indicator is not None else ''}"


_PARAMS: dict[str, str | int] = {"format": "json", "mrnev": YEARS, "per_page": YEARS}


def _found(indicator: Indicator, rows: list[dict[str, Any]], *, compared: bool) -> Found | None:
    """The newest value as a source, the oldest of the page as its baseline where a trend is asked about."""
    known = sorted((point for row in rows if (point := _point(row)) is not None), reverse=True)
    named = [name for row in rows if (name := line(record(row.get("indicator")).get("value")))]
    places = [place for row in rows if (place := line(record(row.get("country")).get("value"), 100))]
    if not known or not named or not places:
        return None
    name, place = named[0], places[0]
    unit = match[1] if (match := _UNIT.search(name)) else ""
    (new_year, new), (old_year, old) = known[0], known[-1]
    text = f"{place}, {name}: {_number(new)} in {new_year}"
    text += f"; {_number(old)} in {old_year}." if old_year != new_year else "."
    # Only a trend has a direction, and only where more of it means more demand.
    trend = compared and indicator.growth_helps and old_year != new_year
    return Found(
        provider=PROVIDER,
        url=f"https://data.worldbank.org/indicator/{indicator.id}?locations=1W",
        title=f"{name}, {place}",
        text=text,
        source_type=common_pb2.SOURCE_TYPE_GOVERNMENT,
        author="World Bank",
        year=new_year,
        figure=_figure(indicator, place, new, unit, new_year),
        baseline=_figure(indicator, place, old, unit, old_year) if trend else None,
        more_is_better=True if trend else None,
        spans=((0, len(text)),),
        fit=FIT,
        why=f"World Bank indicator {indicator.id}, values put into a sentence; asked for because {indicator.why}.",
        # Compiled from national statistics by a stated method: near the top of what official figures can be.
        confidence=0.8,
    )


def _point(row: dict[str, Any]) -> tuple[int, float] | None:
    """(year, value as it is shown), None for a row without either."""
    value, date = row.get("value"), string(row, "date")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or abs(value) > 1e15:
        return None
    of_year = year(int(date)) if date.isascii() and date.isdigit() and len(date) == 4 else 0
    return (of_year, _shown(value)) if of_year else None


def _shown(value: float) -> float:
    """Rounded as a reader wants it: whole from 1,000 on, else two places."""
    return float(round(value)) if abs(value) >= 1_000 else round(float(value), 2)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}".rstrip("0")


def _figure(indicator: Indicator, place: str, value: float, unit: str, of_year: int) -> common_pb2.Figure:
    return common_pb2.Figure(
        metric=f"worldbank.{indicator.id}", segment=place, value=value, unit=unit[:60], year=of_year
    )


SOURCE = Source(
    PROVIDER,
    # No limit is published; figures change a few times a year.
    Terms(rate=2.0, burst=3, concurrency=2, calls_per_run=3, timeout_seconds=15.0, ttl_seconds=7 * 86_400.0),
    WorldBankProvider,
)
