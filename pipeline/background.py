"""An event loop in a thread of its own, for callers that block."""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, Protocol, Self, TypeVar

T = TypeVar("T")


class BackgroundLoop:
    """Runs coroutines for blocking callers, also where the calling thread already runs a loop (Jupyter)."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="pipeline-loop", daemon=True)
        self._thread.start()

    @property
    def closed(self) -> bool:
        """No more calls can be made."""
        return self._loop.is_closed()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin the work; the result can be awaited elsewhere (`asyncio.wrap_future`)."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end and return the result; an interrupt cancels the work."""
        future = self.submit(work)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """Stop the loop and its thread."""
        if not self.closed:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()


class Closeable(Protocol):
    """Something async with an end."""

    async def close(self) -> None:
        """Release everything."""


class Blocking:
    """Base of the blocking callers: one async object on a loop of its own, closed at exit at the latest."""

    def __init__(self, inner: Closeable) -> None:
        self._loop = BackgroundLoop()
        self._closeable = inner
        atexit.register(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the servers and the thread."""
        atexit.unregister(self.close)
        if not self._loop.closed:
            try:
                self._loop.call(self._closeable.close())
            finally:
                self._loop.close()
