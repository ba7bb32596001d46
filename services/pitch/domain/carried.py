"""Is a sentence that a text model wrote carried by the evidence it names? Pure rules; what fails is not used.

A sentence is carried when

1. it names evidence, and each number in it stands in a quote or title that it names, with the same sign beside it
   ($, %); amounts in words ("half", "doubled", "most") stand there too;
2. seven of ten of its content words (lemmas, stop words left out) stand in those quotes or in the founder's own words,
   and two of them in the quotes: the rest is grammar and joining;
3. it denies what its evidence denies and nothing else, and praises nothing ("best", "only", "proven") on its own;
4. where an embedder is at hand, it means about what one of its quotes means (cosine of SIMILARITY_MIN or more).

Containment and numbers alone would let a model join two true halves into a false whole; meaning alone would let it
change a number. Neither proves a sentence (two parties that change places keep every word), so every one keeps its
marks, and its author is told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from chassis.idea import words as lexical
from pipeline.v1 import common_pb2
from services.pitch.domain import numbers

CHARS = (20, 200)
WORDS_SHARED_MIN = 0.7
QUOTED_WORDS_MIN = 2
# Of all-MiniLM-L6-v2: sentences about unlike things stay below 0.3, paraphrases above 0.6.
SIMILARITY_MIN = 0.45

_WORD = re.compile(r"[a-z][a-z'-]+")
_DENIES = frozenset(
    "no not never none nobody nothing without cannot can't won't don't doesn't isn't aren't wouldn't didn't lack lacks "
    "fail fails failed hardly barely rarely seldom refuse refused".split()
)
_AMOUNTS = frozenset(
    "half third thirds quarter quarters double doubled doubles triple tripled twice dozen dozens hundred hundreds "
    "thousand thousands million millions billion billions most majority few fewer many several nearly almost".split()
)
_PRAISES = frozenset(
    "best first only leading guaranteed proven revolutionary unique unmatched perfect always every all".split()
)
_SIGNED = re.compile(r"(?P<money>[$€£])?(?P<number>\d[\d,.]*\d|\d)\s?(?P<share>%|percent\b|per cent\b)?")
_MARKUP = re.compile(r"[<>{}\[\]|`]|https?:|www\.")


def why_not(text: str, items: Sequence[common_pb2.EvidenceItem], own: str, names: Sequence[str] = ()) -> str:
    """What such sentences do wrong ("say more than their evidence"), or "" for one that is carried.

    `own`: the founder's words, which need no source. `names`: products whose digits are no numbers.
    """
    if not items:
        return "name no evidence"
    if not CHARS[0] <= len(text) <= CHARS[1] or _MARKUP.search(text) or "\n" in text:
        return "are no plain sentence"
    quoted = [part for item in items for part in (item.quote, item.title)]
    values = numbers.values_in(*quoted)
    for number in numbers.find_numbers(text, names):
        if not any(abs(number.value - value) <= number.tolerance for value in values):
            return "give a number that their evidence does not"
    if _signed(text) - _signed(" ".join(quoted)):
        return "give a number another unit"
    said, known = _lemmas(" ".join(quoted)), _lemmas(own)
    told = _lemmas(text)
    in_quotes = told & said
    if len(in_quotes) < QUOTED_WORDS_MIN or len(told & (said | known)) < WORDS_SHARED_MIN * len(told):
        return "say more than their evidence"
    written, source = set(_WORD.findall(text.lower())), set(_WORD.findall(" ".join(quoted).lower()))
    if (written & _AMOUNTS) - source:
        return "give an amount that their evidence does not"
    if bool(written & _DENIES) != bool(source & _DENIES):
        return "deny what their evidence does not, or the other way round"
    if (written & _PRAISES) - source:
        return "praise beyond their evidence"
    return ""


def _lemmas(text: str) -> frozenset[str]:
    found = (lexical.lemma(word) for word in _WORD.findall(text.lower()))
    return frozenset(word for word in found if len(word) > 2 and word not in lexical.STOPWORDS)


def _signed(text: str) -> frozenset[tuple[str, bool, bool]]:
    """Numbers with what stands beside them: (digits, money, share)."""
    return frozenset(
        (found["number"].replace(",", ""), bool(found["money"]), bool(found["share"]))
        for found in _SIGNED.finditer(text.lower())
        if found["money"] or found["share"]
    )
