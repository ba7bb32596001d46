"""The run's verdict follows documented rules from validation and evidence."""

import pytest

from chassis.testing_phases import evidence_item, sample_result
from gateway import quality
from gateway.metrics import overlapping
from gateway.results import Results
from gateway.verdict import combine
from gateway.verdict_weights import voices
from pipeline.v1 import common_pb2, evidence_pb2, mvp_pb2, validation_pb2

GO, PIVOT, NO_GO, INCONCLUSIVE = (
    validation_pb2.RECOMMENDATION_GO,
    validation_pb2.RECOMMENDATION_PIVOT,
    validation_pb2.RECOMMENDATION_NO_GO,
    validation_pb2.RECOMMENDATION_INCONCLUSIVE,
)
FOR, AGAINST, MENTIONS = (
    common_pb2.STANCE_SUPPORTS,
    common_pb2.STANCE_CONTRADICTS,
    common_pb2.STANCE_MENTIONS,
)


def validation(recommendation: validation_pb2.Recommendation.ValueType = GO) -> validation_pb2.ValidationResult:
    result: validation_pb2.ValidationResult = sample_result(common_pb2.PHASE_VALIDATION)
    result.verdict.recommendation = recommendation
    return result


def evidence(*items: tuple[str, common_pb2.Stance.ValueType]) -> evidence_pb2.EvidenceResult:
    return evidence_pb2.EvidenceResult(
        items=[evidence_item(number, claim, stance) for number, (claim, stance) in enumerate(items)]
    )


def rules(verdict: validation_pb2.Verdict) -> list[str]:
    return [reason.rule for reason in verdict.reasons]


SUPPORT = (("problem", FOR), ("audience", FOR), ("competition", FOR), ("problem", FOR), ("audience", FOR))


def test_nothing_to_go_on() -> None:
    """Without validation nothing is concluded; without evidence neither, unless validation says no."""
    assert rules(combine(None, evidence(*SUPPORT))) == ["no_validation"]
    verdict = combine(validation(GO), None)
    assert (verdict.recommendation, rules(verdict)) == (INCONCLUSIVE, ["no_evidence"])
    verdict = combine(validation(NO_GO), None)
    assert (verdict.recommendation, rules(verdict)) == (NO_GO, ["validation_rejects"])


def test_sources_do_not_lift_a_rejection() -> None:
    """What validation rejects stays rejected however much supports it."""
    assert combine(validation(NO_GO), evidence(*SUPPORT)).recommendation == NO_GO


@pytest.mark.parametrize(
    "items",
    [
        (),
        (("problem", FOR), ("audience", FOR)),
        (("problem", FOR), ("problem", FOR), ("problem", FOR)),
        (("problem", MENTIONS),) * 10,
        (("problem", FOR), ("competition", FOR), ("competition", AGAINST), ("competition", FOR)),
    ],
)
def test_thin_evidence_is_inconclusive(items: tuple[tuple[str, common_pb2.Stance.ValueType], ...]) -> None:
    """Too few sides taken, or all on one claim, decide nothing; the verdict says where sources are lacking."""
    verdict = combine(validation(GO), evidence(*items))
    assert (verdict.recommendation, rules(verdict)) == (INCONCLUSIVE, ["evidence_too_thin"])
    assert verdict.would_change
    assert verdict.confidence <= 0.8


def test_one_source_on_many_claims_is_one_source() -> None:
    """A source that was quoted for three claims is still one source: too thin."""
    items = evidence(("problem", FOR), ("audience", FOR), ("competition", FOR))
    for item in items.items:
        item.url = "https://example.com/the-same"
    assert rules(combine(validation(GO), items)) == ["evidence_too_thin"]


def test_unverified_sources_do_not_count() -> None:
    """Ten sources whose quotes were not verified are no evidence."""
    items = evidence(*SUPPORT)
    for item in items.items:
        item.verified = False
    assert rules(combine(validation(GO), items)) == ["evidence_too_thin"]


def test_agreeing_evidence_keeps_the_recommendation() -> None:
    """Support on several claims lets GO stand, with the sources named and more confidence than without."""
    verdict = combine(validation(GO), evidence(*SUPPORT))
    assert (verdict.recommendation, rules(verdict)) == (GO, ["evidence_agrees"])
    assert verdict.reasons[0].evidence_ids
    assert verdict.confidence > combine(validation(GO), None).confidence


