"""What speaks against us: sources, our own doubts, what would change our mind; and, for a partner, the rules."""

from __future__ import annotations

from pipeline.v1 import common_pb2, pitch_pb2, validation_pb2
from services.pitch.domain import numbers, words
from services.pitch.domain.draft import Desk, Draft
from services.pitch.domain.ledger import Row

_VERDICTS = {
    validation_pb2.RECOMMENDATION_GO: "worth testing",
    validation_pb2.RECOMMENDATION_PIVOT: "pivot before spending more",
    validation_pb2.RECOMMENDATION_NO_GO: "do not pursue it as it stands",
    validation_pb2.RECOMMENDATION_INCONCLUSIVE: "inconclusive",
}
_ANSWERS = {
    common_pb2.CLAIM_KIND_PROBLEM: "Smoke test and interviews before building more",
    common_pb2.CLAIM_KIND_AUDIENCE: "Test another audience with the same page",
    common_pb2.CLAIM_KIND_MARKET_SIZE: "Replace our range with a public count",
    common_pb2.CLAIM_KIND_COMPETITION: "Ask users of that product what it lacks",
    common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY: "Show a price on the page and count the clicks",
    common_pb2.CLAIM_KIND_FEASIBILITY: "Build the hardest part first, and test it",
    common_pb2.CLAIM_KIND_TIMING: "Find a dated figure; else wait or narrow",
}
_CLAIM_WORDS = {
    common_pb2.CLAIM_KIND_PROBLEM: "The problem may not be real",
    common_pb2.CLAIM_KIND_AUDIENCE: "The audience may not be reachable",
    common_pb2.CLAIM_KIND_MARKET_SIZE: "The market may be small",
    common_pb2.CLAIM_KIND_COMPETITION: "Others serve this already",
    common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY: "People may not pay",
    common_pb2.CLAIM_KIND_FEASIBILITY: "It may not be buildable",
    common_pb2.CLAIM_KIND_TIMING: "The time may be wrong",
}


def against(desk: Desk) -> Draft:
    """Contradicting sources with their quotes and the test that answers each; the verdict; what would turn it."""
    brief = desk.brief
    ledger = brief.ledger
    rows = _contradictions(desk, 4 if desk.reads(common_pb2.INVESTOR_TYPE_SEED) else 3)
    found = bool(rows)
    if not desk.has(pitch_pb2.SLIDE_TYPE_RISKS):
        rows += _rules(desk, 1)
    rows += _doubts(desk, max(1, 4 - len(rows)))
    rows += _unheard(desk, 3 - len(rows))
    draft = Draft(
        title="What speaks against us, and the test that answers it"
        if found
        else "No source speaks against us yet, which proves little: this is where we doubt"
    )
    if not rows:
        rows.append(
            Row(("Nobody has been asked", "No source against us was found", "Ask three who would not buy, and why"))
        )
    draft.table = ledger.table(["Doubt", "What we found", "Test planned"], rows)
    if verdict := _VERDICTS.get(brief.verdict.recommendation):
        draft.statements.append(
            ledger.say("Our own check of the idea says: {verdict}{ends}", verdict=verdict, ends=_strong_and_weak(desk))
        )
    draft.statements += _mind(desk)
    if desk.reads(common_pb2.INVESTOR_TYPE_SEED):
        draft.statements += _base_rate(desk)
    draft.talk = [
        "Bring up the hardest point before the reader does, and say what result would make us stop.",
        *[words.clean(reason.explanation, 240) for reason in brief.verdict.reasons[:2]],
        *[f"What would change our verdict: {words.clean(text, 200)}" for text in brief.verdict.would_change[:2]],
    ]
    draft.parts = {"contradicting evidence": found, "verdict": bool(brief.verdict.recommendation)}
    return draft


def risks(desk: Desk) -> Draft:
    """Rules and liabilities that a partner takes on with the product, each with who clears it."""
    brief = desk.brief
    ledger = brief.ledger
    rows = _rules(desk, 3)
    rows.append(
        Row(
            (
                "Customer data crosses between two firms",
                ledger.own(_data(desk), 120),
                "Agree before the pilot who holds it and who answers for it",
            )
        )
    )
    rows.append(
        Row(
            (
                "Your name stands beside an untested product",
                "Nothing has been measured with customers",
                "Pilot under our name, on one site, with an end date",
            )
        )
    )
    draft = Draft(
        title="What has to be cleared before your customers see it"
        if brief.profile.regulated_fields
        else "No regulated field was recognised; data and name still have to be settled"
    )
    draft.table = ledger.table(["Risk", "What we found", "What we do first"], rows)
    if not brief.profile.regulated_fields:
        draft.statements.append(
            ledger.say("That our reader knows no rule here is no legal opinion: your counsel looks before the pilot")
        )
    draft.talk = ["Ask who in the partner's house signs off on each line, and how long that takes."]
    draft.parts = {"rules": bool(brief.profile.regulated_fields)}
    return draft


