"""Is there a network at all? Told from what becomes of a run's first attempts.

Without one, every source would fail by itself, each after its retries and its waits for turns. When several have been
tried and none was reached, the run goes on as an offline one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

T = TypeVar("T")

# Sources that could not be reached before any was: one may be down, three of three say that it is us.
UNREACHED_MIN = 3
_CAUSES = frozenset({"connect", "unknown_host"})


class Network:
    """What one run has learnt about the network. `absent` is set once, and stays."""

    def __init__(self) -> None:
        self.absent = asyncio.Event()
        self._reached = False
        self._unreached: set[str] = set()

    def attempted(self, source: str, error: Exception | None) -> None:
        """Take note of an attempt; an answer of any kind, a refusal too, is a network."""
        if not isinstance(error, PipelineError):
            self._reached = self._reached or error is None
            return
        slow = error.reason == errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED
        if slow or error.metadata.get("cause") in _CAUSES:
            self._unreached.add(source)
        elif "offline" not in error.metadata:
            self._reached = True
        if not self._reached and len(self._unreached) >= UNREACHED_MIN:
            self.absent.set()

    async def unless_absent(self, work: Callable[[], Awaitable[T]], source: str) -> T:
        """The result of `work`, given up as soon as it is known that there is no network."""
        task = asyncio.ensure_future(work())
        absence = asyncio.ensure_future(self.absent.wait())
        try:
            await asyncio.wait({task, absence}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise no_network(source)
            return task.result()
        finally:
            absence.cancel()
            if not task.done():
                task.cancel()
                await asyncio.wait({task})

    def __repr__(self) -> str:
        state = "absent" if self.absent.is_set() else "there" if self._reached else "unknown"
        return f"<Network {state} unreached={len(self._unreached)}>"


def no_network(source: str) -> PipelineError:
    """What a source's failure is called where no source can be reached."""
    return PipelineError(
        errors_pb2.ERROR_REASON_UPSTREAM_FAILED,
        f"{source} could not be reached: there seems to be no network",
        metadata={"upstream": source, "cause": "no_network"},
    )
