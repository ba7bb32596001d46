"""Ranking: BM25 that stays absolute, fused with meaning; flags lower trust; copies of one story are one find."""

from __future__ import annotations

import doctest
import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.v1 import common_pb2 as pb
from services.evidence.domain import dedupe, scoring, stance_features
from services.evidence.domain.bm25 import Collection
from services.evidence.domain.dedupe import merge_duplicates
from services.evidence.domain.select import select
from services.evidence.domain.words import content_stems
from tests.support.evidence_kit import candidate, found

WORDS = st.lists(st.sampled_from("food waste date fridge clinic tutor drone invoice".split()), min_size=1, max_size=8)
PASSAGES = st.lists(WORDS, min_size=1, max_size=6)


@given(WORDS, PASSAGES, st.booleans())
def test_a_score_is_a_share_of_the_greatest(query: list[str], passages: list[list[str]], prior: bool) -> None:
    """No passage has more than the greatest score, and the lexical relevance is 0 to 1."""
    collection = Collection.of(passages, prior=prior)
    words = dict.fromkeys(query, 1.0)
    for passage in passages:
        counts = {word: passage.count(word) for word in passage}
        assert 0.0 <= collection.score(words, counts, len(passage)) <= collection.greatest(words) + 1e-9
        assert 0.0 <= scoring.lexical(query, " ".join(passage), "", collection) <= 1.0


@given(PASSAGES, st.randoms())
def test_the_order_of_passages_changes_no_score(passages: list[list[str]], luck: object) -> None:
    """A collection is what it holds, not how it came in."""
    mixed = passages[:]
    luck.shuffle(mixed)  # type: ignore[attr-defined]
    one, other = Collection.of(passages, prior=True), Collection.of(mixed, prior=True)
    assert scoring.lexical(["food waste"], "food", "", one) == scoring.lexical(["food waste"], "food", "", other)


@given(WORDS, st.floats(-1, 1), st.floats(-1, 1))
def test_nearer_meaning_never_lowers_relevance(words: list[str], one: float, other: float) -> None:
    """With the same words the higher cosine ranks higher or equal."""
    low, high = sorted((one, other))
    lexical = scoring.lexical(["food waste"], " ".join(words))
    assert scoring.hybrid(lexical, low) <= scoring.hybrid(lexical, high)


def test_one_more_word_of_the_claim_raises_relevance() -> None:
    """Every word counts, the strongest term most."""
    terms = ("food waste", "expiry dates")
    said = [scoring.lexical(terms, quote) for quote in ("weather", "dates", "food", "food and dates")]
    assert said == sorted(said)
    assert len(set(said)) == 4


def test_a_rare_word_of_the_run_counts_more() -> None:
    """What every passage says sets none apart."""
    texts = ["food is kept", "food is sold", "food is cooked", "food has an expiry"]
    collection = Collection.of([content_stems(text) for text in texts], prior=True)
    terms = ("expiry", "food")
    flat = scoring.lexical(terms, "expiry", "", Collection(prior=True)), scoring.lexical(terms, "food", "")
    aware = scoring.lexical(terms, "expiry", "", collection), scoring.lexical(terms, "food", "", collection)
    assert aware[0] / aware[1] > flat[0] / flat[1]


def test_what_only_the_title_says_counts_half_at_most() -> None:
    """A title names the page; the quote says it."""
    in_quote = scoring.lexical(("food waste",), "food waste", "")
    in_title = scoring.lexical(("food waste",), "something else", "food waste")
    assert 0.0 < in_title < in_quote
    assert scoring.lexical(("food waste",), "food waste", "food waste") == in_quote


@pytest.mark.parametrize(
    ("flags", "factor"),
    [
        ((), 1.0),
        ((pb.SOURCE_FLAG_CUT,), 1.0),
        ((pb.SOURCE_FLAG_INVISIBLE_CHARACTERS,), 0.8),
        ((pb.SOURCE_FLAG_INSTRUCTIONS, pb.SOURCE_FLAG_INSTRUCTIONS), 0.3),
        ((pb.SOURCE_FLAG_INSTRUCTIONS, pb.SOURCE_FLAG_HIDDEN_TEXT), 0.15),
    ],
)
def test_a_flagged_source_is_trusted_less(flags: tuple[int, ...], factor: float) -> None:
    """Each kind of flag counts once."""
    clean = scoring.credibility(found())
    assert scoring.credibility(found(flags=flags)) == pytest.approx(clean * factor)


