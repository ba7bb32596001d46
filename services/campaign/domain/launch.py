"""A launch's spending: weeks that ramp up, and the cost of an account at which a channel goes on or stops.

Money in micros of USD. The ramp is a rule of this project, not a cited one: little is spent before the first cost per
account is known, and a week is bought only where the one before held.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.v1.campaign_pb2 import AdPlatform, ChannelPlan, TestPlan

# Tenths of the budget, week by week; with plan.DAYS_MAX they fill the same four weeks that every campaign has.
RAMP_TENTHS = (1, 2, 3, 4)
# A launch is scaled at the field's rate and stopped at half of it, that is at twice the cost of an account.
STOP_FACTOR = 2.0


class Week(NamedTuple):
    """One channel in one week, and the accounts that its planned rate gives."""

    week: int
    platform: AdPlatform.ValueType
    budget_micros: int
    accounts_expected: float


@dataclass(frozen=True)
class LaunchPlan:
    """Target and stop: cost of an account, by the planned price of a click; and the ramp."""

    target_cpa_micros: int
    stop_cpa_micros: int
    weeks: tuple[Week, ...]
    gate: str = (
        "The next week of a channel is bought only where its cost per account so far is below the stop; where it is at "
        "the target or below, as planned, else with last week's money again."
    )


def plan_launch(plan: TestPlan) -> LaunchPlan:
    """The ramp of a plan's channels. The weeks of a channel add up to its budget to the micro."""
    cpc = _mean_cpc(plan.channels)
    weeks = [week for channel in plan.channels for week in _weeks(channel)]
    return LaunchPlan(
        target_cpa_micros=round(cpc / plan.target_rate),
        stop_cpa_micros=round(cpc / plan.baseline_rate),
        weeks=tuple(sorted(weeks, key=lambda week: week.week)),
    )


def _mean_cpc(channels: Sequence[ChannelPlan]) -> float:
    """Price of a click over all channels, by clicks; without clicks the first channel's."""
    clicks = sum(channel.clicks_expected for channel in channels)
    if not clicks:
        return float(channels[0].cpc_micros)
    return sum(channel.clicks_expected * channel.cpc_micros for channel in channels) / clicks


def _weeks(channel: ChannelPlan) -> list[Week]:
    spent, weeks = 0, []
    for number, _ in enumerate(RAMP_TENTHS, 1):
        until = channel.budget_micros * sum(RAMP_TENTHS[:number]) // sum(RAMP_TENTHS)
        accounts = round((until - spent) / channel.cpc_micros * channel.conversion_rate, 2)
        weeks.append(Week(number, channel.platform, until - spent, accounts))
        spent = until
    return weeks
