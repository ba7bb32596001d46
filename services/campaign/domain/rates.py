"""Baseline and target of each kind of campaign, and what a plan's numbers rest on. Shares of 1."""

from __future__ import annotations

from dataclasses import dataclass, field

from chassis.figures import BenchmarkFigure, Figures
from pipeline.v1.common_pb2 import Assumption, Citation
from services.campaign.domain import statistics as st
from services.campaign.domain import wording
from services.campaign.domain.launch import STOP_FACTOR
from services.campaign.domain.limits import GOOGLE, META

# A target closer to the baseline than this factor is no verdict on an idea, and would take thousands of visitors.
TARGET_FACTOR_MIN = 1.5
ASSUMED_BASELINE = 0.04
ASSUMED_TARGET = 0.08
RATE_METRICS = {GOOGLE: "search_ads.conversion_rate", META: "meta_ads.leads.conversion_rate"}


@dataclass
class Sources:
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


def _test_rates(figures: Figures, segment: str, sources: Sources) -> tuple[float, float]:
    """Baseline and target. Baseline: what an ordinary landing page gets. Target: what advertisers of the field get from
    search visitors, where that is clearly more; else what advertisers of all fields get."""
    ordinary = next(iter(figures.find("landing_page.conversion_rate.median")), None)
    baseline = share_of(ordinary) or ASSUMED_BASELINE
    of = f" ({ordinary.segment})" if ordinary else ""
    sources.assume(
        "baseline-rate", f"Sign-ups per visitor of an ordinary landing page{of}", baseline * 100, "%",
        "a page that does no better than the median page shows no demand"
        if ordinary else "no figure is at hand; a rate between the usual 2 and 6 % is assumed",
        citation_id=sources.cite(ordinary) if ordinary else "",
    )  # fmt: skip
    candidates = [figures.find(RATE_METRICS[GOOGLE], s)[:1] for s in (segment, "all industries") if s]
    chosen = next((f[0] for f in candidates if f and share_of(f[0]) >= TARGET_FACTOR_MIN * baseline), None)
    target = share_of(chosen) or max(ASSUMED_TARGET, 2 * baseline)
    passed_over = candidates[0][0] if segment and candidates[0] and candidates[0][0] is not chosen else None
    basis = "an idea that wins sign-ups as easily as the field's established advertisers win customers is wanted"
    if passed_over is not None:
        basis = (
            f"the field's own rate ({wording.percent(share_of(passed_over))}) lies too close to the baseline to be a "
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


def _pilot_rates(figures: Figures, segment: str, sources: Sources) -> tuple[float, float]:
    """Baseline: what a whole site gets from its visitors. Target: what an ordinary landing page gets for an address."""
    rows = [
        next(iter(figures.find(m)), None)
        for m in ("landing_page.conversion_rate", "landing_page.conversion_rate.median")
    ]
    low, high = (share_of(row) for row in rows)
    if not low or high < TARGET_FACTOR_MIN * low:
        return _test_rates(figures, segment, sources)
    for slug, label, figure, basis in (
        ("baseline-rate", "Applications per visitor that show nothing", rows[0],
         "an application asks more than an address does: the rate of whole sites, not of landing pages"),
        ("target-rate", "Applications per visitor from which a pilot is worth running", rows[1],
         "as many apply to try it as leave an address at an ordinary landing page"),
    ):  # fmt: skip
        if figure is not None:
            sources.assume(slug, label, share_of(figure) * 100, "%", basis, citation_id=sources.cite(figure))
    _errors(sources)
    return low, high


def _launch_rates(figures: Figures, segment: str, sources: Sources) -> tuple[float, float]:
    """Target: what the field's advertisers get from search visitors. Baseline: half, that is twice the cost."""
    figure = figures.best(RATE_METRICS[GOOGLE], segment)
    target = share_of(figure) or ASSUMED_TARGET
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


RATES = {"sign-up": _test_rates, "application": _pilot_rates, "account": _launch_rates}


def _errors(sources: Sources) -> None:
    sources.assume("alpha", "Chance of calling an ordinary page wanted", st.ALPHA * 100, "%", "customary, one-sided")
    sources.assume("power", "Chance of noticing a page at the target rate", st.POWER * 100, "%", "customary")


def share_of(figure: BenchmarkFigure | None) -> float:
    return round(figure.value / 100, 6) if figure is not None and 0 < figure.value < 100 else 0.0


def assume_sales(figures: Figures, sources: Sources) -> None:
    rows = [f for f in figures.find("waitlist.to_customer_rate") if 0 < f.value < 100]
    if rows:
        low, high = min(f.value for f in rows), max(f.value for f in rows)
        cited = [sources.cite(f) for f in rows]
        sources.assume(
            "signup-to-customer", "Sign-ups that become customers later", rows[0].value, "%",
            "reported by single sources; the test counts interest, not sales",
            low=low, high=high, citation_id=cited[0],
        )  # fmt: skip
