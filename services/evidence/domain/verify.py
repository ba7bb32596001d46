"""Is a citation what it says? Three checks of the quote, made to be repeated by a reader with the page open.

1. The quote stands in the source's text at its offsets.
2. The text is the source's own: a search engine's excerpt was never on the page in this form.
3. Each number that the quote is cited for stands in the quote: that of the find's figure; and where the quote is said
   to support the claim, each number that the claim itself states. A quote that contradicts or mentions need not repeat
   the claim's numbers: that it gives another is often the point.

Years count as numbers, ordinals ("3rd") and the digits inside a name ("B2B", "covid-19") do not. A number is found when
the quote gives the same value in any spelling: "4.8K" and "4,800", "two thirds" and "66.7 %", "€3 million" and
"3,000,000". A rounded number is met by the exact one ("two thirds" by 66.67, "about 40 %" by 39.8) within half of its
last digit. A range is met by its two ends.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from pipeline.v1 import common_pb2
from services.evidence.domain.model import Candidate


class Number(NamedTuple):
    """A value, half of its last stated digit (what rounding may have taken away), and whether words gave it."""

    value: float
    slack: float
    share: bool = False


_FACTORS = {
    "k": 1e3, "m": 1e6, "mn": 1e6, "b": 1e9, "bn": 1e9, "t": 1e12,
    "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "hundred": 1e2,
}  # fmt: skip
_UNITS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen".split()
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_WORDS: dict[str, int] = {word: n for n, word in enumerate(_UNITS)} | {
    "seventeen": 17, "eighteen": 18, "nineteen": 19, **_TENS,
}  # fmt: skip
_PARTS = {"half": 2, "halves": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fifth": 5, "fifths": 5}

_DIGITS = re.compile(
    r"(?<![\w.,])(?<![A-Za-z]-)(?P<sign>(?:(?<=\s)|(?<=^)|(?<=[($€£]))[-+−])?(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    r"(?:\s?(?P<factor>thousand|hundred|million|billion|trillion|bn|mn|[kKmMbBtT])(?!\w)|(?![\w]*[A-Za-z]))",
)
_SPELT = re.compile(
    r"\b(?P<tens>" + "|".join(_TENS) + r")-(?P<ones>" + "|".join(_UNITS[1:10]) + r")\b"
    r"|\b(?P<word>" + "|".join(_WORDS) + r")\b",
    re.IGNORECASE,
)
_FRACTION = re.compile(
    r"\b(?:(?P<count>a|one|two|three|four)[\s-]+)(?P<part>thirds?|quarters?|fifths?|half)\b|\b(?P<alone>half)\b"
    r"|\b(?P<few>one|two|three|four|five|six|seven|eight|nine|\d{1,3})\s+(?:in|out of)\s+(?:every\s+)?"
    r"(?P<many>two|three|four|five|six|seven|eight|nine|ten|\d{1,7})\b",
    re.IGNORECASE,
)
# "one" and "two" are articles and pronouns as often as numbers: spelt numbers count from here.
_SPELT_MIN = 3
_APART = "the page was not read"


def unverified_reason(candidate: Candidate) -> str:
    """Return why the citation is not verified, in a clause; empty where it is. Needs `candidate.stance`."""
    found = candidate.found
    if not (0 <= candidate.start < candidate.end <= len(found.text)):
        return "the quote does not stand in the text"
    if found.origin == common_pb2.TEXT_ORIGIN_SEARCH_SNIPPET:
        return _APART
    given = numbers(candidate.quote)
    if found.figure is not None and not _stands(Number(found.figure.value, 0.0), given):
        return f"the figure {found.figure.value:g} does not stand in the quote"
    if candidate.stance == common_pb2.STANCE_SUPPORTS and found.figure is None:
        lacking = [wanted for wanted in numbers(candidate.query.text) if not _stands(wanted, given)]
        if lacking:
            return f"the claim's number {lacking[0].value:g} does not stand in the quote"
    return ""


def numbers(text: str) -> list[Number]:
    """Return the numbers of a text in the order of their kinds: fractions, digits, words; each place once.

    Shares are percentages: "two thirds" is 66.67, "1 in 4" is 25, "half" is 50.

    >>> [n.value for n in numbers("GitHub stars: 13,039, about 4.8K forks")]
    [13039.0, 4800.0]
    """
    found: list[Number] = []
    rest = text
    for match in _FRACTION.finditer(text):
        share = _share(match)
        if share is not None:
            found.append(share)
            rest = rest[: match.start()] + " " * len(match.group()) + rest[match.end() :]
    for match in _DIGITS.finditer(rest):
        found.append(_digits(match))
    for match in _SPELT.finditer(rest):
        value = _spelt(match)
        factor = re.match(r"[\s-]+(hundred|thousand|million|billion|trillion)\b", rest[match.end() :], re.IGNORECASE)
        if factor:
            value *= _FACTORS[factor.group(1).lower()]
        if value >= _SPELT_MIN:
            found.append(Number(value, 0.0))
    return found


def _share(match: re.Match[str]) -> Number | None:
    if match["part"]:
        count = {"a": 1, "one": 1}.get(match["count"].lower()) or _WORDS[match["count"].lower()]
        return Number(100.0 * count / _PARTS[match["part"].lower()], 0.5, share=True)
    if match["alone"]:
        return Number(50.0, 0.5, share=True)
    few, many = _count(match["few"]), _count(match["many"])
    # "5 in 2024" and "40 out of 12" are no shares.
    return Number(100.0 * few / many, 0.5, share=True) if 0 < few <= many and not 1900 <= many <= 2100 else None


def _count(word: str) -> float:
    return float(word) if word.isdigit() else float(_WORDS[word.lower()])


def _digits(match: re.Match[str]) -> Number:
    digits = match["number"].replace(",", "")
    factor = _FACTORS[match["factor"].lower()] if match["factor"] else 1.0
    sign = -1.0 if match["sign"] in ("-", "−") else 1.0
    decimals = len(digits.partition(".")[2])
    # Without a factor or decimals a number is meant as it stands: 2019 is not 2020.
    slack = 0.5 * 10.0**-decimals * factor if decimals or factor > 1 else 0.0
    return Number(sign * float(digits) * factor, slack)


def _spelt(match: re.Match[str]) -> float:
    if match["tens"]:
        return float(_TENS[match["tens"].lower()] + _WORDS[match["ones"].lower()])
    return float(_WORDS[match["word"].lower()])


def _stands(wanted: Number, given: list[Number]) -> bool:
    # A range's second end ("10-20") reads as a negative number after a dash: the sign is not held against it.
    return any(_same(wanted, other, sign) for other in given for sign in (1.0, -1.0))


def _same(wanted: Number, given: Number, sign: float) -> bool:
    # A quote that rounds digits does not carry the exact figure; "two thirds" is as exact as words get.
    slack = max(wanted.slack, given.slack if given.share else 0.0, 1e-9)
    return math.isclose(wanted.value, sign * given.value, rel_tol=1e-6, abs_tol=slack)
