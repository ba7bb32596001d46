"""Work in a task of its own, its items as an async iterator: what every streaming handler returns.

A generator handler that is abandoned at a `yield` is closed later and from another task: context variables, open
spans and `finally` blocks all suffer. `stream(work)` runs the work in one task, with one context from beginning to
end, and hands its items over through a bounded buffer (a slow reader slows the work down, and nothing piles up).

    def CollectEvidence(self, request, context):
        return stream(lambda emit: self._collect(request, emit))
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextvars import Context, ContextVar
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)

# Tasks begun on behalf of the call being served; the server cancels what is left of them and waits for it.
_scope: ContextVar[set[asyncio.Task[Any]] | None] = ContextVar("pipeline_call_scope", default=None)


class Emit(Protocol[T_contra]):
    """Hands an item to the reader; waits while the buffer is full."""

    def __call__(self, item: T_contra, /) -> Awaitable[None]: ...


class _Buffer(Generic[T]):
    """A bounded buffer between one writer task and one reader."""

    def __init__(self, size: int) -> None:
        self.items: deque[T] = deque()
        self.size = size
        self.readable = asyncio.Event()
        self.writable = asyncio.Event()

    async def put(self, item: T) -> None:
        while len(self.items) >= self.size:
            self.writable.clear()
            await self.writable.wait()
        self.items.append(item)
        self.readable.set()


async def stream(
    work: Callable[[Emit[T]], Awaitable[None]],
    *,
    buffer: int = 64,
    context: Context | None = None,
    on_started: Callable[[asyncio.Task[None]], None] | None = None,
) -> AsyncIterator[T]:
    """Runs `work(emit)` in its own task and yields what it emits.

    The task starts with the first item asked for, in a copy of the reader's context (or in `context`), and is
    cancelled and awaited when the reader goes away. Items emitted before a failure are delivered first; then the
    error of `work` is raised here. At most `buffer` items wait. `on_started` sees the task before it runs.
    """
    if buffer < 1:
        raise ValueError(f"buffer is {buffer}; give at least 1")
    items: _Buffer[T] = _Buffer(buffer)

    async def run() -> None:
        await work(items.put)

    task = asyncio.get_running_loop().create_task(run(), context=context)
    scope = _scope.get()
    if scope is not None:
        scope.add(task)
        task.add_done_callback(scope.discard)
    if on_started is not None:
        on_started(task)
    task.add_done_callback(lambda _: items.readable.set())
    try:
        while True:
            while items.items:
                item = items.items.popleft()
                items.writable.set()
                yield item
            if task.done():
                break
            items.readable.clear()
            await items.readable.wait()
        task.result()
    finally:
        await cancel_and_wait([task])
        if not task.cancelled():
            task.exception()  # retrieved: an error nobody reads any more is not reported as lost


def cancel_once(task: asyncio.Task[Any]) -> None:
    """Cancels `task` unless that was done before: a second cancellation would cut its `finally` blocks short."""
    if not task.cancelling():
        task.cancel()


async def cancel_and_wait(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancels the tasks that still run and returns when all have run their `finally` blocks."""
    pending = [task for task in tasks if not task.done()]
    for task in pending:
        cancel_once(task)
    if pending:
        await asyncio.wait(pending)


def begin_scope() -> set[asyncio.Task[Any]]:
    """Opens a new set of call-bound tasks in the current context (the server does so, once a call)."""
    tasks: set[asyncio.Task[Any]] = set()
    _scope.set(tasks)
    return tasks


def spawn_detached(work: Coroutine[Any, Any, T], *, name: str | None = None) -> asyncio.Task[T]:
    """Starts `work` outside of the current call: without its deadline, span, usage counters and cancellation.

    For what outlives the call that began it (a run started by CreateRun). Keep the task: asyncio holds only a
    weak reference.
    """
    return asyncio.get_running_loop().create_task(work, name=name, context=Context())
