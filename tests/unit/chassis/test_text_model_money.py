"""What a text model's calls cost, and what is told about them."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chassis.breaker import BreakerState
from chassis.budget import Budget, ReservationState
from chassis.testing import recording_telemetry, settle, until
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2

pytest.importorskip("pydantic_ai", reason="the extra 'llm' is not installed")

from tests.support.text_models import SECRET, USD, VALID, adapted, chat, held, model_server, openai_error, request

# ------------------------------------------------------------------------------------------------ money


async def test_cost_is_reserved_then_settled() -> None:
    """While a call is out, its highest price is kept; afterwards the real price is booked under its key."""
    async with model_server(held(chat(VALID))) as server, adapted(server, priced=True) as subject:
        budget = Budget(USD)
        work = asyncio.create_task(subject.complete(request(), budget))
        await server.asked.wait()
        assert budget.reserved_micros == subject.cost_micros_max(request())
        server.go_on.set()
        done = await work
    assert (done.cost_micros, budget.spent_micros, budget.reserved_micros) == (36, 36, 0)
    (spend,) = budget.status().entries
    assert (spend.key, spend.category, spend.amount_micros, spend.purpose) == (
        "step-1",
        common_pb2.BUDGET_CATEGORY_MODELS,
        36,
        "reading",
    )


async def test_too_small_a_budget_asks_nothing() -> None:
    """Where the highest price does not fit, no call leaves."""
    async with model_server(chat(VALID)) as server, adapted(server, priced=True) as subject:
        budget = Budget(subject.cost_micros_max(request()) - 1)
        with pytest.raises(PipelineError) as caught:
            await subject.complete(request(), budget)
    assert caught.value.reason == errors_pb2.ERROR_REASON_BUDGET_EXHAUSTED
    assert (server.bodies, budget.left_micros) == ([], budget.cap_micros)


async def test_a_cancelled_call_gives_its_money_back() -> None:
    """Cancellation releases the reservation, closes the call, and says nothing about the server's health."""
    async with model_server(held(chat(VALID))) as server, adapted(server, priced=True) as subject:
        budget = Budget(USD)
        work = asyncio.create_task(subject.complete(request(), budget))
        await server.asked.wait()
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert (budget.reserved_micros, budget.spent_micros) == (0, 0)
        assert budget.state("step-1") is ReservationState.RELEASED
        assert subject.breaker.state is BreakerState.CLOSED


async def test_calls_side_by_side_stay_under_the_cap() -> None:
    """Twenty calls on a budget for five: at most five are out, the money never exceeds the cap."""
    async with model_server(held(chat(VALID))) as server, adapted(server, priced=True, concurrency=8) as subject:
        budget = Budget(5 * subject.cost_micros_max(request("step-00")) + 1)
        calls = [asyncio.create_task(subject.complete(request(f"step-{n:02}"), budget)) for n in range(20)]
        await until(lambda: server.now == 5)
        assert budget.reserved_micros + budget.spent_micros <= budget.cap_micros
        server.go_on.set()
        ended = await asyncio.gather(*calls, return_exceptions=True)
    refused = [error for error in ended if isinstance(error, PipelineError)]
    assert {error.reason for error in refused} == {errors_pb2.ERROR_REASON_BUDGET_EXHAUSTED}
    assert (len(server.bodies), len(refused)) == (5, 15)
    assert budget.spent_micros == 5 * 36


async def test_so_many_calls_at_a_time() -> None:
    """The server never sees more calls at once than agreed."""
    async with model_server(held(chat(VALID))) as server, adapted(server, concurrency=2) as subject:
        calls = [asyncio.create_task(subject.complete(request(f"s{n}"), Budget(0))) for n in range(6)]
        await until(lambda: server.now == 2)
        await settle()
        server.go_on.set()
        await asyncio.gather(*calls)
    assert (server.most_at_once, len(server.bodies)) == (2, 6)


# ----------------------------------------------------------------------------------------- what is told


async def test_no_prompt_in_logs_or_spans(caplog: pytest.LogCaptureFixture) -> None:
    """Even at debug level, neither prompt nor answer nor key is logged or traced; tokens and cost are."""
    caplog.set_level(logging.DEBUG)
    telemetry = recording_telemetry()
    told = "The page's own words 4711"
    async with (
        model_server(chat("wrong words 4712"), chat(VALID), openai_error(400, None, f"bad prompt: {told}")) as server,
        adapted(server, telemetry=telemetry, priced=True) as subject,
    ):
        await subject.complete(request(text=told), Budget(USD))
        with pytest.raises(PipelineError) as caught:
            await subject.complete(request("step-2", told), Budget(USD))
    written = caplog.text + "".join(str(dict(span.attributes or {})) + span.name for span in telemetry.spans())
    written += str(caught.value) + str(caught.value.metadata)
    for secret in ("4711", "4712", "Lisbon", "secret", "Read the city"):
        assert secret not in written
    first = dict(telemetry.spans()[0].attributes or {})
    assert telemetry.spans()[0].name == "chat gpt-4o-mini"
    assert first["gen_ai.usage.input_tokens"] == 240
    assert first["gen_ai.usage.output_tokens"] == 60
    assert first["pipeline.cost_micros"] == 72
    assert first["pipeline.model.repaired"] is True
    assert dict(telemetry.spans()[1].attributes or {})["pipeline.error.reason"] == "UPSTREAM_FAILED"


@contextmanager
def environment(**values: str) -> Iterator[None]:
    """The process environment with these variables."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


async def test_the_environment_changes_nothing() -> None:
    """Keys, addresses and proxies that lie around in the environment are not used."""
    lying_around = {
        "OPENAI_API_KEY": "sk-of-somebody",
        "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
        "OPENAI_ORG_ID": "org-of-somebody",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "ALL_PROXY": "http://127.0.0.1:1",
        "NO_PROXY": "",
    }
    with environment(**lying_around):
        async with model_server(chat(VALID)) as server, adapted(server) as subject:
            assert (await subject.complete(request(), Budget(0))).value.city == "Lisbon"
    assert server.headers[0]["authorization"] == f"Bearer {SECRET}"
    assert not any("somebody" in value for value in server.headers[0].values())
