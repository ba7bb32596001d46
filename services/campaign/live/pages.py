"""The pages of a campaign as it serves them at `/p/{slug}`: written once, at publication, and stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pipeline.v1.campaign_pb2 import CampaignResult, DraftCampaignRequest
from services.campaign.domain import landing
from services.campaign.domain.brief import read_brief
from services.campaign.domain.copywriting import call_to_action
from services.campaign.domain.visiting import RETENTION_DAYS
from services.campaign.rendering import PageRenderer, Site, visible


@dataclass(frozen=True)
class ServedPages:
    """HTML by path: "a", "b", "privacy", and "shell", the empty page that what concerns one visitor is put into."""

    pages: Mapping[str, str]
    title: str
    consent_text: str
    consent_version: str
    adults_only: bool


def render_served(
    request: DraftCampaignRequest,
    draft: CampaignResult,
    renderer: PageRenderer,
    *,
    slug: str,
    page_url: str,
    controller: str,
    retention_days: int = RETENTION_DAYS,
) -> ServedPages:
    """The pages that `request` gives, in the call to action of `draft`; the same bytes for the same arguments.

    `page_url` is the public address of the page, for previews of links to it. `controller` is who keeps the
    addresses (name, postal address, e-mail address); where it is empty, the privacy page shows a marked gap.
    `retention_days`: what that page promises about the time after the test's end.
    """
    brief = read_brief(request.profile, request.claims)
    controller = " ".join(controller.split())
    cta = call_to_action(draft.campaign_type)
    copy = landing.write_page(brief, request.profile.one_liner, cta, controller, cookie=True)
    copy = replace(copy, consent=visible(copy.consent), title=visible(copy.title))
    variants = landing.write_variants(brief)
    home = f"/p/{slug}"
    site = Site(home, f"{home}/privacy", f"{home}/signup", "'self'", url=page_url, served=True)
    pages = {v.key: renderer.landing(copy, variants, v, site, brief.category) for v in variants}
    pages["privacy"] = renderer.privacy(copy, site, controller, brief.category, retention_days)
    pages["shell"] = renderer.shell(copy.name, site, brief.category)
    return ServedPages(pages, copy.name, copy.consent, copy.consent_version, copy.adults_only)
