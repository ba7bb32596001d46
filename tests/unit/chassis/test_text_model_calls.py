"""Calls to text models: answers, repairs and every way in which a server fails, on loopback."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from chassis.breaker import BreakerState
from chassis.budget import Budget
from chassis.resilience import RetryPolicy
from chassis.testing import ManualClock, settle, until
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

pytest.importorskip("pydantic_ai", reason="the extra 'llm' is not installed")

from tests.support.text_models import (
    SECRET,
    USD,
    VALID,
    City,
    Reply,
    adapted,
    answered,
    anthropic_error,
    chat,
    held,
    message,
    model_server,
    openai_error,
    request,
    reset,
    silent,
)


async def failure(*replies: Reply, model: str = "openai:gpt-4o-mini", **options: Any) -> tuple[PipelineError, int]:
    """The error that these replies end in, and the number of calls that were made."""
    async with model_server(*replies) as server, adapted(server, model, **options) as subject:
        budget = Budget(USD)
        with pytest.raises(PipelineError) as caught:
            await subject.complete(request(), budget)
        assert budget.reserved_micros == 0
        return caught.value, len(server.bodies)


# ---------------------------------------------------------------------------------------------- answers


async def test_openai_compatible_answer() -> None:
    """The structure comes back typed; what left has a schema, a bound, and the page inside a fence."""
    async with model_server(chat(VALID)) as server, adapted(server) as subject:
        done = await subject.complete(request(), Budget(0))
    assert done.value == City(city="Lisbon", people=545_000)
    assert (done.model, done.input_tokens, done.output_tokens) == ("gpt-4o-mini-2024-07-18", 120, 30)
    assert not done.repaired
    body = server.bodies[0]
    assert body["response_format"]["json_schema"]["schema"]["required"] == ["city", "people"]
    assert body["max_tokens"] == 200
    system, user = (turn["content"] for turn in body["messages"])
    assert "Lisbon" not in system
    assert user.startswith("<<<DATA ")
    assert "traceparent" not in server.headers[0]


async def test_anthropic_answer_as_text() -> None:
    """A model with structured output answers in text."""
    async with (
        model_server(message([{"type": "text", "text": VALID}])) as server,
        adapted(server, "anthropic:claude-haiku-4-5") as subject,
    ):
        done = await subject.complete(request(), Budget(0))
    assert (done.value.city, done.model) == ("Lisbon", "claude-haiku-4-5-20251001")
    assert server.bodies[0]["max_tokens"] == 200
    assert server.headers[0]["anthropic-version"]


async def test_anthropic_answer_as_tool_call() -> None:
    """An older model fills a tool's input, which is all that it may do."""
    used = [{"type": "tool_use", "id": "toolu_1", "name": "answer", "input": json.loads(VALID)}]
    async with (
        model_server(message(used, stop="tool_use")) as server,
        adapted(server, "anthropic:claude-3-5-haiku-latest") as subject,
    ):
        done = await subject.complete(request(), Budget(0))
    assert done.value.people == 545_000
    assert [tool["name"] for tool in server.bodies[0]["tools"]] == ["answer"]
    assert server.bodies[0]["tool_choice"]["type"] in ("tool", "any")


@pytest.mark.parametrize("wrong", ['{"city": "Lisbon"}', "no JSON at all", '{"city": "Lis', "", "[1, 2]"])
async def test_invalid_answer_is_repaired_once(wrong: str) -> None:
    """A wrong answer is asked for again, told what was wrong; the wrong answer itself is not sent back."""
    async with model_server(chat(wrong), chat(f"```json\n{VALID}\n```")) as server, adapted(server) as subject:
        done = await subject.complete(request(), Budget(0))
    assert done.repaired
    assert (done.input_tokens, done.output_tokens) == (240, 60)
    second = server.bodies[1]["messages"][-1]["content"]
    assert "could not be used" in second
    assert len(server.bodies[1]["messages"]) == 2


async def test_invalid_twice_is_an_error() -> None:
    """There is no third try, and both answers are paid for."""
    async with (
        model_server(chat('{"city": 5}')) as server,
        adapted(server, priced=True) as subject,
    ):
        budget = Budget(USD)
        with pytest.raises(PipelineError) as caught:
            await subject.complete(request(), budget)
    assert (caught.value.metadata["cause"], len(server.bodies)) == ("invalid", 2)
    # gpt-4o-mini: 0.15 and 0.60 USD for a million tokens in and out, 120 and 30 of them, rounded up, twice.
    assert (budget.spent_micros, budget.reserved_micros) == (72, 0)
    assert subject.breaker.state is BreakerState.CLOSED


