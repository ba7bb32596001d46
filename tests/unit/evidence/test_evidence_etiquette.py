"""How Stack Exchange, GitHub and GDELT are asked: no sooner than they wish, and in their own syntax."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.replay.apis.gdelt import refused as gdelt_refuses
from pipeline.v1 import common_pb2, errors_pb2
from services.evidence.domain.model import IdeaFacts
from services.evidence.providers.gdelt import news_words
from services.evidence.providers.stackexchange import SITES, site_of
from tests.support.asked_apis import FEASIBLE, asked, body, cooking, refusal
from tests.support.evidence_kit import FOOD, query
from tests.support.replay import api_of

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


def test_what_a_business_buys_is_no_question_of_private_life() -> None:
    """Nobody asks cooks at home about a restaurant's software; the trades have sites of their own."""
    b2b = common_pb2.CUSTOMER_TYPE_B2B
    assert site_of(IdeaFacts("x", category="health", customer_type=b2b)) == ""
    assert site_of(IdeaFacts("x", category="manufacturing", customer_type=b2b)) == "engineering"
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


async def test_a_named_hour_is_kept_whole() -> None:
    """The caller is told five minutes at most; the upstream is left alone for the hour that it asked for."""
    async with asked("github", body({}, 429, Retry_After="3600")) as (provider, server, clock):
        assert (await refusal(provider, cooking(FEASIBLE))).retry_after == 300.0
        clock.advance(3_599)
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
        (("households", "food waste"), '"food waste" households'),
        (("drones",), "drones"),
        (("drone", "drones", "drone fields"), '"drone fields"'),
        (("a very long phrase of many words", "wine"), '"long phrase" wine'),
        (('wine" OR food)',), "wine"),
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


async def test_a_headline_about_limits_is_no_limit() -> None:
    """Only plain text is an error."""
    article = {"url": "https://www.bbc.com/a", "title": "Cities limit requests for tow trucks"}
    async with asked("gdelt", body({"articles": [article]})) as (provider, _, _):
        (found,) = await provider.search(cooking())
    assert found.title == article["title"]


@pytest.mark.parametrize("raw", [b'{"articles": [', b"<html>502</html>", b"[]", b'{"articles": 7}'])
async def test_gdelt_json_that_is_none_is_malformed(raw: bytes) -> None:
    """Half an answer and a page are told from a refusal in words."""
    async with asked("gdelt", body(raw)) as (provider, _, _):
        assert (await refusal(provider, cooking())).metadata["cause"] == "malformed"
