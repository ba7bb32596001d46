"""Client side of the validation phase."""

from __future__ import annotations

from gateway.phases.base import Inputs, PhaseKind
from pipeline.v1 import common_pb2, validation_pb2, validation_pb2_grpc


def _request(context: common_pb2.PhaseContext, inputs: Inputs) -> validation_pb2.ValidateIdeaRequest:
    return validation_pb2.ValidateIdeaRequest(context=context, idea=inputs.spec.idea)


KIND = PhaseKind(
    phase=common_pb2.PHASE_VALIDATION,
    name="validation",
    item_field="criterion",
    event_field="criterion_scored",
    item_key=lambda item: validation_pb2.Criterion.Name(item.criterion),
    request=_request,
    stub=lambda channel: validation_pb2_grpc.ValidationServiceStub(channel).ValidateIdea,
)
