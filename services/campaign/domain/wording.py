"""The plan in plain words: numbers in, sentences out."""

from __future__ import annotations

from chassis.idea import words
from pipeline.v1.campaign_pb2 import TestPlan
from services.campaign.domain.brief import Brief
from services.campaign.domain.copywriting import CallToAction
from services.campaign.domain.limits import PLATFORM_NAMES
from services.campaign.domain.reading.levels import DAYS_MIN, final_alpha, looks_alpha
from services.campaign.domain.statistics import Reading

MICROS = 1_000_000


def percent(share: float) -> str:
    """0.0805 -> "8.05%", 0.15 -> "15%"."""
    return f"{round(share * 100, 2):g}%"


def dollars(micros: int) -> str:
    """25_000_000 -> "$25", 2_050_000 -> "$2.05", 1_234_000_000 -> "$1,234"."""
    usd = micros / MICROS
    return f"${usd:,.0f}" if usd >= 100 or usd == int(usd) else f"${usd:,.2f}"


def count(number: int, noun: str) -> str:
    """1 -> "1 visitor", 1200 -> "1,200 visitors"."""
    return f"{number:,} {noun if number == 1 else words.plural(noun)}"


def hypothesis(brief: Brief, cta: CallToAction, baseline: float, target: float) -> str:
    """The statement under test, with its numbers."""
    what = brief.name or (f"the {brief.product}" if brief.product else "the idea")
    whom = f" (for {brief.audience})" if brief.audience else ""
    leave = {
        "sign-up": "leave their e-mail address for",
        "application": "apply for a pilot of",
        "account": "open an account with",
    }[cta.noun]
    if cta.out:
        return (
            f"At least {percent(target)} of the visitors whom the ads bring {leave} {what}{whom}; at "
            f"{percent(baseline)} an account costs too much."
        )
    if cta.noun == "application":
        return (
            f"At least {percent(target)} of the visitors whom the ads bring {leave} {what}{whom}; a whole site gets "
            f"an address from {percent(baseline)}."
        )
    return (
        f"At least {percent(target)} of the visitors whom the ads bring {leave} {what}{whom}; an ordinary landing page "
        f"gets {percent(baseline)}."
    )


def metric(cta: CallToAction) -> str:
    """What is counted, over what."""
    if cta.out:
        return (
            "accounts per visitor: accounts opened by distinct visitors from the ads, divided by those visitors; the "
            "price of a click divided by it is the cost of an account"
        )
    return (
        f"{cta.noun}s per visitor: visitors who left an e-mail address with their consent, each counted once, divided "
        "by all visitors who count, each counted once, both landing pages together"
    )


def honest_statement(plan: TestPlan, cta: CallToAction) -> str:
    """What the budget can and cannot show."""
    needed, cost = count(plan.sample_size_needed, "visitor"), dollars(plan.cost_needed_micros)
    question = f"The question needs about {needed}, about {cost}"
    low, high = sum(c.clicks_low for c in plan.channels), sum(c.clicks_high for c in plan.channels)
    visitors, rates = plan.visitors_affordable, f"{percent(plan.target_rate)} from {percent(plan.baseline_rate)}"
    if plan.budget_micros == 0:
        price = dollars(plan.channels[0].cpc_micros)
        return (
            f"No money is set for ads, so no visitor can be bought. {question} at {price} a click. Until then, show "
            "the pages to people you can reach yourself and listen: what they say is worth more than how many they are."
        )
    caveat = {
        "sign-up": "A sign-up is not a sale.",
        "application": "An application is not use: count who still uses it after two weeks.",
        "account": "An account is not a sale: set the cost you can bear from your own price.",
    }[cta.noun]
    bought = f"{dollars(plan.budget_micros)} {_at(plan)} buys about {count(visitors, 'visitor')}"
    if visitors == 0:
        return f"{dollars(plan.budget_micros)} {_at(plan)} buys no visitor at all. {question}."
    bought += f" ({low:,} to {high:,})" if low != high else ""
    if visitors >= plan.sample_size_needed:
        rest = plan.budget_micros - plan.cost_needed_micros
        spare = f" {_spare(rest, cta)}" if rest > MICROS else ""
        return f"{bought}: enough to tell {rates}, which takes about {needed} and {cost}.{spare} {caveat}"
    if plan.detectable_effect_at_budget == 0:
        shown = "enough to find a broken page, not to judge demand: no count among so few could"
    elif visitors * 4 < plan.sample_size_needed:
        least = percent(round(plan.baseline_rate + plan.detectable_effect_at_budget, 2))
        shown = f"enough to find a broken page, not to judge demand: only a rate of {least} or more would show"
    else:
        least = percent(round(plan.baseline_rate + plan.detectable_effect_at_budget, 3))
        shown = f"enough to notice a rate of {least} or more, not to tell {rates}"
    return f"{bought}: {shown}. {question}. {caveat}"


