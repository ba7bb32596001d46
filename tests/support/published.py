"""A campaign as the store holds it after publication."""

from __future__ import annotations

from chassis.figures import Figures
from pipeline.v1 import campaign_pb2
from pipeline.v1.campaign_pb2 import DraftCampaignRequest
from services.campaign.drafting import Drafter
from services.campaign.http.contract import Published
from services.campaign.live.pages import render_served
from services.campaign.rendering import PageRenderer, Signup
from tests.support.campaigns import result_of

CONTROLLER = "Ada Example, 1 Road, Sometown, ada@example.org"


def published_of(request: DraftCampaignRequest, slug: str) -> Published:
    """The pages of the campaign that `request` drafts, running at `/p/{slug}`."""
    renderer = PageRenderer()
    draft = result_of(list(Drafter(Figures.load(), renderer, Signup()).draft(request)))
    url = f"https://try.example/p/{slug}"
    pages = render_served(request, draft, renderer, slug=slug, page_url=url, controller=CONTROLLER)
    return Published(
        id=slug,
        slug=slug,
        title=pages.title,
        status=campaign_pb2.CAMPAIGN_STATUS_RUNNING,
        visitor_key=b"k" * 32,
        pages=pages.pages,
        consent_text=pages.consent_text,
        consent_version=pages.consent_version,
        adults_only=pages.adults_only,
        page_url=url,
    )
