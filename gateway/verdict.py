"""The run's verdict: what validation read in the words, weighed with what the sources say. Pure rules.

Recommendations have an order: NO_GO < INCONCLUSIVE < PIVOT < GO, the one that a batch is ranked by. What stands above
INCONCLUSIVE must be earned by support; NO_GO must be earned by contradiction or by the words. So more support never
lowers the recommendation or the score, more contradiction never raises them, and the order of the items changes
nothing: each rule below sets a ceiling from figures that only rise with support and only fall with contradiction, and
the lowest ceiling is the verdict. `docs/adr/0008-verdict-is-monotone.md` says why it is built so.

First what ends it at once:

1. `no_validation`      validation failed: INCONCLUSIVE.
2. `validation_rejects` validation says NO_GO: that stands; sources cannot lift what it stumbled over (knock-outs).
3. `no_evidence`        evidence failed or was left out: INCONCLUSIVE.
4. `validation_unsure`  validation is INCONCLUSIVE: stays so; sources about an unclear idea decide nothing.

Then the ceilings; competition has a rule of its own and stays out of all others:

5. the score            the words' score plus the mean leaning of the sources over the claims (-1 to +1 point). A
                        criterion of 2 or less caps it at 3.0. 3.4 or less: at most PIVOT. 2.0 or less with at least 3
                        sources against: NO_GO (`evidence_sinks_score`).
6. `claims_overturned`  two or more claims are contradicted, and the overall balance is below -1/2: NO_GO. A claim is
                        contradicted by at least 2 different sources that outweigh its support three to one.
7. `claim_contradicted` one claim is contradicted: at most PIVOT.
8. `evidence_against`   overall balance below -1/5, or a score that the sources drew to 3.4 or less: at most PIVOT.
9. `evidence_too_thin`  fewer than 3 different sources in support, or all of them on one claim: at most INCONCLUSIVE.
10. `crowded_field`     the claim on competition is contradicted. Rivals show demand as well as rivalry: at most PIVOT
                        only where validation scored differentiation at 3 or below, or not at all.

11. `smoke_test_no_go`   a smoke test that met its stopping rule ruled the target out: at most NO_GO. One that found
                        demand (`smoke_test_go`) lifts rule 9 and, where no evidence was collected, rule 3.
                        `gateway/verdict_measured.py`.

What no rule lowers is told as `evidence_agrees`, or as `evidence_lifts` where support carried a PIVOT of the words to
GO. `starter_set_only` is told where every source that takes a side ships with the pipeline: the recommendation stands,
its confidence is one half at most. Weights, balance and leaning: `gateway/verdict_weights.py`.

Confidence = validation's confidence times (1/2 + 1/2 * share of the claims that a counted source takes a side on).
`flips` names the nearest facts that would change the recommendation (`gateway/verdict_flips.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway import verdict_measured
from gateway import verdict_wording as say
from gateway.verdict_criteria import CAPPED_MEAN, NO_GO_MEAN_MAX, PIVOT_MEAN_MAX, by_score
from gateway.verdict_facts import GO, INCONCLUSIVE, NO_GO, PIVOT, RANK, Decision, Facts, Ruling, gather
from gateway.verdict_flips import flips
from gateway.verdict_weights import STARTER_PROVIDERS, Weighed, weigh
from pipeline.v1 import campaign_pb2, evidence_pb2, validation_pb2

# Below this many supporting sources, chance decides.
SOURCES_MIN = 3
CLAIMS_SUPPORTED_MIN = 2
CONTRADICTIONS_MIN = 2
CLAIM_BALANCE_MAX = -0.5
BALANCE_PIVOT = -0.2
BALANCE_NO_GO = -0.5
# Sources move the words' score by so much at most, either way.
SHIFT_MAX = 1.0
# A differentiation score above this says what sets the idea apart.
DIFFERENT_ABOVE = 3
STARTER_CONFIDENCE_MAX = 0.5


def combine(
    validation: validation_pb2.ValidationResult | None,
    evidence: evidence_pb2.EvidenceResult | None,
    reading: campaign_pb2.CampaignReading | None = None,
) -> validation_pb2.Verdict:
    """The verdict of the run; None stands for a phase without a result, or a campaign that was not read."""
    facts = gather(validation, evidence, reading)
    decision = decide(facts)
    verdict = validation_pb2.Verdict()
    if validation is not None:
        verdict.CopyFrom(validation.verdict)
    verdict.recommendation, verdict.score = decision.recommendation, decision.score
    verdict.confidence = _confidence(facts)
    for ruling in decision.rulings:
        verdict.reasons.add(rule=ruling.rule, explanation=ruling.explanation, evidence_ids=ruling.items)
    changes = [] if validation is None else _kept_advice(validation, decision)
    del verdict.would_change[:]
    verdict.would_change.extend([*_advice(facts, decision), *changes, *_open_claims(facts, decision)])
    verdict.flips.extend(flips(facts, decide))
    return verdict


def decide(facts: Facts) -> Decision:
    """Apply the rules; the lowest ceiling is the recommendation."""
    if facts.words is None:
        told = "The idea could not be read and scored, so nothing can be concluded."
        return _at_once(facts, 0.0, "no_validation", INCONCLUSIVE, told)
    score = facts.words.score
    if facts.words.recommendation == NO_GO:
        told = "The idea was rejected by what its own words say; sources cannot lift that."
        against = say.items(v for v in facts.beside_competition if not v.supports)
        return _at_once(facts, score, "validation_rejects", NO_GO, told, against)
    if not facts.collected and not verdict_measured.found_demand(facts):
        told = "No evidence was collected, so the claims rest on the idea's words alone."
        return _at_once(facts, score, "no_evidence", INCONCLUSIVE, told)
    if facts.words.recommendation == INCONCLUSIVE:
        told = "The idea leaves too much open to be judged; sources about it cannot decide that."
        return _at_once(facts, score, "validation_unsure", INCONCLUSIVE, told)
    score = moved_score(facts)
    rulings = [
        *_contradiction(facts, score),
        *_thin(facts),
        *_crowd(facts),
        *verdict_measured.rulings(facts),
    ]
    ceilings = [_words_ceiling(facts, score), *(ruling.ceiling for ruling in rulings)]
    recommendation = min(ceilings, key=lambda ceiling: RANK[ceiling])
    if not any(ruling.rule in _SPEAKING for ruling in rulings):
        rulings.insert(0, _agreement(facts, score, recommendation))
    if _starter_set_only(facts):
        rulings.append(Ruling("starter_set_only", GO, _FIRST_IMPRESSION))
    return Decision(recommendation, score, tuple(rulings))


def moved_score(facts: Facts) -> float:
    """The words' score plus the mean leaning over the claims, 1 to 5; a low criterion caps it as in validation."""
    if facts.words is None:
        return 0.0
    leanings = [side.leaning for claim, side in facts.by_claim.items() if not facts.is_competition(claim)]
    shift = SHIFT_MAX * sum(leanings) / len(leanings) if leanings else 0.0
    score = min(5.0, max(1.0, facts.words.score + shift))
    return round(min(score, CAPPED_MEAN) if facts.words.capped else score, 2)


