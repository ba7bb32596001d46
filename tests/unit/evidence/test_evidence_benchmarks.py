"""Benchmark figures: few, fitting, compared, and never more certain than their source."""

from __future__ import annotations

from itertools import pairwise

import pytest

from pipeline.v1 import common_pb2
from services.evidence.domain.model import IdeaFacts
from services.evidence.providers.benchmarks import PER_CLAIM, SECTORS, BenchmarksProvider
from tests.support.evidence_kit import query

PB = common_pb2
CLINICS = IdeaFacts(
    "A scheduling tool for clinics",
    category="health",
    benchmark_segment="Physicians & surgeons",
    customer_type=PB.CUSTOMER_TYPE_B2B,
    business_model=PB.BUSINESS_MODEL_SUBSCRIPTION,
)
HOUSEHOLDS = IdeaFacts(
    "An app for households",
    category="food",
    benchmark_segment="Restaurants & food",
    customer_type=PB.CUSTOMER_TYPE_B2C,
)
KINDS = [k for k in PB.ClaimKind.values() if k != PB.CLAIM_KIND_UNSPECIFIED]


@pytest.fixture(scope="module")
def provider() -> BenchmarksProvider:
    return BenchmarksProvider()


@pytest.mark.parametrize("idea", [CLINICS, HOUSEHOLDS, IdeaFacts("Anything at all, nothing known")])
async def test_every_figure_stands_in_its_sentence_with_its_source(
    provider: BenchmarksProvider, idea: IdeaFacts
) -> None:
    """At most three for a claim and about a dozen in all, each with a source, a number and a reason."""
    total = 0
    for kind in KINDS:
        found = await provider.search(query(kind, idea=idea))
        assert len(found) <= PER_CLAIM
        total += len(found)
        for source in found:
            start, end = source.spans[0]
            assert source.figure is not None
            assert source.figure.metric
            assert source.url.startswith(("https://", "http://"))
            assert source.title in source.text
            assert str(source.figure.year or "")[-4:] in source.text[start:end]
            assert "not fetched" in source.why
    assert 4 <= total <= 12


async def test_the_segment_comes_before_everybody(provider: BenchmarksProvider) -> None:
    """A figure of the idea's own segment is taken, compared with all industries, and fits better."""
    own, *_ = await provider.search(query(PB.CLAIM_KIND_AUDIENCE, idea=CLINICS))
    other, *_ = await provider.search(query(PB.CLAIM_KIND_AUDIENCE, idea=IdeaFacts("x")))
    assert own.figure is not None
    assert own.figure.segment == "Physicians & surgeons"
    assert own.baseline is not None
    assert own.baseline.segment == "all industries"
    assert other.baseline is None
    assert (own.fit or 0) > (other.fit or 0)


async def test_business_and_consumer_ideas_get_different_figures(provider: BenchmarksProvider) -> None:
    """Who sells to clinics hears how long clinics live; who sells to households hears of cheap subscriptions."""
    b2b = {f.figure.metric for f in await provider.search(query(PB.CLAIM_KIND_AUDIENCE, idea=CLINICS)) if f.figure}
    b2c = {
        f.figure.metric
        for f in await provider.search(query(PB.CLAIM_KIND_WILLINGNESS_TO_PAY, idea=HOUSEHOLDS))
        if f.figure
    }
    assert "business_survival.year_5" in b2b
    assert "saas.customer_churn.monthly.median" in b2c


async def test_base_rates_have_no_direction(provider: BenchmarksProvider) -> None:
    """What holds for every startup speaks neither for nor against this one."""
    for kind in (PB.CLAIM_KIND_PROBLEM, PB.CLAIM_KIND_COMPETITION, PB.CLAIM_KIND_MARKET_SIZE, PB.CLAIM_KIND_TIMING):
        for source in await provider.search(query(kind, idea=CLINICS)):
            assert source.baseline is None or source.more_is_better is None


async def test_equal_keys_mean_equal_answers(provider: BenchmarksProvider) -> None:
    """The cache key holds everything that the answer depends on."""
    ideas = [CLINICS, HOUSEHOLDS, IdeaFacts("x"), IdeaFacts("An LLM agent"), IdeaFacts("y", category="fintech")]
    asked = [query(PB.CLAIM_KIND_FEASIBILITY, idea=idea) for idea in ideas]
    answers = [(provider.key(q), tuple(f.text for f in await provider.search(q))) for q in asked]
    for one, other in pairwise(sorted(answers)):
        assert one[0] != other[0] or one[1] == other[1]


def test_the_sectors_have_figures(provider: BenchmarksProvider) -> None:
    """Each sector in the table is in the starter set."""
    known = set(provider._figures.segments("business_survival.year_5"))
    assert set(SECTORS.values()) <= known
