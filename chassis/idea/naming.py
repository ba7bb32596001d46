"""Name candidates coined from an idea's own key words: pronounceable, 4 to 14 letters, repeatable."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from chassis.idea import words as w
from chassis.idea.category import Category
from chassis.idea.lexicon import ANALOGUES, FORM_WORDS

NAMES_MAX = 5
_LETTERS_MIN, _LETTERS_MAX = 4, 14
_VOWELS = "aeiouy"
_SKIPPED = (
    FORM_WORDS
    | frozenset(ANALOGUES)
    | frozenset("other each elderly kill die pregnant blind deaf nobody".split())
    | frozenset(
        "automatic online smart mobile small high good best real-time personal free fast make get help people "
        "person user "
        "thing way new based system process company business large big next same right wrong data vetted local current "
        "health care short hard find uber industry operations something anything with demand requirement date "
        "team customer client buyer aloud alone look certified inspected dependent denser future decrypt used "
        "failing inheriting leading".split()
    )
)


def coin(key_words: Sequence[str], category: Category, given: Sequence[str]) -> list[str]:
    """The given names first, then coined ones: key word + ending, blends of two key words, two short words joined."""
    keys = [key for key in w.unique(_key(word) for word in key_words) if key]
    tails = category.tails.split()
    coined: list[str] = []
    for position, key in enumerate(keys[:2]):
        coined.extend(_with_tail(key, tails[position:] + tails[:position]))
    for first in keys[:4]:
        for second in keys[:5]:
            if first != second:
                coined.append(_blend(first, second))
    for first, second in itertools.pairwise(keys[:4]):
        coined.append(_joined(first, second))
    if len(keys) > 2:
        coined.extend(_with_tail(keys[2], tails[2:]))
    names = [name for name in given if name]
    for name in coined:
        taken = {existing.lower() for existing in names}
        stem = name.lower()[:4]
        repeated = sum(existing.startswith(stem) for existing in taken) >= 2
        if name and name.lower() not in taken and not repeated and _pronounceable(name.lower()):
            names.append(name)
    return w.unique(names)[:NAMES_MAX]


def _key(word: str) -> str:
    stem = w.singular(re.sub(r"[^a-z-]", "", word.lower())).replace("-", "")
    if w.base_of_participle(stem) or stem.endswith(("able", "ible", "ous")):
        return ""
    if stem in _SKIPPED or not 3 <= len(stem) <= 10:
        return ""
    return stem


def _with_tail(key: str, tails: Sequence[str]) -> list[str]:
    made = []
    for tail in tails:
        if tail in key or key in tail or len(key) + len(tail) > _LETTERS_MAX:
            continue
        made.append(key.capitalize() + tail.capitalize())
        break
    return made


def _blend(first: str, second: str) -> str:
    """Joins two words where the end of a piece of one is the beginning of the other ("expiry" + "recipe")."""
    for size in (3, 2):
        for cut in range(len(first), size + 1, -1):
            if second.startswith(first[cut - size : cut]):
                made = first[: cut - size] + second
                if 6 <= len(made) <= 11 and cut - size >= 2 and first not in made and len(made) > len(second) + 1:
                    return made.capitalize()
    return ""


def _joined(first: str, second: str) -> str:
    if len(first) + len(second) > 11 or first[-1] == second[0]:
        return ""
    return first.capitalize() + second.capitalize()


def _pronounceable(name: str) -> bool:
    if not _LETTERS_MIN <= len(name) <= _LETTERS_MAX:
        return False
    vowels = sum(letter in _VOWELS for letter in name)
    return vowels >= len(name) / 4 and not re.search(r"[^aeiouy]{5,}|[aeiou]{4,}|(.)\1\1", name)