def contradicted(side: Weighed) -> bool:
    """Several sources against, and together three times as heavy as what speaks for it."""
    return side.against_sources >= CONTRADICTIONS_MIN and side.balance <= CLAIM_BALANCE_MAX


# Rules that say what the sources come to, so that no agreement is told beside them.
_SPEAKING = frozenset(
    {"claims_overturned", "claim_contradicted", "evidence_against", "evidence_sinks_score", "evidence_too_thin"}
)
_FIRST_IMPRESSION = (
    "Treat this as a first impression: every source that takes a side is a directory entry or a general benchmark"
    " that comes with the pipeline, and nobody who has the problem was asked."
)


def _starter_set_only(facts: Facts) -> bool:
    """Every side was taken by what ships with the pipeline, and no test has asked anybody."""
    if facts.measured is not None and facts.measured.decides:
        return False
    return bool(facts.voices) and all(voice.provider in STARTER_PROVIDERS for voice in facts.voices)


def _at_once(
    facts: Facts,
    score: float,
    rule: str,
    recommendation: validation_pb2.Recommendation.ValueType,
    told: str,
    items: Sequence[str] = (),
) -> Decision:
    rulings = (Ruling(rule, recommendation, told, tuple(items)), *verdict_measured.rulings(facts))
    lowest = min((ruling.ceiling for ruling in rulings), key=lambda at: RANK[at])
    return Decision(lowest, score, rulings)


