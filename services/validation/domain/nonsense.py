"""What no founder can build or mean: hollow doings, promises against nature, words that contradict each other."""

from __future__ import annotations

import re
from collections.abc import Sequence

# "makes life better", "use AI to revolutionize everything": no doing is named that one could build.
_HOLLOW = re.compile(
    r"^(?:(?:be|being)\b|(?:mak|us|empower|revolutioni[sz]|disrupt|chang|improv|transform|enabl|leverag|unlock|"
    r"optimi[sz])\w*\b.{0,60}\b(?:life|lives|world|everything|anything|synerg\w+|things|humanity|the future|success|"
    r"potential)\b)",
    re.IGNORECASE,
)
_AGAINST_NATURE = re.compile(
    r"\b(?:time[- ](?:machine|travel)\w*|perpetual motion|free energy (?:machine|device|generator)|"
    r"bend(?:s|ing)? space-?time|teleport\w*|faster than light|anti-?gravity|lead into gold|"
    r"water into (?:fuel|petrol|gasoline)|read(?:s|ing)? minds|predict(?:s|ing)? (?:the )?lottery|"
    r"(?:talk|speak)(?:s|ing)? (?:to|with) the dead|immortality|live forever)\b",
    re.IGNORECASE,
)
_PRICE = r"(?:costs?\s+(?:\w+\s+){0,2}?(?:\d+|a fee)|[$€£]\s?\d+[\d.,]*|\d+ (?:dollars|euros|pounds) (?:a|per) \w+)"
_ONLINE = r"(?:cloud|stream(?:s|ing)?|online|live (?:video|chat|updates?)|real[- ]time sync\w*)"
_OFFLINE = r"(?:offline-only|only offline|(?:no|without (?:an |any )?)internet(?: connection)?)"
_CONTRADICTIONS: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (re.compile(rf"\b{one}", re.IGNORECASE), re.compile(rf"{other}", re.IGNORECASE))
    for one, other in (
        (r"(?:(?<!for )free (?:app|service|tool|platform|product)|free of charge|for nothing)\b", _PRICE),
        (rf"{_OFFLINE}\b", rf"\b{_ONLINE}\b"),
        (r"(?:never go|who are never) online\b", r"\b(?:mobile app|web ?site|web app|online|browser)\b"),
        (r"fully automat\w+\b", r"\b(?:entirely |all )?by hand\b"),
    )
)


def hollow(doings: Sequence[str]) -> bool:
    """Whether there are doings and none of them says what is done."""
    return bool(doings) and all(_HOLLOW.search(doing.strip()) for doing in doings)


def against_nature(text: str) -> str:
    """The words that promise what nature does not allow; empty for none."""
    match = _AGAINST_NATURE.search(text)
    return match.group() if match else ""


def contradiction(text: str) -> tuple[str, str] | None:
    """Two pieces of the text that cannot both hold."""
    for one, other in _CONTRADICTIONS:
        first = one.search(text)
        if first is None:
            continue
        rest = text[: first.start()] + " " * len(first.group()) + text[first.end() :]
        second = other.search(rest)
        if second is not None:
            return first.group(), second.group()
    return None
