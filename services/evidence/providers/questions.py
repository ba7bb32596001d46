"""The words of a question: what of a claim's terms a search engine is asked with, and the key of the request.

A claim's terms are made for several readers. What says which kind of claim it is ("food waste pricing") finds
nothing where every word must stand in the hit, so that it is left out unless the founder speaks of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import dropwhile

from chassis.idea.categories import CATEGORIES
from services.evidence.domain.model import IdeaFacts, Query
from services.evidence.domain.words import content_stems, is_generic, is_stop, stem, stems
from services.evidence.providers.extract import visible

# A longer "word" is a token or a trick, and no search takes it.
WORD_CHARS_MAX = 40
# Longer phrases stand nowhere as they are written.
PHRASE_WORDS_MAX = 3
# What a term says about its kind of claim (`chassis.idea.claims`), not about the field.
_KIND_STEMS = frozenset(stem(word) for word in "market size pricing trend growth software alternatives".split())
# Those that ideas hold in passing: "software that ...", "for mid-size companies".
_IN_PASSING = frozenset(stem(word) for word in ("size", "software"))
# Before a name they praise or shrink it; "digital", "mobile" and "online" make another thing of it.
_EPITHETS = frozenset(stem(word) for word in "small good great better best easy simple busy powered based".split())

# The label that a category adds to the keywords ("health care").
_LABELS = {known.slug: tuple(stems(known.label.split(" and ")[0])) for known in CATEGORIES}

_WRITTEN = re.compile(r"[^\W_][\w'’+.#-]*", re.UNICODE)
_PART = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?", re.UNICODE)

Names = tuple[tuple[str, ...], ...]


def whole_words(query: Query, words_max: int) -> list[str]:
    """Return at most `words_max` words that say something about the field, strongest first, each once.

    "no-shows" and "c++" stay whole, for engines that read them so. `plain_words` is for those that do not.
    """
    names = [{stem(word): word for word in name if not is_generic(stem(word))} for name in _names(query)]
    return _that_fit(names, words_max)


def plain_words(query: Query, words_max: int) -> list[str]:
    """Return at most `words_max` words of letters and digits that say something about the field, strongest first.

    Punctuation never passes, so that no term is read as an operator of a search engine. "no-shows" gives both its
    words, since "shows" is another subject.
    """
    names = [{stem(part): part for word in name for part in _telling_parts(word)} for name in _names(query)]
    return _that_fit(names, words_max)


def phrases(query: Query, phrases_max: int) -> list[str]:
    """Return at most `phrases_max` names of things in letters, digits and blanks ("food waste"), strongest first.

    Of a longer term it is the longest part between stop words, at most its last three words: "planning meals" of
    "planning meals from what is in the fridge", "cold storage" of "solar-powered cold storage".
    """
    found: dict[tuple[str, ...], str] = {}
    for term in _terms(query):
        words = max((_phrase(name) for name in term), key=len, default=())
        if words and not all(is_generic(stem(word)) for word in words) and len(found) < phrases_max:
            found.setdefault(tuple(map(stem, words)), " ".join(words))
    return list(found.values())


def request_key(url: str, params: Mapping[str, str | int | float]) -> str:
    """Return the cache key of a request. `params` must hold everything that shapes the answer, and no secret."""
    return f"{url}|" + "&".join(f"{name}={params[name]}" for name in sorted(params))


def _names(query: Query) -> list[tuple[str, ...]]:
    return [name for term in _terms(query) for name in term]


def _terms(query: Query) -> tuple[Names, ...]:
    """The names in each term, then in each keyword of the idea: its words between stop words, lower case.

    Words that say the kind of claim, and the label of the idea's category, are left out.
    """
    return _named(query.terms, query.keywords, query.idea)


@lru_cache(maxsize=1_000)  # each query is read once, not once for every provider; 600 are the most of one run
def _named(terms: tuple[str, ...], keywords: tuple[str, ...], idea: IdeaFacts) -> tuple[Names, ...]:
    said = set(content_stems(idea.text)) - _IN_PASSING | set(content_stems(" ".join(keywords)))
    label = _LABELS.get(idea.category, ())
    label = () if said.issuperset(label) else label
    named = (_names_in(term, _KIND_STEMS - said) for term in [*terms, *idea.keywords])
    return tuple(tuple(name for name in term if tuple(map(stem, name)) != label) for term in named)


def _names_in(term: str, unsaid: frozenset[str]) -> Names:
    names: list[list[str]] = [[]]
    for written in _WRITTEN.findall(visible(term).lower()):
        word = written.rstrip(".-'’")
        if is_stop(stem(word)):
            names.append([])
        elif len(word) <= WORD_CHARS_MAX and stem(word) not in unsaid:
            names[-1].append(word)
    return tuple(bare for name in names if (bare := _without_epithets(name)))


def _without_epithets(name: Sequence[str]) -> tuple[str, ...]:
    return tuple(dropwhile(lambda word: stem(word) in _EPITHETS, name))


def _that_fit(names: Sequence[dict[str, str]], words_max: int) -> list[str]:
    """The words of as many names (word by stem) as there is room for; what room is left takes the others' words.

    Half a name ("pull" of "pull request") is another subject, so that a shorter name goes before it.
    """
    words: dict[str, str] = {}
    for place, name in enumerate(names):
        # The strongest name is asked for in any case: its end says what it is.
        part = dict(_telling(name)[-words_max:]) if place == 0 and len(name) > words_max else name
        if len(words | part) <= words_max:
            for key, word in part.items():
                words.setdefault(key, word)
    for name in names:
        for key, word in _telling(name):
            if len(words) < words_max:
                words.setdefault(key, word)
    return list(words.values())


def _telling(name: dict[str, str]) -> list[tuple[str, str]]:
    return [(key, word) for key, word in name.items() if not is_generic(key)]


def _telling_parts(word: str) -> list[str]:
    """The parts of a written word that say something; with them the stop words that it is made with ("no-shows")."""
    parts = _PART.findall(word)
    telling = [part for part in parts if not is_generic(stem(part))]
    return [part for part in parts if is_stop(stem(part)) or part in telling] if telling else []


def _phrase(name: Sequence[str]) -> tuple[str, ...]:
    """The last three words of a name, in letters and digits, without epithets before them."""
    return _without_epithets([part for word in name for part in _PART.findall(word)][-PHRASE_WORDS_MAX:])
