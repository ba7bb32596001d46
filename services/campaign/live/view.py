"""A campaign as the contract shows it, with what it lacks and what its reader should know."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from google.protobuf.timestamp_pb2 import Timestamp

from pipeline.v1 import campaign_pb2, common_pb2
from pipeline.v1.campaign_pb2 import Campaign, PlatformSetup, VariantCounts
from pipeline.v1.common_pb2 import Missing, Notice
from services.campaign.domain import status
from services.campaign.domain.counts import VARIANTS, Counts
from services.campaign.store.campaigns import StoredCampaign

CAMPAIGN = common_pb2.PHASE_CAMPAIGN

# Between what a platform lacks and what to do without it (providers/registry.py).
_BY_HAND = ". By hand: "
_UNFINISHED = (campaign_pb2.PLATFORM_STATE_PLANNED, campaign_pb2.PLATFORM_STATE_SETTING_UP)


def campaign_message(
    stored: StoredCampaign,
    setups: Sequence[PlatformSetup],
    counts: Counts,
    *,
    page_url: str,
    missing: Sequence[Missing] = (),
) -> Campaign:
    """The message; `page_url` is the address of its page, empty before publication."""
    return Campaign(
        name=stored.name,
        campaign_type=stored.draft.campaign_type,
        status=stored.status,
        status_reason=stored.status_reason,
        slug=stored.slug,
        page_url=page_url,
        plan=stored.draft.plan,
        plan_sha256=stored.plan_sha256,
        budget_micros=stored.budget_micros,
        spent_micros=sum(setup.spent_micros for setup in setups),
        created_at=timestamp(stored.created_at),
        published_at=timestamp(stored.published_at),
        completed_at=timestamp(stored.completed_at),
        platforms=setups,
        counts=variant_counts(counts),
        missing=missing,
        notices=_notices(stored, setups),
    )


def variant_counts(counts: Counts) -> list[VariantCounts]:
    """Both pages, also where nobody came."""
    return [
        VariantCounts(
            variant=variant,
            visitors=counts.visitors(variant),
            signups=counts.signups(variant),
            views=counts.views(variant),
        )
        for variant in VARIANTS
    ]


def what_is_missing(
    not_configured: Sequence[tuple[str, str]], *, controller: str, public_url: str, pages_served: bool
) -> list[Missing]:
    """What stands between this server and a campaign that strangers see, each with its mend."""
    missing = [_unconfigured(platform, why) for platform, why in not_configured]
    if not controller:
        missing.append(
            Missing(
                subject="responsible person on the privacy page",
                phase=CAMPAIGN,
                kind=common_pb2.MISSING_KIND_FOUNDER_INPUT,
                reason="People leave their addresses with somebody; who that is, the founder alone knows.",
                next_step="Set PIPELINE_CAMPAIGN_CONTROLLER to a name, a postal address and an e-mail address.",
            )
        )
    if is_loopback(public_url):
        missing.append(
            Missing(
                subject="public address",
                phase=CAMPAIGN,
                kind=common_pb2.MISSING_KIND_NOT_CONFIGURED,
                reason=f"{public_url} is reached from this machine only.",
                next_step="Set PIPELINE_PAGE_URL to the address under which visitors reach this server's pages.",
            )
        )
    if not pages_served:
        missing.append(
            Missing(
                subject="page server",
                phase=CAMPAIGN,
                kind=common_pb2.MISSING_KIND_NOT_CONFIGURED,
                reason="This process serves no pages (PIPELINE_PAGE_LISTEN is off).",
                next_step="Start `pipeline serve` with the same state folder: its page address answers.",
            )
        )
    return missing


def _unconfigured(platform: str, why: str) -> Missing:
    lacks, _, by_hand = why.partition(_BY_HAND)
    mend = "Mend that and publish again"
    return Missing(
        subject=platform,
        phase=CAMPAIGN,
        kind=common_pb2.MISSING_KIND_NOT_CONFIGURED,
        reason=f"{lacks.rstrip('.')}.",
        next_step=f"{mend}, or by hand: {by_hand}" if by_hand else f"{mend}.",
    )


def is_loopback(url: str) -> bool:
    """Whether nobody but this machine can follow the address."""
    host = (urlsplit(url).hostname or "").lower()
    return host in ("localhost", "::1", "0.0.0.0", "::") or host.startswith("127.")  # noqa: S104 - compared, not bound


def timestamp(micros: int | None) -> Timestamp | None:
    """Microseconds since the epoch as the contract carries them."""
    if micros is None:
        return None
    made = Timestamp()
    made.FromMicroseconds(micros)
    return made


def moment(micros: int) -> datetime:
    """Microseconds since the epoch as an aware datetime."""
    return datetime.fromtimestamp(micros / 1_000_000, UTC)


def _notices(stored: StoredCampaign, setups: Sequence[PlatformSetup]) -> list[Notice]:
    if stored.status not in (status.RUNNING, status.PAUSED):
        return []
    return [
        Notice(
            subject=setup.platform,
            message=f"Its set-up was interrupted before its end; publish again to go on from step {_next_step(setup)}.",
            phase=CAMPAIGN,
        )
        for setup in setups
        if setup.state in _UNFINISHED
    ]


def _next_step(setup: PlatformSetup) -> str:
    done = sum(step.state == campaign_pb2.SETUP_STEP_STATE_DONE for step in setup.steps)
    return f"{min(done + 1, max(len(setup.steps), 1))} of {max(len(setup.steps), 1)}"
