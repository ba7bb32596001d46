"""Bottom-up market: accounts x price, never "one percent of a large number".

TAM = buying accounts x revenue per account and year; SAM = TAM x the share that the first version can serve. SOM is
not a share at all: it is what the planned spend can win by year three (see financials.py). Where no cited count of
buyers exists, the count is an assumption with its range and with the public count that should replace it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from pipeline.v1 import common_pb2
from services.pitch.domain import numbers
from services.pitch.domain.brief import Brief
from services.pitch.domain.sizing import CONSUMER_TIERS, Buyers

# Fixed, so that the same request gives the same deck.
SEED = 20_240
SAMPLES = 800

Draw = Mapping[str, float]


class Market:
    """Ids of the market's assumptions in the ledger, and the buyers they speak of."""

    def __init__(self, brief: Brief) -> None:
        ledger, profile = brief.ledger, brief.profile
        self.buyers: Buyers = brief.sizing.buyers_for(profile)
        buyers = self.buyers
        self.consumer = buyers.tier in CONSUMER_TIERS
        self.accounts = ledger.assume(
            "accounts",
            f"Accounts that could buy: {buyers.label}",
            buyers.base,
            buyers.low,
            buyers.high,
            unit="accounts",
            basis=f"Order of magnitude, not looked up; replace with {buyers.confirm_with}.",
            shown=numbers.count,
        )
        self.price = self._price(brief)
        self.annual = ledger.derive(
            "price-year",
            "Revenue per account and year",
            *(_times(ledger.value(self.price), 12)),
            unit="USD",
            formula="revenue per account and month × twelve",
            inputs=[self.price],
            shown=numbers.money,
        )
        low, base, high = (10, 25, 45) if self.consumer else (15, 30, 50)
        self.reach = ledger.assume(
            "reachable-share",
            "Share of accounts that version one can serve",
            base,
            low,
            high,
            unit="%",
            basis="One language, one country and one product form; narrow it in customer interviews.",
            shown=numbers.percent,
        )
        inputs = [self.accounts, self.price, self.reach]
        ranges = sample(ledger_ranges(brief, inputs), self._sizes)
        at_base = self._sizes({key: ledger.value(key)[1] for key in inputs})
        self.tam = ledger.derive(
            "tam",
            "Total market (TAM) a year",
            at_base["tam"],
            *ranges["tam"],
            unit="USD",
            formula="accounts × revenue per account and year",
            inputs=[self.accounts, self.annual],
            shown=numbers.money,
        )
        self.sam = ledger.derive(
            "sam",
            "Market we can serve (SAM) a year",
            at_base["sam"],
            *ranges["sam"],
            unit="USD",
            formula="TAM × share that the first version can serve",
            inputs=[self.tam, self.reach],
            shown=numbers.money,
        )

    def _price(self, brief: Brief) -> str:
        """Registers revenue per account and month: a price, or a share of what flows through."""
        ledger, profile, tier = brief.ledger, brief.profile, self.buyers.tier
        share = brief.sizing.share(profile.business_model, tier)
        if share is None:
            price = brief.sizing.price(profile.business_model, profile.product_form, tier)
            return ledger.assume(
                "price-month",
                "Revenue per account and month",
                price.base,
                price.low,
                price.high,
                unit="USD",
                basis=f"From {price.basis}.",
                shown=numbers.money,
            )
        spend, take = share
        spend_id = ledger.assume(
            "spend-month",
            "What one buyer spends through the platform a month",
            spend.base,
            spend.low,
            spend.high,
            unit="USD",
            basis=f"From {spend.basis}.",
            shown=numbers.money,
        )
        take_id = ledger.assume(
            "take-rate",
            "Share of that spend that the platform keeps",
            take.base,
            take.low,
            take.high,
            unit="%",
            basis=f"From {take.basis}.",
            shown=numbers.percent,
        )

        def kept(draw: Draw) -> dict[str, float]:
            return {"price": draw[spend_id] * draw[take_id] / 100}

        ranges = sample(ledger_ranges(brief, [spend_id, take_id]), kept)
        return ledger.derive(
            "price-month",
            "Revenue per account and month",
            spend.base * take.base / 100,
            *ranges["price"],
            unit="USD",
            formula="spend through the platform × share kept",
            inputs=[spend_id, take_id],
            shown=numbers.money,
        )

    def _sizes(self, draw: Draw) -> dict[str, float]:
        tam = draw[self.accounts] * draw[self.price] * 12
        return {"tam": tam, "sam": tam * draw[self.reach] / 100}


def ledger_ranges(brief: Brief, ids: Sequence[str]) -> dict[str, tuple[float, float, float]]:
    """(low, value, high) per assumption id."""
    return {key: brief.ledger.value(key) for key in ids}


def sample(
    ranges: Mapping[str, tuple[float, float, float]], compute: Callable[[Draw], dict[str, float]]
) -> dict[str, tuple[float, float]]:
    """10th and 90th percentile of each result over seeded draws of the inputs.

    An input is as likely to lie below its base as above it, and values near the base are likelier than the ends: its
    base is its median, so that a result computed at the bases lies between the percentiles. A single triangle with its
    mode at the base would not do that where a range is lopsided. All-worst and all-best at once would be a caricature;
    a percentile is what "cautious" and "hopeful" mean here.
    """
    # Not a secret: the seed makes the deck reproducible.
    rng = random.Random(SEED)  # noqa: S311
    results: dict[str, list[float]] = {}
    for _ in range(SAMPLES):
        draw = {key: _draw(rng, *span) for key, span in ranges.items()}
        for key, value in compute(draw).items():
            results.setdefault(key, []).append(value)
    spans = {}
    for key, values in results.items():
        values.sort()
        spans[key] = (values[len(values) // 10], values[len(values) * 9 // 10])
    return spans


def _draw(rng: random.Random, low: float, base: float, high: float) -> float:
    """One value of an input: below and above its base with equal chance."""
    end = low if rng.random() < 0.5 else high
    return rng.triangular(min(base, end), max(base, end), base) if end != base else base


def _times(span: tuple[float, float, float], factor: float) -> tuple[float, float, float]:
    low, value, high = span
    return value * factor, low * factor, high * factor


def counts_in_evidence(brief: Brief) -> list[common_pb2.EvidenceItem]:
    """Evidence on the market's size, for and against, best first; rules of thumb from the starter set are none."""
    kind = common_pb2.CLAIM_KIND_MARKET_SIZE
    stances = (common_pb2.STANCE_SUPPORTS, common_pb2.STANCE_CONTRADICTS, common_pb2.STANCE_MENTIONS)
    items = [item for stance in stances for item in brief.found(stance, kind)]
    return [item for item in items if not brief.is_starter_figure(item)]
