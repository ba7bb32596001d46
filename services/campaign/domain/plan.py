"""The campaign's plan, fixed before the first visitor: what is asked, what it costs, what the money can show.

A smoke test asks whether anyone wants it, a pilot whether people apply to try it, a launch what an account costs.

Every number is cited from the benchmark figures, an `Assumption` with its reason, or computed from those. Money is in
micros of USD; rates are shares of 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from chassis.figures import BenchmarkFigure, Figures
from pipeline.v1 import common_pb2
from pipeline.v1.campaign_pb2 import AdPlatform, ChannelPlan, TestPlan
from pipeline.v1.common_pb2 import Assumption, Citation, Notice
from services.campaign.domain import statistics as st
from services.campaign.domain import wording
from services.campaign.domain.brief import Brief
from services.campaign.domain.copywriting import CallToAction
from services.campaign.domain.launch import LaunchPlan, plan_launch
from services.campaign.domain.limits import GOOGLE, LINKEDIN, META, PLATFORM_NAMES
from services.campaign.domain.rates import RATE_METRICS, RATES, Sources, assume_sales, share_of
from services.campaign.domain.reading.levels import final_alpha

MICROS = 1_000_000
# A channel below this many clicks says nothing about itself: at an ordinary page's rate it brings about two sign-ups.
CHANNEL_CLICKS_MIN = 50
# An average hides what a single advertiser pays; the range is at least this wide on either side.
CPC_SPREAD = 0.25
# Averages older than this are history, not a range for next month's auction.
CPC_YEARS_BACK = 3
DAYS_MAX = 28
ASSUMED_CPC_USD = 5.0


class Share(NamedTuple):
    """A channel's part of the money."""

    platform: AdPlatform.ValueType
    part: float


# By customer type: where those customers look, and the part of the money each channel would get.
SEARCH_ONLY = (Share(GOOGLE, 1.0),)
SPLITS: dict[common_pb2.CustomerType.ValueType, tuple[Share, ...]] = {
    common_pb2.CUSTOMER_TYPE_B2B: (Share(GOOGLE, 0.7), Share(LINKEDIN, 0.3)),
    common_pb2.CUSTOMER_TYPE_B2G: (Share(GOOGLE, 0.7), Share(LINKEDIN, 0.3)),
    common_pb2.CUSTOMER_TYPE_B2C: (Share(GOOGLE, 0.6), Share(META, 0.4)),
    common_pb2.CUSTOMER_TYPE_MARKETPLACE: (Share(GOOGLE, 0.6), Share(META, 0.4)),
}
_CPC_METRICS = {GOOGLE: "search_ads.cpc", META: "meta_ads.leads.cpc", LINKEDIN: "linkedin_ads.single_image.cpc.median"}
_SLUGS = {GOOGLE: "search", META: "meta", LINKEDIN: "linkedin"}


@dataclass
class PlanDraft:
    """The plan with everything it rests on, and the counts that decide (for the how-to and plan.json)."""

    plan: TestPlan
    citations: list[Citation]
    assumptions: list[Assumption]
    notices: list[Notice]
    at_needed: st.Reading
    at_budget: st.Reading
    sample_size_approximation: int
    power_at_budget: float
    variant_visitors_needed: int
    """Visitors each variant needs to tell A from B at the plan's rates: why the split is only a hint."""
    unfunded: tuple[AdPlatform.ValueType, ...] = ()
    launch: LaunchPlan | None = None
    title: str = "Smoke test"


