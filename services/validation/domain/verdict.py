"""The verdict: rules in code, applied in this order; each that decides leaves its name and what it found.

1. `knock_out_harmful_purpose`  a harmful act is proposed                            -> NO_GO
2. `too_few_criteria`           fewer than 5 of 8 criteria could be scored, or neither
                                the problem nor the audience                           -> INCONCLUSIVE
3. `cap_low_dimension`          a criterion of 2 or less caps the mean at 3.0
4. `mean_too_low`               mean of 2.0 or less                                    -> NO_GO
5. `mean_needs_work`            mean of 3.4 or less                                    -> PIVOT
6. `mean_sufficient`            otherwise                                              -> GO

A risk of 2 or less needs no rule of its own: it caps the mean and so holds the verdict at PIVOT.
It speaks of the idea's words alone; the run's verdict also weighs the evidence.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.v1 import validation_pb2 as vpb
from services.validation.domain.harm import Harm

CRITERIA_SCORED_MIN = 5
LOW_DIMENSION_MAX = 2
CAPPED_MEAN = 3.0
NO_GO_MEAN_MAX = 2.0
PIVOT_MEAN_MAX = 3.4
WOULD_CHANGE_MAX = 4

_NAMES = {value: name.removeprefix("CRITERION_").lower() for name, value in vpb.Criterion.items()}


def name_of(criterion: vpb.Criterion.ValueType) -> str:
    """ "market" for CRITERION_MARKET."""
    return _NAMES[criterion]


def decide(criteria: Sequence[vpb.CriterionScore], harms: Sequence[Harm] = ()) -> vpb.Verdict:
    """The verdict over scored and unscored criteria; see the module's rules."""
    scored = [c for c in criteria if c.HasField("score")]
    mean = sum(c.score for c in scored) / len(scored) if scored else 0.0
    confidence = sum(c.confidence for c in scored) / len(criteria) if criteria else 0.0
    reasons: list[vpb.VerdictReason] = []
    if harms:
        kinds = ", ".join(dict.fromkeys(harm.kind for harm in harms))
        reasons.append(
            _reason("knock_out_harmful_purpose", f"“{harms[0].quote}” proposes {kinds}: no score outweighs that.")
        )
        return vpb.Verdict(
            recommendation=vpb.RECOMMENDATION_NO_GO, score=1.0, confidence=0.9, reasons=reasons,
            would_change=[f"A purpose that harms nobody in place of “{harms[0].quote}”."],
        )  # fmt: skip
    needed = any(c.criterion in (vpb.CRITERION_PROBLEM, vpb.CRITERION_AUDIENCE) for c in scored)
    if len(scored) < CRITERIA_SCORED_MIN or not needed:
        names = ", ".join(name_of(c.criterion) for c in criteria if not c.HasField("score"))
        told = (
            f"Only {len(scored)} of {len(criteria)} criteria have a basis in the text; missing: {names}."
            if len(scored) < CRITERIA_SCORED_MIN
            else "The text says neither who it is for nor what goes wrong without it: there is no need to judge."
        )
        reasons.append(_reason("too_few_criteria", told))
        return vpb.Verdict(
            recommendation=vpb.RECOMMENDATION_INCONCLUSIVE,
            score=round(mean, 2),
            confidence=round(confidence, 2),
            reasons=reasons,
            would_change=[c.improvement for c in criteria if not c.HasField("score") and c.improvement][
                :WOULD_CHANGE_MAX
            ],
        )
    low = sorted((c for c in scored if c.score <= LOW_DIMENSION_MAX), key=lambda c: (c.score, c.criterion))
    capped = bool(low) and mean > CAPPED_MEAN
    if capped:
        names = " and ".join(f"{name_of(c.criterion)} ({c.score})" for c in low[:3])
        reasons.append(
            _reason(
                "cap_low_dimension",
                f"{names.capitalize()} {'holds' if len(low) == 1 else 'hold'} the mean of {mean:.2f} "
                f"down to {CAPPED_MEAN:.1f}.",
            )
        )
        mean = CAPPED_MEAN
    recommendation, reason = _by_mean(mean, scored)
    reasons.append(reason)
    return vpb.Verdict(
        recommendation=recommendation,
        score=round(mean, 2),
        confidence=round(confidence, 2),
        reasons=reasons,
        would_change=_would_change(criteria, recommendation),
    )


def _by_mean(
    mean: float, scored: Sequence[vpb.CriterionScore]
) -> tuple[vpb.Recommendation.ValueType, vpb.VerdictReason]:
    shown = f"The idea's own words score {mean:.2f} of 5 over {len(scored)} criteria"
    if mean <= NO_GO_MEAN_MAX:
        return vpb.RECOMMENDATION_NO_GO, _reason("mean_too_low", f"{shown}; {NO_GO_MEAN_MAX:.1f} or less is a no.")
    if mean <= PIVOT_MEAN_MAX:
        weakest = min(scored, key=lambda c: (c.score, c.criterion))
        return vpb.RECOMMENDATION_PIVOT, _reason(
            "mean_needs_work",
            f"{shown}; a go takes more than {PIVOT_MEAN_MAX:.1f}. Weakest: {name_of(weakest.criterion)} "
            f"({weakest.score}).",
        )
    strongest = max(scored, key=lambda c: (c.score, -c.criterion))
    return vpb.RECOMMENDATION_GO, _reason(
        "mean_sufficient",
        f"{shown}, more than the {PIVOT_MEAN_MAX:.1f} that a go takes, and none is at {LOW_DIMENSION_MAX} or less. "
        f"Strongest: {name_of(strongest.criterion)} ({strongest.score}).",
    )


def _would_change(criteria: Sequence[vpb.CriterionScore], recommendation: int) -> list[str]:
    """Edits that raise the verdict (weakest first, unscored among them); for GO, what would sink it."""
    weakest = sorted(
        (c for c in criteria if c.improvement), key=lambda c: (c.score if c.HasField("score") else 2.5, c.criterion)
    )
    edits = [c.improvement for c in weakest]
    if recommendation == vpb.RECOMMENDATION_GO:
        firm = [
            c for c in criteria if c.HasField("score") and c.criterion in (vpb.CRITERION_MARKET, vpb.CRITERION_PROBLEM)
        ]
        against = (
            "Find out how often the problem occurs and whether an established product already solves it: "
            "either can turn this verdict."
        )
        return [against, *edits][:WOULD_CHANGE_MAX] if firm else edits[:WOULD_CHANGE_MAX]
    return edits[:WOULD_CHANGE_MAX]


def _reason(rule: str, explanation: str) -> vpb.VerdictReason:
    return vpb.VerdictReason(rule=rule, explanation=explanation)
