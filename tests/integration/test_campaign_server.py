"""The campaign server over a unix socket, as the gateway calls it."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest

from chassis.config import load
from chassis.testing import phase_context, recording_telemetry, serve
from pipeline.errors import from_rpc_error
from pipeline.v1 import campaign_pb2, campaign_pb2_grpc, common_pb2
from services.campaign.config import CampaignConfig
from services.campaign.server import build
from tests.support.campaigns import IDEAS, request_for


@pytest.fixture
def config(tmp_path: Path) -> CampaignConfig:
    return load(CampaignConfig, state_dir=tmp_path, offline=True, page_listen="off")


async def test_a_campaign_streams_assets_then_the_result(config: CampaignConfig) -> None:
    """Progress and assets arrive before the one result, which repeats them and carries every file."""
    request = request_for(IDEAS["clinic"])
    request.context.CopyFrom(phase_context(common_pb2.PHASE_CAMPAIGN))
    async with serve(build(config, telemetry=recording_telemetry("campaign"))) as channel:
        call = campaign_pb2_grpc.CampaignServiceStub(channel).DraftCampaign(request, timeout=20)
        replies = [reply async for reply in call]
    kinds = [reply.WhichOneof("payload") for reply in replies]
    assert kinds[-1] == "result"
    assert kinds.count("result") == 1
    result = replies[-1].result
    streamed = [reply.asset for reply in replies if reply.HasField("asset")]
    assert streamed == list(result.assets)
    assert {a.path for a in result.artifacts} == {
        "campaign/plan.json",
        "campaign/ads.json",
        "campaign/ads.csv",
        "campaign/README.txt",
        *(f"campaign/landing-{v}/{page}.html" for v in "ab" for page in ("index", "privacy")),
    }
    assert all(a.phase == common_pb2.PHASE_CAMPAIGN for a in result.artifacts)
    assert result.usage.operations == 1
    assert result.usage.external_calls == 0


async def test_a_bad_request_crosses_the_wire_with_its_field(config: CampaignConfig) -> None:
    """A negative budget is INVALID_ARGUMENT with the field, and no file is sent."""
    request = request_for(IDEAS["food"])
    request.ad_budget_micros = -5
    async with serve(build(config, telemetry=recording_telemetry("campaign"))) as channel:
        call = campaign_pb2_grpc.CampaignServiceStub(channel).DraftCampaign(request, timeout=20)
        replies: list[campaign_pb2.DraftCampaignResponse] = []
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            replies.extend([reply async for reply in call])
    error = from_rpc_error(caught.value)
    assert error.code == grpc.StatusCode.INVALID_ARGUMENT
    assert error.violations[0].field == "ad_budget_micros"
    assert not [r for r in replies if r.HasField("result")]
