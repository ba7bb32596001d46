"""Build the evidence server: providers, what is put around them, the servicer."""

from __future__ import annotations

from chassis.clock import Clock, SystemClock
from chassis.limits import ProfileLimits
from chassis.models.embedding import Embedder, load_embedder
from chassis.pool import HttpPool
from chassis.resilience import TokenBucket
from chassis.server import Server
from chassis.telemetry import Telemetry
from pipeline.v1 import common_pb2, evidence_pb2_grpc
from services.evidence.collect import Collector
from services.evidence.config import EvidenceConfig
from services.evidence.domain.coverage import source_missing
from services.evidence.providers.base import EvidenceProviders, Provider
from services.evidence.providers.benchmarks import BenchmarksProvider
from services.evidence.providers.directory import DirectoryProvider
from services.evidence.providers.hackernews import PROVIDER as HACKERNEWS
from services.evidence.providers.hackernews import HackerNewsProvider
from services.evidence.providers.upstream import Upstream
from services.evidence.servicer import EvidenceServicer, PrivateUpstreams

NAME = "evidence"
# Searches at once before the average rate counts: one run's worth.
HACKERNEWS_BURST = 10


def build(
    config: EvidenceConfig,
    *,
    providers: EvidenceProviders | None = None,
    clock: Clock | None = None,
    telemetry: Telemetry | None = None,
) -> Server:
    """Return a server that is ready to start. `providers=None` builds the real ones, embedder included."""
    clock = clock if clock is not None else SystemClock()
    if telemetry is None:
        telemetry = Telemetry.create(NAME, otlp_endpoint=config.otlp_endpoint)
    server = Server(
        NAME, config, telemetry=telemetry, clock=clock, profile_limits=ProfileLimits(offline=config.offline)
    )
    if providers is None:
        embedder = load_embedder(config, clock)
        if embedder is not None:
            server.on_close(embedder.close)
        providers = default_providers(config, embedder=embedder, clock=clock)
    for pool in providers.pools:
        server.pools[pool.name] = pool
        server.on_close(pool.close)
    upstreams = [_upstream(provider, config, telemetry, clock) for provider in providers.providers]
    for upstream in upstreams:
        server.breakers[upstream.name] = upstream.breaker
        if upstream.cache is not None:
            server.caches[upstream.name] = upstream.cache
            server.on_close(upstream.cache.close)
        if isinstance(upstream.provider, DirectoryProvider):
            server.on_start(upstream.provider.open)
    missing = [
        source_missing(
            name, common_pb2.MISSING_KIND_NOT_CONFIGURED, f"{name} was not asked: {why}.", f"Set it up: {why}."
        )
        for name, why in providers.not_configured
    ]
    servicer = EvidenceServicer(
        Collector(upstreams, providers.embedder, clock),
        PrivateUpstreams(telemetry=telemetry, clock=clock),
        server.profile_limits,
        missing,
    )
    server.add(evidence_pb2_grpc.add_EvidenceServiceServicer_to_server, servicer, "pipeline.v1.EvidenceService")
    return server


def default_providers(
    config: EvidenceConfig, *, embedder: Embedder | None, clock: Clock | None = None
) -> EvidenceProviders:
    """Return the real providers of this configuration; `embedder` stays its owner's to close."""
    found: list[Provider] = [DirectoryProvider(embedder), BenchmarksProvider()]
    if not config.hackernews_url:
        reason = "PIPELINE_HACKERNEWS_URL is empty"
        return EvidenceProviders(tuple(found), embedder, ((HACKERNEWS, reason),))
    pool = HttpPool(HACKERNEWS, offline=config.offline, total_timeout=config.hackernews_timeout_seconds, clock=clock)
    found.append(HackerNewsProvider(pool, config.hackernews_url))
    return EvidenceProviders(tuple(found), embedder, pools=(pool,))


def _upstream(provider: Provider, config: EvidenceConfig, telemetry: Telemetry, clock: Clock) -> Upstream:
    limiter = None
    if not provider.offline:
        limiter = TokenBucket(config.hackernews_rate, HACKERNEWS_BURST, clock, name=provider.name)
    return Upstream(
        provider,
        telemetry=telemetry,
        clock=clock,
        cache_size=config.evidence_cache_size,
        limiter=limiter,
        timeout_seconds=config.hackernews_timeout_seconds,
    )
