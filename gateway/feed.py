"""Events on their way to the store: handed over at once, written in groups, in order."""

from __future__ import annotations

import asyncio

from chassis.streaming import cancel_and_wait
from gateway.runs.leases import Lease
from gateway.runs.progress import RunProgress
from pipeline.v1 import pipeline_pb2

# A phase that talks faster than the disk writes is slowed down here.
PENDING_MAX = 256


class Feed:
    """One phase's events. `close()` returns when all are stored; what the store raised, `add` or `close` raises."""

    def __init__(self, progress: RunProgress, lease: Lease) -> None:
        self._progress = progress
        self._lease = lease
        self._pending: list[tuple[str, pipeline_pb2.RunEvent]] = []
        self._task: asyncio.Task[None] | None = None

    async def add(self, key: str, event: pipeline_pb2.RunEvent) -> None:
        """Hand over one event."""
        self._pending.append((key, event))
        if self._task is None or self._task.done():
            if self._task is not None:
                self._task.result()
            self._task = asyncio.create_task(self._write())
        if len(self._pending) >= PENDING_MAX:
            await self._task

    async def close(self) -> None:
        """Wait until everything is stored."""
        if self._task is not None:
            task, self._task = self._task, None
            await task

    async def abandon(self) -> None:
        """Drop what was not stored yet (the phase ended otherwise)."""
        if self._task is not None:
            await cancel_and_wait([self._task])
            if not self._task.cancelled():
                self._task.exception()

    async def _write(self) -> None:
        while self._pending:
            group, self._pending = self._pending, []
            await self._progress.emit(self._lease, group)
