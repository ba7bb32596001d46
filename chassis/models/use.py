"""One run's use of a text model: what was asked, what failed, and what the reader is told about it.

The model is asked while it answers. After a failure that would meet the next question too (budget, breaker, time-out,
rate limit, no connection), or two useless answers in a row, the run goes on without it: the offline twin of each use
does the rest.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from pydantic import BaseModel

from chassis.budget import MICROS, Budget
from chassis.deadline import share_of_time
from chassis.models.text import CompletionRequest, Message, NoTextModel, TextModel
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2

T = TypeVar("T", bound=BaseModel)

SUBJECT = "text model"
# Answers in a row without use (refused, or twice not the structure) before the model is left alone.
STRIKES_MAX = 2
# What says something about one question only.
_PASSING_CAUSES = frozenset({"invalid", "refused"})


class ModelUse:
    """Asks `model` for a phase of a run. `key` makes its effect keys ("runs/x/evidence/1"); `offline` is the run's."""

    def __init__(
        self,
        model: TextModel,
        budget: Budget,
        *,
        key: str,
        phase: common_pb2.Phase.ValueType,
        offline: bool = False,
    ) -> None:
        self.model = model
        self.budget = budget
        self._key = key
        self._phase = phase
        self._away = ""
        if isinstance(model, NoTextModel):
            self._away = model.why
        elif offline and not model.local:
            self._away = "this run is offline"
        self._stopped = not self.wanted
        self._numbers: Counter[str] = Counter()
        # Pieces of data (passages) that each step has shown to the model, for the steps' own bounds.
        self.shown: Counter[str] = Counter()
        # Questions of each step that were answered.
        self.answered: Counter[str] = Counter()
        self._unanswered: Counter[str] = Counter()
        # What came of each step's answers, in words for the reader.
        self._outcomes: dict[str, str] = {}
        self._repaired = 0
        self._strikes = 0
        self._error: PipelineError | None = None

    @property
    def asks(self) -> bool:
        """False: the twin does all of it."""
        return not self._stopped

    @property
    def wanted(self) -> bool:
        """False: no model is set up, or none that this run may ask. One that failed on the way is still wanted."""
        return self.model.available and not self._away

    def came_of(self, step: str, outcome: str) -> None:
        """Keep what the answers of `step` led to ("5 phrases added"), for the notice."""
        self._outcomes[step] = outcome

    async def ask(
        self, step: str, messages: Sequence[Message], output: type[T], *, tokens_max: int, time_share: float
    ) -> T | None:
        """The filled structure, or None where the twin must do it. `step` names the use in a word or two.

        The model is waited for during `time_share` (0 to 1) of the time that the call being served has left, so that
        the twin and what comes after it still have theirs.
        """
        if self._stopped:
            self._unanswered[step] += self._error is not None
            return None
        self._numbers[step] += 1
        request = CompletionRequest(
            messages,
            output,
            key=f"{self._key}/{step.replace(' ', '-')}/{self._numbers[step]}",
            purpose=f"{self.model.name}: {step}",
            output_tokens_max=tokens_max,
            seconds_max=share_of_time(math.inf, time_share),
        )
        try:
            done = await self.model.complete(request, self.budget)
        except PipelineError as error:
            self._failed(step, error)
            return None
        self._strikes = 0
        self.answered[step] += 1
        self._repaired += done.repaired
        return done.value

    def _failed(self, step: str, error: PipelineError) -> None:
        self._unanswered[step] += 1
        self._strikes += 1
        if error.metadata.get("cause") not in _PASSING_CAUSES or self._strikes >= STRIKES_MAX:
            self._stopped = True
        self._error = error

    # -------------------------------------------------------------------------------------- accounting

    def spends(self) -> list[common_pb2.Spend]:
        """What was booked for this run's questions, for `Usage.spend`."""
        return list(self.budget.status().entries)

    def notices(self) -> list[common_pb2.Notice]:
        """That a model took part and what it cost, or why a configured one did not; nothing where none is set up."""
        if self._away:
            return [self._notice(f"No text model was asked: {self._away}. Words and rules did its work.")]
        if not self.answered:
            return []
        steps = "; ".join(
            f"{step}: {_plural(count, 'answer')}, {self._outcomes.get(step, 'used')}"
            for step, count in sorted(self.answered.items())
        )
        cost = f"cost {sum(spend.amount_micros for spend in self.spends()) / MICROS:.6f} USD"
        if self.model.price_note:
            cost = f"were booked with 0 USD, as {self.model.price_note}"
        repaired = f" {self._repaired} of them came after a repair." if self._repaired else ""
        return [self._notice(f"{self.model.name} took part ({steps}). Its answers {cost}.{repaired}")]

    def missing(self) -> list[common_pb2.Missing]:
        """That the model failed and the twin took over."""
        error = self._error
        if error is None:
            return []
        budget = error.reason == errors_pb2.ERROR_REASON_BUDGET_EXHAUSTED
        steps = ", ".join(f"{step} ({_plural(n, 'question')})" for step, n in sorted(self._unanswered.items()) if n)
        then = "It was not asked again in this run. " if self._stopped else ""
        return [
            common_pb2.Missing(
                subject=SUBJECT,
                phase=self._phase,
                kind=common_pb2.MISSING_KIND_BUDGET if budget else common_pb2.MISSING_KIND_SOURCE_FAILED,
                reason=f"{error.message}. {then}Words and rules did its work: {steps}.",
                next_step=_next_step(error),
                error=error.reason,
            )
        ]

    def _notice(self, message: str) -> common_pb2.Notice:
        return common_pb2.Notice(subject=SUBJECT, message=message, phase=self._phase)

    def __repr__(self) -> str:
        return f"<ModelUse {self.model.name} asks={self.asks} answered={self.answered.total()}>"


def _next_step(error: PipelineError) -> str:
    """What helps, in a sentence that is understood beside other advice."""
    cause = error.metadata.get("cause")
    if error.reason == errors_pb2.ERROR_REASON_BUDGET_EXHAUSTED:
        how = "raise the run's budget or PIPELINE_EVIDENCE_ALLOWANCE_USD"
    elif error.reason == errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED:
        how = "take a faster one, or raise PIPELINE_TEXT_MODEL_TIMEOUT_SECONDS and PIPELINE_EVIDENCE_SECONDS"
    elif cause == "connect":
        how = "see that its server runs at PIPELINE_TEXT_MODEL_URL and run again"
    elif cause in _PASSING_CAUSES:
        how = "take a more able one"
    else:
        how = "run again later"
    return f"To have a text model take part, {how}; without one this report stands as it is."


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
