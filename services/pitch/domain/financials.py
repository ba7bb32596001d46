"""Unit economics and a three-year projection from stated ranges.

Every output is a derived assumption that names its inputs. "Base" is computed at the base values, so that a reader can
do the sum again, and each input is as likely below its base as above; "cautious" and "hopeful" are the 10th and 90th
percentile of a seeded simulation over the ranges.
"""

from __future__ import annotations

from services.pitch.domain import numbers
from services.pitch.domain.brief import Brief
from services.pitch.domain.inputs import WINNING, Inputs
from services.pitch.domain.ledger import Formatter
from services.pitch.domain.market import Draw, Market, ledger_ranges, sample

HORIZON_MONTHS = 36


class Financials:
    """Ids of the computed economics in the ledger."""

    def __init__(self, brief: Brief, market: Market) -> None:
        self.brief, self.market = brief, market
        self.inputs = Inputs(brief, market)
        self._derive()

    def _inputs(self) -> list[str]:
        channel = self.inputs.cheapest
        ids = [
            self.market.price,
            self.inputs.margin,
            self.inputs.churn,
            self.inputs.organic,
            self.inputs.runway,
            self.inputs.build,
            self.inputs.reinvest,
        ]
        ids += (
            [self.inputs.sales_ratio] if self.inputs.sales_led else [channel.click, channel.signup, self.inputs.paying]
        )
        return ids

    def _cac(self, draw: Draw) -> float:
        if self.inputs.sales_led:
            return draw[self.inputs.sales_ratio] * draw[self.market.price] * 12
        channel = self.inputs.cheapest
        return draw[channel.click] / (draw[channel.signup] / 100) / (draw[self.inputs.paying] / 100)

    def _outcomes(self, draw: Draw) -> dict[str, float]:
        """Unit economics and customers and revenue at the end of each year, for one draw of the inputs."""
        price, margin, churn = draw[self.market.price], draw[self.inputs.margin] / 100, draw[self.inputs.churn] / 100
        cac = self._cac(draw)
        lifetime = price * margin / churn
        raised = self.inputs.round["raised"].value if "raised" in self.inputs.round else 0.0
        spend_month = raised * self._acquisition_share() / draw[self.inputs.runway]
        result = {"cac": cac, "ltv": lifetime, "ratio": lifetime / cac, "payback": cac / (price * margin)}
        customers = 0.0
        for month in range(1, HORIZON_MONTHS + 1):
            customers *= 1 - churn
            if month > draw[self.inputs.build]:
                # After the round, growth is paid from revenue, never faster than the round itself paid for it:
                # channels do not take any amount of money at the same price.
                earned = customers * price * draw[self.inputs.reinvest] / 100
                spend = spend_month if month <= draw[self.inputs.runway] else min(earned, spend_month)
                customers += spend / cac * (1 + draw[self.inputs.organic])
            if month % 12 == 0:
                # Nobody can win more accounts than there are.
                customers = min(customers, self._accounts_reachable())
                result[f"customers{month // 12}"] = customers
                result[f"revenue{month // 12}"] = customers * price * 12
        return result

    def _accounts_reachable(self) -> float:
        ledger = self.brief.ledger
        return ledger.value(self.market.accounts)[1] * ledger.value(self.market.reach)[1] / 100

    def _acquisition_share(self) -> float:
        """Share of the round that goes into winning customers: the line of the use of funds that says so."""
        for label, id_ in self.inputs.funds:
            if label in WINNING:
                return self.brief.ledger.value(id_)[1] / 100
        return 0.3

    def _derive(self) -> None:
        brief, ledger = self.brief, self.brief.ledger
        inputs = self._inputs()
        at_base = self._outcomes({key: ledger.value(key)[1] for key in inputs})
        ranges = sample(ledger_ranges(brief, inputs), self._outcomes)

        def put(id_: str, label: str, key: str, unit: str, formula: str, ids: list[str], shown: Formatter) -> str:
            return ledger.derive(
                id_,
                label,
                at_base[key],
                *ranges[key],
                unit=unit,
                formula=formula,
                inputs=ids,
                shown=shown,
            )

        if self.inputs.sales_led:
            cac_inputs = [self.inputs.sales_ratio, self.market.annual]
            cac_formula = "sales spend per dollar of new yearly revenue × revenue per account and year"
        else:
            cac_inputs = [self.inputs.cheapest.cost, self.inputs.paying]
            cac_formula = "cost of a sign-up ÷ share of sign-ups that pay"
        self.cac = put("cac", "Cost to win a paying customer", "cac", "USD", cac_formula, cac_inputs, numbers.money)
        self.ltv = put(
            "lifetime-value",
            "Lifetime gross profit of a customer",
            "ltv",
            "USD",
            "revenue a month × gross margin ÷ monthly churn",
            [self.market.price, self.inputs.margin, self.inputs.churn],
            numbers.money,
        )
        self.ratio = put(
            "ltv-to-cac",
            "Lifetime gross profit per dollar of that cost",
            "ratio",
            "x",
            "lifetime gross profit ÷ cost to win a customer",
            [self.ltv, self.cac],
            numbers.times,
        )
        self.payback = put(
            "payback",
            "Months until that cost is paid back",
            "payback",
            "months",
            "cost to win a customer ÷ monthly gross profit",
            [self.cac, self.market.price, self.inputs.margin],
            numbers.months,
        )
        growth = [
            self.cac,
            self.inputs.churn,
            self.inputs.organic,
            self.inputs.runway,
            self.inputs.build,
            self.inputs.reinvest,
            *self._spend_ids(),
        ]
        self.customers = [
            put(
                f"customers-year-{year}",
                f"Paying customers, end of year {year}",
                f"customers{year}",
                "customers",
                "month by month: spend ÷ cost to win, plus unpaid ones, less churn; spend never above the round's pace",
                growth,
                numbers.count,
            )
            for year in (1, 2, 3)
        ]
        self.revenue = [
            put(
                f"revenue-year-{year}",
                f"Revenue a year, end of year {year}",
                f"revenue{year}",
                "USD",
                "paying customers × revenue per account and year",
                [self.customers[year - 1], self.market.annual],
                numbers.money,
            )
            for year in (1, 2, 3)
        ]
        goal = brief.figure("saas.ltv_cac.target")
        factor = goal.value if goal else 3.0
        self.goal = goal
        _, lifetime, _ = ledger.value(self.ltv)
        self.allowed_cac = ledger.derive(
            "allowed-cac",
            "Most that winning a customer may cost",
            lifetime / factor,
            ranges["ltv"][0] / factor,
            ranges["ltv"][1] / factor,
            unit="USD",
            formula="lifetime gross profit ÷ target multiple",
            inputs=[self.ltv],
            shown=numbers.money,
        )

    def _spend_ids(self) -> list[str]:
        return [id_ for label, id_ in self.inputs.funds if label in WINNING]

    def pays_back(self) -> str:
        """ "yes", "maybe" or "no": whether lifetime profit covers the cost to win, over the simulated range."""
        low, base, _ = self.brief.ledger.value(self.ratio)
        target = self.goal.value if self.goal else 3.0
        return "yes" if base >= target and low >= 1 else "maybe" if base >= 1 else "no"

    def drivers(self, count: int = 2) -> list[str]:
        """Labels of the inputs that move the revenue of year three most when taken alone from low to high."""
        ledger = self.brief.ledger
        base = {key: ledger.value(key)[1] for key in self._inputs()}
        swings = []
        for key in base:
            low, _, high = ledger.value(key)
            ends = [self._outcomes({**base, key: end})["revenue3"] for end in (low, high)]
            swings.append((abs(ends[1] - ends[0]), ledger.label(key)))
        swings.sort(key=lambda swing: (-swing[0], swing[1]))
        return [label for swing, label in swings[:count] if swing > 0]
