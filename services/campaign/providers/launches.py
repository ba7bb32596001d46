"""What advertising platforms are told of a launch: names, addresses with their source, texts, money."""

from __future__ import annotations

import ipaddress
import unicodedata
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2
from pipeline.v1.campaign_pb2 import AdAssetKind, AdPlatform, ChannelPlan
from services.campaign.domain.limits import SLOTS, width
from services.campaign.providers.base import Launch

# Names on platforms are cut before the campaign's id, which alone makes them unique.
TITLE_CHARS_MAX = 60
# US cents in micros: the smallest step that platforms bill in.
CENT_MICROS = 10_000
# Of an amount in micros that a platform tells: more is no money that anybody spends here.
DIGITS_MAX = 15
_LOCAL_ENDINGS = (".localhost", ".local", ".internal", ".lan", ".home.arpa")


def name_of(launch: Launch) -> str:
    """What everything of a campaign is called on a platform: `Larderwise smoke test [01j9...]`, on one line."""
    title = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in launch.title)
    title = " ".join(title.split())[:TITLE_CHARS_MAX].strip()
    return f"{title} smoke test [{launch.campaign_id}]".strip()


def tagged(url: str, tags: Mapping[str, str]) -> str:
    """`url` with these utm parameters ("source" -> utm_source), in place of any that it had of the same name."""
    parts = urlsplit(url)
    added = {f"utm_{name}": value for name, value in tags.items()}
    kept = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key not in added]
    return urlunsplit(parts._replace(query=urlencode([*kept, *added.items()])))


def texts(launch: Launch, platform: AdPlatform.ValueType, kind: AdAssetKind.ValueType) -> list[str]:
    """The drafted texts of a kind in their order, as many and as long as the platform takes them."""
    slot = next(slot for slot in SLOTS if (slot.platform, slot.kind) == (platform, kind))
    found = [a.text for a in launch.draft.assets if a.platform == platform and a.kind == kind]
    return [text for text in found if 0 < width(text) <= slot.limit][: slot.most]


def channel_of(launch: Launch, platform: AdPlatform.ValueType) -> ChannelPlan:
    """The plan's channel; an empty one where the plan gives the platform no money."""
    found = [c for c in launch.draft.plan.channels if c.platform == platform]
    return found[0] if found else campaign_pb2.ChannelPlan()


def whole_cents(micros: int) -> int:
    """Rounded down to a cent: platforms refuse fractions, and a cap is never exceeded."""
    return micros // CENT_MICROS * CENT_MICROS


def check_public(field: str, url: str) -> None:
    """Raises INVALID_FIELD for an address that only this machine or this network reaches: nobody else would."""
    host = urlsplit(url).hostname or ""
    try:
        public = ipaddress.ip_address(host).is_global
    except ValueError:
        public = "." in host.strip(".") and not host.rstrip(".").endswith(_LOCAL_ENDINGS)
    if not public:
        raise PipelineError.invalid(field, "is not an address that everybody reaches; set PIPELINE_PAGE_URL to one")


def dollars(micros: int) -> str:
    return f"{micros / 1_000_000:,.2f} USD"


def budget_too_small(platform: str, micros: int, least_micros: int, days: int) -> PipelineError:
    """INVALID_FIELD: the money does not make a campaign there."""
    return PipelineError.invalid(
        "budget_micros",
        f"leaves {platform} {dollars(micros)} for {days} days, and it takes {dollars(least_micros)} or more; "
        f"raise the budget or leave {platform} out of the platforms",
    )


def not_in_usd(platform: str, currency: str, mend: str) -> PipelineError:
    """INVALID_FIELD: the cap is in USD and would be spent as another currency."""
    return PipelineError.invalid(
        "platforms", f"name {platform}, whose account is kept in {currency or 'an unknown currency'}; {mend}"
    )
