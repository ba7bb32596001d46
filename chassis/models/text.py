"""The text-model port. A model is optional and never trusted: it fills typed structures, nothing else.

Writers ask `available` first and fall back to their extractive or template form. This part ships the port and the
default that says "none"; adapters to real models come later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2


@dataclass(frozen=True)
class Message:
    """One turn. `untrusted` marks text from pages and documents: an adapter fences it as data."""

    role: Literal["system", "user"]
    text: str
    untrusted: bool = False


@dataclass(frozen=True)
class Completion:
    """What a model returned for one request.

    `value` satisfies the request's JSON schema; `model` names what answered; `cost_micros` (USD) is 0 for local
    models; tokens are as the model's server counted them.
    """

    value: Mapping[str, Any]
    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    cost_micros: int = 0


@dataclass(frozen=True)
class CompletionRequest:
    """A typed structure to fill.

    `schema`: JSON Schema (2020-12) of an object with `additionalProperties: false`. `key`: the effect key under
    which the call's cost is booked once. `output_tokens_max` bounds length and cost.
    """

    messages: Sequence[Message]
    schema: Mapping[str, Any]
    key: str
    output_tokens_max: int = 1_000
    temperature: float = 0.0
    metadata: Mapping[str, str] = field(default_factory=dict)


class TextModel(Protocol):
    """A model that fills structures."""

    @property
    def name(self) -> str:
        """ "none", or the provider and model ("openai:gpt-x")."""
        ...

    @property
    def available(self) -> bool:
        """False: do not ask; write by extraction and templates and say that no model was used."""
        ...

    def cost_micros_max(self, request: CompletionRequest) -> int:
        """The highest price of this request in micros of USD: what to reserve before `complete`."""
        ...

    async def complete(self, request: CompletionRequest) -> Completion:
        """Fills the schema. The value has been validated against it.

        Raises PipelineError: UPSTREAM_FAILED (an error, or twice no valid value), UPSTREAM_RATE_LIMITED,
        DEADLINE_EXCEEDED, BREAKER_OPEN.
        """
        ...

    async def close(self) -> None: ...


class NoTextModel:
    """The default: there is no model."""

    name = "none"
    available = False

    def cost_micros_max(self, request: CompletionRequest) -> int:
        return 0

    async def complete(self, request: CompletionRequest) -> Completion:
        raise PipelineError(
            errors_pb2.ERROR_REASON_UPSTREAM_FAILED,
            "no text model is configured; writers work without one",
            metadata={"upstream": "text-model", "configured": "false"},
        )

    async def close(self) -> None:
        return None
