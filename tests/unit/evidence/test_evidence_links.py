"""Addresses are looked at before they are cited."""

from __future__ import annotations

import asyncio

from chassis.testing import ManualClock, settle
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2
from services.evidence import links
from tests.support.evidence_kit import NOW, candidate, found

PB = common_pb2


class Look:
    """Answers what it was told, and remembers the addresses; an address that is not told is never answered."""

    def __init__(self, **states: int | PipelineError) -> None:
        self._states = {f"https://{name}.example": state for name, state in states.items()}
        self.asked: list[str] = []

    async def __call__(self, url: str) -> common_pb2.LinkStatus.ValueType:
        self.asked.append(url)
        state = self._states.get(url)
        if state is None:
            await asyncio.Event().wait()
        if isinstance(state, PipelineError):
            raise state
        return common_pb2.LinkStatus.ValueType(state or 0)


def at(name: str, origin: int = PB.TEXT_ORIGIN_STARTER_SET) -> links.Candidate:
    """A find at an address."""
    return candidate(found(url=f"https://{name}.example", origin=origin))


async def test_only_addresses_that_nobody_has_just_read_or_listed_are_looked_at() -> None:
    """A page that was read is alive, an API's own address is listed, a document has none."""
    look = Look(a=PB.LINK_STATUS_ALIVE)
    document = candidate(found(url="document:notes.md", origin=PB.TEXT_ORIGIN_USER_DOCUMENT))
    chosen = [at("a"), at("b", PB.TEXT_ORIGIN_FETCHED_PAGE), at("c", PB.TEXT_ORIGIN_API_RECORD), document]
    states = await links.look(chosen, look, ManualClock(NOW), {})
    assert look.asked == ["https://a.example"]
    assert states == {
        "https://a.example": PB.LINK_STATUS_ALIVE,
        "https://b.example": PB.LINK_STATUS_ALIVE,
        "https://c.example": PB.LINK_STATUS_LISTED,
        "document:notes.md": PB.LINK_STATUS_UNSPECIFIED,
    }


async def test_an_address_is_looked_at_once() -> None:
    """Neither twice for two quotes nor again when it is known."""
    look = Look(a=PB.LINK_STATUS_DEAD, b=PB.LINK_STATUS_ALIVE)
    known = {"https://b.example": PB.LINK_STATUS_ALIVE}
    states = await links.look([at("a"), at("a"), at("b")], look, ManualClock(NOW), known)
    assert look.asked == ["https://a.example"]
    assert states["https://a.example"] == PB.LINK_STATUS_DEAD


async def test_what_does_not_answer_in_time_is_unknown_and_not_dead() -> None:
    """Slowness and errors say nothing against a page."""
    clock = ManualClock(NOW)
    error = PipelineError(errors_pb2.ERROR_REASON_UPSTREAM_FAILED, "x answered 503")
    task = asyncio.create_task(links.look([at("slow"), at("broken")], Look(broken=error), clock, {}))
    await settle()
    await clock.tick(links.CHECK_SECONDS + 0.1)
    assert set((await task).values()) == {PB.LINK_STATUS_UNKNOWN}


async def test_offline_nothing_is_looked_at() -> None:
    """The state says so."""
    states = await links.look([at("a")], None, ManualClock(NOW), {})
    assert states == {"https://a.example": PB.LINK_STATUS_UNSPECIFIED}
