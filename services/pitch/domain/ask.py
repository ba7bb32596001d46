"""The slides that ask: the round, what it shall prove, and what it is spent on."""

from __future__ import annotations

from chassis.figures import BenchmarkFigure
from pipeline.v1 import common_pb2, pitch_pb2
from services.pitch.domain import numbers, words
from services.pitch.domain.draft import Desk, Draft, missing
from services.pitch.domain.ledger import Part, Row

_ROUND_NAMES = {
    common_pb2.INVESTOR_TYPE_ANGEL: "A first part of a pre-seed round, enough to know whether anybody pays",
    common_pb2.INVESTOR_TYPE_SEED: "A seed round to find out whether people sign up, pay and stay",
    common_pb2.INVESTOR_TYPE_SERIES_A: "A Series A in two steps: proof first, then repeatable sales",
    common_pb2.INVESTOR_TYPE_GROWTH: "Not growth money yet: proof first",
}


def ask(desk: Desk) -> Draft:
    """What is asked for, from cited medians, and what it shall prove."""
    if desk.reads(common_pb2.INVESTOR_TYPE_STRATEGIC):
        return _pilot(desk)
    brief, money = desk.brief, desk.financials
    ledger = brief.ledger
    figures = money.inputs.round
    draft = Draft(title=_ROUND_NAMES.get(brief.investor, _ROUND_NAMES[common_pb2.INVESTOR_TYPE_SEED]))
    raised = figures.get("raised")
    if raised is None:
        draft.statements.append(ledger.say("No cited round size is at hand: the amount follows from the hiring plan"))
    elif brief.investor == common_pb2.INVESTOR_TYPE_GROWTH:
        draft.statements.append(
            ledger.say("A growth round needs measured revenue, and there is none yet: this deck does not ask for one")
        )
        draft.statements.append(
            ledger.say(
                "Planned with until then: {raised}, the cited Series A median ({segment}), for no growth median is "
                "at hand",
                raised=ledger.figure(raised, numbers.money),
                segment=ledger.source_note(raised, raised.segment),
            )
        )
        draft.missing.append(
            missing(
                "growth round",
                common_pb2.MISSING_KIND_NO_COVERAGE,
                "No cited median of growth rounds is at hand.",
                "Bring a comparable round, or pitch the seed plan first.",
            )
        )
    else:
        draft.statements.append(
            ledger.say(
                "{raised}: the cited median of such rounds ({segment})",
                raised=ledger.figure(raised, numbers.money),
                segment=ledger.source_note(raised, raised.segment),
            )
        )
    if raised is not None:
        draft.statements += _first_part(desk, raised)
    growth = brief.investor == common_pb2.INVESTOR_TYPE_GROWTH
    if not growth and (dilution := figures.get("dilution")) and (valuation := figures.get("valuation")):
        kind = "valuation cap" if ".cap." in valuation.metric else "post-money valuation"
        draft.statements.append(
            ledger.say(
                "Terms to expect at that median: {dilution} of the company, {kind} of {valuation}",
                dilution=ledger.figure(dilution, numbers.percent),
                kind=kind,
                valuation=ledger.figure(valuation, numbers.money),
            )
        )
    graduation = brief.figure("graduation.seed_to_series_a.2y", "2022")
    if brief.investor == common_pb2.INVESTOR_TYPE_SERIES_A and graduation is not None:
        draft.statements.append(
            ledger.say(
                "First step is seed proof: {share} of companies ({cohort}) raised a Series A within two years",
                share=ledger.figure(graduation, numbers.percent),
                cohort=ledger.source_note(graduation, graduation.segment),
            )
        )
    draft.statements.append(
        ledger.say(
            "It has to last {runway} and prove, in this order: that people sign up, that they pay, that they stay",
            runway=ledger.num(money.inputs.runway),
        )
    )
    if desk.has(pitch_pb2.SLIDE_TYPE_USE_OF_FUNDS):
        draft.table = _milestones(desk)
    else:
        draft.chart = _funds_chart(desk)
    draft.talk = [
        "Ask for one thing, and say what will be known when it is spent.",
        f"A question to expect: {desk.plan.asks}",
        *[f"Before that: {words.clean(text, 200)}" for text in brief.verdict.would_change[:1]],
    ]
    draft.parts = {"round": raised is not None}
    return draft


def _pilot(desk: Desk) -> Draft:
    """What a partner is asked for: a pilot and its cost, never a round whose terms are an investor's matter."""
    brief, build = desk.brief, desk.financials.inputs.build
    ledger = brief.ledger
    who = ledger.own(brief.buyer, 60)
    low, base, high = 12_000, 20_000, 35_000
    month = ledger.assume(
        "pilot-month",
        "Cost of a month of work on the pilot",
        base,
        low,
        high,
        unit="USD",
        basis="Planning value: two people and their tools; the founders' own rates replace it.",
        shown=numbers.money,
    )
    months = ledger.value(build)
    cost = ledger.derive(
        "pilot-cost",
        "Cost of the pilot",
        base * months[1],
        low * months[0],
        high * months[2],
        unit="USD",
        formula="months until the first paying customer × cost of a month of work",
        inputs=[build, month],
        shown=numbers.money,
    )
    draft = Draft(title="We ask for a pilot and a channel; money follows what they show")
    draft.statements.append(
        ledger.say(
            "A pilot costs about {cost}: {months} at {month} a month, in a range of {span}",
            cost=ledger.num(cost),
            months=ledger.num(build),
            month=ledger.num(month),
            span=ledger.span(cost),
        )
    )
    draft.statements.append(
        ledger.say("It can be paid in work and access as well as in money; equity can wait for its result")
    )
    draft.statements.append(ledger.say("Partner: [what you would carry of it], [by when you decide]", placeholder=True))
    draft.table = ledger.table(
        ["We ask for", "What you get for it", "What it does not bind you to"],
        [
            Row(
                (
                    Part(f"A pilot with some of your {who}", who.citations, who.assumptions),
                    "Their use, counted weekly",
                    "A purchase, or a second pilot",
                )
            ),
            Row(("One person who owns it", "A say in what is built first", "Any other time of your teams")),
            Row(("A mention in your own channel", "The first offer to your customers", "Your name on the product")),
            Row(("A decision at its end", "First right to a contract on its terms", "Exclusivity, on either side")),
        ],
    )
    draft.talk = [
        "Ask for one thing: the pilot. Say what will be known at its end.",
        f"A question to expect: {desk.plan.asks}",
    ]
    draft.parts = {"pilot": True, "pilot costed by the founders": False}
    return draft


