"""A text model that answers from a script: what tests and offline trials of a writer ask instead of a real one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chassis.budget import Budget
from chassis.models.prices import booked
from chassis.models.prompt import Prompt, render
from chassis.models.text import Completion, CompletionRequest, T
from pipeline.errors import PipelineError

Answerer = Callable[[Prompt], Mapping[str, Any]]


class ScriptedTextModel:
    """Answers each request with `answer(prompt)`, validated and booked as a real model's; see `TextModel`.

    `prompts` are what would have left, fences and all. `answer` may raise a PipelineError to fail. Each request
    costs `cost_micros`, each answer counts one token a character.
    """

    name = "scripted:model"
    available = True
    local = True
    price_note = ""

    def __init__(self, answer: Answerer, *, cost_micros: int = 0) -> None:
        self._answer = answer
        self._cost = cost_micros
        self.prompts: list[Prompt] = []
        self.requests: list[CompletionRequest[Any]] = []

    def cost_micros_max(self, request: CompletionRequest[T]) -> int:
        return self._cost

    async def complete(self, request: CompletionRequest[T], budget: Budget) -> Completion[T]:
        """Raises BUDGET_EXHAUSTED as a real one does, whatever `answer` raises, ValidationError for a bad script."""
        prompt = render(request.messages)
        with booked(budget, self._cost, request.key, request.purpose) as bill:
            self.requests.append(request)
            self.prompts.append(prompt)
            answer = self._answer(prompt)
            bill.add(self._cost)
        value = request.output.model_validate(answer)
        return Completion(value, self.name, prompt.bytes, len(str(answer)), self._cost)

    async def close(self) -> None:
        return None

    def __repr__(self) -> str:
        return f"<ScriptedTextModel asked {len(self.requests)} times>"


def failing(error: PipelineError) -> Answerer:
    """An answerer that always fails with `error`."""

    def answer(prompt: Prompt) -> Mapping[str, Any]:
        raise error

    return answer
