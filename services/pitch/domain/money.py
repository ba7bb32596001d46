"""The slides about money: business model, go to market, financials."""

from __future__ import annotations

from pipeline.v1 import common_pb2, pitch_pb2
from services.pitch.domain import numbers, words
from services.pitch.domain.draft import Desk, Draft
from services.pitch.domain.ledger import Row

_YEARS = ("Year 1", "Year 2", "Year 3")


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
    draft.table = _per_customer(desk)
    draft.talk = [
        "Low and high are the ends of each line's own range: a column of lows is no scenario.",
        "The one line to test first is the price: it moves every line below it.",
    ]
    draft.parts = {"business model": bool(brief.model), "unit economics": True}
    return draft


def _per_customer(desk: Desk) -> pitch_pb2.Table:
    """The sums of one customer, with the ends of their ranges."""
    model, money, ledger = desk.market, desk.financials, desk.brief.ledger
    low_high = [
        ("Revenue per account and month", model.price),
        ("Gross margin", money.inputs.margin),
        ("Customers who leave each month", money.inputs.churn),
        ("Lifetime gross profit", money.ltv),
        ("Cost to win a customer", money.cac),
        ("Lifetime profit per dollar of that cost", money.ratio),
        ("Months to pay back", money.payback),
    ]
    return ledger.table(
        ["Per customer, each line alone", "Low end", "Base", "High end"],
        [Row((label, ledger.num(id_, "low"), ledger.num(id_), ledger.num(id_, "high"))) for label, id_ in low_high],
    )


def unit_economics(desk: Desk) -> Draft:
    """What a customer costs and returns, against cited bars; what would have to be true for it to pay back."""
    brief, money = desk.brief, desk.financials
    ledger = brief.ledger
    growth = desk.reads(common_pb2.INVESTOR_TYPE_GROWTH)
    titles = {
        "yes": "A customer returns more than winning them costs, if the inputs hold",
        "maybe": "A customer returns what winning them costs, and too little more",
        "no": "A bought customer does not pay back yet: this is the number to move",
    }
    draft = Draft(title=titles[money.pays_back()])
    draft.statements.append(
        ledger.say(
            "{ltv} of lifetime gross profit against {cac} to win a customer: {ratio}, computed and not measured",
            ltv=ledger.num(money.ltv),
            cac=ledger.num(money.cac),
            ratio=ledger.num(money.ratio),
        )
    )
    if money.goal is not None:
        draft.statements.append(
            ledger.say(
                "For the usual {goal}, a customer may cost {allowed}: a cheaper channel, or a price that carries more",
                goal=ledger.figure(money.goal, numbers.times),
                allowed=ledger.num(money.allowed_cac),
            )
        )
    payback = brief.figure("saas.cac_payback.median")
    if payback is not None:
        draft.statements.append(
            ledger.say(
                "Payback: {ours} here; the cited median of software firms is {median}"
                if money.pays_back() != "no"
                else "Most customers leave before they have paid back: that takes {ours} here, and {median} in the "
                "cited median of software firms",
                ours=ledger.num(money.payback),
                median=ledger.figure(payback, numbers.months),
            )
        )
    if growth:
        draft.chart = pitch_pb2.Chart(
            title="Per customer at base values, USD",
            kind="bar",
            categories=["Cost to win", "What it may cost", "Lifetime gross profit"],
            series=[
                pitch_pb2.ChartSeries(
                    name="USD per customer",
                    values=[ledger.value(id_)[1] for id_ in (money.cac, money.allowed_cac, money.ltv)],
                )
            ],
            unit="USD",
            assumption_ids=[money.cac, money.allowed_cac, money.ltv],
        )
    else:
        draft.statements += desk.quotes((common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY,), supports=1)
    draft.table = _per_customer(desk)
    draft.talk = [
        "Say which of these lines is cited, which is computed, and that none is measured yet.",
        "The line that one result can move most is the price.",
    ]
    draft.parts = {"unit economics": True, "business model": bool(brief.model)}
    return draft


def go_to_market(desk: Desk) -> Draft:
    """How the first customers hear of it, with cited prices of clicks."""
    brief, money = desk.brief, desk.financials
    ledger = brief.ledger
    who = ledger.own(brief.buyer, 60)
    cheapest = money.inputs.cheapest
    draft = Draft(title=_channel_title(desk, cheapest.name))
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
    if terms and not desk.reads(common_pb2.INVESTOR_TYPE_GROWTH, common_pb2.INVESTOR_TYPE_STRATEGIC):
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
    draft.statements += _by_reader(desk)
    channels = money.inputs.channels
    draft.table = ledger.table(
        ["Channel", "A click", "Sign-ups per click", "A sign-up"],
        [
            Row((channel.name, ledger.num(channel.click), ledger.num(channel.signup), ledger.num(channel.cost)))
            for channel in channels
        ],
    )
    if len(channels) > 1 and desk.reads(common_pb2.INVESTOR_TYPE_SEED):
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
    if desk.reads(common_pb2.INVESTOR_TYPE_SERIES_A):
        draft.table = _funnel(desk)
    return draft


