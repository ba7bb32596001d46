"""What `pipeline campaign` prints: the plan and its honest statement, counts, requests, readings."""

from __future__ import annotations

import io

import pytest
from rich.console import Console, RenderableType

from pipeline.campaign_view import campaign_view, plan_view, reading_view, requests_view
from pipeline.v1 import campaign_pb2, common_pb2
from pipeline.v1.campaign_pb2 import Campaign


def printed(view: RenderableType) -> str:
    """The view as a terminal of 200 columns shows it."""
    out = io.StringIO()
    Console(file=out, width=200).print(view, soft_wrap=True)
    return out.getvalue()


@pytest.fixture
def campaign() -> Campaign:
    """A campaign that runs on one platform."""
    made = Campaign(
        name="runs/01j9/campaign",
        campaign_type=common_pb2.CAMPAIGN_TYPE_SMOKE_TEST,
        status=campaign_pb2.CAMPAIGN_STATUS_RUNNING,
        page_url="https://try.example.org/p/larderwise-1",
        plan=campaign_pb2.TestPlan(
            honest_statement="$25 buys about 20 visitors: not enough.", hypothesis="15% sign up."
        ),
        plan_sha256="ab" * 32,
        budget_micros=25_000_000,
        spent_micros=7_500_000,
        counts=[
            campaign_pb2.VariantCounts(variant="a", visitors=20, signups=3, views=31),
            campaign_pb2.VariantCounts(variant="b"),
        ],
        platforms=[
            campaign_pb2.PlatformSetup(
                platform="google_ads",
                state=campaign_pb2.PLATFORM_STATE_RUNNING,
                steps=[
                    campaign_pb2.SetupStep(
                        key="google_ads/budget",
                        title="budget",
                        state=campaign_pb2.SETUP_STEP_STATE_DONE,
                        request=campaign_pb2.PlannedRequest(
                            method="POST",
                            url="https://ads.example/budgets",
                            headers={"authorization": "(secret)"},
                            body='{"amount": 25}',
                        ),
                    )
                ],
            )
        ],
        missing=[common_pb2.Missing(subject="meta", reason="No key.", next_step="Set one [now].")],
    )
    made.published_at.FromJsonString("2026-01-01T10:00:00Z")
    return made


def test_the_plan_is_shown_with_what_it_cannot_show(campaign: Campaign) -> None:
    """Question, honest statement and digest; nothing in brackets is taken for a style."""
    text = printed(plan_view(campaign))
    for part in ("15% sign up.", "$25 buys about 20 visitors: not enough.", "ab" * 32, "Set one [now].", "smoke test"):
        assert part in text


def test_a_status_shows_counts_spend_and_platforms(campaign: Campaign) -> None:
    """A page without visitors has no rate, not one of 0%."""
    text = printed(campaign_view(campaign))
    for part in ("running", "$7.50", "15.0%", "google_ads", "✓", campaign.page_url):
        assert part in text
    assert "0.0%" not in text
    assert "missing: meta" in text
    assert "Set one [now]." in printed(campaign_view(campaign, whole=True))


def test_a_dry_run_shows_the_exact_requests(campaign: Campaign) -> None:
    """Method, address, headers and body, in order, under a line that says that nothing was sent."""
    text = printed(requests_view(campaign))
    assert "dry run: 1 request, none was sent" in text
    for part in ("POST https://ads.example/budgets", "authorization: (secret)", '{"amount": 25}'):
        assert part in text


def test_a_reading_says_whether_it_stands() -> None:
    """An early look is marked as one; a broken guardrail is not hidden."""
    reading = campaign_pb2.CampaignReading(
        decision=campaign_pb2.CAMPAIGN_DECISION_NO_GO,
        explanation="3 of 40.",
        guardrails=[campaign_pb2.Guardrail(name="sample_ratio", passed=False, detail="a got 39 of 40")],
    )
    early = printed(reading_view(reading))
    assert "NO-GO" in early
    assert "so far; the test goes on" in early
    assert "a got 39 of 40" in early
    assert "credible" not in early, "nobody came: there is no rate to speak of"
    reading.fixed_horizon.visitors = 40
    assert "credible" in printed(reading_view(reading))
    reading.is_final = True
    assert "the decision stands" in printed(reading_view(reading))
