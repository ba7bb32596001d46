"""A provider of the registry, the replayed API that it asks, and a clock that stands still."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from bench.replay.api import Answer
from chassis.pool import HttpPool
from chassis.testing import ManualClock
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2
from services.evidence.domain.model import IdeaFacts, Query
from services.evidence.providers.base import Access, Provider, Source
from services.evidence.providers.registry import SOURCES
from tests.support.evidence_kit import FOOD, query
from tests.support.replay import DEVELOPERS, ReplayServer, api_of, replayed

SOURCE = {source.name: source for source in SOURCES}
START = datetime(2026, 1, 1, 18, 0, tzinfo=UTC)
FEASIBLE = common_pb2.CLAIM_KIND_FEASIBILITY


def cooking(kind: int = common_pb2.CLAIM_KIND_PROBLEM, **fields: Any) -> Query:
    """A question about an idea for households."""
    return query(kind, idea=IdeaFacts(FOOD, category="food"), **fields)


def coding(*terms: str, idea: str = DEVELOPERS) -> Query:
    """A question about an idea for developers."""
    words = terms or ("spreadsheet validation", "developers")
    return query(FEASIBLE, text="It can be built.", terms=words, idea=IdeaFacts(idea, category="developer-tools"))


@asynccontextmanager
async def asked(
    name: str, answer: Answer | None = None, *, key: str = ""
) -> AsyncIterator[tuple[Provider, ReplayServer, ManualClock]]:
    """The provider, the server that answers it (from the world, or with `answer` always), and its clock."""
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
    """An answer in JSON, or of the bytes as they are; `_` in a header's name stands for `-`."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Answer(status, raw, {"Content-Type": "application/json", **names})


async def refusal(provider: Provider, question: Query) -> PipelineError:
    """The error that the question gets."""
    with pytest.raises(PipelineError) as refused:
        await provider.search(question)
    return refused.value
