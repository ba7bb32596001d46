"""The MVP server over a unix socket."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path

import grpc
import pytest

from chassis.config import load
from chassis.telemetry import ATTR_OUTCOME, SPAN_SANDBOX
from chassis.testing import phase_context, recording_telemetry, serve
from pipeline.errors import from_rpc_error
from pipeline.v1 import common_pb2, errors_pb2, mvp_pb2, mvp_pb2_grpc
from services.mvp.checks import ATTR_CHECK, SPAN_CHECK
from services.mvp.config import MvpConfig
from services.mvp.sandbox import Sandbox
from services.mvp.server import build
from services.mvp.servicer import MvpProviders
from services.mvp.testing import profile


def request(
    kind: str, mvp_type: common_pb2.MvpType.ValueType = common_pb2.MVP_TYPE_UNSPECIFIED
) -> mvp_pb2.BuildMvpRequest:
    """A request for one of the sample ideas."""
    return mvp_pb2.BuildMvpRequest(context=phase_context(common_pb2.PHASE_MVP), profile=profile(kind), type=mvp_type)


@pytest.mark.parametrize(("kind", "entity"), [("expiry", "PantryItem"), ("appointments", "Appointment")])
async def test_builds_checks_and_delivers(kind: str, entity: str, tmp_path: Path) -> None:
    """An idea becomes a tested project: progress, each check as it ends, one result with the files and the report."""
    telemetry = recording_telemetry("mvp")
    async with serve(build(load(MvpConfig, state_dir=tmp_path), telemetry=telemetry)) as channel:
        answers = [answer async for answer in mvp_pb2_grpc.MvpServiceStub(channel).BuildMvp(request(kind))]
    kinds = [answer.WhichOneof("payload") for answer in answers]
    assert kinds[0] == "progress"
    assert kinds[-1] == "result"
    assert kinds.count("result") == 1
    result = answers[-1].result
    assert result.status == mvp_pb2.MVP_STATUS_DELIVERED, result.log_tail
    assert [answer.check for answer in answers if answer.HasField("check")] == list(result.checks)
    assert entity in [one.name for one in result.spec.entities]

    files = {artifact.path: artifact for artifact in result.artifacts}
    assert {"mvp/README.md", "mvp/app/main.py", "mvp/Dockerfile", "mvp-report.json"} <= set(files)
    for artifact in files.values():
        assert hashlib.sha256(artifact.content).hexdigest() == artifact.sha256
        assert artifact.phase == common_pb2.PHASE_MVP
    report = json.loads(files["mvp-report.json"].content)
    assert report["status"] == "DELIVERED"
    assert report["isolation"] == result.isolation != ""
    assert len(report["checks"]) == len(result.checks)

    spans = telemetry.spans()
    assert len({span.context.trace_id for span in spans if span.context}) == 1
    assert [span.attributes[ATTR_CHECK] for span in spans if span.name == SPAN_SANDBOX and span.attributes] == [
        "static",
        "boot",
        "tests",
    ]
    outcomes = [span.attributes[ATTR_OUTCOME] for span in spans if span.name == SPAN_CHECK and span.attributes]
    assert outcomes == ["passed"] * len(result.checks)


async def test_an_empty_profile_is_refused_by_field(tmp_path: Path) -> None:
    """A request without an idea is INVALID_FIELD with the field and the mend."""
    async with serve(build(load(MvpConfig, state_dir=tmp_path))) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            _ = [answer async for answer in mvp_pb2_grpc.MvpServiceStub(channel).BuildMvp(mvp_pb2.BuildMvpRequest())]
    error = from_rpc_error(caught.value)
    assert error.reason == errors_pb2.ERROR_REASON_INVALID_FIELD
    assert error.violations[0].field == "profile.idea"


async def test_builds_wait_for_their_turn_and_a_cancelled_one_frees_it(tmp_path: Path) -> None:
    """With one place, a second build says that it waits; when the first is cancelled, the second goes on."""
    providers = MvpProviders(sandbox=Sandbox(), builds=1)
    async with serve(build(load(MvpConfig, state_dir=tmp_path), providers=providers)) as channel:
        stub = mvp_pb2_grpc.MvpServiceStub(channel)
        first = stub.BuildMvp(request("monitor"))
        async for answer in first:
            if answer.progress.done == 3:
                break
        second = stub.BuildMvp(request("search", common_pb2.MVP_TYPE_LANDING_PAGE))
        messages = []
        async with asyncio.timeout(30):
            async for answer in second:
                messages.append(answer.progress.message)
                if answer.progress.message.startswith("waiting"):
                    first.cancel()
    assert "waiting for a build to finish" in messages
    assert answer.result.status == mvp_pb2.MVP_STATUS_DELIVERED
