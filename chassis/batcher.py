"""Collects single items into batches: at most `max_size` together, none waiting longer than `max_wait`.

`BatchQueue` decides (no I/O, no tasks); `Batcher` acts on what it decides. A failing item fails alone: when a
batch fails, its items are tried singly, unless the failure says that the whole upstream is at fault. A caller who
is cancelled takes its item out of the queue, and a batch that nobody waits for any more is cancelled.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

from chassis.clock import Clock, SystemClock
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

T = TypeVar("T")
R = TypeVar("R")
Handle = Callable[[Sequence[T]], Awaitable[Sequence[R]]]
_Batch = Sequence[tuple["asyncio.Future[R]", T]]

_UPSTREAM_STATUS = frozenset({"UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "CANCELLED"})


def may_blame_item(exc: Exception) -> bool:
    """Whether one item may have failed its whole batch. False for an upstream that is down, busy or late:
    asking it again for each item would multiply the calls just when it can bear them least."""
    return not (isinstance(exc, PipelineError) and exc.status_name in _UPSTREAM_STATUS)


class BatchQueue(Generic[T]):
    """Which items go together and when. Times are `Clock.monotonic` seconds."""

    def __init__(self, max_size: int, max_wait: float, max_pending: int) -> None:
        if max_size < 1 or max_pending < max_size:
            raise ValueError("max_size starts at 1, max_pending at max_size")
        if not (0 <= max_wait < math.inf):
            raise ValueError(f"max_wait is {max_wait}; write seconds from 0")
        self.max_size = max_size
        self.max_wait = max_wait
        self.max_pending = max_pending
        self._pending: OrderedDict[int, tuple[T, float]] = OrderedDict()
        self._next = 0

    def __len__(self) -> int:
        return len(self._pending)

    @property
    def full(self) -> bool:
        """A whole batch is there."""
        return len(self._pending) >= self.max_size

    def add(self, item: T, now: float) -> int | None:
        """The item's number, or None when the queue is at its bound."""
        if len(self._pending) >= self.max_pending:
            return None
        self._next += 1
        self._pending[self._next] = (item, now)
        return self._next

    def drop(self, number: int) -> bool:
        """Takes an item out; False when it has left in a batch already."""
        return self._pending.pop(number, None) is not None

    def wait(self, now: float) -> float:
        """Seconds until the next batch is due: 0 when now, infinity when nothing is there."""
        if not self._pending:
            return math.inf
        if self.full:
            return 0.0
        _, since = next(iter(self._pending.values()))
        return max(0.0, since + self.max_wait - now)

    def take(self) -> list[tuple[int, T]]:
        """The oldest items, at most `max_size`, in the order they came."""
        batch: list[tuple[int, T]] = []
        while self._pending and len(batch) < self.max_size:
            number, (item, _) = self._pending.popitem(last=False)
            batch.append((number, item))
        return batch

    def __repr__(self) -> str:
        return f"<BatchQueue {len(self._pending)}/{self.max_pending} max_size={self.max_size}>"


