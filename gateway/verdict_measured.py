"""What a finished smoke test adds to the verdict. Pure rules.

The test was planned before its first visitor, with its question, sample and stopping rule; so its decision counts as it
was announced, and only when the stopping rule is met:

`smoke_test_go`           the rate is above the baseline: people who have the problem have answered. What was too thin
                          for a recommendation no longer is; contradicted claims and low scores keep their ceilings.
`smoke_test_no_go`        the rate is below the target: at most NO_GO, for this offer to this audience.
`smoke_test_inconclusive` nothing changes; it is told.
"""

from __future__ import annotations

from gateway.verdict_facts import GO, NO_GO, Facts, Ruling
from pipeline.v1 import campaign_pb2

_RULES = {
    campaign_pb2.CAMPAIGN_DECISION_GO: ("smoke_test_go", GO, "The smoke test found demand."),
    campaign_pb2.CAMPAIGN_DECISION_NO_GO: ("smoke_test_no_go", NO_GO, "The smoke test ruled out the demand it needs."),
}
_ADVICE = {
    "smoke_test_no_go": "Change the promise, the audience or the problem, and test that as an idea of its own.",
    "smoke_test_inconclusive": "Plan the smoke test anew with the visitors that its question needs.",
}


def rulings(facts: Facts) -> list[Ruling]:
    """What the test says; nothing while none has ended."""
    if facts.measured is None:
        return []
    rule, ceiling, told = _RULES.get(
        facts.measured.decision, ("smoke_test_inconclusive", GO, "The smoke test ended without an answer.")
    )
    return [Ruling(rule, ceiling, f"{told} {facts.measured.explanation}".strip())]


def found_demand(facts: Facts) -> bool:
    """True where the test showed a rate above the baseline."""
    return facts.measured is not None and facts.measured.decision == campaign_pb2.CAMPAIGN_DECISION_GO


def advice(rules: set[str]) -> list[str]:
    """What to do after the test."""
    return [told for rule, told in _ADVICE.items() if rule in rules]
