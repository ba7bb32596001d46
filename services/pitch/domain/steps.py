"""What happens next: milestones as this reader counts them; and why it fits what a partner sells already."""

from __future__ import annotations

from pipeline.v1 import common_pb2
from services.pitch.domain import numbers, words
from services.pitch.domain.draft import Desk, Draft
from services.pitch.domain.ledger import Part, Row


def milestones(desk: Desk) -> Draft:
    """Steps, what each proves, and the result at which we stop: first steps, a pilot, or what comes before scale."""
    if desk.reads(common_pb2.INVESTOR_TYPE_GROWTH):
        return _scale(desk)
    if desk.reads(common_pb2.INVESTOR_TYPE_STRATEGIC):
        return _pilot(desk)
    return _first_steps(desk)


def _first_steps(desk: Desk) -> Draft:
    brief, money = desk.brief, desk.financials
    ledger = brief.ledger
    who = ledger.own(brief.buyer, 50)
    draft = Draft(title="Every step is small, and each can end it")
    bar = brief.figure("waitlist.signup_rate.strong")
    good: Part | str = "More sign-ups than the page's own target"
    if bar is not None:
        good = _joined(ledger.figure(bar, numbers.percent), " of visitors sign up: a cited bar for strong interest")
    draft.table = ledger.table(
        ["Step", "We go on if", "We stop if"],
        [
            Row(
                (
                    _joined(who, " are interviewed, one by one", "Some "),
                    "Most tell of it unasked, with the last time it happened",
                    "They have to be reminded that it hurts",
                )
            ),
            Row(("Smoke test: a page, no product", good, "Few do, with two different messages")),
            Row(
                (
                    _joined(ledger.num(money.inputs.build), " for a first version"),
                    _joined(ledger.num(desk.market.price), " a month is paid by some before it is finished"),
                    "Praise, and no payment",
                )
            ),
        ],
    )
    draft.statements.append(
        ledger.say("The first two steps need weeks and a small advertising budget: they come before the round is spent")
    )
    draft.talk = ["Ask which of these steps the angel can shorten with one phone call."]
    draft.parts = {"milestones": True, "bar for the test": bar is not None}
    return draft


def _pilot(desk: Desk) -> Draft:
    brief, money = desk.brief, desk.financials
    ledger = brief.ledger
    who = ledger.own(brief.buyer, 50)
    kind = common_pb2.CLAIM_KIND_FEASIBILITY
    known = "Sources speak for it" if brief.found(common_pb2.STANCE_SUPPORTS, kind) else "No source yet"
    draft = Draft(title="One pilot, one site, one owner on your side, and an end date")
    draft.table = ledger.table(
        ["Step", "From you", "From us", "What it proves"],
        [
            Row(("Scope", "Who owns it, which customers", "What connects to what", "That both mean the same product")),
            Row(
                (
                    "Connect",
                    "Test access, a contact for questions",
                    _joined(ledger.num(money.inputs.build), " of work on a first version"),
                    f"That it can be built ({known[0].lower()}{known[1:]})",
                )
            ),
            Row(("Run", _joined(who, " who use it for real", "Your "), "Support, a weekly count", "That they stay")),
            Row(("Decide", "Go on, widen or stop", "The count, open to you", "What a contract would be worth")),
        ],
    )
    draft.statements.append(
        ledger.say("Stop rule: if those invited do not come back unasked, the pilot ends and neither side owes more")
    )
    draft.talk = ["Leave with the name of the pilot's owner: without one there is no pilot."]
    draft.parts = {"milestones": True, "feasibility evidence": known.startswith("Sources")}
    return draft


