"""Client side of the mvp phase."""

from __future__ import annotations

from gateway.phases.base import Inputs, PhaseKind
from pipeline.v1 import common_pb2, mvp_pb2, mvp_pb2_grpc


def _request(context: common_pb2.PhaseContext, inputs: Inputs) -> mvp_pb2.BuildMvpRequest:
    return mvp_pb2.BuildMvpRequest(
        context=context,
        profile=inputs.validation.profile if inputs.validation is not None else None,
        claims=inputs.claims,
        type=inputs.spec.mvp_type,
    )


KIND = PhaseKind(
    phase=common_pb2.PHASE_MVP,
    name="mvp",
    item_field="check",
    event_field="check_finished",
    item_key=lambda item: str(item.name),
    request=_request,
    stub=lambda channel: mvp_pb2_grpc.MvpServiceStub(channel).BuildMvp,
)
