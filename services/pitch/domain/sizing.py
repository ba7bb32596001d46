"""Orders of magnitude to plan with where no source was found: how many buyers there are, what they might pay.

Everything in `data/sizing.json` is an ASSUMPTION of ours and is shown as one: it never becomes a citation. Ranges are
wide on purpose, and each names the public count that should replace it. Numbers speak of the United States because
the cited benchmark figures do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from pipeline.v1 import common_pb2

CONSUMER_TIERS = frozenset({"consumer", "consumer_pro"})
# Buyers whose purchase takes a salesperson: their cost is planned from a sales ratio, not from clicks.
SALES_TIERS = frozenset({"mid", "large", "government"})


@dataclass(frozen=True)
class Buyers:
    """A group of buying accounts: who they are, how many (low, base, high), and where the true count stands.

    `tier` is what an account can pay: consumer, consumer_pro, small, mid, large or government.
    """

    label: str
    low: float
    base: float
    high: float
    confirm_with: str
    tier: str
    pattern: re.Pattern[str] | None = None


@dataclass(frozen=True)
class Span:
    """A planning value with its plausible range and why."""

    low: float
    base: float
    high: float
    basis: str


@dataclass(frozen=True)
class Sizing:
    """The table of planning values. Immutable; load once per server."""

    buyers: tuple[Buyers, ...]
    fallback: Mapping[str, Buyers]
    prices: Mapping[str, Mapping[str, Span]]

    @classmethod
    def load(cls) -> Sizing:
        """Reads the shipped table (about 17 kB)."""
        text = resources.files("services.pitch").joinpath("data/sizing.json").read_text(encoding="utf-8")
        data: dict[str, Any] = json.loads(text)
        return cls(
            buyers=tuple(_buyers(row) for row in data["buyers"]),
            fallback={key: _buyers(row) for key, row in data["fallback"].items()},
            prices={
                **{
                    kind: {tier: Span(**row) for tier, row in data[kind].items()}
                    for kind in ("subscription", "service", "hardware", "spend", "take")
                },
                "advertising": {"": Span(**data["advertising"])},
            },
        )

    def buyers_for(self, profile: common_pb2.IdeaProfile) -> Buyers:
        """The buying accounts an idea addresses: by its audiences, then by its idea text, then by customer type.

        A group that cannot be the buyer (consumers for a B2B idea) is passed over.
        """
        business = profile.customer_type in {
            common_pb2.CUSTOMER_TYPE_B2B,
            common_pb2.CUSTOMER_TYPE_B2G,
        }
        consumer = profile.customer_type == common_pb2.CUSTOMER_TYPE_B2C
        for text in (*profile.audiences[:3], profile.idea):
            for group in self.buyers:
                if (business and group.tier == "consumer") or (consumer and group.tier not in CONSUMER_TIERS):
                    continue
                if group.pattern and group.pattern.search(text[:1_000]):
                    return group
        name = common_pb2.CustomerType.Name(profile.customer_type).removeprefix("CUSTOMER_TYPE_")
        return self.fallback.get(name, self.fallback["ANY"])

    def price(self, model: int, form: int, tier: str) -> Span:
        """Revenue per account and month in USD where it is charged as a price."""
        if model == common_pb2.BUSINESS_MODEL_ADVERTISING:
            return self.prices["advertising"][""]
        service = model == common_pb2.BUSINESS_MODEL_SERVICE_FEE or form == common_pb2.PRODUCT_FORM_SERVICE
        device = model == common_pb2.BUSINESS_MODEL_HARDWARE_SALE or form == common_pb2.PRODUCT_FORM_HARDWARE
        return self.prices["hardware" if device else "service" if service else "subscription"][tier]

    def share(self, model: int, tier: str) -> tuple[Span, Span] | None:
        """Spend through the platform (USD a month) and the share kept (%), for models that live on a cut."""
        if model == common_pb2.BUSINESS_MODEL_MARKETPLACE_FEE:
            return self.prices["spend"][tier], self.prices["take"]["marketplace"]
        if model == common_pb2.BUSINESS_MODEL_TRANSACTION_FEE:
            return self.prices["spend"][tier], self.prices["take"]["transaction"]
        return None


def _buyers(row: Mapping[str, Any]) -> Buyers:
    pattern = row.get("pattern")
    return Buyers(
        label=row["label"],
        low=row["low"],
        base=row["base"],
        high=row["high"],
        confirm_with=row["confirm_with"],
        tier=row["tier"],
        pattern=re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE) if pattern else None,
    )
