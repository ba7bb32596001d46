"""The deck's look in one place: page, type, colours. Points unless said otherwise.

Arial is on every machine (or its metric twin is), so that what was measured is what is shown. Text colours keep at
least 4.5:1 on their ground (WCAG AA); a test computes it.
"""

from __future__ import annotations

from dataclasses import dataclass

FONT = "Arial"
# 16:9, 13.333 x 7.5 inches.
PAGE_WIDTH, PAGE_HEIGHT = 960.0, 540.0
MARGIN = 48.0
CONTENT_WIDTH = PAGE_WIDTH - 2 * MARGIN

INK = "17212B"
MUTED = "55616E"
ACCENT = "0B6B63"
AGAINST = "A63A22"
PAPER = "FFFFFF"
TINT = "F1F5F4"
LINE = "CBD5D2"
COVER = "0E2B2A"
COVER_TEXT = "FFFFFF"
COVER_MUTED = "B9D3CE"
# Series of a chart in order: also told apart in grey.
SERIES = ("9DBFB9", "0B6B63", "D98E4A")


@dataclass(frozen=True)
class Box:
    """A place on the page."""

    x: float
    y: float
    width: float
    height: float


KICKER = Box(MARGIN, 30, CONTENT_WIDTH, 18)
TITLE = Box(MARGIN, 49, CONTENT_WIDTH, 66)
BODY = Box(MARGIN, 130, CONTENT_WIDTH, 362)
FOOTER = Box(MARGIN, 508, 600, 16)
NUMBER = Box(PAGE_WIDTH - MARGIN - 100, 508, 100, 16)
COVER_TITLE = Box(72, 140, 780, 76)
COVER_KICKER = Box(72, 104, 780, 20)
COVER_BODY = Box(72, 232, 780, 190)

TITLE_SIZES = (28.0, 26.0, 24.0, 22.0, 20.0, 18.0, 16.0, 14.0)
COVER_SIZES = (56.0, 48.0, 40.0, 34.0, 28.0, 24.0, 20.0, 16.0)
BODY_SIZES = (24.0, 22.0, 20.0, 19.0, 18.0, 17.0, 16.0, 15.0, 14.0, 13.0, 12.0)
CARD_SIZES = (17.0, 16.0, 15.0, 14.0, 13.0, 12.0, 11.0)
TABLE_SIZES = (16.0, 15.0, 14.0, 13.0, 12.0, 11.0, 10.5, 10.0)
REFERENCE_SIZES = (11.0, 10.5, 10.0, 9.5, 9.0, 8.5, 8.0)
KICKER_SIZE = 12.0
FOOTER_SIZE = 10.0
COVER_LINE_SIZES = (24.0, 22.0, 20.0, 18.0, 16.0, 14.0, 12.0)
# Left indent of a statement behind its bullet.
INDENT = 16.0
GAP = 20.0
# Between the title and what is below it.
TITLE_GAP = 20.0
# Above and below the text of a cell on the source pages.
REFERENCE_PADDING = 2.2
CARD_PADDING = 12.0
CARD_GAP = 12.0


def contrast(first: str, second: str) -> float:
    """WCAG contrast ratio of two colours given as RRGGBB."""
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    def channel(value: int) -> float:
        share = value / 255
        return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)

    red, green, blue = (channel(int(colour[place : place + 2], 16)) for place in (0, 2, 4))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
