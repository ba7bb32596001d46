"""Client side of the campaign phase."""

from __future__ import annotations

from gateway.phases.base import Inputs, PhaseKind
from pipeline.v1 import campaign_pb2, campaign_pb2_grpc, common_pb2


def _request(context: common_pb2.PhaseContext, inputs: Inputs) -> campaign_pb2.DraftCampaignRequest:
    return campaign_pb2.DraftCampaignRequest(
        context=context,
        profile=inputs.validation.profile if inputs.validation is not None else None,
        claims=inputs.claims,
        evidence=inputs.items,
        verdict=inputs.verdict,
        campaign_type=inputs.spec.campaign_type or common_pb2.CAMPAIGN_TYPE_SMOKE_TEST,
        ad_budget_micros=inputs.spec.ad_budget_micros,
    )


KIND = PhaseKind(
    phase=common_pb2.PHASE_CAMPAIGN,
    name="campaign",
    item_field="asset",
    event_field="asset_drafted",
    item_key=lambda item: str(item.id),
    request=_request,
    stub=lambda channel: campaign_pb2_grpc.CampaignServiceStub(channel).DraftCampaign,
)
