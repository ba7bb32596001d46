"""A real text model behind the port: budget, one repair, time-out, breaker, retry, bounded concurrency, span.

    reserve -> [ answer -> validate ] at most twice -> settle
                  |
                  retried( guarded( timed( at most 4 at a time( one call )))), the only layer that retries

The time-out is the whole request's (no longer than its `seconds_max`): retries, waits and the repair share it. No
prompt and no answer reaches a log, a span or an error.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from opentelemetry.trace import Span, SpanKind
from pydantic import ValidationError

from chassis.breaker import BreakerConfig, CircuitBreaker
from chassis.budget import Budget
from chassis.clock import Clock, SystemClock
from chassis.models.prices import Bill, booked
from chassis.models.prompt import Prompt, render
from chassis.models.text import Completion, CompletionRequest, T
from chassis.models.text_errors import failed
from chassis.resilience import RetryBudget, RetryPolicy, retried, timed
from chassis.telemetry import (
    ATTR_COST_MICROS,
    ATTR_GEN_AI_FINISH_REASONS,
    ATTR_GEN_AI_INPUT_TOKENS,
    ATTR_GEN_AI_MAX_TOKENS,
    ATTR_GEN_AI_OPERATION,
    ATTR_GEN_AI_OUTPUT_TOKENS,
    ATTR_GEN_AI_PROVIDER,
    ATTR_GEN_AI_REQUEST_MODEL,
    ATTR_GEN_AI_RESPONSE_MODEL,
    ATTR_GEN_AI_TEMPERATURE,
    ATTR_REPAIRED,
    ATTR_SERVER_ADDRESS,
    SPAN_CHAT,
)
from chassis.usage import current_usage
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

if TYPE_CHECKING:
    from chassis.models.text_clients import Answer, ModelClient
    from chassis.telemetry import Telemetry

TIMEOUT_SECONDS = 60.0
# Calls at a time, of all runs of this server together: what small accounts and local servers bear.
CONCURRENCY = 4
# A run makes about ten calls: three failures in a row are enough to know.
BREAKER = BreakerConfig(mode="consecutive", failure_threshold=3, recovery_timeout=30.0)
RETRY = RetryPolicy(attempts=3, first_wait=0.5, max_wait=4.0, retry_after_max=10.0)
# Faults of an answer that its repair is told.
_FAULTS_MAX = 8


class AdaptedTextModel:
    """The port over a `ModelClient`. For one event loop."""

    available = True

    def __init__(
        self,
        client: ModelClient,
        *,
        telemetry: Telemetry,
        clock: Clock | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        concurrency: int = CONCURRENCY,
        retry: RetryPolicy = RETRY,
        breaker: BreakerConfig = BREAKER,
    ) -> None:
        self._client = client
        self._telemetry = telemetry
        self._clock = clock or SystemClock()
        self._timeout = timeout_seconds
        self._slots = asyncio.Semaphore(concurrency)
        self._retry = retry
        self._retry_budget = RetryBudget()
        self.breaker = CircuitBreaker(client.name, breaker, self._clock)

    @property
    def name(self) -> str:
        return self._client.name

    @property
    def local(self) -> bool:
        return self._client.local

    @property
    def price_note(self) -> str:
        return self._client.prices.note

    def cost_micros_max(self, request: CompletionRequest[T]) -> int:
        """See the port. The repair's prompt is the first one and the faults."""
        return self._cost_micros_max(render(request.messages), request)

    async def complete(self, request: CompletionRequest[T], budget: Budget) -> Completion[T]:
        """See the port."""
        prompt = render(request.messages)
        most = self._cost_micros_max(prompt, request)
        attributes = {
            ATTR_GEN_AI_OPERATION: "chat",
            ATTR_GEN_AI_PROVIDER: self._client.provider,
            ATTR_GEN_AI_REQUEST_MODEL: self._client.model,
            ATTR_GEN_AI_MAX_TOKENS: request.output_tokens_max,
            ATTR_GEN_AI_TEMPERATURE: request.temperature,
            ATTR_SERVER_ADDRESS: self._client.host,
        }
        with (
            self._telemetry.span(f"{SPAN_CHAT} {self._client.model}", attributes, kind=SpanKind.CLIENT) as span,
            booked(budget, most, request.key, request.purpose) as bill,
        ):
            return await self._fill(request, prompt, bill, span)

    async def close(self) -> None:
        await self._client.close()

    def __repr__(self) -> str:
        return f"<AdaptedTextModel {self.name} {self.breaker.state}>"

    # ------------------------------------------------------------------------------------ one request

    async def _fill(self, request: CompletionRequest[T], prompt: Prompt, bill: Bill, span: Span) -> Completion[T]:
        seconds = min(self._timeout, request.seconds_max)
        deadline = self._clock.monotonic() + seconds
        answers: list[Answer] = []
        faults = ""
        for asked in (prompt, None):
            answer = await self._answer(request, asked or _repair(prompt, faults), seconds, deadline)
            answers.append(answer)
            bill.add(self._client.prices.micros(answer.input_tokens, answer.output_tokens))
            _record(span, answers, bill)
            if answer.refused:
                raise failed(self.name, "would not answer (its provider's policy)", cause="refused")
            try:
                value = request.output.model_validate_json(_object(answer.text))
            except ValidationError as error:
                faults = _faults(error, answer)
                continue
            return Completion(
                value,
                answer.model,
                sum(a.input_tokens for a in answers),
                sum(a.output_tokens for a in answers),
                bill.micros,
                repaired=len(answers) > 1,
            )
        raise failed(self.name, "answered twice without the structure that was asked for", cause="invalid")

    async def _answer(self, request: CompletionRequest[T], prompt: Prompt, seconds: float, deadline: float) -> Answer:
        async def call(asked: Prompt) -> Answer:
            async with self._slots:
                current_usage().external_call(0 if self.local else 1)
                return await self._client.ask(asked, request.output, request.output_tokens_max, request.temperature)

        async def attempt(asked: Prompt) -> Answer:
            # Tenths of a second: readers are told this number.
            left = round(deadline - self._clock.monotonic(), 1)
            if left <= 0:
                raise PipelineError(
                    errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED,
                    f"{self.name} did not answer within {seconds:.1f} s",
                    metadata={"upstream": self.name},
                )
            in_time = timed(call, left, self._clock, name=self.name)
            return await self.breaker.call(lambda: in_time(asked))

        return await retried(attempt, self._retry, self._clock, budget=self._retry_budget)(prompt)

    def _cost_micros_max(self, prompt: Prompt, request: CompletionRequest[T]) -> int:
        schema = len(json.dumps(request.output.model_json_schema()))
        # The schema may travel twice: as a parameter and in words.
        return 2 * self._client.prices.micros_max(prompt.bytes + 2 * schema + 1_000, request.output_tokens_max)


