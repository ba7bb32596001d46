"""Who may have a call worked on: the concurrency limit and the account of calls in flight. No I/O."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

# A watcher costs memory but no work, so a server takes this many times `max_in_flight` of them.
WATCHERS_PER_SLOT = 16

# A refused caller should come back about when a slot is likely to be free; calls last from ms to seconds.
OVERLOADED_RETRY_SECONDS = 1.0
# Long enough for a client's resolver to drop this server and find another.
DRAINING_RETRY_SECONDS = 2.0


@dataclass(frozen=True)
class MethodPolicy:
    """How one method is treated.

    `deadline_seconds`: for calls that bring none; "default": the server's, by kind of method; None: no deadline.
    `watcher`: waits rather than works (WatchRun), so it takes no slot of the concurrency limit; see
    WATCHERS_PER_SLOT for what bounds it instead.
    """

    deadline_seconds: float | str | None = "default"
    watcher: bool = False

    def deadline(self, default: float) -> float | None:
        seconds = self.deadline_seconds
        return default if isinstance(seconds, str) else seconds


class Calls:
    """Counts calls in flight and decides whether one more is taken; `idle` is set while there are none."""

    def __init__(self, server: str, limit: int) -> None:
        self.server = server
        self.limit = limit
        self.working = 0
        self.watching = 0
        self.draining = False
        self.idle = asyncio.Event()
        self.idle.set()

    def __repr__(self) -> str:
        state = ", draining" if self.draining else ""
        return f"Calls({self.server}: {self.working}/{self.limit} working, {self.watching} watching{state})"

    def refuse_while_draining(self) -> None:
        """Raises DRAINING when the server stops."""
        if self.draining:
            raise PipelineError(
                errors_pb2.ERROR_REASON_DRAINING,
                f"the {self.server} server is stopping and takes no new work",
                metadata={"server": self.server},
                retry_after=DRAINING_RETRY_SECONDS,
            )

    def admit(self, policy: MethodPolicy) -> None:
        """Takes one call in, to be given back with `finish`; raises DRAINING or OVERLOADED."""
        self.refuse_while_draining()
        taken, limit = self.working, self.limit
        if policy.watcher:
            taken, limit = self.watching, self.limit * WATCHERS_PER_SLOT
        if taken >= limit:
            raise PipelineError(
                errors_pb2.ERROR_REASON_OVERLOADED,
                f"the {self.server} server works on {limit} calls already; try again in a moment",
                metadata={"limit": str(limit), "server": self.server},
                retry_after=OVERLOADED_RETRY_SECONDS,
            )
        if policy.watcher:
            self.watching += 1
        else:
            self.working += 1
        self.idle.clear()

    def finish(self, policy: MethodPolicy) -> None:
        """Gives back what `admit` took."""
        if policy.watcher:
            self.watching -= 1
        else:
            self.working -= 1
        if not self.working and not self.watching:
            self.idle.set()
