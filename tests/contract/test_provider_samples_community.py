"""The community and web search providers on what the real services once answered, served again from loopback."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.replay.api import Answer
from chassis.pool import HttpPool
from chassis.testing import ManualClock
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2
from services.evidence.domain.model import Found, IdeaFacts, Query
from services.evidence.providers.base import Access, Provider
from services.evidence.providers.registry import SOURCES
from tests.support.evidence_kit import query
from tests.support.replay import DEVELOPERS, api_of, replayed

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "api-samples"
NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
LIMITED = errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the recorded answers are not at hand")


def recorded(name: str, file: str, status: int = 200) -> Answer:
    """A recorded body with the headers that belong to it, where they were kept."""
    path = SAMPLES / name / file
    if not path.is_file():
        pytest.skip(f"{name}/{file} is not at hand")
    headers = {"Content-Type": "text/plain" if path.suffix == ".txt" else "application/json"}
    meta = path.with_suffix(".meta.json")
    if meta.is_file():
        about = json.loads(meta.read_text("utf-8"))
        kept = ("x-ratelimit-", "retry-after", "date", "link")
        headers |= {
            field: value
            for field, value in about["headers"].items()
            # Templates of a test tool are no recorded values.
            if field.startswith(kept) and "{{" not in value
        }
        status = about["status"]
    return Answer(status, path.read_bytes(), headers)


@asynccontextmanager
async def answering(name: str, answer: Answer) -> AsyncIterator[Provider]:
    source = next(source for source in SOURCES if source.name == name)
    clock = ManualClock(NOW)
    async with replayed(api_of(name)) as server:
        server.answer = answer
        pool = HttpPool(name, clock=clock)
        try:
            yield source.make(pool, Access(server.url, "k", clock=clock))
        finally:
            await pool.close()


def question(kind: int = common_pb2.CLAIM_KIND_PROBLEM) -> Query:
    idea = IdeaFacts(DEVELOPERS, category="developer-tools")
    return query(kind, terms=("spreadsheet validation", "numpy"), idea=idea)


async def read(name: str, file: str, kind: int = common_pb2.CLAIM_KIND_PROBLEM) -> Sequence[Found]:
    async with answering(name, recorded(name, file)) as provider:
        found = await provider.search(question(kind))
    assert all(f.provider == name and f.text.strip() and f.url.startswith("http") for f in found)
    return found


async def refused(name: str, file: str, status: int, kind: int = common_pb2.CLAIM_KIND_PROBLEM) -> PipelineError:
    async with answering(name, recorded(name, file, status)) as provider:
        with pytest.raises(PipelineError) as failed:
            await provider.search(question(kind))
    return failed.value


def kinds(found: Sequence[Found]) -> list[str]:
    return [common_pb2.SourceType.Name(f.source_type).removeprefix("SOURCE_TYPE_") for f in found]


async def test_a_question_of_stack_overflow() -> None:
    """Title without escapes, votes, link and the day of the question."""
    (found,) = await read("stackexchange", "search_advanced_one_item.json")
    assert found.title == 'What does the "yield" keyword do in Python?'
    assert found.url.startswith("https://stackoverflow.com/questions/231767/")
    assert found.votes == 2_000  # the 13,135 of the record, bounded
    assert found.published_at == datetime(2008, 10, 23, 22, 21, 11, tzinfo=UTC)


async def test_a_question_with_its_author() -> None:
    """CC BY-SA asks for the name of who wrote it."""
    (found,) = await read("stackexchange", "questions_with_owner.json")
    assert (found.author, found.votes) == ("Fabry", 6)
    assert "an answered question" in found.why


async def test_stack_exchange_throttles_for_most_of_a_day() -> None:
    """HTTP 400, and the number of seconds in a sentence."""
    error = await refused("stackexchange", "error_throttle_violation.json", 400)
    assert error.reason == LIMITED
    assert error.metadata["wait_seconds"] == "67194"


@pytest.mark.parametrize(
    ("file", "stars"), [("search_repositories.json", 637), ("search_repositories_text_match.json", 638)]
)
async def test_repositories_of_github(file: str, stars: int) -> None:
    """Names, stars and dates of the record, in its order; a repository without description still says its name."""
    found = await read("github", file, common_pb2.CLAIM_KIND_FEASIBILITY)
    assert [f.title for f in found] == [
        "sigmavirus24/github3.py",
        "kennethreitz-archive/python-github3",
        "ChristopherMacGown/python-github3",
        "thedjpetersen/Py-Github3",
        "hytra/hello-github3",
    ]
    first = found[0]
    assert first.product is not None
    assert (first.product.name, first.product.stars) == ("github3.py", stars)
    assert f"GitHub stars: {stars}." in first.text
    assert first.published_at is not None
    assert first.published_at.year == 2017
    assert found[-1].text.startswith("hytra/hello-github3.\nLast change of the repository: 2013-11-23.")


async def test_repositories_of_a_later_year() -> None:
    """Fields that came later change nothing."""
    found = await read("github", "search_repositories_2022.json", common_pb2.CLAIM_KIND_COMPETITION)
    assert len(found) == 5
    assert {f.author for f in found} == {"hub4j-test-org"}


@pytest.mark.parametrize(
    ("file", "seconds"),
    [
        ("error_429_secondary_limit_retry_after_seconds.json", 8.0),
        ("error_403_secondary_limit_body_marker.json", 60.0),
    ],
)
async def test_secondary_limits_of_github(file: str, seconds: float) -> None:
    """The header where there is one, a minute where only the body speaks."""
    error = await refused("github", file, 0, common_pb2.CLAIM_KIND_FEASIBILITY)
    assert (error.reason, error.retry_after) == (LIMITED, seconds)


async def test_articles_of_gdelt() -> None:
    """Headlines as leads, the day they were seen, the outlet; odd addresses stay as they are."""
    found = await read("gdelt", "artlist.json")
    assert [f.author for f in found] == [
        "bankingnews.gr",
        "mondaq.com",
        "hindustantimes.com",
        "moneycontrol.com",
        "globaltimes.cn",
    ]
    assert set(kinds(found)) == {"NEWS"}
    assert {f.origin for f in found} == {common_pb2.TEXT_ORIGIN_SEARCH_SNIPPET}
    assert found[0].published_at == datetime(2026, 8, 28, 12, 15, tzinfo=UTC)
    assert found[1].url.startswith("https://www.mondaq.com:443/")
    assert found[0].url.endswith("%20title=")


@pytest.mark.parametrize("status", [200, 429])
async def test_the_limit_of_gdelt(status: int) -> None:
    """The same plain text with either status asks for five seconds."""
    error = await refused("gdelt", "error_429.txt", status)
    assert (error.reason, error.retry_after) == (LIMITED, 5.0)


async def test_another_answer_of_pypistats_is_not_taken_for_recent_counts() -> None:
    """A time series has no last month: malformed, never a number."""
    error = await refused("pypistats", "python_major_pip.json", 200, common_pb2.CLAIM_KIND_FEASIBILITY)
    assert error.metadata["cause"] == "malformed"


async def test_results_of_searxng() -> None:
    """Some engines were blocked, the others answered; publishers are told by their addresses."""
    found = await read("searxng", "search_json_2026.json")
    assert kinds(found) == ["COMMUNITY", "COMPANY", "COMPANY", "COMPANY", "COMMUNITY"]
    assert found[1].title == "How to find the best grind size for espresso"
    assert found[2].published_at == datetime(2026, 2, 3, tzinfo=UTC)
    assert "brave, google" in found[0].why


async def test_results_of_brave() -> None:
    """Marks are gone from the excerpts, dates are read, only web results are taken."""
    found = await read("brave", "web_search_laravel.json")
    assert kinds(found) == ["COMPANY", "REFERENCE", "DIRECTORY", "COMPANY", "DIRECTORY"]
    assert found[0].text.startswith("Laravel is ")
    assert found[0].published_at == datetime(2023, 5, 1, 20, 10, 5, tzinfo=UTC)
    assert not any("<strong>" in f.text for f in found)


async def test_a_small_answer_of_brave() -> None:
    """Videos beside it are not web results."""
    (found,) = await read("brave", "web_search_minimal.json")
    assert found.url == "https://en.wikipedia.org/wiki/Blu_Tack"
    assert found.source_type == common_pb2.SOURCE_TYPE_REFERENCE


async def test_results_of_tavily() -> None:
    """Addresses in order, kinds by address, no invented dates."""
    found = await read("tavily", "search_basic.json")
    assert found[1].url == "https://ai.pydantic.dev/"
    assert kinds(found) == ["COMMUNITY", "COMPANY", "COMMUNITY", "COMMUNITY", "COMMUNITY"]
    assert [f.published_at for f in found] == [None] * 5


async def test_papers_through_tavily() -> None:
    """Every address of arXiv is scholarly."""
    assert set(kinds(await read("tavily", "search_include_domains.json"))) == {"SCHOLARLY"}


@pytest.mark.parametrize("file", ["search_num-6.json", "search_num-8.json"])
async def test_results_of_serper(file: str) -> None:
    """A list is answered to a list; dates in words are read."""
    found = await read("serper", file)
    assert kinds(found) == ["DIRECTORY", "SCHOLARLY", "COMMUNITY", "COMPANY", "COMPANY"]
    assert found[0].published_at is None
    assert found[1].published_at == datetime(2023, 8, 1, tzinfo=UTC)


async def test_ages_of_serper() -> None:
    """Ten hours ago is told from the clock; top stories and related searches are not results."""
    found = await read("serper", "search_ai_agent_num6.json")
    assert [f.title for f in found][:2] == [
        "AI Agent • Supercharge Your Workflows with AI",
        "Intelligent agent - Wikipedia",
    ]
    assert len(found) == 5
    assert found[3].published_at == datetime(2026, 9, 1, tzinfo=UTC)
    assert found[3].source_type == common_pb2.SOURCE_TYPE_NEWS
