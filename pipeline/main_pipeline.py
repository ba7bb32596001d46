"""The synchronous fallback of the migration guide: the same servers, one thing after another.

No phase, operation or call runs beside another; nothing is cached or batched and no connection is kept. It is the
honest baseline of `make bench` and the way back if the async pipeline gives trouble.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from pipeline.main_pipeline_async import AsyncMainPipeline
from pipeline.options import InvestorType, sequential_config
from pipeline.result import PipelineResult

__all__ = ["InvestorType", "MainPipeline", "PipelineResult", "get_main_pipeline"]

T = TypeVar("T")


class BackgroundLoop:
    """An event loop in a thread of its own, so that blocking calls also work where a loop already runs."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="pipeline-loop", daemon=True)
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end and return the result; an interrupt cancels the work first."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """Stop the loop and its thread."""
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class MainPipeline:
    """Blocking pipeline. Close it, or use it as a context manager; a forgotten one is closed at exit."""

    def __init__(self, *, target: str | None = None, **options: Any) -> None:
        """Options are those of `AsyncMainPipeline`, its configuration excepted: that is always sequential."""
        self._loop = BackgroundLoop()
        self._pipeline = AsyncMainPipeline(sequential_config(), target=target, **options)
        atexit.register(self.close)

    def __enter__(self) -> MainPipeline:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def execute_full_pipeline(
        self,
        startup_idea: str,
        target_investor: InvestorType | str = InvestorType.SEED,
        generate_mvp: bool = True,
        max_total_budget: float = 60.0,
        **options: Any,
    ) -> PipelineResult:
        """Run one idea to its end; options and errors are those of the async pipeline."""
        return self._loop.call(
            self._pipeline.execute_full_pipeline(
                startup_idea, target_investor, generate_mvp, max_total_budget, **options
            )
        )

    def generate_pipeline_report(self, result: PipelineResult) -> dict[str, Any]:
        """The report as JSON-ready data."""
        return result.to_dict()

    def start(self) -> None:
        """Start the servers now rather than with the first run."""
        self._loop.call(self._pipeline.start())

    def close(self) -> None:
        """Stop the servers and the thread."""
        atexit.unregister(self.close)
        if self._loop is not None and self._pipeline is not None:
            try:
                self._loop.call(self._pipeline.close())
            except RuntimeError:
                return
            self._loop.close()


def get_main_pipeline(**options: Any) -> MainPipeline:
    """A blocking pipeline."""
    return MainPipeline(**options)
