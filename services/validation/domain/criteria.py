"""Eight criteria, scored 1 to 5 from the idea's own words, or not scored where they give no basis.

Each score carries the words that led to it, one sentence of reason, a confidence and the edit that would raise it.
The scale: 1 hinders the idea, 2 weak, 3 workable, 4 good, 5 nothing to add from words alone. `risk` runs the same way:
5 is low risk. Nothing here knows the market: that is the evidence phase's part, and confidences say so.
"""

from __future__ import annotations

from collections.abc import Callable

from pipeline.v1 import common_pb2 as pb
from pipeline.v1 import validation_pb2 as vpb
from services.validation.domain.outlook_criteria import differentiation, feasibility, market, risk
from services.validation.domain.rubric import Idea
from services.validation.domain.wording_criteria import audience, clarity, problem, specificity

ORDER = (
    vpb.CRITERION_CLARITY,
    vpb.CRITERION_SPECIFICITY,
    vpb.CRITERION_PROBLEM,
    vpb.CRITERION_AUDIENCE,
    vpb.CRITERION_DIFFERENTIATION,
    vpb.CRITERION_FEASIBILITY,
    vpb.CRITERION_MARKET,
    vpb.CRITERION_RISK,
)


def score(profile: pb.IdeaProfile) -> list[vpb.CriterionScore]:
    """The eight criteria in the order of the contract."""
    idea = Idea(profile)
    return [_SCORERS[criterion](idea) for criterion in ORDER]


_SCORERS: dict[vpb.Criterion.ValueType, Callable[[Idea], vpb.CriterionScore]] = {
    vpb.CRITERION_CLARITY: clarity,
    vpb.CRITERION_SPECIFICITY: specificity,
    vpb.CRITERION_PROBLEM: problem,
    vpb.CRITERION_AUDIENCE: audience,
    vpb.CRITERION_DIFFERENTIATION: differentiation,
    vpb.CRITERION_FEASIBILITY: feasibility,
    vpb.CRITERION_MARKET: market,
    vpb.CRITERION_RISK: risk,
}
