"""The stance model: every weight can be read, every contribution adds up, and doubt is a mention."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.v1 import common_pb2 as pb
from services.evidence.domain.stance import CONFIDENCE_MIN, MODEL, RULES, judge
from services.evidence.domain.stance_features import measure, word_weight
from services.evidence.domain.stance_model import Feature, StanceModel, StanceModels, decide
from services.evidence.stance_data import stance_models
from tests.support.evidence_kit import candidate, found, query

CLAIM = "Reminders reduce no-shows in clinics."
TEXTS = st.text(max_size=200)


@given(TEXTS, TEXTS, st.none() | st.floats(-1, 1))
def test_any_two_texts_can_be_measured(claim: str, passage: str, cosine: float | None) -> None:
    """Every feature is a finite number, the names are the same for all texts."""
    values = measure(claim, passage, cosine)
    assert all(math.isfinite(value) for value in values.values())
    assert list(values) == list(measure(CLAIM, CLAIM, cosine))


def test_the_shipped_model_knows_exactly_what_is_measured() -> None:
    """No weight is for a feature that nobody measures, and no feature is measured in vain."""
    models = stance_models()
    assert {f.name for f in models.with_vectors.features} == set(measure(CLAIM, CLAIM, 0.5))
    assert {f.name for f in models.words_only.features} == set(measure(CLAIM, CLAIM))


@given(TEXTS, st.floats(-1, 1), st.tuples(st.integers(0, 9), st.integers(0, 9)))
def test_probabilities_sum_to_one_and_the_stance_is_the_likeliest(
    passage: str, cosine: float, cues: tuple[int, int]
) -> None:
    """Whatever the text, the three add up and the greatest is chosen."""
    decision = decide(stance_models().with_vectors, measure(CLAIM, passage, cosine), cues)
    assert math.isclose(sum(decision.probabilities), 1.0)
    assert decision.confidence == max(decision.probabilities)


def test_contributions_add_up_to_the_log_odds() -> None:
    """With the bias they are what the stance has more than the mean of the others."""
    model = stance_models().with_vectors
    values = measure(CLAIM, "Reminders did not reduce no-shows.", 0.8)
    decision = decide(model, values)
    odds, _ = model.log_odds(values)
    best = odds.index(max(odds))
    bias = [b / model.temperature for b in model.bias]
    wanted = odds[best] - sum(o for k, o in enumerate(odds) if k != best) / 2
    given_bias = bias[best] - sum(b for k, b in enumerate(bias) if k != best) / 2
    assert math.isclose(sum(c.contribution for c in decision.contributions) + given_bias, wanted, abs_tol=1e-9)


@given(st.integers(0, 8), st.integers(0, 8))
def test_a_cue_never_speaks_against_its_side(pro: int, con: int) -> None:
    """One more word for the claim makes support likelier and contradiction no likelier."""
    values = measure(CLAIM, "We struggle with this.", 0.4)
    model = stance_models().with_vectors
    before, after = (decide(model, values, (n, con)).probabilities for n in (pro, pro + 1))
    assert after[0] > before[0]
    assert after[1] <= before[1]


def test_a_negation_that_the_claim_lacks_is_measured_and_speaks_for_contradiction() -> None:
    """ "did not reduce" against "reduce"."""
    plain, negated = "Reminders reduced no-shows in clinics.", "Reminders did not reduce no-shows in clinics."
    assert measure(CLAIM, plain)["negation_passage_only"] == 0.0
    assert measure(CLAIM, negated)["negation_passage_only"] == 1.0
    model = stance_models().with_vectors
    one, other = (decide(model, measure(CLAIM, text, 0.8)).probabilities for text in (plain, negated))
    assert other[1] > one[1]
    assert other[0] < one[0]


def test_the_opposite_direction_is_measured() -> None:
    """ "increased" against "reduce", in its place; a negation turns it back."""
    up = measure(CLAIM, "Reminders increased no-shows in clinics.")
    assert (up["direction_differs"], up["direction_agrees"]) == (1.0, 0.0)
    turned = measure(CLAIM, "Reminders never increased no-shows in clinics.")
    assert (turned["direction_differs"], turned["direction_agrees"]) == (0.0, 1.0)


def test_numbers_of_the_claim_are_looked_for() -> None:
    """Found, missing, or given otherwise."""
    claim = "Reminders cut no-shows by 40%."
    assert measure(claim, "They fell by 40 percent.")["numbers_found"] == 1.0
    assert measure(claim, "They fell by 12 percent.")["numbers_differ"] == 1.0


def test_a_text_is_judged_by_the_model_and_says_by_what() -> None:
    """With the models the method is named and the features come heaviest first."""
    text = "Too many patients forget, it is so frustrating, and we waste hours on no-shows in clinics."
    asked = query(text="Clinics lose time to no-shows.", terms=("no-shows", "clinics"))
    verdict = judge(candidate(found(text), asked, relevance=0.9, cosine=0.6), stance_models())
    assert (verdict.stance, verdict.method) == (pb.STANCE_SUPPORTS, MODEL)
    sizes = [abs(f.contribution) for f in verdict.features]
    assert sizes == sorted(sizes, reverse=True)
    assert "cues_for" in [f.name for f in verdict.features[:5]]


def test_what_is_below_the_confidence_is_a_mention() -> None:
    """No side is taken with less than the threshold, by rule or model."""
    texts = ["Clinics.", "No-shows cost money, but it is not a problem.", "Reminders reduce no-shows.", "Is it so?"]
    for text in texts:
        for cosine in (None, 0.1, 0.5, 0.9):
            verdict = judge(candidate(found(text), query(), relevance=0.8, cosine=cosine), stance_models())
            assert verdict.stance == pb.STANCE_MENTIONS or verdict.confidence >= CONFIDENCE_MIN


def test_what_is_not_about_the_claim_stays_with_the_rules() -> None:
    """The model is not asked about a passage that is off the subject."""
    verdict = judge(candidate(found("How frustrating!"), query(), relevance=0.2, cosine=0.9), stance_models())
    assert (verdict.stance, verdict.method) == (pb.STANCE_MENTIONS, RULES)


def test_a_value_beyond_all_training_is_not_extrapolated() -> None:
    """A thousand shared pairs count as much as four deviations."""
    model = StanceModel((Feature("a", 0.0, 1.0, (1.0, 0.0, 0.0)),), (0.0, 0.0, 0.0), 1.0)
    assert model.log_odds({"a": 1e9})[0] == model.log_odds({"a": 4.0})[0]


@pytest.mark.parametrize("stored", [{}, {"with_vectors": {}, "words_only": {}}])
def test_a_file_that_is_no_model_is_refused(stored: dict[str, dict[str, object]]) -> None:
    """What is missing is named."""
    with pytest.raises(ValueError, match="not a stance model"):
        StanceModels.of(stored)


def test_scales_and_temperature_are_above_zero() -> None:
    """Nothing is divided by zero."""
    with pytest.raises(ValueError, match="above 0"):
        StanceModel.of({"features": [], "bias": [0, 0, 0], "temperature": 0})
    with pytest.raises(ValueError, match="a weight for each"):
        StanceModel.of({"features": [], "bias": [0, 0], "temperature": 1})


def test_long_words_say_more_than_generic_ones() -> None:
    """ "app" is in every idea."""
    assert word_weight("app") < word_weight("dog") < word_weight("irrigat")
