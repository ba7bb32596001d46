"""Finds the numbers in a text and checks that each is covered by a citation or an assumption.

A number is a run of digits that stands for a quantity. Not numbers: digits inside a word ("B2B", "Web3"), digits of a
product's own name, names of rules ("article 9"), and the deck's own ordinals and marks ("Year 2", "[3]"). A number is
*covered* when one of the citation or assumption ids of its statement carries the same value to the precision that is
shown: "$1.2M" is covered by 1,234,567 but not by 1,340,000. So a mark beside a statement is not decoration: the value
is in it. A row in the list of sources is the citation itself: the numbers in its title and site are part of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from pipeline.v1 import common_pb2, pitch_pb2

_SCALES = {
    "k": 1e3,
    "m": 1e6,
    "b": 1e9,
    "bn": 1e9,
    "thousand": 1e3,
    "million": 1e6,
    "billion": 1e9,
    "trillion": 1e12,
}
_NUMBER = re.compile(
    r"(?<![\w.,])(?<![A-Za-z]-)"
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"(?:(?P<scale>k|K|M|B|bn)(?![\w])|\s(?P<word>thousand|million|billion|trillion)\b|(?!\w))"
    r"|(?<![\w.,])(?P<times>\d+(?:\.\d+)?)x\b"
)
_LEGAL = re.compile(r"\b(?:article|part|section|title|chapter|rule|annex) \d+[a-z]?\b", re.IGNORECASE)
_ORDINAL = re.compile(r"\[\d+\]|\b(?:Year|Month|Quarter|Slide|Step|year|month|slide)s? \d+(?: (?:and|to|–) \d+)?\b")


class UncoveredNumberError(AssertionError):
    """A slide shows a number that nothing covers."""


class Number(NamedTuple):
    """A number as it stands in a text: its words, its value, and half a unit of its last shown place."""

    text: str
    value: float
    tolerance: float


def find_numbers(text: str, names: Sequence[str] = ()) -> list[Number]:
    """The numbers of a text in order; digits in `names` (product names) and deck ordinals do not count."""
    for name in names:
        if name and any(ch.isdigit() for ch in name):
            # On its own only: the name "000" is no part of 200,000.
            text = re.sub(rf"(?<![\w.,$€]){re.escape(name)}(?!\w|[.,]\d)", " ", text, flags=re.IGNORECASE)
    text = _LEGAL.sub(" ", _ORDINAL.sub(" ", text))
    found = []
    for match in _NUMBER.finditer(text):
        digits = (match["digits"] or match["times"]).replace(",", "")
        scale = _SCALES.get((match["scale"] or match["word"] or "").lower(), 1.0)
        places = len(digits.partition(".")[2])
        found.append(Number(match.group(0), float(digits) * scale, 0.5 * 10.0**-places * scale))
    return found


class Coverage:
    """Which values each citation id and each assumption id carries."""

    def __init__(
        self,
        citations: Mapping[str, Iterable[float]],
        assumptions: Mapping[str, Iterable[float]],
        names: Sequence[str] = (),
    ) -> None:
        self._citations = {key: tuple(values) for key, values in citations.items()}
        self._assumptions = {key: tuple(values) for key, values in assumptions.items()}
        self.names = tuple(names)

    def covered_by(self, number: Number, citation_ids: Iterable[str], assumption_ids: Iterable[str]) -> str:
        """Says "cited", "assumed", or "" where no id carries the value."""
        if any(_same(number, value) for key in citation_ids for value in self._citations.get(key, ())):
            return "cited"
        if any(_same(number, value) for key in assumption_ids for value in self._assumptions.get(key, ())):
            return "assumed"
        return ""

    def covers(self, text: str, citation_ids: Sequence[str], assumption_ids: Sequence[str]) -> bool:
        """Whether one of the ids carries each number of a text."""
        return all(self.covered_by(number, citation_ids, assumption_ids) for number in find_numbers(text, self.names))

    def covers_values(self, chart: pitch_pb2.Chart) -> bool:
        """Whether one of the chart's ids carries each of its values."""
        return all(
            self.covered_by(_plotted(value), chart.citation_ids, chart.assumption_ids)
            for series in chart.series
            for value in series.values
        )

    def check_text(self, where: str, text: str, citation_ids: Sequence[str], assumption_ids: Sequence[str]) -> Tally:
        """Counts the numbers of a text; raises UncoveredNumberError for one that no id carries."""
        tally = Tally(0, 0)
        for number in find_numbers(text, self.names):
            kind = self.covered_by(number, citation_ids, assumption_ids)
            if not kind:
                raise UncoveredNumberError(f"{where}: {number.text!r} in {text!r} has no citation or assumption")
            tally = tally.plus(kind)
        return tally

    def check_slide(self, slide: pitch_pb2.Slide) -> Tally:
        """Counts the numbers of a slide's title, statements, table and chart; raises where one is not covered."""
        where = f"slide {slide.number} ({pitch_pb2.SlideType.Name(slide.type)})"
        tally = self.check_text(f"{where} title", slide.title, (), ())
        for statement in slide.statements:
            tally = tally.add(self.check_text(where, statement.text, statement.citation_ids, statement.assumption_ids))
        for cell in slide.table.header:
            tally = tally.add(self.check_text(f"{where} header", cell, (), ()))
        for row in slide.table.rows:
            if lists_a_source(slide, row):
                continue
            for cell in row.cells:
                tally = tally.add(self.check_text(f"{where} table", cell, row.citation_ids, row.assumption_ids))
        chart = slide.chart
        for text in chart_texts(chart):
            tally = tally.add(self.check_text(f"{where} chart", text, chart.citation_ids, chart.assumption_ids))
        for series in chart.series:
            for value in series.values:
                kind = self.covered_by(_plotted(value), chart.citation_ids, chart.assumption_ids)
                if not kind:
                    raise UncoveredNumberError(f"{where} chart: {value!r} of {series.name!r} is not covered")
                tally = tally.plus(kind)
        return tally


