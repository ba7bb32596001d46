"""How alike are two short texts, as descriptions of one thing? Words, spelling, numbers and meaning in one figure.

    lexical  = 2/3 runs of letters + 1/3 words        each the shared weight over the smaller text's, mostly
    likeness = 0.8 lexical + 0.2 cosine               lexical alone without vectors
    then up to 4 % of the way up where both share their numbers, down where none is shared

Rare words decide: "Office 2007" and "Office 2003" share a common word, two texts that both say "irispen" are the same
product. How rare a word is, is learnt from the texts at hand (`Rarity.of`); without them every word weighs the same but
for those of grammar. The shape (which parts, which powers) was chosen on the training pairs of Amazon-Google products,
where it separates the same product from another with an AUC of 0.93 (`make eval`); no weight is fitted.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

from chassis.idea.words import STOPWORDS

# What is looked at of one text: an idea has a few hundred characters; the bound keeps hostile text from growing it.
CHARS_MAX = 2_000
RUNS_SHARE, WORDS_SHARE = 2.0 / 3.0, 1.0 / 3.0
COSINE_SHARE = 0.2
NUMBERS_SHARE = 0.04
# The shared weight is set against smaller^0.7 * larger^0.3: a long text that holds all of a short one is much like it,
# but less so than its equal.
SMALLER_POWER = 0.7
# Powers of the inverse document frequency: how much more a rare word counts than a frequent one.
RUNS_POWER, WORDS_POWER = 4.0, 2.0
# Weight of a word of grammar where no texts say how rare words are.
GRAMMAR_WEIGHT = 0.2
# Lengths of the runs of letters, spaces between words included.
RUN_LENGTHS = (3, 4)
# A word that begins with the other ("spreadsheet", "spreadsheets"), and the least likeness of a misspelling.
PREFIX_LIKENESS = 0.8
SPELLING_MIN = 0.6
# Longer numbers are codes and prices rather than versions and years.
NUMBER_DIGITS_MAX = 4

_WORD = re.compile(r"\d+(?:\.\d+)*|[^\W\d_]+")
_ROMAN = MappingProxyType({"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9"})


class Rarity:
    """How many of some texts hold a word or a run of letters; what is in few of them weighs more."""

    def __init__(self, texts: int = 0, words: Mapping[str, int] | None = None, runs: Mapping[str, int] | None = None):
        self.texts = texts
        self._words = dict(words or {})
        self._runs = dict(runs or {})

    @classmethod
    def of(cls, texts: Iterable[str]) -> Rarity:
        """Return what `texts` say of how rare words are; each distinct text counts once."""
        words: Counter[str] = Counter()
        runs: Counter[str] = Counter()
        distinct = {text[:CHARS_MAX] for text in texts}
        for text in distinct:
            words.update(_words(text))
            runs.update(_runs(text))
        return cls(len(distinct), words, runs)

    def word(self, word: str) -> float:
        """Return the inverse document frequency of a word, above 0."""
        if not self.texts:
            return GRAMMAR_WEIGHT if word in STOPWORDS else 1.0
        return self._idf(self._words.get(word, 0))

    def run(self, run: str) -> float:
        """Return the inverse document frequency of a run of letters, above 0."""
        return self._idf(self._runs.get(run, 0)) if self.texts else 1.0

    def _idf(self, found_in: int) -> float:
        return math.log1p(self.texts / (1.0 + found_in))

    def __repr__(self) -> str:
        return f"<Rarity texts={self.texts} words={len(self._words)}>"


_UNKNOWN = Rarity()


def likeness(a: str, b: str, cosine: float | None = None, rarity: Rarity = _UNKNOWN) -> float:
    """Return 0 (nothing shared) to 1 (the same words in any case, punctuation and spacing).

    `cosine` is that of the texts' vectors, None where there are none. The order of the texts changes nothing. A text
    without letters and digits is like nothing.
    """
    a, b = a[:CHARS_MAX], b[:CHARS_MAX]
    words_a, words_b = _words(a), _words(b)
    if not words_a or not words_b:
        return 0.0
    if words_a == words_b:
        return 1.0
    lexical = RUNS_SHARE * _runs_shared(_runs(a), _runs(b), rarity) + WORDS_SHARE * _words_shared(
        words_a, words_b, rarity
    )
    alike = lexical
    if cosine is not None and math.isfinite(cosine):
        alike = (1.0 - COSINE_SHARE) * lexical + COSINE_SHARE * _unit(cosine)
    agree = numbers_agree(a, b)
    alike += NUMBERS_SHARE * agree * ((1.0 - alike) if agree > 0 else alike)
    return _unit(alike)


def numbers_agree(a: str, b: str) -> float:
    """Return -1 (both have short numbers and share none) to 1 (the smaller set is in the other); 0 where one has none.

    >>> numbers_agree("Office 2007", "Office 2003"), numbers_agree("Redshift II", "Redshift 2.0")
    (-1.0, 1.0)
    """
    one, other = _numbers(a[:CHARS_MAX]), _numbers(b[:CHARS_MAX])
    if not one or not other:
        return 0.0
    return 2.0 * len(one & other) / min(len(one), len(other)) - 1.0


def _runs_shared(one: frozenset[str], other: frozenset[str], rarity: Rarity) -> float:
    weights = {run: rarity.run(run) ** RUNS_POWER for run in one | other}
    # fsum: the same sum in whatever order a set gives its members.
    shared = math.fsum(weights[run] for run in one & other)
    return _share(shared, math.fsum(weights[run] for run in one), math.fsum(weights[run] for run in other))


def _words_shared(one: tuple[str, ...], other: tuple[str, ...], rarity: Rarity) -> float:
    found_one, weight_one = _found(one, other, rarity)
    found_other, weight_other = _found(other, one, rarity)
    return _share((found_one + found_other) / 2.0, weight_one, weight_other)


def _found(words: Collection[str], among: Collection[str], rarity: Rarity) -> tuple[float, float]:
    """Return the weight of the words that stand among the others, and the weight of all."""
    weights = [rarity.word(word) ** WORDS_POWER for word in words]
    found = [
        weight * max(spelling(word, other) for other in among) for word, weight in zip(words, weights, strict=True)
    ]
    return math.fsum(found), math.fsum(weights)


def _share(shared: float, one: float, other: float) -> float:
    smaller, larger = min(one, other), max(one, other)
    if smaller <= 0.0:
        return 0.0
    return _unit(shared / (smaller**SMALLER_POWER * larger ** (1.0 - SMALLER_POWER)))


@lru_cache(maxsize=50_000)
def spelling(one: str, other: str) -> float:
    """Return how alike two words are written: 1 for the same, 0 below `SPELLING_MIN`; numbers are the same or not."""
    if one == other:
        return 1.0
    if one[0].isdigit() or other[0].isdigit():
        return 0.0
    if min(len(one), len(other)) >= 3 and (one.startswith(other) or other.startswith(one)):
        return PREFIX_LIKENESS
    first, second = _letters(one), _letters(other)
    dice = 2.0 * len(first & second) / (len(first) + len(second))
    return dice if dice >= SPELLING_MIN else 0.0


@lru_cache(maxsize=20_000)
def _letters(word: str) -> frozenset[str]:
    framed = f"^{word}$"
    return frozenset(framed[i : i + size] for size in (2, 3) for i in range(len(framed) - size + 1))


@lru_cache(maxsize=4_096)
def _words(text: str) -> tuple[str, ...]:
    """The words in lower case, each once, numbers apart from letters, Roman numerals and "2.0" as plain numbers."""
    found = _WORD.findall(text.lower())
    return tuple(dict.fromkeys(_ROMAN.get(word, re.sub(r"(?:\.0+)+$", "", word)) for word in found))


@lru_cache(maxsize=4_096)
def _runs(text: str) -> frozenset[str]:
    spaced = f" {' '.join(_words(text))} "
    return frozenset(spaced[i : i + size] for size in RUN_LENGTHS for i in range(len(spaced) - size + 1))


def _numbers(text: str) -> frozenset[str]:
    return frozenset(word for word in _words(text) if word[0].isdigit() and len(word) <= NUMBER_DIGITS_MAX)


def _unit(value: float) -> float:
    return min(max(value, 0.0), 1.0)