def _repair(prompt: Prompt, faults: str) -> Prompt:
    """The same question once more, with what was wrong. The wrong answer itself is not repeated."""
    return Prompt(prompt.system, f"{prompt.user}\n\nYour last answer could not be used: {faults}. Answer once more.")


def _object(text: str) -> str:
    """The JSON object in an answer: some models put it into a Markdown block."""
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else text


def _faults(error: ValidationError, answer: Answer) -> str:
    """Where and what kind, without a word of the answer."""
    if answer.finish_reason == "length":
        return "it was cut off because it was too long; write less"
    found = error.errors(include_url=False, include_input=False, include_context=False)
    known = [f"{'.'.join(str(part) for part in item['loc'])[:80] or 'answer'}: {item['type']}" for item in found]
    return "; ".join(known[:_FAULTS_MAX])


def _record(span: Span, answers: list[Answer], bill: Bill) -> None:
    span.set_attribute(ATTR_GEN_AI_RESPONSE_MODEL, answers[-1].model)
    span.set_attribute(ATTR_GEN_AI_INPUT_TOKENS, sum(answer.input_tokens for answer in answers))
    span.set_attribute(ATTR_GEN_AI_OUTPUT_TOKENS, sum(answer.output_tokens for answer in answers))
    span.set_attribute(ATTR_GEN_AI_FINISH_REASONS, [answer.finish_reason for answer in answers])
    span.set_attribute(ATTR_COST_MICROS, bill.micros)
    span.set_attribute(ATTR_REPAIRED, len(answers) > 1)