def _scale(desk: Desk) -> Draft:
    """What must be measured before growth money does more good than harm."""
    brief, money = desk.brief, desk.financials
    ledger = brief.ledger
    draft = Draft(title="Three gates stand between this idea and growth money")
    rows = [
        Row(("A customer pays back", _joined(ledger.num(money.payback), " to pay back, computed"), _payback_bar(desk))),
        Row(
            (
                "Customers stay",
                _joined(ledger.num(money.inputs.churn), " leave a month, planned"),
                _bar(desk, "saas.net_revenue_retention", "{value} net revenue retention, median"),
            )
        ),
        Row(
            (
                "Growth repeats itself",
                _joined(ledger.num(money.customers[0]), " customers in Year 1, computed"),
                _bar(desk, "saas.arr_growth.median", "{value} a year, median of private software firms"),
            )
        ),
    ]
    draft.table = ledger.table(["Gate", "Our plan, not measured", "Bar, cited"], rows)
    draft.statements.append(
        ledger.say(
            "Scale plan: one channel to its limit before the second; {channel} first, the cheapest on cited prices",
            channel=money.inputs.cheapest.name,
        )
    )
    draft.statements.append(
        ledger.say("Founder: add each gate's measured value with its date once there is one", placeholder=True)
    )
    draft.talk = ["Say which gate is nearest, and what it would cost to pass it."]
    draft.parts = {"milestones": True, "gates measured": False}
    return draft


def strategic_fit(desk: Desk) -> Draft:
    """What it adds to a partner's offer, what it needs from them, and where it connects."""
    brief, model = desk.brief, desk.market
    ledger = brief.ledger
    who = ledger.own(brief.buyer, 60)
    field = ledger.own(words.lower_first(words.clean(brief.profile.category_label, 40)) or "your field", 40)
    what = [words.lower_first(words.clean(feature.title, 50)) for feature in brief.profile.features[:2]]
    things = [words.clean(entity, 40) for entity in brief.profile.entities[:3]]
    draft = Draft(
        title=ledger.title(
            "{name} gives a firm that already sells to {who} one more reason to be kept",
            "One more reason for your customers to stay",
            name=brief.name,
            who=brief.buyer,
        )
    )
    draft.statements.append(
        ledger.say(
            "It fits firms in {field} that reach {who} every week and do not offer this themselves",
            field=field,
            who=who,
        )
    )
    draft.statements.append(
        ledger.say("Partner: [your product that it would sit beside], [system that it connects to]", placeholder=True)
    )
    draft.table = ledger.table(
        ["Question", "Answer today"],
        [
            Row(("What your customers get", ledger.own(words.capital(words.join(what)), 120) if what else "Open")),
            Row(
                (
                    "What it would read from your systems",
                    ledger.own(f"Records of each {words.join(things)}", 130) if things else "Still open",
                )
            ),
            Row(
                (
                    "What one account may be worth",
                    _joined(ledger.num(model.annual), " a year, our planning value; the split with you is open"),
                )
            ),
            Row(("What you bring that money cannot", _joined(who, "", "Trust and a standing line to "))),
            Row(
                (
                    "What stays independent",
                    "It is sold to others as well, unless exclusivity is agreed and paid for",
                )
            ),
        ],
    )
    draft.talk = ["Ask before the meeting what the partner's customers request most, and begin with that."]
    draft.parts = {"features": bool(what), "integration": bool(things)}
    return draft


def _joined(part: Part, after: str, before: str = "") -> Part:
    """Words around a part, which keeps what covers its numbers."""
    return Part(f"{before}{part.text}{after}", part.citations, part.assumptions)


def _bar(desk: Desk, metric: str, template: str) -> Part | str:
    figure = desk.brief.figure(metric)
    if figure is None:
        return "No cited figure at hand"
    part = desk.brief.ledger.figure(figure, numbers.percent)
    return Part(template.format(value=part.text), part.citations, part.assumptions)


def _payback_bar(desk: Desk) -> Part | str:
    figure = desk.brief.figure("saas.cac_payback.median")
    if figure is None:
        return "No cited figure at hand"
    part = desk.brief.ledger.figure(figure, numbers.months)
    return Part(f"{part.text}, median of software firms", part.citations, part.assumptions)
