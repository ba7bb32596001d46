"""What the criteria alone decide, so that the verdict can ask what another score would change. Pure.

The rules and figures are validation's own (`services/validation/domain/verdict.py`), which the gateway may not import;
a test holds both to the same answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.v1 import validation_pb2 as vpb

CRITERIA_SCORED_MIN = 5
LOW_DIMENSION_MAX = 2
CAPPED_MEAN = 3.0
NO_GO_MEAN_MAX = 2.0
PIVOT_MEAN_MAX = 3.4

Scores = Mapping[vpb.Criterion.ValueType, int | None]


@dataclass(frozen=True)
class WordsSay:
    """What the idea's words lead to: the recommendation, and the score after caps (0: nothing was scored)."""

    recommendation: vpb.Recommendation.ValueType
    score: float
    # A criterion of 2 or less holds the score at 3.0.
    capped: bool


def read(scores: Scores) -> WordsSay:
    """The words' verdict from criterion -> score, None where it was not scored."""
    scored = [score for score in scores.values() if score is not None]
    mean = sum(scored) / len(scored) if scored else 0.0
    low = any(score <= LOW_DIMENSION_MAX for score in scored)
    needed = any(scores.get(criterion) is not None for criterion in (vpb.CRITERION_PROBLEM, vpb.CRITERION_AUDIENCE))
    if len(scored) < CRITERIA_SCORED_MIN or not needed:
        return WordsSay(vpb.RECOMMENDATION_INCONCLUSIVE, round(mean, 2), low)
    score = min(mean, CAPPED_MEAN) if low else mean
    return WordsSay(by_score(score), round(score, 2), low)


def by_score(score: float) -> vpb.Recommendation.ValueType:
    """NO_GO at 2.0 or less, PIVOT at 3.4 or less, else GO."""
    if score <= NO_GO_MEAN_MAX:
        return vpb.RECOMMENDATION_NO_GO
    return vpb.RECOMMENDATION_PIVOT if score <= PIVOT_MEAN_MAX else vpb.RECOMMENDATION_GO
