"""Fakes for tests of the gateway: phase clients that play scripts without a wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from google.protobuf.message import Message

from chassis.clock import Clock
from chassis.config import load
from chassis.limits import ProfileLimits
from chassis.telemetry import Telemetry
from chassis.testing import ManualClock, settle
from chassis.testing_phases import FakePhases, Script
from gateway.campaigns import CampaignApi
from gateway.config import GatewayConfig
from gateway.names import PhaseValue
from gateway.phases.base import PhaseClient, PhaseKind
from gateway.phases.kinds import KINDS
from gateway.runs.rows import TERMINAL
from gateway.service import PipelineApi
from gateway.testing_campaigns import FakeLiveCampaigns
from gateway.wiring import Gateway, GatewayProviders
from pipeline.v1 import common_pb2, pipeline_pb2


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


class GatewayRig:
    """A whole gateway on a folder, over fake phases and a manual clock; without sockets.

    `settle` lets work that needs no time happen (the store's threads take real milliseconds); `pass_time` moves the
    clock in steps of `step` seconds, settling in between.
    """

    def __init__(self, folder: Path, clock: ManualClock, phases: FakePhases | None = None, **settings: Any) -> None:
        self.clock = clock
        self.phases = phases or FakePhases(clock)
        self.config = load(GatewayConfig, state_dir=folder, http_listen="", **settings)
        self.telemetry = Telemetry.create("gateway")
        self.clients = fake_clients(self.phases)
        self.live = FakeLiveCampaigns()
        providers = GatewayProviders(self.clients, campaigns=self.live)
        self.gateway = Gateway(self.config, clock, self.telemetry, ProfileLimits(), providers)

    async def __aenter__(self) -> Self:
        await self.gateway.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.gateway.stop_work()
        await self.gateway.close()

    @property
    def api(self) -> PipelineApi:
        """The gateway's calls."""
        assert self.gateway.api is not None
        return self.gateway.api

    @property
    def campaigns(self) -> CampaignApi:
        """The gateway's calls about campaigns; `live` is the campaign server behind them."""
        assert self.gateway.campaigns is not None
        return self.gateway.campaigns

    async def create(self, text: str = "A tool that does something useful for testers", **spec: Any) -> str:
        """A run; returns its name."""
        request = pipeline_pb2.CreateRunRequest(spec=pipeline_pb2.RunSpec(idea=common_pb2.Idea(text=text), **spec))
        return (await self.api.create_run(request)).name

    async def settle(self) -> None:
        """Until the store has been quiet for a few turns."""
        quiet = 0
        while quiet < 5:
            writes = self.gateway.database.writes
            await settle()
            await asyncio.sleep(0.002)
            still = self.gateway.database.writes == writes and not self.gateway.database.active
            quiet = quiet + 1 if still else 0

    async def pass_time(self, seconds: float, step: float = 0.5) -> None:
        """Move the clock on."""
        while seconds > 0:
            await self.settle()
            self.clock.advance(min(step, seconds))
            seconds -= step
        await self.settle()

    async def finish(self, name: str, within: float = 120.0) -> list[pipeline_pb2.RunEvent]:
        """Pass time until the run has ended; its events."""
        waited = 0.0
        while (await self.api.get_run(name)).state not in TERMINAL:
            assert waited < within, f"{name} has not ended after {waited} s"
            await self.pass_time(0.5)
            waited += 0.5
        return [event async for event in self.api.watch_run(name, 0)]
