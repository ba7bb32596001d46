"""Web results as leads: their words, addresses and dates, and what the shared reading of answers does with odd ones."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.testing import ManualClock
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2
from services.evidence.domain.model import IdeaFacts
from services.evidence.domain.technical import is_software, is_technical
from services.evidence.providers import leads, questions, reading, refusals
from tests.support.evidence_kit import CLINIC, FOOD, FRAUD, NOW, query


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("Jun 1, 2023", "2023-06-01"),
        ("14 August 2023", "2023-08-14"),
        ("10 hours ago", "2026-11-22"),
        ("2 days ago", "2026-11-21"),
        ("2023-05-01T20:10:05", "2023-05-01"),
        ("2026-02-03 00:00:00", "2026-02-03"),
        ("2026-02-03T23:30:00-05:00", "2026-02-04"),
        ("Mon, 02 Feb 2026 10:00:00 GMT", "2026-02-02"),
    ],
)
def test_every_form_of_date_is_read(said: str, day: str) -> None:
    """What Serper, Brave, SearXNG and Tavily write."""
    moment = leads.moment(said, NOW)
    assert moment is not None
    assert moment.tzinfo is not None
    assert f"{moment:%Y-%m-%d}" == day


@pytest.mark.parametrize("said", [None, 7, "", "soon", "Feb 31, 2023", "2023-13-01", "9" * 100, "999 hours", "0 ago"])
def test_what_is_no_date_is_unknown(said: object) -> None:
    """A date is never guessed."""
    assert leads.moment(said, NOW) is None


@given(st.text(max_size=70))
def test_no_text_breaks_the_reading_of_dates(said: str) -> None:
    """Whatever an engine writes, there is a moment or there is none."""
    moment = leads.moment(said, NOW)
    assert moment is None or moment.tzinfo is not None


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "ftp://example.org/a",
        "https://user:secret@example.org/",
        "https:///path",
        "http://[::1",
        "https://example.org/a b",
        "https://example.org/\u202eevil",
        "https://example.org:99999/",
        "https://example.org/" + "a" * 3_000,
        None,
        7,
    ],
)
def test_an_address_that_cannot_be_visited_is_no_lead(url: object) -> None:
    """Only plain web addresses without credentials are followed."""
    assert leads.lead("x", "X", url=url, title="t", snippet="s", place=1) is None


def test_a_lead_is_marked_as_an_excerpt() -> None:
    """Its text is the engine's; it has no verified quote before its page is read."""
    lead = leads.lead("x", "X", url="https://www.reuters.com/a", title=" A\u200b title ", snippet="", place=3)
    assert lead is not None
    assert (lead.title, lead.text) == ("A title", "A title")
    assert lead.origin == common_pb2.TEXT_ORIGIN_SEARCH_SNIPPET
    assert lead.source_type == common_pb2.SOURCE_TYPE_NEWS
    assert "Result 3 of X" in lead.why


def test_a_search_says_what_kind_of_page_it_wants() -> None:
    """The claim's words and a hint; nothing is asked without a word that says something."""
    asked = query(common_pb2.CLAIM_KIND_MARKET_SIZE, terms=("food waste", "households"))
    assert leads.web_words(asked) == "food waste households market size"
    assert leads.web_words(query(terms=("the app",), idea=IdeaFacts("x"))) == ""


def test_a_token_is_no_word() -> None:
    """A key pasted into an idea does not travel to a search engine."""
    assert questions.whole_words(query(terms=("A" * 60, "clinic")), 5) == ["clinic"]


def test_technical_ideas_are_told_from_ideas_that_use_technical_words() -> None:
    """A library for developers is; a clinic that has codes, a town's library, a bug in a bed are not."""
    assert is_technical(IdeaFacts("A Python SDK that retries webhooks"))
    assert is_technical(IdeaFacts("Something for teams", category="developer-tools"))
    for text in (FOOD, CLINIC, FRAUD, "A town library app with door codes", "Traps for bed bugs"):
        assert not is_technical(IdeaFacts(text))


def test_a_thing_is_no_software() -> None:
    """Hardware and services of people have no rivals on a code host."""
    assert not is_software(IdeaFacts("A lamp", product_form=common_pb2.PRODUCT_FORM_HARDWARE))
    assert is_software(IdeaFacts("An app", product_form=common_pb2.PRODUCT_FORM_MOBILE_APP))


def test_a_rest_ends_when_its_time_has_passed() -> None:
    """No call before it, one after it; a shorter wish does not cut a longer one."""
    clock = ManualClock()
    rest = refusals.Rest("x", clock)
    rest.check()
    rest.begin(30.0, "has had enough")
    rest.begin(5.0)
    clock.advance(29.0)
    with pytest.raises(PipelineError, match="has had enough") as refused:
        rest.check()
    assert refused.value.reason == errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED
    assert refused.value.retry_after == pytest.approx(1.0)
    clock.advance(1.0)
    rest.check()


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -5.0, 0.0])
def test_an_absurd_wish_is_no_rest(seconds: float) -> None:
    """What is no number of seconds changes nothing."""
    rest = refusals.Rest("x", ManualClock())
    rest.begin(seconds)
    assert rest.seconds == 0.0


def test_a_very_long_wait_is_told_capped_and_in_full() -> None:
    """The caller is asked to wait five minutes at most; the whole wait stands beside it."""
    error = refusals.limited("x", 67_194)
    assert error.retry_after == 300.0
    assert error.metadata["wait_seconds"] == "67194"


def test_moments_without_a_zone_are_utc() -> None:
    """APIs that name no zone mean UTC."""
    assert reading.moment("2026-02-03T04:05:06") == datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert reading.moment("2026-02-03T04:05:06Z") == datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
