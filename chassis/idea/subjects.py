"""Who a sentence is about: "Village shops often run out of milk", "Instead of guessing, dairy farmers see ...".

Many ideas never say "for whom"; they begin with the people and say what happens to them or what they get.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from chassis.idea import nouns
from chassis.idea import words as w
from chassis.idea.lexicon import PLACES_AS_ACTORS
from chassis.idea.words import Token

# A subject of more words than this is a clause of its own.
_WORDS_MAX = 5
# An opening phrase ends at its comma, within so many characters.
_OPENING_CHARS_MAX = 80
_OPENERS = frozenset(
    "instead when whenever while after before if since because as during with without in on at for every each once "
    "today until by".split()
)
_CLAUSES = re.compile(r"(?<=[^\s;:]);\s+|:\s+|\s[–—]\s")
# Words that end the search: a subject holds none of them.
_NO_SUBJECT = (w.PREPOSITIONS | w.AUXILIARIES | w.SUBORDINATORS | w.PRONOUNS) - {"our", "your", "their"}
_BETWEEN = frozenset("often never always still usually sometimes now already rarely mostly also just can".split())


class Subject(NamedTuple):
    """The people or organisations, and the tokens from their verb on."""

    who: str
    verb_on: list[Token]
    source: str


def find(text: str) -> Subject | None:
    """The subject of the first clause that is about people or organisations in the plural, with its verb."""
    for clause in _CLAUSES.split(text):
        comma = clause.find(", ", 0, _OPENING_CHARS_MAX)
        opened = comma > 0 and clause.split()[0].lower() in _OPENERS
        found = _subject(clause[comma + 2 :] if opened else clause)
        if found is not None:
            return found
    return None


def _subject(clause: str) -> Subject | None:
    tokens = w.tokenize(clause)
    for end in range(1, min(_WORDS_MAX, len(tokens) - 1) + 1):
        last = tokens[end - 1]
        if not last.is_word or last.lower in _NO_SUBJECT:
            return None
        if not _people(last.lower):
            if w.base_of_third(last.lower):
                # "An app lets caregivers": the verb comes before the people.
                return None
            continue
        verb_at = _verb(tokens, end)
        if verb_at < 0:
            continue
        who = nouns.clean(clause[: last.end])
        known = w.decapitalise(who)
        if who and not w.base_of_gerund(known.split()[0].lower()):
            return Subject(known, tokens[verb_at:], clause)
    return None


def _people(word: str) -> bool:
    if not w.is_plural(word) and not word.endswith("people"):
        return False
    return nouns.is_actor(word) or w.singular(word) in PLACES_AS_ACTORS


def _verb(tokens: list[Token], at: int) -> int:
    """Where the subject's verb stands, past adverbs and a clause with "who"; -1: none follows."""
    if tokens[at].lower in {"who", "that"}:
        # "hosts who record remotely can clean": the second verb is the sentence's.
        for index in range(at + 2, len(tokens)):
            if tokens[index].lower in w.AUXILIARIES | {"can", "cannot"}:
                at = index
                break
        else:
            return -1
    while at < len(tokens) - 1 and (tokens[at].lower in _BETWEEN or tokens[at].lower.endswith("ly")):
        at += 1
    word = tokens[at].lower
    if word in w.AUXILIARIES | {"can", "cannot", "can't", "must"}:
        return min(at + 1, len(tokens) - 1)
    return at if w.is_base_verb(word) else -1
