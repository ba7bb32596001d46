"""Builds the campaign server: drafts, and what becomes of them once they are published."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from chassis.clock import Clock, SystemClock
from chassis.database import Database
from chassis.figures import Figures
from chassis.server import Server
from chassis.telemetry import Telemetry
from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2_grpc
from services.campaign.config import CampaignConfig
from services.campaign.domain import limits
from services.campaign.domain.reading.read import read
from services.campaign.drafting import Drafter
from services.campaign.live.campaigns import LiveCampaigns, LiveSettings
from services.campaign.live.pages import render_served
from services.campaign.live.setup import Setup
from services.campaign.live.watch import CampaignWatch
from services.campaign.providers.around import PlatformPool
from services.campaign.providers.base import CampaignPlatforms
from services.campaign.providers.registry import make_platforms
from services.campaign.rendering import PageRenderer, Signup
from services.campaign.servicer import POLICIES, CampaignServicer, Live, LiveCampaignServicer
from services.campaign.store.campaigns import CampaignStore
from services.campaign.store.effects import EffectStore
from services.campaign.store.published import PublishedStore
from services.campaign.store.schema import campaigns_database
from services.campaign.store.signups import SignupStore
from services.campaign.store.visits import VisitStore

NAME = "campaign"
LIVE_SERVICE = "pipeline.v1.LiveCampaignService"


@dataclass(frozen=True)
class CampaignProviders:
    """The outside world of this server: the figures that plans are computed from, and the platforms."""

    figures: Figures
    platforms: CampaignPlatforms = field(default_factory=CampaignPlatforms)


def build(
    config: CampaignConfig,
    *,
    providers: CampaignProviders | None = None,
    clock: Clock | None = None,
    telemetry: Telemetry | None = None,
) -> Server:
    """A server ready to start; `providers` default to the shipped figures and the platforms of the settings.

    A store that cannot be opened costs the live campaigns and leaves the drafts: a run is not stopped by it.
    """
    clock = clock or SystemClock()
    telemetry = telemetry or Telemetry.create(NAME, otlp_endpoint=config.otlp_endpoint)
    if providers is None:
        platforms = make_platforms(config, telemetry=telemetry, clock=clock)
        providers = CampaignProviders(figures=Figures.load(), platforms=platforms)
    server = Server(NAME, config, telemetry=telemetry, clock=clock)
    for pool in providers.platforms.pools:
        server.pools[pool.name] = pool
        if isinstance(pool, PlatformPool):
            server.breakers[pool.name] = pool.breaker
        server.on_close(pool.close)
    renderer, live = PageRenderer(), Live()
    signup = Signup(endpoint=config.campaign_signup_endpoint, controller=config.campaign_controller)
    slots = limits.slots(linkedin_intro=config.campaign_linkedin_intro_max)
    drafts = CampaignServicer(Drafter(providers.figures, renderer, signup, slots), live)
    server.add(campaign_pb2_grpc.add_CampaignServiceServicer_to_server, drafts, "pipeline.v1.CampaignService")
    servicer = LiveCampaignServicer(live)
    server.add(campaign_pb2_grpc.add_LiveCampaignServiceServicer_to_server, servicer, LIVE_SERVICE, policies=POLICIES)

    async def open_live() -> None:
        database = campaigns_database(config.database_path)
        try:
            await database.open()
        except PipelineError as error:
            server.log.warning("campaigns_unavailable", path=str(config.database_path), error=str(error))
            return
        server.on_close(database.close)
        live.campaigns = _live(config, database, providers.platforms, renderer, clock)
        server.on_ready(live.campaigns.store.answers)
        if config.page_listen:
            await _serve_pages(server, config, database, live.campaigns, renderer, clock)

    server.on_start(open_live)
    return server


def _live(
    config: CampaignConfig, database: Database, platforms: CampaignPlatforms, renderer: PageRenderer, clock: Clock
) -> LiveCampaigns:
    """The application service over an open store."""
    return LiveCampaigns(
        CampaignStore(database, clock),
        VisitStore(database, clock),
        SignupStore(database, clock),
        Setup(platforms, EffectStore(database, clock), clock),
        render=partial(
            render_served,
            renderer=renderer,
            controller=config.campaign_controller,
            retention_days=config.campaign_retention_days,
        ),
        read_counts=read,
        settings=LiveSettings(
            public_url=config.public_url,
            controller=config.campaign_controller,
            pages_served=bool(config.page_listen),
            poll_seconds=config.campaign_poll_seconds,
            retention_days=config.campaign_retention_days,
        ),
        clock=clock,
    )


async def _serve_pages(
    server: Server,
    config: CampaignConfig,
    database: Database,
    live: LiveCampaigns,
    renderer: PageRenderer,
    clock: Clock,
) -> None:
    """Pages, and the watch: whoever serves the pages looks after what they count."""
    # Imported here: a server without pages pays nothing for them.
    from services.campaign.http.app import PageSide
    from services.campaign.http.routes import PageRules, PageStores
    from services.campaign.http.views import Views

    stores = PageStores(PublishedStore(database, clock), VisitStore(database, clock), SignupStore(database, clock))
    rules = PageRules(trusted_proxies=config.page_trusted_proxies, form_seconds_min=config.page_form_seconds_min)
    views = Views(renderer, config.campaign_retention_days)
    side = PageSide(config.page_listen, stores, views, clock, rules)
    await side.start()
    server.on_close(side.stop)
    watch = CampaignWatch(live, clock, config.campaign_poll_seconds)
    watch.start()
    server.on_drain(watch.stop)
    server.on_close(watch.stop)
