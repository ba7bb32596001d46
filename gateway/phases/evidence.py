"""Client side of the evidence phase."""

from __future__ import annotations

from gateway.phases.base import Inputs, PhaseKind
from pipeline.v1 import common_pb2, evidence_pb2, evidence_pb2_grpc


def _request(context: common_pb2.PhaseContext, inputs: Inputs) -> evidence_pb2.CollectEvidenceRequest:
    # Without claims: evidence starts beside validation and reads the same ones from the same text.
    return evidence_pb2.CollectEvidenceRequest(
        context=context,
        idea=inputs.spec.idea,
        claims=inputs.claims,
        domains=inputs.spec.domains,
        documents=inputs.documents,
    )


KIND = PhaseKind(
    phase=common_pb2.PHASE_EVIDENCE,
    name="evidence",
    item_field="item",
    event_field="evidence_found",
    item_key=lambda item: f"{item.id}:{item.claim_id}",
    request=_request,
    stub=lambda channel: evidence_pb2_grpc.EvidenceServiceStub(channel).CollectEvidence,
)
