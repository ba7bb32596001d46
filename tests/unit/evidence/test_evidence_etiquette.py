"""How the community and web search providers keep their operators' rules, against servers on loopback."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from bench.replay.api import Answer
from bench.replay.apis.gdelt import refused as gdelt_refuses
from chassis.pool import HttpPool
from chassis.testing import ManualClock
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2
from services.evidence.config import EvidenceConfig
from services.evidence.domain.model import IdeaFacts, Query
from services.evidence.providers.base import Access, Provider, Source
from services.evidence.providers.gdelt import news_words
from services.evidence.providers.npm import package_words
from services.evidence.providers.pypistats import packages_of
from services.evidence.providers.registry import SOURCES
from services.evidence.providers.stackexchange import SITES, site_of
from tests.support.evidence_kit import CLINIC, FOOD, query
from tests.support.replay import DEVELOPERS, SECRET, ReplayServer, api_of, replayed

SOURCE = {source.name: source for source in SOURCES}
KEYED = ("stackexchange", "github", "brave", "tavily", "serper")
START = datetime(2026, 1, 1, 18, 0, tzinfo=UTC)
FEASIBLE = common_pb2.CLAIM_KIND_FEASIBILITY


def cooking(kind: int = common_pb2.CLAIM_KIND_PROBLEM, **fields: Any) -> Query:
    return query(kind, idea=IdeaFacts(FOOD, category="food"), **fields)


def coding(*terms: str, idea: str = DEVELOPERS) -> Query:
    words = terms or ("spreadsheet validation", "developers")
    return query(FEASIBLE, text="It can be built.", terms=words, idea=IdeaFacts(idea, category="developer-tools"))


@asynccontextmanager
async def asked(
    name: str, answer: Answer | None = None, *, key: str = ""
) -> AsyncIterator[tuple[Provider, ReplayServer, ManualClock]]:
    """A provider of the registry whose clock stands still, and the server that it asks."""
    source: Source = SOURCE[name]
    clock = ManualClock(START)
    async with replayed(api_of(name)) as server:
        server.answer = answer
        pool = HttpPool(name, clock=clock)
        try:
            yield source.make(pool, Access(server.url, key, clock=clock)), server, clock
        finally:
            await pool.close()


def body(content: object, status: int = 200, **headers: str) -> Answer:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Answer(status, raw, {"Content-Type": "application/json", **names})


async def refusal(provider: Provider, question: Query) -> PipelineError:
    with pytest.raises(PipelineError) as refused:
        await provider.search(question)
    return refused.value


# ------------------------------------------------------------------------------------ Stack Exchange


async def test_backoff_is_kept_to_the_second() -> None:
    """The answer that carries it is used; the next call waits until it has passed."""
    page = {"items": [], "has_more": False, "backoff": 12, "quota_max": 300, "quota_remaining": 200}
    async with asked("stackexchange", body(page)) as (provider, server, clock):
        assert list(await provider.search(cooking())) == []
        clock.advance(11.5)
        refused = await refusal(provider, cooking())
        assert refused.reason == errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED
        assert refused.retry_after == pytest.approx(0.5)
        assert len(server.asked) == 1
        clock.advance(0.5)
        await provider.search(cooking())
        assert len(server.asked) == 2


async def test_a_used_up_day_lasts_until_midnight() -> None:
    """With no calls left nothing goes out before the next day in UTC."""
    page = {"items": [], "has_more": False, "quota_max": 300, "quota_remaining": 0}
    async with asked("stackexchange", body(page)) as (provider, server, clock):
        await provider.search(cooking())
        clock.advance(6 * 3600 - 1)
        refused = await refusal(provider, cooking())
        assert "no calls left today" in str(refused)
        clock.advance(1)
        await provider.search(cooking())
        assert len(server.asked) == 2


async def test_a_throttled_address_stays_silent_as_long_as_told() -> None:
    """HTTP 400 with 67,194 seconds: hours later still no call goes out."""
    api = api_of("stackexchange")
    async with asked("stackexchange", api.refusals["throttled"].answer) as (provider, server, clock):
        await refusal(provider, cooking())
        clock.advance(67_000)
        await refusal(provider, cooking())
        assert len(server.asked) == 1


async def test_an_error_with_status_200_is_an_error() -> None:
    """What stands in the body counts."""
    page = {
        "error_id": 502,
        "error_name": "throttle_violation",
        "error_message": "more requests available in 9 seconds",
    }
    async with asked("stackexchange", body(page)) as (provider, _, _):
        assert (await refusal(provider, cooking())).retry_after == 9.0


async def test_a_compressed_question_is_read() -> None:
    """Every answer of Stack Exchange comes as gzip; titles are escaped HTML, bodies are HTML."""
    question = {
        "title": "Why does &quot;best before&quot; differ?",
        "body": "<p>I throw food away.</p><script>x()</script><pre><code>a &lt; b</code></pre>",
        "link": "https://cooking.stackexchange.com/questions/1/why",
        "owner": {"display_name": "Ann &amp; Bob"},
        "creation_date": 1_767_225_600,
        "score": 41,
        "is_answered": True,
    }
    packed = gzip.compress(json.dumps({"items": [question, "broken", {"title": "no link"}]}).encode())
    async with asked("stackexchange", body(packed, Content_Encoding="gzip")) as (provider, server, _):
        (found,) = await provider.search(cooking())
    assert "gzip" in server.asked[0].headers["accept-encoding"]
    assert found.title == 'Why does "best before" differ?'
    assert found.text == 'Why does "best before" differ?\n\nI throw food away.\n\na < b'
    assert (found.author, found.votes) == ("Ann & Bob", 41)
    assert found.published_at == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_question_goes_to_the_site_of_its_people() -> None:
    """By category; ideas without a fitting site are not asked about, ideas for developers are."""
    assert site_of(IdeaFacts(FOOD, category="food")) == "cooking"
    assert site_of(IdeaFacts("x", category="logistics")) == ""
    assert site_of(IdeaFacts("A Python SDK for webhooks", category="logistics")) == "stackoverflow"
    assert all(site.isalnum() for site in SITES.values())


# ------------------------------------------------------------------------------------ GitHub


async def test_the_last_search_of_the_minute_is_followed_by_rest() -> None:
    """`x-ratelimit-remaining: 0` on a good answer: silent until the reset, by the server's own date."""
    page = body(
        {"total_count": 0, "items": []},
        # The server's clock is hours from ours: only the difference counts.
        Date="Thu, 01 Jan 2026 00:00:00 GMT",
        x_ratelimit_remaining="0",
        x_ratelimit_reset="1767225630",
    )
    async with asked("github", page) as (provider, server, clock):
        await provider.search(cooking(FEASIBLE))
        clock.advance(29)
        refused = await refusal(provider, cooking(FEASIBLE))
        assert refused.retry_after == pytest.approx(2.0)
        clock.advance(2)
        await provider.search(cooking(FEASIBLE))
        assert len(server.asked) == 2


