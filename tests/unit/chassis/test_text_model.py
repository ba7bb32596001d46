"""The text-model port and its default."""

from __future__ import annotations

import pytest

from chassis.models.text import CompletionRequest, Message, NoTextModel, TextModel
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2


async def test_no_model_says_so() -> None:
    """The default is not available, costs nothing, and refuses to be asked."""
    model: TextModel = NoTextModel()
    request = CompletionRequest([Message("user", "Write a headline")], {"type": "object"}, key="k")
    assert (model.name, model.available, model.cost_micros_max(request)) == ("none", False, 0)
    with pytest.raises(PipelineError) as caught:
        await model.complete(request)
    assert caught.value.reason == errors_pb2.ERROR_REASON_UPSTREAM_FAILED
    assert caught.value.metadata["configured"] == "false"
    await model.close()
