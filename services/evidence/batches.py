"""Scoring in batches: what was found is handed over when enough of it has come together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from chassis.clock import Clock
from services.evidence.domain.model import Candidate


class Batches:
    """Hands finds over in batches: when one is full, when the first in it has waited long enough, at the end."""

    def __init__(
        self,
        handle: Callable[[Sequence[Candidate]], Awaitable[None]],
        size: int,
        max_wait: float,
        clock: Clock,
        slots: asyncio.Semaphore,
    ) -> None:
        self._handle = handle
        self._size = size
        self._max_wait = max_wait
        self._clock = clock
        self._slots = slots
        self._waiting: list[Candidate] = []
        self._timer: asyncio.Task[None] | None = None
        self._group: asyncio.TaskGroup | None = None

    def start(self, group: asyncio.TaskGroup) -> None:
        self._group = group

    def add(self, candidate: Candidate) -> None:
        assert self._group is not None
        self._waiting.append(candidate)
        if len(self._waiting) >= self._size:
            self._flush()
        elif self._timer is None:
            self._timer = self._group.create_task(self._flush_later())

    def close(self) -> None:
        """Hand over what is left."""
        if self._waiting:
            self._flush()

    def _flush(self) -> None:
        assert self._group is not None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch, self._waiting = self._waiting, []
        self._group.create_task(self._run(batch))

    async def _flush_later(self) -> None:
        await self._clock.sleep(self._max_wait)
        self._timer = None
        if self._waiting:
            self._flush()

    async def _run(self, batch: Sequence[Candidate]) -> None:
        async with self._slots:
            await self._handle(batch)
