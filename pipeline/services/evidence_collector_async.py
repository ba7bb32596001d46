"""Evidence for and against one claim, without the other phases."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pipeline.options import AsyncPipelineConfig, ResearchDomain, read_documents
from pipeline.services.phase import PhaseCaller
from pipeline.v1 import common_pb2, evidence_pb2, evidence_pb2_grpc

__all__ = ["AsyncEvidenceCollector", "ResearchDomain", "create_async_evidence_collector"]

logger = logging.getLogger(__name__)


class AsyncEvidenceCollector(PhaseCaller):
    """Collects evidence through an evidence server."""

    phase = "evidence"

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
            context=self.context(),
            idea=common_pb2.Idea(text=claim),
            domains=[domain.to_proto() for domain in wanted],
            documents=read_documents(documents),
        )
        stub = evidence_pb2_grpc.EvidenceServiceStub(await self.start())
        result = evidence_pb2.EvidenceResult()
        async for reply in self.stream(stub.CollectEvidence, request):
            if reply.HasField("item") and on_item is not None:
                on_item(reply.item)
            elif reply.HasField("result"):
                result = reply.result
        logger.info("%d items for %r", len(result.items), claim[:80])
        return result


async def create_async_evidence_collector(
    config: AsyncPipelineConfig | None = None, **options: Any
) -> AsyncEvidenceCollector:
    """A started collector; options are those of `PhaseCaller`."""
    collector = AsyncEvidenceCollector(config, **options)
    await collector.start()
    return collector
