"""Numbers in texts: what counts as one, and what covers it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.v1 import pitch_pb2
from services.pitch.domain import numbers
from services.pitch.domain.numbers import Coverage, UncoveredNumberError, find_numbers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a click costs $2.05", [2.05]),
        ("130 million households", [130e6]),
        ("raise $2.8M at 18.3%", [2.8e6, 18.3]),
        ("between 2-5 of them", [2, 5]),
        ("1,234,567 rows, 3x more", [1_234_567, 3]),
        ("open 24/7", [24, 7]),
        ("B2B, Web3 and COVID-19 are names", []),
        ("Year 3 on slide 4 [12]", []),
        ("GDPR article 9 and FAA part 107", []),
        ("no digits at all", []),
    ],
)
def test_numbers_are_found_and_names_are_not(text: str, expected: list[float]) -> None:
    """Quantities are numbers; digits of names, ordinals of the deck, marks and rules are not."""
    assert [number.value for number in find_numbers(text)] == pytest.approx(expected)


def test_digits_of_a_product_name_are_its_name() -> None:
    """A name with a number in it does not need a source."""
    assert find_numbers("Route 66 helps drivers", ("Route 66",)) == []
    assert [number.value for number in find_numbers("66 drivers", ("Route 66",))] == [66]


def test_a_number_is_covered_to_the_precision_that_is_shown() -> None:
    """Rounded display is covered, a different number is not."""
    coverage = Coverage({"c": (1_234_567.0,)}, {"a": (8.05,)})
    shown = {text: find_numbers(text)[0] for text in ("$1.2M", "$1.3M", "8.05%", "8.1%", "8%")}
    assert coverage.covered_by(shown["$1.2M"], ["c"], []) == "cited"
    assert coverage.covered_by(shown["$1.3M"], ["c"], []) == ""
    assert coverage.covered_by(shown["8.05%"], [], ["a"]) == "assumed"
    assert coverage.covered_by(shown["8%"], [], ["a"]) == "assumed"
    assert coverage.covered_by(shown["8.05%"], ["c"], []) == ""


@pytest.mark.parametrize(
    "slide",
    [
        pitch_pb2.Slide(title="42 reasons"),
        pitch_pb2.Slide(statements=[pitch_pb2.Statement(text="It grows 42% a year.", citation_ids=["c"])]),
        pitch_pb2.Slide(table=pitch_pb2.Table(rows=[pitch_pb2.TableRow(cells=["42"], assumption_ids=["a"])])),
        pitch_pb2.Slide(chart=pitch_pb2.Chart(series=[pitch_pb2.ChartSeries(values=[42.0])], citation_ids=["c"])),
    ],
    ids=["title", "statement", "table", "chart"],
)
def test_a_number_without_its_source_stops_the_build(slide: pitch_pb2.Slide) -> None:
    """A mark that does not carry the number is no cover, wherever on a slide the number stands."""
    coverage = Coverage({"c": (7.0,)}, {"a": (8.0,)})
    with pytest.raises(UncoveredNumberError):
        coverage.check_slide(slide)


def test_numbers_are_counted_by_what_covers_them() -> None:
    """Cited and assumed numbers are told apart in the count."""
    coverage = Coverage({"c": (7.0,)}, {"a": (8.0,)})
    slide = pitch_pb2.Slide(
        statements=[pitch_pb2.Statement(text="From 7 to 8.", citation_ids=["c"], assumption_ids=["a"])]
    )
    assert coverage.check_slide(slide) == (1, 1)


@given(st.floats(min_value=0.01, max_value=1e12))
def test_what_money_shows_is_covered_by_what_it_was_made_from(value: float) -> None:
    """Formatting never shows a number that its own display does not vouch for."""
    text = numbers.money(value)
    coverage = Coverage({}, {"a": (value, *numbers.values_in(text))})
    assert coverage.check_text("here", text, [], ["a"]).assumed == 1
    assert numbers.values_in(text)[-1] == pytest.approx(value, rel=0.006, abs=0.006)


@given(st.text(max_size=300))
def test_any_text_can_be_searched(text: str) -> None:
    """Hostile text raises nothing and every find is a finite number."""
    assert all(number.value >= 0 for number in find_numbers(text))