def test_every_kind_of_flag_and_source_is_in_the_tables() -> None:
    """A new member of the contract needs a decision here."""
    flags = set(pb.SourceFlag.values()) - {pb.SOURCE_FLAG_UNSPECIFIED}
    assert flags == set(scoring.FLAG_FACTORS)
    kinds = set(pb.SourceType.values()) - {pb.SOURCE_TYPE_UNSPECIFIED}
    assert kinds == set(scoring.CREDIBILITY) == set(scoring.HALF_LIFE_DAYS)


# Written for this test in the manner of an agency story and what three papers make of it.
STORY = (
    "Households in the region threw away 82 kilograms of edible food per head last year, the environment agency said "
    "on Tuesday, and most of it was bread, fruit and vegetables that had passed the date on the package."
)
CUT = (
    "Households in the region threw away 82 kilograms of edible food per head last year, the environment agency said "
    "on Tuesday."
)
LED_IN = "(Example Wire) - " + STORY + " Read more on our site."
RETOLD = "The agency counts 82 kilograms of edible food a head that ended in the bin within twelve months."
OTHER_STORY = (
    "Restaurants in the region threw away 31 kilograms of edible food per seat last year, the trade body said on "
    "Friday, and most of it came back on plates that guests had not emptied."
)
HEADLINE = "Households throw away 82 kilograms of food a year"


def told(text: str, host: str, title: str = "", composite: float = 0.5) -> object:
    return candidate(found(text, url=f"https://{host}.example/story", title=title), composite=composite)


@pytest.mark.parametrize("copy", [STORY, CUT, LED_IN])
def test_a_syndicated_story_is_one_find(copy: str) -> None:
    """Word for word, cut short or framed: the other papers are listed with the one that stays."""
    (kept,) = merge_duplicates([told(STORY, "one", composite=0.6), told(copy, "two")])  # type: ignore[list-item]
    assert kept.merged_urls == ["https://two.example/story"]


def test_a_story_retold_under_its_headline_with_its_figure_is_one_find() -> None:
    """The same headline and the same number, whatever the words between."""
    pages = [told(STORY, "one", HEADLINE + " | The One", 0.6), told(RETOLD, "two", HEADLINE + " - Two Times")]
    assert len(merge_duplicates(pages)) == 1  # type: ignore[arg-type]
    apart = [told(STORY, "one", HEADLINE, 0.6), told(RETOLD.replace("82", "79"), "two", HEADLINE)]
    assert len(merge_duplicates(apart)) == 2  # type: ignore[arg-type]


def test_two_stories_in_the_same_phrases_stay_apart() -> None:
    """An agency's manner of writing is no proof of one story."""
    assert len(merge_duplicates([told(STORY, "one"), told(OTHER_STORY, "two")])) == 2  # type: ignore[list-item]


def test_a_short_phrase_inside_a_longer_text_is_no_copy() -> None:
    """What anybody might write is not copied."""
    assert len(merge_duplicates([told(STORY, "one"), told("82 kilograms of edible food per head", "two")])) == 2  # type: ignore[list-item]


def test_any_order_of_arrival_merges_the_same() -> None:
    """Who came first decides nothing."""
    pages = [told(STORY, "a", HEADLINE), told(CUT, "b"), told(OTHER_STORY, "c"), told(RETOLD, "d", HEADLINE)]
    results = set()
    for order in itertools.permutations(pages):
        fresh = [replace(c, merged_urls=[]) for c in order]  # type: ignore[type-var]
        merged = select(merge_duplicates(fresh))  # type: ignore[arg-type]
        results.add(tuple((c.found.url, tuple(sorted(c.merged_urls))) for c in merged))
    assert len(results) == 1


def test_the_examples_of_ranking_hold() -> None:
    """The docstrings' examples are run."""
    assert all(doctest.testmod(module).failed == 0 for module in (dedupe, stance_features))
