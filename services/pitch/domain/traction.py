"""Traction, said plainly: none. What each reader needs to see measured, beside what others report."""

from __future__ import annotations

from chassis.figures import BenchmarkFigure
from pipeline.v1 import common_pb2, pitch_pb2
from services.pitch.domain import numbers, words
from services.pitch.domain.draft import Desk, Draft, missing
from services.pitch.domain.ledger import Formatter, Part, Row

_GROWING = (common_pb2.INVESTOR_TYPE_SERIES_A, common_pb2.INVESTOR_TYPE_GROWTH)
# (what is measured, metric, words of the segment, format): what a later investor reads first.
_SERIES_A: tuple[tuple[str, str, str, Formatter], ...] = (
    ("Visitors who sign up", "landing_page.conversion_rate.median", "", numbers.percent),
    ("Sign-ups who pay", "waitlist.to_customer_rate", "cold traffic", numbers.percent),
    ("Customers who leave each month", "saas.customer_churn.monthly.median", "$10k-50k", numbers.percent),
    ("Months to pay back a customer", "saas.cac_payback.median", "", numbers.months),
    ("Growth of yearly revenue", "saas.arr_growth.median", "", numbers.percent),
)
_GROWTH: tuple[tuple[str, str, str, Formatter], ...] = (
    ("Net revenue retention", "saas.net_revenue_retention", "", numbers.percent),
    ("Revenue lost a year, gross", "saas.gross_dollar_churn.annual.median", "", numbers.percent),
    ("Growth of yearly revenue", "saas.arr_growth.median", "", numbers.percent),
    ("Sales and marketing per dollar won", "saas.blended_cac_ratio.median", "", numbers.money),
)


def traction(desk: Desk) -> Draft:
    """None, said plainly; what will be measured, and what others measured elsewhere."""
    draft = _measured_next(desk) if desk.reads(*_GROWING) else _first_test(desk)
    draft.missing.append(
        missing(
            "traction",
            common_pb2.MISSING_KIND_FOUNDER_INPUT,
            "Nothing has been measured yet.",
            "Run the smoke test of this run's campaign and put its result here.",
        )
    )
    draft.talk = [
        "Say plainly that nothing is measured yet, then what the test will decide and by when.",
        "The metric, the sample and the stopping rule are fixed before the first visitor arrives.",
    ]
    draft.parts = {"traction": False, "reference rates": bool(draft.table or draft.chart)}
    return draft


def _measured_next(desk: Desk) -> Draft:
    """The metrics that this reader asks for, with what is known (nothing) and what others report."""
    brief, ledger = desk.brief, desk.brief.ledger
    growth = desk.reads(common_pb2.INVESTOR_TYPE_GROWTH)
    who = ledger.own(brief.buyer, 60)
    draft = Draft(
        title="No cohort to show yet: retention is the first thing to measure"
        if growth
        else "Nothing is measured yet; these are the numbers that would earn this meeting"
    )
    draft.statements.append(
        ledger.say("None yet: retention needs {who} who paid, and a second and third month with them", who=who)
        if growth
        else ledger.say("None yet; the smoke test will measure sign-ups per visitor among {who}", who=who)
    )
    rows = []
    for label, metric, segment, shown in _GROWTH if growth else _SERIES_A:
        figure = brief.figure(metric, segment)
        if figure is not None:
            rows.append(Row((label, "[measured value, date]", ledger.figure(figure, shown), _whose(desk, figure))))
    if rows:
        draft.table = ledger.table(["Measure", "Ours", "Others", "Whose figure"], rows)
    if growth:
        draft.statements.append(
            ledger.say(
                "Founder: one row per monthly cohort: joined, still paying after one, three and six months",
                placeholder=True,
            )
        )
    else:
        draft.statements.append(ledger.say("Founder: fill the brackets, or pitch a seed fund first", placeholder=True))
    return draft


def _whose(desk: Desk, figure: BenchmarkFigure) -> Part:
    """Whose figure it is: its population, or its source where that is only a year."""
    named = any(ch.isalpha() for ch in figure.segment)
    return desk.brief.ledger.source_note(figure, figure.segment if named else words.clean(figure.source_title, 60))


def _first_test(desk: Desk) -> Draft:
    """What the smoke test will say, with the sign-up rates that others report."""
    brief = desk.brief
    ledger = brief.ledger
    who = ledger.own(brief.buyer, 70)
    draft = Draft(title="Nobody has used it yet: a smoke test comes before building more")
    draft.statements.append(
        ledger.say("None yet; the smoke test will measure sign-ups per visitor among {who}", who=who)
    )
    reason = brief.figure("failure_reason.no_market_need")
    if reason is not None:
        draft.statements.append(
            ledger.say(
                "Why this comes before building: {share} of {sample} name no market need as a reason to fail",
                share=ledger.figure(reason, numbers.percent),
                sample=ledger.source_note(reason, reason.segment),
            )
        )
    if desk.reads(common_pb2.INVESTOR_TYPE_SEED):
        draft.statements.append(
            ledger.say("Next, in this order: interviews, a page with the price on it, one pilot that pays")
        )
    bars = []
    for label, metric, part in (
        ("Whole websites", "landing_page.conversion_rate", "whole-site"),
        ("SaaS landing pages, median", "landing_page.conversion_rate.median", ""),
        ("Search ads, this field", "search_ads.conversion_rate", None),
        ("Waitlist called strong", "waitlist.signup_rate.strong", ""),
    ):
        chosen = brief.best_figure(metric) if part is None else brief.figure(metric, part)
        if chosen is not None:
            bars.append((label, chosen))
    if bars:
        draft.chart = pitch_pb2.Chart(
            title="Sign-ups per visitor that others report, %",
            kind="bar",
            categories=[label for label, _ in bars],
            series=[pitch_pb2.ChartSeries(name="Share of visitors, %", values=[item.value for _, item in bars])],
            unit="%",
            citation_ids=[key for _, item in bars for key in ledger.cite_figure(item)],
        )
        draft.statements.append(
            ledger.say("The bars are what others report, for other products: a bar to compare with, not a forecast")
        )
    draft.statements.append(
        ledger.say(
            "Founder: add users, revenue, pilots or letters of intent here, each with its date", placeholder=True
        )
    )
    return draft
