"""The campaign's plan, fixed before the first visitor: what is asked, what it costs, what the money can show.

A smoke test asks whether anyone wants it, a pilot whether people apply to try it, a launch what an account costs.

Every number is cited from the benchmark figures, an `Assumption` with its reason, or computed from those. Money is in
micros of USD; rates are shares of 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from chassis.figures import BenchmarkFigure, Figures
from pipeline.v1 import common_pb2
from pipeline.v1.campaign_pb2 import AdPlatform, ChannelPlan, TestPlan
from pipeline.v1.common_pb2 import Assumption, Citation, Notice
from services.campaign.domain import statistics as st
from services.campaign.domain import wording
from services.campaign.domain.brief import Brief
from services.campaign.domain.copywriting import CallToAction
from services.campaign.domain.launch import STOP_FACTOR, LaunchPlan, plan_launch
from services.campaign.domain.limits import GOOGLE, LINKEDIN, META, PLATFORM_NAMES

MICROS = 1_000_000
# A channel below this many clicks says nothing about itself: at an ordinary page's rate it brings about two sign-ups.
CHANNEL_CLICKS_MIN = 50
# A target closer to the baseline than this factor is no verdict on an idea, and would take thousands of visitors.
TARGET_FACTOR_MIN = 1.5
# An average hides what a single advertiser pays; the range is at least this wide on either side.
CPC_SPREAD = 0.25
# Averages older than this are history, not a range for next month's auction.
CPC_YEARS_BACK = 3
# A week at least, so that every weekday is in the sample.
DAYS_MIN = 7
DAYS_MAX = 28
ASSUMED_BASELINE = 0.04
ASSUMED_TARGET = 0.08
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
_RATE_METRICS = {GOOGLE: "search_ads.conversion_rate", META: "meta_ads.leads.conversion_rate"}
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


@dataclass
class _Sources:
    """Collects what the numbers rest on, each once, in the order of use."""

    citations: dict[str, Citation] = field(default_factory=dict)
    assumptions: dict[str, Assumption] = field(default_factory=dict)

    def cite(self, figure: BenchmarkFigure) -> str:
        self.citations.setdefault(figure.citation_id, figure.citation())
        return figure.citation_id

    def assume(self, slug: str, label: str, value: float, unit: str, basis: str, **more: object) -> str:
        low, high = more.get("low", value), more.get("high", value)
        self.assumptions.setdefault(
            slug,
            Assumption(
                id=slug,
                label=label,
                value=value,
                unit=unit,
                low=float(str(low)),
                high=float(str(high)),
                citation_id=str(more.get("citation_id", "")),
                basis=basis,
            ),
        )
        return slug


def make_plan(
    figures: Figures,
    brief: Brief,
    segment: str,
    customer: common_pb2.CustomerType.ValueType,
    budget_micros: int,
    cta: CallToAction,
) -> PlanDraft:
    """The plan for a budget (0 is allowed and says so). `segment` is the profile's benchmark segment or empty."""
    sources = _Sources()
    baseline, target = _RATES[cta.noun](figures, segment, sources)
    needed = st.exact_sample_size(baseline, target)
    split = SPLITS.get(customer, SEARCH_ONLY)
    prices = {share.platform: _price(figures, share.platform, segment, sources) for share in split}
    funded = _fund(split, prices, budget_micros)
    channels = [_channel(s, prices[s.platform], budget_micros, figures, segment, baseline, sources) for s in funded]
    affordable = sum(channel.clicks_expected for channel in channels)
    cost = _cost_of(needed, split, prices)
    effect = st.detectable_effect(affordable, baseline)
    sources.assume(
        "visits-per-click", "Visits a paid click brings", 1, "visits",
        "one visit a click; some clicks never load the page, so the true number is lower",
    )  # fmt: skip
    sources.assume(
        "channel-clicks", "Fewest clicks that make a channel worth splitting for", CHANNEL_CLICKS_MIN, "clicks",
        f"at the baseline of {wording.percent(baseline)} that is about {CHANNEL_CLICKS_MIN * baseline:.0f} sign-ups",
    )  # fmt: skip
    _sales(figures, sources)
    power = st.exact_power(affordable, baseline, target) if affordable else 0.0
    reading = st.reading(needed, baseline, target)
    at_budget = st.reading(affordable, baseline, target)
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
    plan.stopping_rule = wording.stopping_rule(plan, DAYS_MAX)
    plan.decision_rule = wording.decision_rule(plan, reading, at_budget, power, cta)
    unfunded = tuple(s.platform for s in split if s.platform not in {f.platform for f in funded})
    return PlanDraft(
        plan=plan,
        citations=list(sources.citations.values()),
        assumptions=list(sources.assumptions.values()),
        notices=_notices(unfunded, split, prices, customer, figures, sources),
        at_needed=reading,
        at_budget=at_budget,
        sample_size_approximation=st.sample_size(baseline, target),
        power_at_budget=power,
        variant_visitors_needed=st.sample_size_two(baseline, target),
        unfunded=unfunded,
        launch=plan_launch(plan) if cta.out else None,
        title={"sign-up": "Smoke test", "application": "Pilot", "account": "Launch"}[cta.noun],
    )


# --- rates ------------------------------------------------------------------------------------------------------------


