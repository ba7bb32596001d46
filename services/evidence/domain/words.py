"""Words: tokens with their places, a light English stemmer, and phrase matching.

The stemmer only brings together the forms that ideas, forum posts and category names use for one thing
("scheduling" and "schedules", "invoicing" and "invoice"). It does not try to be linguistically right; what it
must be is the same on both sides of a comparison.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?", re.UNICODE)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=[0-9])")

_STOP_TEXT = """
    a about above after again against all also am an and any are as at be because been before being below
    between both but by can could did do does doing down during each etc few for from further get give gives had
    has have having he help helps her here hers him his how i if in into is it its itself just let lets like make
    makes many me more most much must my no nor not now of off on once one only or other our out over own per
    same she should so some such than that the their them then there these they this those through to too under
    until up use used user users uses using very via was way we well were what when where which while who whom why
    will with within without would yet you your
"""
STOPWORDS = frozenset(_STOP_TEXT.split())

# Words that nearly every idea contains: they say nothing about its field, so that they never carry a match.
_GENERIC_TEXT = """
    ai app apps application automatic automatically b2b b2c business based best better build built company
    create customer customers digital easy every experience fast find first free good great idea improve
    intelligent lot mobile need needs new online people platform powered product products real reduce save service
    services simple small smart software solution solutions solve start startup startups system team teams
    technology thing things time tool tools want web website work works
"""
GENERIC = frozenset(_GENERIC_TEXT.split())


class Token(NamedTuple):
    """A word as it stands in the text: its stem and its place in Unicode code points."""

    stem: str
    start: int
    end: int


@lru_cache(maxsize=50_000)  # a run has a few thousand distinct words; the bound keeps hostile text from growing it
def stem(word: str) -> str:
    """Return the stem of one word, lower case."""
    word = word.lower().replace("’", "'").removesuffix("'s")
    if len(word) <= 3 or not word.isascii():
        return word
    word = _singular(word)
    word = _without_ending(word)
    if len(word) > 4 and word.endswith("e"):
        word = word[:-1]
    return word


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "zes", "ches", "shes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _without_ending(word: str) -> str:
    if len(word) > 5 and word.endswith(("tion", "sion")):
        return word[:-3]
    for ending, shortest in (("ing", 6), ("ed", 5)):
        rest = word.removesuffix(ending)
        if rest != word and len(word) >= shortest and not word.endswith("eed") and _has_vowel(rest):
            doubled = len(rest) > 3 and rest[-1] == rest[-2] and rest[-1] not in "lsz"
            return rest[:-1] if doubled else rest
    return word


def _has_vowel(text: str) -> bool:
    return any(letter in "aeiouy" for letter in text)


_GENERIC_STEMS = frozenset(stem(word) for word in GENERIC)
_STOP_STEMS = frozenset(stem(word) for word in STOPWORDS) | STOPWORDS


# A passage or a claim is compared with hundreds of others: what is read off it is remembered. Longer texts pass by.
REMEMBERED_CHARS_MAX = 1_000


def tokens(text: str) -> list[Token]:
    """Return every word of `text` with its place, stop words included."""
    return [Token(stem(m.group()), m.start(), m.end()) for m in _TOKEN.finditer(text)]


def stems(text: str) -> list[str]:
    """Return the stems of `text` in order, stop words included."""
    return [stem(m.group()) for m in _TOKEN.finditer(text)]


def content_stems(text: str) -> list[str]:
    """Return the stems of `text` in order, without stop words."""
    if len(text) > REMEMBERED_CHARS_MAX:
        return [s for s in stems(text) if not is_stop(s)]
    return list(_content_stems(text))


@lru_cache(maxsize=10_000)
def _content_stems(text: str) -> tuple[str, ...]:
    return tuple(s for s in stems(text) if not is_stop(s))


def name_stems(name: str) -> list[str]:
    """Return the stems of a product's name, with camel case taken apart ("farmOS" has "farm")."""
    return stems(_CAMEL.sub(" ", name))


def is_stop(stemmed: str) -> bool:
    """True for a stop word or a single character."""
    return len(stemmed) < 2 or stemmed in _STOP_STEMS


def is_generic(stemmed: str) -> bool:
    """True for a word that tells nothing about an idea's field."""
    return is_stop(stemmed) or stemmed in _GENERIC_STEMS


def specific(words: Iterable[str]) -> list[str]:
    """Return the stems that say something about the field, each once, in order."""
    return list(dict.fromkeys(word for word in words if not is_generic(word)))


Phrase = tuple[str, ...]


def phrase(text: str) -> Phrase:
    """Return a phrase as the tuple of its stems."""
    return tuple(stems(text))


class PhraseIndex:
    """Answers "does this text contain that phrase?" for many phrases of one text.

    A phrase counts when all its words stand within a window of its length plus one, in any order: "food waste"
    is found in "waste less food" and in "wasted food", but not when the words stand in different sentences.
    """

    def __init__(self, text: str) -> None:
        self.words = stems(text)
        self._places: dict[str, list[int]] = {}
        for place, word in enumerate(self.words):
            self._places.setdefault(word, []).append(place)

    def __contains__(self, words: Phrase) -> bool:
        return self.count(words) > 0

    def count(self, words: Phrase) -> int:
        """Return how often the phrase stands in the text (0 when it does not)."""
        if not words:
            return 0
        first = self._places.get(words[0], [])
        if len(words) == 1:
            return len(first)
        if any(word not in self._places for word in words):
            return 0
        return sum(1 for place in first if self._around(place, words))

    def _around(self, place: int, words: Phrase) -> bool:
        reach = len(words)  # the window is the phrase's length plus one
        near = range(place - reach, place + reach + 1)
        places = [place]
        for word in words[1:]:
            found = [p for p in self._places[word] if p in near and p not in places]
            if not found:
                return False
            places.append(min(found, key=lambda p: abs(p - place)))
        return max(places) - min(places) <= reach


@lru_cache(maxsize=10_000)
def shingles(text: str, size: int = 3) -> frozenset[Phrase]:
    """Return the overlapping runs of `size` stems: what near-duplicates share."""
    words = content_stems(text)
    if len(words) < size:
        return frozenset({tuple(words)}) if words else frozenset()
    return frozenset(tuple(words[i : i + size]) for i in range(len(words) - size + 1))


def jaccard(first: frozenset[Phrase], second: frozenset[Phrase]) -> float:
    """Return the share of common members, 0 to 1."""
    if not first or not second:
        return 0.0
    return len(first & second) / len(first | second)


def overlap(words: Sequence[str], text_words: Iterable[str]) -> float:
    """Return the share of `words` that stand in `text_words`, 0 to 1; earlier words weigh more.

    The n-th word weighs 1 / (1 + n / 4): claim terms come strongest first.
    """
    if not words:
        return 0.0
    have = set(text_words)
    weights = [1.0 / (1.0 + place / 4.0) for place in range(len(words))]
    return sum(weight for word, weight in zip(words, weights, strict=True) if word in have) / sum(weights)


_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"')\]]*\s+(?=[^\s])|\n\s*\n|\n(?=[-*•#>|])|\n(?=[^\n]*,[^\n]*,)")


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of each sentence, without the white space around it.

    Splits after sentence marks, at blank lines and at list markers; a line with commas (a row of a table) stands
    alone.
    """
    start = 0
    for match in _SENTENCE_END.finditer(text):
        yield from _trimmed(text, start, match.start())
        start = match.end()
    yield from _trimmed(text, start, len(text))


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if end > start:
        yield start, end
