"""Every source of the registry against its replayed API: what each promises whatever its upstream does.

A source is found by its name: `bench/replay/apis/<name>.py` has its API. A source without one fails here.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, timedelta
from email.utils import format_datetime
from typing import Any, NamedTuple

import pytest
from aiohttp import web

from bench.replay.api import Answer
from chassis.clock import SystemClock
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2
from services.evidence.domain.model import Found, IdeaFacts, Query
from services.evidence.domain.scoring import verified
from services.evidence.providers.base import Provider, Source
from services.evidence.providers.registry import SOURCES
from tests.support.evidence_kit import candidate
from tests.support.replay import (
    CONTACT,
    SECRET,
    ReplayServer,
    api_of,
    asking,
    covered,
    questions,
    replayed,
    takes_key,
)

# APIs that take their key in the address only; every other one must get it in a header.
KEY_IN_ADDRESS = {"openalex", "stackexchange"}
# What an operator asks for beyond a User-Agent: parameters of every call.
PARAMETERS = {
    "wikipedia": {"maxlag": "5"},
    "wikidata": {"maxlag": "5"},
    "crossref": {"mailto": CONTACT},
    "worldbank": {"format": "json"},
}
MUTATIONS = 60
CALLS_MAX = 3
# GDELT refuses in plain text under HTTP 200, so that whatever is no JSON of its own counts as a refusal.
UNREADABLE = ("malformed", "refused")
ODD_VALUES: list[Any] = [None, 7, -1.5, "x", True, [], {}, [None], {"x": "y"}, "9" * 400]

REFUSALS = [(source, name) for source in SOURCES for name in api_of(source.name).refusals]


class Pair(NamedTuple):
    """A running API and the provider that asks it."""

    source: Source
    server: ReplayServer
    provider: Provider

    @property
    def question(self) -> Query:
        """One that the provider covers."""
        return covered(self.provider)[0]


@pytest.fixture(params=SOURCES, ids=lambda source: source.name)
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[Pair]:
    source: Source = request.param
    async with replayed(api_of(source.name)) as server, asking(source, server.url, key=SECRET) as provider:
        yield Pair(source, server, provider)


async def outcome(pair: Pair, answer: Answer) -> list[Found] | PipelineError:
    """What this answer leads to: finds or a typed error. Anything else fails the test."""
    pair.server.answer = answer
    try:
        return list(await pair.provider.search(pair.question))
    except PipelineError as error:
        return error


async def failure(pair: Pair, answer: Answer) -> PipelineError:
    """The error that this answer leads to."""
    error = await outcome(pair, answer)
    assert isinstance(error, PipelineError), error
    return error


# ------------------------------------------------------------------------------------- answers


async def test_what_it_finds_can_be_quoted_and_opened(pair: Pair) -> None:
    """Each covered question gets finds with a text, a title, a web address, a kind and dates with a zone."""
    found = [found for asked in covered(pair.provider) for found in await pair.provider.search(asked)]
    assert found
    for source in found:
        assert source.provider == pair.source.name == pair.provider.name
        assert source.url.startswith(("https://", "http://"))
        assert " " not in source.url
        assert source.title == source.title.strip() != ""
        assert source.text == source.text.strip() != ""
        assert len(source.text) <= 20_000
        # What kind of page a search engine has found, its address tells only sometimes.
        lead = source.origin == common_pb2.TEXT_ORIGIN_SEARCH_SNIPPET
        assert lead or source.source_type != common_pb2.SOURCE_TYPE_UNSPECIFIED
        assert source.origin != common_pb2.TEXT_ORIGIN_UNSPECIFIED
        assert source.why.endswith(".")
        assert 0 <= source.confidence <= 1
        assert source.fit is None or 0 <= source.fit <= 1
        assert source.votes >= 0
        assert source.published_at is None or source.published_at.tzinfo is not None
        for start, end in source.spans:
            assert source.text[start:end].strip() == source.text[start:end] != ""
        assert lead or verified(candidate(source))


async def test_one_question_costs_few_calls(pair: Pair) -> None:
    """A search is one call; where names must be found before counts, or little was found, it is at most three."""
    await pair.provider.search(pair.question)
    assert 1 <= len(pair.server.asked) <= CALLS_MAX


async def test_the_same_question_gets_the_same_answer(pair: Pair) -> None:
    """Equal keys lead to equal calls and equal finds; another address is another key."""
    seen: dict[str, tuple[Any, Any]] = {}
    for asked in covered(pair.provider):
        pair.server.asked.clear()
        found = list(await pair.provider.search(asked))
        calls = [call.content for call in pair.server.asked]
        assert seen.setdefault(pair.provider.key(asked), (calls, found)) == (calls, found)
    async with asking(pair.source, "http://127.0.0.1:9", key=SECRET) as elsewhere:
        assert elsewhere.key(pair.question) != pair.provider.key(pair.question)


async def test_nothing_found_is_no_error(pair: Pair) -> None:
    """The API's own empty answer is an empty list."""
    pair.server.answer = api_of(pair.source.name).empty
    assert list(await pair.provider.search(pair.question)) == []


