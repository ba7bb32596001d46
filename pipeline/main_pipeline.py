"""The synchronous fallback of the migration guide: the same servers, one thing after another.

No phase, operation or call runs beside another; nothing is cached or batched and no connection is kept. It is the
honest baseline of `make bench` and the way back if the async pipeline gives trouble.
"""

from __future__ import annotations

from typing import Any

from pipeline.background import Blocking
from pipeline.main_pipeline_async import AsyncMainPipeline
from pipeline.options import InvestorType, sequential_config
from pipeline.result import PipelineResult

__all__ = ["InvestorType", "MainPipeline", "PipelineResult", "get_main_pipeline"]


class MainPipeline(Blocking):
    """Blocking pipeline. Close it, or use it as a context manager; a forgotten one is closed at exit."""

    def __init__(self, *, target: str | None = None, **options: Any) -> None:
        """Options are those of `AsyncMainPipeline`, its configuration excepted: that is always sequential."""
        self._pipeline = AsyncMainPipeline(sequential_config(), target=target, **options)
        super().__init__(self._pipeline)

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


def get_main_pipeline(**options: Any) -> MainPipeline:
    """A blocking pipeline."""
    return MainPipeline(**options)
