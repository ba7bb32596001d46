"""Keeps what every number of the deck rests on, and writes statements that carry it along.

A builder never formats a number into a sentence by hand: it asks the ledger for a `Part` (text plus the ids that
cover its numbers) and lets `say` put parts into a template. The ids of the parts become the ids of the statement, so a
number cannot lose its source on the way. Marks ([1], A1) are given at the end, in the order of first use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from chassis.figures import BenchmarkFigure
from pipeline.v1 import common_pb2, pitch_pb2
from services.pitch.domain import numbers, words

Formatter = Callable[[float], str]
_SLUG = re.compile(r"[^a-z0-9]+")
# Longest text of a source that any slide shows.
SHOWN_MAX = 600


@dataclass(frozen=True)
class Part:
    """A piece of text with the ids that cover its numbers."""

    text: str
    citations: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Row:
    """A table row: cells that may be parts."""

    cells: tuple[Part | str, ...]


@dataclass
class Ledger:
    """Citations and assumptions of one deck."""

    names: tuple[str, ...] = ()
    _citations: dict[str, common_pb2.Citation] = field(default_factory=dict)
    _citation_values: dict[str, tuple[float, ...]] = field(default_factory=dict)
    _assumptions: dict[str, common_pb2.Assumption] = field(default_factory=dict)
    _inputs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _formats: dict[str, Formatter] = field(default_factory=dict)

    # Sources

    def cite(self, item: common_pb2.EvidenceItem) -> tuple[str, ...]:
        """Registers an evidence item as a source; returns the ids to put on a statement."""
        if item.id not in self._citations:
            quote = words.clean(item.quote, SHOWN_MAX)
            title = words.clean(item.title, 160) or words.host(item.url) or words.clean(item.provider, 40)
            citation = common_pb2.Citation(
                id=item.id, title=title, url=item.url, quote=quote, confidence=_confidence(item.credibility)
            )
            if item.HasField("published_at"):
                citation.published_at.CopyFrom(item.published_at)
            self._citations[item.id] = citation
            facts = item.product
            called = (item.title, title, words.host(item.url))
            said = (item.quote, *called, facts.name, facts.category, facts.license, *facts.alternative_to)
            # As they stand at the source, and as they are shown: cleaning may join what an invisible sign parted.
            values = list(numbers.values_in(*said, *(words.clean(text, SHOWN_MAX) for text in said)))
            if item.HasField("figure"):
                values += [item.figure.value, float(item.figure.year)]
            if item.HasField("published_at"):
                values.append(float(item.published_at.ToDatetime().year))
            values.append(float(item.product.stars))
            self._citation_values[item.id] = tuple(values)
        return (item.id,)

    def cite_figure(self, figure: BenchmarkFigure) -> tuple[str, ...]:
        """Registers a benchmark figure as a source."""
        if figure.citation_id not in self._citations:
            self._citations[figure.citation_id] = figure.citation()
            values = [*numbers.values_in(figure.segment, figure.source_title)]
            if figure.value is not None:
                values.append(float(figure.value))
            if figure.year:
                values.append(float(figure.year))
            self._citation_values[figure.citation_id] = tuple(values)
        return (figure.citation_id,)

    def figure(self, figure: BenchmarkFigure, shown: Formatter) -> Part:
        """The figure's value in words with its source."""
        return Part(shown(float(figure.value or 0.0)), self.cite_figure(figure))

    def source_note(self, figure: BenchmarkFigure, text: str) -> Part:
        """Text whose numbers (a year, a sample size) stand in the figure's own record."""
        return Part(text, self.cite_figure(figure))

    def quote(self, item: common_pb2.EvidenceItem, limit: int = 190) -> Part:
        """The item's quote in quotation marks, cut at a word where it is long."""
        text = words.clean(item.quote, limit) or words.clean(item.title, limit)
        inner = text.strip('“”" ')
        return Part(f"“{inner}”", self.cite(item))

    # Assumptions

    def assume(
        self,
        id_: str,
        label: str,
        value: float,
        low: float,
        high: float,
        *,
        unit: str,
        basis: str,
        shown: Formatter,
    ) -> str:
        """Registers a number that is assumed, with its plausible range and why; returns its id."""
        if not basis:
            raise ValueError(f"assumption {id_!r} needs a basis")
        return self._put(id_, label, value, low, high, unit, basis, "", shown)

    def taken(
        self,
        id_: str,
        label: str,
        figure: BenchmarkFigure,
        low: float,
        high: float,
        *,
        unit: str,
        shown: Formatter,
        basis: str = "",
    ) -> str:
        """Registers a planning number whose value is a cited figure; `basis` says where the range comes from."""
        self.cite_figure(figure)
        value = float(figure.value or 0.0)
        return self._put(id_, label, value, min(low, value), max(high, value), unit, basis, figure.citation_id, shown)

    def derive(
        self,
        id_: str,
        label: str,
        value: float,
        low: float,
        high: float,
        *,
        unit: str,
        formula: str,
        inputs: Iterable[str],
        shown: Formatter,
    ) -> str:
        """Registers a number computed from assumptions; the formula is in words, the inputs are their ids."""
        self._inputs[id_] = tuple(dict.fromkeys(inputs))
        return self._put(id_, label, value, min(low, value), max(high, value), unit, f"Computed: {formula}.", "", shown)

    def num(self, id_: str, which: str = "value") -> Part:
        """An assumption's value ("value", "low" or "high") in words. A cited value carries its citation as well."""
        assumption = self._assumptions[id_]
        text = self._formats[id_](float(getattr(assumption, which)))
        cited = (assumption.citation_id,) if assumption.citation_id and which == "value" else ()
        return Part(text, cited, () if cited else (id_,))

    def span(self, id_: str) -> Part:
        """An assumption's range: "$29 to $250"."""
        assumption, shown = self._assumptions[id_], self._formats[id_]
        low, high = shown(assumption.low), shown(assumption.high)
        return Part(low if low == high else f"{low} to {high}", (), (id_,))

    def value(self, id_: str) -> tuple[float, float, float]:
        """Low, value and high of an assumption."""
        assumption = self._assumptions[id_]
        return assumption.low, assumption.value, assumption.high

    def label(self, id_: str) -> str:
        """What an assumption means in words."""
        return self._assumptions[id_].label

    def own(self, text: str, limit: int = 200, origin: str = "the idea") -> Part:
        """The founder's or the validation's own words; each number in them is marked as stated, not checked."""
        text = words.clean(text, limit)
        ids = []
        for number in numbers.find_numbers(text, self.names):
            slug = _SLUG.sub("-", f"{origin} {number.text}".lower()).strip("-")
            id_ = f"stated-{slug}"
            self._put(
                id_,
                f"“{number.text}” as {origin} states it",
                number.value,
                number.value,
                number.value,
                "",
                "Stated in the text, not checked against a source.",
                "",
                _always(number.text),
            )
            ids.append(id_)
        return Part(text, (), tuple(dict.fromkeys(ids)))

    def _put(
        self,
        id_: str,
        label: str,
        value: float,
        low: float,
        high: float,
        unit: str,
        basis: str,
        citation_id: str,
        shown: Formatter,
    ) -> str:
        if not low <= value <= high:
            raise ValueError(f"assumption {id_!r}: {value} is outside of {low} to {high}")
        self._assumptions[id_] = common_pb2.Assumption(
            id=id_,
            label=label,
            value=value,
            unit=unit,
            low=low,
            high=high,
            citation_id=citation_id,
            basis=basis,
        )
        self._formats[id_] = shown
        return id_

    # Statements

    def say(self, template: str, /, *, placeholder: bool = False, **slots: Part | str) -> pitch_pb2.Statement:
        """A statement from a template; `{name}` takes a slot, whose ids the statement inherits."""
        text = words.sentence(template.format(**{name: str(part) for name, part in slots.items()}))
        used = [part for part in slots.values() if isinstance(part, Part)]
        return pitch_pb2.Statement(
            text=words.clip(text, 320),
            citation_ids=_merged(part.citations for part in used),
            assumption_ids=_merged(part.assumptions for part in used),
            is_placeholder=placeholder,
        )

    def title(self, template: str, /, fallback: str, **slots: Part | str) -> str:
        """A slide title. A title carries no marks, so it takes the fallback where a slot brings a number along."""
        text = words.capital(template.format(**{name: str(part) for name, part in slots.items()}))
        if len(text) > 110 or numbers.find_numbers(text, self.names):
            return words.capital(fallback)
        return text

    def table(self, header: Sequence[str], rows: Sequence[Row]) -> pitch_pb2.Table:
        """A table whose rows inherit the ids of their cells."""
        table = pitch_pb2.Table(header=header)
        for row in rows:
            parts = [cell for cell in row.cells if isinstance(cell, Part)]
            table.rows.add(
                cells=[str(cell) for cell in row.cells],
                citation_ids=_merged(part.citations for part in parts),
                assumption_ids=_merged(part.assumptions for part in parts),
            )
        return table

    # Closing the books

    def coverage(self) -> numbers.Coverage:
        """Which values each id carries, for the check of the finished slides."""
        return numbers.Coverage(
            self._citation_values,
            {key: self._carried(key) for key in self._assumptions},
            self.names,
        )

    def _carried(self, id_: str) -> tuple[float, ...]:
        """The values an assumption vouches for, also as rounded for display (59,172 is shown as 59,200)."""
        assumption, shown = self._assumptions[id_], self._formats[id_]
        displayed = [shown(value) for value in (assumption.low, assumption.value, assumption.high)]
        return (*numbers.values_of_assumption(assumption), *numbers.values_in(*displayed))

    def used(self, slides: Sequence[pitch_pb2.Slide]) -> Marks:
        """Marks for what the slides use and for what that was computed from, in the order of first use."""
        citations: dict[str, None] = {}
        assumptions: dict[str, None] = {}
        for slide in slides:
            for ids in covering_ids(slide):
                for key in ids[0]:
                    citations.setdefault(key)
                for key in ids[1]:
                    assumptions.setdefault(key)
        queue = list(assumptions)
        while queue:
            key = queue.pop(0)
            for needed in self._inputs.get(key, ()):
                if needed not in assumptions:
                    assumptions.setdefault(needed)
                    queue.append(needed)
        for key in assumptions:
            if cited := self._assumptions[key].citation_id:
                citations.setdefault(cited)
        return Marks(
            tuple(self._citations[key] for key in citations),
            tuple(self._assumptions[key] for key in assumptions),
            dict(self._inputs),
            {key: self._shown(key) for key in assumptions},
        )

    def _shown(self, id_: str) -> tuple[str, str]:
        assumption, shown = self._assumptions[id_], self._formats[id_]
        value = shown(assumption.value)
        if assumption.low == assumption.high:
            return value, ""
        return value, f"{shown(assumption.low)} – {shown(assumption.high)}"


