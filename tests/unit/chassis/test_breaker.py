"""The circuit breaker, on a manual clock."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chassis.breaker import BreakerConfig, BreakerState, CircuitBreaker, Permit, Transition, counts_as_failure
from chassis.pool import OfflineError
from chassis.testing import ManualClock, settle
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

CONSECUTIVE = BreakerConfig(mode="consecutive", failure_threshold=3, recovery_timeout=10, jitter=0)
WINDOW = BreakerConfig(jitter=0)


def breaker(config: BreakerConfig = CONSECUTIVE, clock: ManualClock | None = None) -> CircuitBreaker:
    return CircuitBreaker("evidence.hackernews", config, clock or ManualClock(), random.Random(7))


def upstream_failed(**metadata: str) -> PipelineError:
    return PipelineError(errors_pb2.ERROR_REASON_UPSTREAM_FAILED, "no", metadata=metadata)


def trip(subject: CircuitBreaker, failures: int = 3) -> None:
    for _ in range(failures):
        subject.acquire().fail()
    assert subject.state is BreakerState.OPEN


def test_opens_after_failures_in_a_row() -> None:
    """Three failures in a row open it, and callers learn how long to wait."""
    clock = ManualClock()
    subject = breaker(clock=clock)
    subject.acquire().fail()
    subject.acquire().fail()
    subject.acquire().succeed()
    subject.acquire().fail()
    subject.acquire().fail()
    assert (subject.state, subject._failure_count) == (BreakerState.CLOSED, 2)
    subject.acquire().fail()
    assert (subject.state, subject._failure_count, subject.open_count) == (BreakerState.OPEN, 3, 1)
    clock.advance(4)
    with pytest.raises(PipelineError) as caught:
        subject.acquire()
    assert caught.value.reason == errors_pb2.ERROR_REASON_BREAKER_OPEN
    assert caught.value.retry_after == pytest.approx(6)
    assert caught.value.metadata == {"upstream": "evidence.hackernews"}


def test_one_probe_of_500_callers() -> None:
    """When its rest is over, exactly one of 500 callers reaches the upstream; success closes it."""
    clock = ManualClock()
    subject = breaker(clock=clock)
    trip(subject)
    clock.advance(10)
    permits: list[Permit] = []
    refusals: list[PipelineError] = []
    for _ in range(500):
        try:
            permits.append(subject.acquire())
        except PipelineError as error:
            refusals.append(error)
    assert len(permits) == 1
    assert {error.reason for error in refusals} == {errors_pb2.ERROR_REASON_BREAKER_OPEN}
    assert all(error.retry_after for error in refusals)
    assert subject.state is BreakerState.HALF_OPEN
    permits[0].succeed()
    assert (subject.state, subject._failure_count) == (BreakerState.CLOSED, 0)


async def test_one_probe_of_500_tasks() -> None:
    """500 tasks that call at once while half-open make one upstream call."""
    clock = ManualClock()
    subject = breaker(clock=clock)
    trip(subject)
    clock.advance(10)
    answer, calls = asyncio.Event(), 0

    async def upstream() -> str:
        nonlocal calls
        calls += 1
        await answer.wait()
        return "ok"

    tasks = [asyncio.create_task(subject.call(upstream)) for _ in range(500)]
    await settle()
    answer.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert calls == 1
    assert results.count("ok") == 1


async def test_cancelled_probe_returns_its_permit() -> None:
    """A cancelled probe neither closes nor opens the breaker: the next caller may probe."""
    clock = ManualClock()
    subject = breaker(clock=clock)
    trip(subject)
    clock.advance(10)
    task = asyncio.create_task(subject.call(asyncio.Event().wait))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (subject.state, subject.open_count) == (BreakerState.HALF_OPEN, 1)
    assert subject.acquire().probe


def test_failed_probe_doubles_the_rest_up_to_the_limit() -> None:
    """Each failed probe doubles the rest, 300 s at most; a success starts anew."""
    clock = ManualClock()
    subject = breaker(BreakerConfig(mode="consecutive", failure_threshold=1, jitter=0), clock)
    subject.acquire().fail()
    rests = []
    for _ in range(9):
        rests.append(subject.retry_after)
        clock.advance(subject.retry_after)
        subject.acquire().fail()
    assert rests == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    clock.advance(300)
    subject.acquire().succeed()
    subject.acquire().fail()
    assert subject.retry_after == 5


def test_rest_has_jitter_from_the_given_rng() -> None:
    """The rest varies by at most a fifth and is never longer than the limit."""
    rests = set()
    for seed in range(50):
        clock = ManualClock()
        config = BreakerConfig(mode="consecutive", failure_threshold=1, recovery_timeout=280)
        subject = CircuitBreaker("x", config, clock, random.Random(seed))
        subject.acquire().fail()
        rests.add(subject.retry_after)
    assert len(rests) > 20
    assert min(rests) >= 280 * 0.8
    assert max(rests) == 300


def test_window_opens_at_half_failures_of_20_calls() -> None:
    """Half of at least 20 calls within 10 s must fail; 19 failed calls are too few to judge."""
    subject = breaker(WINDOW)
    for _ in range(19):
        subject.acquire().fail()
    assert subject.open_count == 0
    subject.acquire().succeed()
    assert (subject.state, subject._failure_count) == (BreakerState.OPEN, 19)


def test_window_forgets_what_is_older_than_10_seconds() -> None:
    """Failures that have left the window do not count."""
    clock = ManualClock()
    subject = breaker(WINDOW, clock)
    for _ in range(19):
        subject.acquire().fail()
    clock.advance(10)
    subject.acquire().fail()
    assert (subject.state, subject._failure_count) == (BreakerState.CLOSED, 1)


def test_window_opens_at_four_fifths_slow_calls() -> None:
    """Calls that succeed slowly open it as well; duration comes from the clock."""
    clock = ManualClock()
    subject = breaker(BreakerConfig(jitter=0, slow_seconds=0.4), clock)
    for _ in range(4):
        subject.acquire().succeed(0.1)
    opened_after = 0
    while subject.state is not BreakerState.OPEN and opened_after < 99:
        opened_after += 1
        permit = subject.acquire()
        clock.advance(0.5)
        permit.succeed()
    assert opened_after == 16


def test_results_from_before_an_opening_are_ignored() -> None:
    """What was admitted before the opening neither closes a half-open breaker nor counts after closing."""
    clock = ManualClock()
    subject = breaker(clock=clock)
    late = [subject.acquire() for _ in range(5)]
    trip(subject)
    clock.advance(10)
    probe = subject.acquire()
    late[0].succeed()
    assert subject.state is BreakerState.HALF_OPEN
    late[1].fail()
    assert subject.state is BreakerState.HALF_OPEN
    probe.succeed()
    for permit in late[2:]:
        permit.fail()
    assert (subject.state, subject._failure_count) == (BreakerState.CLOSED, 0)


def test_settling_twice_counts_once() -> None:
    """A permit counts once, whatever is called on it later."""
    subject = breaker()
    permit = subject.acquire()
    for _ in range(5):
        permit.fail()
    assert subject._failure_count == 1


def test_permit_as_context_releases() -> None:
    """Leaving the block without settling releases the probe."""
    clock = ManualClock()
    subject = breaker(clock=clock)
    trip(subject)
    clock.advance(10)
    with subject.acquire():
        assert "probe=under way" in repr(subject)
    assert "probe=none" in repr(subject)


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (upstream_failed(status="503"), True),
        (upstream_failed(), True),
        (upstream_failed(status="404"), False),
        (upstream_failed(status="429"), False),
        (PipelineError(errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED, "slow down", retry_after=3), False),
        (PipelineError(errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED, "late"), True),
        (PipelineError(errors_pb2.ERROR_REASON_BREAKER_OPEN, "resting"), False),
        (PipelineError.invalid("query", "is empty"), False),
        (OfflineError("hackernews"), False),
        (asyncio.CancelledError(), False),
        (GeneratorExit(), False),
        (TimeoutError(), True),
        (ConnectionResetError(), True),
        (KeyError("x"), True),
    ],
)
def test_what_counts_as_failure(error: BaseException, counts: bool) -> None:
    """Only answers that say "I am unwell" count: not 4xx, 429, cancellation or our own refusals."""
    assert counts_as_failure(error) is counts


async def test_call_counts_by_predicate() -> None:
    """`call` passes results and errors through and counts only failures."""
    subject = breaker()

    async def bad_request() -> None:
        raise PipelineError.invalid("query", "is empty")

    async def down() -> None:
        raise ConnectionResetError

    for _ in range(5):
        with pytest.raises(PipelineError):
            await subject.call(bad_request)
    assert subject._failure_count == 0
    for _ in range(3):
        with pytest.raises(ConnectionResetError):
            await subject.call(down)
    assert subject.state is BreakerState.OPEN


async def test_open_fails_fast() -> None:
    """An open breaker refuses in well under 10 ms and does not touch the upstream."""
    subject = breaker()
    trip(subject)

    async def upstream() -> None:
        raise AssertionError("reached")

    started = time.perf_counter()
    for _ in range(100):
        with pytest.raises(PipelineError, match="resting"):
            await subject.call(upstream)
    assert (time.perf_counter() - started) / 100 < 0.010


def test_listeners_hear_transitions_and_cannot_break_it() -> None:
    """Listeners get old and new state; one that raises disturbs nothing."""
    clock = ManualClock()
    subject = breaker(clock=clock)
    heard: list[Transition] = []

    def broken(_: Transition) -> None:
        raise RuntimeError("listener")

    subject.add_listener(broken)
    subject.add_listener(heard.append)
    trip(subject)
    clock.advance(10)
    subject.acquire().succeed()
    assert [(t.old.value, t.new.value) for t in heard] == [
        ("closed", "open"),
        ("open", "half_open"),
        ("half_open", "closed"),
    ]
    assert heard[0].rest == 10
    assert heard[-1].at == clock.now() == subject.last_transition_at


def test_repr_tells_an_operator_what_matters() -> None:
    """State, failures, openings and the wait stand in the repr."""
    clock = ManualClock()
    subject = breaker(clock=clock)
    assert repr(subject) == "<CircuitBreaker evidence.hackernews closed failures=0 opened=0>"
    trip(subject)
    clock.advance(2.5)
    assert repr(subject) == "<CircuitBreaker evidence.hackernews open failures=3 opened=1 retry_after=7.5s>"
    assert str(subject.state) == "open"


@pytest.mark.parametrize(
    "change",
    [
        {"mode": "sometimes"},
        {"failure_threshold": 0},
        {"recovery_timeout": 0},
        {"recovery_timeout": float("nan")},
        {"failure_rate": 1.5},
        {"jitter": 1},
    ],
)
def test_config_refuses_nonsense(change: dict[str, Any]) -> None:
    """A value that makes no sense is refused with its name."""
    with pytest.raises(ValueError, match=next(iter(change))):
        BreakerConfig(**change)


class BreakerMachine(RuleBasedStateMachine):
    """Any order of calls, results, cancellations and time."""

    config = CONSECUTIVE

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.subject = CircuitBreaker("x", self.config, self.clock, random.Random(1))
        self.heard: list[Transition] = []
        self.subject.add_listener(self.heard.append)
        self.outstanding: list[Permit] = []

    @rule()
    def acquire(self) -> None:
        may_pass = self.subject.state is BreakerState.CLOSED or (
            self.subject.retry_after == 0 and not any(p.probe for p in self.outstanding)
        )
        if may_pass:
            self.outstanding.append(self.subject.acquire())
            return
        with pytest.raises(PipelineError) as caught:
            self.subject.acquire()
        assert caught.value.retry_after is not None
        assert 0 < caught.value.retry_after <= self.config.max_open_seconds

    @precondition(lambda self: self.outstanding)
    @rule(data=st.data(), how=st.sampled_from(["succeed", "fail", "release"]))
    def settle_one(self, data: st.DataObject, how: str) -> None:
        permit = data.draw(st.sampled_from(self.outstanding))
        before, transitions = self.subject.state, len(self.heard)
        self.outstanding.remove(permit)
        getattr(permit, how)()
        if how == "release":
            assert (self.subject.state, len(self.heard)) == (before, transitions)
        if before is BreakerState.HALF_OPEN and not permit.probe:
            assert self.subject.state is BreakerState.HALF_OPEN

    @rule(seconds=st.sampled_from([0.5, 3.0, 9.0, 60.0, 400.0]))
    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @invariant()
    def at_most_one_probe(self) -> None:
        assert sum(p.probe for p in self.outstanding) <= 1

    @invariant()
    def counts_agree(self) -> None:
        assert self.subject.open_count == sum(t.new is BreakerState.OPEN for t in self.heard)
        assert self.subject._failure_count >= 0
        assert self.subject.retry_after == 0 or self.subject.state is BreakerState.OPEN
        for earlier, later in zip(self.heard, self.heard[1:], strict=False):
            assert earlier.new is later.old


class WindowBreakerMachine(BreakerMachine):
    config = BreakerConfig(minimum_calls=4, slow_seconds=2, jitter=0.2)


_FEW = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestBreakerConsecutive = BreakerMachine.TestCase
TestBreakerConsecutive.settings = _FEW
TestBreakerWindow = WindowBreakerMachine.TestCase
TestBreakerWindow.settings = _FEW


def test_the_story_tells_each_transition_and_its_cause() -> None:
    """Opened, probed in vain, probed well: each step is remembered with its cause and how long it rested."""
    clock = ManualClock()
    subject = breaker(clock=clock)
    trip(subject)
    clock.advance(10)
    subject.acquire().fail()
    clock.advance(20)
    subject.acquire().succeed()
    assert [(t.old.value, t.new.value, t.rest, t.cause) for t in subject.history] == [
        ("closed", "open", 10, "3 failures in a row"),
        ("open", "half_open", 0, "its rest of 10.0 s was over"),
        ("half_open", "open", 20, "the probe failed"),
        ("open", "half_open", 0, "its rest of 20.0 s was over"),
        ("half_open", "closed", 0, "the probe succeeded"),
    ]
    assert subject.history[-1].at == clock.now()


def test_the_story_is_bounded() -> None:
    """However long an upstream flaps, twenty transitions are remembered, the latest ones."""
    clock = ManualClock()
    subject = breaker(BreakerConfig(mode="consecutive", failure_threshold=1, jitter=0), clock)
    for _ in range(50):
        clock.advance(subject.retry_after)
        subject.acquire().fail()
    assert len(subject.history) == 20
    assert subject.history[-1].new is BreakerState.OPEN


@pytest.mark.parametrize(
    ("failures", "seconds", "cause"),
    [(10, 0.1, "10 of 20 calls failed"), (0, 6.0, "20 of 20 calls took over 5 s")],
)
def test_a_window_says_what_filled_it(failures: int, seconds: float, cause: str) -> None:
    """The share that opened the breaker is in the story."""
    subject = breaker(WINDOW)
    for number in range(20):
        permit = subject.acquire()
        permit.fail(seconds) if number % 2 == 0 and number // 2 < failures else permit.succeed(seconds)
    assert subject.history[-1].cause == cause


def test_either_way_of_counting_opens() -> None:
    """Five failures in a row open it before a window is full; half of a full window opens it without five in a row."""
    config = BreakerConfig(mode="either", jitter=0)
    quiet, busy = breaker(config), breaker(config)
    for _ in range(5):
        quiet.acquire().fail()
    for number in range(20):
        permit = busy.acquire()
        permit.fail() if number % 2 else permit.succeed()
    assert quiet.history[-1].cause == "5 failures in a row"
    assert busy.history[-1].cause == "10 of 20 calls failed"


def test_a_check_takes_no_permit() -> None:
    """Asking whether one may call refuses while the breaker rests or is probed, and never takes the probe."""
    clock = ManualClock()
    subject = breaker(clock=clock)
    subject.check()
    trip(subject)
    with pytest.raises(PipelineError):
        subject.check()
    clock.advance(10)
    subject.check()
    permit = subject.acquire()
    assert permit.probe
    with pytest.raises(PipelineError):
        subject.check()
    permit.succeed()
    subject.check()


def test_a_listener_is_told_once() -> None:
    """A listener that is added with each call is told of a transition once."""
    subject, heard = breaker(), []
    for _ in range(3):
        subject.add_listener(heard.append)
    trip(subject)
    assert len(heard) == 1
