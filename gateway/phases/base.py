"""What the orchestrator needs of a phase, and the gRPC client that gives it.

A client makes one attempt: deadline, breaker, typed errors. Trying again is the orchestrator's business alone, because
each try is an attempt of its own with its own key.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import grpc
from google.protobuf.message import Message

from chassis.breaker import BreakerConfig, CircuitBreaker, counts_as_failure
from chassis.clock import Clock
from chassis.resilience import tell_refusal, tell_transition
from gateway.names import PhaseValue
from pipeline.errors import PipelineError, from_rpc_error
from pipeline.v1 import common_pb2, evidence_pb2, pipeline_pb2, validation_pb2


@dataclass(frozen=True)
class Inputs:
    """What exists of the run when a phase starts."""

    spec: pipeline_pb2.RunSpec
    documents: tuple[common_pb2.Document, ...] = ()
    validation: validation_pb2.ValidationResult | None = None
    evidence: evidence_pb2.EvidenceResult | None = None
    verdict: validation_pb2.Verdict | None = None

    @property
    def claims(self) -> list[common_pb2.Claim]:
        """Claims as validation read them; empty when it has no result."""
        return list(self.validation.claims) if self.validation is not None else []

    @property
    def items(self) -> list[common_pb2.EvidenceItem]:
        """Evidence, best first; empty when there is none."""
        return list(self.evidence.items) if self.evidence is not None else []


@dataclass(frozen=True)
class PhaseKind:
    """A phase as data.

    stub: from a channel to the streaming method. request: from context and inputs to its request. item_field: the
    response's partial item; event_field: the run event it becomes; item_key: equal for equal items of two attempts.
    """

    phase: PhaseValue
    name: str
    item_field: str
    event_field: str
    item_key: Callable[[Any], str]
    request: Callable[[common_pb2.PhaseContext, Inputs], Message]
    stub: Callable[[grpc.aio.Channel], Any] = field(repr=False)


class PhaseClient(Protocol):
    """One phase server as the orchestrator sees it."""

    @property
    def kind(self) -> PhaseKind:
        """Which phase, and how its messages are read."""
        ...

    def call(self, request: Message) -> AsyncIterator[Any]:
        """One attempt: the phase's responses as they arrive. Raises PipelineError."""
        ...

    async def wait_ready(self, seconds: float) -> bool:
        """Wait at most `seconds` until the server answers again. False when it does not."""
        ...


# Deadline of one question whether a server is back, and the pauses between two of them.
PROBE_SECONDS = 2.0
PROBE_PAUSES = (0.1, 1.0)


class GrpcPhase:
    """A phase server behind a channel, a deadline and a breaker."""

    def __init__(self, kind: PhaseKind, channel: grpc.aio.Channel, clock: Clock, deadline_seconds: float) -> None:
        self.kind = kind
        self.channel = channel
        self.deadline_seconds = deadline_seconds
        # A phase may take its whole deadline by design, so that slowness alone never opens its breaker.
        config = BreakerConfig(recovery_timeout=2.0, max_open_seconds=10.0, slow_seconds=deadline_seconds)
        self.breaker = CircuitBreaker(f"gateway.{kind.name}", config, clock)
        self.breaker.add_listener(tell_transition)
        self._clock = clock
        self._method = kind.stub(channel)

    def __repr__(self) -> str:
        return f"GrpcPhase({self.kind.name}, {self.breaker!r})"

    async def call(self, request: Message) -> AsyncIterator[Any]:
        """One attempt. The call is cancelled when the reader goes away."""
        try:
            permit = self.breaker.acquire()
        except PipelineError as refusal:
            tell_refusal(self.breaker.name, refusal)
            raise
        call: Any = None
        try:
            call = self._method(request, timeout=self.deadline_seconds)
            async for response in call:
                yield response
            permit.succeed()
        except grpc.aio.AioRpcError as error:
            typed = from_rpc_error(error)
            if counts_as_failure(typed):
                permit.fail()
            raise typed from error
        finally:
            permit.release()
            if call is not None:
                # An abandoned response stream is never cancelled by grpc.aio itself (grpc/grpc#43462).
                call.cancel()

    async def wait_ready(self, seconds: float) -> bool:
        """Ask the server's health until it serves; a refused connection costs milliseconds, a frozen server 2 s."""
        from grpc_health.v1 import health_pb2, health_pb2_grpc

        stub = health_pb2_grpc.HealthStub(self.channel)
        until = self._clock.monotonic() + seconds
        pause = PROBE_PAUSES[0]
        while True:
            left = until - self._clock.monotonic()
            if left <= 0:
                return False
            try:
                answer = await stub.Check(
                    health_pb2.HealthCheckRequest(), timeout=min(PROBE_SECONDS, left), wait_for_ready=False
                )
                if answer.status == health_pb2.HealthCheckResponse.SERVING:
                    return True
            except grpc.aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                    return True
            await self._clock.sleep(min(pause, max(until - self._clock.monotonic(), 0.0)))
            pause = min(pause * 2, PROBE_PAUSES[1])


def worth_another_try(error: PipelineError) -> bool:
    """True for failures of the way to the server, not of the work.

    UNAVAILABLE: the server is away, stopping or resting. CANCELLED: it dropped the call while we still wanted it.
    OVERLOADED: it refused at the door. In each case a keyed attempt may be made anew.
    """
    return error.status_name in ("UNAVAILABLE", "CANCELLED") or error.reason_name == "OVERLOADED"
