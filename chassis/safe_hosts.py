"""What is owed to each host that pages are fetched from: a pause between calls, a rest when it asks for one, and to be
left alone while it fails."""

from __future__ import annotations

from collections import OrderedDict

from chassis.breaker import BreakerConfig, CircuitBreaker
from chassis.clock import Clock
from chassis.resilience import TokenBucket
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

# Hosts remembered; the least recently asked is forgotten first.
HOSTS_MAX = 1_000
# Seconds between two calls to one host where its robots.txt names none: four a second, less than a person's browser
# makes for one page.
PAUSE_SECONDS = 0.25
# The longest pause that is kept. A host that asks for more is read once in a run, and refused to later callers for
# as long as it wants by `WAIT_SECONDS_MAX`.
PAUSE_SECONDS_MAX = 10.0
# Nobody waits longer for a turn; the page counts as not readable this time.
WAIT_SECONDS_MAX = 10.0
# After so many failures in a row a host is left alone, for a minute at first.
_BREAKER = BreakerConfig(mode="consecutive", failure_threshold=3, recovery_timeout=60.0)


class _Host:
    def __init__(self, name: str, pause: float, clock: Clock) -> None:
        self.pause = pause
        self.turns = _turns(name, pause, clock)
        self.breaker = CircuitBreaker(name, _BREAKER, clock)
        self.rests_until = 0.0


class Hosts:
    """The state of every host asked lately. Times in seconds."""

    def __init__(self, clock: Clock, *, pause: float = PAUSE_SECONDS, hosts_max: int = HOSTS_MAX) -> None:
        if not 0 < pause <= PAUSE_SECONDS_MAX or hosts_max < 1:
            raise ValueError(
                f"pause is {pause}; write seconds above 0, at most {PAUSE_SECONDS_MAX:g}; hosts_max from 1"
            )
        self._clock = clock
        self._pause = pause
        self._hosts_max = hosts_max
        self._hosts: OrderedDict[str, _Host] = OrderedDict()

    async def turn(self, name: str, crawl_delay: float | None = None) -> None:
        """Returns when `name` may be asked; raises UPSTREAM_RATE_LIMITED where that is too far off."""
        host = self._host(name)
        self.awake(name)
        pause = min(max(self._pause, crawl_delay or 0.0), PAUSE_SECONDS_MAX)
        if pause != host.pause:
            host.pause, host.turns = pause, _turns(name, pause, self._clock)
        await host.turns.acquire()
        self.awake(name)

    def rest(self, name: str, seconds: float) -> None:
        """The host asked to be left alone for so long."""
        host = self._host(name)
        host.rests_until = max(host.rests_until, self._clock.monotonic() + seconds)

    def awake(self, name: str) -> None:
        """Raises UPSTREAM_RATE_LIMITED while the host rests."""
        left = self._host(name).rests_until - self._clock.monotonic()
        if left > 0.001:  # timers may fire a hair early
            raise PipelineError(
                errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED,
                f"{name} asked to be left alone for another {left:.0f} s",
                metadata={"upstream": name, "cause": "resting"},
                retry_after=left,
            )

    def breaker(self, name: str) -> CircuitBreaker:
        return self._host(name).breaker

    def _host(self, name: str) -> _Host:
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts[name] = _Host(name, self._pause, self._clock)
            while len(self._hosts) > self._hosts_max:
                self._hosts.popitem(last=False)
        self._hosts.move_to_end(name)
        return host

    def __repr__(self) -> str:
        return f"<Hosts {len(self._hosts)}/{self._hosts_max} pause={self._pause:g}>"


def _turns(name: str, pause: float, clock: Clock) -> TokenBucket:
    return TokenBucket(1.0 / pause, 1, clock, max_wait=WAIT_SECONDS_MAX, name=name)
