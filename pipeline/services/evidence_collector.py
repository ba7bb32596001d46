"""The blocking evidence collector: the fallback beside `evidence_collector_async`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.background import Blocking
from pipeline.options import ResearchDomain, sequential_config
from pipeline.services.evidence_collector_async import AsyncEvidenceCollector
from pipeline.v1 import evidence_pb2

__all__ = ["EvidenceCollector", "ResearchDomain", "get_evidence_collector"]


class EvidenceCollector(Blocking):
    """Collects evidence, one operation after another."""

    def __init__(self, **options: Any) -> None:
        """Options are those of `PhaseCaller`."""
        self._collector = AsyncEvidenceCollector(sequential_config(), **options)
        super().__init__(self._collector)

    def collect_evidence(
        self, claim: str, domains: Sequence[ResearchDomain | str] = (), **options: Any
    ) -> evidence_pb2.EvidenceResult:
        """What speaks for and against the claim; as the async collector's method."""
        return self._loop.call(self._collector.collect_evidence(claim, domains, **options))


def get_evidence_collector(**options: Any) -> EvidenceCollector:
    """A blocking collector."""
    return EvidenceCollector(**options)
