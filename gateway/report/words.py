"""Numbers, enums and addresses as people read them. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from pipeline.v1 import (
    campaign_pb2,
    common_pb2,
    mvp_pb2,
    pipeline_pb2,
    validation_pb2,
)

_ACRONYMS = {"Mvp": "MVP", "B2b": "B2B", "B2c": "B2C", "B2g": "B2G", "Api": "API", "Pwa": "PWA"}
# Controls and marks that reorder or hide text: they would let a quote pose as something else on the page.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)

MEANING = {
    validation_pb2.RECOMMENDATION_GO: (
        "Go",
        "Worth testing, not yet worth building: run the smoke test below and let real people decide.",
    ),
    validation_pb2.RECOMMENDATION_PIVOT: (
        "Pivot",
        "There is something here, but not in this form. Change what is named below before you spend on it.",
    ),
    validation_pb2.RECOMMENDATION_NO_GO: (
        "No go",
        "As it stands, this should not be pursued. The reasons are below, and what would lift them.",
    ),
    validation_pb2.RECOMMENDATION_INCONCLUSIVE: (
        "Inconclusive",
        "What was found decides it neither way. That is not a no: it says what to find out next.",
    ),
}


def recommendation(value: int) -> str:
    """ "Go", "Pivot", "No go" or "Inconclusive"."""
    known = MEANING.get(validation_pb2.Recommendation.ValueType(value))
    return known[0] if known else MEANING[validation_pb2.RECOMMENDATION_INCONCLUSIVE][0]


def campaign_decision(value: int) -> str:
    """ "Go", "No go" or "Inconclusive"."""
    name = campaign_pb2.CampaignDecision.Name(campaign_pb2.CampaignDecision.ValueType(value))
    return {"GO": "Go", "NO_GO": "No go"}.get(name.removeprefix("CAMPAIGN_DECISION_"), "Inconclusive")


def plain(text: str) -> str:
    """The text without characters that hide or reorder it."""
    return _INVISIBLE.sub("", text)


def safe_url(url: str) -> str:
    """The address where a click on it is harmless (http or https, a host, no credentials); else empty."""
    if not url or len(url) > 2000 or _INVISIBLE.search(url) or any(char.isspace() for char in url):
        return ""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
        return ""
    return url


def host(url: str) -> str:
    """The host of a safe address, without `www.`."""
    return (urlsplit(url).hostname or "").removeprefix("www.") if safe_url(url) else ""


def _words(name: str, prefix: str) -> str:
    text = name.removeprefix(prefix)
    if text == "UNSPECIFIED":
        return ""
    text = text.replace("_", " ").capitalize()
    return " ".join(_ACRONYMS.get(word.capitalize(), word) for word in text.split(" "))


def phase(value: common_pb2.Phase.ValueType) -> str:
    """`Validation`, `MVP`, ..."""
    return _words(common_pb2.Phase.Name(value), "PHASE_")


def criterion(value: validation_pb2.Criterion.ValueType) -> str:
    """`Clarity`, ..."""
    return _words(validation_pb2.Criterion.Name(value), "CRITERION_")


def customer(value: common_pb2.CustomerType.ValueType) -> str:
    """`B2B`, ..."""
    return _words(common_pb2.CustomerType.Name(value), "CUSTOMER_TYPE_")


def business_model(value: common_pb2.BusinessModel.ValueType) -> str:
    """`Subscription`, ..."""
    return _words(common_pb2.BusinessModel.Name(value), "BUSINESS_MODEL_")


def product_form(value: common_pb2.ProductForm.ValueType) -> str:
    """`Mobile app`, ..."""
    return _words(common_pb2.ProductForm.Name(value), "PRODUCT_FORM_")


def claim_kind(value: common_pb2.ClaimKind.ValueType) -> str:
    """`Willingness to pay`, ..."""
    return _words(common_pb2.ClaimKind.Name(value), "CLAIM_KIND_")


def source_type(value: common_pb2.SourceType.ValueType) -> str:
    """`Industry report`, ..."""
    return _words(common_pb2.SourceType.Name(value), "SOURCE_TYPE_")


def missing_kind(value: common_pb2.MissingKind.ValueType) -> str:
    """`Source failed`, ..."""
    return _words(common_pb2.MissingKind.Name(value), "MISSING_KIND_")


def platform(value: campaign_pb2.AdPlatform.ValueType) -> str:
    """`Google search`, ..."""
    words = _words(campaign_pb2.AdPlatform.Name(value), "AD_PLATFORM_")
    return {"Linkedin": "LinkedIn", "Google search": "Google Search"}.get(words, words)


def asset_kind(value: campaign_pb2.AdAssetKind.ValueType) -> str:
    """`Headline`, ..."""
    return _words(campaign_pb2.AdAssetKind.Name(value), "AD_ASSET_KIND_")


def check_status(value: mvp_pb2.CheckStatus.ValueType) -> str:
    """`Passed`, ..."""
    return _words(mvp_pb2.CheckStatus.Name(value), "CHECK_STATUS_")


def mvp_type(value: common_pb2.MvpType.ValueType) -> str:
    """`Web app`, ..."""
    return _words(common_pb2.MvpType.Name(value), "MVP_TYPE_")


def investor(value: common_pb2.InvestorType.ValueType) -> str:
    """`Seed`, ..."""
    return _words(common_pb2.InvestorType.Name(value), "INVESTOR_TYPE_") or "Seed"


def budget_category(value: common_pb2.BudgetCategory.ValueType) -> str:
    """`Search`, ..."""
    return _words(common_pb2.BudgetCategory.Name(value), "BUDGET_CATEGORY_") or "Other"


def run_state(value: pipeline_pb2.RunState.ValueType) -> str:
    """`Succeeded`, ..."""
    return _words(pipeline_pb2.RunState.Name(value), "RUN_STATE_")


def phase_state(value: pipeline_pb2.PhaseState.ValueType) -> str:
    """`Succeeded`, ..."""
    return _words(pipeline_pb2.PhaseState.Name(value), "PHASE_STATE_")


def money(micros: int) -> str:
    """`$25.00`; below a cent `$0.0012`."""
    dollars = micros / 1_000_000
    if dollars and abs(dollars) < 0.01:
        return f"${dollars:.4f}"
    return f"${dollars:,.2f}"


def percent(share: float) -> str:
    """`8.05%`; shares are 0 to 1. Two digits after the point below 10, none above."""
    value = share * 100
    return f"{value:.0f}%" if value >= 10 else f"{value:.2f}".rstrip("0").rstrip(".") + "%"


def number(value: float) -> str:
    """`1,234`, `0.35`: no more digits than are read."""
    if value == round(value):
        return f"{round(value):,}"
    return f"{value:,.2f}" if abs(value) >= 0.01 else f"{value:.2g}"


def seconds(duration: Duration) -> str:
    """`0.4 s`, `75 ms`, `2 min 5 s`."""
    value = duration.ToNanoseconds() / 1e9
    if value < 0.1:
        return f"{value * 1000:.0f} ms"
    if value < 60:
        return f"{value:.1f} s"
    return f"{value // 60:.0f} min {value % 60:.0f} s"


def date(moment: Timestamp) -> str:
    """`5 March 2026`."""
    if not moment.seconds:
        return ""
    value = moment.ToDatetime()
    return f"{value.day} {value:%B %Y}"


def moment_text(moment: Timestamp) -> str:
    """`5 March 2026, 14:03 UTC`."""
    if not moment.seconds:
        return ""
    return f"{date(moment)}, {moment.ToDatetime():%H:%M} UTC"


def plural(count: int, noun: str, nouns: str = "") -> str:
    """`1 source`, `3 sources`."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"
