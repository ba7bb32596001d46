"""The deck's quality is computed from the deck."""

from __future__ import annotations

import pytest

from pipeline.v1 import common_pb2, pitch_pb2
from services.pitch.domain import quality
from services.pitch.domain.numbers import Tally
from tests.support.pitches import IDEAS, item, reference_deck


def claims() -> list[common_pb2.Claim]:
    return [common_pb2.Claim(id="problem"), common_pb2.Claim(id="timing")]


def test_completeness_is_the_share_of_wanted_parts() -> None:
    """A named gap counts as absent."""
    assert quality.completeness([{"team": False, "problem": True}, {"round": True, "sources": True}]) == 0.75
    assert quality.completeness([]) == 0.0


def test_more_support_raises_and_contradiction_lowers_strength() -> None:
    """Strength grows with supporting items, falls with contradicting ones, and counts silent claims as nothing."""
    tally = Tally(0, 10)
    one = [item("problem", "a")]
    two = [*one, item("problem", "b")]
    against = [*two, item("problem", "c", stance=common_pb2.STANCE_CONTRADICTS)]
    strengths = [quality.evidence_strength(claims(), items, tally) for items in ([], one, two, against)]
    assert strengths[0] == 0.0
    assert strengths[0] < strengths[1] < strengths[2]
    assert strengths[3] < strengths[2]


def test_cited_numbers_count_for_strength() -> None:
    """The same evidence with more cited numbers is stronger."""
    assert quality.evidence_strength(claims(), [], Tally(5, 5)) == pytest.approx(0.15)


def test_crowded_slides_read_worse() -> None:
    """Many long sentences lower readability; a few short ones do not."""
    short = pitch_pb2.Slide(statements=[pitch_pb2.Statement(text="Short and plain.")])
    crowded = pitch_pb2.Slide(statements=[pitch_pb2.Statement(text="word " * 45) for _ in range(5)])
    assert quality.readability([short]) == 1.0
    assert quality.readability([crowded]) < 0.2


@pytest.mark.parametrize("key", IDEAS)
def test_scores_differ_from_deck_to_deck_and_stay_in_range(key: str) -> None:
    """Every part is between 0 and 1, and both kinds of number were counted."""
    measured = reference_deck(key, common_pb2.INVESTOR_TYPE_SEED).quality
    for value in (measured.completeness, measured.evidence_strength, measured.readability, measured.overall):
        assert 0 < value < 1
    assert measured.numbers_cited > 10
    assert measured.numbers_assumed > 10


def words_on(count: int) -> pitch_pb2.Slide:
    """A slide with so many words below an empty title."""
    return pitch_pb2.Slide(statements=[pitch_pb2.Statement(text="word " * count)])


def test_empty_and_crowded_slides_are_both_less_dense_than_they_should_be() -> None:
    """Density is one within its band and falls on either side of it."""
    assert quality.density([words_on(40)]) == 1.0
    assert quality.density([words_on(5)]) < 0.3
    assert quality.density([words_on(150)]) < 0.2


def test_every_score_explains_itself() -> None:
    """Five explanations with counts; each score below one says what would raise it, and repeats the score's value."""
    measured = reference_deck("food", common_pb2.INVESTOR_TYPE_SEED).quality
    by_name = {item.name: item for item in measured.explanations}
    assert set(by_name) == {"completeness", "evidence_strength", "readability", "density", "overall"}
    for name, item_ in by_name.items():
        assert item_.score == getattr(measured, name)
        assert any(ch.isdigit() for ch in item_.explanation)
        assert item_.improvement or item_.score == 1


def test_each_slide_counts_the_evidence_it_cites() -> None:
    """Evidence on a slide is evidence of the request; planning figures do not count; the deck counts each once."""
    deck = reference_deck("food", common_pb2.INVESTOR_TYPE_SEED)
    content = [slide for slide in deck.slides if slide.type != pitch_pb2.SLIDE_TYPE_SOURCES]
    ids = [{key for s in slide.statements for key in s.citation_ids if key.startswith("ev-")} for slide in content]
    assert all(slide.evidence_count >= len(cited) for slide, cited in zip(content, ids, strict=True))
    assert 0 < deck.quality.evidence_count <= sum(slide.evidence_count for slide in content)
    assert all(0 < slide.quality_score <= 1 and slide.quality_note for slide in content)