async def test_a_secondary_limit_without_a_time_costs_a_minute() -> None:
    """Only the body says what it is; nothing goes out for sixty seconds."""
    api = api_of("github")
    async with asked("github", api.refusals["secondary_in_body_only"].answer) as (provider, server, clock):
        assert (await refusal(provider, cooking(FEASIBLE))).retry_after == 60.0
        clock.advance(59)
        await refusal(provider, cooking(FEASIBLE))
        assert len(server.asked) == 1


async def test_a_forbidden_search_is_not_taken_for_a_limit() -> None:
    """A 403 that speaks of no limit is a failure, without a wait; without a token no setting is blamed."""
    async with asked("github", body({"message": "Forbidden"}, 403)) as (provider, _, _):
        refused = await refusal(provider, cooking(FEASIBLE))
    assert refused.reason == errors_pb2.ERROR_REASON_UPSTREAM_FAILED
    assert refused.metadata["status"] == "403"
    assert "KEY" not in str(refused)


async def test_a_repository_becomes_a_product() -> None:
    """Stars, licence and address stand in the facts; unknown licences are left out, private ones are skipped."""
    row = {
        "full_name": "grocy/grocy",
        "html_url": "https://github.com/grocy/grocy",
        "description": "ERP beyond your fridge",
        "stargazers_count": 9_399,
        "license": {"spdx_id": "NOASSERTION"},
        "topics": ["groceries", 7],
        "pushed_at": "2026-05-01T10:00:00Z",
        "owner": {"login": "grocy"},
        "archived": True,
    }
    async with asked("github", body({"items": [row, {**row, "private": True}, {**row, "html_url": None}]})) as (
        p,
        s,
        _,
    ):
        (found,) = await p.search(cooking(FEASIBLE))
    assert found.product == common_pb2.ProductFact(
        name="grocy", category="groceries", stars=9_399, source_url="https://github.com/grocy/grocy"
    )
    assert found.fit is None
    assert found.text.startswith("grocy/grocy: ERP beyond your fridge\nGitHub stars: 9,399.")
    assert "archived" in found.text
    assert s.asked[0].headers["accept"] == "application/vnd.github+json"
    assert s.asked[0].headers["x-github-api-version"] == "2022-11-28"


