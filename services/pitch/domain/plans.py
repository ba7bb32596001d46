"""Slide plans per investor type, as data: which slides, in which order, and what this reader weighs.

Every plan has 10 to 13 content slides and ends with the sources and the assumptions, so that a deck has 12 to 15.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from pipeline.v1 import common_pb2, pitch_pb2

SlideType: TypeAlias = pitch_pb2.SlideType.ValueType


@dataclass(frozen=True)
class Plan:
    """A deck for one kind of reader."""

    # How the reader is called in a sentence ("an angel").
    reader: str
    # What the reader weighs most; opens the talk track.
    weighs: str
    # What this reader is likely to ask; in the talk track of the ask.
    asks: str
    slides: tuple[SlideType, ...]


_PURPOSE = pitch_pb2.SLIDE_TYPE_PURPOSE
_PROBLEM = pitch_pb2.SLIDE_TYPE_PROBLEM
_SOLUTION = pitch_pb2.SLIDE_TYPE_SOLUTION
_WHY_NOW = pitch_pb2.SLIDE_TYPE_WHY_NOW
_MARKET = pitch_pb2.SLIDE_TYPE_MARKET
_COMPETITION = pitch_pb2.SLIDE_TYPE_COMPETITION
_PRODUCT = pitch_pb2.SLIDE_TYPE_PRODUCT
_BUSINESS_MODEL = pitch_pb2.SLIDE_TYPE_BUSINESS_MODEL
_GO_TO_MARKET = pitch_pb2.SLIDE_TYPE_GO_TO_MARKET
_TRACTION = pitch_pb2.SLIDE_TYPE_TRACTION
_TEAM = pitch_pb2.SLIDE_TYPE_TEAM
_FINANCIALS = pitch_pb2.SLIDE_TYPE_FINANCIALS
_ASK = pitch_pb2.SLIDE_TYPE_ASK
_USE_OF_FUNDS = pitch_pb2.SLIDE_TYPE_USE_OF_FUNDS
_RISKS = pitch_pb2.SLIDE_TYPE_RISKS
_AGAINST = pitch_pb2.SLIDE_TYPE_AGAINST
_UNIT_ECONOMICS = pitch_pb2.SLIDE_TYPE_UNIT_ECONOMICS
_MILESTONES = pitch_pb2.SLIDE_TYPE_MILESTONES
_STRATEGIC_FIT = pitch_pb2.SLIDE_TYPE_STRATEGIC_FIT

PLANS: Mapping[int, Plan] = {
    common_pb2.INVESTOR_TYPE_ANGEL: Plan(
        "an angel",
        "Angels back people and a first step they can picture: problem, people and product come first.",
        "Why you, and what is the first thing you will know that you do not know today?",
        (
            _PURPOSE,
            _PROBLEM,
            _TEAM,
            _SOLUTION,
            _MARKET,
            _COMPETITION,
            _TRACTION,
            _MILESTONES,
            _ASK,
            _AGAINST,
        ),
    ),
    common_pb2.INVESTOR_TYPE_SEED: Plan(
        "a seed fund",
        "Seed funds weigh whether the need is real and the market can carry a venture: evidence before plans.",
        "Which result of the next test would make you stop?",
        (
            _PURPOSE,
            _PROBLEM,
            _SOLUTION,
            _WHY_NOW,
            _MARKET,
            _COMPETITION,
            _BUSINESS_MODEL,
            _GO_TO_MARKET,
            _TRACTION,
            _TEAM,
            _FINANCIALS,
            _ASK,
            _AGAINST,
        ),
    ),
    common_pb2.INVESTOR_TYPE_SERIES_A: Plan(
        "a Series A fund",
        "Series A funds weigh measured demand and repeatable sales: what is measured comes first, even if nothing.",
        "Show me the same sale made ten times by somebody who is not a founder.",
        (
            _PURPOSE,
            _TRACTION,
            _PROBLEM,
            _SOLUTION,
            _MARKET,
            _COMPETITION,
            _GO_TO_MARKET,
            _UNIT_ECONOMICS,
            _FINANCIALS,
            _TEAM,
            _ASK,
            _USE_OF_FUNDS,
            _AGAINST,
        ),
    ),
    common_pb2.INVESTOR_TYPE_GROWTH: Plan(
        "a growth investor",
        "Growth investors weigh unit economics, retention and the room to scale: money before story.",
        "What happens to the cost of a customer when you spend ten times as much?",
        (
            _PURPOSE,
            _TRACTION,
            _UNIT_ECONOMICS,
            _FINANCIALS,
            _MARKET,
            _GO_TO_MARKET,
            _COMPETITION,
            _TEAM,
            _MILESTONES,
            _ASK,
            _USE_OF_FUNDS,
            _AGAINST,
        ),
    ),
    common_pb2.INVESTOR_TYPE_STRATEGIC: Plan(
        "a strategic partner",
        "Strategic partners weigh fit with what they sell already: product, reach and rules before returns.",
        "What do our customers get that they cannot get from us today, and what does it cost us to connect it?",
        (
            _PURPOSE,
            _STRATEGIC_FIT,
            _PROBLEM,
            _PRODUCT,
            _COMPETITION,
            _MARKET,
            _GO_TO_MARKET,
            _RISKS,
            _MILESTONES,
            _TEAM,
            _ASK,
            _AGAINST,
        ),
    ),
}

# The claims that a slide rests on.
CLAIM_KINDS: Mapping[int, tuple[int, ...]] = {
    _PURPOSE: (common_pb2.CLAIM_KIND_PROBLEM, common_pb2.CLAIM_KIND_AUDIENCE),
    _PROBLEM: (common_pb2.CLAIM_KIND_PROBLEM, common_pb2.CLAIM_KIND_AUDIENCE),
    _SOLUTION: (common_pb2.CLAIM_KIND_FEASIBILITY, common_pb2.CLAIM_KIND_PROBLEM),
    _WHY_NOW: (common_pb2.CLAIM_KIND_TIMING,),
    _MARKET: (common_pb2.CLAIM_KIND_MARKET_SIZE,),
    _COMPETITION: (common_pb2.CLAIM_KIND_COMPETITION,),
    _PRODUCT: (common_pb2.CLAIM_KIND_FEASIBILITY,),
    _BUSINESS_MODEL: (common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY,),
    _GO_TO_MARKET: (common_pb2.CLAIM_KIND_AUDIENCE,),
    _TRACTION: (common_pb2.CLAIM_KIND_AUDIENCE, common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY),
    _TEAM: (),
    _FINANCIALS: (common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY, common_pb2.CLAIM_KIND_MARKET_SIZE),
    _ASK: (),
    _USE_OF_FUNDS: (),
    _RISKS: (common_pb2.CLAIM_KIND_FEASIBILITY,),
    _AGAINST: tuple(kind for kind in common_pb2.ClaimKind.values() if kind),
    _UNIT_ECONOMICS: (common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY,),
    _MILESTONES: (common_pb2.CLAIM_KIND_PROBLEM, common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY),
    _STRATEGIC_FIT: (common_pb2.CLAIM_KIND_PROBLEM, common_pb2.CLAIM_KIND_FEASIBILITY),
}

KICKERS: Mapping[int, str] = {
    _PURPOSE: "Purpose",
    _PROBLEM: "Problem",
    _SOLUTION: "Solution",
    _WHY_NOW: "Why now",
    _MARKET: "Market",
    _COMPETITION: "Competition",
    _PRODUCT: "Product",
    _BUSINESS_MODEL: "Business model",
    _GO_TO_MARKET: "Go to market",
    _TRACTION: "Traction",
    _TEAM: "Team",
    _FINANCIALS: "Financials",
    _ASK: "The ask",
    _USE_OF_FUNDS: "Use of funds",
    _RISKS: "Risks and rules",
    _AGAINST: "What speaks against us",
    _UNIT_ECONOMICS: "Unit economics",
    _MILESTONES: "Milestones",
    _STRATEGIC_FIT: "Strategic fit",
    pitch_pb2.SLIDE_TYPE_SOURCES: "Sources",
}


def plan_for(investor: int) -> Plan:
    """The plan of an investor type; unspecified is seed."""
    return PLANS.get(investor, PLANS[common_pb2.INVESTOR_TYPE_SEED])
