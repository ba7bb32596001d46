"""Builds the validation server."""

from __future__ import annotations

from chassis.clock import Clock, SystemClock
from chassis.models.embedding import Embedder, load_embedder
from chassis.server import Server
from chassis.telemetry import Telemetry
from pipeline.v1 import validation_pb2_grpc
from services.validation.config import ValidationConfig
from services.validation.providers.sqlite import SqliteIdeaStore
from services.validation.servicer import SERVICE, ValidationProviders, ValidationServicer

NAME = "validation"
DATABASE = "validation.db"


def build(
    config: ValidationConfig,
    *,
    providers: ValidationProviders | None = None,
    clock: Clock | None = None,
    telemetry: Telemetry | None = None,
) -> Server:
    """A server ready to start; `providers=None` opens SQLite in the state folder and loads the configured embedder."""
    clock = clock or SystemClock()
    telemetry = telemetry or Telemetry.create(NAME, otlp_endpoint=config.otlp_endpoint)
    server = Server(NAME, config, telemetry=telemetry, clock=clock)
    if providers is None:
        providers = default_providers(config, embedder=load_embedder(config, clock))
        if providers.embedder is not None:
            # A shared embedder belongs to whoever passed it in; this one is ours.
            server.on_close(providers.embedder.close)
    server.on_start(providers.store.open)
    server.on_close(providers.store.close)
    server.on_ready(providers.store.ready)
    servicer = ValidationServicer(providers, clock=clock, telemetry=telemetry)
    server.add(validation_pb2_grpc.add_ValidationServiceServicer_to_server, servicer, SERVICE)
    return server


def default_providers(config: ValidationConfig, *, embedder: Embedder | None) -> ValidationProviders:
    """The real store in the state folder; `embedder` stays its owner's to close."""
    return ValidationProviders(SqliteIdeaStore(config.state_dir / DATABASE), embedder)
