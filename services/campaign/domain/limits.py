"""What the advertising platforms accept, and how they count.

Limits as the platforms publish them in their help centres (read in November 2026):
Google Ads "About responsive search ads" (3 to 15 headlines of 30, 2 to 4 descriptions of 90, 2 paths of 15),
Meta "Text recommendations" (primary text 125, headline 40, description 30: beyond them the ad is cut off on
screen), LinkedIn "Single image ads specifications" (introductory text 150, headline 70 before it is cut off).
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from pipeline.v1 import campaign_pb2
from pipeline.v1.campaign_pb2 import AdAssetKind, AdPlatform

GOOGLE = campaign_pb2.AD_PLATFORM_GOOGLE_SEARCH
META = campaign_pb2.AD_PLATFORM_META
LINKEDIN = campaign_pb2.AD_PLATFORM_LINKEDIN
HEADLINE = campaign_pb2.AD_ASSET_KIND_HEADLINE
DESCRIPTION = campaign_pb2.AD_ASSET_KIND_DESCRIPTION
PATH = campaign_pb2.AD_ASSET_KIND_PATH
PRIMARY = campaign_pb2.AD_ASSET_KIND_PRIMARY_TEXT

PLATFORM_NAMES = {GOOGLE: "Google Search", META: "Meta", LINKEDIN: "LinkedIn"}


class Slot(NamedTuple):
    """One kind of asset on one platform: its length limit and how many the platform asks for and takes."""

    platform: AdPlatform.ValueType
    kind: AdAssetKind.ValueType
    slug: str
    limit: int
    least: int
    most: int


# Meta takes up to five variants of each text and LinkedIn tests ads one by one: three of each keep a small
# test readable.
SLOTS: tuple[Slot, ...] = (
    Slot(GOOGLE, HEADLINE, "google-headline", 30, 3, 15),
    Slot(GOOGLE, DESCRIPTION, "google-description", 90, 2, 4),
    Slot(GOOGLE, PATH, "google-path", 15, 2, 2),
    Slot(META, PRIMARY, "meta-primary", 125, 1, 3),
    Slot(META, HEADLINE, "meta-headline", 40, 1, 3),
    Slot(META, DESCRIPTION, "meta-description", 30, 1, 3),
    Slot(LINKEDIN, PRIMARY, "linkedin-intro", 150, 1, 3),
    Slot(LINKEDIN, HEADLINE, "linkedin-headline", 70, 1, 3),
)


def width(text: str) -> int:
    """Length as the platforms count it, in units: a double-width character (East Asian wide or full-width,
    emoji) is two, a combining mark counts as the character it is."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


# Words that a product nobody has used cannot claim, and that Google's and Meta's policies on misleading
# content ask proof for.
_UNPROVEN = re.compile(
    r"#\s?1\b|\bno\.? ?1\b|\bnumber[- ]one\b|\bguarante\w*|\btrusted by\b|\bproven\b|\baward[- ]winning\b|"
    r"\bbest\b|\bworld[- ]class\b|\bleading\b|\bclinically\b|\bcertified\b|\brisk[- ]free\b|\bmiracle\b|"
    r"\bcures?\b|\binstantly\b|\b100 ?%|(?<![-\w])free\b(?!-)|\bno cost\b|\bcheapest\b|\bfastest\b|"
    r"\bloved by\b|\brevolution\w*|\bgame[- ]chang\w*|\bunbeatable\b|\bact now\b|\bclick here\b|"
    r"\bmathematically\b|\bensures?\b|\bseamless\w*|\bflawless\w*|\bperfect\w*",
    re.IGNORECASE,
)
# Google disapproves of exclamation marks in headlines, repeated punctuation and symbols used as decoration;
# emoji and control characters belong in no asset.
_GIMMICK = re.compile(r"[!<>{}\[\]|\\^~*_=@•→★✓`]|\?\?|\.\.|…|,,|--")
_BARE_LINK = re.compile(
    r"https?:|www\.|javascript:|\S+@\S+\.\S|\b[\w-]+\.(?:com|net|org|io|ai|app|dev)\b", re.IGNORECASE
)


def unproven_claim(text: str) -> str:
    """The words in `text` that promise what nobody has shown; empty when there are none."""
    match = _UNPROVEN.search(text)
    return match.group() if match else ""


def printable(text: str) -> bool:
    """Whether every character is a letter, mark, digit, space or ordinary punctuation."""
    return all(unicodedata.category(c)[0] in "LMNP" or c == " " or c in "$€£%&+" for c in text)


def acceptable(text: str) -> bool:
    """Whether the platforms' editorial rules and ours let `text` stand (length aside)."""
    if not text or text != text.strip() or "  " in text or not any(c.isalnum() for c in text):
        return False
    if text[0] in "=+-@,;:.?)'’" or not printable(text):
        return False
    return not (_UNPROVEN.search(text) or _GIMMICK.search(text) or _BARE_LINK.search(text))


def numbers(text: str) -> set[str]:
    """The numbers that stand in `text`, separators dropped."""
    return {re.sub(r"[,.\s]", "", match) for match in re.findall(r"\d[\d.,]*", text)}
