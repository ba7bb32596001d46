"""Builds the MVP server."""

from __future__ import annotations

from chassis.clock import Clock, SystemClock
from chassis.server import Server
from chassis.telemetry import Telemetry
from pipeline.v1 import mvp_pb2_grpc
from services.mvp.config import MvpConfig
from services.mvp.sandbox import Limits
from services.mvp.servicer import SERVICE, MvpProviders, MvpServicer

NAME = "mvp"


def build(
    config: MvpConfig,
    *,
    providers: MvpProviders | None = None,
    clock: Clock | None = None,
    telemetry: Telemetry | None = None,
) -> Server:
    """A server ready to start; `providers=None` takes the strongest sandbox that this machine allows."""
    telemetry = telemetry or Telemetry.create(NAME, otlp_endpoint=config.otlp_endpoint)
    server = Server(NAME, config, telemetry=telemetry, clock=clock or SystemClock())
    if providers is None:
        limits = Limits(
            wall_seconds=config.mvp_check_seconds,
            cpu_seconds=int(config.mvp_check_seconds),
            memory_bytes=config.mvp_check_memory_mb * 1024**2,
        )
        providers = MvpProviders(limits=limits, builds=config.mvp_builds)
    servicer = MvpServicer(providers, telemetry=telemetry)
    server.add(mvp_pb2_grpc.add_MvpServiceServicer_to_server, servicer, SERVICE)
    return server
