"""Builds the gateway's server: gRPC, REST beside it, and the worker behind both."""

from __future__ import annotations

from chassis.clock import Clock, SystemClock
from chassis.limits import ProfileLimits
from chassis.server import Server
from chassis.telemetry import Telemetry
from gateway import campaign_servicer
from gateway.campaign_servicer import LiveCampaignServicer
from gateway.config import GatewayConfig
from gateway.operations import GatewayOperations
from gateway.phases.base import GrpcPhase
from gateway.servicer import POLICIES, SERVICE, PipelineServicer
from gateway.wiring import Gateway, GatewayProviders
from pipeline.v1 import campaign_pb2_grpc, pipeline_pb2_grpc

NAME = "gateway"


def build(
    config: GatewayConfig,
    *,
    providers: GatewayProviders | None = None,
    clock: Clock | None = None,
    telemetry: Telemetry | None = None,
) -> Server:
    """A gateway that has opened nothing yet; `start()` does, `stop()` gives its runs back."""
    clock = clock or SystemClock()
    telemetry = telemetry or Telemetry.create(NAME, otlp_endpoint=config.otlp_endpoint)
    limits = ProfileLimits(offline=config.offline)
    server = Server(NAME, config, telemetry=telemetry, clock=clock, profile_limits=limits)
    gateway = Gateway(config, clock, telemetry, limits, providers)
    servicer = PipelineServicer()
    server.add(pipeline_pb2_grpc.add_PipelineServiceServicer_to_server, servicer, SERVICE, policies=POLICIES)
    live = LiveCampaignServicer()
    server.add(
        campaign_pb2_grpc.add_LiveCampaignServiceServicer_to_server,
        live,
        campaign_servicer.SERVICE,
        policies=campaign_servicer.POLICIES,
    )
    server.operations = GatewayOperations(
        server, lambda: gateway.providers.peers if gateway.providers is not None else ()
    )

    async def open_gateway() -> None:
        await gateway.open()
        assert gateway.providers is not None
        for client in gateway.providers.clients.values():
            if isinstance(client, GrpcPhase):
                server.breakers[client.kind.name] = client.breaker
        servicer.api = gateway.api
        live.api = gateway.campaigns
        if config.http_listen:
            # Imported here: a gateway without REST pays nothing for it.
            from gateway.http.app import HttpSide

            side = HttpSide(config.http_listen)
            assert gateway.api is not None
            await side.start(gateway.api, ready, server.calls.refuse_while_draining, gateway.campaigns)
            server.on_close(side.stop)

    async def ready() -> bool:
        return not server.calls.draining and await gateway.store.answers()

    server.on_close(gateway.close)
    server.on_start(open_gateway)
    server.on_drain(gateway.stop_work)
    server.on_ready(gateway.store.answers)
    return server
