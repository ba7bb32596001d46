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
