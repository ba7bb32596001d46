"""One API of the replayed world on loopback, and a provider that is pointed at it.

The server answers after a latency, from the world or with what a test tells it to; it keeps what it was asked.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from aiohttp import web
from pydantic import SecretStr

from bench.replay.api import Answer, Api
from bench.replay.world import World
from chassis.clock import Clock
from chassis.pool import HttpPool, user_agent_for
from chassis.testing import ManualClock
from pipeline.v1 import common_pb2
from services.evidence.config import EvidenceConfig
from services.evidence.domain.model import IdeaFacts, Query
from services.evidence.providers.base import Provider, Source
from tests.support.evidence_kit import CLINIC, DRONE, FOOD, FRAUD, TUTOR, query

# Each answer comes this much later than asked, so that nothing passes by luck of an immediate answer.
LATENCY_SECONDS = 0.005
CONTACT = "founder@example.org"
SECRET = "k-3f9a1c77-not-for-logs"
DEVELOPERS = "A Python and JavaScript library for developers that checks spreadsheet data before it is imported"

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Asked:
    """A request as it arrived. Header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def content(self) -> tuple[str, str, tuple[tuple[str, str], ...], bytes]:
        """What shapes the answer, headers aside."""
        return self.method, self.path, tuple(sorted(self.query.items())), self.body


@dataclass
class ReplayServer:
    """A running API. Set `answer` to make every response the same, or a handler."""

    url: str
    asked: list[Asked] = field(default_factory=list)
    answer: Answer | Handler | None = None
    # Bodies that the world's own routes gave, newest last.
    given: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def replayed(
    api: Api, world: World | None = None, *, latency_seconds: float = LATENCY_SECONDS
) -> AsyncIterator[ReplayServer]:
    """The API on a free port of loopback."""
    server = ReplayServer("")

    @web.middleware
    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.read()
        server.asked.append(Asked(request.method, request.path, dict(request.query), headers, body))
        # The latency of a network: the answer is held back, nothing is waited for.
        await asyncio.sleep(latency_seconds)
        if isinstance(server.answer, Answer):
            return server.answer.response()
        if server.answer is not None:
            return await server.answer(request)
        response = await handler(request)
        if isinstance(response, web.Response) and isinstance(response.body, bytes):
            server.given.append(response.body)
        return response

    app = web.Application(middlewares=[around])
    app.add_routes(api.routes(world or World()))
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield server
    finally:
        await runner.cleanup()


@asynccontextmanager
async def asking(
    source: Source,
    url: str,
    *,
    key: str = "",
    contact: str = CONTACT,
    timeout_seconds: float = 5.0,
    clock: Clock | None = None,
) -> AsyncIterator[Provider]:
    """The provider of a source, with every address of it set to `url`."""
    own = [n for n in EvidenceConfig.model_fields if n.startswith(f"{source.name}_") and n.endswith("_url")]
    settings: dict[str, object] = dict.fromkeys(own, url)
    if takes_key(source.name):
        settings[f"{source.name}_key"] = SecretStr(key)
    access = EvidenceConfig(**settings, contact=contact).access(source.name)  # type: ignore[arg-type]
    pool = HttpPool(
        source.name,
        total_timeout=timeout_seconds,
        user_agent=user_agent_for(contact),
        clock=clock or ManualClock(),
    )
    try:
        yield source.make(pool, access)
    finally:
        await pool.close()


def takes_key(name: str) -> bool:
    """Whether the configuration has a key for this source."""
    return f"{name}_key" in EvidenceConfig.model_fields


def api_of(name: str) -> Api:
    """The replayed API of a source; ModuleNotFoundError says which file is missing."""
    api = importlib.import_module(f"bench.replay.apis.{name}").API
    assert isinstance(api, Api)
    assert api.name == name
    return api


def questions() -> Iterator[Query]:
    """Questions of every kind about ideas of several fields."""
    subjects = (
        (FOOD, ("food waste", "households", "expiry dates")),
        (CLINIC, ("clinic scheduling", "no-shows", "patients")),
        (FRAUD, ("invoice fraud", "finance teams", "payments")),
        (TUTOR, ("online tutoring", "high school students", "tutors")),
        (DRONE, ("crop monitoring", "drones", "irrigation")),
        (DEVELOPERS, ("spreadsheet validation", "python library", "developers")),
    )
    for domain, kind in DOMAINS:
        for idea, terms in subjects:
            facts = IdeaFacts(idea, keywords=terms)
            yield query(kind, claim_id="claim", text=idea, terms=terms, idea=facts, domain=domain)


# Each kind of claim in a domain that asks about it.
DOMAINS = (
    ("customer_pain", common_pb2.CLAIM_KIND_PROBLEM),
    ("customer_pain", common_pb2.CLAIM_KIND_AUDIENCE),
    ("market_research", common_pb2.CLAIM_KIND_MARKET_SIZE),
    ("competition", common_pb2.CLAIM_KIND_COMPETITION),
    ("business_validation", common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY),
    ("technology_trends", common_pb2.CLAIM_KIND_FEASIBILITY),
    ("technology_trends", common_pb2.CLAIM_KIND_TIMING),
)


def covered(provider: Provider) -> list[Query]:
    """The questions that the provider says it can answer."""
    return [asked for asked in questions() if provider.covers(asked)]
