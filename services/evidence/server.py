"""Build the evidence server: providers, what is put around them, the servicer."""

from __future__ import annotations

from dataclasses import replace

from chassis.cache import Cache, MemoryCache
from chassis.cache_file import CacheFile
from chassis.cache_store import StoredCache, StoredVectors
from chassis.clock import Clock, SystemClock
from chassis.limits import ProfileLimits
from chassis.models.embedding import Embedder, load_embedder
from chassis.models.text import load_text_model
from chassis.pool import HttpPool, user_agent_for
from chassis.safe_fetch import SafeFetcher
from chassis.server import Server
from chassis.telemetry import Telemetry
from pipeline.v1 import common_pb2, evidence_pb2_grpc
from services.evidence.collect import Collector, Outside
from services.evidence.config import EvidenceConfig, listed
from services.evidence.domain.coverage import source_missing
from services.evidence.found_codec import PageCodec
from services.evidence.providers.base import DEFAULT_TERMS, EvidenceProviders, Provider, Terms
from services.evidence.providers.benchmarks import BenchmarksProvider
from services.evidence.providers.directory import DirectoryProvider
from services.evidence.providers.page_worker import ProcessExtractor
from services.evidence.providers.pages import PAGE_TTL_SECONDS, PAGES_MAX, PageReader
from services.evidence.providers.registry import SOURCES
from services.evidence.providers.upstream import Upstream
from services.evidence.servicer import EvidenceServicer, PrivateUpstreams
from services.evidence.vectors import Embedders

NAME = "evidence"


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
    store = CacheFile.of(config, clock)
    public: Embedder | None = providers.embedder
    if store is not None:
        server.on_close(store.close)
        if providers.embedder is not None:
            vectors = StoredVectors(providers.embedder, store)
            server.caches["embeddings"] = vectors
            public = vectors
    terms = dict(providers.terms)
    upstreams = [
        Upstream(
            provider,
            telemetry=telemetry,
            clock=clock,
            terms=None if provider.offline else terms.get(provider.name, DEFAULT_TERMS),
            rate_factor=config.upstream_rate_factor,
            cache_size=config.evidence_cache_size,
            store=store,
        )
        for provider in providers.providers
    ]
    for upstream in upstreams:
        server.breakers[upstream.name] = upstream.breaker
        if upstream.cache is not None:
            server.caches[upstream.name] = upstream.cache
            server.on_close(upstream.cache.close)
        if isinstance(upstream.provider, DirectoryProvider):
            server.on_start(upstream.provider.open)
    missing = [
        source_missing(
            name, common_pb2.MISSING_KIND_NOT_CONFIGURED, f"{name} was not asked: {why}.", f"For {name}: {_mend(why)}."
        )
        for name, why in providers.not_configured
    ]
    pages = _page_reader(server, config, clock, store)
    model = providers.text_model or load_text_model(config, telemetry, clock)
    server.on_close(model.close)
    for name, breaker in (
        (model.name, getattr(model, "breaker", None)),
        ("embedding-server", getattr(providers.embedder, "breaker", None)),
    ):
        if breaker is not None:
            server.breakers[name] = breaker
    embedding_pool = getattr(providers.embedder, "pool", None)
    if embedding_pool is not None:
        server.pools[embedding_pool.name] = embedding_pool
    outside = Outside(pages, pages.check) if pages is not None else Outside()
    servicer = EvidenceServicer(
        Collector(upstreams, Embedders(providers.embedder, public), clock, outside, model),
        PrivateUpstreams(telemetry=telemetry, clock=clock),
        server.profile_limits,
        missing,
        pages,
    )
    server.add(evidence_pb2_grpc.add_EvidenceServiceServicer_to_server, servicer, "pipeline.v1.EvidenceService")
    return server


def _page_reader(server: Server, config: EvidenceConfig, clock: Clock, store: CacheFile | None) -> PageReader | None:
    """What reads pages and looks at links, closed with the server; None where the configuration wants none."""
    if config.offline or not config.fetch_pages:
        return None
    fetcher = SafeFetcher(user_agent=user_agent_for(config.contact), allowed=listed(config.fetch_allowed), clock=clock)
    server.on_close(fetcher.close)
    extractor = ProcessExtractor()
    server.on_close(extractor.close)
    cache: Cache = MemoryCache("pages", PAGES_MAX, PAGE_TTL_SECONDS, clock)
    if store is not None:
        cache = StoredCache("pages", store, PageCodec(), PAGES_MAX, PAGE_TTL_SECONDS, clock)
    server.on_close(cache.close)
    for one in (cache, *fetcher.caches):
        server.caches[one.name] = one
    for pool in fetcher.pools:
        server.pools[pool.name] = pool
    return PageReader(fetcher, extractor, clock, cache, listed(config.fetch_only))


def _mend(why: str) -> str:
    """What to do about a setting that is lacking: "PIPELINE_X is empty" -> "set PIPELINE_X"."""
    return f"set {why.removesuffix(' is empty')}" if why.endswith(" is empty") else why


def default_providers(
    config: EvidenceConfig, *, embedder: Embedder | None, clock: Clock | None = None
) -> EvidenceProviders:
    """Return the real providers of this configuration; `embedder` stays its owner's to close."""
    found: list[Provider] = [DirectoryProvider(embedder), BenchmarksProvider()]
    lacking: list[tuple[str, str]] = []
    pools: list[HttpPool] = []
    terms: list[tuple[str, Terms]] = []
    for source in SOURCES:
        if not config.asks(source.name):
            lacking.append((source.name, "PIPELINE_PROVIDERS leaves it out"))
            continue
        access = replace(config.access(source.name), clock=clock or SystemClock())
        why = source.lacks(access) if access.url else f"PIPELINE_{source.name.upper()}_URL is empty"
        if why:
            lacking.append((source.name, why))
            continue
        agreed = source.keyed_terms if access.key and source.keyed_terms else source.terms
        pool = HttpPool(
            source.name,
            limit_per_host=agreed.concurrency,
            offline=config.offline,
            total_timeout=agreed.timeout_seconds,
            user_agent=user_agent_for(config.contact),
            clock=clock,
        )
        found.append(source.make(pool, access))
        pools.append(pool)
        terms.append((source.name, agreed))
    return EvidenceProviders(tuple(found), embedder, tuple(lacking), tuple(pools), tuple(terms))
