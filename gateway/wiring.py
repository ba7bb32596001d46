"""What one gateway is made of, put together from its configuration."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chassis.budget import micros_from_usd
from chassis.channel import open_channel
from chassis.clock import Clock
from chassis.limits import ProfileLimits
from chassis.telemetry import Telemetry, new_span_id
from gateway.campaigns import CampaignApi
from gateway.config import GatewayConfig
from gateway.finish import Finisher
from gateway.names import PhaseValue
from gateway.orchestrator import Orchestrator
from gateway.phase_runner import Patience, PhaseRunner
from gateway.phases.base import GrpcPhase, PhaseClient
from gateway.phases.kinds import KINDS
from gateway.phases.peer import Peer
from gateway.runs.artifacts import ArtifactStore
from gateway.runs.progress import RunProgress
from gateway.runs.schema import runs_database
from gateway.runs.store import RunStore
from gateway.runs.wakeup import Wakeup
from gateway.service import PipelineApi
from gateway.trace import SpanSource
from gateway.worker import Worker
from pipeline.v1 import campaign_pb2_grpc, common_pb2


@dataclass(frozen=True)
class GatewayProviders:
    """The outside world of a gateway: its phase servers. Tests give fakes."""

    clients: Mapping[PhaseValue, PhaseClient]
    peers: Sequence[Peer] = ()
    span_sources: Sequence[SpanSource] = field(default=())
    # A stub of LiveCampaignService.
    campaigns: Any = None


class Gateway:
    """The parts, connected. `open()` before use, `close()` after; `stop_work()` when draining begins."""

    def __init__(
        self,
        config: GatewayConfig,
        clock: Clock,
        telemetry: Telemetry,
        limits: ProfileLimits,
        providers: GatewayProviders | None = None,
    ) -> None:
        self.config = config
        self.clock = clock
        self.telemetry = telemetry
        self.limits = limits
        self.database = runs_database(config.database_path)
        self.wakeup = Wakeup(clock)
        self.store = RunStore(self.database, clock, self.wakeup)
        self.progress = RunProgress(self.store)
        self.artifacts = ArtifactStore(config.artifacts_dir)
        self._given = providers
        self.providers: GatewayProviders | None = None
        self.finisher: Finisher | None = None
        self.worker: Worker | None = None
        self.api: PipelineApi | None = None
        self.campaigns: CampaignApi | None = None

    def connect(self) -> GatewayProviders:
        """Open a channel to each phase server (inside the running loop); the given fakes where there are some."""
        if self._given is not None:
            return self._given
        clients: dict[PhaseValue, PhaseClient] = {}
        peers = []
        campaigns = None
        for kind in KINDS:
            channel = open_channel(getattr(self.config, f"{kind.name}_target"), telemetry=self.telemetry)
            seconds = getattr(self.config, f"{kind.name}_seconds")
            clients[kind.phase] = GrpcPhase(kind, channel, self.clock, seconds)
            peers.append(Peer(kind.name, channel))
            if kind.phase == common_pb2.PHASE_CAMPAIGN:
                campaigns = campaign_pb2_grpc.LiveCampaignServiceStub(channel)
        return GatewayProviders(clients, peers, [peer.spans for peer in peers], campaigns)

    async def open(self) -> None:
        """Open the store, connect, and begin to work on what waits."""
        await self.database.open()
        self.providers = providers = self.connect()
        config = self.config
        runner = PhaseRunner(
            providers.clients,
            self.progress,
            self.artifacts,
            self.clock,
            self.telemetry,
            Patience(config.phase_patience_seconds, config.phase_attempts_max),
            {
                common_pb2.PHASE_EVIDENCE: micros_from_usd(config.evidence_allowance_usd, "evidence_allowance_usd"),
                common_pb2.PHASE_PITCH: micros_from_usd(config.pitch_allowance_usd, "pitch_allowance_usd"),
            },
        )
        self.finisher = Finisher(self.store, self.progress, self.artifacts, self.telemetry, providers.span_sources)
        orchestrator = Orchestrator(self.store, self.progress, runner, self.finisher, self.limits)
        # Unique per process and start, so that a restarted gateway never takes its predecessor's lease for its own.
        owner = f"{socket.gethostname()}:{os.getpid()}:{new_span_id()}"
        self.worker = Worker(
            self.progress,
            orchestrator.execute,
            self.wakeup,
            self.clock,
            owner=owner,
            limit=config.max_concurrent_runs,
            lease_seconds=config.lease_seconds,
            poll_seconds=config.poll_seconds,
        )
        self.api = PipelineApi(config, self.store, self.artifacts, self.finisher, self.worker, self.limits, self.clock)
        self.campaigns = CampaignApi(providers.campaigns, self.store, self.finisher, config.tenant)
        self.worker.start()

    async def stop_work(self) -> None:
        """Drain: give running runs back, end watchers."""
        if self.worker is not None:
            await self.worker.stop()
        self.wakeup.close()

    async def close(self) -> None:
        """Close channels and the store."""
        if self.worker is not None:
            await self.worker.stop()
        if self.providers is not None and self.providers is not self._given:
            for peer in self.providers.peers:
                await peer.close()
        await self.database.close()