async def test_a_cut_answer_is_asked_for_shorter() -> None:
    """An answer that met its bound is repaired by a shorter one."""
    async with model_server(chat('{"city": "Lisb', finish="length"), chat(VALID)) as server, adapted(server) as subject:
        assert (await subject.complete(request(), Budget(0))).repaired
    assert "write less" in server.bodies[1]["messages"][-1]["content"]


@pytest.mark.parametrize("status", [400, 422, 500])
async def test_server_without_json_schema(status: int) -> None:
    """Where json_schema is refused, json_object with the schema beside it is used from then on."""
    refused = openai_error(status, None, "('body', 'response_format', 'type'): should be 'text' or 'json_object'")
    async with model_server(refused, chat(VALID)) as server, adapted(server) as subject:
        await subject.complete(request(), Budget(0))
        await subject.complete(request("step-2"), Budget(0))
    kinds = [body["response_format"]["type"] for body in server.bodies]
    assert kinds == ["json_schema", "json_object", "json_object"]
    assert server.bodies[1]["response_format"]["schema"]["required"] == ["city", "people"]
    assert '"required":["city","people"]' in server.bodies[1]["messages"][0]["content"]


@pytest.mark.parametrize(
    ("model", "reply"),
    [
        ("openai:gpt-4o-mini", chat(None, refusal="I cannot help with that.")),
        ("openai:gpt-4o-mini", chat("", finish="content_filter")),
        ("anthropic:claude-haiku-4-5", message([], stop="refusal")),
    ],
)
async def test_refusal_is_not_asked_again(model: str, reply: Reply) -> None:
    """A model that will not answer is not repaired, retried or held against its server."""
    error, calls = await failure(reply, model=model)
    assert (error.metadata["cause"], calls) == ("refused", 1)
    assert "cannot help" not in str(error)


# ----------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry_After": "40"}, 40.0),
        ({"Retry_After": "0.5"}, 0.5),
        ({"retry_after_ms": "1500"}, 1.5),
        ({"Retry_After": format_datetime(datetime.now(UTC) + timedelta(seconds=3_000), usegmt=True)}, 300.0),
        ({"Retry_After": "soon"}, 10.0),
        ({}, 10.0),
    ],
)
@pytest.mark.parametrize("model", ["openai:gpt-4o-mini", "anthropic:claude-haiku-4-5"])
async def test_rate_limit_and_its_wait(model: str, headers: dict[str, str], wait: float) -> None:
    """Each form of Retry-After is read; the breaker stays closed."""
    make = openai_error if model.startswith("openai") else anthropic_error
    error, calls = await failure(
        make(429, "rate_limit_error", "slow down", **headers), model=model, retry=RetryPolicy(attempts=1)
    )
    assert error.reason == errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED
    assert (error.retry_after, calls) == (pytest.approx(wait), 1)


async def test_a_named_wait_is_kept_before_the_next_call() -> None:
    """After 429 the next call comes when the server said, not before, and only this layer retries."""
    clock = NotingClock()
    async with (
        model_server(openai_error(429, "rate_limit_exceeded", "slow", Retry_After="7"), chat(VALID)) as server,
        adapted(server, clock=clock) as subject,
    ):
        work = asyncio.create_task(subject.complete(request(), Budget(0)))
        await until(lambda: 7.0 in clock.asked_for)
        clock.advance(6.9)
        await settle()
        assert len(server.bodies) == 1
        clock.advance(0.2)
        assert (await work).value.city == "Lisbon"
    assert len(server.bodies) == 2


class NotingClock(ManualClock):
    """A manual clock that remembers how long its sleepers wanted to sleep."""

    def __init__(self) -> None:
        super().__init__()
        self.asked_for: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.asked_for.append(seconds)
        await super().sleep(seconds)


async def test_no_credit_is_not_retried() -> None:
    """OpenAI says 429 for an empty account, too: waiting does not help."""
    error, calls = await failure(openai_error(429, "insufficient_quota", "You exceeded your current quota"))
    assert (error.reason, error.retry_after, calls) == (errors_pb2.ERROR_REASON_UPSTREAM_FAILED, None, 1)
    assert "credit" in error.message


@pytest.mark.parametrize("status", [500, 503, 529])
async def test_server_errors_are_retried_and_counted(status: int) -> None:
    """An overloaded server is asked three times in all, then its breaker opens and nobody asks."""
    quick = RetryPolicy(attempts=3, first_wait=0.001, max_wait=0.002)
    reply = anthropic_error(status, "overloaded_error", "Overloaded")
    async with (
        model_server(reply) as server,
        adapted(server, "anthropic:claude-haiku-4-5", retry=quick) as subject,
    ):
        for _ in range(2):
            with pytest.raises(PipelineError) as caught:
                await subject.complete(request(), Budget(0))
    assert len(server.bodies) == 3
    assert caught.value.reason == errors_pb2.ERROR_REASON_BREAKER_OPEN
    assert subject.breaker.state is BreakerState.OPEN