# Share of the round that comes before the rest, low to high, what for, and why.
_FIRST_PARTS = {
    common_pb2.INVESTOR_TYPE_ANGEL: (
        (15, 25, 40),
        "First part: {amount}, {share} of it, until the smoke test and the first paid pilots are read",
    ),
    common_pb2.INVESTOR_TYPE_SERIES_A: (
        (10, 20, 30),
        "Step one: {amount}, {share} of it, to measure who pays and who stays; the rest when it holds",
    ),
}


def _first_part(desk: Desk, raised: BenchmarkFigure) -> list[pitch_pb2.Statement]:
    """The part of the round that buys the next answer, for readers who pay in parts."""
    ledger = desk.brief.ledger
    if desk.brief.investor not in _FIRST_PARTS:
        return []
    (low, base, high), template = _FIRST_PARTS[desk.brief.investor]
    share = ledger.assume(
        "first-part",
        "Share of the round that is paid before its first result",
        base,
        low,
        high,
        unit="%",
        basis="Planning value: what a first version, its test and a few pilots may take; the hiring plan replaces it.",
        shown=numbers.percent,
    )
    amount = ledger.derive(
        "first-amount",
        "First part of the round",
        raised.value * base / 100,
        raised.value * low / 100,
        raised.value * high / 100,
        unit="USD",
        formula="share × the cited median round",
        inputs=[share],
        shown=numbers.money,
    )
    return [ledger.say(template, amount=ledger.num(amount), share=ledger.num(share))]


def _milestones(desk: Desk) -> pitch_pb2.Table:
    """What the money shall prove, with what is known today."""
    brief = desk.brief
    steps = (
        ("Smoke test read", "People want it enough to sign up", common_pb2.CLAIM_KIND_PROBLEM),
        ("First paid pilots", "They pay for it", common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY),
        ("First version in daily use", "It works and people stay", common_pb2.CLAIM_KIND_FEASIBILITY),
        ("Count of buyers looked up", "There are enough of them", common_pb2.CLAIM_KIND_MARKET_SIZE),
    )
    rows = []
    for name, proves, kind in steps:
        rows.append(Row((name, proves, desk.known(kind))))
    return brief.ledger.table(["Milestone", "What it proves", "Known today"], rows)


def _funds_chart(desk: Desk) -> pitch_pb2.Chart:
    ledger, funds = desk.brief.ledger, desk.financials.inputs.funds
    return pitch_pb2.Chart(
        title="Use of funds, % of the round",
        kind="bar",
        categories=[label for label, _ in funds],
        series=[pitch_pb2.ChartSeries(name="Share of the round, %", values=[ledger.value(id_)[1] for _, id_ in funds])],
        unit="%",
        assumption_ids=[id_ for _, id_ in funds],
    )


def use_of_funds(desk: Desk) -> Draft:
    """Shares of the round and the amounts they come to."""
    brief, money = desk.brief, desk.financials
    ledger = brief.ledger
    funds = money.inputs.funds
    largest = max(funds, key=lambda item: ledger.value(item[1])[1])[0]
    # A growth deck asks for nothing before its gates: there, the split is what would follow.
    later = desk.reads(common_pb2.INVESTOR_TYPE_GROWTH)
    begin = "Once the gates are passed, the largest part goes into" if later else "The largest part goes into"
    draft = Draft(title=f"{begin} {words.lower_first(largest)}")
    raised = money.inputs.round.get("raised")
    rows = []
    for place, (label, id_) in enumerate(funds, 1):
        cells: tuple[Part | str, ...] = (label, ledger.num(id_))
        if raised is not None:
            low, value, high = (share * raised.value / 100 for share in ledger.value(id_))
            amount = ledger.derive(
                f"amount-{place}",
                f"Amount for: {words.lower_first(label)}",
                value,
                low,
                high,
                unit="USD",
                formula="share × the cited median round",
                inputs=[id_],
                shown=numbers.money,
            )
            ledger.cite_figure(raised)
            cells = (*cells, ledger.num(amount))
        rows.append(Row(cells))
    draft.table = ledger.table(["Use", "Share", "Amount"][: 3 if raised is not None else 2], rows)
    draft.chart = _funds_chart(desk)
    draft.statements.append(
        ledger.say("The split is a planning value: the founders' hiring plan replaces it before this slide is shown")
    )
    if rules := [words.clean(rule.field, 40) for rule in brief.profile.regulated_fields[:2] if rule.field]:
        draft.statements.append(
            ledger.say(
                "Part of it clears the rules on {rules} before the first paying customer",
                rules=ledger.own(words.join(rules), 100),
            )
        )
    draft.talk = ["For each line: who is hired or what is bought, and what is known afterwards."]
    draft.parts = {"use of funds": True}
    return draft
