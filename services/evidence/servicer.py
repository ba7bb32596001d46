"""EvidenceService: checks and reads the request, streams what the collector finds. Nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from chassis.idea.reading import read_idea
from chassis.idea.text import normalise
from chassis.limits import ProfileLimits, resolve_profile
from chassis.streaming import Emit, stream
from pipeline.v1 import common_pb2, evidence_pb2, evidence_pb2_grpc
from services.evidence import citations
from services.evidence.collect import Collector, Job
from services.evidence.domain.model import IdeaFacts
from services.evidence.domain.queries import check_claims, read_domains
from services.evidence.page_reading import Reader
from services.evidence.providers.documents import DocumentsProvider, open_documents
from services.evidence.providers.upstream import Upstream


class PrivateUpstreams:
    """Makes the upstream of one run's documents: no cache, a breaker of its own, gone with the run."""

    def __init__(self, **common: Any) -> None:
        self._common = common

    def __call__(self, documents: DocumentsProvider) -> Upstream:
        return Upstream(documents, private=True, **self._common)


class EvidenceServicer(evidence_pb2_grpc.EvidenceServiceServicer):
    """Translates between the contract and the collector."""

    def __init__(
        self,
        collector: Collector,
        private: PrivateUpstreams,
        limits: ProfileLimits,
        missing: Sequence[common_pb2.Missing] = (),
        reader: Reader | None = None,
    ) -> None:
        self._reader = reader
        self._collector = collector
        self._private = private
        self._limits = limits
        self._missing = tuple(missing)

    def CollectEvidence(
        self, request: evidence_pb2.CollectEvidenceRequest, context: object
    ) -> AsyncIterator[evidence_pb2.CollectEvidenceResponse]:
        return stream(lambda emit: self._collect(request, emit))

    async def CheckCitations(
        self, request: evidence_pb2.CheckCitationsRequest, context: object
    ) -> evidence_pb2.CheckCitationsResponse:
        checked = await citations.check(request.citations, self._reader)
        return evidence_pb2.CheckCitationsResponse(citations=checked)

    async def _collect(
        self, request: evidence_pb2.CollectEvidenceRequest, emit: Emit[evidence_pb2.CollectEvidenceResponse]
    ) -> None:
        job = await self.read(request)

        async def show(message: evidence_pb2.CollectEvidenceResponse) -> None:
            await emit(message)

        result = await self._collector.collect(job, self._private(job.documents), show)
        await emit(evidence_pb2.CollectEvidenceResponse(result=result))

    async def read(self, request: evidence_pb2.CollectEvidenceRequest) -> Job:
        """Return the job; raises PipelineError naming the field that cannot be used."""
        profile, notices = resolve_profile(request.context.profile, self._limits, field_prefix="context.profile")
        for notice in notices:
            notice.phase = common_pb2.PHASE_EVIDENCE
        text = normalise(request.idea.text)
        check_claims(request.claims)
        domains = read_domains(request.domains)
        reading = read_idea(text, request.idea.name)
        documents = await open_documents(request.documents)
        about = reading.profile
        return Job(
            idea=IdeaFacts(
                text=text,
                keywords=tuple(about.keywords),
                category=about.category,
                benchmark_segment=about.benchmark_segment,
                customer_type=about.customer_type,
                business_model=about.business_model,
                product_form=about.product_form,
            ),
            claims=tuple(request.claims) or reading.claims,
            domains=tuple(domains),
            profile=profile,
            documents=documents,
            allowance_micros=request.context.allowance_micros,
            effect_key=f"{request.context.run or 'run'}/evidence/{request.context.attempt}",
            notices=(*notices, *documents.notices),
            missing=self._missing,
        )