def _words_ceiling(facts: Facts, score: float) -> validation_pb2.Recommendation.ValueType:
    """What the moved score allows, and no more than validation where something else than its score held it down."""
    if facts.words is None:
        return INCONCLUSIVE
    held = by_score(facts.words.score) != facts.words.recommendation
    allowed = GO if score > PIVOT_MEAN_MAX else PIVOT
    return min(allowed, facts.words.recommendation, key=lambda at: RANK[at]) if held else allowed


def _contradiction(facts: Facts, score: float) -> list[Ruling]:
    beside = facts.beside_competition
    overall = weigh(beside)
    against = [voice for voice in beside if not voice.supports]
    rulings: list[Ruling] = []
    if score <= NO_GO_MEAN_MAX and overall.against_sources >= SOURCES_MIN:
        told = f"Sources draw the score down to {score:.2f} of 5; {NO_GO_MEAN_MAX:.1f} or less is a no."
        rulings.append(Ruling("evidence_sinks_score", NO_GO, told, say.items(against)))
    overturned = [
        claim for claim, side in facts.by_claim.items() if not facts.is_competition(claim) and contradicted(side)
    ]
    words = say.listed([say.claim_words(facts, claim) for claim in overturned])
    cited = say.items(voice for voice in against if voice.claim in overturned)
    if len(overturned) >= CONTRADICTIONS_MIN and overall.balance < BALANCE_NO_GO:
        told = (
            f"Verified sources outweigh what the idea says on {words}, and all that was found leans the same way"
            f" (balance {overall.balance:+.2f})."
        )
        rulings.append(Ruling("claims_overturned", NO_GO, told, cited))
    elif overturned:
        told = f"Verified sources outweigh what the idea says on {words}."
        rulings.append(Ruling("claim_contradicted", PIVOT, told, cited))
    elif overall.balance < BALANCE_PIVOT:
        told = f"Taken together, verified sources speak against the idea (balance {overall.balance:+.2f})."
        rulings.append(Ruling("evidence_against", PIVOT, told, say.items(against)))
    elif facts.words and score <= PIVOT_MEAN_MAX < facts.words.score and against:
        told = (
            f"Verified sources draw the score from {facts.words.score:.2f} down to {score:.2f} of 5;"
            f" a go takes more than {PIVOT_MEAN_MAX:.1f}."
        )
        rulings.append(Ruling("evidence_against", PIVOT, told, say.items(against)))
    return rulings


def _thin(facts: Facts) -> list[Ruling]:
    if verdict_measured.found_demand(facts):
        return []
    supporting = [voice for voice in facts.beside_competition if voice.supports]
    different = weigh(supporting).for_sources
    claims = len({voice.claim for voice in supporting})
    if different >= SOURCES_MIN and claims >= CLAIMS_SUPPORTED_MIN:
        return []
    told = say.thin(different, claims, SOURCES_MIN)
    return [Ruling("evidence_too_thin", INCONCLUSIVE, told, say.items(facts.voices))]


def _crowd(facts: Facts) -> list[Ruling]:
    """What rivals mean for the verdict."""
    crowded = {claim for claim, side in facts.by_claim.items() if facts.is_competition(claim) and contradicted(side)}
    if not crowded:
        return []
    against = [voice for voice in facts.voices if voice.claim in crowded and not voice.supports]
    different = (facts.scores.get(validation_pb2.CRITERION_DIFFERENTIATION) or 0) > DIFFERENT_ABOVE
    told = say.rivals(against, different=different)
    return [Ruling("crowded_field", GO if different else PIVOT, told, say.items(against))]


