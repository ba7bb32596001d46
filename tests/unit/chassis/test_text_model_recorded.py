"""Recorded answers of OpenAI and Anthropic, where they are beside the project, through the adapters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from chassis.budget import Budget
from chassis.models.text import CompletionRequest, Message, T
from chassis.resilience import RetryPolicy
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

pytest.importorskip("pydantic_ai", reason="the extra 'llm' is not installed")

from tests.support.text_models import adapted, answered, model_server

SAMPLES = Path(__file__).resolve().parents[3].parent / "shared" / "api-samples"
pytestmark = pytest.mark.skipif(not SAMPLES.exists(), reason="the recorded API samples are not beside the project")

OPENAI, ANTHROPIC = "openai:gpt-4o-2024-08-06", "anthropic:claude-haiku-4-5"


class Place(BaseModel):
    """What the recorded OpenAI request asked for."""

    city: str
    country: str


class Dish(BaseModel):
    """A part of it."""

    name: str


class Recipe(BaseModel):
    """What the recorded Anthropic request asked for."""

    recipe: Dish


class Spot(BaseModel):
    """One of its entries."""

    location: str


class Weather(BaseModel):
    """What the recorded tool was to be filled with."""

    elements: list[Spot]


def recorded(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text())


async def ask(model: str, body: object, output: type[T], status: int = 200) -> tuple[T, int, int]:
    """The value and the tokens that a recorded body is read as."""
    async with (
        model_server(answered(body, status)) as server,
        adapted(server, model, retry=RetryPolicy(attempts=1)) as subject,
    ):
        done = await subject.complete(CompletionRequest([Message("user", "?")], output, key="k"), Budget(0))
    return done.value, done.input_tokens, done.output_tokens


async def test_structured_answers() -> None:
    """Values and token counts are those of the recordings."""
    place, tokens_in, tokens_out = await ask(OPENAI, recorded("openai/chat_completion_json_schema.json"), Place)
    assert (place.city, place.country, tokens_in, tokens_out) == ("Mexico City", "Mexico", 92, 15)
    recipe, tokens_in, tokens_out = await ask(ANTHROPIC, recorded("anthropic/messages_json_output_format.json"), Recipe)
    assert (recipe.recipe.name, tokens_in, tokens_out) == ("Classic Lasagna", 371, 629)
    weather, _, _ = await ask(ANTHROPIC, recorded("anthropic/messages_json_tool.json"), Weather)
    assert [element.location for element in weather.elements][:2] == ["San Francisco", "London"]


@pytest.mark.parametrize(
    ("model", "name", "cause"),
    [
        (OPENAI, "openai/chat_completion_text.json", "invalid"),
        (ANTHROPIC, "anthropic/messages_text.json", "invalid"),
        (ANTHROPIC, "anthropic/messages_refusal.json", "refused"),
    ],
)
async def test_answers_without_the_structure(model: str, name: str, cause: str) -> None:
    """Prose is no structure, and a refusal is one."""
    with pytest.raises(PipelineError) as caught:
        await ask(model, recorded(name), Place)
    assert caught.value.metadata["cause"] == cause


ERRORS = [path for path in sorted(SAMPLES.glob("*/error_*.json")) if path.parent.name in ("openai", "anthropic")]


@pytest.mark.parametrize("path", [path for path in ERRORS if not path.name.endswith(".meta.json")])
async def test_recorded_errors(path: Path) -> None:
    """Each recorded error has a typed reason, and none of its words reach ours."""
    body, status = json.loads(path.read_text()), int(path.name.split("_")[1])
    with pytest.raises(PipelineError) as caught:
        await ask(OPENAI if path.parent.name == "openai" else ANTHROPIC, body, Place, status)
    limited = caught.value.reason == errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED
    assert limited == (status == 429)
    assert caught.value.metadata["status"] == str(status)
    assert body["error"]["message"] not in str(caught.value)
