"""What every evidence provider promises, fake and real alike."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from chassis.pool import HttpPool
from chassis.testing import ManualClock
from pipeline.v1 import common_pb2
from services.evidence.domain.model import Found, IdeaFacts, Query
from services.evidence.domain.scoring import verified
from services.evidence.providers.base import Access, Provider
from services.evidence.providers.benchmarks import BenchmarksProvider
from services.evidence.providers.directory import DirectoryProvider
from services.evidence.providers.documents import open_documents
from services.evidence.providers.fake import FakeProvider
from services.evidence.providers.hackernews import HackerNewsProvider
from tests.support.evidence_kit import CLINIC, FOOD, FRAUD, candidate, found, hackernews, hit, page, query

KINDS = [k for k in common_pb2.ClaimKind.values() if k != common_pb2.CLAIM_KIND_UNSPECIFIED]
NAMES = ["fake", "directory", "benchmarks", "documents", "hackernews"]


@pytest.fixture(params=NAMES)
async def provider(request: pytest.FixtureRequest) -> AsyncIterator[Provider]:
    match request.param:
        case "fake":
            yield FakeProvider([found()])
        case "directory":
            yield DirectoryProvider(None)
        case "benchmarks":
            yield BenchmarksProvider()
        case "documents":
            text = b"Households waste food. Clinics lose money to no-shows. Invoices are fraudulent."
            yield await open_documents([common_pb2.Document(name="notes.md", content=text)])
        case "hackernews":
            async with hackernews(lambda request, number: web.json_response(page(hit("1"), hit("2")))) as local:
                pool = HttpPool("hackernews", clock=ManualClock())
                yield HackerNewsProvider(pool, Access(local.url))
                await pool.close()


def queries() -> list[Query]:
    return [query(kind, idea=IdeaFacts(idea)) for kind in KINDS for idea in (FOOD, CLINIC, FRAUD)]


async def answers(provider: Provider) -> list[tuple[Query, list[Found]]]:
    return [(q, list(await provider.search(q))) for q in queries() if provider.covers(q)]


async def test_it_answers_what_it_covers(provider: Provider) -> None:
    """There is something that it covers and finds, within a bound."""
    found = await answers(provider)
    assert any(sources for _, sources in found)
    assert all(len(sources) <= 20 for _, sources in found)


async def test_its_sources_are_named_and_quotable(provider: Provider) -> None:
    """Provider, address, kind and text are there; every span is a place in the text without edges of white space."""
    for _, sources in await answers(provider):
        for source in sources:
            assert source.provider == provider.name
            assert source.url
            assert source.source_type != common_pb2.SOURCE_TYPE_UNSPECIFIED
            assert source.text.strip()
            assert source.fit is None or 0 <= source.fit <= 1
            assert source.published_at is None or source.published_at.tzinfo is not None
            for start, end in source.spans:
                quote = source.text[start:end]
                assert quote
                assert quote == quote.strip()


async def test_a_number_that_it_gives_stands_in_its_quote(provider: Provider) -> None:
    """No figure without the words that carry it."""
    for asked, sources in await answers(provider):
        for source in sources:
            for start, end in source.spans:
                one = candidate(source, asked)
                one.start, one.end = start, end
                assert verified(one)


async def test_equal_keys_get_equal_answers(provider: Provider) -> None:
    """A cache may keep an answer under the provider's own key."""
    seen: dict[str, list[Found]] = {}
    for asked, sources in await answers(provider):
        assert seen.setdefault(provider.key(asked), sources) == sources


async def test_it_says_whether_it_needs_a_network(provider: Provider) -> None:
    """Only the public search does."""
    assert provider.offline == (provider.name != "hackernews")
