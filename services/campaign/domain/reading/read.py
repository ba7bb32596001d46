"""Reads counts by the plan: everything of a `CampaignReading`. Pure; some tenths of a second at most.

A decision is taken once. The planned test reads the counts of the day on which the sample became complete, and looks
after that day decide nothing; a final reading stands for good (`before`), whoever visits later. Otherwise the planned
test, tried anew every day, would err as often as any test that is stopped at a lucky moment.

A sign-up counts for the day on which its visitor first came. A late one therefore raises an earlier day, as if it had
been seen then; until it comes its visitor counts as not signed up, which holds back a GO and not a NO-GO. Sign-ups come
with the first visit nearly always, and the first week is waited for in any case.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import accumulate

from pipeline.v1.campaign_pb2 import (
    CampaignReading,
    FixedHorizonReading,
    Guardrail,
    SequentialReading,
    TestPlan,
    VariantCounts,
)
from services.campaign.domain import statistics as st
from services.campaign.domain.counts import VARIANTS, Counts
from services.campaign.domain.reading import plots, sequential, wording
from services.campaign.domain.reading.decide import Facts, decide
from services.campaign.domain.reading.levels import BOTS_SHARE_MAX, DAYS_MIN, final_alpha, looks_alpha
from services.campaign.domain.reading.posterior import posterior, probability_b_beats_a
from services.campaign.domain.reading.sample_ratio import sample_ratio

METHOD = (
    "mixture SPRT for Bernoulli data with a cut Beta mixing distribution, exact; one-sided, level {level:g}; "
    "difference: e-variable of two randomised groups"
)


class Days:
    """Counts by day, both pages; days without visitors in between are there with zeros."""

    def __init__(self, counts: Counts) -> None:
        cells = {(count.day, count.variant): count for count in counts.days}
        days = sorted({day for day, _ in cells})
        span = (days[-1] - days[0]).days + 1 if days else 0
        self.days: list[date] = [days[0] + timedelta(offset) for offset in range(span)] if days else []
        self.visitors = {v: [cells[d, v].visitors if (d, v) in cells else 0 for d in self.days] for v in VARIANTS}
        self.signups = {v: [cells[d, v].signups if (d, v) in cells else 0 for d in self.days] for v in VARIANTS}

    def complete_at(self, needed: int) -> int | None:
        """Place of the day that completed the sample: so many visitors had come, and every weekday; None before."""
        visitors, _ = self.totals()
        return next((i for i, came in enumerate(visitors) if came >= needed > 0 and i + 1 >= DAYS_MIN), None)

    def totals(self) -> tuple[list[int], list[int]]:
        """Cumulative visitors and sign-ups of both pages after each day."""
        visitors = [a + b for a, b in zip(self.visitors["a"], self.visitors["b"], strict=True)]
        signups = [a + b for a, b in zip(self.signups["a"], self.signups["b"], strict=True)]
        return list(accumulate(visitors)), list(accumulate(signups))


def read(
    plan: TestPlan,
    counts: Counts,
    *,
    campaign: str,
    as_of: datetime,
    spent_micros: int = 0,
    budget_micros: int = 0,
    started_at: datetime | None = None,
    ended: bool = False,
    before: CampaignReading | None = None,
) -> CampaignReading:
    """The reading. `started_at`: publication; `ended`: nobody comes any more; `before`: the reading kept so far."""
    days = Days(counts)
    n, s = counts.visitors(), counts.signups()
    reading = CampaignReading(
        campaign=campaign,
        counts=[
            VariantCounts(variant=v, visitors=counts.visitors(v), signups=counts.signups(v), views=counts.views(v))
            for v in VARIANTS
        ],
        bots=counts.bots,
        posterior=posterior("all", n, s, plan.baseline_rate, plan.target_rate),
        variant_posteriors=[
            posterior(v, counts.visitors(v), counts.signups(v), plan.baseline_rate, plan.target_rate) for v in VARIANTS
        ],
        sample_ratio=sample_ratio(counts.visitors("a"), counts.visitors("b")),
        fixed_horizon=fixed_horizon(plan, n, days),
        sequential=looks(plan, days, counts),
    )
    reading.read_at.FromDatetime(as_of)
    a, b = reading.variant_posteriors
    reading.probability_b_beats_a = probability_b_beats_a(a, b)
    age = as_of - started_at if started_at is not None else timedelta(0)
    reading.guardrails.extend(guardrails(reading, counts, age, spent_micros, budget_micros))
    by_name = {guard.name: guard.passed for guard in reading.guardrails}
    fixed = reading.fixed_horizon
    _, signed = sample(plan, days)
    decided = decide(
        Facts(
            split_is_fair=reading.sample_ratio.passed,
            mostly_people=by_name["bots"],
            week_is_over=by_name["duration"],
            looks_reject_baseline=reading.sequential.baseline_rejected,
            looks_reject_target=reading.sequential.target_rejected,
            sample_complete=fixed.sample_complete,
            sample_rejects_baseline=0 <= fixed.wanted_from <= signed,
            sample_rejects_target=signed <= fixed.unwanted_to,
            ended=ended,
        )
    )
    reading.decision, reading.rule, reading.is_final = decided
    reading.explanation = wording.explain(reading, plan)
    if before is not None and before.is_final:
        reading.decision, reading.rule, reading.is_final = before.decision, before.rule, True
        reading.explanation = before.explanation
    reading.artifacts.extend(plots.draw(plan, reading, days))
    return reading


def sample(plan: TestPlan, days: Days) -> tuple[int, int]:
    """Visitors and sign-ups that the planned test reads: of the day that completed the sample, else of all so far."""
    visitors, signups = days.totals()
    if not visitors:
        return 0, 0
    complete = days.complete_at(plan.sample_size_needed)
    place = -1 if complete is None else complete
    return visitors[place], signups[place]


def fixed_horizon(plan: TestPlan, visitors: int, days: Days) -> FixedHorizonReading:
    """The planned exact test. Before the sample is complete its p-value says where it stands, and decides nothing."""
    complete = days.complete_at(plan.sample_size_needed) is not None
    n, s = sample(plan, days)
    # More than planned may have come on the last day: how many came does not depend on what they did.
    at = st.reading(
        n if complete else plan.sample_size_needed, plan.baseline_rate, plan.target_rate, final_alpha(plan.alpha)
    )
    return FixedHorizonReading(
        visitors=visitors,
        visitors_needed=plan.sample_size_needed,
        sample_complete=complete,
        p_value=st.binomial_tail(n, s, plan.baseline_rate) if n else 1.0,
        wanted_from=at.wanted,
        unwanted_to=at.unwanted,
    )


def looks(plan: TestPlan, days: Days, counts: Counts) -> SequentialReading:
    """The always-valid test after a look at the end of each day, and now."""
    level = looks_alpha(plan.alpha)
    above, below = sequential.mixing_around(plan.target_rate), sequential.mixing_around(plan.baseline_rate)
    visitors, signups = days.totals()
    for_go = _evidence(visitors, signups, plan.baseline_rate, above, up=True)
    for_no = _evidence(visitors, signups, plan.target_rate, below, up=False)
    low, high = interval(visitors, signups, level, plan)
    reached = -math.log(level)
    # Looks after the sample is complete decide nothing; the interval and the p-value go on, as they hold at all times.
    complete = days.complete_at(plan.sample_size_needed)
    looked = slice(None) if complete is None else slice(complete + 1)
    differences = sequential.log_evidence_of_difference(
        days.visitors["a"], days.signups["a"], days.visitors["b"], days.signups["b"], plan.baseline_rate
    )
    # Half of the level for each page: the union bound.
    pages = [counts.visitors(v) for v in VARIANTS], [counts.signups(v) for v in VARIANTS]
    (low_a, low_b), (high_a, high_b) = bounds(*pages, level / 2, plan)
    return SequentialReading(
        p_value=sequential.p_value(for_go),
        low=low,
        high=high,
        baseline_rejected=max(for_go[looked], default=0.0) >= reached,
        target_rejected=max(for_no[looked], default=0.0) >= reached,
        method=METHOD.format(level=level),
        difference_p_value=sequential.p_value(differences),
        difference_low=low_b - high_a,
        difference_high=high_b - low_a,
    )


def interval(visitors: Sequence[int], signups: Sequence[int], level: float, plan: TestPlan) -> tuple[float, float]:
    """The rates that no look has rejected, at `level` on either side: what all days' intervals have in common."""
    if not visitors:
        return 0.0, 1.0
    lows, highs = bounds(visitors, signups, level, plan)
    low, high = max(lows), min(highs)
    # Rates that drift may leave nothing in common: then the last day speaks alone.
    return (low, high) if low <= high else (lows[-1], highs[-1])


