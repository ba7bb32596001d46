"""What the advertising platforms accept, and how they count.

Limits as the platforms publish them in their help centres (read in November 2026):
Google Ads "About responsive search ads" (3 to 15 headlines of 30, 2 to 4 descriptions of 90, 2 paths of 15),
Meta "Text recommendations" (primary text 125, headline 40, description 30: beyond them the ad is cut off on
screen), LinkedIn "Single image ads specifications" (introductory text 150, headline 70 before it is cut off; its
editions name 600 and 3,000 characters as the most that is taken, so LinkedIn's two limits are settings).
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


LINKEDIN_INTRO = 150
LINKEDIN_HEADLINE = 70

# Meta takes up to five variants of each text and LinkedIn tests ads one by one: three of each keep a small
# test readable.
SLOTS: tuple[Slot, ...] = (
    Slot(GOOGLE, HEADLINE, "google-headline", 30, 3, 15),
    Slot(GOOGLE, DESCRIPTION, "google-description", 90, 2, 4),
    Slot(GOOGLE, PATH, "google-path", 15, 2, 2),
    Slot(META, PRIMARY, "meta-primary", 125, 1, 3),
    Slot(META, HEADLINE, "meta-headline", 40, 1, 3),
    Slot(META, DESCRIPTION, "meta-description", 30, 1, 3),
    Slot(LINKEDIN, PRIMARY, "linkedin-intro", LINKEDIN_INTRO, 1, 3),
    Slot(LINKEDIN, HEADLINE, "linkedin-headline", LINKEDIN_HEADLINE, 1, 3),
)


def slots(linkedin_intro: int = LINKEDIN_INTRO, linkedin_headline: int = LINKEDIN_HEADLINE) -> tuple[Slot, ...]:
    """`SLOTS` with LinkedIn's limits as configured."""
    own = {"linkedin-intro": linkedin_intro, "linkedin-headline": linkedin_headline}
    return tuple(slot._replace(limit=own.get(slot.slug, slot.limit)) for slot in SLOTS)


def width(text: str) -> int:
    """Length in units, as Google counts it: a double-width character (East Asian wide or full-width, emoji) is two, a
    combining mark counts as the character it is.

    Google halves its limits for double-width languages (AdMob Help, "Text ads", answer/6177141: 25 characters, 12 in
    those). How Meta and LinkedIn count is not known to us; held to the same rule, no text is too long for them.
    """
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(c) in "WF" or unicodedata.category(c) == "So" else 1 for c in text)


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
# Google Ads policies, "Editorial: Punctuation and Symbols" (adspolicy/answer/14847994): refused are punctuation
# repeated one after the other, symbols in the place of letters ("fl@wers"), bullets and asterisks as decoration, and
# emoji. Google's earlier "Editorial standards" (adwordspolicy/answer/176095) names exclamation marks in headlines and
# ellipses too. Ours is stricter: no exclamation mark and no ellipsis in any text, on any platform.
_GIMMICK = re.compile(r"[!<>{}\[\]|\\^~*_=@•→★✓`]|…|([?.,;:\-–—'\"%&/])\1")
_BARE_LINK = re.compile(
    r"https?:|www\.|javascript:|\S+@\S+\.\S|\b[\w-]+\.(?:com|net|org|io|ai|app|dev)\b", re.IGNORECASE
)

# Capitals in excess and words spaced out ("F.L.O.W.E.R.S") fall under Google's "Editorial" too; the bounds are ours
# (two shouted words, four letters spaced out). So is keeping telephone numbers out of every text.
_SHOUTED = re.compile(r"\b[A-Z]{4,} [A-Z]{4,}\b|\b[A-Z](?:[ .][A-Z]){3,}\b")
_PHONE = re.compile(r"\+?\d[\d ().-]{6,}\d")


_ASCII_SYMBOL = re.compile(r"[<=>^`|~]")


def unproven_claim(text: str) -> str:
    """The words in `text` that promise what nobody has shown; empty when there are none."""
    match = _UNPROVEN.search(text)
    return match.group() if match else ""


def printable(text: str) -> bool:
    """Whether every character is a letter, mark, digit, space or ordinary punctuation."""
    if text.isascii():
        return text.isprintable() and not _ASCII_SYMBOL.search(text)
    return all(unicodedata.category(c)[0] in "LMNP" or c in " $€£%&+" for c in text)


def acceptable(text: str) -> bool:
    """Whether the platforms' editorial rules and ours let `text` stand (length aside)."""
    if not text or text != text.strip() or "  " in text or not any(c.isalnum() for c in text):
        return False
    if text[0] in "=+-@,;:.?)'’" or not printable(text):
        return False
    return not any(rule.search(text) for rule in (_UNPROVEN, _GIMMICK, _BARE_LINK, _SHOUTED, _PHONE))


def numbers(text: str) -> set[str]:
    """The numbers that stand in `text`, separators dropped."""
    return {re.sub(r"[,.\s]", "", match) for match in re.findall(r"\d[\d.,]*", text)}
