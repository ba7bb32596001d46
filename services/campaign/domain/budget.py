"""How a campaign's advertising money is shared between platforms. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.v1 import campaign_pb2
from pipeline.v1.campaign_pb2 import TestPlan

# Platforms that sell clicks, and the channel of the plan that each one buys.
CHANNELS = {
    "google_ads": campaign_pb2.AD_PLATFORM_GOOGLE_SEARCH,
    "meta": campaign_pb2.AD_PLATFORM_META,
}


def split_budget(plan: TestPlan, budget_micros: int, platforms: Sequence[str]) -> dict[str, int]:
    """Most that each platform may spend, micros of USD; together never above `budget_micros`.

    Those that sell clicks share it as the plan's channels do, or evenly where the plan has no money for any of them;
    the others get 0. What integer division leaves over goes to the first.
    """
    selling = [name for name in platforms if name in CHANNELS]
    shares = dict.fromkeys(platforms, 0)
    if not selling or budget_micros <= 0:
        return shares
    planned = {name: sum(c.budget_micros for c in plan.channels if c.platform == CHANNELS[name]) for name in selling}
    if not any(planned.values()):
        planned = dict.fromkeys(selling, 1)
    whole = sum(planned.values())
    for name in selling:
        shares[name] = budget_micros * planned[name] // whole
    first = max(selling, key=lambda name: planned[name])
    shares[first] += budget_micros - sum(shares.values())
    return shares
