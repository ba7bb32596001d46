"""The starter set of benchmark figures: ad prices, conversion and survival rates, rounds, SaaS metrics.

Each is a published number with its source, year and a confidence; the facts stand in `data/benchmarks.json`.
Whoever plans with one cites it by its id.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources

from pipeline.v1 import common_pb2

ALL_INDUSTRIES = "all industries"

_CONFIDENCE_ORDER = {"high": 0, "medium": 1, "low": 2}


@dataclass(frozen=True)
class BenchmarkFigure:
    """One published number. `unit` is "%", "USD", "months", ...; `year` is 0 when the source names none."""

    metric: str
    segment: str
    value: float
    unit: str
    year: int
    source_title: str
    source_url: str
    confidence: str

    @cached_property
    def citation_id(self) -> str:
        """`fig-` + metric, segment, year as a slug + 4 hex digits: the same figure, the same id, always."""
        identity = "|".join((self.metric, self.segment, str(self.year), self.source_url, repr(self.value)))
        year = str(self.year) if self.year else ""
        slug = re.sub(r"[^a-z0-9]+", "-", f"{self.metric} {self.segment} {year}".lower()).strip("-")[:60]
        return f"fig-{slug.strip('-')}-{hashlib.sha256(identity.encode()).hexdigest()[:4]}"

    @property
    def value_text(self) -> str:
        """The number as a reader expects it: "6.64%", "$5.42", "18 months"."""
        number = f"{self.value:,.2f}".rstrip("0").rstrip(".") if self.value % 1 else f"{self.value:,.0f}"
        if self.unit == "USD":
            cents = f"{abs(self.value):,.2f}" if self.value % 1 else f"{abs(self.value):,.0f}"
            return f"-${cents}" if self.value < 0 else f"${cents}"
        if self.unit.startswith("USD "):
            return f"${number} {self.unit.removeprefix('USD ')}"
        return f"{number}%" if self.unit == "%" else f"{number} {self.unit}".strip()

    @property
    def statement(self) -> str:
        """Metric, segment and value in one line, in our words: what a citation shows as its quote."""
        year = f", {self.year}" if self.year else ""
        return f"{label(self.metric)} ({self.segment}{year}): {self.value_text}"

    def citation(self) -> common_pb2.Citation:
        """As a list of sources shows it; without a day of publication, since sources state a year at most."""
        return common_pb2.Citation(
            id=self.citation_id,
            title=self.source_title,
            url=self.source_url,
            quote=self.statement,
            confidence=self.confidence,
        )

    def figure(self) -> common_pb2.Figure:
        return common_pb2.Figure(
            metric=self.metric, segment=self.segment, value=self.value, unit=self.unit, year=self.year
        )


# What advertising studies and the labour statistics call the same field of business.
_SAME_FIELD: Mapping[str, tuple[str, ...]] = {
    "restaurants and food": ("Accommodation and food services",),
    "physicians and surgeons": ("Health care and social assistance",),
    "dentists and dental services": ("Health care and social assistance",),
    "real estate": ("Real estate and rental",),
    "education and instruction": ("Educational services",),
    "shopping, collectibles and gifts": ("Retail trade",),
    "home and home improvement": ("Construction",),
}
# Segments that mean "whatever the field".
_EVERYBODY = (ALL_INDUSTRIES, "US private sector, cohort March 2013")

_ABBREVIATIONS = {
    "cpc": "cost per click",
    "ctr": "click-through rate",
    "cpm": "cost per thousand views",
    "cac": "CAC",
    "ltv": "LTV",
    "arr": "ARR",
    "saas": "SaaS",
    "llm": "LLM",
    "tam": "TAM",
    "som": "SOM",
    "vc": "VC",
    "safe": "SAFE",
    "linkedin": "LinkedIn",
    "preseed": "pre-seed",
}


def label(metric: str) -> str:
    """A metric's name in words: "search_ads.cpc" -> "Search ads: cost per click"."""
    parts = [" ".join(_ABBREVIATIONS.get(word, word) for word in part.split("_")) for part in metric.split(".")]
    text = f"{parts[0]}: {' '.join(parts[1:])}" if len(parts) > 1 else parts[0]
    return text[:1].upper() + text[1:]


class Figures:
    """The figures, looked up by metric and segment. Immutable; load once per server."""

    def __init__(self, figures: Iterable[BenchmarkFigure]) -> None:
        self._all = tuple(figures)
        self._by_metric: dict[str, list[BenchmarkFigure]] = {}
        self._by_id: dict[str, BenchmarkFigure] = {}
        for figure in self._all:
            self._by_metric.setdefault(figure.metric, []).append(figure)
            if self._by_id.setdefault(figure.citation_id, figure) is not figure:
                raise ValueError(f"two figures have the id {figure.citation_id}")
        for rows in self._by_metric.values():
            rows.sort(key=lambda f: (-f.year, _CONFIDENCE_ORDER.get(f.confidence, 9), f.segment, f.value))

    @classmethod
    def load(cls) -> Figures:
        """Reads the shipped set (about 60 kB)."""
        text = resources.files("chassis").joinpath("data/benchmarks.json").read_text(encoding="utf-8")
        return cls(_from_row(row) for row in json.loads(text))

    def all(self) -> tuple[BenchmarkFigure, ...]:
        return self._all

    def metrics(self) -> tuple[str, ...]:
        """Names of all metrics, sorted."""
        return tuple(sorted(self._by_metric))

    def segments(self, metric: str | None = None) -> tuple[str, ...]:
        """Segments of one metric, or of all, sorted, each once."""
        rows = self._all if metric is None else self._by_metric.get(metric, ())
        return tuple(sorted({f.segment for f in rows}))

    def find(self, metric: str, segment: str | None = None) -> list[BenchmarkFigure]:
        """All figures of a metric (and segment), newest first; of a year, the most trustworthy first."""
        rows = self._by_metric.get(metric, [])
        if segment is None:
            return list(rows)
        wanted = _folded(segment)
        return [f for f in rows if _folded(f.segment) == wanted]

    def best(self, metric: str, segment: str = "") -> BenchmarkFigure | None:
        """The figure to plan with: that of the segment, else that of all industries, else None.

        A figure of a population of its own ("US, Q1 2025") is never taken for the segment: ask for it with
        `find`.
        """
        for candidate in (segment, *_SAME_FIELD.get(_folded(segment), ()), *_EVERYBODY):
            if candidate and (rows := self.find(metric, candidate)):
                return rows[0]
        return None

    def by_id(self, citation_id: str) -> BenchmarkFigure | None:
        return self._by_id.get(citation_id)

    def __len__(self) -> int:
        return len(self._all)

    def __repr__(self) -> str:
        return f"<Figures {len(self._all)} figures of {len(self._by_metric)} metrics>"


def _folded(segment: str) -> str:
    return " ".join(segment.casefold().replace("&", " and ").split())


def _from_row(row: Mapping[str, object]) -> BenchmarkFigure:
    return BenchmarkFigure(
        metric=str(row["metric"]),
        segment=str(row["segment"]),
        value=float(str(row["value"])),
        unit=str(row["unit"]),
        year=int(str(row["year"] or 0)),
        source_title=str(row["source_title"]),
        source_url=str(row["source_url"]),
        confidence=str(row["confidence"]),
    )
