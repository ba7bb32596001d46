"""Wakes those who wait for news of a run in this process. A missed wake-up costs one poll, never an event."""

from __future__ import annotations

import asyncio
import contextlib
from weakref import WeakValueDictionary

from chassis.clock import Clock


class Wakeup:
    """Topics with one event each. A waiter takes its ticket *before* it looks, so that nothing falls in between."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # A topic lives as long as somebody holds a ticket of it: what is never asked for again costs nothing.
        self._events: WeakValueDictionary[str, asyncio.Event] = WeakValueDictionary()
        self._waiting: dict[str, int] = {}
        self.closed = False

    def __repr__(self) -> str:
        return f"Wakeup({', '.join(f'{topic}: {count}' for topic, count in sorted(self._waiting.items()))})"

    @property
    def topics(self) -> int:
        """Topics of which somebody holds a ticket."""
        return len(self._events)

    def notify(self, topic: str) -> None:
        """Wake everyone whose ticket was taken before now."""
        event = self._events.pop(topic, None)
        if event is not None:
            event.set()

    def close(self) -> None:
        """Wake everyone for the last time: the gateway stops."""
        self.closed = True
        for topic in list(self._events):
            self.notify(topic)

    def ticket(self, topic: str) -> asyncio.Event:
        """Set at the next `notify` of the topic."""
        if self.closed:
            called = asyncio.Event()
            called.set()
            return called
        return self._events.setdefault(topic, asyncio.Event())

    async def wait(self, topic: str, ticket: asyncio.Event, seconds: float) -> None:
        """Return when the ticket is called or `seconds` have passed."""
        if ticket.is_set():
            return
        self._waiting[topic] = self._waiting.get(topic, 0) + 1
        called = asyncio.ensure_future(ticket.wait())
        slept = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait((called, slept), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (called, slept):
                task.cancel()
            for task in (called, slept):
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            self._waiting[topic] -= 1
            if not self._waiting[topic]:
                del self._waiting[topic]
