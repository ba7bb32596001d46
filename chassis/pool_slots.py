"""Who may open or use a connection now: the pool's book-keeping, without I/O.

Slots are granted in the order they were asked for; a caller whose host is at its own limit is passed over, so
that one slow host does not hold up the others. The queue is bounded.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable


class Ticket:
    """A place in the queue, later a slot. `granted` tells which."""

    __slots__ = ("granted", "host", "on_grant")

    def __init__(self, host: str, on_grant: Callable[[], None]) -> None:
        self.host = host
        self.granted = False
        self.on_grant = on_grant


class Slots:
    """At most `limit` slots, `limit_per_host` of them for one host, and `max_waiting` in the queue."""

    def __init__(self, limit: int, limit_per_host: int, max_waiting: int) -> None:
        if min(limit, limit_per_host) < 1 or max_waiting < 0:
            raise ValueError("limit and limit_per_host start at 1, max_waiting at 0")
        self.limit = limit
        self.limit_per_host = min(limit, limit_per_host)
        self.max_waiting = max_waiting
        self.acquired_total = 0
        self._used = 0
        self._by_host: Counter[str] = Counter()
        self._queue: OrderedDict[Ticket, None] = OrderedDict()

    @property
    def in_use(self) -> int:
        return self._used

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def ask(self, host: str, on_grant: Callable[[], None]) -> Ticket | None:
        """A ticket, granted at once where a slot is free; None when the queue is full.

        `on_grant` is called when a queued ticket is granted later. Give every ticket back once.
        """
        ticket = Ticket(host, on_grant)
        if not self._queue_blocks(host) and self._free(host):
            self._grant(ticket)
        elif len(self._queue) >= self.max_waiting:
            return None
        else:
            self._queue[ticket] = None
        return ticket

    def give_back(self, ticket: Ticket) -> None:
        """Frees the slot, or leaves the queue; grants what can be granted now."""
        if not ticket.granted:
            self._queue.pop(ticket, None)
            return
        ticket.granted = False
        self._used -= 1
        self._by_host[ticket.host] -= 1
        if not self._by_host[ticket.host]:
            del self._by_host[ticket.host]
        for waiting in tuple(self._queue):
            if self._used >= self.limit:
                break
            if self._free(waiting.host):
                del self._queue[waiting]
                self._grant(waiting)
                waiting.on_grant()

    def _free(self, host: str) -> bool:
        return self._used < self.limit and self._by_host[host] < self.limit_per_host

    def _queue_blocks(self, host: str) -> bool:
        """Somebody waits for the same slot: nobody overtakes."""
        return any(ticket.host == host for ticket in self._queue) or self._used >= self.limit

    def _grant(self, ticket: Ticket) -> None:
        ticket.granted = True
        self._used += 1
        self._by_host[ticket.host] += 1
        self.acquired_total += 1

    def __repr__(self) -> str:
        return f"<Slots {self._used}/{self.limit} waiting={len(self._queue)} total={self.acquired_total}>"
