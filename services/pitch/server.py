"""Builds the pitch server."""

from __future__ import annotations

from chassis.clock import Clock, SystemClock
from chassis.figures import Figures
from chassis.models.embedding import load_embedder
from chassis.models.text import load_text_model
from chassis.server import Server
from chassis.telemetry import Telemetry
from pipeline.v1 import pitch_pb2_grpc
from services.pitch.config import PitchConfig
from services.pitch.domain.sizing import Sizing
from services.pitch.pdf import PdfConverter
from services.pitch.servicer import SERVICE, PitchProviders, PitchServicer

NAME = "pitch"


def build(
    config: PitchConfig,
    *,
    providers: PitchProviders | None = None,
    clock: Clock | None = None,
    telemetry: Telemetry | None = None,
) -> Server:
    """A server ready to start; `providers=None` loads the shipped figures and planning values."""
    clock = clock or SystemClock()
    telemetry = telemetry or Telemetry.create(NAME, otlp_endpoint=config.otlp_endpoint)
    server = Server(NAME, config, telemetry=telemetry, clock=clock)
    if providers is None:
        model = load_text_model(config, telemetry, clock)
        server.on_close(model.close)
        # Loaded only to check what a model wrote: without one it would be memory for nothing.
        embedder = load_embedder(config, clock) if model.available else None
        if embedder is not None:
            server.on_close(embedder.close)
        breaker = getattr(model, "breaker", None)
        if breaker is not None:
            server.breakers[model.name] = breaker
        providers = PitchProviders(Figures.load(), Sizing.load(), model, embedder)
    servicer = PitchServicer(providers, clock=clock, telemetry=telemetry, pdf=PdfConverter(config.soffice))
    server.add(pitch_pb2_grpc.add_PitchServiceServicer_to_server, servicer, SERVICE)
    return server