# ------------------------------------------------------------------------------------ GDELT


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        (("food waste", "households"), '"food waste" households'),
        (("no-shows", "clinics"), '"no shows" clinics'),
        (("ai", "the app"), ""),
        (("households", "food waste"), "households food"),
        (("drones",), "drones"),
        (("drone", "drones", "drone fields"), "drone fields"),
        (("a very long phrase of many words", "wine"), "long wine"),
        (('wine" OR food)',), '"wine or food"'),
    ],
)
def test_gdelt_is_asked_in_its_own_syntax(terms: tuple[str, ...], words: str) -> None:
    """Phrases in quotes, no hyphens, no short words, no operators of the user's."""
    assert news_words(query(common_pb2.CLAIM_KIND_TIMING, terms=terms, idea=IdeaFacts("x"))) == words


@given(st.lists(st.text(max_size=30), max_size=5))
def test_whatever_the_idea_says_gdelt_takes_the_words(terms: list[str]) -> None:
    """No term makes a query that the syntax check refuses."""
    words = news_words(query(common_pb2.CLAIM_KIND_TIMING, terms=tuple(terms), idea=IdeaFacts("x")))
    assert words == "" or gdelt_refuses(f"{words} sourcelang:english") is None


async def test_gdelt_rests_for_the_spacing_that_it_asks_for() -> None:
    """Plain text with status 200; five seconds later it is asked again."""
    api = api_of("gdelt")
    async with asked("gdelt", api.refusals["limit_with_200"].answer) as (provider, server, clock):
        await refusal(provider, cooking())
        clock.advance(4.9)
        await refusal(provider, cooking())
        assert len(server.asked) == 1
        clock.advance(0.1)
        server.answer = None
        assert await provider.search(cooking())


async def test_json_with_unknown_escapes_is_read() -> None:
    r"""GDELT writes `\'` and raw control characters, which JSON does not know."""
    raw = b'{"articles": [{"url": "https://www.bbc.com/a\\/b", "title": "It\\\'s \\"food\\" \\\\o/\ttime"}]}'
    async with asked("gdelt", body(raw)) as (provider, _, _):
        (found,) = await provider.search(cooking())
    assert found.title == 'It\'s "food" \\o/ time'
    assert found.url == "https://www.bbc.com/a/b"
    assert found.source_type == common_pb2.SOURCE_TYPE_NEWS


@pytest.mark.parametrize("raw", [b'{"articles": [', b"<html>502</html>", b"[]", b'{"articles": 7}'])
async def test_gdelt_json_that_is_none_is_malformed(raw: bytes) -> None:
    """Half an answer and a page are told from a refusal in words."""
    async with asked("gdelt", body(raw)) as (provider, _, _):
        assert (await refusal(provider, cooking())).metadata["cause"] == "malformed"


# ------------------------------------------------------------------------------------ packages


async def test_scoped_packages_stay_out_of_the_bulk() -> None:
    """Plain names are counted in one call; a scoped one has the count that the search gave."""
    async with asked("npm") as (provider, server, _):
        found = await provider.search(coding())
    assert len(server.asked) == 2
    assert "," in server.asked[1].path
    assert "@" not in server.asked[1].path
    assert any(f.title.startswith("@") for f in found)
    for source in found:
        assert source.figure is not None
        assert f"{source.figure.value:,.0f}" in source.text[slice(*source.spans[0])]


async def test_a_package_called_downloads_is_no_count() -> None:
    """A bulk answer with that name is still a bulk answer."""
    search = {"objects": [{"package": {"name": n, "description": "d"}} for n in ("downloads", "other")]}
    counts = {
        n: {"downloads": 5, "start": "2026-05-01", "end": "2026-05-30", "package": n} for n in ("downloads", "other")
    }

    async def answer(request: web.Request) -> web.Response:
        return web.json_response(search if "search" in request.path else counts)

    async with asked("npm") as (provider, server, _):
        server.answer = answer
        found = await provider.search(coding())
    assert [f.figure.segment for f in found if f.figure] == ["downloads", "other"]


