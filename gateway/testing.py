"""Fakes for tests of the gateway: phase clients that play scripts without a wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from google.protobuf.message import Message

from chassis.clock import Clock
from chassis.testing_phases import FakePhases, Script
from gateway.names import PhaseValue
from gateway.phases.base import PhaseClient, PhaseKind
from gateway.phases.kinds import KINDS


class FakeClient:
    """A phase client over a script. `back`: whether `wait_ready` finds the server answering again."""

    def __init__(self, kind: PhaseKind, script: Script, clock: Clock) -> None:
        self.kind = kind
        self.script = script
        self.back = True
        self._clock = clock

    async def call(self, request: Message) -> AsyncIterator[Any]:
        """One attempt."""
        copy = type(request)()
        copy.CopyFrom(request)
        async with aclosing(self.script.play(copy, self._clock)) as responses:  # type: ignore[type-var]
            async for response in responses:
                fresh = type(response)()
                fresh.CopyFrom(response)
                yield fresh

    async def wait_ready(self, seconds: float) -> bool:
        """At once when the server is back, else after the whole time."""
        if not self.back:
            await self._clock.sleep(seconds)
        return self.back


def fake_clients(phases: FakePhases) -> dict[PhaseValue, PhaseClient]:
    """A client per phase."""
    return {kind.phase: FakeClient(kind, phases.script(kind.phase), phases.clock) for kind in KINDS}
