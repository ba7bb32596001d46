"""The run's verdict: what validation read in the words, weighed with what the sources say. Pure rules, in this order:

1. `no_validation`      validation failed: INCONCLUSIVE.
2. `validation_rejects` validation says NO_GO: that stands; sources cannot lift what it stumbled over.
3. `no_evidence`        evidence failed or was left out: INCONCLUSIVE.
4. `evidence_too_thin`  competition aside, fewer than 3 different sources take a side in a verified quote, or all of
                        them speak to one claim: INCONCLUSIVE.
5. `validation_unsure`  validation is INCONCLUSIVE: stays so; sources about an unclear idea decide nothing.
6. `claim_contradicted` a claim has at least 2 verified items against it that outweigh its support by half:
                        GO becomes PIVOT; PIVOT with two such claims and an overall balance below -1/2 becomes NO_GO.
7. `evidence_against`   overall balance below -1/5: GO becomes PIVOT.
8. `evidence_agrees`    otherwise validation's recommendation stands, and the weights are told.
9. `crowded_field`      the claim on competition is contradicted as in rule 6. Rivals show demand as well as rivalry:
                        GO becomes PIVOT only where validation scored differentiation at 3 or below, or not at all.
10. `starter_set_only`  every source that takes a side comes with the pipeline (directory, benchmarks): nothing of it
                        was found for this idea or said by its customers. The recommendation stands, its confidence is
                        one half at most, and the reason says so.

An item's weight is its composite score times how sure its stance is (both 0 to 1); only verified items that support or
contradict are weighed. balance = (for - against) / (for + against), -1 to 1; the overall balance leaves the claim on
competition to rule 9.

The score stays validation's. Confidence = validation's confidence times (1/2 + 1/2 * share of the claims that a
verified item takes a side on); without usable evidence, half of validation's confidence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.v1 import common_pb2, evidence_pb2, validation_pb2

# Below this many sources that take a side, chance decides the balance.
SOURCES_MIN = 3
CLAIMS_COVERED_MIN = 2
CONTRADICTIONS_MIN = 2
CLAIM_BALANCE_MAX = -0.5
BALANCE_PIVOT = -0.2
BALANCE_NO_GO = -0.5
# A differentiation score above this says what sets the idea apart.
DIFFERENT_ABOVE = 3
NAMES_SHOWN = 3
# What ships with the pipeline: it knows the field, nobody in it was asked about this idea.
STARTER_PROVIDERS = frozenset({"directory", "benchmarks"})
STARTER_CONFIDENCE_MAX = 0.5
# Reasons name this many sources at most; the report lists all.
IDS_SHOWN = 6

GO = validation_pb2.RECOMMENDATION_GO
PIVOT = validation_pb2.RECOMMENDATION_PIVOT
NO_GO = validation_pb2.RECOMMENDATION_NO_GO
INCONCLUSIVE = validation_pb2.RECOMMENDATION_INCONCLUSIVE

_KIND_WORDS = {
    common_pb2.CLAIM_KIND_PROBLEM: "the problem",
    common_pb2.CLAIM_KIND_AUDIENCE: "the audience",
    common_pb2.CLAIM_KIND_MARKET_SIZE: "the size of the market",
    common_pb2.CLAIM_KIND_COMPETITION: "the competition",
    common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY: "the willingness to pay",
    common_pb2.CLAIM_KIND_FEASIBILITY: "feasibility",
    common_pb2.CLAIM_KIND_TIMING: "the timing",
}


@dataclass
class Side:
    """Weights for and against, with the items they come from, heaviest first."""

    for_weight: float = 0.0
    against_weight: float = 0.0
    for_ids: list[str] = field(default_factory=list)
    against_ids: list[str] = field(default_factory=list)

    @property
    def balance(self) -> float:
        """-1 (all against) to 1 (all for); 0 when nothing weighs."""
        total = self.for_weight + self.against_weight
        return (self.for_weight - self.against_weight) / total if total else 0.0

    @property
    def contradicts(self) -> bool:
        """Several items against, and together heavier than what speaks for it by half."""
        return len(self.against_ids) >= CONTRADICTIONS_MIN and self.balance <= CLAIM_BALANCE_MAX

    def add(self, item: common_pb2.EvidenceItem) -> None:
        """Weigh one item that takes a side."""
        weight = item.composite * item.stance_confidence
        if item.stance == common_pb2.STANCE_SUPPORTS:
            self.for_weight += weight
            self.for_ids.append(item.id)
        else:
            self.against_weight += weight
            self.against_ids.append(item.id)


def sided(items: Sequence[common_pb2.EvidenceItem]) -> list[common_pb2.EvidenceItem]:
    """Verified items that support or contradict, heaviest first."""
    stances = (common_pb2.STANCE_SUPPORTS, common_pb2.STANCE_CONTRADICTS)
    kept = [item for item in items if item.verified and item.stance in stances]
    return sorted(kept, key=lambda item: (-item.composite * item.stance_confidence, item.id))


def sources(items: Sequence[common_pb2.EvidenceItem]) -> int:
    """How many different sources they come from: one that is quoted for three claims is still one."""
    return len({item.url or item.id for item in items})


def _on_competition(item: common_pb2.EvidenceItem, claims: dict[str, common_pb2.Claim]) -> bool:
    return item.claim_id in claims and claims[item.claim_id].kind == common_pb2.CLAIM_KIND_COMPETITION


def claim_words(claim: common_pb2.Claim) -> str:
    """The claim's kind as a noun phrase."""
    return _KIND_WORDS.get(claim.kind, f"“{claim.id}”")