async def test_a_package_name_that_is_a_path_is_not_asked_for() -> None:
    """Names from outside never shape another address."""
    names = ("../secret", "@a/../b", "a?b", "a,b", "@x", "", "ok")
    search = {"objects": [{"package": {"name": name, "description": "d"}} for name in names]}

    async def answer(request: web.Request) -> web.Response:
        return web.json_response(search if "search" in request.path else {})

    async with asked("npm") as (provider, server, _):
        server.answer = answer
        found = await provider.search(coding())
    assert [f.title for f in found] == ["ok (npm)"]
    assert [a.path for a in server.asked[1:]] == ["/downloads/point/last-month/ok"]


@given(st.lists(st.text(max_size=80), max_size=5))
def test_whatever_the_idea_says_the_registry_takes_the_words(terms: list[str]) -> None:
    """Nothing, or 2 to 64 characters."""
    words = package_words(coding(*terms, "spreadsheets"))
    assert words == "" or 2 <= len(words) <= 64


async def test_the_search_of_npm_is_at_an_address_of_its_own() -> None:
    """Two hosts, both from the settings; the key names both."""
    async with replayed(api_of("npm")) as counts, replayed(api_of("npm")) as registry:
        access = EvidenceConfig(npm_url=counts.url, npm_registry_url=registry.url).access("npm")
        pool = HttpPool("npm", clock=ManualClock(START))
        provider = SOURCE["npm"].make(pool, access)
        await provider.search(coding())
        await pool.close()
    assert [a.path for a in registry.asked] == ["/-/v1/search"]
    assert [a.path.startswith("/downloads/point/last-month/") for a in counts.asked] == [True]
    assert counts.url in provider.key(coding())
    assert registry.url in provider.key(coding())


def test_only_ideas_for_developers_are_looked_up_in_registries() -> None:
    """A clinic's scheduling tool has no packages; words that every package has are not searched with."""
    assert packages_of(query(FEASIBLE, idea=IdeaFacts(CLINIC))) == ()
    assert package_words(coding("python library", "spreadsheet validation")) == "spreadsheet validation"


@pytest.mark.parametrize(
    ("idea", "packages"),
    [
        ("A debugger for developers who use PyTorch and FastAPI", ("torch", "fastapi")),
        ("After pip install great-tables developers see their data", ("great-tables",)),
        ("A Python SDK that reads every spreadsheet", ("openpyxl", "pandas")),
        ("A code review bot", ("ruff", "pylint")),
        ("A Kotlin SDK for invoices", ()),
    ],
)
def test_packages_are_those_that_the_idea_names(idea: str, packages: tuple[str, ...]) -> None:
    """By name, by an install command, by a job; a word that is merely somebody's package is not one."""
    asked_about = query(FEASIBLE, text="x", terms=("invoice",), idea=IdeaFacts(idea))
    assert packages_of(asked_about) == packages


async def test_an_unknown_package_costs_the_other_nothing() -> None:
    """A 404 is left out, what is known stays."""

    async def answer(request: web.Request) -> web.Response:
        if "openpyxl" in request.path:
            return web.Response(status=404)
        return web.json_response({"data": {"last_month": 1_234_567, "last_week": True}, "package": "pandas"})

    async with asked("pypistats") as (provider, server, _):
        server.answer = answer
        (found,) = await provider.search(coding())
    assert (
        found.text == "Downloads of the Python package pandas from PyPI in the last month, without mirrors: 1,234,567."
    )
    assert found.figure is not None
    assert found.figure.value == 1_234_567


# ------------------------------------------------------------------------------------ web searches


async def test_blocked_engines_are_an_outage_and_some_results_are_not() -> None:
    """No results with silent engines says so; results with a silent engine are results; none at all is an answer."""
    result = {"url": "https://example.org/a", "title": "A", "content": "B"}
    silent = [["google", "CAPTCHA"]]
    async with asked("searxng", body({"results": [], "unresponsive_engines": silent})) as (provider, server, _):
        assert (await refusal(provider, cooking())).metadata["cause"] == "blocked"
        server.answer = body({"results": [result], "unresponsive_engines": silent})
        assert len(await provider.search(cooking())) == 1
        server.answer = body({"results": [], "unresponsive_engines": []})
        assert list(await provider.search(cooking())) == []


