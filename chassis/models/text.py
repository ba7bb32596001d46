"""The text-model port. A model is optional and never trusted: it fills typed structures, nothing else.

Whoever may use one asks `available` first and has an offline twin: what is done by words and rules alone where no
model is set up, where it fails, or where the budget does not cover it. What a model wrote is data: it is validated,
bounded, and decides about nothing that it was not asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import util
from typing import TYPE_CHECKING, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel

from chassis.budget import Budget
from chassis.config import ConfigError
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

if TYPE_CHECKING:
    from chassis.clock import Clock
    from chassis.config import TextModelConfig
    from chassis.telemetry import Telemetry

T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True)
class Message:
    """One part of what is asked.

    `system` is our own words, always. `untrusted` marks text of users, pages and documents: it is fenced as data
    under its `label` (`chassis.models.prompt`), and cannot be `system`.
    """

    role: Literal["system", "user"]
    text: str
    untrusted: bool = False
    label: str = "material"

    def __post_init__(self) -> None:
        if self.untrusted and self.role == "system":
            raise ValueError("role is 'system' for untrusted text; write 'user'")


@dataclass(frozen=True)
class CompletionRequest(Generic[T]):
    """A typed structure to fill.

    `output`: a pydantic model; bounds on its fields are part of what is validated. `key`: the effect key under
    which the call's cost is booked once. `purpose` says what for in the run's ledger. `output_tokens_max` bounds
    each answer's length and so its price.
    """

    messages: Sequence[Message]
    output: type[T]
    key: str
    purpose: str = "text model"
    output_tokens_max: int = 1_000
    temperature: float = 0.0
    seconds_max: float = math.inf


@dataclass(frozen=True)
class Completion(Generic[T]):
    """What a model answered to one request.

    `value` has been validated; `model` names what answered. Tokens are as the model's server counted them, of all
    answers together; `cost_micros` (USD) is 0 where the price is not known (`TextModel.price_note`). `repaired`:
    the first answer was no valid value, the second was.
    """

    value: T
    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    cost_micros: int = 0
    repaired: bool = False


class TextModel(Protocol):
    """A model that fills structures."""

    @property
    def name(self) -> str:
        """ "none", or the provider and model ("openai:gpt-x")."""
        ...

    @property
    def available(self) -> bool:
        """False: do not ask; work by words and rules and say that no model was used."""
        ...

    @property
    def local(self) -> bool:
        """True: reached without leaving this machine, so that an offline run may ask it."""
        ...

    @property
    def price_note(self) -> str:
        """Why calls are booked with 0 USD, as a clause; "" where their price is known."""
        ...

    def cost_micros_max(self, request: CompletionRequest[T]) -> int:
        """The highest price of this request, its repair included, in micros of USD."""
        ...

    async def complete(self, request: CompletionRequest[T], budget: Budget) -> Completion[T]:
        """Fills the structure, with one repair where the first answer is not valid.

        Reserves `cost_micros_max` in `budget` before anything leaves, books what the answers cost, and gives the
        rest back, also on failure and cancellation. Raises PipelineError: BUDGET_EXHAUSTED (nothing was asked),
        UPSTREAM_FAILED (metadata `cause`: refused, invalid, status, connect, malformed), UPSTREAM_RATE_LIMITED,
        DEADLINE_EXCEEDED, BREAKER_OPEN.
        """
        ...

    async def close(self) -> None: ...


class NoTextModel:
    """The default: there is no model. `why`: what keeps a configured one away; "" where none is configured."""

    name = "none"
    available = False
    local = True
    price_note = ""

    def __init__(self, why: str = "") -> None:
        self.why = why

    def cost_micros_max(self, request: CompletionRequest[T]) -> int:
        return 0

    async def complete(self, request: CompletionRequest[T], budget: Budget) -> Completion[T]:
        raise PipelineError(
            errors_pb2.ERROR_REASON_UPSTREAM_FAILED,
            f"no text model was used: {self.why or 'none is configured'}",
            metadata={"upstream": "text-model", "configured": "false"},
        )

    async def close(self) -> None:
        return None

    def __repr__(self) -> str:
        return f"<NoTextModel {self.why}>"


def check_packages(model: str, find: Callable[[str], object | None] = util.find_spec) -> None:
    """Raises ConfigError where a library that `model` needs is not installed."""
    needed = ("pydantic_ai", "genai_prices", "httpx2", model.partition(":")[0])
    lacking = [name for name in needed if find(name) is None]
    if lacking:
        raise ConfigError(f"PIPELINE_TEXT_MODEL is {model!r}: it needs {', '.join(lacking)}; install the extra 'llm'.")


def load_text_model(config: TextModelConfig, telemetry: Telemetry, clock: Clock | None = None) -> TextModel:
    """The model that the configuration asks for; `NoTextModel` for "none" and for a far one while offline.

    Imports the adapter's libraries (seconds), so call it where a server is built, not while it serves. Raises
    ConfigError where a key or the extra 'llm' is lacking.
    """
    if config.text_model == "none":
        return NoTextModel()
    check_packages(config.text_model)
    from chassis.models.text_clients import client_for

    client = client_for(config)
    if config.offline and not client.local:
        return NoTextModel("this server is offline")
    from chassis.models.text_adapter import AdaptedTextModel

    return AdaptedTextModel(client, telemetry=telemetry, clock=clock, timeout_seconds=config.text_model_timeout_seconds)
