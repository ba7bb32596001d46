"""Ideas and helpers for the campaign's tests."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.idea.reading import read_idea
from pipeline.v1.campaign_pb2 import CampaignResult, DraftCampaignRequest
from services.campaign.drafting import Drafter, Item

IDEAS = {
    "food": "A mobile app that helps households waste less food by tracking expiry dates and suggesting recipes",
    "clinic": "A scheduling tool for small clinics that reduces no-shows with automatic reminders and waitlist filling",
    "fraud": "A B2B tool that detects fraudulent invoices before finance teams pay them",
    "tutors": "A marketplace that matches high school students with vetted tutors for online lessons",
    "drone": "A drone service that scans farm fields and tells growers where to irrigate and spray",
    "validation": "AI-powered startup idea validation platform",
}


def request_for(idea: str, *, budget_usd: float = 25, name: str = "") -> DraftCampaignRequest:
    """A request as the gateway makes it from the idea's own words."""
    reading = read_idea(idea, name)
    return DraftCampaignRequest(
        profile=reading.profile, claims=reading.claims, ad_budget_micros=round(budget_usd * 1_000_000)
    )


def result_of(items: Sequence[Item]) -> CampaignResult:
    """The result, which is the last item."""
    last = items[-1]
    assert isinstance(last, CampaignResult)
    return last


def file_of(result: CampaignResult, path: str) -> str:
    """An artifact's text."""
    return next(a.content.decode() for a in result.artifacts if a.path == path)


def texts(result: CampaignResult, prefix: str) -> list[str]:
    """Texts of the assets whose id starts with `prefix`."""
    return [a.text for a in result.assets if a.id.startswith(prefix)]


def draft(drafter: Drafter, idea: str, *, budget_usd: float = 25, name: str = "") -> CampaignResult:
    """The campaign for an idea."""
    return result_of(list(drafter.draft(request_for(idea, budget_usd=budget_usd, name=name))))
