"""As much of CSS as it takes to see that a page hides a text: declarations, plain rules, colours."""

from __future__ import annotations

import re
from dataclasses import dataclass

Colour = tuple[int, int, int]

# A page's own style elements; what is beyond is not looked at.
CSS_CHARS_MAX = 200_000
RULES_MAX = 500
# Selectors without states (:hover) and pseudo elements: those hide for a moment, or no text of the page.
_PLAIN_SELECTOR = re.compile(r"[\w\s.#*>+~\-\[\]=\"']{1,200}")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_LENGTH = re.compile(r"(-?\d*\.?\d+)(px|pt|em|rem|%|vw|vh)?")
_NAMES: dict[str, Colour] = {
    "white": (255, 255, 255),
    "black": (0, 0, 0),
    "red": (255, 0, 0),
    "green": (0, 128, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "gray": (128, 128, 128),
    "grey": (128, 128, 128),
    "silver": (192, 192, 192),
    "navy": (0, 0, 128),
    "snow": (255, 250, 250),
    "ivory": (255, 255, 240),
    "whitesmoke": (245, 245, 245),
    "ghostwhite": (248, 248, 255),
}
# Farther left or above than any screen is wide, smaller than can be read, fainter than can be seen.
_OFF_SCREEN_PX = -500.0
_FONT_PX_MAX = 2.0
_OPACITY_MAX = 0.05
_PX = {"": 1.0, "px": 1.0, "pt": 1.33, "em": 16.0, "rem": 16.0, "%": 0.16, "vw": 10.0, "vh": 10.0}


@dataclass(frozen=True)
class Style:
    """What a set of declarations does to a text. `colour` and `ground` as red, green, blue; None: not stated."""

    hides: bool = False
    colour: Colour | None = None
    ground: Colour | None = None

    def under(self, later: Style) -> Style:
        """Both together; the later one's colours win."""
        return Style(self.hides or later.hides, later.colour or self.colour, later.ground or self.ground)


def parse_style(text: str) -> Style:
    """The effect of "display: none; color: #fff"."""
    values: dict[str, str] = {}
    for part in text[:5_000].split(";"):
        name, _, value = part.partition(":")
        values[name.strip().lower()] = value.replace("!important", "").strip().lower()
    colour_value = values.get("color", "")
    return Style(
        hides=_hides(values) or _is_transparent(colour_value),
        colour=colour(colour_value),
        ground=colour(values.get("background-color", "")) or colour(values.get("background", "").partition(" ")[0]),
    )


def hiding_rules(css: str) -> list[tuple[str, Style]]:
    """(selector, effect) of the plain top-level rules that hide or colour a text, in the order of the sheet.

    Rules inside @media, @supports and the like hold under conditions only, and are left out.
    """
    css = _COMMENT.sub(" ", css[:CSS_CHARS_MAX])
    found: list[tuple[str, Style]] = []
    start = depth = 0
    selector = ""
    for match in re.finditer(r"[{}]", css):
        at = match.start()
        if match[0] == "{":
            if depth == 0:
                selector, start = css[start:at].rpartition(";")[2].strip(), at + 1
            depth += 1
            continue
        depth = max(depth - 1, 0)
        if depth == 0:
            if not selector.startswith("@"):
                style = parse_style(css[start:at])
                if style != Style():
                    plain = [part.strip() for part in selector.split(",")]
                    found.extend((part, style) for part in plain if _PLAIN_SELECTOR.fullmatch(part))
            start = at + 1
        if len(found) >= RULES_MAX:
            break
    return found[:RULES_MAX]


def colour(text: str) -> Colour | None:
    """Red, green, blue, 0 to 255 each; None for what is not a plain colour."""
    text = text.strip().lower()
    if text in _NAMES:
        return _NAMES[text]
    if re.fullmatch(r"#[0-9a-f]{3,4}", text):
        return (int(text[1] * 2, 16), int(text[2] * 2, 16), int(text[3] * 2, 16))
    if re.fullmatch(r"#(?:[0-9a-f]{6}|[0-9a-f]{8})", text):
        return (int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16))
    match = re.fullmatch(r"rgba?\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})(?:[\s,/]+[\d.]+%?)?\s*\)", text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def _hides(values: dict[str, str]) -> bool:
    get = values.get
    if get("display") == "none" or get("visibility") in ("hidden", "collapse") or get("content-visibility") == "hidden":
        return True
    opacity = _number(get("opacity", ""))
    if opacity is not None and opacity <= _OPACITY_MAX:
        return True
    size = _pixels(get("font-size", ""))
    if size is not None and size <= _FONT_PX_MAX:
        return True
    if get("position") in ("absolute", "fixed", "relative"):
        for side in ("left", "top", "right", "bottom", "inset"):
            place = _pixels(get(side, ""))
            if place is not None and place <= _OFF_SCREEN_PX:
                return True
    for name in ("text-indent", "margin-left", "margin-top", "margin"):
        place = _pixels(get(name, ""))
        if place is not None and place <= _OFF_SCREEN_PX:
            return True
    if re.search(r"rect\((?:\s*[01](?:px)?[\s,]*){4}\)", get("clip", "")):
        return True
    if re.search(r"inset\(\s*(?:50|100)%|circle\(\s*0", get("clip-path", "")):
        return True
    if re.search(r"scale[xy]?\(\s*0(?:\.0+)?\s*\)|translate[xy]?\(\s*-\d{4,}px", get("transform", "")):
        return True
    clipped = "hidden" in (get("overflow", ""), get("overflow-x", ""), get("overflow-y", ""))
    small = any(
        (size := _pixels(get(side, ""))) is not None and size <= 1.0 for side in ("height", "width", "max-height")
    )
    return clipped and small


def _is_transparent(text: str) -> bool:
    if text == "transparent":
        return True
    match = re.fullmatch(r"(?:rgba?|hsla?)\([^)]*[\s,/]+(0?\.?\d+%?)\s*\)", text)
    if not match or text.count(",") + text.count("/") * 3 < 3:
        return False
    alpha = _number(match[1].rstrip("%"))
    return alpha is not None and alpha <= _OPACITY_MAX


def _number(text: str) -> float | None:
    match = _LENGTH.match(text)
    return float(match[1]) if match else None


def _pixels(text: str) -> float | None:
    match = _LENGTH.match(text)
    return float(match[1]) * _PX[match[2] or ""] if match else None
