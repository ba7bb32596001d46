"""The slides about money: business model, go to market, financials, ask, use of funds."""

from __future__ import annotations

from pipeline.v1 import common_pb2, pitch_pb2
from services.pitch.domain import numbers, words
from services.pitch.domain.draft import Desk, Draft, missing
from services.pitch.domain.ledger import Part, Row

_YEARS = ("Year 1", "Year 2", "Year 3")
_ROUND_NAMES = {
    common_pb2.INVESTOR_TYPE_ANGEL: "a pre-seed round",
    common_pb2.INVESTOR_TYPE_SEED: "a seed round",
    common_pb2.INVESTOR_TYPE_SERIES_A: "a Series A, in two steps",
    common_pb2.INVESTOR_TYPE_GROWTH: "proof first, growth money after",
    common_pb2.INVESTOR_TYPE_STRATEGIC: "a pilot, a channel, and a seed round to carry both",
}


def business_model(desk: Desk) -> Draft:
    """Who pays what, and whether a customer pays back what winning them costs."""
    brief, model, money = desk.brief, desk.market, desk.financials
    ledger = brief.ledger
    who = ledger.own(brief.buyer, 70)
    titles = {
        "yes": "On these inputs a customer pays back what winning them costs",
        "maybe": "A customer covers the cost to win them, short of the usual target",
        "no": "Bought customers do not pay back on these inputs: cheaper ways must carry growth",
    }
    draft = Draft(title=titles[money.pays_back()])
    spend, take = "spend-month", "take-rate"
    if brief.profile.business_model in {
        common_pb2.BUSINESS_MODEL_MARKETPLACE_FEE,
        common_pb2.BUSINESS_MODEL_TRANSACTION_FEE,
    }:
        draft.statements.append(
            ledger.say(
                "One buyer spends {spend} a month through {name}; it keeps {take}, which is {price}",
                spend=ledger.num(spend),
                take=ledger.num(take),
                price=ledger.num(model.price),
                name=brief.name,
            )
        )
    else:
        kind = f" ({brief.model})" if brief.model else ""
        draft.statements.append(
            ledger.say(
                "We plan with {price} per account and month{kind}, in a range of {span}: a price test comes before it "
                "is believed",
                price=ledger.num(model.price),
                kind=kind,
                span=ledger.span(model.price),
            )
        )
    if "business_model" in brief.profile.inferred_fields:
        draft.statements.append(
            ledger.say("The idea names no way to charge: this one is our reading, open until {who} are asked", who=who)
            if words.is_plural(brief.buyer)
            else ledger.say("The idea names no way to charge: this one is our reading, open until buyers are asked")
        )
    if money.goal is not None:
        draft.statements.append(
            ledger.say(
                "To reach the usual {goal}, winning a customer may cost {allowed} at most; it comes to {cac} here",
                goal=ledger.figure(money.goal, numbers.times),
                allowed=ledger.num(money.allowed_cac),
                cac=ledger.num(money.cac),
            )
        )
    draft.statements += desk.quotes((common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY,), supports=1)
    low_high = [
        ("Revenue per account and month", model.price),
        ("Gross margin", money.inputs.margin),
        ("Customers who leave each month", money.inputs.churn),
        ("Lifetime gross profit", money.ltv),
        ("Cost to win a customer", money.cac),
        ("Lifetime profit per dollar of that cost", money.ratio),
        ("Months to pay back", money.payback),
    ]
    draft.table = ledger.table(
        ["Per customer", "Low", "Base", "High"],
        [Row((label, ledger.num(id_, "low"), ledger.num(id_), ledger.num(id_, "high"))) for label, id_ in low_high],
    )
    draft.talk = [
        "Low and high are ends of ranges, not the worst and the best of all worlds at once.",
        "The one line to test first is the price: it moves every line below it.",
    ]
    draft.parts = {"business model": bool(brief.model), "unit economics": True}
    return draft


def go_to_market(desk: Desk) -> Draft:
    """How the first customers hear of it, with cited prices of clicks."""
    brief, money = desk.brief, desk.financials
    ledger = brief.ledger
    who = ledger.own(brief.buyer, 60)
    draft = Draft(
        title=ledger.title(
            "How the first {who} hear of {name}", "How the first customers hear of it", who=brief.buyer, name=brief.name
        )
        if brief.audience and words.is_plural(brief.buyer)
        else ledger.title(
            "How the first customers hear of {name}", "How the first customers hear of it", name=brief.name
        )
    )
    cheapest = money.inputs.cheapest
    draft.statements.append(
        ledger.say(
            "Cheapest paid way on cited prices: {channel}, about {cost} a sign-up",
            channel=cheapest.name,
            cost=ledger.num(cheapest.cost),
        )
    )
    terms = [words.clean(term, 40) for term in brief.profile.keywords if " " in term][:3] or [
        words.clean(term, 40) for term in brief.profile.keywords[:3]
    ]
    if terms:
        draft.statements.append(
            ledger.say(
                "Searches to stand beside: {terms}", terms=ledger.own(words.join([f"“{term}”" for term in terms]), 140)
            )
        )
    if money.inputs.sales_led:
        draft.statements.append(
            ledger.say(
                "A click books a conversation, it does not sell: the cited median is {ratio} of sales and marketing "
                "per dollar of new yearly revenue",
                ratio=ledger.num(money.inputs.sales_ratio),
            )
        )
    else:
        draft.statements.append(
            ledger.say(
                "Of those who sign up we plan with {paying} who pay, so a paying customer costs {cac}: ads are for "
                "the test, growth has to come from {who} who bring others",
                paying=ledger.num(money.inputs.paying),
                cac=ledger.num(money.cac),
                who=who,
            )
            if money.pays_back() == "no" and words.is_plural(brief.buyer)
            else ledger.say(
                "Of those who sign up we plan with {paying} who pay, so a paying customer costs {cac}",
                paying=ledger.num(money.inputs.paying),
                cac=ledger.num(money.cac),
            )
        )
    if desk.plan.reader == "a strategic partner":
        draft.statements.append(
            ledger.say(
                "With a partner: one pilot through your own customers replaces the paid channels for the first year"
            )
        )
    draft.statements += desk.quotes((common_pb2.CLAIM_KIND_AUDIENCE,), supports=1)
    channels = money.inputs.channels
    draft.table = ledger.table(
        ["Channel", "A click", "Sign-ups per click", "A sign-up"],
        [
            Row((channel.name, ledger.num(channel.click), ledger.num(channel.signup), ledger.num(channel.cost)))
            for channel in channels
        ],
    )
    if len(channels) > 1:
        draft.chart = pitch_pb2.Chart(
            title="Cost of a sign-up by channel, USD",
            kind="bar",
            categories=[channel.name for channel in channels],
            series=[
                pitch_pb2.ChartSeries(name="USD per sign-up", values=[ledger.value(item.cost)[1] for item in channels])
            ],
            unit="USD",
            assumption_ids=[channel.cost for channel in channels],
        )
    draft.talk = [
        "Start with the smallest spend that answers the question; the smoke test's plan says what it costs.",
        "Prices of clicks are averages of running firms in the United States; ours will differ.",
    ]
    draft.parts = {"channels": bool(channels), "search terms": bool(terms)}
    return draft


