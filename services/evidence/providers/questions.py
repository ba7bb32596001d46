"""The words of a question: what of a claim's terms a search engine is asked with, and the key of the request.

A claim's terms are made for several readers. What says which kind of claim it is ("food waste pricing") finds
nothing where every word must stand in the hit, so that it is left out unless the founder speaks of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from services.evidence.domain.model import Query
from services.evidence.domain.words import content_stems, is_generic, is_stop, stem
from services.evidence.providers.extract import visible

# A longer "word" is a token or a trick, and no search takes it.
WORD_CHARS_MAX = 40
# Longer phrases stand nowhere as they are written.
PHRASE_WORDS_MAX = 3
# What a term says about its kind of claim (`chassis.idea.claims`), not about the field.
_KIND_STEMS = frozenset(stem(word) for word in "market size pricing trend growth alternatives".split())
# Before a name they praise or shrink it; "digital", "mobile" and "online" make another thing of it.
_EPITHETS = frozenset(
    stem(word) for word in "small new good great better best easy simple first free fast powered based".split()
)

_WRITTEN = re.compile(r"[^\W_][\w'’+.#-]*", re.UNICODE)
_PART = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?", re.UNICODE)


def whole_words(query: Query, words_max: int) -> list[str]:
    """Return at most `words_max` words that say something about the field, strongest first, each once.

    "no-shows" and "c++" stay whole, for engines that read them so. `plain_words` is for those that do not.
    """
    words: dict[str, str] = {}
    for term in field_terms(query):
        for word in term:
            key = stem(word)
            if not is_generic(key) and len(words) < words_max:
                words.setdefault(key, word)
    return list(words.values())


def plain_words(query: Query, words_max: int) -> list[str]:
    """Return at most `words_max` words of letters and digits that say something about the field, strongest first.

    Punctuation never passes, so that no term is read as an operator of a search engine. "no-shows" gives both its
    words, since "shows" is another subject.
    """
    words: dict[str, str] = {}
    for term in field_terms(query):
        for word in term:
            parts = {stem(part): part for part in _telling_parts(word)}
            fresh = {key: part for key, part in parts.items() if key not in words}
            if len(words) + len(fresh) <= words_max:
                words.update(fresh)
    return list(words.values())


def phrases(query: Query, phrases_max: int) -> list[str]:
    """Return at most `phrases_max` names of things in letters, digits and blanks ("food waste"), strongest first.

    Of a longer term it is the longest part between stop words, at most three words of it: "planning meals" of
    "planning meals from what is in the fridge".
    """
    found: dict[tuple[str, ...], str] = {}
    for term in field_terms(query):
        words = max(_runs(term), key=len, default=[])
        if words and not all(is_generic(stem(word)) for word in words) and len(found) < phrases_max:
            found.setdefault(tuple(map(stem, words)), " ".join(words))
    return list(found.values())


def request_key(url: str, params: Mapping[str, str | int | float]) -> str:
    """Return the cache key of a request. `params` must hold everything that shapes the answer, and no secret."""
    return f"{url}|" + "&".join(f"{name}={params[name]}" for name in sorted(params))


def field_terms(query: Query) -> Iterator[list[str]]:
    """Yield the words of each term, lower case, then of each keyword of the idea; those that say the kind left out."""
    unsaid = _KIND_STEMS - {*content_stems(query.idea.text), *content_stems(" ".join(query.keywords))}
    for term in [*query.terms, *query.idea.keywords]:
        written = (word.rstrip(".-'’") for word in _WRITTEN.findall(visible(term).lower()))
        yield [word for word in written if len(word) <= WORD_CHARS_MAX and stem(word) not in unsaid]


def _telling_parts(word: str) -> list[str]:
    """The parts of a written word that say something; with them the stop words that it is made with ("no-shows")."""
    parts = _PART.findall(word)
    telling = [part for part in parts if not is_generic(stem(part))]
    return [part for part in parts if is_stop(stem(part)) or part in telling] if telling else []


def _runs(term: list[str]) -> Iterator[list[str]]:
    """The words between the stop words of a term, without epithets before them, the last three of a longer run."""
    run: list[str] = []
    for word in [*term, ""]:
        parts = _PART.findall(word)
        if word and not is_stop(stem(word)) and parts:
            run += parts
            continue
        run = run[-PHRASE_WORDS_MAX:]
        while run and stem(run[0]) in _EPITHETS:
            run = run[1:]
        if run:
            yield run
        run = []