def _channel_title(desk: Desk, channel: str) -> str:
    """The message of the slide for this reader; the channel's name carries no number."""
    if desk.reads(common_pb2.INVESTOR_TYPE_STRATEGIC):
        return "Your channel could replace the paid ones; these are what it would save"
    if desk.reads(common_pb2.INVESTOR_TYPE_GROWTH):
        return f"Room to scale starts with {channel}, and ends where its price rises"
    if desk.reads(common_pb2.INVESTOR_TYPE_SERIES_A):
        return "The sale to make repeatable, step by step, before anybody is hired to repeat it"
    if desk.financials.inputs.sales_led:
        return f"{channel} start conversations most cheaply; people close the sale"
    return f"{channel} bring sign-ups most cheaply; whether they pay is the test"


def _by_reader(desk: Desk) -> list[pitch_pb2.Statement]:
    """What this reader wants to know about channels beyond their price."""
    ledger, money = desk.brief.ledger, desk.financials
    if desk.reads(common_pb2.INVESTOR_TYPE_STRATEGIC):
        return [
            ledger.say(
                "With you: an offer to your own customers costs no click, and their trust is yours already; each one "
                "who joins through you saves up to {cac}",
                cac=ledger.num(money.cac),
            )
        ]
    if desk.reads(common_pb2.INVESTOR_TYPE_GROWTH):
        return [
            ledger.say(
                "The plan spends {reinvest} of revenue on growth after the round, never faster than the round itself "
                "did: no channel takes any amount at one price",
                reinvest=ledger.num(money.inputs.reinvest),
            )
        ]
    if desk.reads(common_pb2.INVESTOR_TYPE_SERIES_A):
        return [
            ledger.say(
                "For each paid customer we plan with {organic} who come unpaid: to be measured by invitations",
                organic=ledger.num(money.inputs.organic),
            )
        ]
    return desk.quotes((common_pb2.CLAIM_KIND_AUDIENCE,), supports=1)


def _funnel(desk: Desk) -> pitch_pb2.Table:
    """From a click to a customer who has paid back, on the cheapest channel."""
    ledger, money = desk.brief.ledger, desk.financials
    cheapest = money.inputs.cheapest
    rows = [("Click", cheapest.click), ("Signs up", cheapest.signup)]
    rows += [] if money.inputs.sales_led else [("Pays", money.inputs.paying)]
    rows += [
        ("Cost of a sign-up", cheapest.cost),
        ("Cost of a customer", money.cac),
        ("Paid back after", money.payback),
    ]
    return ledger.table(
        ["Step of the sale", "Planned", "Range", "Measured"],
        [Row((label, ledger.num(id_), ledger.span(id_), "not yet")) for label, id_ in rows],
    )


def financials(desk: Desk) -> Draft:
    """Three scenarios over three years."""
    brief, money = desk.brief, desk.financials
    ledger = brief.ledger
    _, second, third = (ledger.value(id_)[1] for id_ in money.revenue)
    title = (
        "Paid growth stops when the round is spent: the plan needs a cheaper way to grow"
        if third < second * 1.05
        else "If the inputs hold, growth goes on after the round is spent"
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
        ledger.say(
            "Base is the sum at the base inputs; cautious and hopeful are the tenth and ninetieth percentile of a "
            "simulation over their ranges"
        )
    )
    # Those who buy revenue read it in the table, others see it grow: nobody is shown the same sums twice.
    later = desk.reads(common_pb2.INVESTOR_TYPE_SERIES_A, common_pb2.INVESTOR_TYPE_GROWTH)
    drawn = money.customers if later else money.revenue
    scenarios = (("Cautious", 0), ("Base", 1), ("Hopeful", 2))
    draft.chart = pitch_pb2.Chart(
        title="Paying customers, at the end of each year" if later else "Revenue a year, at the end of each year",
        kind="column",
        categories=_YEARS,
        series=[
            pitch_pb2.ChartSeries(name=name, values=[ledger.value(id_)[place] for id_ in drawn])
            for name, place in scenarios
        ],
        unit="customers" if later else "USD",
        assumption_ids=drawn,
    )
    draft.table = _years(desk)
    if desk.reads(common_pb2.INVESTOR_TYPE_GROWTH):
        draft.statements.append(
            ledger.say(
                "Growth money changes one input, the spend; it does not change what a customer costs or how long they "
                "stay"
            )
        )
    draft.talk = [
        "These are sums over stated inputs, not a forecast: each input stands on the assumptions slide.",
        "Change an input there, and the picture changes: say which one you would test first.",
    ]
    draft.parts = {"projection": True}
    return draft


def _years(desk: Desk) -> pitch_pb2.Table:
    """Customers a year; for those who buy revenue, revenue a year."""
    ledger, money = desk.brief.ledger, desk.financials
    if desk.reads(common_pb2.INVESTOR_TYPE_SERIES_A, common_pb2.INVESTOR_TYPE_GROWTH):
        head, ids = "Revenue, cautious", money.revenue
    else:
        head, ids = "Customers, cautious", money.customers
    return ledger.table(
        ["At the end of", head, "Base", "Hopeful"],
        [
            Row((year, ledger.num(id_, "low"), ledger.num(id_), ledger.num(id_, "high")))
            for year, id_ in zip(_YEARS, ids, strict=True)
        ],
    )