def combine(
    validation: validation_pb2.ValidationResult | None, evidence: evidence_pb2.EvidenceResult | None
) -> validation_pb2.Verdict:
    """The verdict of the run; None stands for a phase without a result."""
    if validation is None:
        verdict = validation_pb2.Verdict(recommendation=INCONCLUSIVE)
        _reason(verdict, "no_validation", "The idea could not be read and scored, so nothing can be concluded.")
        verdict.would_change.append("Run it again when the validation server answers.")
        return verdict
    verdict = validation_pb2.Verdict()
    verdict.CopyFrom(validation.verdict)
    weighed = sided(evidence.items) if evidence is not None else []
    claims = {claim.id: claim for claim in validation.claims}
    by_claim: dict[str, Side] = defaultdict(Side)
    overall = Side()
    for item in weighed:
        by_claim[item.claim_id].add(item)
        if not _on_competition(item, claims):
            overall.add(item)
    covered = [claim for claim in claims if claim in by_claim]
    share = len(covered) / len(claims) if claims else 0.0
    verdict.confidence = round(validation.verdict.confidence * (0.5 + 0.5 * share), 3)

    if validation.verdict.recommendation == NO_GO:
        _reason(
            verdict,
            "validation_rejects",
            "The idea was rejected by what its own words say; sources cannot lift that.",
            overall.against_ids,
        )
        return verdict
    if evidence is None:
        verdict.recommendation = INCONCLUSIVE
        _reason(verdict, "no_evidence", "No evidence was collected, so the claims rest on the idea's words alone.")
        verdict.would_change.insert(0, "Run it with the evidence phase: it looks for sources for and against.")
        return verdict
    beside = [item for item in weighed if not _on_competition(item, claims)]
    if sources(beside) < SOURCES_MIN or len(by_claim) < CLAIMS_COVERED_MIN:
        verdict.recommendation = INCONCLUSIVE
        _reason(
            verdict,
            "evidence_too_thin",
            _thin(sources(beside), len({item.claim_id for item in beside})),
            [item.id for item in weighed],
        )
        _would_change_thin(verdict, claims, covered)
        _crowd(verdict, validation, claims, by_claim, weighed)
        _settle_changes(verdict, validation)
        return verdict
    if validation.verdict.recommendation == INCONCLUSIVE:
        _reason(
            verdict,
            "validation_unsure",
            "The idea leaves too much open to be judged; sources about it cannot decide that.",
        )
        return verdict
    _weigh(verdict, claims, by_claim, overall, sources(beside))
    _crowd(verdict, validation, claims, by_claim, weighed)
    _starter_only(verdict, weighed)
    _settle_changes(verdict, validation)
    open_claims = [claim_words(claims[name]) for name in claims if name not in by_claim]
    if open_claims:
        verdict.would_change.append(
            f"Find sources on {_listed(open_claims[:3])}: nothing verified takes a side there yet."
        )
    return verdict


