"""What the verdict is decided from, and what a decision is. Pure, and cheap to change one fact of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from gateway.verdict_criteria import LOW_DIMENSION_MAX, Scores, WordsSay, read
from gateway.verdict_weights import Voice, Weighed, voices, weigh
from pipeline.v1 import campaign_pb2, common_pb2, evidence_pb2, validation_pb2

GO = validation_pb2.RECOMMENDATION_GO
PIVOT = validation_pb2.RECOMMENDATION_PIVOT
NO_GO = validation_pb2.RECOMMENDATION_NO_GO
INCONCLUSIVE = validation_pb2.RECOMMENDATION_INCONCLUSIVE
# The order that the rules are monotone in; batches are ranked by the same.
RANK = {NO_GO: 0, INCONCLUSIVE: 1, PIVOT: 2, GO: 3}


@dataclass(frozen=True)
class Measured:
    """What a finished smoke test came to: real visitors were asked."""

    decision: campaign_pb2.CampaignDecision.ValueType
    # In the words of its reading.
    explanation: str
    # 0 to 1: how sure the reading is of its decision.
    confidence: float

    @property
    def decides(self) -> bool:
        """The test showed demand, or its absence."""
        return self.decision in (campaign_pb2.CAMPAIGN_DECISION_GO, campaign_pb2.CAMPAIGN_DECISION_NO_GO)


@dataclass(frozen=True)
class Facts:
    """Everything that the rules look at."""

    # None: validation has no result.
    words: WordsSay | None
    scores: Scores = field(default_factory=dict)
    # The scores alone lead to `words`; where they do not (a knock-out), another score decides nothing.
    scores_decide: bool = False
    # Validation's, 0 to 1.
    confidence: float = 0.0
    # The idea's claims in their order.
    kinds: Mapping[str, common_pb2.ClaimKind.ValueType] = field(default_factory=dict)
    voices: tuple[Voice, ...] = ()
    # Evidence has a result, be it an empty one.
    collected: bool = False
    # None: no smoke test has ended.
    measured: Measured | None = None

    @cached_property
    def beside_competition(self) -> tuple[Voice, ...]:
        """The voices on all claims but the one on competition."""
        return tuple(voice for voice in self.voices if not self.is_competition(voice.claim))

    @cached_property
    def by_claim(self) -> dict[str, Weighed]:
        """Both sides of each claim, competition included."""
        heard: dict[str, list[Voice]] = {claim: [] for claim in self.kinds}
        for voice in self.voices:
            heard[voice.claim].append(voice)
        return {claim: weigh(said) for claim, said in heard.items()}

    def silent(self) -> list[str]:
        """Claims that no counted source takes a side on."""
        return [claim for claim, side in self.by_claim.items() if not side.for_sources and not side.against_sources]

    def is_competition(self, claim: str) -> bool:
        return self.kinds[claim] == common_pb2.CLAIM_KIND_COMPETITION


@dataclass(frozen=True)
class Ruling:
    """One rule that had something to say; `ceiling` is the best recommendation that it leaves."""

    rule: str
    ceiling: validation_pb2.Recommendation.ValueType
    explanation: str
    items: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decision:
    """What the rules came to, in the order they were applied."""

    recommendation: validation_pb2.Recommendation.ValueType
    score: float
    rulings: tuple[Ruling, ...]


def measured(reading: campaign_pb2.CampaignReading | None) -> Measured | None:
    """What a reading means for the verdict: nothing before its stopping rule is met."""
    if reading is None or not reading.is_final:
        return None
    above, at_target = reading.posterior.probability_above_baseline, reading.posterior.probability_above_target
    sure = {
        campaign_pb2.CAMPAIGN_DECISION_GO: above,
        campaign_pb2.CAMPAIGN_DECISION_NO_GO: 1 - at_target,
    }.get(reading.decision, 0.0)
    return Measured(reading.decision, reading.explanation, round(sure, 3))


def gather(
    validation: validation_pb2.ValidationResult | None,
    evidence: evidence_pb2.EvidenceResult | None,
    reading: campaign_pb2.CampaignReading | None = None,
) -> Facts:
    """The facts of a run; None stands for a phase without a result, or a campaign that was not read."""
    if validation is None:
        return Facts(words=None, collected=evidence is not None, measured=measured(reading))
    scores = {c.criterion: c.score if c.HasField("score") else None for c in validation.criteria}
    verdict = validation.verdict
    low = any(score is not None and score <= LOW_DIMENSION_MAX for score in scores.values())
    words = WordsSay(verdict.recommendation, round(verdict.score, 2), low)
    kinds = {claim.id: claim.kind for claim in validation.claims}
    return Facts(
        words=words,
        scores=scores,
        scores_decide=read(scores) == words,
        confidence=verdict.confidence,
        kinds=kinds,
        voices=voices(evidence.items, kinds) if evidence is not None else (),
        collected=evidence is not None,
        measured=measured(reading),
    )
