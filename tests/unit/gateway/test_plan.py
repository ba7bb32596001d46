"""The plan decides what may start, what is skipped and when a run is done."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.plan import RULES, Outcome, Plan, Rule, Skip, Start, Step, Why, critical_path

OK = Outcome.SUCCEEDED


def test_validation_and_evidence_start_at_once() -> None:
    """With nothing settled, the two phases without needs start together."""
    assert Plan().decide({}) == [Start(Step.VALIDATION), Start(Step.EVIDENCE)]


def test_mvp_does_not_wait_for_evidence() -> None:
    """The mvp starts when validation is done although evidence still runs."""
    assert Plan().decide({Step.VALIDATION: OK}, {Step.EVIDENCE}) == [Start(Step.MVP)]


def test_pitch_and_campaign_wait_for_both() -> None:
    """Pitch and campaign start when validation and evidence have settled."""
    settled = {Step.VALIDATION: OK, Step.EVIDENCE: OK}
    assert Plan().decide(settled, {Step.MVP}) == [Start(Step.PITCH), Start(Step.CAMPAIGN)]


def test_failed_evidence_degrades() -> None:
    """Pitch and campaign go on with what exists when only evidence failed."""
    settled = {Step.VALIDATION: OK, Step.EVIDENCE: Outcome.FAILED}
    assert {Start(Step.PITCH), Start(Step.CAMPAIGN), Start(Step.MVP)} == set(Plan().decide(settled))


def test_failed_validation_skips_its_dependents() -> None:
    """A failed validation skips all that builds on the profile, and names it."""
    decisions = Plan().decide({Step.VALIDATION: Outcome.FAILED}, {Step.EVIDENCE})
    assert decisions == [Skip(step, Why.NEED_FAILED, Step.VALIDATION) for step in (Step.MVP, Step.PITCH, Step.CAMPAIGN)]


def test_gate_skips_without_waiting() -> None:
    """A rejected idea skips the gated phases at once and lets evidence finish."""
    decisions = Plan().decide({Step.VALIDATION: OK}, {Step.EVIDENCE}, rejected=True)
    assert decisions == [Skip(step, Why.GATED) for step in (Step.MVP, Step.PITCH, Step.CAMPAIGN)]


def test_left_out_phase_is_skipped_and_its_dependents_run() -> None:
    """A phase that was not asked for counts as settled for those that only need it settled."""
    plan = Plan(left_out=frozenset({Step.EVIDENCE}))
    assert plan.decide({}) == [Skip(Step.EVIDENCE, Why.NOT_ASKED), Start(Step.VALIDATION)]
    settled = {Step.VALIDATION: OK, Step.EVIDENCE: Outcome.SKIPPED}
    assert Start(Step.PITCH) in plan.decide(settled)


def test_slots_bound_the_starts() -> None:
    """No more phases start than there are free slots."""
    assert Plan(max_concurrent=1).decide({}) == [Start(Step.VALIDATION)]
    assert Plan(max_concurrent=1).decide({Step.VALIDATION: OK}, {Step.EVIDENCE}) == []


def test_impossible_plans_are_refused() -> None:
    """A plan that cannot run is refused when it is built."""
    with pytest.raises(ValueError, match="validation cannot be left out"):
        Plan(left_out=frozenset({Step.VALIDATION}))
    with pytest.raises(ValueError, match="max_concurrent"):
        Plan(max_concurrent=0)
    with pytest.raises(ValueError, match="without needing"):
        Rule(Step.MVP, requires=frozenset({Step.PITCH}))


def test_critical_path_follows_needs() -> None:
    """The bound is the longest chain of needs, not the sum."""
    durations = {Step.VALIDATION: 1.0, Step.EVIDENCE: 3.0, Step.PITCH: 1.0, Step.CAMPAIGN: 2.0, Step.MVP: 3.5}
    assert critical_path(durations) == 5.0


@given(
    left_out=st.frozensets(st.sampled_from([Step.EVIDENCE, Step.PITCH, Step.CAMPAIGN, Step.MVP])),
    slots=st.integers(1, 5),
    rejects=st.booleans(),
    data=st.data(),
)
def test_every_plan_ends_and_keeps_its_promises(
    left_out: frozenset[Step], slots: int, rejects: bool, data: st.DataObject
) -> None:
    """Whatever fails in whatever order: each phase settles once, needs come first, slots hold, the run ends."""
    plan = Plan(left_out=left_out, max_concurrent=slots)
    rules = {rule.step: rule for rule in RULES}
    settled: dict[Step, Outcome] = {}
    running: set[Step] = set()
    for _ in range(20):
        rejected = rejects and settled.get(Step.VALIDATION) is OK
        for decision in plan.decide(settled, running, rejected=rejected):
            assert decision.step not in settled
            assert decision.step not in running
            if isinstance(decision, Skip):
                settled[decision.step] = Outcome.SKIPPED
            else:
                assert rules[decision.step].needs <= settled.keys()
                assert not (rejected and rules[decision.step].gated)
                running.add(decision.step)
        assert len(running) <= slots
        if not running:
            break
        ended = data.draw(st.sampled_from(sorted(running)))
        running.remove(ended)
        settled[ended] = data.draw(st.sampled_from([OK, Outcome.FAILED]))
    assert plan.finished(settled)
    assert all(settled[step] is Outcome.SKIPPED for step in left_out)