async def test_it_is_strict_about_what_it_covers(pair: Pair) -> None:
    """A question without words is covered by nobody."""
    for asked in questions():
        mute = Query(asked.domain, asked.claim_id, asked.kind, "", (), IdeaFacts(""))
        assert not pair.provider.covers(mute)


async def test_its_terms_bound_it(pair: Pair) -> None:
    """Rates, bursts, time-outs and lifetimes are set, and a run never asks for more than a day allows."""
    for terms in filter(None, (pair.source.terms, pair.source.keyed_terms)):
        assert terms.rate > 0
        assert terms.burst >= 1
        assert 1 <= terms.concurrency <= 10
        assert 1 <= terms.calls_per_run <= (terms.calls_per_day or 100)
        assert 0 < terms.timeout_seconds <= 30
        assert terms.ttl_seconds >= 60


# ------------------------------------------------------------------------------------- etiquette


async def test_it_says_who_asks_and_for_what(pair: Pair) -> None:
    """Every call has a User-Agent with the contact, an Accept that names a type, gzip, and what the operator wants."""
    await pair.provider.search(pair.question)
    for call in pair.server.asked:
        assert call.headers["user-agent"].startswith("startup-idea-pipeline/")
        assert CONTACT in call.headers["user-agent"]
        assert call.headers["accept"] not in ("", "*/*")
        assert "gzip" in call.headers["accept-encoding"]
        assert "cookie" not in call.headers
        for name, value in PARAMETERS.get(pair.source.name, {}).items():
            assert call.query[name] == value


async def test_the_key_arrives_and_stays_hidden(pair: Pair) -> None:
    """A key goes out in a header (in the address only where the API knows no other way), and shows up nowhere else."""
    await pair.provider.search(pair.question)
    for call in pair.server.asked:
        in_headers = any(SECRET in value for value in call.headers.values())
        in_address = any(SECRET in value for value in call.query.values())
        if takes_key(pair.source.name):
            assert in_headers or (in_address and pair.source.name in KEY_IN_ADDRESS)
        else:
            assert not in_headers
        assert not in_address or pair.source.name in KEY_IN_ADDRESS
    assert SECRET not in repr(pair.provider)
    assert all(SECRET not in pair.provider.key(asked) for asked in covered(pair.provider))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
async def test_no_error_tells_the_key(pair: Pair, status: int) -> None:
    """Not even where the upstream repeats it."""
    echo = json.dumps({"error": f"bad key {SECRET}", "message": SECRET, "code": SECRET}).encode()
    error = await outcome(pair, Answer(status, echo, {"Content-Type": "application/json"}))
    shown = f"{error!r} {error}"
    if isinstance(error, PipelineError):
        shown += f"{error.metadata} {error.to_json()} {error.__cause__!r} {error.__cause__}"
    assert SECRET not in shown


