"""A deadline as a value that shrinks at every hop.

gRPC carries a client's deadline to the server but Python neither sets one nor passes it on: the server's
interceptor makes one for every call (the caller's, or the server's default) and the client's interceptor lowers
the time-out of calls made while serving, by a margin that leaves time to answer.
"""

from __future__ import annotations

import math
from contextvars import ContextVar
from typing import Protocol

from chassis.clock import Clock
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

# Left for our own answer when a downstream call uses up its time (faults.md: remaining - 200 ms).
MARGIN_SECONDS = 0.2

# gRPC reports "no deadline" as a date far in the future.
_NEVER_SECONDS = 10 * 365 * 86_400.0

_current: ContextVar[Deadline | None] = ContextVar("pipeline_deadline", default=None)


class _HasTimeRemaining(Protocol):
    def time_remaining(self) -> float | None: ...


class Deadline:
    """The moment until which an answer is of use; `remaining()` is infinite where there is none."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self._clock = clock
        self._expires_at = clock.monotonic() + seconds

    def __repr__(self) -> str:
        return f"Deadline({self.remaining():.3f} s left)"

    @classmethod
    def from_context(cls, context: _HasTimeRemaining, clock: Clock, default: float | None) -> Deadline:
        """The caller's deadline; `default` seconds where the caller set none; None: no deadline."""
        left = caller_seconds(context)
        if left is None:
            left = math.inf if default is None else default
        return cls(left, clock)

    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(self._expires_at - self._clock.monotonic(), 0.0)

    def check(self) -> None:
        """Raises DEADLINE_EXCEEDED when no time is left."""
        if self.remaining() <= 0:
            raise exceeded(0.0)

    def shrink(self, own_seconds: float, margin: float = MARGIN_SECONDS) -> float:
        """Seconds for the next hop: `min(own_seconds, remaining - margin)`; DEADLINE_EXCEEDED when that is none."""
        left = self.remaining()
        seconds = min(own_seconds, left - margin)
        if seconds <= 0:
            raise exceeded(left)
        return seconds


def caller_seconds(context: _HasTimeRemaining) -> float | None:
    """Seconds left of the deadline that the caller set, None where it set none."""
    left = context.time_remaining()
    return None if left is None or left > _NEVER_SECONDS else max(left, 0.0)


def exceeded(left: float) -> PipelineError:
    """DEADLINE_EXCEEDED with the seconds that were left."""
    return PipelineError(
        errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED,
        "the time given for this call has run out",
        metadata={"left_ms": str(max(round(left * 1000), 0))},
    )


def current_deadline() -> Deadline | None:
    """The deadline of the call being served, None outside of one."""
    return _current.get()


def set_deadline(deadline: Deadline | None) -> None:
    """Makes `deadline` current for the rest of this task."""
    _current.set(deadline)


# A stage is never given less: what cannot be had within it is not worth asking for.
STAGE_SECONDS_MIN = 0.5


def share_of_time(seconds: float, share: float) -> float:
    """`seconds`, or less where the deadline is nearer: a stage may take this share (0 to 1) of the time that is left.

    So that slow sources cost a run these sources, and not the answer.
    """
    deadline = current_deadline()
    if deadline is None:
        return seconds
    return max(min(seconds, share * deadline.remaining()), STAGE_SECONDS_MIN)
