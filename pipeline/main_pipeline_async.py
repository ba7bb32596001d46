"""The async pipeline of the migration guide, thin over the gateway's client.

    async with AsyncMainPipeline() as pipeline:
        result = await pipeline.execute_full_pipeline("A mobile app that ...")

Without a target the servers run embedded in this process; with `target="host:port"` (or `PIPELINE_TARGET`) a served
gateway is called. Both go through the same client, contract and handlers.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from pipeline.client import GatewayClient
from pipeline.errors import PipelineError
from pipeline.options import (
    AsyncPipelineConfig,
    CampaignType,
    InvestorType,
    MVPType,
    ResearchDomain,
    run_spec,
    sequential_config,
)
from pipeline.result import PipelineResult
from pipeline.v1 import errors_pb2, operations_pb2, pipeline_pb2

if TYPE_CHECKING:
    from pipeline.embedded import HostedPipeline

__all__ = [
    "AsyncMainPipeline",
    "AsyncPipelineConfig",
    "CampaignType",
    "InvestorType",
    "MVPType",
    "PipelineResult",
    "ResearchDomain",
    "create_async_pipeline",
]

logger = logging.getLogger(__name__)

SYNC_FALLBACK_FLAG = "PIPELINE_SYNC_FALLBACK"
"""Set to 1 it makes every pipeline of this program run one thing after another: the guide's rollback switch."""


class BreakerView(Protocol):
    """What the guide reads of a circuit breaker."""

    @property
    def state(self) -> str:
        """`closed`, `open` or `half_open`."""

    @property
    def _failure_count(self) -> int: ...


@dataclass(frozen=True)
class BreakerSnapshot:
    """A remote breaker as it was when last asked (at the start, and after each run)."""

    name: str
    state: str
    _failure_count: int