def _contradictions(desk: Desk, limit: int) -> list[Row]:
    """The best contradicting source of each kind of claim."""
    brief = desk.brief
    kinds = {claim.id: claim.kind for claim in brief.claims}
    rows: list[Row] = []
    seen: set[int] = set()
    for item in brief.found(common_pb2.STANCE_CONTRADICTS, *_CLAIM_WORDS):
        kind = kinds.get(item.claim_id, common_pb2.CLAIM_KIND_UNSPECIFIED)
        if kind in seen or len(rows) >= limit:
            continue
        seen.add(kind)
        rows.append(Row((_CLAIM_WORDS[kind], desk.said(item, 120), _ANSWERS[kind])))
    return rows


def _rules(desk: Desk, limit: int) -> list[Row]:
    ledger = desk.brief.ledger
    return [
        Row(
            (
                ledger.own(f"Regulated field: {words.clean(rule.field, 40)}", 70),
                ledger.own(_touched(rule.basis), 120),
                ledger.own(rule.advice or "Clear it with an adviser first", 190, "our advice"),
            )
        )
        for rule in list(desk.brief.profile.regulated_fields)[:limit]
    ]


def _doubts(desk: Desk, limit: int) -> list[Row]:
    """The criteria that our own check scored two or less, worst first."""
    ledger = desk.brief.ledger
    weak = sorted(
        (score for score in desk.brief.criteria if score.HasField("score") and score.score <= 2),
        key=lambda score: (score.score, score.criterion),
    )
    return [
        Row(
            (
                f"Weak in our own check: {_criterion(score)}",
                ledger.own(score.reason, 130, "validation"),
                ledger.own(score.improvement or "Sharpen the idea and check again", 110, "validation"),
            )
        )
        for score in weak[: min(limit, 2)]
    ]


def _unheard(desk: Desk, limit: int) -> list[Row]:
    """What could sink it and no source speaks about, the costliest to be wrong on first."""
    stances = (common_pb2.STANCE_SUPPORTS, common_pb2.STANCE_CONTRADICTS)
    order = (
        common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY,
        common_pb2.CLAIM_KIND_PROBLEM,
        common_pb2.CLAIM_KIND_COMPETITION,
        common_pb2.CLAIM_KIND_FEASIBILITY,
    )
    open_kinds = [kind for kind in order if not any(desk.brief.found(stance, kind) for stance in stances)]
    answers = {**_ANSWERS, common_pb2.CLAIM_KIND_COMPETITION: "Ask what they use today, and what it lacks"}
    return [
        Row((_CLAIM_WORDS[kind], "No source for or against", answers[kind])) for kind in open_kinds[: max(limit, 0)]
    ]


def _mind(desk: Desk) -> list[pitch_pb2.Statement]:
    """What would turn the verdict, nearest first; its own words on what would change it where nothing is computed."""
    ledger, verdict = desk.brief.ledger, desk.brief.verdict
    said = [
        ledger.say(
            "Would turn it to “{other}”: {fact}",
            other=_VERDICTS.get(flip.recommendation, "another verdict"),
            fact=ledger.own(words.lower_first(flip.fact).rstrip("."), 150, "validation"),
        )
        for flip in verdict.flips[:2]
    ]
    if said:
        return said
    return [
        ledger.say("Would change our mind: {text}", text=ledger.own(words.lower_first(text), 150, "validation"))
        for text in verdict.would_change[:1]
    ]


def _base_rate(desk: Desk) -> list[pitch_pb2.Statement]:
    """How many new firms last, whatever they do."""
    brief, ledger = desk.brief, desk.brief.ledger
    survival = brief.figures.best("business_survival.year_5")
    if survival is None:
        return []
    return [
        ledger.say(
            "Base rate: {share} of new US businesses ({segment}) are still open after five years",
            share=ledger.figure(survival, numbers.percent),
            segment=ledger.source_note(survival, survival.segment.removeprefix("US ")),
        )
    ]


def _data(desk: Desk) -> str:
    things = [words.clean(entity, 40) for entity in desk.brief.profile.entities[:3]]
    return f"It keeps records of each {words.join(things)}" if things else "What it keeps is still to be settled"


def _touched(basis: str) -> str:
    """Why a regulated field was named."""
    quoted = words.clean(basis, 90)
    return f"The idea touches it: “{quoted}”" if quoted else "The idea touches it"


def _strong_and_weak(desk: Desk) -> str:
    """Best and worst criterion in words."""
    scored = [score for score in desk.brief.criteria if score.HasField("score")]
    if len(scored) < 2:
        return ""
    best = max(scored, key=lambda score: (score.score, -score.criterion))
    worst = min(scored, key=lambda score: (score.score, score.criterion))
    if best.score == worst.score:
        return ""
    names = [_criterion(score) for score in (best, worst)]
    return f"; strongest on {names[0]}, weakest on {names[1]}"


def _criterion(score: validation_pb2.CriterionScore) -> str:
    return validation_pb2.Criterion.Name(score.criterion).removeprefix("CRITERION_").lower()
