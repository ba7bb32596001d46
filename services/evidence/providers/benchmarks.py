"""Benchmark figures that bear on a claim: those of the idea's segment first, then those of everybody.

A figure is taken because it answers a question that the claim raises, not because it is there: at most three for
one claim. Its text is one sentence composed of the recorded facts (metric, segment, value, year, source).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chassis.figures import ALL_INDUSTRIES, BenchmarkFigure, Figures, label
from pipeline.v1 import common_pb2
from services.evidence.domain.model import Found, IdeaFacts, Query
from services.evidence.domain.words import stems

PROVIDER = "benchmarks"
PER_CLAIM = 3

# How well a figure fits the idea: measured on its own segment, on its customers' sector, on founders or buyers
# like these, or on everybody.
FIT_SEGMENT, FIT_SECTOR, FIT_ALIKE, FIT_EVERYBODY = 0.85, 0.70, 0.60, 0.50

CONFIDENCE = {"high": 1.0, "medium": 0.5, "low": 0.0}

PRIVATE_SECTOR = "US private sector, cohort March 2013"
# Sector of the customers (BLS) by the idea's category, for ideas that sell to businesses.
SECTORS = {
    "health": "Health care and social assistance",
    "education": "Educational services",
    "childcare": "Health care and social assistance",
    "food": "Accommodation and food services",
    "fintech": "Finance and insurance",
    "agriculture": "Agriculture, forestry, fishing",
    "retail": "Retail trade",
    "real-estate": "Real estate and rental",
    "manufacturing": "Manufacturing",
    "entertainment": "Arts, entertainment, recreation",
}
_AI_STEMS = frozenset(stems("llm llms agent agents gpt chatbot prompt prompts ai"))
_RECURRING = (
    common_pb2.BUSINESS_MODEL_UNSPECIFIED,
    common_pb2.BUSINESS_MODEL_SUBSCRIPTION,
    common_pb2.BUSINESS_MODEL_FREEMIUM,
)


_NO_SOFTWARE = (common_pb2.PRODUCT_FORM_HARDWARE, common_pb2.PRODUCT_FORM_SERVICE)


@dataclass(frozen=True)
class Pick:
    """A figure that answers a claim, what it is compared with, and which way is good."""

    figure: BenchmarkFigure
    fit: float
    why: str
    baseline: BenchmarkFigure | None = None
    more_is_better: bool | None = None


class BenchmarksProvider:
    """The starter set of figures as a provider."""

    name = PROVIDER
    offline = True

    def __init__(self, figures: Figures | None = None) -> None:
        self._figures = figures if figures is not None else Figures.load()

    def covers(self, query: Query) -> bool:
        return query.kind != common_pb2.CLAIM_KIND_UNSPECIFIED

    def key(self, query: Query) -> str:
        idea = query.idea
        return (
            f"{query.kind}|{idea.benchmark_segment}|{idea.category}|{idea.customer_type}|{idea.business_model}"
            f"|{idea.product_form}|{_about_ai(idea)}"
        )

    async def search(self, query: Query) -> Sequence[Found]:
        picks = list(self.picks(query.kind, query.idea))
        unique = list({pick.figure.citation_id: pick for pick in picks}.values())
        return [_found(pick) for pick in unique[: min(PER_CLAIM, query.limit)]]

    def picks(self, kind: int, idea: IdeaFacts) -> Iterable[Pick]:
        """Yield the figures for a claim of this kind, the most specific first."""
        match kind:
            case common_pb2.CLAIM_KIND_PROBLEM:
                yield from self._base_rate(
                    "failure_reason.no_market_need",
                    "It is the share of failed startups that named a missing need: what this claim has to overcome",
                )
            case common_pb2.CLAIM_KIND_COMPETITION:
                yield from self._base_rate(
                    "failure_reason.outcompeted",
                    "It is the share of failed startups that named rivals: what is at stake in this claim",
                )
            case common_pb2.CLAIM_KIND_MARKET_SIZE:
                yield from self._base_rate(
                    "market_size.tam.vc_minimum",
                    "It is the bar that venture investors are said to set, not the size of this market",
                )
            case common_pb2.CLAIM_KIND_AUDIENCE:
                yield from self._audience(idea)
            case common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY:
                yield from self._payment(idea)
            case common_pb2.CLAIM_KIND_FEASIBILITY:
                yield from self._feasibility(idea)
            case common_pb2.CLAIM_KIND_TIMING:
                yield from self._timing()

    def _base_rate(self, metric: str, why: str) -> Iterable[Pick]:
        found = self._figures.find(metric)
        if found:
            yield Pick(found[0], FIT_EVERYBODY, why)

    def _audience(self, idea: IdeaFacts) -> Iterable[Pick]:
        yield from self._against_everybody(
            "search_ads.conversion_rate",
            idea,
            "It tells how many of those who click a search ad in this segment leave their address",
        )
        if idea.customer_type == common_pb2.CUSTOMER_TYPE_B2B:
            sector = SECTORS.get(idea.category, "")
            here, everybody = (
                self._figures.find("business_survival.year_5", name) for name in (sector, PRIVATE_SECTOR)
            )
            if here and everybody:
                why = "It tells how many customers of this sector are still there after five years"
                yield Pick(here[0], FIT_SECTOR, why, everybody[0], more_is_better=True)
            for figure in self._figures.find("linkedin_ads.single_image.cpc.median")[:1]:
                yield Pick(figure, FIT_ALIKE, "It tells what a click of a business reader costs")
        else:
            yield from self._against_everybody(
                "meta_ads.leads.conversion_rate",
                idea,
                "It tells how many of those who click a social ad in this segment leave their address",
            )

    def _against_everybody(self, metric: str, idea: IdeaFacts, why: str) -> Iterable[Pick]:
        figure = self._figures.best(metric, idea.benchmark_segment)
        if figure is None:
            return
        if figure.segment == ALL_INDUSTRIES:
            yield Pick(figure, FIT_EVERYBODY, f"{why.replace('this segment', 'general')}; no figure of the segment")
            return
        # Of the same year where there is one: prices and habits move.
        others = self._figures.find(metric, ALL_INDUSTRIES)
        same_year = [other for other in others if other.year == figure.year] or others
        yield Pick(figure, FIT_SEGMENT, why, same_year[0] if same_year else None, more_is_better=True)

    def _payment(self, idea: IdeaFacts) -> Iterable[Pick]:
        cpc = self._figures.best("search_ads.cpc", idea.benchmark_segment)
        if cpc is not None:
            fit = FIT_EVERYBODY if cpc.segment == ALL_INDUSTRIES else FIT_SEGMENT
            yield Pick(cpc, fit, "It tells what businesses pay for one visitor with this interest")
        if idea.customer_type == common_pb2.CUSTOMER_TYPE_B2B:
            software = idea.product_form not in _NO_SOFTWARE and idea.business_model in _RECURRING
            for figure in self._figures.find("saas.net_revenue_retention")[:1] if software else ():
                yield Pick(figure, FIT_ALIKE, "It tells how well business software keeps what customers pay")
            return
        if idea.business_model in _RECURRING:
            churn = "saas.customer_churn.monthly.median"
            cheap, dear = self._figures.find(churn, "ARPA $0-10/month"), self._figures.find(churn, "ARPA >$500/month")
            if cheap and dear:
                why = "It tells how many payers of a cheap subscription leave each month"
                yield Pick(cheap[0], FIT_ALIKE, why, dear[0], more_is_better=False)
        for figure in self._figures.find("waitlist.to_customer_rate", "cold traffic, low end of 2-5 range")[:1]:
            yield Pick(figure, FIT_EVERYBODY, "It tells how few sign-ups become payers")

    def _feasibility(self, idea: IdeaFacts) -> Iterable[Pick]:
        if not _about_ai(idea):
            return
        margin = "saas.gross_margin"
        llm = self._figures.find(margin, "LLM-native companies, estimate")
        usual = self._figures.find(margin, "traditional SaaS, low end of 77-81")
        if llm and usual:
            why = "It tells what running language models leaves of the revenue"
            yield Pick(llm[0], FIT_ALIKE, why, usual[0], more_is_better=True)

    def _timing(self) -> Iterable[Pick]:
        newest = self._figures.find("graduation.seed_to_series_a.2y", "seed in 2022")
        earlier = self._figures.find("graduation.seed_to_series_a.2y", "seed in Q1 2018")
        if newest and earlier:
            # No stance: what investors do says little about what customers want now.
            why = "It tells how many seed-stage startups of these years raise their next round within two years"
            yield Pick(newest[0], FIT_EVERYBODY, why, earlier[0])


def _about_ai(idea: IdeaFacts) -> bool:
    return bool(_AI_STEMS & set(stems(f"{idea.text} {' '.join(idea.keywords)}")))


def _found(pick: Pick) -> Found:
    figure = pick.figure
    text = f"{figure.statement}."
    quote_end = len(text)
    text += f" Source: {figure.source_title}."
    compared = ""
    if pick.baseline is not None:
        base = pick.baseline
        compared = f", compared with {base.value_text} ({base.segment}; {base.source_title})"
        text += f" Compared with: {base.statement}."
    return Found(
        provider=PROVIDER,
        origin=common_pb2.TEXT_ORIGIN_STARTER_SET,
        url=figure.source_url,
        title=figure.source_title,
        text=text,
        source_type=common_pb2.SOURCE_TYPE_INDUSTRY_REPORT,
        year=figure.year,
        figure=figure.figure(),
        baseline=pick.baseline.figure() if pick.baseline else None,
        more_is_better=pick.more_is_better,
        spans=((0, quote_end),),
        fit=pick.fit,
        why=(
            f"{label(figure.metric)}. {pick.why}{compared}. The sentence is composed of the facts in the starter set "
            f"({figure.confidence} confidence); the page was not fetched in this run."
        ),
        confidence=CONFIDENCE.get(figure.confidence, 0.0),
    )
