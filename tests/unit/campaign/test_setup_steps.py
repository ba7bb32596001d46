"""The rules of a set-up: what a step does next, which error passes, when ads are held."""

from __future__ import annotations

import pytest

from chassis.pool_errors import OfflineError
from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2, errors_pb2
from services.campaign.domain.setup_steps import (
    PAUSE_MAX,
    TRIES_MAX,
    WAIT_MAX,
    Move,
    next_move,
    over_cap,
    pause_after,
    refused,
)

HOUR = 3_600.0
CAP = 100_000_000


def upstream(status: str = "", cause: str = "status", retry_after: float | None = None) -> PipelineError:
    metadata = {"upstream": "x", "cause": cause, **({"status": status} if status else {})}
    return PipelineError(errors_pb2.ERROR_REASON_UPSTREAM_FAILED, "x", metadata=metadata, retry_after=retry_after)


def limited(wait: float) -> PipelineError:
    metadata = {"upstream": "x", "status": "429"}
    return PipelineError(errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED, "x", metadata=metadata, retry_after=wait)


LATE = PipelineError(errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED, "x", metadata={"upstream": "x"})
RESTING = PipelineError(errors_pb2.ERROR_REASON_BREAKER_OPEN, "x", retry_after=5.0)


def test_what_is_done_rests_what_was_sent_is_looked_for_what_was_not_is_sent() -> None:
    """Only a step that never left is sent without looking, whatever its state is called."""
    states = campaign_pb2.SetupStepState
    assert next_move(states.SETUP_STEP_STATE_PLANNED, 0) == Move.SEND
    assert next_move(states.SETUP_STEP_STATE_DONE, 1) == Move.REST
    for state in ("SENT", "FAILED", "UNDONE"):
        assert next_move(states.Value(f"SETUP_STEP_STATE_{state}"), 1) == Move.LOOK


@pytest.mark.parametrize("error", [LATE, RESTING, limited(2), upstream("503"), upstream(cause="disconnected")])
def test_what_may_pass_is_tried_again_within_bounds(error: PipelineError) -> None:
    """Pauses grow to a bound, and the tries end."""
    pauses = [pause_after(error, tries) for tries in range(1, TRIES_MAX + 1)]
    assert pauses[-1] is None
    waits = [pause for pause in pauses if pause is not None]
    assert len(waits) == TRIES_MAX - 1
    assert waits == sorted(waits)
    assert max(waits) <= PAUSE_MAX


@pytest.mark.parametrize("status", ["400", "401", "403", "404", "409", "422"])
def test_a_refusal_ends_the_tries_at_once(status: str) -> None:
    """4xx but 429: the same request would be refused again."""
    assert pause_after(upstream(status), 1) is None
    assert refused(upstream(status))


def test_offline_and_bad_fields_end_the_tries_at_once() -> None:
    """What our own side decides does not pass by waiting."""
    assert pause_after(OfflineError("x"), 1) is None
    assert pause_after(PipelineError.invalid("budget_micros", "is too small"), 1) is None


def test_only_a_sure_no_counts_as_refused() -> None:
    """After a time-out or a 5xx the effect may exist: such a step stays sent."""
    assert not refused(LATE)
    assert not refused(upstream("500"))
    assert not refused(upstream(cause="truncated"))
    assert refused(limited(1))


def test_a_wait_that_is_asked_for_is_kept_up_to_its_bound() -> None:
    """A short one is waited out whole, one that is too long ends the publication instead of being cut."""
    assert pause_after(limited(WAIT_MAX), 1) == WAIT_MAX
    assert pause_after(limited(WAIT_MAX + 1), 1) is None
    assert pause_after(upstream("503", retry_after=20), 1) == 20


def test_ads_are_held_before_the_cap_by_what_is_spent_until_the_next_reading() -> None:
    """Ten days, an hour between readings, three hours of lag, twice the day's share: 3 1/3 of a hundred."""
    held_from = CAP - CAP / 10 * 2 * 4 / 24
    assert not over_cap(int(held_from) - 1, CAP, days=10, until_next_reading=HOUR)
    assert over_cap(int(held_from) + 1, CAP, days=10, until_next_reading=HOUR)


def test_the_rarer_the_readings_the_earlier_ads_are_held() -> None:
    """And never before half of the cap, so that a rare reader can still spend."""
    spent = int(CAP * 0.9)
    assert not over_cap(spent, CAP, days=10, until_next_reading=HOUR)
    assert over_cap(spent, CAP, days=10, until_next_reading=24 * HOUR)
    assert not over_cap(CAP // 2 - 1, CAP, days=1, until_next_reading=1_000 * HOUR)
    assert over_cap(CAP // 2, CAP, days=1, until_next_reading=1_000 * HOUR)


def test_without_a_cap_nothing_runs() -> None:
    """A budget of nothing is spent from the start."""
    assert over_cap(0, 0, days=14, until_next_reading=HOUR)


@pytest.mark.parametrize(("days", "interval"), [(1, 600.0), (1, HOUR), (3, 6 * HOUR), (14, 600.0), (14, 24 * HOUR)])
def test_with_the_worst_overspend_and_lag_the_cap_holds(days: int, interval: float) -> None:
    """Simulated minute by minute: figures three hours old, twice the day's share spent all the time."""
    minute = CAP / days * 2 / 1_440
    at = 0
    while not over_cap(int(minute * max(at - 180, 0)), CAP, days=days, until_next_reading=interval):
        at += int(interval / 60)
    assert minute * at <= CAP
    # The next reading later would have been too late: nothing is held without need.
    assert minute * (at + int(interval / 60) + 1) > CAP * 0.9