class Marks:
    """The marks of the deck: [n] per source page, An per assumption, and what each stands for."""

    def __init__(
        self,
        citations: tuple[common_pb2.Citation, ...],
        assumptions: tuple[common_pb2.Assumption, ...],
        inputs: Mapping[str, tuple[str, ...]],
        shown: Mapping[str, tuple[str, str]],
    ) -> None:
        self.citations = citations
        self.assumptions = assumptions
        self.inputs = inputs
        # Value and range of each assumption, formatted.
        self.shown = shown
        # Figures of one page share a number: readers follow pages, not figures.
        pages: dict[tuple[str, str], int] = {}
        self._citation_number: dict[str, int] = {}
        for citation in citations:
            key = (citation.url, "" if citation.url else citation.title)
            self._citation_number[citation.id] = pages.setdefault(key, len(pages) + 1)
        self._assumption_number = {item.id: place for place, item in enumerate(assumptions, 1)}

    def citation_number(self, id_: str) -> int:
        """The n of [n]."""
        return self._citation_number[id_]

    def assumption_number(self, id_: str) -> int:
        """The n of An."""
        return self._assumption_number[id_]

    def pages(self) -> list[tuple[int, list[common_pb2.Citation]]]:
        """Source pages in the order of their marks, each with the citations that point to it."""
        grouped: dict[int, list[common_pb2.Citation]] = {}
        for citation in self.citations:
            grouped.setdefault(self._citation_number[citation.id], []).append(citation)
        return sorted(grouped.items())

    def of(self, citation_ids: Iterable[str], assumption_ids: Iterable[str]) -> list[str]:
        """Marks to show beside a statement: "[3]", "A7"."""
        cited = sorted({self._citation_number[key] for key in citation_ids})
        assumed = sorted({self._assumption_number[key] for key in assumption_ids})
        return [*(f"[{number}]" for number in cited), *(f"A{number}" for number in assumed)]


def covering_ids(slide: pitch_pb2.Slide) -> Iterable[tuple[Sequence[str], Sequence[str]]]:
    """(citation ids, assumption ids) of each statement, table row and chart of a slide."""
    for statement in slide.statements:
        yield statement.citation_ids, statement.assumption_ids
    for row in slide.table.rows:
        yield row.citation_ids, row.assumption_ids
    if slide.HasField("chart"):
        yield slide.chart.citation_ids, slide.chart.assumption_ids


def _merged(groups: Iterable[tuple[str, ...]]) -> list[str]:
    return list(dict.fromkeys(key for group in groups for key in group))


def _confidence(credibility: float) -> str:
    return "high" if credibility >= 0.7 else "medium" if credibility >= 0.45 else "low"


def _always(text: str) -> Formatter:
    return lambda _value: text
