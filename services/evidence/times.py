"""Time for each stage of a run: its own bound, or its share of what the caller's deadline leaves."""

from __future__ import annotations

from chassis.deadline import current_deadline

# A stage is never given less: what cannot be had within it is not worth asking for.
SECONDS_MIN = 0.5


def share_of_time(seconds: float, share: float) -> float:
    """Return `seconds`, or less where the deadline is nearer: a stage may take this share of the time that is left.

    So that slow sources cost a run these sources, and not the answer.
    """
    deadline = current_deadline()
    if deadline is None:
        return seconds
    return max(min(seconds, share * deadline.remaining()), SECONDS_MIN)
