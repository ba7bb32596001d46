"""From counts to a decision, by the rules that the plan registered. The first rule that fits decides.

| rule | when | decision | final |
|---|---|---|---|
| `guardrail_sample_ratio` | the split is not the declared one | INCONCLUSIVE | when ended |
| `guardrail_bots` | most visits were automatic | INCONCLUSIVE | when ended |
| `sequential_go` | the always-valid test rejects the baseline, a week has passed | GO | yes |
| `sequential_no_go` | the always-valid test rejects the target, a week has passed | NO_GO | yes |
| `sample_go` | the planned sample is complete and the planned test rejects the baseline | GO | yes |
| `sample_no_go` | ... and it rejects the target | NO_GO | yes |
| `sample_inconclusive` | ... and it rejects neither | INCONCLUSIVE | yes |
| `ended_in_first_week` | a test has decided, but the campaign ended within its first week | INCONCLUSIVE | yes |
| `ended_early` | the campaign has ended before any of these | INCONCLUSIVE | yes |
| `first_week` | a test has decided, but the first week is not over | INCONCLUSIVE | no |
| `collecting` | none of these yet | INCONCLUSIVE | no |

Where both tests could decide, the daily one is asked first: it was allowed to stop earlier. Both rejecting opposite
things cannot happen while the baseline is below the target.
"""

from __future__ import annotations

from typing import NamedTuple

from pipeline.v1 import campaign_pb2

GO = campaign_pb2.CAMPAIGN_DECISION_GO
NO_GO = campaign_pb2.CAMPAIGN_DECISION_NO_GO
INCONCLUSIVE = campaign_pb2.CAMPAIGN_DECISION_INCONCLUSIVE


class Facts(NamedTuple):
    """What the rules look at."""

    split_is_fair: bool
    mostly_people: bool
    week_is_over: bool
    looks_reject_baseline: bool
    looks_reject_target: bool
    sample_complete: bool
    sample_rejects_baseline: bool
    sample_rejects_target: bool
    ended: bool


class Decided(NamedTuple):
    """The decision, its rule, and whether it stands."""

    decision: campaign_pb2.CampaignDecision.ValueType
    rule: str
    is_final: bool


def decide(facts: Facts) -> Decided:
    """Apply the rules."""
    if not facts.split_is_fair:
        return Decided(INCONCLUSIVE, "guardrail_sample_ratio", facts.ended)
    if not facts.mostly_people:
        return Decided(INCONCLUSIVE, "guardrail_bots", facts.ended)
    found = _by_tests(facts)
    if found is not None and facts.week_is_over:
        return found
    if facts.ended:
        return Decided(INCONCLUSIVE, "ended_early" if found is None else "ended_in_first_week", True)
    return Decided(INCONCLUSIVE, "first_week" if found is not None else "collecting", False)


def _by_tests(facts: Facts) -> Decided | None:
    if facts.looks_reject_baseline:
        return Decided(GO, "sequential_go", True)
    if facts.looks_reject_target:
        return Decided(NO_GO, "sequential_no_go", True)
    if not facts.sample_complete:
        return None
    if facts.sample_rejects_baseline:
        return Decided(GO, "sample_go", True)
    if facts.sample_rejects_target:
        return Decided(NO_GO, "sample_no_go", True)
    return Decided(INCONCLUSIVE, "sample_inconclusive", True)