def _agreement(facts: Facts, score: float, final: validation_pb2.Recommendation.ValueType) -> Ruling:
    beside = facts.beside_competition
    fors, against = [v for v in beside if v.supports], [v for v in beside if not v.supports]
    half = say.ITEMS_SHOWN // 2
    cited = tuple(dict.fromkeys((*say.items(fors, half), *say.items(against, half))))
    ceiling = _words_ceiling(facts, score)
    if facts.words and facts.words.recommendation == PIVOT and final == GO:
        told = (
            f"Verified support lifts the score from {facts.words.score:.2f} to {score:.2f} of 5;"
            f" a go takes more than {PIVOT_MEAN_MAX:.1f}."
        )
        return Ruling("evidence_lifts", ceiling, told, cited)
    return Ruling("evidence_agrees", ceiling, say.agreement(beside, weigh(beside)), cited)


def _confidence(facts: Facts) -> float:
    covered = {voice.claim for voice in facts.voices}
    share = len(covered) / len(facts.kinds) if facts.kinds else 0.0
    confidence = facts.confidence * (0.5 + 0.5 * share)
    if facts.measured is not None and facts.measured.decides:
        # Real visitors answered the planned question: the reading's own certainty, where it is the higher one.
        confidence = max(confidence, facts.measured.confidence)
    if _starter_set_only(facts):
        confidence = min(confidence, STARTER_CONFIDENCE_MAX)
    return round(confidence, 3)


def _advice(facts: Facts, decision: Decision) -> list[str]:
    """What to do about the rules that had something to say, most pressing first."""
    rules = {ruling.rule: ruling for ruling in decision.rulings}
    advice = verdict_measured.advice(set(rules))
    if "no_validation" in rules:
        advice.append("Run it again when the validation server answers.")
    if "no_evidence" in rules:
        advice.append("Run it with the evidence phase: it looks for sources for and against.")
    if "starter_set_only" in rules:
        advice.append("Ask five people who have the problem and give the notes as documents, or run online.")
    if "crowded_field" in rules:
        names = say.rival_names([v for v in facts.voices if facts.is_competition(v.claim) and not v.supports])
        what = f"what {say.listed(names)} cannot do" if names else "what those products cannot do"
        advice.append(f"Say {what} for your customers, and let a few of them confirm it.")
    if rules.keys() & {"claims_overturned", "claim_contradicted"}:
        words = say.listed(
            [
                say.claim_words(facts, claim)
                for claim, side in facts.by_claim.items()
                if not facts.is_competition(claim) and contradicted(side)
            ]
        )
        advice.append(f"Find stronger sources for the idea on {words}, or take another angle there.")
    if rules.keys() & {"evidence_against", "evidence_sinks_score"}:
        advice.append("Find verified sources in favour that turn the balance.")
    if "evidence_too_thin" in rules:
        lacking = [say.claim_words(facts, claim) for claim in facts.silent()]
        on = f"sources on {say.listed(lacking[:4])}" if lacking else "more sources that support it"
        advice.append(f"Find {on}: add your own documents, or run it online.")
    return advice


def _kept_advice(validation: validation_pb2.ValidationResult, decision: Decision) -> list[str]:
    """Validation's advice; where the recommendation is no longer its own, only what mends a criterion."""
    advice = list(validation.verdict.would_change)
    if decision.recommendation == validation.verdict.recommendation:
        return advice
    mending = {criterion.improvement for criterion in validation.criteria}
    return [change for change in advice if change in mending]


def _open_claims(facts: Facts, decision: Decision) -> list[str]:
    ended = {"no_validation", "validation_rejects", "no_evidence", "validation_unsure", "evidence_too_thin"}
    if ended & {ruling.rule for ruling in decision.rulings}:
        return []
    lacking = [say.claim_words(facts, claim) for claim in facts.silent()]
    return [f"Find sources on {say.listed(lacking[:3])}: nothing verified takes a side there yet."] if lacking else []