def test_contradicted_claim_turns_go_into_pivot() -> None:
    """Two verified sources against one claim outweigh support elsewhere; they are named as the reason."""
    against = (("audience", AGAINST), ("audience", AGAINST))
    items = evidence(("problem", FOR), ("problem", FOR), ("feasibility", FOR), *against)
    given = validation(GO)
    given.claims.add(id="feasibility", kind=common_pb2.CLAIM_KIND_FEASIBILITY)
    verdict = combine(given, items)
    assert (verdict.recommendation, rules(verdict)) == (PIVOT, ["claim_contradicted"])
    assert set(verdict.reasons[0].evidence_ids) == {items.items[3].id, items.items[4].id}
    assert "audience" in verdict.would_change[0]


@pytest.mark.parametrize(("differentiation", "expected"), [(5, GO), (4, GO), (3, PIVOT), (None, PIVOT)])
def test_rivals_ask_for_a_difference(
    differentiation: int | None, expected: validation_pb2.Recommendation.ValueType
) -> None:
    """Established products turn GO into PIVOT only where the idea does not say what sets it apart; they are named."""
    given = validation(GO)
    criterion = given.criteria.add(criterion=validation_pb2.CRITERION_DIFFERENTIATION)
    if differentiation is not None:
        criterion.score = differentiation
    items = evidence(*SUPPORT[:2], ("problem", FOR), ("competition", AGAINST), ("competition", AGAINST))
    items.items[3].product.name = "Rival One"
    verdict = combine(given, items)
    assert (verdict.recommendation, rules(verdict)) == (expected, ["evidence_agrees", "crowded_field"])
    assert "Rival One" in verdict.reasons[-1].explanation
    assert "Rival One" in verdict.would_change[0]


def test_advice_for_another_verdict_is_dropped() -> None:
    """What would have changed a GO is no advice for a PIVOT; edits that raise a criterion stay."""
    given = validation(GO)
    given.criteria[0].improvement = "Say who pays."
    given.verdict.would_change.extend(["Proof that nobody needs it would turn this.", "Say who pays."])
    items = evidence(*SUPPORT[:2], ("problem", FOR), ("competition", AGAINST), ("competition", AGAINST))
    changes = list(combine(given, items).would_change)
    assert "Say who pays." in changes
    assert "Proof that nobody needs it would turn this." not in changes
    agreeing = evidence(*SUPPORT)
    assert "Proof that nobody needs it would turn this." in combine(given, agreeing).would_change


def test_two_overturned_claims_are_a_no() -> None:
    """What is contradicted on two claims, with next to nothing in favour, is a NO_GO however well it is put."""
    against = [(claim, AGAINST) for claim in ("problem", "audience") for _ in range(3)]
    for words in (PIVOT, GO):
        verdict = combine(validation(words), evidence(*against))
        assert (verdict.recommendation, rules(verdict)[0]) == (NO_GO, "claims_overturned")


def test_one_voice_against_everything_is_no_no() -> None:
    """A single source that contradicts two claims withholds a verdict, it does not end the idea."""
    items = evidence(("problem", AGAINST), ("audience", AGAINST))
    for item in items.items:
        item.url = "https://example.com/the-same"
    assert combine(validation(GO), items).recommendation == INCONCLUSIVE


def test_overall_balance_counts() -> None:
    """Sources that contradict no claim clearly enough still turn the whole when they outweigh it."""
    mixed = ((AGAINST,) * 3 + (FOR,) * 2) * 2
    items = evidence(*((claim, stance) for claim, stance in zip(("problem", "audience") * 5, mixed, strict=True)))
    for item in items.items:
        item.composite = 0.9 if item.stance == AGAINST else 0.5
    verdict = combine(validation(GO), items)
    assert (verdict.recommendation, rules(verdict)) == (PIVOT, ["evidence_against"])