@pytest.mark.parametrize("model", ["openai:gpt-4o-mini", "anthropic:claude-haiku-4-5"])
async def test_a_refused_key_is_named_and_not_shown(model: str) -> None:
    """401 says which setting to mend; neither the key nor what the provider quotes of it is repeated."""
    make = openai_error if model.startswith("openai") else anthropic_error
    error, calls = await failure(make(401, "invalid_api_key", f"Incorrect API key provided: {SECRET}"), model=model)
    assert (error.metadata["status"], calls) == ("401", 1)
    assert "PIPELINE_TEXT_MODEL_KEY" in error.message
    assert "secret" not in f"{error!r} {error.metadata} {error.__cause__} {error.__context__ and ''}"


async def test_an_unknown_model_is_said() -> None:
    """404 names the model."""
    error, calls = await failure(openai_error(404, "model_not_found", "The model does not exist"))
    assert ("gpt-4o-mini is not known" in error.message, calls) == (True, 1)


@pytest.mark.parametrize("body", [{"choices": []}, {"hello": 1}, [], "text"])
async def test_a_body_of_another_shape_is_an_error(body: object) -> None:
    """Status 200 with anything else than a completion is a failure, not a crash."""
    error, _ = await failure(answered(body), retry=RetryPolicy(attempts=1))
    assert error.reason == errors_pb2.ERROR_REASON_UPSTREAM_FAILED


async def test_a_reset_is_retried() -> None:
    """A connection that breaks is tried again, once per wait of ours."""
    quick = RetryPolicy(attempts=2, first_wait=0.001, max_wait=0.002)
    async with model_server(reset, chat(VALID)) as server, adapted(server, retry=quick) as subject:
        assert (await subject.complete(request(), Budget(0))).value.city == "Lisbon"
    assert len(server.bodies) == 2


async def test_a_redirect_is_not_followed() -> None:
    """Another address does not get the prompt."""
    async with model_server(chat(VALID)) as elsewhere:
        error, calls = await failure(answered({}, 307, Location=f"{elsewhere.url}/v1/chat/completions"))
        assert (calls, elsewhere.bodies) == (1, [])
    assert error.reason == errors_pb2.ERROR_REASON_UPSTREAM_FAILED


async def test_an_endless_body_is_cut() -> None:
    """A body above the bound is not read to its end."""
    error, _ = await failure(answered({"x": "y" * 1_100_000}), retry=RetryPolicy(attempts=1))
    assert error.metadata["cause"] == "connect"


async def test_silence_ends_with_the_time_out() -> None:
    """A server that says nothing ends in DEADLINE_EXCEEDED, counts as a failure, and gives the money back."""
    clock = ManualClock()
    async with (
        model_server(held(chat(VALID))) as server,
        adapted(server, clock=clock, timeout_seconds=30, priced=True) as subject,
    ):
        budget = Budget(USD)
        work = asyncio.create_task(subject.complete(request(), budget))
        await server.asked.wait()
        assert budget.reserved_micros > 0
        clock.advance(30)
        with pytest.raises(PipelineError) as caught:
            await work
    assert caught.value.reason == errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED
    assert (budget.reserved_micros, budget.spent_micros, len(server.bodies)) == (0, 0, 1)


async def test_the_time_out_is_for_everything_together() -> None:
    """The repair has what the first answer left of the time, not as much again."""
    clock = ManualClock()
    async with (
        model_server(held(chat("wrong")), silent) as server,
        adapted(server, clock=clock, timeout_seconds=30) as subject,
    ):
        work = asyncio.create_task(subject.complete(request(), Budget(0)))
        await server.asked.wait()
        clock.advance(29)
        server.go_on.set()
        await until(lambda: len(server.bodies) == 2)
        clock.advance(1.5)
        with pytest.raises(PipelineError) as caught:
            await work
    assert caught.value.reason == errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED


async def test_a_caller_with_less_time_is_not_kept_waiting() -> None:
    """The request's own bound ends it before the model's time-out, says so, and counts against the model."""
    clock = ManualClock()
    async with (
        model_server(silent) as server,
        adapted(server, clock=clock, timeout_seconds=600) as subject,
    ):
        work = asyncio.create_task(subject.complete(replace(request(), seconds_max=18), Budget(0)))
        await server.asked.wait()
        clock.advance(18)
        with pytest.raises(PipelineError, match="did not answer within 18") as caught:
            await work
    assert caught.value.reason == errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED
    assert subject.breaker.failure_count == 1