def make_plan(
    figures: Figures,
    brief: Brief,
    segment: str,
    customer: common_pb2.CustomerType.ValueType,
    budget_micros: int,
    cta: CallToAction,
) -> PlanDraft:
    """The plan for a budget (0 is allowed and says so). `segment` is the profile's benchmark segment or empty."""
    sources = Sources()
    baseline, target = RATES[cta.noun](figures, segment, sources)
    needed = st.exact_sample_size(baseline, target, final_alpha(st.ALPHA))
    split = SPLITS.get(customer, SEARCH_ONLY)
    prices = {share.platform: _price(figures, share.platform, segment, sources) for share in split}
    funded = _fund(split, prices, budget_micros)
    channels = [_channel(s, prices[s.platform], budget_micros, figures, segment, baseline, sources) for s in funded]
    affordable = sum(channel.clicks_expected for channel in channels)
    cost = _cost_of(needed, split, prices)
    effect = st.detectable_effect(affordable, baseline, final_alpha(st.ALPHA))
    sources.assume(
        "visits-per-click", "Visits a paid click brings", 1, "visits",
        "one visit a click; some clicks never load the page, so the true number is lower",
    )  # fmt: skip
    sources.assume(
        "channel-clicks", "Fewest clicks that make a channel worth splitting for", CHANNEL_CLICKS_MIN, "clicks",
        f"at the baseline of {wording.percent(baseline)} that is about {CHANNEL_CLICKS_MIN * baseline:.0f} sign-ups",
    )  # fmt: skip
    assume_sales(figures, sources)
    power = st.exact_power(affordable, baseline, target, final_alpha(st.ALPHA)) if affordable else 0.0
    reading = st.reading(needed, baseline, target, final_alpha(st.ALPHA))
    at_budget = st.reading(affordable, baseline, target, final_alpha(st.ALPHA))
    plan = TestPlan(
        hypothesis=wording.hypothesis(brief, cta, baseline, target),
        metric=wording.metric(cta),
        baseline_rate=baseline,
        target_rate=target,
        minimum_detectable_effect=target - baseline,
        alpha=st.ALPHA,
        power=st.POWER,
        sample_size_needed=needed,
        visitors_affordable=affordable,
        cost_needed_micros=cost,
        budget_micros=budget_micros,
        detectable_effect_at_budget=effect,
        channels=channels,
    )
    plan.honest_statement = wording.honest_statement(plan, cta)
    plan.stopping_rule = wording.stopping_rule(plan, DAYS_MAX, cta)
    plan.decision_rule = wording.decision_rule(plan, reading, at_budget, cta)
    unfunded = tuple(s.platform for s in split if s.platform not in {f.platform for f in funded})
    return PlanDraft(
        plan=plan,
        citations=list(sources.citations.values()),
        assumptions=list(sources.assumptions.values()),
        notices=_notices(unfunded, split, prices, customer, figures, sources),
        at_needed=reading,
        at_budget=at_budget,
        sample_size_approximation=st.sample_size(baseline, target, final_alpha(st.ALPHA)),
        power_at_budget=power,
        variant_visitors_needed=st.sample_size_two(baseline, target),
        unfunded=unfunded,
        launch=plan_launch(plan) if cta.out else None,
        title={"sign-up": "Smoke test", "application": "Pilot", "account": "Launch"}[cta.noun],
    )


# --- prices and channels ----------------------------------------------------------------------------------------------


class Price(NamedTuple):
    """A channel's price of a click in micros, and what it rests on."""

    cpc: int
    low: int
    high: int
    citation_ids: tuple[str, ...]
    assumption_id: str


def _price(figures: Figures, platform: AdPlatform.ValueType, segment: str, sources: Sources) -> Price:
    """The cited price, with a range from the figures of the field and of all industries of the last years."""
    metric = _CPC_METRICS[platform]
    rows = figures.find(metric) if platform == LINKEDIN else []
    planned = rows[0] if rows else figures.best(metric, segment)
    usd = planned.value if planned else ASSUMED_CPC_USD
    related = [f for f in figures.find(metric) if _comparable(f, planned)]
    values = [usd * (1 - CPC_SPREAD), usd * (1 + CPC_SPREAD), *(f.value for f in related)]
    cited = tuple(sources.cite(f) for f in (*([planned] if planned else []), *(r for r in related if r is not planned)))
    name = PLATFORM_NAMES[platform]
    where = f" ({planned.segment})" if planned else ""
    assumption = sources.assume(
        f"cpc-{_SLUGS[platform]}", f"Price of a click on {name}{where}", usd, "USD",
        f"range: lowest and highest of the cited averages, and at least {CPC_SPREAD:.0%} either way, since an average "
        "hides what one advertiser pays" if planned else "no figure is at hand; a middling price is assumed",
        low=round(min(values), 2), high=round(max(values), 2), citation_id=cited[0] if cited else "",
    )  # fmt: skip
    return Price(_micros(usd), _micros(min(values)), _micros(max(values)), cited, assumption)


