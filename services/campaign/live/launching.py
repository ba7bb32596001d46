"""Which platforms a campaign goes to, what each is told, and when no more money may be spent there."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2, common_pb2, errors_pb2
from pipeline.v1.campaign_pb2 import CampaignReading, PlatformSetup
from services.campaign.domain import status, wording
from services.campaign.domain.budget import CHANNELS, split_budget
from services.campaign.domain.plan import DAYS_MAX
from services.campaign.domain.setup_steps import over_cap
from services.campaign.live import view
from services.campaign.live.ports import Platforms
from services.campaign.providers.base import Launch
from services.campaign.store.campaigns import StoredCampaign

PLATFORMS_MAX = 16
# Ads run as long as the plan lets the test run: they neither end before it nor outlast it.
DAYS = DAYS_MAX

_NEVER_ASKED = (campaign_pb2.PLATFORM_STATE_UNSPECIFIED, campaign_pb2.PLATFORM_STATE_NOT_CONFIGURED)
# Made to its end, so that it can run.
SET_UP = (campaign_pb2.PLATFORM_STATE_RUNNING, campaign_pb2.PLATFORM_STATE_PAUSED)
NOTHING_THERE = (
    *_NEVER_ASKED,
    campaign_pb2.PLATFORM_STATE_UNDONE,
    campaign_pb2.PLATFORM_STATE_COMPLETED,
)


def budget_for(stored: StoredCampaign, asked: int | None) -> int:
    """The cap over all platforms, micros of USD: never above the plan's, and fixed by the first publication."""
    if asked is None:
        return stored.budget_micros
    if stored.status != status.DRAFT and asked != stored.budget_micros:
        fixed = wording.dollars(stored.budget_micros)
        raise PipelineError.invalid(
            "budget_micros", f"was fixed at {fixed} when the campaign was published; leave it out"
        )
    if asked < 0:
        raise PipelineError.invalid("budget_micros", "is negative; write 0 or more micros of USD")
    if asked > stored.draft.plan.budget_micros:
        most = wording.dollars(stored.draft.plan.budget_micros)
        raise PipelineError.invalid("budget_micros", f"is above the plan's {most}; give at most that, or plan anew")
    return asked


def check_pages(stored: StoredCampaign) -> None:
    """Refuse to publish a launch: its ads lead to the product, and this server has no page to show in its stead.

    Raises CAMPAIGN_STATE, naming what can be done.
    """
    if stored.draft.campaign_type == common_pb2.CAMPAIGN_TYPE_FULL_LAUNCH:
        raise status.state_error(
            stored.name,
            stored.status,
            status.Step.PUBLISH,
            "A launch is not published from here: its ads lead to the product itself, whose address and accounts this "
            "server does not know. Import campaign/ads.csv into Google Ads Editor with the product's address as Final "
            "URL, or draft a smoke test or a pilot, which have pages of their own.",
        )


def choose(
    platforms: Platforms, earlier: Sequence[PlatformSetup], asked: Sequence[str], *, budget: int, drafts: bool
) -> tuple[str, ...]:
    """The platforms to set up: those asked for, else those of an earlier publication, else all configured (without a
    budget, those that cost nothing).

    `drafts`: requests are shown only, so that platforms without an account may be chosen, and all of them are where
    none has one. The money was shared between those that cost when the first of them was set up: none is added
    later.
    """
    if len(asked) > PLATFORMS_MAX:
        raise PipelineError.invalid("platforms", f"names {len(asked)} platforms; give {PLATFORMS_MAX} at most")
    configured, why_not = platforms.configured(), dict(platforms.not_configured())
    usable = (*configured, *why_not) if drafts else configured
    before = [setup.platform for setup in earlier if setup.state not in _NEVER_ASKED]
    free = [name for name in configured or usable if budget > 0 or name not in CHANNELS]
    chosen = tuple(dict.fromkeys(asked or before or free))
    selling = [name for name in before if name in CHANNELS]
    for name in chosen:
        if name not in usable:
            known = ", ".join((*configured, *why_not)) or "none"
            reason = why_not.get(name, f"this server knows {known}")
            raise PipelineError.invalid("platforms", f"{name[:40]!r} is not configured: {reason}")
        if selling and name not in before and name in CHANNELS:
            raise PipelineError.invalid(
                "platforms", f"{name!r} comes too late: {', '.join(selling)} took the budget; leave it out"
            )
    return chosen


