"""Evidence for and against one claim, without the other phases."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import grpc

from chassis.channel import open_channel
from pipeline.errors import from_rpc_error
from pipeline.options import AsyncPipelineConfig, ResearchDomain, read_documents
from pipeline.v1 import common_pb2, evidence_pb2, evidence_pb2_grpc

if TYPE_CHECKING:
    from pipeline.embedded import EmbeddedPipeline

__all__ = ["AsyncEvidenceCollector", "ResearchDomain", "create_async_evidence_collector"]

logger = logging.getLogger(__name__)

COLLECT_SECONDS = 120.0
"""Deadline of one collection; the sources' own time-outs are far below."""


class AsyncEvidenceCollector:
    """Collects evidence from an embedded evidence server, or from the one at `target` (`PIPELINE_EVIDENCE_TARGET`)."""

    def __init__(
        self,
        config: AsyncPipelineConfig | None = None,
        *,
        target: str | None = None,
        offline: bool | None = None,
        state_dir: Path | None = None,
    ) -> None:
        self.config = config if config is not None else AsyncPipelineConfig()
        self.target = target if target is not None else os.environ.get("PIPELINE_EVIDENCE_TARGET", "")
        self.offline = offline if offline is not None else os.environ.get("PIPELINE_OFFLINE", "") in ("1", "true")
        self._state_dir = state_dir
        self._embedded: EmbeddedPipeline | None = None
        self._channel: grpc.aio.Channel | None = None
        self._starting = asyncio.Lock()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def start(self) -> None:
        """Start the embedded evidence server, or connect to the target."""
        async with self._starting:
            if self._channel is not None:
                return
            target = self.target
            if not target:
                from pipeline.embedded import EmbeddedOptions, EmbeddedPipeline

                embedded = EmbeddedPipeline(
                    EmbeddedOptions(
                        state_dir=self._state_dir, offline=self.offline, phases=("evidence",), gateway=False
                    )
                )
                await embedded.start()
                self._embedded, target = embedded, embedded.servers["evidence"].address
            self._channel = open_channel(target)

    async def close(self) -> None:
        """Stop what `start` started."""
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()
        embedded, self._embedded = self._embedded, None
        if embedded is not None:
            await embedded.close()

    async def collect_evidence(
        self,
        claim: str,
        domains: Sequence[ResearchDomain | str] = (),
        *,
        documents: Sequence[Path | str] = (),
        on_item: Callable[[common_pb2.EvidenceItem], None] | None = None,
    ) -> evidence_pb2.EvidenceResult:
        """Search every domain (all five by default) for what speaks for and against the claim.

        `on_item` sees each item as it is found. Raises `PipelineError`.
        """
        wanted = [ResearchDomain(domain) if isinstance(domain, str) else domain for domain in domains]
        request = evidence_pb2.CollectEvidenceRequest(
            context=common_pb2.PhaseContext(
                phase=common_pb2.PHASE_EVIDENCE, attempt=1, profile=self.config.to_profile(offline=self.offline)
            ),
            idea=common_pb2.Idea(text=claim),
            domains=[domain.to_proto() for domain in wanted],
            documents=read_documents(documents),
        )
        await self.start()
        assert self._channel is not None
        call = evidence_pb2_grpc.EvidenceServiceStub(self._channel).CollectEvidence(
            request, timeout=COLLECT_SECONDS, wait_for_ready=True
        )
        result = evidence_pb2.EvidenceResult()
        try:
            async for reply in call:
                if reply.HasField("item") and on_item is not None:
                    on_item(reply.item)
                elif reply.HasField("result"):
                    result = reply.result
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error
        finally:
            call.cancel()
        logger.info("%d items for %r", len(result.items), claim[:80])
        return result


async def create_async_evidence_collector(
    config: AsyncPipelineConfig | None = None, **options: Any
) -> AsyncEvidenceCollector:
    """A started collector; options are those of `AsyncEvidenceCollector`."""
    collector = AsyncEvidenceCollector(config, **options)
    await collector.start()
    return collector
