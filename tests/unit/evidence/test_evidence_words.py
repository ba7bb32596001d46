"""Words, phrases and passages: the same on both sides of a comparison, and every quote in its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.evidence.domain.passages import PASSAGE_CHARS_MAX, PassageIndex, passages
from services.evidence.domain.words import (
    PhraseIndex,
    jaccard,
    name_stems,
    overlap,
    phrase,
    shingles,
    specific,
    stem,
    stems,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("scheduling", "schedules"),
        ("scheduled", "schedule"),
        ("invoicing", "invoices"),
        ("wasted", "waste"),
        ("planning", "plan"),
        ("companies", "company"),
        ("validation", "validate"),
        ("houses", "house"),
        ("tutors", "tutoring"),
    ],
)
def test_forms_of_a_word_share_a_stem(one: str, other: str) -> None:
    """Inflected forms of one word meet."""
    assert stem(one) == stem(other)


@pytest.mark.parametrize(("one", "other"), [("need", "ned"), ("bus", "bu"), ("analysis", "analyses x"), ("sing", "s")])
def test_short_words_are_left_alone(one: str, other: str) -> None:
    """The stemmer does not eat short words."""
    assert stem(one) != other


def test_a_phrase_is_found_in_any_order_within_its_window() -> None:
    """ "food waste" stands in "waste less food", not across a sentence."""
    assert phrase("food waste") in PhraseIndex("households waste less food")
    assert phrase("food waste") not in PhraseIndex("Food is good. We should not allow any waste")
    assert phrase("food waste") not in PhraseIndex("food")
    assert phrase("") not in PhraseIndex("food")


def test_a_phrase_with_a_repeated_word_needs_it_twice() -> None:
    """A window counts places, not kinds of words."""
    assert phrase("peer to peer") not in PhraseIndex("from peer to customer")
    assert phrase("peer to peer") in PhraseIndex("a peer to peer market")


def test_names_are_taken_apart() -> None:
    """Camel case hides words."""
    assert "farm" in name_stems("farmOS")


def test_generic_words_carry_no_field() -> None:
    """What every idea says is not specific."""
    assert specific(stems("An AI powered platform that helps customers save time with irrigation")) == [
        stem("irrigation")
    ]


def test_earlier_terms_weigh_more() -> None:
    """Claim terms come strongest first."""
    assert overlap(["a", "b"], ["a"]) > overlap(["a", "b"], ["b"])
    assert overlap([], ["a"]) == 0.0


def test_likeness_is_a_share() -> None:
    """Equal texts are 1 alike, texts without common words 0."""
    one = shingles("We throw away a lot of food every single week")
    assert jaccard(one, one) == 1.0
    assert jaccard(one, shingles("Nothing here is the same at all, honestly, my dear friend")) == 0.0


@given(st.text(max_size=3_000))
def test_passages_are_places_in_the_text(text: str) -> None:
    """Passages are in order, do not overlap, are bounded, and have no white space at their ends."""
    last = 0
    for start, end in passages(text):
        quote = text[start:end]
        assert last <= start < end <= len(text)
        assert quote == quote.strip()
        assert len(quote) <= PASSAGE_CHARS_MAX
        last = end


@given(st.text(alphabet=st.sampled_from("ab. \n,"), max_size=400))
def test_passages_lose_no_word(text: str) -> None:
    """What is not white space stands in some passage."""
    covered = "".join(text[start:end] for start, end in passages(text))
    assert "".join(covered.split()) == "".join(text.split())


def test_short_sentences_are_joined_and_long_ones_cut() -> None:
    """A quote is neither a fragment nor a page."""
    text = "Yes. No. Maybe so." + " word" * 200
    found = [text[start:end] for start, end in passages(text)]
    assert found[0].startswith("Yes. No.")
    assert len(found) > 2


def test_the_rows_of_a_table_stay_apart() -> None:
    """A row of a CSV file is a passage of its own when it is long enough."""
    rows = [f"clinic {n}, twelve patients did not come to their appointment, {n} no-shows" for n in range(5)]
    text = "\n".join(rows)
    assert [text[start:end] for start, end in passages(text)] == rows


def test_the_best_passage_is_the_one_with_the_rare_words() -> None:
    """BM25 puts what is rare in the text above what is everywhere."""
    index = PassageIndex("Food is food. " * 3 + "\n\nExpiry dates of food are forgotten by everyone in the house.")
    (span, _), *_ = index.best(stems("food expiry"), 2)
    assert "Expiry" in index.text[span[0] : span[1]]
    assert index.best(["absent"], 2) == []
    assert PassageIndex("").best(["food"], 2) == []