def _spare(micros: int, cta: CallToAction) -> str:
    """What is left once the question is answered: a test ends there, a launch goes on where an account pays."""
    if cta.out:
        return (
            f"The other {dollars(micros)} buys customers, week by week and only while an account costs little enough."
        )
    return f"About {dollars(micros)} of the money is not needed."


def _at(plan: TestPlan) -> str:
    prices = [f"{dollars(c.cpc_micros)} a click on {PLATFORM_NAMES[c.platform]}" for c in plan.channels]
    return f"at {words.join(prices)}" if len(prices) > 1 else f"at {dollars(plan.channels[0].cpc_micros)} a click"


def stopping_rule(plan: TestPlan, days: int, cta: CallToAction) -> str:
    """When the test ends; written so that nobody stops at a lucky moment (reading/decide.py acts on it).

    A launch does not end with its answer: what the answer leaves over is spent by the weekly gate (domain/launch.py).
    """
    looks = percent(looks_alpha(plan.alpha))
    if cta.out:
        return (
            f"The question is answered at {count(plan.sample_size_needed, 'visitor')}. After it the ads go on week by "
            f"week, by the weeks' own rule, until the money is spent or {days} days are over; a channel whose accounts "
            "cost more than the stop gets no further week. A broken page or a complaint ends the ads early."
        )
    return (
        f"Stop at {count(plan.sample_size_needed, 'visitor')}, when the money is spent, or after {days} days, "
        f"whichever comes first, and not within the first {DAYS_MIN} days. The count may be looked at every day: it "
        f"decides before the sample is complete by the always-valid test at {looks} alone, however good it looks. "
        "A broken page or a complaint ends the test early."
    )


_AFTER = {
    "sign-up": "talk to those who signed up before building",
    "application": "let a few of those who applied try it, and watch them",
    "account": "ask those who stopped using it why",
}


def decision_rule(plan: TestPlan, needed: Reading, at_budget: Reading, cta: CallToAction) -> str:
    """How the count is read: with "inconclusive" as a proper answer."""
    counted = "All accounts" if cta.out else "Both pages"
    parts = [
        f"{counted} together, by the exact binomial test at {percent(final_alpha(plan.alpha))} when the sample is "
        f"complete, and by the always-valid test at {percent(looks_alpha(plan.alpha))} on the days before; together "
        f"they err in at most {percent(plan.alpha)} of tests (one-sided)."
    ]
    parts.append(_counts(needed, plan, cta))
    if 0 < at_budget.visitors < needed.visitors:
        parts.append(
            f"This budget buys {count(at_budget.visitors, 'visitor')}: there only the always-valid test can decide, "
            "and else the test ends inconclusive."
        )
    unsound = "An unequal split of the visitors between the pages (p below 0.001), or mostly automatic visits, forbids"
    if cta.out:
        unsound = "Mostly automatic visits forbid"
    parts.append(f"{unsound} a decision. Whatever the count: {_AFTER[cta.noun]}.")
    return " ".join(parts)


def _counts(reading: Reading, plan: TestPlan, cta: CallToAction) -> str:
    lead = f"At {count(reading.visitors, 'visitor')}"
    up = (
        f"{count(reading.wanted, cta.noun)} or more: demand is above the ordinary {percent(plan.baseline_rate)}"
        if reading.wanted >= 0
        else "no count can show demand"
    )
    if reading.unwanted > 0:
        down = f"{count(reading.unwanted, cta.noun)} or fewer: the target of {percent(plan.target_rate)} is ruled out"
    elif reading.unwanted == 0:
        down = f"none at all: the target of {percent(plan.target_rate)} is ruled out"
    else:
        down = "no count can rule the target out"
    middle = (
        "anything else is inconclusive" if max(reading.wanted, reading.unwanted) >= 0 else "the result is inconclusive"
    )
    return f"{lead}, {up}; {down}; {middle}."


def variants_note(per_variant: int) -> str:
    """Why A against B is a hint at most."""
    return (
        f"The two headlines share the visitors. To tell them apart at the plan's rates takes about {per_variant:,} "
        "visitors each; below that, a difference between them is a hint at most."
    )
