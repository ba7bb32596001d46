"""The verdict is monotone: support never lowers it, contradiction never raises it, order and noise change nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.idea.claims import CLAIM_IDS
from chassis.testing_phases import evidence_item
from gateway import verdict_criteria
from gateway.verdict import combine, decide
from gateway.verdict_facts import RANK, gather
from pipeline.v1 import common_pb2, evidence_pb2
from pipeline.v1 import validation_pb2 as vpb
from services.validation.domain import verdict as validation_rules
from services.validation.domain.harm import Harm

KINDS = dict(zip(CLAIM_IDS, list(common_pb2.ClaimKind.values())[1:], strict=False))
SUPPORTS, CONTRADICTS, MENTIONS = (
    common_pb2.STANCE_SUPPORTS,
    common_pb2.STANCE_CONTRADICTS,
    common_pb2.STANCE_MENTIONS,
)
CRITERIA = [criterion for criterion in vpb.Criterion.values() if criterion]


def words(scores: Sequence[int | None], *, harmful: bool = False) -> vpb.ValidationResult:
    """What validation returns for these scores, decided by its own rules."""
    criteria = [
        vpb.CriterionScore(criterion=criterion, score=score, confidence=0.5, improvement="Say more.")
        for criterion, score in zip(CRITERIA, scores, strict=True)
    ]
    harms = [Harm("violence", "hires killers")] if harmful else []
    claims = [common_pb2.Claim(id=name, kind=kind) for name, kind in KINDS.items()]
    return vpb.ValidationResult(claims=claims, criteria=criteria, verdict=validation_rules.decide(criteria, harms))


validations = st.builds(
    words,
    st.lists(st.one_of(st.none(), st.integers(1, 5), st.integers(3, 5)), min_size=8, max_size=8),
    harmful=st.sampled_from([False] * 9 + [True]),
)


@st.composite
def items(draw: st.DrawFn, stance: int | None = None) -> common_pb2.EvidenceItem:
    """A verified item of any weight, on any claim, from one of few sources."""
    number = draw(st.integers(0, 10**9))
    chosen = draw(st.sampled_from([SUPPORTS, CONTRADICTS, MENTIONS])) if stance is None else stance
    item = evidence_item(number, draw(st.sampled_from(CLAIM_IDS)), common_pb2.Stance.ValueType(chosen))
    item.composite, item.stance_confidence = draw(st.floats(0, 1)), draw(st.floats(0, 1))
    item.url = f"https://example.com/{draw(st.integers(0, 12))}"
    item.provider = draw(st.sampled_from(["directory", "benchmarks", "documents"]))
    if draw(st.booleans()):
        item.product.name = f"Product {number % 5}"
    return item


many_items = st.lists(items(), max_size=24)


def judged(validation: vpb.ValidationResult, given: Sequence[common_pb2.EvidenceItem]) -> tuple[int, float]:
    """Rank of the recommendation, and score."""
    decision = decide(gather(validation, evidence_pb2.EvidenceResult(items=given)))
    return RANK[decision.recommendation], decision.score


@settings(max_examples=250, deadline=None)
@given(validations, many_items, items(SUPPORTS))
def test_support_never_lowers(
    validation: vpb.ValidationResult, given_items: list[common_pb2.EvidenceItem], more: common_pb2.EvidenceItem
) -> None:
    """One more item in support lowers neither the recommendation nor the score."""
    before, after = judged(validation, given_items), judged(validation, [*given_items, more])
    assert after[0] >= before[0]
    assert after[1] >= before[1]


@settings(max_examples=250, deadline=None)
@given(validations, many_items, items(CONTRADICTS))
def test_contradiction_never_raises(
    validation: vpb.ValidationResult, given_items: list[common_pb2.EvidenceItem], more: common_pb2.EvidenceItem
) -> None:
    """One more item against raises neither the recommendation nor the score."""
    before, after = judged(validation, given_items), judged(validation, [*given_items, more])
    assert after[0] <= before[0]
    assert after[1] <= before[1]


@settings(max_examples=60, deadline=None)
@given(validations, many_items, st.randoms(use_true_random=False))
def test_order_changes_nothing(
    validation: vpb.ValidationResult, given_items: list[common_pb2.EvidenceItem], chance: object
) -> None:
    """The whole verdict, reasons and flips included, is the same however the items are ordered."""
    shuffled = list(given_items)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    one = combine(validation, evidence_pb2.EvidenceResult(items=given_items))
    other = combine(validation, evidence_pb2.EvidenceResult(items=shuffled))
    assert one == other


@pytest.mark.parametrize("spoiled", ["unverified", "mentions", "unknown claim", "instructions", "hidden", "invisible"])
@settings(max_examples=25, deadline=None)
@given(validation=validations, given_items=many_items, more=items(SUPPORTS))
def test_what_does_not_count_changes_nothing(
    spoiled: str,
    validation: vpb.ValidationResult,
    given_items: list[common_pb2.EvidenceItem],
    more: common_pb2.EvidenceItem,
) -> None:
    """An item that is unverified, takes no side, speaks to no claim or was meant to steer its reader is ignored."""
    flags = {
        "instructions": common_pb2.SOURCE_FLAG_INSTRUCTIONS,
        "hidden": common_pb2.SOURCE_FLAG_HIDDEN_TEXT,
        "invisible": common_pb2.SOURCE_FLAG_INVISIBLE_CHARACTERS,
    }
    if spoiled in flags:
        more.flags.append(flags[spoiled])
    elif spoiled == "unverified":
        more.verified = False
    elif spoiled == "mentions":
        more.stance = MENTIONS
    else:
        more.claim_id = "somebody-else's"
    before = combine(validation, evidence_pb2.EvidenceResult(items=given_items))
    assert combine(validation, evidence_pb2.EvidenceResult(items=[*given_items, more])) == before


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(1, 5)), min_size=8, max_size=8))
def test_the_gateway_reads_criteria_as_validation_does(scores: list[int | None]) -> None:
    """The rules on the scores alone give validation's own recommendation and score."""
    own = words(scores).verdict
    read = verdict_criteria.read(dict(zip(CRITERIA, scores, strict=True)))
    assert (read.recommendation, read.score) == (own.recommendation, own.score)