def _weigh(
    verdict: validation_pb2.Verdict,
    claims: dict[str, common_pb2.Claim],
    by_claim: dict[str, Side],
    overall: Side,
    different: int,
) -> None:
    contradicted = [
        name
        for name, side in by_claim.items()
        if name in claims and claims[name].kind != common_pb2.CLAIM_KIND_COMPETITION and side.contradicts
    ]
    if contradicted:
        ids = [number for name in contradicted for number in by_claim[name].against_ids]
        words = _listed([claim_words(claims[name]) for name in contradicted])
        if verdict.recommendation == GO:
            verdict.recommendation = PIVOT
        elif len(contradicted) >= 2 and overall.balance < BALANCE_NO_GO:
            verdict.recommendation = NO_GO
        _reason(verdict, "claim_contradicted", f"Verified sources outweigh what the idea says on {words}.", ids)
        verdict.would_change.insert(0, f"Find stronger sources for the idea on {words}, or take another angle there.")
        return
    if verdict.recommendation == GO and overall.balance < BALANCE_PIVOT:
        verdict.recommendation = PIVOT
        _reason(
            verdict,
            "evidence_against",
            f"Taken together, verified sources speak against the idea (balance {overall.balance:+.2f}).",
            overall.against_ids,
        )
        verdict.would_change.insert(0, "Find verified sources in favour that turn the balance.")
        return
    _reason(
        verdict,
        "evidence_agrees",
        _agreement(overall, different),
        [*overall.for_ids[: IDS_SHOWN // 2], *overall.against_ids[: IDS_SHOWN // 2]],
    )


def _agreement(overall: Side, different: int) -> str:
    """How many quotes stand on either side, and from how many sources: one source may be quoted for several claims."""
    fors, against = len(overall.for_ids), len(overall.against_ids)
    noun = "verified quote" if fors == 1 else "verified quotes"
    whence = "1 source" if different == 1 else f"{different} sources"
    counter = "none contradicts one" if not against else f"{against} contradict{'s' if against == 1 else ''} one"
    return (
        f"Rivals aside, {fors} {noun} support{'s' if fors == 1 else ''} a claim and {counter} ({whence} in all,"
        f" balance {overall.balance:+.2f} of -1 to +1). Nothing found overturns what the idea's own words suggest."
    )


def _starter_only(verdict: validation_pb2.Verdict, weighed: Sequence[common_pb2.EvidenceItem]) -> None:
    """A verdict that rests on shipped facts alone must not sound surer than they are."""
    if any(item.provider not in STARTER_PROVIDERS for item in weighed):
        return
    verdict.confidence = min(verdict.confidence, STARTER_CONFIDENCE_MAX)
    _reason(
        verdict,
        "starter_set_only",
        "Treat this as a first impression: every source that takes a side is a directory entry or a general benchmark"
        " that comes with the pipeline, and nobody who has the problem was asked.",
    )
    verdict.would_change.insert(
        0, "Ask five people who have the problem and give the notes as documents, or run online."
    )


def _crowd(
    verdict: validation_pb2.Verdict,
    validation: validation_pb2.ValidationResult,
    claims: dict[str, common_pb2.Claim],
    by_claim: dict[str, Side],
    weighed: Sequence[common_pb2.EvidenceItem],
) -> None:
    """What rivals mean for the verdict."""
    crowded = [
        name
        for name, side in by_claim.items()
        if name in claims and claims[name].kind == common_pb2.CLAIM_KIND_COMPETITION and side.contradicts
    ]
    if not crowded:
        return
    against = [item for item in weighed if item.claim_id in crowded and item.stance == common_pb2.STANCE_CONTRADICTS]
    count = sources(against)
    names = list(dict.fromkeys(item.product.name for item in against if item.product.name))
    rivals = f" ({_listed(names[:NAMES_SHOWN])})" if names else ""
    different = any(
        criterion.criterion == validation_pb2.CRITERION_DIFFERENTIATION and criterion.score > DIFFERENT_ABOVE
        for criterion in validation.criteria
        if criterion.HasField("score")
    )
    shown = "source shows" if count == 1 else "sources show"
    told = f"It is not alone: {count} verified {shown} what competes with it{rivals}"
    if different:
        explanation = (
            f"{told}. That shows demand too; the idea says how it works, not yet that they cannot do the same."
        )
    else:
        explanation = f"{told}, and the idea does not say what sets it apart."
        if verdict.recommendation == GO:
            verdict.recommendation = PIVOT
    _reason(verdict, "crowded_field", explanation, [item.id for item in against])
    what = f"what {_listed(names[:NAMES_SHOWN])} cannot do" if names else "what those products cannot do"
    verdict.would_change.insert(0, f"Say {what} for your customers, and let a few of them confirm it.")


def _settle_changes(verdict: validation_pb2.Verdict, validation: validation_pb2.ValidationResult) -> None:
    """Where the recommendation is no longer validation's, keep of its advice only what mends a criterion."""
    if verdict.recommendation == validation.verdict.recommendation:
        return
    stale = set(validation.verdict.would_change) - {criterion.improvement for criterion in validation.criteria}
    kept = [change for change in verdict.would_change if change not in stale]
    del verdict.would_change[:]
    verdict.would_change.extend(kept)


def _thin(items: int, claims: int) -> str:
    if not items:
        return "Rivals aside, no verified source speaks for or against any claim: there is nothing to weigh."
    if items >= SOURCES_MIN:
        return f"The {items} verified sources that take a side all speak to one claim; at least two claims are needed."
    noun = "source speaks" if items == 1 else "sources speak"
    spread = f", on {claims} of the claims" if claims > 1 else ""
    return (
        f"Rivals aside, only {items} verified {noun} for or against it{spread}:"
        f" too few to decide (at least {SOURCES_MIN} are needed)."
    )


def _would_change_thin(
    verdict: validation_pb2.Verdict, claims: dict[str, common_pb2.Claim], covered: list[str]
) -> None:
    lacking = [claim_words(claim) for name, claim in claims.items() if name not in covered]
    if lacking:
        verdict.would_change.insert(
            0, f"Find sources on {_listed(lacking[:4])}: add your own documents, or run it online."
        )
    else:
        verdict.would_change.insert(0, "Find more sources that take a side: add your own documents, or run it online.")


def _reason(verdict: validation_pb2.Verdict, rule: str, explanation: str, ids: Sequence[str] = ()) -> None:
    verdict.reasons.add(rule=rule, explanation=explanation, evidence_ids=list(ids)[:IDS_SHOWN])


def _listed(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