def _comparable(figure: BenchmarkFigure, planned: BenchmarkFigure | None) -> bool:
    """Figures of the same field or of all fields, of the last years."""
    if planned is None or figure.value <= 0:
        return False
    same = figure.segment == planned.segment or figure.segment.startswith("all industries")
    recent = figure.year >= planned.year - CPC_YEARS_BACK or (not figure.year and "20" in figure.segment)
    return same and recent


def _micros(usd: float) -> int:
    return round(usd * 100) * MICROS // 100


def _fund(split: Sequence[Share], prices: dict[AdPlatform.ValueType, Price], budget: int) -> tuple[Share, ...]:
    """The split where every channel of it gets a meaningful number of clicks; else all money on the first."""
    if all(budget * s.part >= CHANNEL_CLICKS_MIN * prices[s.platform].cpc for s in split):
        return tuple(split)
    return (Share(split[0].platform, 1.0),)


def _cost_of(visitors: int, split: Sequence[Share], prices: dict[AdPlatform.ValueType, Price]) -> int:
    """What `visitors` cost with the channels that this much money would fund; rounded up to a dollar."""
    for shares in (tuple(split), (Share(split[0].platform, 1.0),)):
        per_visitor = 1 / sum(s.part / prices[s.platform].cpc for s in shares)
        cost = -(-int(visitors * per_visitor) // MICROS) * MICROS
        if _fund(split, prices, cost) == shares:
            return cost
    return -(-visitors * prices[split[0].platform].cpc // MICROS) * MICROS


def _channel(
    share: Share,
    price: Price,
    budget: int,
    figures: Figures,
    segment: str,
    baseline: float,
    sources: Sources,
) -> ChannelPlan:
    money = round(budget * share.part)
    metric = RATE_METRICS.get(share.platform, "")
    figure = figures.best(metric, segment) if metric else None
    rate = share_of(figure)
    assumptions = [price.assumption_id, "visits-per-click"]
    cited = list(price.citation_ids)
    if figure is not None and rate:
        cited.append(sources.cite(figure))
    else:
        rate = baseline
        assumptions.append(
            sources.assume(
                f"rate-{_SLUGS[share.platform]}",
                f"Sign-ups per visitor from {PLATFORM_NAMES[share.platform]}",
                baseline * 100,
                "%",
                "no figure for this channel is at hand; the baseline is taken",
            )
        )
    clicks = money // price.cpc
    return ChannelPlan(
        platform=share.platform,
        budget_micros=money,
        cpc_micros=price.cpc,
        cpc_low_micros=price.low,
        cpc_high_micros=price.high,
        clicks_expected=clicks,
        clicks_low=money // price.high,
        clicks_high=money // price.low,
        conversion_rate=rate,
        signups_expected=round(clicks * rate, 2),
        citation_ids=list(dict.fromkeys(cited)),
        assumption_ids=assumptions,
    )


def _notices(
    unfunded: Sequence[AdPlatform.ValueType],
    split: Sequence[Share],
    prices: dict[AdPlatform.ValueType, Price],
    customer: common_pb2.CustomerType.ValueType,
    figures: Figures,
    sources: Sources,
) -> list[Notice]:
    notices = []
    least = max(CHANNEL_CLICKS_MIN * prices[s.platform].cpc / s.part for s in split)
    for platform in unfunded:
        text = (
            f"{PLATFORM_NAMES[platform]} ads are drafted but get no money: below about {wording.dollars(int(least))} a "
            f"split leaves each channel fewer than {CHANNEL_CLICKS_MIN} clicks."
        )
        notices.append(Notice(subject="plan.channels", message=text, phase=common_pb2.PHASE_CAMPAIGN))
    for figure in figures.find("meta_ads.learning_phase.events_per_week")[:1]:
        if any(s.platform == META for s in split):
            sources.cite(figure)
            text = (
                f"Meta's delivery is said to settle after {figure.value:g} sign-ups a week per ad set; a test of this "
                "size stays below that, so its price per click moves more than Google's."
            )
            notices.append(Notice(subject="plan.channels", message=text, phase=common_pb2.PHASE_CAMPAIGN))
    if customer == common_pb2.CUSTOMER_TYPE_MARKETPLACE:
        text = "The test asks the demand side only; whether suppliers join needs a page and a count of their own."
        notices.append(Notice(subject="plan.hypothesis", message=text, phase=common_pb2.PHASE_CAMPAIGN))
    return notices