# ------------------------------------------------------------------------------------- throttles


@pytest.mark.parametrize(("retry_after", "seconds"), [("7", 7.0), ("86400", 300.0), ("1e999", 300.0), ("-5", 0.0)])
async def test_a_429_names_the_wait(pair: Pair, retry_after: str, seconds: float) -> None:
    """In seconds, within bounds where absurd."""
    error = await failure(pair, Answer(429, b"{}", {"Content-Type": "application/json", "Retry-After": retry_after}))
    assert error.reason_name == "UPSTREAM_RATE_LIMITED"
    assert error.metadata["upstream"] == pair.source.name
    assert error.retry_after == pytest.approx(seconds)


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "soon"}, {"Retry-After": "nan"}])
async def test_a_429_without_a_usable_wait_still_names_one(pair: Pair, headers: dict[str, str]) -> None:
    """What the operator documents, else the pool's default; never none and never for ever."""
    error = await failure(pair, Answer(429, b"{}", {"Content-Type": "application/json", **headers}))
    assert error.reason_name == "UPSTREAM_RATE_LIMITED"
    assert error.retry_after is not None
    assert 1.0 <= error.retry_after <= 300.0


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
async def test_a_429_may_name_a_date(source: Source) -> None:
    """An HTTP date counts from now."""
    clock = SystemClock()
    async with (
        replayed(api_of(source.name)) as server,
        asking(source, server.url, key=SECRET, clock=clock) as provider,
    ):
        date = format_datetime((clock.now() + timedelta(seconds=40)).astimezone(UTC), usegmt=True)
        throttle = Answer(429, b"{}", {"Content-Type": "application/json", "Retry-After": date})
        error = await failure(Pair(source, server, provider), throttle)
    assert error.reason_name == "UPSTREAM_RATE_LIMITED"
    # Dates of HTTP have whole seconds.
    assert error.retry_after == pytest.approx(40.0, abs=3.0)


@pytest.mark.parametrize("status", [500, 503])
async def test_a_failing_server_is_named_with_its_status(pair: Pair, status: int) -> None:
    """UPSTREAM_FAILED with the status, and the wait where one is named."""
    error = await failure(pair, Answer(status, b"<html>oops</html>", {"Retry-After": "9"}))
    assert error.reason_name == "UPSTREAM_FAILED"
    assert error.metadata["upstream"] == pair.source.name
    assert error.metadata["status"] == str(status)
    assert error.retry_after == pytest.approx(9.0)


@pytest.mark.parametrize(("source", "name"), REFUSALS, ids=[f"{s.name}-{n}" for s, n in REFUSALS])
async def test_each_refusal_of_its_own_is_understood(source: Source, name: str) -> None:
    """Those with HTTP 200 among them: the stated reason, and the wait that it asks for."""
    api = api_of(source.name)
    refusal = api.refusals[name]
    async with replayed(api) as server, asking(source, server.url, key=SECRET) as provider:
        error = await failure(Pair(source, server, provider), refusal.answer)
    assert error.reason_name == refusal.reason
    assert error.metadata["upstream"] == source.name
    if refusal.retry_after is not None:
        assert error.retry_after == pytest.approx(refusal.retry_after)
    elif refusal.reason == "UPSTREAM_RATE_LIMITED":
        assert error.retry_after is None or 0 < error.retry_after <= 300.0
    else:
        assert error.retry_after is None
        assert error.metadata["cause"]


# ------------------------------------------------------------------------------------- broken answers


@pytest.mark.parametrize("body", [b"", b'{"broken": ', b"<html><body>It works!</body></html>", b"\xff\xfe\x00garbage"])
async def test_what_is_not_its_format_is_malformed(pair: Pair, body: bytes) -> None:
    """Never taken for an empty answer."""
    error = await failure(pair, Answer(200, body, {"Content-Type": "application/json"}))
    assert error.reason_name == "UPSTREAM_FAILED"
    assert error.metadata["cause"] in UNREADABLE