def test_support_lifts_the_score_and_may_carry_a_pivot() -> None:
    """Support on every claim raises the words' score by less than a point; what passes 3.4 so is a GO."""
    given = validation(PIVOT)
    given.verdict.score = 3.2
    items = evidence(*[(claim, FOR) for claim in ("problem", "audience") for _ in range(3)])
    verdict = combine(given, items)
    assert 3.4 < verdict.score < 4.2
    assert (verdict.recommendation, rules(verdict)) == (GO, ["evidence_lifts"])
    given.criteria[0].score = 2
    held = combine(given, items)
    assert (held.recommendation, held.score) == (PIVOT, 3.0)


def test_a_product_that_exists_says_little_about_its_problem() -> None:
    """The same support moves the score less where the item only shows that a product exists; feasibility it shows."""
    for claim, weaker in (("problem", True), ("feasibility", False)):
        given = validation(GO)
        given.claims.add(id="feasibility", kind=common_pb2.CLAIM_KIND_FEASIBILITY)
        said, exists = evidence((claim, FOR)), evidence((claim, FOR))
        exists.items[0].product.name = "Somebody's Product"
        assert (combine(given, exists).score < combine(given, said).score) == weaker


def test_a_source_speaks_once_on_a_claim() -> None:
    """Ten quotes of one page weigh as much as its best one."""
    one, ten = evidence(("problem", FOR)), evidence(*[("problem", FOR)] * 10)
    for item in ten.items:
        item.url = one.items[0].url
    assert combine(validation(GO), ten).score == combine(validation(GO), one).score


def test_unclear_idea_stays_inconclusive() -> None:
    """Sources about an idea that validation could not judge decide nothing."""
    verdict = combine(validation(INCONCLUSIVE), evidence(*SUPPORT))
    assert (verdict.recommendation, rules(verdict)) == (INCONCLUSIVE, ["validation_unsure"])


def test_validation_is_not_changed() -> None:
    """The rules work on a copy."""
    given = validation(GO)
    before = given.SerializeToString(deterministic=True)
    combine(given, None)
    assert given.SerializeToString(deterministic=True) == before


def test_quality_is_the_mean_of_what_was_measured() -> None:
    """A part without a measurement is left out; nothing measured is 0."""
    assert quality.overall({}) == 0
    assert quality.parts(Results(), 0) == {}
    mvp = sample_result(common_pb2.PHASE_MVP)
    mvp.checks.add(name="tests", status=mvp_pb2.CHECK_STATUS_FAILED)
    mvp.checks.add(name="lint", status=mvp_pb2.CHECK_STATUS_SKIPPED)
    measured = quality.parts(Results(mvp=mvp), 4)
    assert measured == {"mvp_checks": 0.5, "phases_completed": 0.25}
    assert quality.overall(measured) == 0.375


def test_overlapping_phases_are_counted() -> None:
    """Phases that only touch do not overlap."""
    assert overlapping([(0, 10), (5, 15), (15, 20), (30, 40)]) == 2
    assert overlapping([]) == 0


def test_shipped_facts_alone_are_a_first_impression() -> None:
    """Where all that takes a side ships with the pipeline, the verdict says so and is no surer than even."""
    items = evidence(*SUPPORT)
    for item in items.items:
        item.provider = "directory"
    given = validation(GO)
    given.verdict.confidence = 0.9
    verdict = combine(given, items)
    assert (verdict.recommendation, rules(verdict)) == (GO, ["evidence_agrees", "starter_set_only"])
    assert verdict.confidence <= 0.5
    items.items[0].provider = "documents"
    assert combine(given, items).confidence > 0.5


def test_what_ships_with_the_pipeline_or_comes_from_the_founder_supports_by_a_third() -> None:
    """A directory entry, a general benchmark or the founder's notes lift the score less than an independent source."""
    kinds = {"problem": common_pb2.CLAIM_KIND_PROBLEM}
    found, shipped = evidence_item(1), evidence_item(2)
    shipped.provider = "benchmarks"
    (one,), (other,) = voices([found], kinds), voices([shipped], kinds)
    assert other.weight == pytest.approx(one.weight / 3)
    brought = evidence_item(3)
    brought.source_type = common_pb2.SOURCE_TYPE_USER_DOCUMENT
    assert voices([brought], kinds)[0].weight == pytest.approx(one.weight / 3)
    shipped.stance = common_pb2.STANCE_CONTRADICTS
    assert voices([shipped], kinds)[0].weight == pytest.approx(one.weight)