class Tally(NamedTuple):
    """How many numbers were cited and how many assumed."""

    cited: int
    assumed: int

    def plus(self, kind: str) -> Tally:
        """One more number of the kind."""
        return Tally(self.cited + (kind == "cited"), self.assumed + (kind == "assumed"))

    def add(self, other: Tally) -> Tally:
        """Both counts together."""
        return Tally(self.cited + other.cited, self.assumed + other.assumed)


def lists_a_source(slide: pitch_pb2.Slide, row: pitch_pb2.TableRow) -> bool:
    """Whether a row is a source's entry in the list of sources, and so the citation itself."""
    return slide.type == pitch_pb2.SLIDE_TYPE_SOURCES and bool(row.citation_ids) and not row.assumption_ids


def chart_texts(chart: pitch_pb2.Chart) -> list[str]:
    """Every text of a chart."""
    return [chart.title, *chart.categories, *(series.name for series in chart.series)]


def _plotted(value: float) -> Number:
    return Number(f"{value:g}", value, max(abs(value) * 1e-6, 1e-9))


def values_in(*texts: str) -> tuple[float, ...]:
    """All values that stand in the given texts, ordinals included: what a quote can vouch for.

    "5 million" vouches for 5 as well: a long quote may be cut between the two words.
    """
    found: dict[float, None] = {}
    for text in texts:
        for match in _NUMBER.finditer(text):
            digits = float((match["digits"] or match["times"]).replace(",", ""))
            found[digits] = None
            found[digits * _SCALES.get((match["scale"] or match["word"] or "").lower(), 1.0)] = None
    return tuple(found)


def values_of_assumption(assumption: common_pb2.Assumption) -> tuple[float, ...]:
    """Value, lowest and highest value, and the numbers in its label."""
    return (assumption.value, assumption.low, assumption.high, *values_in(assumption.label))


def _same(number: Number, value: float) -> bool:
    if not math.isfinite(value):
        return False
    return abs(number.value - value) <= number.tolerance * (1 + 1e-9) + abs(value) * 1e-9


# Formats for display. Derived figures carry two or three significant digits: more would feign precision.


def money(value: float) -> str:
    """Dollars: $2.05, $36, $1,270, $2.8M, $4.7B; three significant digits from a thousand on."""
    sign, value = ("-" if value < 0 else ""), abs(value)
    if value >= 999_500_000:
        return f"{sign}${_short(value / 1e9)}B"
    if value >= 999_500:
        return f"{sign}${_short(value / 1e6)}M"
    if value >= 1_000:
        return f"{sign}${_significant(value):,.0f}"
    if value >= 100 or value == round(value):
        return f"{sign}${value:,.0f}"
    return f"{sign}${value:,.2f}"


def count(value: float) -> str:
    """People or firms: 130 million, 220,000, 85."""
    if value >= 999_500_000:
        return f"{_short(value / 1e9)} billion"
    if value >= 999_500:
        return f"{_short(value / 1e6)} million"
    if value >= 1_000:
        return f"{_significant(value):,.0f}"
    return f"{value:,.0f}" if value >= 10 or value == round(value) else f"{value:,.1f}"


def percent(value: float) -> str:
    """8.05%, 77%: as many places as the value has, two at most."""
    return f"{value:.2f}".rstrip("0").rstrip(".") + "%"


def times(value: float) -> str:
    """Multiples: 3x, 0.17x."""
    if value >= 10:
        return f"{value:.0f}x"
    return (f"{value:.1f}" if value >= 1 else f"{value:.2f}").rstrip("0").rstrip(".") + "x"


def months(value: float) -> str:
    """18 months, 14.7 months."""
    return f"{value:.0f} months" if value >= 24 or value == round(value) else f"{value:.1f} months"


def _significant(value: float, digits: int = 3) -> float:
    magnitude = math.floor(math.log10(value))
    return round(value, digits - 1 - magnitude)


def _short(value: float) -> str:
    """Three significant digits without trailing zeros."""
    places = 0 if value >= 99.95 else 1 if value >= 9.995 else 2
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
