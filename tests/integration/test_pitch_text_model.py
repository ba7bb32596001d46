"""A text model in the pitch server: it words lines, names evidence, is checked, and changes nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from chassis.figures import Figures
from chassis.models.prompt import Prompt
from chassis.testing import ManualClock, phase_context, recording_telemetry, serve
from chassis.testing_models import ScriptedTextModel, failing
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2, pitch_pb2, pitch_pb2_grpc
from services.pitch.config import PitchConfig
from services.pitch.domain.sizing import Sizing
from services.pitch.server import build
from services.pitch.servicer import PitchProviders
from tests.support import pptx_walk
from tests.support.pitches import IDEAS, NOW, request_for

FOOD = IDEAS["food"]
Answer = Callable[[Prompt], Mapping[str, Any]]


async def deck(folder: Path, model: ScriptedTextModel | None, *, allowance: int = 1_000_000) -> pitch_pb2.PitchResult:
    """The deck of one idea, with a model or without."""
    providers = PitchProviders(Figures.load(), Sizing.load(), model)
    config = PitchConfig(state_dir=folder, embedder="none", soffice="off")
    server = build(config, providers=providers, clock=ManualClock(NOW), telemetry=recording_telemetry("pitch"))
    async with serve(server) as channel:
        request = request_for(FOOD)
        request.context.CopyFrom(phase_context(common_pb2.PHASE_PITCH))
        request.context.allowance_micros = allowance
        call = pitch_pb2_grpc.PitchServiceStub(channel).DraftDeck(request)
        return [message async for message in call][-1].result


def wording(make: Callable[[str], str]) -> Answer:
    """A model that rewrites the first line of each slide from the first piece of evidence."""

    def answer(prompt: Prompt) -> Mapping[str, Any]:
        quotes = re.findall(r"<<<DATA (\w+) evidence 1>>>\n(.*?)\n<<<END \1>>>", prompt.user, re.DOTALL)
        return {"lines": [{"line": 1, "text": make(quotes[0][1]), "evidence": [1]}]}

    return answer


def shape(result: pitch_pb2.PitchResult) -> list[tuple[int, int, int]]:
    return [
        (slide.type, len(slide.statements), len(slide.table.rows))
        for slide in result.slides
        if slide.type != pitch_pb2.SLIDE_TYPE_SOURCES
    ]


def model_lines(result: pitch_pb2.PitchResult) -> list[pitch_pb2.Statement]:
    return [line for slide in result.slides for line in slide.statements if line.is_model_written]


async def test_carried_sentences_stand_on_the_slides_with_their_evidence(tmp_path: Path) -> None:
    """Same slides, same number of lines; what the model worded names its evidence and is covered."""
    plain = await deck(tmp_path / "a", None)
    worded = await deck(tmp_path / "b", ScriptedTextModel(wording(lambda quote: quote[:190]), cost_micros=700))
    assert shape(worded) == shape(plain)
    lines = model_lines(worded)
    assert lines
    assert all(line.citation_ids for line in lines)
    assert model_lines(plain) == []
    assert sum(spend.amount_micros for spend in worded.usage.spend) == 700 * len(worded.usage.spend) > 0
    assert "lines worded by it" in worded.notices[-1].message
    assert [*pptx_walk.overflows(pptx_walk.read(worded.artifacts[0].content))] == []


async def test_an_invented_number_does_not_reach_a_slide(tmp_path: Path) -> None:
    """What the evidence does not carry is not used, and the reader is told how much that was."""
    model = ScriptedTextModel(wording(lambda quote: f"{quote[:120]} and 99,999 others"))
    result = await deck(tmp_path, model)
    assert model_lines(result) == []
    assert not any("99,999" in line.text for slide in result.slides for line in slide.statements)
    assert "give a number that their evidence does not" in result.notices[-1].message


async def test_a_model_that_fails_costs_its_words_alone(tmp_path: Path) -> None:
    """The deck is the one that the rules write, with a typed entry that says so."""
    error = PipelineError(errors_pb2.ERROR_REASON_UPSTREAM_FAILED, "the model's server is away")
    plain = await deck(tmp_path / "a", None)
    result = await deck(tmp_path / "b", ScriptedTextModel(failing(error)))
    assert list(result.slides) == list(plain.slides)
    gap = next(gap for gap in result.missing if gap.subject == "text model")
    assert (gap.phase, gap.kind) == (common_pb2.PHASE_PITCH, common_pb2.MISSING_KIND_SOURCE_FAILED)


async def test_without_an_allowance_nothing_is_asked(tmp_path: Path) -> None:
    """A model that costs is not asked beyond what the run may spend."""
    model = ScriptedTextModel(wording(str), cost_micros=700)
    result = await deck(tmp_path, model, allowance=0)
    assert model.prompts == []
    assert any(gap.kind == common_pb2.MISSING_KIND_BUDGET for gap in result.missing)


async def test_what_is_shown_to_the_model_is_fenced(tmp_path: Path) -> None:
    """Lines, evidence and the founder's description travel as data; numbers that we computed are not handed out."""
    model = ScriptedTextModel(wording(str))
    await deck(tmp_path, model)
    assert model.prompts
    for prompt in model.prompts:
        outside = re.sub(r"<<<DATA (\w+) [^>]*>>>.*?<<<END \1>>>", "", prompt.user, flags=re.DOTALL)
        assert outside.strip() == ""
        assert "households" not in prompt.system