def financials(desk: Desk) -> Draft:
    """Three scenarios over three years."""
    brief, money = desk.brief, desk.financials
    ledger = brief.ledger
    _, revenue, _ = ledger.value(money.revenue[2])
    small, large = 250_000, 2_000_000
    title = (
        "On paid growth alone this stays small: the plan needs a cheaper way to grow"
        if revenue < small
        else "A slow start on paid growth: what customers bring along decides"
        if revenue < large
        else "If the inputs hold, the base case carries itself"
    )
    draft = Draft(title=title)
    draft.statements.append(
        ledger.say(
            "Base: {customers} paying customers and {revenue} a year at the end of year 3; cautious {low}, "
            "hopeful {high}",
            customers=ledger.num(money.customers[2]),
            revenue=ledger.num(money.revenue[2]),
            low=ledger.num(money.revenue[2], "low"),
            high=ledger.num(money.revenue[2], "high"),
        )
    )
    drivers = money.drivers()
    if drivers:
        draft.statements.append(
            ledger.say(
                "The result depends most on {drivers}", drivers=words.join([words.lower_first(d) for d in drivers])
            )
        )
    draft.statements.append(
        ledger.say("Cautious and hopeful are the tenth and ninetieth percentile of a simulation over the stated ranges")
    )
    scenarios = (("Cautious", 0), ("Base", 1), ("Hopeful", 2))
    draft.chart = pitch_pb2.Chart(
        title="Revenue a year, at the end of each year",
        kind="column",
        categories=_YEARS,
        series=[
            pitch_pb2.ChartSeries(name=name, values=[ledger.value(id_)[place] for id_ in money.revenue])
            for name, place in scenarios
        ],
        unit="USD",
        assumption_ids=money.revenue,
    )
    draft.table = ledger.table(
        ["At the end of", "Customers, cautious", "Base", "Hopeful"],
        [
            Row((year, ledger.num(id_, "low"), ledger.num(id_), ledger.num(id_, "high")))
            for year, id_ in zip(_YEARS, money.customers, strict=True)
        ],
    )
    draft.talk = [
        "These are sums over stated inputs, not a forecast: each input stands on the assumptions slide.",
        "Change an input there, and the picture changes: say which one you would test first.",
    ]
    draft.parts = {"projection": True}
    return draft


def ask(desk: Desk) -> Draft:
    """What is asked for, from cited medians, and what it shall prove."""
    brief, money = desk.brief, desk.financials
    ledger = brief.ledger
    figures = money.inputs.round
    draft = Draft(title=f"The ask: {_ROUND_NAMES.get(brief.investor, 'a seed round')}")
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
        extra = " to run a pilot with you and carry it on" if desk.plan.reader == "a strategic partner" else ""
        draft.statements.append(
            ledger.say(
                "{raised}{extra}: the cited median of such rounds ({segment})",
                raised=ledger.figure(raised, numbers.money),
                extra=extra,
                segment=ledger.source_note(raised, raised.segment),
            )
        )
    if (dilution := figures.get("dilution")) and (valuation := figures.get("valuation")):
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
    if desk.plan.reader == "a strategic partner":
        draft.statements.append(
            ledger.say(
                "From you: one pilot site or customer list of {who}, and one person who owns it",
                who=ledger.own(brief.buyer, 70),
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
        *[f"Before that: {words.clean(text, 200)}" for text in brief.verdict.would_change[:1]],
    ]
    draft.parts = {"round": raised is not None}
    return draft


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
        pro = brief.found(common_pb2.STANCE_SUPPORTS, kind)
        con = brief.found(common_pb2.STANCE_CONTRADICTS, kind)
        known = (
            "Sources for and against"
            if pro and con
            else "Sources for it"
            if pro
            else "Sources against it"
            if con
            else "No source yet"
        )
        ids = tuple(key for item in [*pro[:1], *con[:1]] for key in brief.ledger.cite(item))
        rows.append(Row((name, proves, Part(known, ids))))
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
    draft = Draft(title=f"Use of funds: most goes into {words.lower_first(largest)}")
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