def _rates(figures: Figures, segment: str, sources: _Sources) -> tuple[float, float]:
    """Baseline and target. Baseline: what an ordinary landing page gets. Target: what advertisers of the field get from
    search visitors, where that is clearly more; else what advertisers of all fields get."""
    ordinary = next(iter(figures.find("landing_page.conversion_rate.median")), None)
    baseline = _share(ordinary) or ASSUMED_BASELINE
    of = f" ({ordinary.segment})" if ordinary else ""
    sources.assume(
        "baseline-rate", f"Sign-ups per visitor of an ordinary landing page{of}", baseline * 100, "%",
        "a page that does no better than the median page shows no demand"
        if ordinary else "no figure is at hand; a rate between the usual 2 and 6 % is assumed",
        citation_id=sources.cite(ordinary) if ordinary else "",
    )  # fmt: skip
    candidates = [figures.find(_RATE_METRICS[GOOGLE], s)[:1] for s in (segment, "all industries") if s]
    chosen = next((f[0] for f in candidates if f and _share(f[0]) >= TARGET_FACTOR_MIN * baseline), None)
    target = _share(chosen) or max(ASSUMED_TARGET, 2 * baseline)
    passed_over = candidates[0][0] if segment and candidates[0] and candidates[0][0] is not chosen else None
    basis = "an idea that wins sign-ups as easily as the field's established advertisers win customers is wanted"
    if passed_over is not None:
        basis = (
            f"the field's own rate ({wording.percent(_share(passed_over))}) lies too close to the baseline to be a "
            "verdict; the rate of all industries is taken instead"
        )
        sources.cite(passed_over)
    sources.assume(
        "target-rate", "Sign-ups per visitor from which the idea counts as wanted", target * 100, "%",
        basis if chosen else "no figure is at hand; twice the baseline is assumed",
        citation_id=sources.cite(chosen) if chosen else "",
    )  # fmt: skip
    for warning in figures.find("smoke_test.universal_threshold")[:1]:
        # No pass mark is universal: the source that says so is shown beside the one chosen here.
        sources.cite(warning)
    _errors(sources)
    return baseline, target


def _pilot_rates(figures: Figures, segment: str, sources: _Sources) -> tuple[float, float]:
    """Baseline: what a whole site gets from its visitors. Target: what an ordinary landing page gets for an address."""
    rows = [
        next(iter(figures.find(m)), None)
        for m in ("landing_page.conversion_rate", "landing_page.conversion_rate.median")
    ]
    low, high = (_share(row) for row in rows)
    if not low or high < TARGET_FACTOR_MIN * low:
        return _rates(figures, segment, sources)
    for slug, label, figure, basis in (
        ("baseline-rate", "Applications per visitor that show nothing", rows[0],
         "an application asks more than an address does: the rate of whole sites, not of landing pages"),
        ("target-rate", "Applications per visitor from which a pilot is worth running", rows[1],
         "as many apply to try it as leave an address at an ordinary landing page"),
    ):  # fmt: skip
        if figure is not None:
            sources.assume(slug, label, _share(figure) * 100, "%", basis, citation_id=sources.cite(figure))
    _errors(sources)
    return low, high


def _launch_rates(figures: Figures, segment: str, sources: _Sources) -> tuple[float, float]:
    """Target: what the field's advertisers get from search visitors. Baseline: half, that is twice the cost."""
    figure = figures.best(_RATE_METRICS[GOOGLE], segment)
    target = _share(figure) or ASSUMED_TARGET
    cited = sources.cite(figure) if figure else ""
    sources.assume(
        "target-rate", "Accounts per visitor at which the launch is scaled", target * 100, "%",
        "an account costs no more than the field's advertisers pay for a lead"
        if figure else "no figure is at hand; a rate is assumed",
        citation_id=cited,
    )  # fmt: skip
    baseline = target / STOP_FACTOR
    sources.assume(
        "baseline-rate", "Accounts per visitor at which the launch stops", baseline * 100, "%",
        f"{STOP_FACTOR:g} times the target's cost of an account: set your own once the price is known",
        citation_id=cited,
    )  # fmt: skip
    for line in figures.find("search_ads.cost_per_lead", segment)[:1]:
        sources.assume(
            "cost-per-lead", "What a lead from search costs on average", line.value, "USD",
            "to compare with the target's cost of an account", citation_id=sources.cite(line),
        )  # fmt: skip
    _errors(sources)
    return baseline, target


_RATES = {"sign-up": _rates, "application": _pilot_rates, "account": _launch_rates}


def _errors(sources: _Sources) -> None:
    sources.assume("alpha", "Chance of calling an ordinary page wanted", st.ALPHA * 100, "%", "customary, one-sided")
    sources.assume("power", "Chance of noticing a page at the target rate", st.POWER * 100, "%", "customary")


def _share(figure: BenchmarkFigure | None) -> float:
    return round(figure.value / 100, 6) if figure is not None and 0 < figure.value < 100 else 0.0


def _sales(figures: Figures, sources: _Sources) -> None:
    rows = [f for f in figures.find("waitlist.to_customer_rate") if 0 < f.value < 100]
    if rows:
        low, high = min(f.value for f in rows), max(f.value for f in rows)
        cited = [sources.cite(f) for f in rows]
        sources.assume(
            "signup-to-customer", "Sign-ups that become customers later", rows[0].value, "%",
            "reported by single sources; the test counts interest, not sales",
            low=low, high=high, citation_id=cited[0],
        )  # fmt: skip


# --- prices and channels ----------------------------------------------------------------------------------------------


class Price(NamedTuple):
    """A channel's price of a click in micros, and what it rests on."""

    cpc: int
    low: int
    high: int
    citation_ids: tuple[str, ...]
    assumption_id: str


def _price(figures: Figures, platform: AdPlatform.ValueType, segment: str, sources: _Sources) -> Price:
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
    sources: _Sources,
) -> ChannelPlan:
    money = round(budget * share.part)
    metric = _RATE_METRICS.get(share.platform, "")
    figure = figures.best(metric, segment) if metric else None
    rate = _share(figure)
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
    sources: _Sources,
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
