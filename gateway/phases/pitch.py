"""Client side of the pitch phase."""

from __future__ import annotations

from gateway.phases.base import Inputs, PhaseKind
from pipeline.v1 import common_pb2, pitch_pb2, pitch_pb2_grpc


def _request(context: common_pb2.PhaseContext, inputs: Inputs) -> pitch_pb2.DraftDeckRequest:
    validation = inputs.validation
    return pitch_pb2.DraftDeckRequest(
        context=context,
        profile=validation.profile if validation is not None else None,
        claims=inputs.claims,
        evidence=inputs.items,
        criteria=validation.criteria if validation is not None else (),
        verdict=inputs.verdict,
        investor_type=inputs.spec.target_investor or common_pb2.INVESTOR_TYPE_SEED,
    )


KIND = PhaseKind(
    phase=common_pb2.PHASE_PITCH,
    name="pitch",
    item_field="slide",
    event_field="slide_drafted",
    item_key=lambda item: str(item.number),
    request=_request,
    stub=lambda channel: pitch_pb2_grpc.PitchServiceStub(channel).DraftDeck,
)