class Batcher(Generic[T, R]):
    """`await submit(item)` gives the item's own result of `handle(items)`, which keeps their order.

    `concurrency` batches run at a time; meanwhile items gather. Tasks exist only while there is work. For one
    event loop.
    """

    def __init__(
        self,
        handle: Handle[T, R],
        max_size: int = 10,
        max_wait: float = 0.5,
        clock: Clock | None = None,
        *,
        max_pending: int = 1000,
        concurrency: int = 1,
        name: str = "batcher",
        isolate: Callable[[Exception], bool] = may_blame_item,
    ) -> None:
        if concurrency < 1:
            raise ValueError("concurrency starts at 1")
        self.name = name
        self._handle = handle
        self._clock = clock or SystemClock()
        self._queue: BatchQueue[T] = BatchQueue(max_size, max_wait, max(max_pending, max_size))
        self._concurrency = concurrency
        self._isolate = isolate
        self._futures: dict[int, asyncio.Future[R]] = {}
        self._collector: asyncio.Task[None] | None = None
        self._batches: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._closing = False

    @property
    def pending(self) -> int:
        """Items that wait for a batch."""
        return len(self._queue)

    async def submit(self, item: T) -> R:
        """The item's result or its own error. OVERLOADED when the queue is full, DRAINING after `close`."""
        if self._closing:
            raise PipelineError(errors_pb2.ERROR_REASON_DRAINING, f"{self.name} takes no new items", retry_after=1.0)
        number = self._queue.add(item, self._clock.monotonic())
        if number is None:
            raise PipelineError(
                errors_pb2.ERROR_REASON_OVERLOADED,
                f"{self.name} has {self._queue.max_pending} items waiting",
                metadata={"limit": str(self._queue.max_pending), "server": self.name},
                retry_after=max(self._queue.max_wait, 0.1),
            )
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._futures[number] = future
        self._ensure_collector()
        if self._queue.full:
            self._wake.set()
        try:
            return await future
        finally:
            self._futures.pop(number, None)
            self._queue.drop(number)

    async def close(self) -> None:
        """Takes nothing new, works off what waits, returns when all is done."""
        self._closing = True
        self._wake.set()
        while self._collector is not None or self._batches:
            running = {task for task in (self._collector, *self._batches) if task is not None}
            await asyncio.wait(running)

    def __repr__(self) -> str:
        state = " closing" if self._closing else ""
        return f"<Batcher {self.name}{state} waiting={len(self._queue)} running={len(self._batches)}>"

    def _ensure_collector(self) -> None:
        if self._collector is None:
            self._collector = asyncio.create_task(self._collect(), name=f"{self.name}:collect")

    async def _collect(self) -> None:
        """Lives while items wait: starts a batch whenever one is due and a place is free."""
        try:
            while len(self._queue):
                if len(self._batches) >= self._concurrency:
                    await asyncio.wait(self._batches, return_when=asyncio.FIRST_COMPLETED)
                    continue
                wait = 0.0 if self._closing else self._queue.wait(self._clock.monotonic())
                if wait > 0:
                    await self._wait(wait)
                    continue
                taken = [(self._futures[number], item) for number, item in self._queue.take()]
                self._begin([(future, item) for future, item in taken if not future.done()])
        finally:
            self._collector = None  # in the same step as the last look at the queue: no item is overlooked

    def _begin(self, batch: _Batch[R, T]) -> None:
        if not batch:
            return
        task = asyncio.create_task(self._run(batch), name=f"{self.name}:batch")
        self._batches.add(task)
        task.add_done_callback(self._batches.discard)

        def abandon(_: asyncio.Future[R]) -> None:
            if not task.done() and all(future.done() for future, _ in batch):
                task.cancel()  # nobody waits for any of its items

        for future, _ in batch:
            future.add_done_callback(abandon)

    async def _wait(self, seconds: float) -> None:
        """Until the time is up, a batch is full or the batcher closes."""
        self._wake.clear()
        timer = asyncio.ensure_future(self._clock.sleep(seconds))
        woken = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait({timer, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            woken.cancel()
            await asyncio.gather(timer, woken, return_exceptions=True)

    async def _run(self, batch: _Batch[R, T]) -> None:
        futures = [future for future, _ in batch]
        try:
            results = await self._results([item for _, item in batch])
        except asyncio.CancelledError:
            self._fail_cancelled(futures)
            raise
        except Exception as exc:
            if len(batch) == 1 or not self._isolate(exc):
                for future in futures:
                    _fail(future, exc)
                return
        else:
            for future, result in zip(futures, results, strict=True):
                if not future.done():
                    future.set_result(result)
            return
        # One of them may be at fault: each gets its own call and its own error.
        for future, item in batch:
            if not future.done():
                try:
                    await self._run([(future, item)])
                except asyncio.CancelledError:
                    self._fail_cancelled(futures)
                    raise

    def _fail_cancelled(self, futures: Sequence[asyncio.Future[R]]) -> None:
        for future in futures:
            _fail(
                future,
                PipelineError(errors_pb2.ERROR_REASON_CANCELLED, f"a batch of {self.name} was cancelled"),
            )

    async def _results(self, items: Sequence[T]) -> Sequence[R]:
        results = await self._handle(items)
        if len(results) != len(items):
            raise ValueError(f"{self.name} got {len(results)} results for {len(items)} items")
        return results


def _fail(future: asyncio.Future[Any], exc: Exception) -> None:
    if not future.done():
        future.set_exception(exc)
