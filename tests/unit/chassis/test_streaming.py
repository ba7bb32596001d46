"""Work in its own task: order, bounds, errors, and what happens when the reader leaves."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

import pytest

from chassis.deadline import Deadline, current_deadline, set_deadline
from chassis.streaming import Emit, begin_scope, spawn_detached, stream
from chassis.testing import ManualClock, settle
from chassis.usage import current_usage, record_usage
from pipeline.errors import PipelineError

VALUE: ContextVar[str] = ContextVar("value", default="unset")


async def test_items_come_in_order_and_errors_after_them() -> None:
    """Everything emitted before a failure is delivered, then the failure is raised."""

    async def work(emit: Emit[int]) -> None:
        for number in range(3):
            await emit(number)
        raise LookupError("gone")

    got: list[int] = []
    source = stream(work)
    with pytest.raises(LookupError, match="gone"):
        [got.append(item) async for item in source]  # type: ignore[func-returns-value]
    assert got == [0, 1, 2]


async def test_a_slow_reader_slows_the_writer() -> None:
    """The writer is never more than the buffer ahead."""
    written: list[int] = []

    async def work(emit: Emit[int]) -> None:
        for number in range(20):
            await emit(number)
            written.append(number)

    source = stream(work, buffer=3)
    read = 0
    async for _ in source:
        read += 1
        await settle()
        assert len(written) <= read + 3
    assert read == 20


async def test_several_writers_share_one_stream() -> None:
    """Tasks of the work may emit at the same time."""

    async def work(emit: Emit[int]) -> None:
        await asyncio.gather(*(emit(number) for number in range(10)))

    assert sorted([item async for item in stream(work, buffer=2)]) == list(range(10))


async def test_closing_the_stream_cancels_the_work_and_waits_for_its_finally() -> None:
    """When the reader goes away, the work is cancelled once and has ended when aclose returns."""
    log: list[str] = []

    async def work(emit: Emit[int]) -> None:
        try:
            await emit(1)
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            log.append("cancelled")
            raise
        finally:
            await settle()
            log.append("cleaned up")

    source = stream(work)
    assert await anext(source) == 1
    await settle()
    await source.aclose()  # type: ignore[attr-defined]
    assert log == ["cancelled", "cleaned up"]


async def test_the_work_has_one_context_from_beginning_to_end() -> None:
    """Context variables and the usage recorder set in the work last across items and do not leak out."""
    seen: list[tuple[str, int]] = []

    async def work(emit: Emit[int]) -> None:
        VALUE.set("mine")
        with record_usage():
            for number in range(3):
                current_usage().cache_hit()
                await emit(number)
                seen.append((VALUE.get(), current_usage().cache_hits))

    async for _ in stream(work):
        assert VALUE.get() == "unset"
        assert current_usage().cache_hits == 0
    assert seen == [("mine", 1), ("mine", 2), ("mine", 3)]


async def test_a_call_knows_the_tasks_begun_for_it() -> None:
    """The scope of a call holds its running work, and lets go of it when it ends."""

    async def work(emit: Emit[int]) -> None:
        await emit(1)
        await emit(2)

    scope = begin_scope()
    source = stream(work, buffer=1)
    await anext(source)
    assert len(scope) == 1
    assert [item async for item in source] == [2]
    await settle()
    assert not scope


async def test_detached_work_outlives_its_call() -> None:
    """Work that is spawned detached has neither the deadline nor the context of the call."""
    set_deadline(Deadline(1.0, ManualClock()))
    VALUE.set("call")

    async def run() -> tuple[object, str]:
        return current_deadline(), VALUE.get()

    assert await spawn_detached(run()) == (None, "unset")


async def test_a_buffer_of_nothing_is_refused() -> None:
    """A buffer must hold at least one item."""

    async def work(emit: Emit[int]) -> None:
        await emit(1)

    with pytest.raises(ValueError, match="at least 1"):
        await anext(stream(work, buffer=0))


def test_a_deadline_is_a_value_that_shrinks() -> None:
    """The next hop gets the smaller of its own time and what is left less a margin; nothing left is an error."""
    clock = ManualClock()
    deadline = Deadline(2.0, clock)
    assert deadline.shrink(5.0) == pytest.approx(1.8)
    assert deadline.shrink(0.5) == 0.5
    clock.advance(1.75)
    assert deadline.remaining() == pytest.approx(0.25)
    assert deadline.shrink(5.0) == pytest.approx(0.05)
    deadline.check()
    clock.advance(0.1)
    with pytest.raises(PipelineError) as caught:
        deadline.shrink(5.0)
    assert caught.value.reason_name == "DEADLINE_EXCEEDED"
    assert caught.value.metadata == {"left_ms": "150"}
    clock.advance(1)
    assert deadline.remaining() == 0
    with pytest.raises(PipelineError):
        deadline.check()