def bounds(
    visitors: Sequence[int], signups: Sequence[int], level: float, plan: TestPlan
) -> tuple[list[float], list[float]]:
    """Lower and upper bounds for each count, at `level` on either side."""
    above, below = sequential.mixing_around(plan.target_rate), sequential.mixing_around(plan.baseline_rate)
    lows = sequential.lower_bounds(visitors, signups, level, above)
    highs = sequential.upper_bounds(visitors, signups, level, below)
    return [float(low) for low in lows], [float(high) for high in highs]


def _evidence(
    visitors: Sequence[int], signups: Sequence[int], rate: float, mixing: sequential.Mixing, *, up: bool
) -> list[float]:
    if not visitors:
        return []
    import numpy as np

    found = sequential.log_evidence_above if up else sequential.log_evidence_below
    return [float(value) for value in found(np.asarray(visitors, float), np.asarray(signups, float), rate, mixing)]


def guardrails(
    reading: CampaignReading, counts: Counts, age: timedelta, spent_micros: int, budget_micros: int
) -> list[Guardrail]:
    """Conditions of a decision, each with what was measured."""
    ratio, views = reading.sample_ratio, counts.views()
    bots = counts.bots / (counts.bots + views) if counts.bots + views else 0.0
    split = " and ".join(f"{count.visitors:,}" for count in reading.counts)
    money = f"{spent_micros / 1e6:,.2f} of {budget_micros / 1e6:,.2f} USD spent"
    return [
        Guardrail(name="sample_ratio", passed=ratio.passed, detail=f"{split} visitors, p = {ratio.p_value:.3g}"),
        Guardrail(name="bots", passed=bots <= BOTS_SHARE_MAX, detail=f"{bots:.0%} of the visits were automatic"),
        Guardrail(
            name="duration", passed=age >= timedelta(days=DAYS_MIN), detail=f"{age.days} of at least {DAYS_MIN} days"
        ),
        Guardrail(name="budget", passed=spent_micros <= budget_micros, detail=money),
    ]
