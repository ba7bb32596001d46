"""What the plan is computed from: prices of clicks, conversion, churn, margin, the round and its use.

Each input is a cited figure where one fits the field, else an assumption with its range and why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chassis.figures import BenchmarkFigure
from pipeline.v1 import common_pb2
from services.pitch.domain import numbers
from services.pitch.domain.brief import Brief
from services.pitch.domain.market import Draw, Market, ledger_ranges, sample
from services.pitch.domain.sizing import SALES_TIERS

_SOFTWARE = frozenset(
    {
        common_pb2.PRODUCT_FORM_UNSPECIFIED,
        common_pb2.PRODUCT_FORM_MOBILE_APP,
        common_pb2.PRODUCT_FORM_WEB_APP,
        common_pb2.PRODUCT_FORM_MARKETPLACE,
        common_pb2.PRODUCT_FORM_API,
        common_pb2.PRODUCT_FORM_EXTENSION,
    }
)
FIELD_FORMS = frozenset({common_pb2.PRODUCT_FORM_HARDWARE, common_pb2.PRODUCT_FORM_SERVICE})
# Metric of the round whose median is asked for. No cited median exists for growth rounds or for strategic
# partners: the nearest cited round stands in, and the ask slide says so.
_ROUNDS = {
    common_pb2.INVESTOR_TYPE_ANGEL: "round.pre_seed_safe",
    common_pb2.INVESTOR_TYPE_SEED: "round.seed_safe",
    common_pb2.INVESTOR_TYPE_SERIES_A: "round.series_a",
    common_pb2.INVESTOR_TYPE_GROWTH: "round.series_a",
    common_pb2.INVESTOR_TYPE_STRATEGIC: "round.seed_safe",
}
_PRODUCT, _RESERVE = "Product and engineering", "Reserve"
# What the part of the round that wins customers is called; the projection spends this share.
WINNING = frozenset({"Finding customers", "Sales and pilots"})
_FUNDS: dict[str, dict[str, int]] = {
    "consumer": {_PRODUCT: 45, "Finding customers": 35, "Operations": 10, _RESERVE: 10},
    "business": {_PRODUCT: 45, "Sales and pilots": 30, "Compliance and security": 15, _RESERVE: 10},
    "field": {
        "Equipment and field work": 35,
        _PRODUCT: 30,
        "Sales and pilots": 20,
        "Licences, insurance, reserve": 15,
    },
}


# Points that this reader's money moves from building to winning customers: the later the round, the more.
_SHIFTS = {
    common_pb2.INVESTOR_TYPE_ANGEL: -10,
    common_pb2.INVESTOR_TYPE_SERIES_A: 10,
    common_pb2.INVESTOR_TYPE_GROWTH: 15,
}


@dataclass(frozen=True)
class Channel:
    """A paid way to reach people: cited price of a click, cited share that signs up, cost per sign-up."""

    name: str
    click: str
    signup: str
    cost: str


class Inputs:
    """Ids of the planning inputs in the ledger: cited where a figure exists, assumed with a range where none does."""

    def __init__(self, brief: Brief, market: Market) -> None:
        self.brief, self.market = brief, market
        ledger = brief.ledger
        self.round = self._round()
        self.funds = self._funds()
        self.channels = self._channels()
        self.margin = self._margin()
        self.churn = self._churn()
        field_work = brief.profile.product_form in FIELD_FORMS
        # Field work is sold by people, whatever the size of the buyer, unless homes buy it.
        self.sales_led = market.buyers.tier in SALES_TIERS or (field_work and not market.consumer)
        self.paying = self._paying_share()
        self.sales_ratio = self._sales_ratio() if self.sales_led else ""
        self.organic = ledger.assume(
            "organic-customers",
            "Customers who come unpaid for each paid one",
            0.5,
            0,
            1.5,
            unit="customers",
            basis="No referral has been measured; the smoke test's share links will show it.",
            shown=_plain,
        )
        self.runway = ledger.assume(
            "runway",
            "Months that the round lasts",
            24,
            18,
            30,
            unit="months",
            basis="Usual planning span between rounds; to be fixed with the hiring plan.",
            shown=numbers.months,
        )
        self.build = ledger.assume(
            "build-months",
            "Months until the first paying customer",
            4,
            2,
            8,
            unit="months",
            basis="A first version and its pilots; the pipeline's MVP is the start, not the product.",
            shown=numbers.months,
        )
        self.reinvest = ledger.assume(
            "reinvested-share",
            "Share of revenue spent to win customers after the round",
            30,
            15,
            45,
            unit="%",
            basis="Planning value; no spending history exists.",
            shown=numbers.percent,
        )

    # Inputs

    def _round(self) -> dict[str, BenchmarkFigure]:
        """Cited medians of the round that the investor type stands for: raised, dilution, valuation."""
        prefix = _ROUNDS.get(self.brief.investor, "round.seed_safe")
        found = {}
        for key, metrics in {
            "raised": (f"{prefix}.raised.median",),
            "dilution": (f"{prefix}.dilution.median",),
            "valuation": (f"{prefix}.cap.median", f"{prefix}.post_money.median"),
        }.items():
            for metric in metrics:
                # Amount, dilution and valuation must speak of one population, so the segment is fixed.
                figure = self.brief.figure(metric, "Q4 2024") or self.brief.figure(metric)
                if figure is not None:
                    found[key] = figure
                    break
        return found

    def _funds(self) -> list[tuple[str, str]]:
        """(what for, assumption id) of the use of funds."""
        field_work = self.brief.profile.product_form in FIELD_FORMS
        kind = "field" if field_work else "consumer" if self.market.consumer else "business"
        uses = []
        shift = _SHIFTS.get(self.brief.investor, 0)
        for place, (label, usual) in enumerate(_FUNDS[kind].items(), 1):
            share = usual + (shift if label in WINNING else -shift if label == _PRODUCT else 0)
            id_ = self.brief.ledger.assume(
                f"use-of-funds-{place}",
                f"Share of round: {label.lower()}",
                share,
                max(share - 10, 5),
                share + 10,
                unit="%",
                basis="Planning split; the founders' hiring plan replaces it.",
                shown=numbers.percent,
            )
            uses.append((label, id_))
        return uses

    def _channels(self) -> list[Channel]:
        brief = self.brief
        wanted = [("Google search ads", "search-ads", "search_ads.cpc", "search_ads.conversion_rate")]
        if self.market.buyers.tier in {"consumer", "consumer_pro", "small"}:
            wanted.append(("Meta lead ads", "meta-ads", "meta_ads.leads.cpc", "meta_ads.leads.conversion_rate"))
        if self.market.buyers.tier not in {"consumer"}:
            wanted.append(
                (
                    "LinkedIn image ads",
                    "linkedin-ads",
                    "linkedin_ads.single_image.cpc.median",
                    "landing_page.conversion_rate.median",
                )
            )
        channels = []
        for name, slug, click_metric, signup_metric in wanted:
            click_figure, signup_figure = brief.best_figure(click_metric), brief.best_figure(signup_metric)
            if click_figure is None or signup_figure is None:
                continue
            spread = "Cited average; the range spans campaigns from well to poorly run."
            click = brief.ledger.taken(
                f"{slug}-click",
                f"{name}: cost of a click",
                click_figure,
                click_figure.value * 0.6,
                click_figure.value * 1.6,
                unit="USD",
                basis=spread,
                shown=numbers.money,
            )
            signup = brief.ledger.taken(
                f"{slug}-signup",
                f"{name}: share of clicks that sign up",
                signup_figure,
                signup_figure.value * 0.4,
                signup_figure.value * 1.3,
                unit="%",
                basis="Cited average of running firms; an unknown name may convert far worse.",
                shown=numbers.percent,
            )
            ranges = sample(ledger_ranges(brief, [click, signup]), _cost_per_signup(click, signup))
            cost = brief.ledger.derive(
                f"{slug}-cost",
                f"{name}: cost of a sign-up",
                click_figure.value / signup_figure.value * 100,
                *ranges["cost"],
                unit="USD",
                formula="cost of a click ÷ share of clicks that sign up",
                inputs=[click, signup],
                shown=numbers.money,
            )
            channels.append(Channel(name, click, signup, cost))
        return channels

    @property
    def cheapest(self) -> Channel:
        """The channel with the lowest cost of a sign-up at base values."""
        return min(self.channels, key=lambda channel: self.brief.ledger.value(channel.cost)[1])

    def _margin(self) -> str:
        brief = self.brief
        label = "Gross margin"
        if brief.profile.product_form not in _SOFTWARE:
            return brief.ledger.assume(
                "gross-margin",
                label,
                45,
                25,
                65,
                unit="%",
                basis="Work in the field and equipment cost money each time; to be costed on a pilot.",
                shown=numbers.percent,
            )
        software = brief.figure("saas.gross_margin", "traditional")
        models = brief.figure("saas.gross_margin", "LLM")
        figure = models if models and brief.uses_language_models() else software
        if figure is None:
            return brief.ledger.assume(
                "gross-margin", label, 70, 50, 80, unit="%", basis="Usual span of software.", shown=numbers.percent
            )
        basis = "Cited for subscription software; our own costs are not known yet."
        return brief.ledger.taken(
            "gross-margin",
            label,
            figure,
            figure.value - 12,
            min(figure.value + 12, 85),
            unit="%",
            basis=basis,
            shown=numbers.percent,
        )

    def _churn(self) -> str:
        """Monthly churn by revenue per account: small accounts leave sooner."""
        metric = "saas.customer_churn.monthly.median"
        low_price, high_price = self.brief.figure(metric, "$0-10"), self.brief.figure(metric, ">$500")
        middle = self.brief.figure(metric, "$10k-50k")
        price = self.brief.ledger.value(self.market.price)[1]
        figure = low_price if price <= 10 else high_price if price >= 500 else middle
        label = "Customers who leave each month"
        if figure is None:
            return self.brief.ledger.assume(
                "churn", label, 5, 2, 8, unit="%", basis="No cited figure at hand.", shown=numbers.percent
            )
        others = [item.value for item in (low_price, middle, high_price) if item is not None]
        near = sorted(others, key=lambda value: abs(value - figure.value))[:2]
        return self.brief.ledger.taken(
            "churn",
            label,
            figure,
            min(near) * 0.7,
            max(near) * 1.3,
            unit="%",
            basis="Cited median of subscription software by account size; the range reaches to the next size.",
            shown=numbers.percent,
        )

    def _paying_share(self) -> str:
        tier = self.market.buyers.tier
        label = "Share of sign-ups that become paying customers"
        figure = self.brief.figure("waitlist.to_customer_rate", "cold traffic")
        if self.market.consumer and figure is not None:
            return self.brief.ledger.taken(
                "paying-share",
                label,
                figure,
                1,
                5,
                unit="%",
                basis="Cited low end for cold traffic, of low confidence; the price step of the test measures it.",
                shown=numbers.percent,
            )
        low, base, high = {"small": (2, 6, 15), "mid": (2, 5, 10), "large": (1, 3, 8)}.get(tier, (1, 3, 8))
        return self.brief.ledger.assume(
            "paying-share",
            label,
            base,
            low,
            high,
            unit="%",
            basis="No cited figure for this kind of buyer; the first pilots measure it.",
            shown=numbers.percent,
        )

    def _sales_ratio(self) -> str:
        figure = self.brief.figure("saas.new_customer_cac_ratio.median", "S&M")
        label = "Sales and marketing spend per dollar of new yearly revenue"
        if figure is None:
            return self.brief.ledger.assume(
                "sales-ratio", label, 2, 1, 3, unit="USD", basis="No cited figure at hand.", shown=numbers.money
            )
        return self.brief.ledger.taken(
            "sales-ratio",
            label,
            figure,
            1.2,
            3,
            unit="USD",
            basis="Cited median of private B2B software firms; a first sales team is slower.",
            shown=numbers.money,
        )


def _cost_per_signup(click: str, signup: str) -> Callable[[Draw], dict[str, float]]:
    return lambda draw: {"cost": draw[click] / draw[signup] * 100}


def _plain(value: float) -> str:
    return f"{value:g}"