class AsyncMainPipeline:
    """Runs ideas through every phase. One instance serves any number of ideas at once."""

    def __init__(
        self,
        config: AsyncPipelineConfig | None = None,
        *,
        target: str | None = None,
        state_dir: Path | None = None,
        offline: bool | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        """Nothing is started yet: entering the context, or the first run, does that.

        `settings` are server settings by field name for the embedded servers (`{"hackernews_url": ...}`).
        """
        self.config = config if config is not None else AsyncPipelineConfig()
        self.target = target if target is not None else os.environ.get("PIPELINE_TARGET", "")
        self.offline = offline if offline is not None else os.environ.get("PIPELINE_OFFLINE", "") in ("1", "true")
        self._state_dir = state_dir
        self._settings = settings
        self._hosted: HostedPipeline | None = None
        self._client: GatewayClient | None = None
        self._starting = asyncio.Lock()
        self._snapshots: dict[str, BreakerView] = {}
        self._metrics_task: asyncio.Task[None] | None = None
        self._finished: list[PipelineResult] = []

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def start(self) -> None:
        """Start the embedded servers, or connect to the target. Calling it again does nothing."""
        async with self._starting:
            if self._client is not None:
                return
            target = self.target
            if not target:
                from pipeline.embedded import EmbeddedOptions, HostedPipeline

                hosted = HostedPipeline(
                    EmbeddedOptions(state_dir=self._state_dir, offline=self.offline, settings=self._settings)
                )
                await hosted.start()
                self._hosted, target = hosted, hosted.embedded.target
            self._client = GatewayClient(target)
            await self._refresh_breakers()
            if self.config.enable_metrics:
                self._metrics_task = asyncio.create_task(self._log_metrics(), name="pipeline-metrics")
            logger.debug("pipeline ready, gateway at %s", target)

    async def close(self) -> None:
        """Stop what `start` started. Runs of a served gateway go on; embedded ones are kept for the next start."""
        if self._metrics_task is not None:
            self._metrics_task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._metrics_task
            self._metrics_task = None
        client, self._client = self._client, None
        if client is not None:
            await client.close()
        hosted, self._hosted = self._hosted, None
        if hosted is not None:
            await hosted.stop()

    @property
    def client(self) -> GatewayClient:
        """The gateway's client, once started."""
        if self._client is None:
            raise RuntimeError("the pipeline is not started: use `async with`, or `await pipeline.start()`")
        return self._client

    @property
    def circuit_breakers(self) -> Mapping[str, BreakerView]:
        """Breakers by `{server}.{upstream}`: live objects when embedded, else as of the last run."""
        if self._hosted is not None:
            return self._hosted.embedded.circuit_breakers
        return self._snapshots

    async def execute_full_pipeline(
        self,
        startup_idea: str,
        target_investor: InvestorType | str = InvestorType.SEED,
        generate_mvp: bool = True,
        max_total_budget: float = 60.0,
        *,
        name: str = "",
        mvp_type: MVPType | str = MVPType.AUTO,
        campaign_type: CampaignType | str = CampaignType.SMOKE_TEST,
        ad_budget: float | None = None,
        continue_on_rejection: bool = False,
        documents: Sequence[Path | str] = (),
        domains: Sequence[ResearchDomain] = (),
        on_event: Callable[[pipeline_pb2.RunEvent], None] | None = None,
    ) -> PipelineResult:
        """Run one idea to its end; money in USD.

        Raises `PipelineError`: INVALID_FIELD with the fields at fault, or the run's failure. A run that misses a
        part (a source, a phase) returns with `missing` entries instead. Cancelling the await cancels the run.
        """
        fallback = os.environ.get(SYNC_FALLBACK_FLAG, "") in ("1", "true")
        spec = run_spec(
            startup_idea,
            config=sequential_config() if fallback else self.config,
            name=name,
            target_investor=target_investor,
            generate_mvp=generate_mvp,
            mvp_type=mvp_type,
            campaign_type=campaign_type,
            max_total_budget=max_total_budget,
            ad_budget=ad_budget,
            continue_on_rejection=continue_on_rejection,
            documents=documents,
            domains=domains,
            offline=self.offline,
        )
        await self.start()
        run = await self.client.create_run(spec)
        logger.info("run %s started, trace %s", run.name, run.trace_id)
        try:
            return await self.follow(run.name, on_event=on_event)
        except asyncio.CancelledError:
            # The caller no longer wants the result; the gateway would otherwise finish it for nobody.
            with contextlib.suppress(PipelineError):
                await asyncio.shield(self.client.cancel_run(run.name))
            raise

    async def follow(
        self, run_name: str, *, on_event: Callable[[pipeline_pb2.RunEvent], None] | None = None
    ) -> PipelineResult:
        """Watch a run, from its first event, to its end and return its result; raises the run's failure."""
        await self.start()
        async for event in self.client.watch_run(run_name):
            logger.debug("run %s event %d %s", run_name, event.sequence, event.WhichOneof("payload"))
            if on_event is not None:
                on_event(event)
        result = PipelineResult(await self.client.get_report(run_name))
        await self._refresh_breakers()
        if self._metrics_task is not None:
            self._finished.append(result)
        state = result.report.run.state
        logger.info("run %s %s after %.1f s", run_name, result.status, result.execution_time_seconds)
        if state == pipeline_pb2.RUN_STATE_FAILED:
            failure = result.report.run.failure
            raise PipelineError(
                failure.reason or errors_pb2.ERROR_REASON_INTERNAL,
                failure.message or f"{run_name} failed",
                metadata={"run": run_name},
                request_id=failure.request_id,
            )
        if state == pipeline_pb2.RUN_STATE_CANCELLED:
            raise PipelineError(
                errors_pb2.ERROR_REASON_CANCELLED, f"{run_name} was cancelled", metadata={"run": run_name}
            )
        return result

    async def generate_pipeline_report(self, result: PipelineResult) -> dict[str, Any]:
        """The report as JSON-ready data: the same content as `report.json`."""
        return result.to_dict()

    async def _refresh_breakers(self) -> None:
        if self._hosted is not None or self._client is None:
            return
        with contextlib.suppress(PipelineError):
            reply = await self._client.list_breakers()
            self._snapshots = {
                breaker.name: BreakerSnapshot(
                    breaker.name,
                    operations_pb2.BreakerState.Name(breaker.state).removeprefix("BREAKER_STATE_").lower(),
                    breaker.failure_count,
                )
                for breaker in reply.breakers
            }

    async def _log_metrics(self) -> None:
        while True:
            await asyncio.sleep(max(self.config.metrics_interval_seconds, 0.1))
            runs, self._finished = self._finished, []
            if runs:
                logger.info(
                    "last %.0f s: %d runs, mean time %.1f s, mean cache hit rate %.0f %%, %d outside calls saved",
                    self.config.metrics_interval_seconds,
                    len(runs),
                    sum(run.execution_time_seconds for run in runs) / len(runs),
                    100 * sum(run.cache_hit_rate for run in runs) / len(runs),
                    sum(run.api_calls_saved for run in runs),
                )


async def create_async_pipeline(
    config: AsyncPipelineConfig | None = None, *, target: str | None = None, **options: Any
) -> AsyncMainPipeline:
    """A started pipeline; close it with `await pipeline.close()`. Options are those of `AsyncMainPipeline`."""
    pipeline = AsyncMainPipeline(config, target=target, **options)
    await pipeline.start()
    return pipeline
