"""The batcher: when items go together, who fails, who is dropped, how it closes."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.batcher import Batcher, BatchQueue
from chassis.testing import ManualClock, settle
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2


class Doubler:
    """Doubles numbers; remembers its batches; can be held back and can choke on a number."""

    def __init__(self, *, held: bool = False, chokes_on: int | None = None) -> None:
        self.batches: list[list[int]] = []
        self.cancelled = 0
        self.go = asyncio.Event()
        self.chokes_on = chokes_on
        if not held:
            self.go.set()

    async def __call__(self, items: Sequence[int]) -> Sequence[int]:
        self.batches.append(list(items))
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.chokes_on in items:
            raise ValueError(f"cannot double {self.chokes_on}")
        return [2 * item for item in items]


async def test_full_batch_goes_at_once() -> None:
    """max_size items go together without waiting, each gets its own result."""
    handle = Doubler()
    batcher = Batcher(handle, max_size=3, max_wait=60, clock=ManualClock())
    assert await asyncio.gather(*(batcher.submit(n) for n in (1, 2, 3))) == [2, 4, 6]
    assert handle.batches == [[1, 2, 3]]


async def test_half_full_batch_goes_after_max_wait() -> None:
    """An item waits for company no longer than max_wait, counted from the oldest."""
    clock, handle = ManualClock(), Doubler()
    batcher = Batcher(handle, max_size=10, max_wait=0.5, clock=clock)
    first = asyncio.create_task(batcher.submit(1))
    await clock.tick(0.4)
    second = asyncio.create_task(batcher.submit(2))
    await clock.tick(0.09)
    assert handle.batches == []
    await clock.tick(0.01)
    assert list(await asyncio.gather(first, second)) == [2, 4]
    assert handle.batches == [[1, 2]]


async def test_no_tasks_while_idle() -> None:
    """Without work there is no task; a later item is served all the same."""
    batcher = Batcher(Doubler(), max_size=1, max_wait=0, clock=ManualClock())
    for number in range(5):
        assert await batcher.submit(number) == 2 * number
        await settle()
        assert len(asyncio.all_tasks()) == 1


async def test_failing_item_fails_alone() -> None:
    """When a batch fails, its items are tried singly and only the culprit gets the error."""
    handle = Doubler(chokes_on=3)
    batcher = Batcher(handle, max_size=4, max_wait=1, clock=ManualClock())
    results = await asyncio.gather(*(batcher.submit(n) for n in (1, 2, 3, 4)), return_exceptions=True)
    assert [r for r in results if not isinstance(r, BaseException)] == [2, 4, 8]
    assert isinstance(results[2], ValueError)
    assert handle.batches == [[1, 2, 3, 4], [1], [2], [3], [4]]


async def test_upstream_that_is_down_is_not_asked_again_for_each_item() -> None:
    """UNAVAILABLE is nobody's fault: all get the error from one call."""
    calls = 0

    async def down(items: Sequence[int]) -> Sequence[int]:
        nonlocal calls
        calls += 1
        raise PipelineError(errors_pb2.ERROR_REASON_UPSTREAM_FAILED, "down")

    batcher = Batcher(down, max_size=4, max_wait=1, clock=ManualClock())
    results = await asyncio.gather(*(batcher.submit(n) for n in range(4)), return_exceptions=True)
    assert all(isinstance(result, PipelineError) for result in results)
    assert calls == 1


async def test_wrong_number_of_results_is_an_error() -> None:
    """A handler that loses an item is found out rather than shifting results."""

    async def loses(items: Sequence[int]) -> Sequence[int]:
        return items[1:]

    batcher = Batcher(loses, max_size=2, max_wait=0, clock=ManualClock())
    results = await asyncio.gather(batcher.submit(1), batcher.submit(2), return_exceptions=True)
    assert [type(result) for result in results] == [ValueError, ValueError]


async def test_cancelled_submitter_is_dropped_from_the_batch() -> None:
    """Who left before the batch began is not in it."""
    clock, handle = ManualClock(), Doubler()
    batcher = Batcher(handle, max_size=10, max_wait=1, clock=clock)
    tasks = [asyncio.create_task(batcher.submit(n)) for n in (1, 2, 3)]
    await settle()
    tasks[1].cancel()
    await clock.tick(1)
    await asyncio.gather(*tasks, return_exceptions=True)
    assert handle.batches == [[1, 3]]
    assert (tasks[0].result(), tasks[1].cancelled(), tasks[2].result()) == (2, True, 6)


@pytest.mark.parametrize("turns", range(10))
async def test_cancelled_at_the_last_moment(turns: int) -> None:
    """An item cancelled before its batch begins is not worked on, however close the two moments are."""
    clock, handle = ManualClock(), Doubler()
    batcher = Batcher(handle, max_size=10, max_wait=1, clock=clock)
    leaving, staying = (asyncio.create_task(batcher.submit(n)) for n in (1, 2))
    await settle()
    clock.advance(1)
    await settle(turns)
    begun = bool(handle.batches)
    leaving.cancel()
    taken = begun or bool(batcher._batches)
    assert await staying == 4
    assert handle.batches == ([[1, 2]] if taken else [[2]])


