"""Verification: a quote is verified when it stands in the source's own text and carries the numbers it is cited for."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.v1 import common_pb2 as pb
from services.evidence.domain import verify
from services.evidence.domain.model import Candidate
from services.evidence.domain.verify import numbers, unverified_reason
from services.evidence.items import item
from tests.support.evidence_kit import NOW, candidate, found, query


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("GitHub stars: 13,039, about 4.8K forks", [13_039, 4_800]),
        ("between 10-20 percent, or 10–20 %", [10, 20, 10, 20]),
        ("€3 million, $4.8bn, 1.5M", [3e6, 4.8e9, 1.5e6]),
        ("it fell by -5.2%", [-5.2]),
        ("two thirds of users, half of them daily", [200 / 3, 50]),
        ("1 in 4 clinics", [25]),
        ("forty-five people out of five hundred", [45, 500]),
        ("covid-19, B2B, v2.0.1, 9am and the 3rd place", []),
        ("one of the two best", []),
        ("5 in 2024", [5, 2024]),
    ],
)
def test_numbers_are_read_in_every_spelling(text: str, values: list[float]) -> None:
    """Thousands, factors, shares and words; not the digits of names and ordinals."""
    assert sorted(n.value for n in numbers(text)) == pytest.approx(sorted(values))


@given(st.integers(0, 10**12))
def test_a_number_survives_its_separators(value: int) -> None:
    """With and without thousands separators it is the same number."""
    assert [n.value for n in numbers(f"it was {value:,} then")] == [float(value)]
    assert [n.value for n in numbers(f"it was {value} then")] == [float(value)]


@given(st.text(max_size=300))
def test_any_text_can_be_read_for_numbers(text: str) -> None:
    """Odd input gives numbers or none, never an error."""
    assert all(n.slack >= 0 for n in numbers(text))


@pytest.mark.parametrize(
    ("claim", "quote", "stance", "reason"),
    [
        ("40% of clinics lose money.", "We found that 40 percent of them do.", pb.STANCE_SUPPORTS, ""),
        ("Two thirds of clinics lose money.", "66.7 % of them lose money.", pb.STANCE_SUPPORTS, ""),
        ("4.8K people signed up.", "By June 4,812 people had signed up.", pb.STANCE_SUPPORTS, ""),
        ("40% of clinics lose money.", "Many of them do.", pb.STANCE_SUPPORTS, "the claim's number 40"),
        ("40% of clinics lose money.", "Only 12% of them do.", pb.STANCE_CONTRADICTS, ""),
        ("40% of clinics lose money.", "Clinics send reminders.", pb.STANCE_MENTIONS, ""),
        ("Clinics lose money.", "They lose 40 % of it.", pb.STANCE_SUPPORTS, ""),
    ],
)
def test_a_supporting_quote_carries_the_claims_numbers(claim: str, quote: str, stance: int, reason: str) -> None:
    """Each number of the claim stands in a quote that supports it; other quotes need not repeat it."""
    cited = candidate(found(quote), query(text=claim), stance=stance)
    said = unverified_reason(cited)
    assert said.startswith(reason) if reason else said == ""


def test_a_search_engines_excerpt_is_never_verified() -> None:
    """Nobody read the page that it stands for."""
    cited = candidate(found(origin=pb.TEXT_ORIGIN_SEARCH_SNIPPET))
    assert unverified_reason(cited) == "the page was not read"


def test_a_rounded_quote_does_not_carry_an_exact_figure() -> None:
    """ "about 13,000" is not 13,039; the number itself is."""
    figure = pb.Figure(metric="m", value=13_039)
    assert "13039" in unverified_reason(candidate(found("about 13,000 stars", figure=figure)))
    assert unverified_reason(candidate(found("13,039 stars", figure=figure))) == ""


def test_a_share_in_words_carries_its_percentage() -> None:
    """ "two thirds" stands for 66.7 %."""
    assert unverified_reason(candidate(found("two thirds of them", figure=pb.Figure(metric="m", value=66.7)))) == ""


def test_the_item_says_why_it_is_not_verified_and_where_its_text_is_from() -> None:
    """Origin, flags, reason, method and at most five features reach the contract."""
    flags = (pb.SOURCE_FLAG_INSTRUCTIONS,)
    cited = candidate(found(origin=pb.TEXT_ORIGIN_SEARCH_SNIPPET, flags=flags), stance_method="model")
    cited.stance_features = tuple((f"feature_{n}", float(n), 0.5) for n in range(9))
    shown = item(cited, "customer_pain", NOW)
    assert (shown.verified, shown.unverified_reason) == (False, "the page was not read")
    assert (shown.text_origin, list(shown.flags)) == (pb.TEXT_ORIGIN_SEARCH_SNIPPET, list(flags))
    assert shown.stance_method == "model"
    assert [f.name for f in shown.stance_features] == [f"feature_{n}" for n in range(5)]


def test_a_quote_beyond_the_text_is_not_verified() -> None:
    """Offsets must lie in the text."""
    assert unverified_reason(Candidate(found("abc"), query(), 1, 9)) == "the quote does not stand in the text"


def test_the_examples_of_verification_hold() -> None:
    """The docstrings' examples are run."""
    assert doctest.testmod(verify).failed == 0
