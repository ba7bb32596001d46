"""Grammar for slot-filled sentences: joining, agreement, clipping.

Profile slots are noun or verb phrases in the founder's own words; the helpers here make them fit a sentence
without changing what they say. All functions are pure and total: hostile text comes out shorter, never raises.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from urllib.parse import urlsplit

ELLIPSIS = "…"
_SPACE = re.compile(r"\s+")
_NUMBER_AT_END = re.compile(r"[\d.,]+$")
_ARTICLE = re.compile(r"^(?:a|an|the)\s+", re.IGNORECASE)
_NOT_PLURAL_S = ("ss", "us", "is")
_PLURALS = frozenset(
    {
        "people",
        "children",
        "men",
        "women",
        "staff",
        "police",
        "cattle",
        "poultry",
        "youth",
        "media",
        "data",
        "alumni",
        "personnel",
    }
)
_CUT_AT = re.compile(
    r"\s(?:of|with|who|that|which|in|for|at|on|from|to|without|using|running|deploying|and|or)\b"
    r"|\s(?:managing|building|operating|working|selling|handling|seeking|looking)\b"
    r"|[,;(]"
)


def clean(text: str, limit: int = 240) -> str:
    """One line without control, bidi or zero-width characters, at most `limit` characters, cut at a word."""
    kept = "".join(
        ch if unicodedata.category(ch) not in {"Cc", "Cf", "Cs", "Co", "Cn"} else " " if ch in "\n\r\t" else ""
        for ch in text[: limit * 8]
    )
    return clip(_SPACE.sub(" ", kept).strip(), limit)


def clip(text: str, limit: int) -> str:
    """`text` where it is short enough, else its first words and an ellipsis: `limit` characters at most."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    space = head.rfind(" ")
    if space > limit // 2:
        head = head[:space]
    elif text[limit - 1].isalnum() or text[limit - 1] in ".,":
        # Half a number would be another number, and "12" of "12ab" would be one.
        head = _NUMBER_AT_END.sub("", head)
    return head.rstrip(" ,;:.–-") + ELLIPSIS


def capital(text: str) -> str:
    """First letter in upper case, the rest as it stands ("iOS users" stays: its second letter is a capital)."""
    if len(text) > 1 and text[1].isupper():
        return text
    return text[:1].upper() + text[1:]


def lower_first(text: str) -> str:
    """First letter in lower case unless the word is an acronym or a name in capitals ("AI tools")."""
    first = text.split(" ", 1)[0]
    if any(ch.isupper() for ch in first[1:]) or first in {"I", "I'm"}:
        return text
    return text[:1].lower() + text[1:]


def sentence(text: str) -> str:
    """Capital at the start and one mark at the end."""
    text = capital(text.strip())
    if not text or text[-1] in f".!?:{ELLIPSIS}" or text[-2:] in {".”", "!”", "?”"}:
        return text
    return text + "."


def join(items: Sequence[str], conjunction: str = "and") -> str:
    """Lists as prose: a; a and b; a, b and c."""
    items = [item for item in items if item]
    if len(items) <= 1:
        return "".join(items)
    return f"{', '.join(items[:-1])} {conjunction} {items[-1]}"


def without_article(phrase: str) -> str:
    """Drops a leading article: "the finance team" becomes "finance team"."""
    return _ARTICLE.sub("", phrase)


def is_plural(phrase: str) -> bool:
    """Whether a noun phrase takes a plural verb: its head noun ends in a plural s or is a known plural."""
    if re.match(r"[^,]+?(?:,| and) (?!that\b|who\b)", phrase) and not re.search(
        r"\b(?:that|who|which)\b.*(?:,| and )", phrase
    ):
        return True
    head = head_phrase(phrase).split(" ")[-1].lower()
    return head in _PLURALS or (head.endswith("s") and not head.endswith(_NOT_PLURAL_S))


def head_phrase(phrase: str) -> str:
    """A noun phrase without what follows its head ("teams that run agents and tools" -> "teams")."""
    return _CUT_AT.split(phrase.strip(), maxsplit=1)[0]


def agree(phrase: str, plural: str, singular: str) -> str:
    """The verb form that fits the noun phrase."""
    return plural if is_plural(phrase) else singular


def is_gerund(phrase: str) -> bool:
    """Whether a phrase starts with a verb in -ing ("tracking expiry dates")."""
    first = phrase.split(" ", 1)[0].lower()
    return len(first) > 4 and first.endswith("ing") and first not in {"string", "thing", "spring", "nothing"}


def by_or_with(phrases: Sequence[str]) -> str:
    """Means of doing: "by tracking dates and suggesting recipes" or "with automatic reminders and waitlist filling"."""
    kept = [lower_first(phrase) for phrase in phrases if phrase]
    if not kept:
        return ""
    gerunds = [phrase for phrase in kept if is_gerund(phrase)]
    nouns = [phrase for phrase in kept if not is_gerund(phrase)]
    parts = [f"by {join(gerunds)}"] if gerunds else []
    if nouns:
        parts.append(f"with {join(nouns)}")
    return ", ".join(parts)


def plural_noun(noun: str) -> str:
    """A regular plural for a domain thing ("recipe" -> "recipes", "entry" -> "entries")."""
    if not noun or is_plural(noun):
        return noun
    if re.search(r"[^aeiou]y$", noun):
        return noun[:-1] + "ies"
    if re.search(r"(?:s|x|z|ch|sh)$", noun):
        return noun + "es"
    return noun + "s"


def host(url: str) -> str:
    """The site of an address for display ("carta.com"); empty when it has none."""
    try:
        name = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    return name.removeprefix("www.")


def is_web_address(url: str) -> bool:
    """Only http and https addresses become links; anything else (javascript:, data:, file:) stays text."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and len(url) <= 2_000


def is_right_to_left(text: str) -> bool:
    """Whether the first strong character is of a right-to-left script."""
    for ch in text[:400]:
        direction = unicodedata.bidirectional(ch)
        if direction in {"R", "AL"}:
            return True
        if direction == "L":
            return False
    return False
