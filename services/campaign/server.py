"""Builds the campaign server."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.clock import Clock, SystemClock
from chassis.figures import Figures
from chassis.server import Server
from chassis.telemetry import Telemetry
from pipeline.v1 import campaign_pb2_grpc
from services.campaign.config import CampaignConfig
from services.campaign.domain import limits
from services.campaign.drafting import Drafter
from services.campaign.rendering import PageRenderer, Signup
from services.campaign.servicer import CampaignServicer


@dataclass(frozen=True)
class CampaignProviders:
    """The outside world of this server: the figures that plans are computed from. No platform is called."""

    figures: Figures


def build(
    config: CampaignConfig,
    *,
    providers: CampaignProviders | None = None,
    clock: Clock | None = None,
    telemetry: Telemetry | None = None,
) -> Server:
    """A server ready to start; `providers` default to the shipped figures."""
    providers = providers or CampaignProviders(figures=Figures.load())
    server = Server(
        "campaign",
        config,
        telemetry=telemetry or Telemetry.create("campaign", otlp_endpoint=config.otlp_endpoint),
        clock=clock or SystemClock(),
    )
    signup = Signup(endpoint=config.campaign_signup_endpoint, controller=config.campaign_controller)
    slots = limits.slots(linkedin_intro=config.campaign_linkedin_intro_max)
    servicer = CampaignServicer(Drafter(providers.figures, PageRenderer(), signup, slots))
    server.add(campaign_pb2_grpc.add_CampaignServiceServicer_to_server, servicer, "pipeline.v1.CampaignService")
    return server
