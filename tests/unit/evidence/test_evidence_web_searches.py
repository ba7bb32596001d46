"""Web searches that are blocked, used up or keyed, and what their excerpts become."""

from __future__ import annotations

import pytest

from chassis.testing import ManualClock
from pipeline.v1 import errors_pb2
from services.evidence.providers.base import Access
from tests.support.asked_apis import FEASIBLE, SOURCE, asked, body, cooking, refusal
from tests.support.replay import SECRET, api_of

KEYED = ("stackexchange", "github", "brave", "tavily", "serper")

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


def test_an_access_does_not_show_its_key() -> None:
    """It may end up in a log; its clock makes no difference between two of them."""
    assert SECRET not in repr(Access("http://127.0.0.1", SECRET))
    assert Access("http://127.0.0.1", SECRET) == Access("http://127.0.0.1", SECRET, clock=ManualClock())


@pytest.mark.parametrize(
    ("name", "keyed", "calls", "seconds"),
    [
        ("stackexchange", False, 30, 1),
        ("stackexchange", True, 30, 1),
        ("github", False, 10, 60),
        ("github", True, 30, 60),
        ("brave", False, 50, 1),
        ("tavily", False, 100, 60),
        ("serper", False, 50, 1),
    ],
)
def test_no_window_holds_more_calls_than_are_allowed(name: str, keyed: bool, calls: int, seconds: int) -> None:
    """A burst and what comes after it stay within the operator's figure."""
    terms = SOURCE[name].keyed_terms if keyed else SOURCE[name].terms
    assert terms is not None
    assert terms.burst + terms.rate * seconds <= calls


def test_gdelt_is_asked_once_in_five_seconds() -> None:
    """No burst at all, one connection."""
    terms = SOURCE["gdelt"].terms
    assert (1 / terms.rate, terms.burst, terms.concurrency) == (5.0, 1, 1)


@pytest.mark.parametrize("name", ["brave", "tavily", "serper"])
def test_a_paid_search_without_a_key_is_not_set_up(name: str) -> None:
    """The registry says which setting is empty."""
    assert SOURCE[name].lacks(Access("http://127.0.0.1")) == f"PIPELINE_{name.upper()}_KEY is empty"
    assert SOURCE[name].lacks(Access("http://127.0.0.1", "k")) == ""
    assert SOURCE[name].terms.price_micros > 0
