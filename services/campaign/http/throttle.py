"""How often one client may post: a token bucket for each, in a table of bounded size. Pure; the clock is passed in."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """Posts at once, and a minute on average. An office behind one address signs up within these."""

    burst: int = 20
    per_minute: float = 10.0


class Throttle:
    """Buckets by client; the ones longest unused are forgotten, which makes them full again."""

    def __init__(self, rate: Rate, clients_max: int = 20_000) -> None:
        self._rate = rate
        self._clients_max = clients_max
        # client -> (posts left, when that was).
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __repr__(self) -> str:
        return f"Throttle({len(self._buckets)} clients, {self._rate})"

    def wait(self, client: str, now: float) -> float:
        """Take one post at `now` (seconds, monotonic). Returns 0.0, or the seconds until the next may come."""
        left, then = self._buckets.pop(client, (float(self._rate.burst), now))
        left = min(left + (now - then) * self._rate.per_minute / 60, float(self._rate.burst))
        allowed = left >= 1
        self._buckets[client] = (left - 1 if allowed else left, now)
        if len(self._buckets) > self._clients_max:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - left) * 60 / self._rate.per_minute
