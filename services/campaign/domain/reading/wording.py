"""What a reading comes to, in words. The plan's rules in words: `domain/wording.py`."""

from __future__ import annotations

from pipeline.v1.campaign_pb2 import CampaignReading, TestPlan
from services.campaign.domain.reading.levels import DAYS_MIN


def explain(reading: CampaignReading, plan: TestPlan) -> str:
    """What the reading comes to, in a sentence or two."""
    visitors, signups = reading.fixed_horizon.visitors, sum(count.signups for count in reading.counts)
    if not visitors:
        return "Nobody has visited yet."
    counted = f"{signups:,} of {visitors:,} visitors signed up, {_percent(signups / visitors)}"
    share = reading.posterior
    range_ = f"the rate is likely {_percent(share.low)} to {_percent(share.high)}"
    baseline, target = _percent(plan.baseline_rate), _percent(plan.target_rate)
    left = max(plan.sample_size_needed - visitors, 0)
    then = {
        "guardrail_sample_ratio": "The two pages did not get equal shares of the visitors, so the counts cannot be"
        " trusted: look for what sends visitors past the page.",
        "guardrail_bots": "Most visits were automatic, so the counts cannot be trusted: look at where they come from.",
        "sequential_go": f"That is above the baseline of {baseline}, sure enough to stop early.",
        "sequential_no_go": f"That is below the target of {target}, sure enough to stop early.",
        "sample_go": f"The sample is complete: that is above the baseline of {baseline}.",
        "sample_no_go": f"The sample is complete: that is below the target of {target}.",
        "sample_inconclusive": f"The sample is complete, and neither the baseline of {baseline} nor the target of"
        f" {target} is ruled out.",
        "ended_early": f"It ended {left:,} visitors before the planned sample, and neither the baseline of {baseline}"
        f" nor the target of {target} is ruled out.",
        "ended_in_first_week": f"It ended within its first {DAYS_MIN} days, too early for the plan to decide.",
        "first_week": f"A test has decided, but the first {DAYS_MIN} days are not over: weekdays differ.",
        "collecting": f"Too early to say: {left:,} visitors are missing from the planned sample."
        if left
        else f"Too early to say: the sample takes every weekday, so {DAYS_MIN} days at least.",
    }[reading.rule]
    return f"{counted}; {range_}. {then}"


def _percent(share: float) -> str:
    digits = 1 if share >= 0.1 else 2
    return f"{share * 100:.{digits}f}".rstrip("0").rstrip(".") + " %"
