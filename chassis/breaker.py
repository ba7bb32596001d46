"""A circuit breaker: stop calling an upstream that keeps failing, ask it again with a single probe.

The state machine does no I/O and takes its clock and its randomness from outside. It is our own because
none of the known libraries admits just one probe while half-open, and a cancelled probe closes theirs.

    closed --failures--> open --time--> half-open --probe succeeds--> closed
                          ^                 |
                          +--probe fails----+   (each time open for twice as long, at most 300 s)

Two ways to count: `consecutive` opens after N failures in a row (the `failure_threshold` and
`recovery_timeout` of the guide); `window` opens when, of at least 20 calls within 10 s, half failed or four
fifths were slow. `either` counts both ways: an upstream that is asked six times a run would never fill a window.

Every breaker remembers its latest transitions with their causes (`history`).
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import TracebackType
from typing import Literal, NamedTuple, Self, TypeVar

from chassis.breaker_window import Window
from chassis.clock import Clock
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

T = TypeVar("T")

_log = logging.getLogger(__name__)

# Of an upstream's answers, those that say "I am not well". Everything else (4xx, 429, cancelled) says nothing
# about its health.
_FAILURE_CODES = frozenset(
    {
        "UNAVAILABLE",
        "DEADLINE_EXCEEDED",
        "INTERNAL",
        "UNKNOWN",
        "DATA_LOSS",
    }
)
# UNAVAILABLE, but decided on our side of the wire.
_OWN_REASONS = frozenset({errors_pb2.ERROR_REASON_BREAKER_OPEN, errors_pb2.ERROR_REASON_DRAINING})

HISTORY_MAX = 20  # transitions remembered: a flapping upstream's last quarter of an hour and more
_PROBE_RETRY_AFTER_S = 1.0  # what callers are told while a probe is under way


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True)
class BreakerConfig:
    """How failures are counted and how long the breaker rests. Times in seconds."""

    mode: Literal["consecutive", "window", "either"] = "window"
    # consecutive: failures in a row that open the breaker
    failure_threshold: int = 5
    # first rest; doubles with each probe that fails
    recovery_timeout: float = 5.0
    max_open_seconds: float = 300.0
    # the rest varies by +-20 %, so that many servers do not probe an upstream in step
    jitter: float = 0.2
    # window: how far it looks back, how many calls it needs to judge, which shares open the breaker
    window_seconds: float = 10.0
    minimum_calls: int = 20
    failure_rate: float = 0.5
    slow_rate: float = 0.8
    # a call that takes longer counts as slow
    slow_seconds: float = 5.0

    def __post_init__(self) -> None:
        if self.mode not in ("consecutive", "window", "either"):
            raise ValueError(f"mode is {self.mode!r}; write 'consecutive', 'window' or 'either'")
        for field in ("failure_threshold", "minimum_calls"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field} is {getattr(self, field)}; write 1 or more")
        for field in ("recovery_timeout", "max_open_seconds", "window_seconds", "slow_seconds"):
            if not (0 < getattr(self, field) < math.inf):
                raise ValueError(f"{field} is {getattr(self, field)}; write seconds above 0")
        for field in ("failure_rate", "slow_rate"):
            if not (0 < getattr(self, field) <= 1):
                raise ValueError(f"{field} is {getattr(self, field)}; write a share above 0, at most 1")
        if not (0 <= self.jitter < 1):
            raise ValueError(f"jitter is {self.jitter}; write a share from 0 to below 1")


class Transition(NamedTuple):
    """What listeners are told. `at` is wall-clock time (UTC), `rest` the seconds that an opening lasts.

    `cause` is a clause: "5 failures in a row", "12 of 20 calls failed", "the probe succeeded".
    """

    breaker: str
    old: BreakerState
    new: BreakerState
    at: datetime
    rest: float
    cause: str = ""


Listener = Callable[[Transition], None]


def counts_as_failure(exc: BaseException) -> bool:
    """Whether this exception says that the upstream is unwell.

    Cancellation, 4xx (INVALID_ARGUMENT, NOT_FOUND, ...), 429 and everything that our own side refused
    (offline, breaker open, budget) do not.
    """
    if not isinstance(exc, Exception):  # CancelledError, KeyboardInterrupt, GeneratorExit
        return False
    if isinstance(exc, PipelineError):
        if exc.reason in _OWN_REASONS or "offline" in exc.metadata:
            return False
        if exc.metadata.get("cause") == "refused":
            return False  # well, and of another opinion: some upstreams say so with status 200
        status = exc.metadata.get("status", "")
        if status.isdigit() and 400 <= int(status) < 500:
            return False
        return exc.status_name in _FAILURE_CODES
    code = getattr(exc, "code", None)
    if callable(code):  # a grpc.RpcError, known by its shape so that gRPC need not be imported
        return getattr(code(), "name", "UNKNOWN") in _FAILURE_CODES
    return True


class Permit:
    """Leave to make one call. Settle it once with `succeed`, `fail` or `release`; later settling is ignored.

    Usable as a context manager, which releases what was not settled.
    """

    __slots__ = ("_breaker", "_generation", "_open", "_started", "probe")

    def __init__(self, breaker: CircuitBreaker, generation: int, started: float, probe: bool) -> None:
        self._breaker = breaker
        self._generation = generation
        self._started = started
        self._open = True
        self.probe = probe

    def succeed(self, duration: float | None = None) -> None:
        """The upstream answered; `duration` in seconds, measured from the permit on when not given."""
        self._settle(failed=False, duration=duration)

    def fail(self, duration: float | None = None) -> None:
        """The upstream is unwell."""
        self._settle(failed=True, duration=duration)

    def release(self) -> None:
        """The call says nothing about the upstream (cancelled, refused): as if it had not been made."""
        if self._open:
            self._open = False
            self._breaker._released(self)

    def _settle(self, *, failed: bool, duration: float | None) -> None:
        if self._open:
            self._open = False
            self._breaker._settled(self, failed=failed, duration=duration)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class CircuitBreaker:
    """One upstream's breaker. Not thread-safe: it belongs to one event loop."""

    def __init__(
        self,
        name: str,
        config: BreakerConfig | None = None,
        clock: Clock | None = None,
        rng: random.Random | None = None,
    ) -> None:
        if clock is None:
            from chassis.clock import SystemClock

            clock = SystemClock()
        self.name = name
        self.config = config or BreakerConfig()
        self.open_count = 0
        self.last_transition_at: datetime = clock.now()
        self._clock = clock
        self._rng = rng or random.Random()  # noqa: S311  (spreads probes; guards nothing)
        self._state = BreakerState.CLOSED
        self._window = Window(self.config.window_seconds)
        self._in_a_row = 0
        self._failures_at_opening = 0
        self._opened_at = 0.0
        self._rest = 0.0
        self._openings_in_a_row = 0
        # Each transition starts a generation; what was admitted in an earlier one no longer counts.
        self._generation = 0
        self._probe: Permit | None = None
        self._listeners: list[Listener] = []
        self._history: deque[Transition] = deque(maxlen=HISTORY_MAX)

    @property
    def history(self) -> tuple[Transition, ...]:
        """The latest transitions, oldest first; at most `HISTORY_MAX`."""
        return tuple(self._history)

    @property
    def state(self) -> BreakerState:
        """Stays `open` after its rest until a caller takes the probe's permit."""
        return self._state

    @property
    def failure_count(self) -> int:
        """Failures in a row or in the window; while not closed, as many as there were at the last opening."""
        if self._state is not BreakerState.CLOSED:
            return self._failures_at_opening
        if self.config.mode == "consecutive":
            return self._in_a_row
        if self.config.mode == "either":
            return max(self._in_a_row, self._window.totals(self._clock.monotonic())[1])
        return self._window.totals(self._clock.monotonic())[1]

    @property
    def _failure_count(self) -> int:
        """The guide's name for `failure_count`."""
        return self.failure_count

    @property
    def retry_after(self) -> float:
        """Seconds until a probe is let through; 0 unless open."""
        if self._state is not BreakerState.OPEN:
            return 0.0
        return max(0.0, self._opened_at + self._rest - self._clock.monotonic())

    def add_listener(self, listener: Listener) -> None:
        """Called on each transition; what it raises is logged and goes no further. Added once, however often given."""
        if listener not in self._listeners:
            self._listeners.append(listener)

    def check(self) -> None:
        """Raises BREAKER_OPEN where `acquire` would, without taking a permit: before a turn is waited for."""
        wait = self.retry_after
        if wait > 0:
            raise self._refusal(wait)
        if self._probe is not None:
            raise self._refusal(min(_PROBE_RETRY_AFTER_S, self.config.recovery_timeout))

    def acquire(self) -> Permit:
        """Leave to call, or PipelineError BREAKER_OPEN with the seconds to wait."""
        now = self._clock.monotonic()
        if self._state is BreakerState.CLOSED:
            return Permit(self, self._generation, now, probe=False)
        if self._state is BreakerState.OPEN:
            wait = self.retry_after
            if wait > 0:
                raise self._refusal(wait)
            self._move(BreakerState.HALF_OPEN, f"its rest of {self._rest:.1f} s was over")
        if self._probe is not None:
            raise self._refusal(min(_PROBE_RETRY_AFTER_S, self.config.recovery_timeout))
        self._probe = Permit(self, self._generation, now, probe=True)
        return self._probe

    async def call(
        self,
        fn: Callable[[], Awaitable[T]],
        *,
        is_failure: Callable[[BaseException], bool] = counts_as_failure,
    ) -> T:
        """Awaits `fn()` behind the breaker. What `fn` raises passes through."""
        permit = self.acquire()
        try:
            result = await fn()
        except asyncio.CancelledError:
            permit.release()
            raise
        except BaseException as exc:
            if is_failure(exc):
                permit.fail()
            else:
                permit.release()
            raise
        permit.succeed()
        return result

    def _refusal(self, wait: float) -> PipelineError:
        return PipelineError(
            errors_pb2.ERROR_REASON_BREAKER_OPEN,
            f"{self.name} is resting after {self._failures_at_opening} failures; try again in {wait:.1f} s",
            metadata={"upstream": self.name},
            retry_after=wait,
        )

    def _settled(self, permit: Permit, *, failed: bool, duration: float | None) -> None:
        if permit is self._probe:
            self._probe = None
        if permit._generation != self._generation:
            return  # admitted before a transition: old news
        now = self._clock.monotonic()
        if duration is None:
            duration = now - permit._started
        slow = duration > self.config.slow_seconds
        counts_windows = self.config.mode != "consecutive"
        if permit.probe:
            self._probe_settled(failed=failed, slow=slow and counts_windows)
            return
        self._in_a_row = self._in_a_row + 1 if failed else 0
        if self.config.mode != "window" and self._in_a_row >= self.config.failure_threshold:
            self._open(self._in_a_row, f"{self._in_a_row} failures in a row")
        elif counts_windows:
            self._window.add(now, failed=failed, slow=slow)
            calls, failures, slow_calls = self._window.totals(now)
            if calls < self.config.minimum_calls:
                return
            if failures >= calls * self.config.failure_rate:
                self._open(failures, f"{failures} of {calls} calls failed")
            elif slow_calls >= calls * self.config.slow_rate:
                self._open(failures, f"{slow_calls} of {calls} calls took over {self.config.slow_seconds:g} s")

    def _probe_settled(self, *, failed: bool, slow: bool) -> None:
        if failed or slow:
            cause = "the probe failed" if failed else f"the probe took over {self.config.slow_seconds:g} s"
            self._open(self._failures_at_opening + 1, cause)
            return
        self._openings_in_a_row = 0
        self._failures_at_opening = 0
        self._in_a_row = 0
        self._window.clear()
        self._move(BreakerState.CLOSED, "the probe succeeded")

    def _released(self, permit: Permit) -> None:
        if permit is self._probe:
            self._probe = None  # still half-open: the next caller may probe

    def _open(self, failures: int, cause: str) -> None:
        config = self.config
        rest = config.recovery_timeout * 2.0 ** min(self._openings_in_a_row, 64)
        rest = min(rest, config.max_open_seconds)
        rest *= 1 + self._rng.uniform(-config.jitter, config.jitter)
        self._rest = min(rest, config.max_open_seconds)
        self._opened_at = self._clock.monotonic()
        self._openings_in_a_row += 1
        self._failures_at_opening = failures
        self.open_count += 1
        self._move(BreakerState.OPEN, cause)

    def _move(self, new: BreakerState, cause: str) -> None:
        old, self._state = self._state, new
        self._generation += 1
        self.last_transition_at = self._clock.now()
        rest = self._rest if new is BreakerState.OPEN else 0.0
        event = Transition(self.name, old, new, self.last_transition_at, rest, cause)
        self._history.append(event)
        for listener in tuple(self._listeners):
            try:
                listener(event)
            except Exception:
                _log.exception("a listener of breaker %s failed", self.name)

    def __repr__(self) -> str:
        text = f"<CircuitBreaker {self.name} {self._state.value} failures={self.failure_count}"
        text += f" opened={self.open_count}"
        if self._state is BreakerState.OPEN:
            text += f" retry_after={self.retry_after:.1f}s"
        if self._state is BreakerState.HALF_OPEN:
            text += f" probe={'under way' if self._probe else 'none'}"
        return text + ">"
