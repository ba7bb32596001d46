"""The text-model port: its default, and how a configuration becomes a model."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from chassis.budget import Budget
from chassis.config import ConfigError, TextModelConfig, load
from chassis.models.text import CompletionRequest, Message, NoTextModel, TextModel, check_packages, load_text_model
from chassis.testing import recording_telemetry
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2


class Headline(BaseModel):
    """What is asked for."""

    text: str


REQUEST = CompletionRequest([Message("user", "Write a headline")], Headline, key="k")


async def test_no_model_says_so() -> None:
    """The default is not available, costs nothing, and refuses to be asked."""
    model: TextModel = NoTextModel()
    assert (model.name, model.available, model.local, model.cost_micros_max(REQUEST)) == ("none", False, True, 0)
    with pytest.raises(PipelineError) as caught:
        await model.complete(REQUEST, Budget(0))
    assert caught.value.reason == errors_pb2.ERROR_REASON_UPSTREAM_FAILED
    assert caught.value.metadata["configured"] == "false"
    await model.close()


def test_our_own_words_are_never_marked_untrusted() -> None:
    """Text from outside cannot be a system message."""
    with pytest.raises(ValueError, match="write 'user'"):
        Message("system", "from a page", untrusted=True)


def test_none_is_the_default_and_imports_nothing() -> None:
    """Without a setting there is no model."""
    assert not load_text_model(load(TextModelConfig), recording_telemetry()).available


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"text_model": "gpt-x"}, "write none, openai:NAME or anthropic:NAME"),
        ({"text_model": "openai:"}, "write none, openai:NAME or anthropic:NAME"),
        ({"text_model_url": "localhost:8000"}, "write http://host:port/v1"),
        ({"text_model_timeout_seconds": 0}, "must be more than 0"),
        ({"text_model": "openai:gpt-x"}, "set PIPELINE_TEXT_MODEL_KEY"),
        ({"text_model": "anthropic:claude-x"}, "set PIPELINE_TEXT_MODEL_KEY"),
    ],
)
def test_what_cannot_work_is_refused_at_the_start(given: dict[str, object], says: str) -> None:
    """A wrong or missing setting is one sentence with its mend."""
    pytest.importorskip("pydantic_ai", reason="the extra 'llm' is not installed")
    with pytest.raises(ConfigError, match=says):
        load_text_model(load(TextModelConfig, **given), recording_telemetry())


def test_missing_libraries_are_named() -> None:
    """Without the extra, the start is refused with what to install."""
    with pytest.raises(ConfigError, match="needs pydantic_ai, genai_prices, httpx2, openai; install the extra 'llm'"):
        check_packages("openai:gpt-x", find=lambda _: None)


async def test_offline_leaves_only_this_machine() -> None:
    """Offline, a far model is not available and one on loopback is; the key is in neither's repr."""
    pytest.importorskip("pydantic_ai", reason="the extra 'llm' is not installed")
    far = load(TextModelConfig, offline=True, text_model="openai:gpt-4o-mini", text_model_key="sk-secret-0123456789")
    near = load(TextModelConfig, offline=True, text_model="openai:m", text_model_url="http://127.0.0.1:9/v1")
    assert not load_text_model(far, recording_telemetry()).available
    model = load_text_model(near, recording_telemetry())
    assert (model.available, model.local, model.name) == (True, True, "openai:m")
    assert "secret" not in repr(far) + repr(model)
    await model.close()


async def test_unknown_prices_are_said_to_be_unknown() -> None:
    """A model of the price list costs what it says; an unlisted one and a local one cost 0 and say why."""
    pytest.importorskip("pydantic_ai", reason="the extra 'llm' is not installed")
    telemetry = recording_telemetry()
    key = {"text_model_key": "k"}
    listed = load_text_model(load(TextModelConfig, offline=False, text_model="openai:gpt-4o-mini", **key), telemetry)
    unlisted = load_text_model(load(TextModelConfig, offline=False, text_model="openai:not-a-model", **key), telemetry)
    local = load_text_model(load(TextModelConfig, text_model="openai:x", text_model_url="http://[::1]:1/v1"), telemetry)
    assert listed.price_note == ""
    assert listed.cost_micros_max(REQUEST) > 0
    assert "does not know the price" in unlisted.price_note
    assert "this machine" in local.price_note
    assert unlisted.cost_micros_max(REQUEST) == local.cost_micros_max(REQUEST) == 0
    for model in (listed, unlisted, local):
        await model.close()