def check_ads(platforms: Sequence[str], budget: int, url: str, origin_url: str) -> None:
    """Refuse ads without money, and ads that lead to an address of this machine, be it through a front: every click
    would be for nothing.
    """
    selling = [name for name in platforms if name in CHANNELS]
    if selling and budget <= 0:
        raise PipelineError.invalid("budget_micros", f"is 0, with which {selling[0]} shows nothing; leave it out")
    local = next((address for address in (url, origin_url) if view.is_loopback(address)), "")
    if selling and local:
        raise PipelineError.invalid(
            "platforms",
            f"includes {selling[0]}, whose ads would lead to {local}, which visitors cannot reach; set "
            "PIPELINE_PAGE_URL to the public address before the first publication, or leave the platform out",
        )


def launches_for(
    stored: StoredCampaign,
    platforms: Sequence[str],
    setups: Sequence[PlatformSetup],
    *,
    budget_micros: int,
    url: str,
    origin_url: str,
) -> list[tuple[str, Launch]]:
    """What each platform is told. Shares are those of all platforms, whichever are spoken to now.

    `url`: where visitors open the page; `origin_url`: where the server that counts is reached, which a front passes
    them on to (scheme and host).
    """
    everyone = dict.fromkeys([*(s.platform for s in setups if s.state not in _NEVER_ASKED), *platforms])
    shares = split_budget(stored.draft.plan, budget_micros, tuple(everyone))
    return [
        (
            name,
            Launch(
                campaign_id=stored.id,
                title=stored.title or "Smoke test",
                slug=stored.slug,
                page_url=url,
                origin_url=origin_url,
                draft=stored.draft,
                budget_micros=shares[name],
                days=DAYS,
                starts_at=None if stored.published_at is None else view.moment(stored.published_at),
            ),
        )
        for name in platforms
    ]


def made_launches(
    platforms: Platforms,
    stored: StoredCampaign,
    setups: Sequence[PlatformSetup],
    states: Sequence[campaign_pb2.PlatformState.ValueType] = (),
    *,
    origin_url: str,
) -> list[tuple[str, Launch]]:
    """Launches of the platforms on which something may exist (or that are in `states`), as far as they can be
    asked: an account may have been taken out of the settings since.
    """
    configured = platforms.configured()
    made = [
        setup.platform
        for setup in setups
        if setup.platform in configured and (setup.state in states if states else setup.state not in NOTHING_THERE)
    ]
    return launches_for(
        stored, made, setups, budget_micros=stored.budget_micros, url=stored.page_url, origin_url=origin_url
    )


def page_url(
    platforms: Platforms, stored: StoredCampaign, chosen: Sequence[str], asked: Sequence[str], origin_url: str
) -> str:
    """Where visitors open the page, fixed by the first publication: on a front among the chosen platforms, else at the
    server that counts. A front without an account counts only where it was asked for by name.
    """
    if stored.page_url:
        return stored.page_url
    usable = [name for name in chosen if name in platforms.configured() or name in asked]
    # Where a front is depends on the campaign alone: the page's address is not needed to learn it.
    launches = launches_for(stored, usable, (), budget_micros=0, url="", origin_url=origin_url)
    return f"{platforms.front_url(launches) or origin_url}/p/{stored.slug}"


def check_reach(platforms: Platforms, setups: Sequence[PlatformSetup]) -> None:
    """Refuse to call ads held that may run where this server has no account any more."""
    for name, why in platforms.not_configured():
        states = [setup.state for setup in setups if setup.platform == name]
        if name in CHANNELS and campaign_pb2.PLATFORM_STATE_RUNNING in states:
            raise PipelineError(
                errors_pb2.ERROR_REASON_UPSTREAM_FAILED,
                f"The ads on {name} may still run and cannot be held from here: {why}. Set it and try again.",
                metadata={"upstream": name},
            )


def why_held(
    stored: StoredCampaign, setups: Sequence[PlatformSetup], reading: CampaignReading | None, *, poll_seconds: float
) -> str:
    """Why no more money may be spent on this campaign; "" where it may, or where nothing costs."""
    if not any(setup.platform in CHANNELS and setup.state not in NOTHING_THERE for setup in setups):
        return ""
    spent = sum(setup.spent_micros for setup in setups)
    if over_cap(spent, stored.budget_micros, days=DAYS, until_next_reading=poll_seconds):
        cap = wording.dollars(stored.budget_micros)
        return f"the platforms report {wording.dollars(spent)} spent of {cap}, and reports lag"
    if reading is not None and reading.is_final:
        decision = campaign_pb2.CampaignDecision.Name(reading.decision).removeprefix("CAMPAIGN_DECISION_")
        return f"the stopping rule was met: {decision.replace('_', '-')}"
    return ""


def failure_of(setups: Sequence[PlatformSetup]) -> str:
    """Why the set-up did not come to its end, the first reason; "" where it did."""
    for setup in setups:
        if setup.state == campaign_pb2.PLATFORM_STATE_FAILED:
            return f"{setup.platform}: {setup.detail}"
    return ""
