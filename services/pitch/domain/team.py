"""The team slide: named gaps only."""

from __future__ import annotations

from pipeline.v1 import common_pb2
from services.pitch.domain import words
from services.pitch.domain.draft import Desk, Draft, missing
from services.pitch.domain.ledger import Part


def team(desk: Desk) -> Draft:
    """Named gaps only: who is needed for this idea. The founder fills them."""
    brief = desk.brief
    ledger, buyer = brief.ledger, brief.ledger.own(brief.buyer, 70)
    field = ledger.own(words.lower_first(words.clean(brief.profile.category_label, 40)) or "the field", 40)
    fallback = "These seats decide it; the founder fills them in"
    draft = Draft(title=ledger.title("{name} needs these people; names to be filled in", fallback, name=brief.name))

    def role(text: str, **slots: Part | str) -> None:
        draft.statements.append(ledger.say(text, placeholder=True, **slots))

    role("Field: [name], who knows {field} from inside and has lived the problem", field=field)
    role("Product: [name], who has shipped {form} before", form=_article(brief.form))
    role("First customers: [name], who can call the first {who} today", who=buyer)
    if desk.reads(common_pb2.INVESTOR_TYPE_ANGEL):
        role("Why us: [name], [what you saw or lived that made you start], [what you gave up for it]")
    elif desk.reads(common_pb2.INVESTOR_TYPE_SERIES_A):
        role("Sales: [name], who has sold to {who} and trained others to", who=buyer)
    elif desk.reads(common_pb2.INVESTOR_TYPE_GROWTH):
        role("Finance: [name], who has run cohorts, forecasts and a board pack before")
        role("Retention: [name], who owns what {who} do in their second month", who=buyer)
    elif desk.reads(common_pb2.INVESTOR_TYPE_STRATEGIC):
        role("Integration: [name], who answers your engineers; on your side: [name], who owns the pilot")
    rules = [words.clean(rule.field, 40) for rule in brief.profile.regulated_fields[:2] if rule.field]
    if rules:
        role("Adviser: [name], who has cleared rules on {rules} before", rules=ledger.own(words.join(rules), 100))
    draft.missing.append(
        missing(
            "team",
            common_pb2.MISSING_KIND_FOUNDER_INPUT,
            "The idea says nothing about who builds it.",
            "Put names and one line of proof each in place of the brackets on the team slide.",
        )
    )
    draft.talk = [
        "For each person: one thing done before that this idea needs.",
        "Where a seat is empty, say who is being asked to fill it.",
    ]
    draft.parts = {"team": False}
    return draft


def _article(noun: str) -> str:
    return f"{'an' if noun[:1].lower() in 'aeio' else 'a'} {noun}"
