"""What a breaker remembers of its latest calls: counts in a sliding window."""

from __future__ import annotations

from collections import deque

_BUCKETS = 10  # the window slides in tenths, so that its memory does not grow with the call rate


class _Bucket:
    __slots__ = ("calls", "failures", "slow", "start")

    def __init__(self, start: float) -> None:
        self.start = start
        self.calls = self.failures = self.slow = 0


class Window:
    """Counts of the last `seconds`, in ten buckets."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._width = seconds / _BUCKETS
        self._buckets: deque[_Bucket] = deque()

    def add(self, now: float, *, failed: bool, slow: bool) -> None:
        self._prune(now)
        if not self._buckets or now - self._buckets[-1].start >= self._width:
            self._buckets.append(_Bucket(now))
        bucket = self._buckets[-1]
        bucket.calls += 1
        bucket.failures += failed
        bucket.slow += slow

    def totals(self, now: float) -> tuple[int, int, int]:
        """(calls, failures, slow calls)"""
        self._prune(now)
        return (
            sum(b.calls for b in self._buckets),
            sum(b.failures for b in self._buckets),
            sum(b.slow for b in self._buckets),
        )

    def clear(self) -> None:
        self._buckets.clear()

    def _prune(self, now: float) -> None:
        while self._buckets and now - self._buckets[0].start >= self._seconds:
            self._buckets.popleft()
