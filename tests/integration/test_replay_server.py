"""The replayed world: what it serves, its weather, and that it can be told to change."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
import pytest
from aiohttp import web

from bench.replay.api import Answer, Api
from bench.replay.faults import KINDS, Faults
from bench.replay.server import LATENCY_BOUNDS_SECONDS, ReplayServer, settings
from bench.replay.world import World
from services.evidence.config import EvidenceConfig

TEXT = "An answer that is long enough to be cut in its middle. " * 4


def _routes(world: World) -> list[web.RouteDef]:
    async def search(request: web.Request) -> web.Response:
        records = world.search(request.query.get("q", ""), "article", 2)
        return web.json_response({"text": TEXT, "urls": [record.url for record in records]})

    return [web.get("/v1/search", search)]


ECHO = Api("echo", _routes, Answer())


@pytest.fixture
async def replay() -> AsyncIterator[ReplayServer]:
    async with ReplayServer(latency=False, replayed=[ECHO]) as server:
        yield server


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as found:
        found._retry_connection = False  # a reset is to be seen, not asked again
        yield found


async def first_page(replay: ReplayServer, session: aiohttp.ClientSession) -> str:
    async with session.get(f"{replay.address}/echo/v1/search?q=food") as reply:
        return str((await reply.json())["urls"][0])


async def test_apis_stand_below_their_names(replay: ReplayServer, session: aiohttp.ClientSession) -> None:
    """An API answers under its own name, and what came is counted by upstream and path."""
    async with session.get(f"{replay.address}/echo/v1/search?q=food") as reply:
        assert (await reply.json())["text"] == TEXT
    async with session.get(f"{replay.address}/_stats") as reply:
        told = await reply.json()
    assert (told["calls"], told["upstreams"]) == (1, {"echo": 1})
    assert told["paths"]["echo"] == {"/echo/v1/search": 1}


async def test_a_record_leads_to_its_page(replay: ReplayServer, session: aiohttp.ClientSession) -> None:
    """The page shows title, author, day and every sentence of the record, with noise around them."""
    url = await first_page(replay, session)
    record = replay.world.record(int(url.rpartition("/")[2]))
    assert record is not None
    async with session.get(url) as reply:
        text = await reply.text()
    assert record.author in text
    assert f'content="{record.published.isoformat()}"' in text
    assert all(part.rstrip(".") in text for part in record.text.split(". "))
    assert "newsletter" in text
    async with session.get(f"{replay.address}/page/1") as reply:
        assert reply.status == 404
    async with session.get(f"{replay.address}/robots.txt") as reply:
        assert "Disallow: /private/" in await reply.text()


async def test_a_page_changes_after_so_many_reads(replay: ReplayServer, session: aiohttp.ClientSession) -> None:
    """The third reader finds another text than the first two; a HEAD is no read."""
    replay.control(pages_change_after=2)
    url = await first_page(replay, session)
    async with session.head(url):
        pass
    texts = []
    for _ in range(3):
        async with session.get(url) as reply:
            texts.append(await reply.text())
    assert texts[0] == texts[1] != texts[2]
    assert "withdrawn" in texts[2]


async def outcome(replay: ReplayServer, session: aiohttp.ClientSession) -> str:
    try:
        async with session.get(f"{replay.address}/echo/v1/search?q=food") as reply:
            if reply.status != 200:
                return f"{reply.status} {reply.headers.get('Retry-After', 'without')}"
            await reply.json()
            return "answered"
    except TimeoutError:
        return "late"
    except aiohttp.ServerDisconnectedError:
        return "cut"
    except aiohttp.ClientPayloadError:
        return "broken off"
    except aiohttp.ClientOSError:
        return "reset"
    except ValueError:
        return "malformed"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("429_seconds", {"429 1"}),
        ("429_absurd", {"429 86400"}),
        ("429_bare", {"429 without"}),
        ("503", {"503 without"}),
        ("reset", {"cut", "reset"}),
        ("hang", {"late"}),
        ("slow", {"late"}),
        ("truncated", {"broken off", "reset"}),
        ("malformed", {"malformed"}),
    ],
)
async def test_each_kind_of_fault_is_what_it_says(
    replay: ReplayServer, session: aiohttp.ClientSession, kind: str, expected: set[str]
) -> None:
    """A client meets exactly the fault that was asked for, and it is counted."""
    replay.control(faults=1.0, kinds=[kind])
    assert await outcome(replay, session) in expected
    assert replay.stats()["faults"] == {"echo": {kind: 1}}


async def test_retry_after_may_be_a_date(replay: ReplayServer, session: aiohttp.ClientSession) -> None:
    """The date form names a moment a little ahead."""
    replay.control(faults=1.0, kinds=["429_date"])
    status, _, date = (await outcome(replay, session)).partition(" ")
    assert status == "429"
    assert 0 <= (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds() <= 2


async def test_the_weather_can_be_changed_while_it_runs(replay: ReplayServer, session: aiohttp.ClientSession) -> None:
    """One upstream can fail alone, counters begin anew, and nonsense is refused with its name."""
    url = f"{replay.address}/_control"
    async with session.post(url, json={"shares": {"echo": 1.0}, "kinds": ["503"]}) as reply:
        assert reply.status == 200
    assert await outcome(replay, session) == "503 without"
    async with session.post(url, json={"shares": {}, "reset": True}) as reply:
        assert reply.status == 200
    assert await outcome(replay, session) == "answered"
    assert replay.stats()["calls"] == 1
    for wrong in ({"weather": 1}, {"faults": 2}, {"kinds": ["flood"]}, [1]):
        async with session.post(url, json=wrong) as reply:
            assert reply.status == 400, wrong
            assert (await reply.json())["error"]


def test_faults_fall_by_their_seed_and_share() -> None:
    """The same seed gives the same weather; about the share fails, in every kind."""
    one, two, other = Faults(7, 0.3), Faults(7, 0.3), Faults(8, 0.3)
    targets = [f"/q/{number % 500}" for number in range(3_000)]
    weather = [[faults.pick("echo", target) for target in targets] for faults in (one, two, other)]
    assert weather[0] == weather[1] != weather[2]
    kinds = Counter(weather[0])
    assert 0.27 < 1 - kinds.pop("") / len(targets) < 0.33
    assert set(kinds) == set(KINDS)
    with pytest.raises(ValueError, match="share"):
        Faults(7, 1.5)
    with pytest.raises(ValueError, match="flood"):
        Faults(7, 0.1, kinds=["flood"])


async def test_answers_take_their_time(session: aiohttp.ClientSession) -> None:
    """With latency, an answer takes as long as one from afar."""
    async with ReplayServer(replayed=[ECHO]) as replay:
        begun = time.perf_counter()
        assert await outcome(replay, session) == "answered"
        assert time.perf_counter() - begun >= LATENCY_BOUNDS_SECONDS[0]


def test_settings_lead_the_providers_there() -> None:
    """The settings are valid for the evidence server and name only what is replayed."""
    found = settings("http://127.0.0.1:9", ["hackernews"])
    config = EvidenceConfig(**found)
    assert config.hackernews_url == "http://127.0.0.1:9/hackernews"
    assert config.asks("hackernews")
    assert not config.asks("wikipedia")
