"""How alike two short texts are: rare words and numbers decide, order does not."""

from __future__ import annotations

import doctest
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.idea import likeness as module
from chassis.idea.likeness import CHARS_MAX, Rarity, likeness, numbers_agree, spelling

TEXTS = st.text(max_size=80)
CATALOGUE = [f"acme {kind} software {year}" for kind in ("office", "draw", "sound", "maths") for year in (2005, 2006)]


@given(TEXTS, TEXTS, st.none() | st.floats(-1, 1))
def test_likeness_has_no_direction_and_stays_in_its_bounds(a: str, b: str, cosine: float | None) -> None:
    """Whichever text comes first, the figure is the same, between 0 and 1."""
    rarity = Rarity.of([*CATALOGUE, a])
    alike = likeness(a, b, cosine, rarity)
    assert 0.0 <= alike <= 1.0
    assert alike == likeness(b, a, cosine, rarity)


@given(TEXTS, st.floats(-1, 1), st.floats(-1, 1))
def test_nearer_meaning_never_lowers_likeness(text: str, one: float, other: float) -> None:
    """With the same words, the higher cosine has the higher likeness."""
    low, high = sorted((one, other))
    assert likeness(text, "a scheduling tool 2", low) <= likeness(text, "a scheduling tool 2", high)


def test_the_same_words_are_one_whatever_their_case_and_marks() -> None:
    """Case, punctuation and spacing make no other text."""
    assert likeness("Waste less FOOD!", "waste  less food", 0.2) == 1.0


def test_a_text_without_words_is_like_nothing() -> None:
    """Nor is it like itself: there is nothing to compare."""
    assert likeness("", "", 1.0) == likeness("?!", "?!") == likeness("food", "…") == 0.0


def test_a_rare_word_counts_more_than_a_frequent_one() -> None:
    """Among texts of one maker the maker's name says nothing, the product's name nearly all."""
    product = ("acme irispen software", "irispen for windows")
    maker = ("acme irispen software", "acme draw software")
    assert likeness(*product) < likeness(*maker)
    rarity = Rarity.of([*CATALOGUE, *product])
    assert likeness(*product, None, rarity) > likeness(*maker, None, rarity)


def test_another_version_is_less_alike_than_the_same() -> None:
    """Numbers that differ weigh against two texts, numbers that agree for them."""
    rarity = Rarity.of(CATALOGUE)
    same = likeness("acme office 2005 suite", "office software 2005", 0.8, rarity)
    other = likeness("acme office 2005 suite", "office software 2006", 0.8, rarity)
    assert same > other + 0.05


def test_without_texts_at_hand_grammar_weighs_little() -> None:
    """Two ideas that share only "for the of and" are not alike."""
    assert likeness("an app for the owners of dogs", "a market for the growers of figs") < 0.45
    assert likeness("an app for dog owners", "a dog owner's app") > 0.5


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        ("spreadsheet", "spreadsheets", 0.8, 0.8),
        ("scheduling", "schedulling", 0.6, 1.0),
        ("food", "tutor", 0.0, 0.0),
        ("2007", "2003", 0.0, 0.0),
        ("7", "7", 1.0, 1.0),
    ],
)
def test_words_are_compared_by_their_letters_and_numbers_by_value(
    one: str, other: str, low: float, high: float
) -> None:
    """A misspelling is nearly the word; a number is itself or another."""
    assert low <= spelling(one, other) == spelling(other, one) <= high


def test_numbers_that_one_text_lacks_say_nothing() -> None:
    """Only two texts with numbers can agree or differ in them."""
    assert numbers_agree("office 2007", "office") == 0.0
    assert numbers_agree("office 2007 v 2", "office 2007") == 1.0


def test_a_cosine_that_is_no_number_is_left_out() -> None:
    """A defect of the embedder does not reach the likeness."""
    assert likeness("red bike", "red boat", math.nan) == likeness("red bike", "red boat")


def test_only_the_beginning_of_an_endless_text_is_read() -> None:
    """What comes after the bound changes nothing."""
    long = "word " * CHARS_MAX
    assert likeness(long + "a", long + "b") == 1.0


def test_the_examples_in_the_docs_hold() -> None:
    """The docstrings' examples are run."""
    assert doctest.testmod(module).failed == 0