async def test_batch_that_nobody_waits_for_is_cancelled() -> None:
    """One caller leaving changes nothing; when all have left, the work stops."""
    handle = Doubler(held=True)
    batcher = Batcher(handle, max_size=2, max_wait=1, clock=ManualClock())
    tasks = [asyncio.create_task(batcher.submit(n)) for n in (1, 2)]
    await settle()
    tasks[0].cancel()
    await settle()
    assert handle.cancelled == 0
    tasks[1].cancel()
    await settle()
    assert handle.cancelled == 1
    handle.go.set()
    assert list(await asyncio.gather(batcher.submit(3), batcher.submit(4))) == [6, 8]


async def test_items_gather_while_a_batch_runs() -> None:
    """With concurrency 1 the next batch waits for the first and takes what has gathered."""
    handle = Doubler(held=True)
    batcher = Batcher(handle, max_size=2, max_wait=0, clock=ManualClock())
    tasks = [asyncio.create_task(batcher.submit(n)) for n in range(5)]
    await settle()
    assert handle.batches == [[0, 1]]
    handle.go.set()
    assert await asyncio.gather(*tasks) == [0, 2, 4, 6, 8]
    assert handle.batches == [[0, 1], [2, 3], [4]]


async def test_queue_is_bounded() -> None:
    """A submit above the bound is refused at once with OVERLOADED and a wait."""
    handle = Doubler(held=True)
    batcher = Batcher(handle, max_size=1, max_wait=0, clock=ManualClock(), max_pending=2)
    tasks = [asyncio.create_task(batcher.submit(0))]
    await settle()
    tasks += [asyncio.create_task(batcher.submit(n)) for n in (1, 2)]
    await settle()
    with pytest.raises(PipelineError) as caught:
        await batcher.submit(3)
    assert caught.value.reason == errors_pb2.ERROR_REASON_OVERLOADED
    assert caught.value.retry_after
    handle.go.set()
    assert await asyncio.gather(*tasks) == [0, 2, 4]


async def test_close_drains() -> None:
    """Closing works off what waits without waiting for more, and refuses new items."""
    handle = Doubler()
    batcher = Batcher(handle, max_size=10, max_wait=60, clock=ManualClock())
    tasks = [asyncio.create_task(batcher.submit(n)) for n in (1, 2)]
    await settle()
    await batcher.close()
    assert [task.result() for task in tasks] == [2, 4]
    with pytest.raises(PipelineError) as caught:
        await batcher.submit(3)
    assert caught.value.reason == errors_pb2.ERROR_REASON_DRAINING
    assert "closing" in repr(batcher)


@given(
    items=st.lists(st.integers(0, 20), max_size=30),
    max_size=st.integers(1, 7),
    bad=st.integers(0, 20),
    leave=st.sets(st.integers(0, 29), max_size=5),
)
@settings(max_examples=40, deadline=None)
def test_every_item_gets_its_own_answer(items: list[int], max_size: int, bad: int, leave: set[int]) -> None:
    """Whatever fails or leaves, each caller gets its own result or its own error, and nothing is left over."""

    async def scenario() -> None:
        clock = ManualClock()
        batcher = Batcher(Doubler(chokes_on=bad), max_size=max_size, max_wait=1, clock=clock)
        tasks = [asyncio.create_task(batcher.submit(item)) for item in items]
        await settle(2)
        for number in leave & set(range(len(tasks))):
            tasks[number].cancel()
        await clock.tick(5)
        await batcher.close()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        for number, (item, result) in enumerate(zip(items, results, strict=True)):
            if isinstance(result, asyncio.CancelledError):
                assert number in leave
            elif item == bad:
                assert isinstance(result, ValueError)
            else:
                assert result == 2 * item
        assert batcher.pending == 0
        await settle(2)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(scenario())


def test_queue_decides_without_acting() -> None:
    """The queue alone says what is due when, and keeps the order."""
    queue: BatchQueue[str] = BatchQueue(max_size=2, max_wait=1, max_pending=3)
    assert queue.wait(0) == math.inf
    first = queue.add("a", 10.0)
    assert queue.wait(10.25) == 0.75
    assert queue.wait(99) == 0
    queue.add("b", 10.5)
    assert queue.full
    assert queue.wait(10.5) == 0
    assert queue.add("c", 11) is not None
    assert queue.add("d", 11) is None
    assert first is not None
    assert queue.drop(first)
    assert not queue.drop(first)
    assert [item for _, item in queue.take()] == ["b", "c"]
    with pytest.raises(ValueError, match="max_wait"):
        BatchQueue(1, float("nan"), 1)
    with pytest.raises(ValueError, match="max_size"):
        BatchQueue(0, 1, 1)