async def test_a_used_up_month_is_not_asked_for_again() -> None:
    """Brave lists a second and a month; the one that is closed counts."""
    api = api_of("brave")
    async with asked("brave", api.refusals["this_month_is_full"].answer, key=SECRET) as (provider, server, clock):
        await refusal(provider, cooking())
        clock.advance(1_419_000)
        await refusal(provider, cooking())
        assert len(server.asked) == 1
        clock.advance(704)
        server.answer = None
        assert await provider.search(cooking())


@pytest.mark.parametrize(("name", "reply"), [("tavily", "plan_used_up"), ("serper", "credits_used_up")])
async def test_a_used_up_plan_is_asked_about_once_an_hour(name: str, reply: str) -> None:
    """The message says what is wrong; paid calls that cannot succeed are not made."""
    async with asked(name, api_of(name).refusals[reply].answer, key=SECRET) as (provider, server, clock):
        assert "no credits left" in str(await refusal(provider, cooking()))
        clock.advance(3_599)
        assert "no credits left" in str(await refusal(provider, cooking()))
        assert len(server.asked) == 1
        clock.advance(1)
        server.answer = None
        assert await provider.search(cooking())


async def test_html_of_an_excerpt_is_read_and_plain_text_is_left_alone() -> None:
    """Brave marks words with tags; Tavily's `List<String>` is text."""
    row = {"title": "R&amp;D", "url": "https://example.org/a", "description": "<strong>Waste</strong> &lt;10 %"}
    async with asked("brave", body({"type": "search", "web": {"results": [row]}}), key=SECRET) as (provider, _, _):
        (found,) = await provider.search(cooking())
        assert (found.title, found.text) == ("R&D", "Waste <10 %")
    row = {"title": "Java", "url": "https://example.org/a", "content": "a List<String> of &amp;"}
    async with asked("tavily", body({"results": [row]}), key=SECRET) as (provider, _, _):
        (found,) = await provider.search(cooking())
        assert found.text == "a List<String> of &amp;"


# ------------------------------------------------------------------------------------ keys


@pytest.mark.parametrize("name", KEYED)
async def test_a_key_is_shown_to_its_upstream_alone(name: str) -> None:
    """In a header (Stack Exchange: a parameter), never in an address, an error, a cache key or a repr."""
    api = api_of(name)
    question = cooking(FEASIBLE)
    async with asked(name, key=SECRET) as (provider, server, _):
        await provider.search(question)
        (arrived,) = server.asked
        assert SECRET in (arrived.query.get("key", "") if name == "stackexchange" else str(arrived.headers))
        assert name == "stackexchange" or SECRET not in f"{arrived.path}{arrived.query}{arrived.body!r}"
        assert SECRET not in provider.key(question) + repr(provider)
    for refused in api.refusals.values():
        async with asked(name, refused.answer, key=SECRET) as (provider, _, _):
            error = await refusal(provider, question)
            assert SECRET not in f"{error!r}{error}{dict(error.metadata)}{error.__cause__!r}"


@pytest.mark.parametrize(
    ("name", "reply"),
    [
        ("stackexchange", "bad_key"),
        ("github", "bad_token"),
        ("brave", "bad_key"),
        ("tavily", "bad_key"),
        ("serper", "bad_key"),
    ],
)
async def test_a_key_that_is_not_taken_names_its_setting(name: str, reply: str) -> None:
    """What to mend, and the status that said so."""
    async with asked(name, api_of(name).refusals[reply].answer, key=SECRET) as (provider, _, _):
        error = await refusal(provider, cooking(FEASIBLE))
    assert error.reason == errors_pb2.ERROR_REASON_UPSTREAM_FAILED
    assert f"PIPELINE_{name.upper()}_KEY" in str(error)
    assert error.metadata["status"] in ("400", "401", "403", "422")


@pytest.mark.parametrize("name", ["brave", "tavily", "serper"])
def test_a_paid_search_without_a_key_is_not_set_up(name: str) -> None:
    """The registry says which setting is empty."""
    assert SOURCE[name].lacks(Access("http://127.0.0.1")) == f"PIPELINE_{name.upper()}_KEY is empty"
    assert SOURCE[name].lacks(Access("http://127.0.0.1", "k")) == ""
    assert SOURCE[name].terms.price_micros > 0
