"""The pitch server over a unix socket."""

from __future__ import annotations

import hashlib
from pathlib import Path

import grpc
import pytest

from chassis.testing import ManualClock, phase_context, recording_telemetry, serve
from pipeline.errors import from_rpc_error
from pipeline.v1 import common_pb2, errors_pb2, pitch_pb2, pitch_pb2_grpc
from services.pitch.config import PitchConfig
from services.pitch.server import build
from tests.support import pptx_walk
from tests.support.pitches import IDEAS, NOW, request_for

Message = pitch_pb2.DraftDeckResponse


def settings(tmp_path: Path) -> PitchConfig:
    return PitchConfig(state_dir=tmp_path, embedder="none", soffice="off")


async def draft(channel: grpc.aio.Channel, request: pitch_pb2.DraftDeckRequest) -> list[Message]:
    request.context.CopyFrom(phase_context(common_pb2.PHASE_PITCH))
    call = pitch_pb2_grpc.PitchServiceStub(channel).DraftDeck(request)
    try:
        return [message async for message in call]
    finally:
        call.cancel()


async def test_a_deck_is_streamed_and_handed_over(tmp_path: Path) -> None:
    """Progress, then every slide in order, then one result with both files and their digests."""
    server = build(settings(tmp_path), clock=ManualClock(NOW), telemetry=recording_telemetry("pitch"))
    async with serve(server) as channel:
        messages = await draft(channel, request_for(IDEAS["clinic"]))
    kinds = [message.WhichOneof("payload") for message in messages]
    assert kinds[0] == "progress"
    assert kinds.count("result") == 1
    assert kinds[-1] == "result"
    result = messages[-1].result
    slides = [message.slide for message in messages if message.WhichOneof("payload") == "slide"]
    assert slides == list(result.slides)
    assert result.investor_type == common_pb2.INVESTOR_TYPE_SEED
    assert [artifact.path for artifact in result.artifacts] == ["deck.pptx", "deck.html"]
    for artifact in result.artifacts:
        assert artifact.size_bytes == len(artifact.content) < 2 * 1024 * 1024
        assert artifact.sha256 == hashlib.sha256(artifact.content).hexdigest()
        assert artifact.phase == common_pb2.PHASE_PITCH
    presentation = pptx_walk.read(result.artifacts[0].content)
    assert len(presentation.slides) == len(result.slides)
    assert presentation.core_properties.created == NOW.replace(tzinfo=None)
    assert {gap.phase for gap in result.missing} == {common_pb2.PHASE_PITCH}
    assert result.usage.operations == 2


async def test_every_id_on_a_slide_is_in_the_result(tmp_path: Path) -> None:
    """Citation and assumption ids of slides resolve within the result alone."""
    async with serve(build(settings(tmp_path), telemetry=recording_telemetry("pitch"))) as channel:
        result = (await draft(channel, request_for(IDEAS["food"])))[-1].result
    cited = {citation.id for citation in result.citations}
    assumed = {assumption.id for assumption in result.assumptions}
    for slide in result.slides:
        carriers = [*slide.statements, *slide.table.rows, slide.chart]
        for carrier in carriers:
            assert set(carrier.citation_ids) <= cited
            assert set(carrier.assumption_ids) <= assumed


async def test_an_unspecified_investor_is_a_seed_fund(tmp_path: Path) -> None:
    """The contract's default is honoured and named in the result."""
    request = request_for(IDEAS["food"], common_pb2.INVESTOR_TYPE_UNSPECIFIED)
    async with serve(build(settings(tmp_path), telemetry=recording_telemetry("pitch"))) as channel:
        result = (await draft(channel, request))[-1].result
    assert result.investor_type == common_pb2.INVESTOR_TYPE_SEED


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pitch_pb2.DraftDeckRequest(), "profile.idea"),
        (
            pitch_pb2.DraftDeckRequest(profile=common_pb2.IdeaProfile(idea="An idea of some length"), investor_type=77),  # type: ignore[arg-type]
            "investor_type",
        ),
        (
            pitch_pb2.DraftDeckRequest(
                profile=common_pb2.IdeaProfile(idea="An idea of some length"),
                claims=[common_pb2.Claim(id=f"c{place}") for place in range(201)],
            ),
            "claims",
        ),
    ],
    ids=["empty", "investor", "claims"],
)
async def test_an_unusable_request_names_the_field(
    tmp_path: Path, request_: pitch_pb2.DraftDeckRequest, field: str
) -> None:
    """INVALID_ARGUMENT with the field and the mend, before any slide is written."""
    async with serve(build(settings(tmp_path), telemetry=recording_telemetry("pitch"))) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await draft(channel, request_)
    error = from_rpc_error(caught.value)
    assert error.reason == errors_pb2.ERROR_REASON_INVALID_FIELD
    assert [violation.field for violation in error.violations] == [field]


async def test_spans_tell_writing_from_drawing(tmp_path: Path) -> None:
    """The trace shows where the time went."""
    telemetry = recording_telemetry("pitch")
    async with serve(build(settings(tmp_path), telemetry=telemetry)) as channel:
        await draft(channel, request_for(IDEAS["food"]))
    names = {span.name for span in telemetry.spans()}
    assert {"pitch.write", "pitch.draw"} <= names