@settings(max_examples=60, deadline=None)
@given(validations, st.lists(items(), max_size=12))
def test_each_flip_turns_the_verdict(
    validation: vpb.ValidationResult, given_items: list[common_pb2.EvidenceItem]
) -> None:
    """At most five flips are told, each to another recommendation by a rule, and none about a harmful purpose."""
    verdict = combine(validation, evidence_pb2.EvidenceResult(items=given_items))
    assert len(verdict.flips) <= 5
    for flip in verdict.flips:
        assert flip.recommendation not in (verdict.recommendation, vpb.RECOMMENDATION_UNSPECIFIED)
        assert flip.rule
        assert flip.fact.endswith(".")
    if any(reason.rule == "knock_out_harmful_purpose" for reason in verdict.reasons):
        assert not verdict.flips


def test_a_flip_on_a_claim_comes_true() -> None:
    """Adding just what the nearest flip names leads to the recommendation that it names."""
    validation = words([4] * 8)
    collected = [evidence_item(1, "problem"), evidence_item(2, "problem")]
    verdict = combine(validation, evidence_pb2.EvidenceResult(items=collected))
    assert verdict.recommendation == vpb.RECOMMENDATION_INCONCLUSIVE
    nearest = verdict.flips[0]
    assert (nearest.subject, nearest.recommendation) == ("audience", vpb.RECOMMENDATION_GO)
    assert nearest.fact == "One more verified source supports what the idea says on the audience."
    more = evidence_item(3, "audience", weight=0.6)
    turned = combine(validation, evidence_pb2.EvidenceResult(items=[*collected, more]))
    assert turned.recommendation == nearest.recommendation


def test_a_flip_on_a_criterion_comes_true() -> None:
    """A criterion that holds the mean down is named with the score that would lift it."""
    scores: list[int | None] = [4] * 7 + [2]
    supporting = [evidence_item(number, CLAIM_IDS[number % 3]) for number in range(6)]
    verdict = combine(words(scores), evidence_pb2.EvidenceResult(items=supporting))
    assert verdict.recommendation == vpb.RECOMMENDATION_PIVOT
    assert verdict.flips[0].subject == "risk"
    assert verdict.flips[0].fact == "Risk scores 3 of 5 instead of 2."
    lifted = combine(words([4] * 7 + [3]), evidence_pb2.EvidenceResult(items=supporting))
    assert lifted.recommendation == verdict.flips[0].recommendation


def test_a_verdict_over_many_items_is_quick() -> None:
    """Two hundred items and all their flips are judged within a second of processor time."""
    many = [evidence_item(n, CLAIM_IDS[n % 7], SUPPORTS if n % 3 else CONTRADICTS) for n in range(200)]
    began = time.process_time()
    combine(words([4] * 8), evidence_pb2.EvidenceResult(items=many))
    assert time.process_time() - began < 1.0