async def test_a_cut_answer_is_malformed(pair: Pair) -> None:
    """Half a body under a true Content-Length."""
    await pair.provider.search(pair.question)
    whole = pair.server.given[0]
    error = await failure(pair, Answer(200, whole[: len(whole) // 2], {"Content-Type": "application/json"}))
    assert error.reason_name == "UPSTREAM_FAILED"
    assert error.metadata["cause"] == "malformed"


async def test_an_answer_that_breaks_off_is_truncated(pair: Pair) -> None:
    """The connection ends before the announced length."""

    async def break_off(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "5000", "Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(b'{"half": ')
        assert request.transport is not None
        request.transport.close()
        return response

    pair.server.answer = break_off
    with pytest.raises(PipelineError) as caught:
        await pair.provider.search(pair.question)
    assert caught.value.reason_name == "UPSTREAM_FAILED"
    assert caught.value.metadata["cause"] == "truncated"


@pytest.mark.parametrize("body", [b"null", b"[]", b"{}", b"7", b'"text"', b"[null, null]", b'[[], {"a": 1}]'])
async def test_json_of_another_shape_never_escapes_as_a_crash(pair: Pair, body: bytes) -> None:
    """An empty list or UPSTREAM_FAILED, nothing else."""
    result = await outcome(pair, Answer(200, body, {"Content-Type": "application/json"}))
    assert result == [] if isinstance(result, list) else result.metadata["cause"] in UNREADABLE


async def test_a_broken_field_costs_at_most_its_entry(pair: Pair) -> None:
    """Any part of a real answer replaced by one of another type: finds, fewer finds, or a typed error."""
    await pair.provider.search(pair.question)
    for broken in mutations(pair.server.given[-1], random.Random(pair.source.name)):
        result = await outcome(pair, Answer(200, broken, {"Content-Type": "application/json"}))
        if isinstance(result, PipelineError):
            assert result.reason_name in ("UPSTREAM_FAILED", "UPSTREAM_RATE_LIMITED"), broken
        else:
            assert all(source.text.strip() and source.title and source.url for source in result), broken


def mutations(body: bytes, dice: random.Random) -> Iterator[bytes]:
    """JSON with one value replaced by another type; any other format with one line left out."""
    try:
        whole = json.loads(body)
    except ValueError:
        lines = body.splitlines(keepends=True)
        for number in dice.sample(range(len(lines)), min(MUTATIONS, len(lines))):
            yield b"".join(lines[:number] + lines[number + 1 :])
        return
    places = list(paths(whole))
    for place in dice.sample(places, min(MUTATIONS, len(places))):
        for value in dice.sample(ODD_VALUES, 2):
            yield json.dumps(replaced(whole, place, value)).encode()


def paths(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of everything in a JSON value."""
    if here:
        yield here
    if isinstance(value, dict):
        for name, child in value.items():
            yield from paths(child, (*here, name))
    elif isinstance(value, list):
        for number, child in enumerate(value[:3]):
            yield from paths(child, (*here, number))


def replaced(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    """A copy of a JSON value with another value at one place."""
    if not place:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = replaced(copy[place[0]], place[1:], new)
    return copy


# ------------------------------------------------------------------------------------- slowness


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
async def test_a_slow_answer_ends_by_the_timeout(source: Source) -> None:
    """DEADLINE_EXCEEDED, while the server still holds the answer back."""
    released = asyncio.Event()

    async def hold(request: web.Request) -> web.StreamResponse:
        await released.wait()
        return web.Response()

    async with (
        replayed(api_of(source.name)) as server,
        asking(source, server.url, key=SECRET, timeout_seconds=0.2) as provider,
    ):
        server.answer = hold
        with pytest.raises(PipelineError) as caught:
            await provider.search(covered(provider)[0])
        released.set()
    assert caught.value.reason_name == "DEADLINE_EXCEEDED"
    assert caught.value.metadata["upstream"] == source.name
