"""The rules of a set-up without its requests: what a step does next, which error passes, when ads are held."""

from __future__ import annotations

from enum import Enum

from chassis.resilience import is_retryable
from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2, errors_pb2
from pipeline.v1.campaign_pb2 import SetupStepState

# Tries of one step in one publication; the pauses between them double from the first to the longest (seconds).
TRIES_MAX = 5
PAUSE_FIRST = 1.0
PAUSE_MAX = 8.0
# A wait that a platform names is kept up to here; one that is longer ends the publication, and a later one goes on.
WAIT_MAX = 60.0

# Platforms show spend with a delay of up to three hours (Google Ads, "About your data freshness", says so for clicks
# and cost), and on a good day spend up to twice the day's budget (Google Ads, "About average daily budgets").
LAG_SECONDS = 3 * 3_600.0
DAY_OVERSPEND = 2.0
DAY_SECONDS = 86_400.0
# However seldom spend is read, half of the cap may be spent before ads are held.
HELD_SHARE_MIN = 0.5

# Decided on our side: nothing has left.
_NOT_LEFT = frozenset({errors_pb2.ERROR_REASON_BREAKER_OPEN, errors_pb2.ERROR_REASON_OVERLOADED})


class Move(Enum):
    """What a step does next."""

    # It is there.
    REST = "rest"
    # An earlier try may have made it: the platform is asked.
    LOOK = "look"
    # Nothing was ever sent.
    SEND = "send"


def next_move(state: SetupStepState.ValueType, attempts: int) -> Move:
    """The move of a step found in this state after so many requests."""
    if state == campaign_pb2.SETUP_STEP_STATE_DONE:
        return Move.REST
    return Move.LOOK if attempts > 0 else Move.SEND


def pause_after(error: PipelineError, tries: int) -> float | None:
    """Seconds until the next try after the `tries`th failed (from 1); None: no other try would help."""
    if tries >= TRIES_MAX or not passes(error):
        return None
    asked = error.retry_after
    if asked is not None and asked > WAIT_MAX:
        return None
    return max(min(PAUSE_FIRST * 2.0 ** (tries - 1), PAUSE_MAX), asked or 0.0)


def passes(error: PipelineError) -> bool:
    """Whether the same request may be answered otherwise later: time-outs, 429, 5xx, lost connections."""
    if error.reason in _NOT_LEFT or error.reason == errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED:
        return True
    return is_retryable(error)


def refused(error: PipelineError) -> bool:
    """Whether the platform, or we, said no for sure: the effect did not happen."""
    status = error.metadata.get("status", "")
    return (status.isdigit() and 400 <= int(status) < 500) or not passes(error)


def over_cap(spent_micros: int, cap_micros: int, *, days: int, until_next_reading: float) -> bool:
    """Whether ads are held now, so that what is spent until the next reading stays within the cap.

    Figures of platforms lag: until the next reading is in, money flows for `until_next_reading` seconds and the lag, at
    most at `DAY_OVERSPEND` times the even daily share. Ads are held once the cap minus that much is spent, at the
    earliest at `HELD_SHARE_MIN` of it. What a platform spends beyond is bounded by the budget that it was given as a
    hard limit at set-up, which holds when nobody reads. A cap of 0 holds everything.
    """
    if cap_micros <= 0:
        return True
    daily = cap_micros / max(days, 1) * DAY_OVERSPEND
    expected = daily * (max(until_next_reading, 0.0) + LAG_SECONDS) / DAY_SECONDS
    return spent_micros >= max(cap_micros - expected, cap_micros * HELD_SHARE_MIN)
