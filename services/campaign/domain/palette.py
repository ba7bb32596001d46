"""Colours and motif of a landing page, derived from the idea's field of business.

One hue a field; lightness is set by contrast, not by taste: text reaches at least 4.5:1 (WCAG 2.2, success criterion
1.4.3) in light and dark.
"""

from __future__ import annotations

import colorsys
from typing import NamedTuple

TEXT_CONTRAST_MIN = 4.5
ACCENT_CONTRAST_MIN = 5.0


class Look(NamedTuple):
    """Hue of the accent and of its counterpart, in degrees, the motif's name, and whether headings are set in serif."""

    hue: int
    second: int
    motif: str
    serif: bool


LOOKS: dict[str, Look] = {
    "food": Look(24, 140, "pantry", True),
    "health": Look(192, 12, "calendar", False),
    "fintech": Look(158, 30, "ledger", False),
    "education": Look(254, 40, "tutoring", True),
    "agriculture": Look(104, 36, "field", True),
    "developer-tools": Look(228, 165, "nodes", False),
    "ai-infrastructure": Look(262, 175, "nodes", False),
    "business-operations": Look(210, 35, "board", False),
    "hr": Look(330, 200, "board", False),
    "marketing": Look(346, 210, "bubbles", False),
    "retail": Look(12, 200, "bubbles", True),
    "logistics": Look(218, 28, "route", False),
    "real-estate": Look(28, 200, "houses", True),
    "travel": Look(186, 24, "route", True),
    "energy-climate": Look(150, 44, "turbine", False),
    "legal": Look(222, 36, "ledger", True),
    "entertainment": Look(288, 44, "bubbles", False),
    "social": Look(316, 190, "bubbles", True),
    "security": Look(236, 18, "shield", False),
    "manufacturing": Look(204, 26, "turbine", False),
    "mobility": Look(200, 40, "route", False),
    "pets": Look(32, 170, "rings", True),
    "fitness": Look(8, 190, "rings", False),
    "childcare": Look(44, 200, "houses", True),
    "nonprofit": Look(172, 20, "tiles", True),
    "government": Look(214, 40, "board", True),
    "science": Look(196, 320, "nodes", True),
    "startup-tools": Look(246, 38, "branches", False),
}
GENERAL = Look(220, 32, "tiles", False)


def look(category: str) -> Look:
    """The look of a category; a quiet blue with tiles where the category is unknown."""
    return LOOKS.get(category, GENERAL)


class Palette(NamedTuple):
    """Hex colours for one scheme. `on_accent` is the text on the accent."""

    paper: str
    raised: str
    panel: str
    line: str
    ink: str
    muted: str
    accent: str
    on_accent: str
    second: str
    soft: str
    card: str


def light(hue: int, second: int) -> Palette:
    """Colours on a nearly white ground."""
    paper, panel = _hex(hue, 0.30, 0.985), _hex(hue, 0.38, 0.945)
    return Palette(
        paper=paper,
        raised="#ffffff",
        panel=panel,
        line=_hex(hue, 0.18, 0.87),
        ink=_hex(hue, 0.28, 0.12),
        muted=_toward(hue, 0.12, 0.42, panel, TEXT_CONTRAST_MIN + 0.3, -0.01),
        accent=_toward(hue, 0.66, 0.44, panel, ACCENT_CONTRAST_MIN, -0.01),
        on_accent="#ffffff",
        second=_hex(second, 0.46, 0.56),
        soft=_hex(hue, 0.52, 0.82),
        card="#ffffff",
    )


def dark(hue: int, second: int) -> Palette:
    """Colours on a nearly black ground."""
    paper, panel = _hex(hue, 0.20, 0.075), _hex(hue, 0.20, 0.125)
    return Palette(
        paper=paper,
        raised=_hex(hue, 0.18, 0.11),
        panel=panel,
        line=_hex(hue, 0.14, 0.23),
        ink=_hex(hue, 0.16, 0.94),
        muted=_toward(hue, 0.12, 0.62, panel, TEXT_CONTRAST_MIN + 1, 0.01),
        accent=_toward(hue, 0.52, 0.60, panel, ACCENT_CONTRAST_MIN + 1, 0.01),
        on_accent=paper,
        second=_hex(second, 0.42, 0.62),
        soft=_hex(hue, 0.26, 0.38),
        card=_hex(hue, 0.16, 0.23),
    )


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two hex colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _toward(hue: int, saturation: float, lightness: float, ground: str, least: float, step: float) -> str:
    """The colour, moved in lightness until it stands out enough from the ground."""
    while contrast(_hex(hue, saturation, lightness), ground) < least and 0 < lightness < 1:
        lightness += step
    return _hex(hue, saturation, min(max(lightness, 0.0), 1.0))


def _hex(hue: int, saturation: float, lightness: float) -> str:
    red, green, blue = colorsys.hls_to_rgb((hue % 360) / 360, lightness, saturation)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
