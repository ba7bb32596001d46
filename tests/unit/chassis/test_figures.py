"""The benchmark figures: complete, cited, found by metric and segment."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest

from chassis.figures import BenchmarkFigure, Figures, label
from pipeline.v1 import common_pb2


@pytest.fixture(scope="module")
def figures() -> Figures:
    return Figures.load()


def test_every_figure_is_a_number_with_a_source(figures: Figures) -> None:
    """Each figure has a value, a unit, a title and an address, and carries no prose."""
    assert len(figures) > 150
    for figure in figures.all():
        assert math.isfinite(figure.value)
        assert figure.unit
        assert figure.source_title
        assert re.fullmatch(r"https?://[^\s]+", figure.source_url)
        assert figure.confidence in ("high", "medium", "low")
        assert figure.year == 0 or 2000 <= figure.year <= 2026
        assert not re.search(r"[.!?] ", figure.segment), figure.segment


def test_citation_ids_are_unique_and_stable(figures: Figures) -> None:
    """The same figure has the same id in every process; any change of it gives another."""
    ids = {figure.citation_id for figure in figures.all()}
    assert len(ids) == len(figures)
    assert all(re.fullmatch(r"fig-[a-z0-9-]+", identity) and len(identity) <= 80 for identity in ids)
    assert {figure.citation_id for figure in Figures.load().all()} == ids
    figure = BenchmarkFigure("a.b", "all industries", 1.5, "%", 2025, "T", "https://x", "high")
    assert figure.citation_id == "fig-a-b-all-industries-2025-0f84"
    assert replace(figure, value=1.6).citation_id != figure.citation_id


def test_best_prefers_the_segment_then_everybody(figures: Figures) -> None:
    """The segment's own figure, else that of all industries, else none."""
    food = figures.best("search_ads.cpc", "Restaurants & food")
    assert food is not None
    assert (food.segment, food.unit) == ("Restaurants & food", "USD")
    assert figures.best("search_ads.cpc", "restaurants and  FOOD") == food
    overall = figures.best("search_ads.cpc", "Drones")
    assert overall is not None
    assert overall.segment == "all industries"
    assert overall.year == max(f.year for f in figures.find("search_ads.cpc", "all industries"))
    assert figures.best("search_ads.cpc") == overall
    assert figures.best("round.seed.pre_money.median", "Drones") is None
    assert figures.best("no.such.metric") is None


def test_segments_of_advertising_find_those_of_labour_statistics(figures: Figures) -> None:
    """Survival rates name sectors otherwise; the same field of business is found, else the whole economy."""
    food = figures.best("business_survival.year_5", "Restaurants & food")
    anybody = figures.best("business_survival.year_5", "Drones")
    assert food is not None
    assert anybody is not None
    assert food.segment == "Accommodation and food services"
    assert anybody.segment == "US private sector, cohort March 2013"


def test_find_gives_the_newest_first(figures: Figures) -> None:
    """All figures of a metric come newest first; unknown years last."""
    for metric in figures.metrics():
        years = [figure.year for figure in figures.find(metric)]
        assert years == sorted(years, reverse=True)
    assert figures.find("no.such.metric") == []
    assert "Restaurants & food" in figures.segments("search_ads.cpc")


def test_citation_and_figure_carry_the_number(figures: Figures) -> None:
    """The contract's messages hold the same number, unit and address; the quote shows the number."""
    figure = figures.best("search_ads.cpc")
    assert figure is not None
    citation, number = figure.citation(), figure.figure()
    assert isinstance(citation, common_pb2.Citation)
    assert (citation.id, citation.url) == (figure.citation_id, figure.source_url)
    assert str(figure.value) in citation.quote
    assert (number.value, number.unit, number.year) == (figure.value, "USD", figure.year)
    assert figures.by_id(figure.citation_id) is figure


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (5.42, "USD", "$5.42"),
        (5.4, "USD", "$5.40"),
        (2_800_000, "USD", "$2,800,000"),
        (8.18, "%", "8.18%"),
        (-24, "%", "-24%"),
        (18, "months", "18 months"),
        (3, "USD per million tokens", "$3 per million tokens"),
    ],
)
def test_values_read_well(value: float, unit: str, text: str) -> None:
    """A value is written as its unit is read."""
    assert BenchmarkFigure("m", "s", value, unit, 0, "T", "https://x", "low").value_text == text


def test_metric_names_in_words() -> None:
    """A metric's name is spelled out."""
    assert label("search_ads.cpc") == "Search ads: cost per click"
    assert label("startup_shutdowns") == "Startup shutdowns"


def test_two_figures_with_one_id_are_refused(figures: Figures) -> None:
    """A duplicate in the data is found when it is loaded."""
    with pytest.raises(ValueError, match="two figures"):
        Figures([figures.all()[0], replace(figures.all()[0])])
