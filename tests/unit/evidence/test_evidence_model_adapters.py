"""Planning and stance over the real adapters, against servers on loopback."""

from __future__ import annotations

import json

import pytest

from chassis.budget import Budget
from chassis.resilience import RetryPolicy

pytest.importorskip("pydantic_ai", reason="the extra 'llm' is not installed")

from chassis.models.use import ModelUse
from pipeline.v1 import common_pb2
from services.evidence import model_stance, planning
from services.evidence.domain.stance import SUPPORTS
from tests.support.evidence_kit import candidate, query
from tests.support.text_models import Reply, adapted, chat, message, model_server, reset

PLAN = json.dumps({"claims": [{"number": 1, "phrases": ["household food waste"]}]})
VERDICTS = json.dumps({"verdicts": [{"number": 1, "stance": "supports", "confidence": 8}]})


def text(content: str) -> Reply:
    return message([{"type": "text", "text": content}])


def filled(content: str) -> Reply:
    used = {"type": "tool_use", "id": "toolu_1", "name": "answer", "input": json.loads(content)}
    return message([used], stop="tool_use")


@pytest.mark.filterwarnings("error::UserWarning")
@pytest.mark.parametrize(
    ("model", "reply"),
    [
        ("openai:gpt-4o-mini", chat),
        ("anthropic:claude-haiku-4-5", text),
        ("anthropic:claude-3-5-haiku-latest", filled),
    ],
)
async def test_both_uses_over_each_adapter(model: str, reply: object) -> None:
    """The structures travel in each provider's form, and their cost is booked under the run's keys."""
    assert callable(reply)
    async with model_server(reply(PLAN), reply(VERDICTS)) as server, adapted(server, model, priced=True) as subject:
        use = ModelUse(subject, Budget(1_000_000), key="runs/a/evidence/1", phase=common_pb2.PHASE_EVIDENCE)
        planned = await planning.plan([query()], use)
        (judged,) = await model_stance.judge([candidate(relevance=0.8)], use)
    assert [q.words for q in planned[1:]] == ["household food waste"]
    assert judged == (SUPPORTS, 0.8, f"so {model} reads it, with a confidence of 8 of 10", model, ())
    assert [spend.key for spend in use.spends()] == ["runs/a/evidence/1/search-phrases/1", "runs/a/evidence/1/stance/1"]
    assert all(spend.amount_micros > 0 for spend in use.spends())
    assert use.missing() == []


async def test_a_server_that_dies_in_mid_run() -> None:
    """Planned by the model, judged by the rules: the breaker opens, and the reader is told."""
    quick = RetryPolicy(attempts=3, first_wait=0.001, max_wait=0.002)
    async with model_server(chat(PLAN), reset) as server, adapted(server, retry=quick) as subject:
        use = ModelUse(subject, Budget(0), key="runs/a/evidence/1", phase=common_pb2.PHASE_EVIDENCE)
        assert len(await planning.plan([query()], use)) == 2
        assert await model_stance.judge([candidate(relevance=0.8)], use) == [None]
    assert not use.asks
    assert "Words and rules did its work: stance (1 question)" in use.missing()[0].reason
    assert len(server.bodies) == 4
