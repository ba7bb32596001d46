"""Who a sentence is about: "Village shops often run out of milk", "Instead of guessing, dairy farmers see ...".

Many ideas never say "for whom"; they begin with the people and say what happens to them or what they get.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from chassis.idea import nouns
from chassis.idea import words as w
from chassis.idea.lexicon import PLACES_AS_ACTORS
from chassis.idea.people import KIN
from chassis.idea.verbs import ENABLING, MOSTLY_NOUNS, REDUCING
from chassis.idea.words import Token

# A subject of more words than this is a clause of its own.
_WORDS_MAX = 5
# "that close at six", "in my city": what stands between the people and their verb is no longer.
_MODIFIER_WORDS_MAX = 9
# An opening phrase ends at its comma, within so many characters.
_OPENING_CHARS_MAX = 80
OPENERS = frozenset(
    "instead when whenever while after before if since because as during with without in on at for every each once "
    "today until by to".split()
)
_CLAUSES = re.compile(r"(?<=[^\s;:]);\s+|:\s+|\s[–—]\s")
_QUESTION = re.compile(r"^(?:why|how|what|when)\s+(?:do|does|can't|can|must|should|are)\s+", re.IGNORECASE)
# "Spreadsheets are how most choirs manage their members": they do it.
_CLEFT = re.compile(r"^[^\W\d][\w\s’'-]{2,40}\s(?:is|are)\s(?:how|what|why|where)\s", re.IGNORECASE)
# Words that end the search: a subject holds none of them.
_NO_SUBJECT = (w.PREPOSITIONS | w.AUXILIARIES | w.SUBORDINATORS | w.PRONOUNS) - {"our", "your", "their"}
_BETWEEN = frozenset("often never always still usually sometimes now already rarely mostly also just can".split())
_MODALS = w.AUXILIARIES | {"can", "cannot", "can't", "must"}
_PHRASE_STARTS = frozenset("in of at from with on near without under over inside outside living working based".split())
_BEFORE_NOUNS = w.DETERMINERS | w.PREPOSITIONS | {"to", "and", "or"}


class Subject(NamedTuple):
    """The people or organisations, and the tokens from their verb on."""

    who: str
    verb_on: list[Token]
    source: str


def find(text: str) -> Subject | None:
    """The subject of the first clause that is about people or organisations in the plural, with its verb."""
    for clause in _CLAUSES.split(text):
        asked = _CLEFT.sub("", _QUESTION.sub("", clause))
        comma = asked.find(", ", 0, _OPENING_CHARS_MAX)
        opened = comma > 0 and asked.split()[0].lower() in OPENERS
        found = _subject(asked[comma + 2 :] if opened else asked)
        if found is not None:
            return found
    return None


def mentioned(text: str) -> str:
    """The first people or organisations in the plural that a text names, wherever they stand; empty for none."""
    tokens = w.tokenize(text)
    for index, token in enumerate(tokens):
        pair = index and nouns.is_actor_pair(tokens[index - 1].lower, token.lower)
        if not token.is_word or not w.is_plural(token.lower) or not (pair or nouns.is_actor(token.lower)):
            continue
        start = index
        while start and _modifies(tokens[start - 1]) and index - start < _WORDS_MAX - 1:
            start -= 1
        return w.decapitalise(nouns.clean(text[tokens[start].start : token.end]))
    return ""


def _modifies(token: Token) -> bool:
    """Whether a word before a noun belongs to it: no function word, no verb in its third person."""
    return (
        token.is_word
        and token.lower not in w.STOPWORDS | REDUCING | ENABLING
        and not (w.base_of_third(token.lower) and not nouns.is_actor(token.lower))
        and not (token.lower.endswith("ing") and not nouns.names_a_trade(token.lower))
    )


def _subject(clause: str) -> Subject | None:
    tokens = w.tokenize(clause)
    for end in range(1, min(_WORDS_MAX, len(tokens) - 1) + 1):
        last = tokens[end - 1]
        if last.text in "'’" and end > 1:
            continue
        if not last.is_word or last.lower in _NO_SUBJECT:
            return None
        group = _group_of_two(tokens, end)
        one = end > 1 and tokens[0].lower in {"every", "each"} and _acts(last.lower)
        kin = end > 1 and tokens[end - 2].lower == "my" and last.lower in KIN
        if not (_people(last.lower) or group or one or kin):
            if w.base_of_third(last.lower):
                # "An app lets caregivers": the verb comes before the people.
                return None
            continue
        verb_at = _verb(tokens, end, third=one or kin)
        if verb_at < 0:
            continue
        who = nouns.clean(clause[: last.end])
        known = w.decapitalise(re.sub(r"^(?:every|each)\s+(?:second\s+|third\s+|single\s+)?", "", who, flags=re.I))
        if one:
            known = w.plural(known)
        first = known.split()[0].lower() if known else ""
        if first and (not w.base_of_gerund(first) or nouns.names_a_trade(first)):
            # "stop restaurants from being", "I'm a physio and my patients": a command, and somebody else first.
            if first in REDUCING | ENABLING or re.search(r"['’](?:m|re|ve|s a)\b", known):
                return None
            return Subject(known, tokens[verb_at:], clause)
    return None


def _group_of_two(tokens: list[Token], end: int) -> bool:
    words = [token.lower for token in tokens[:end]]
    if len(words) > 2 and words[-2] in "'’":
        words[-3:-1] = [f"{words[-3]}'"]
    return end > 1 and nouns.is_actor_pair(words[-2], words[-1])


def _acts(word: str) -> bool:
    return nouns.is_actor(word) or w.singular(word) in PLACES_AS_ACTORS


def _people(word: str) -> bool:
    if not w.is_plural(word) and not word.endswith("people"):
        return False
    return _acts(word) or nouns.is_agent(word)


def _verb(tokens: list[Token], at: int, *, third: bool = False) -> int:
    """Where the subject's verb stands, past adverbs, a phrase of place and a clause with "who"; -1: none follows."""
    at = _past_modifier(tokens, at)
    while 0 <= at < len(tokens) - 1 and (tokens[at].lower in _BETWEEN or tokens[at].lower.endswith("ly")):
        at += 1
    if at < 0 or at >= len(tokens):
        return -1
    word = tokens[at].lower
    if word in _MODALS:
        return min(at + 1, len(tokens) - 1) if word not in {"are", "is", "were", "have", "has"} else at
    if third and tokens[at - 1].lower not in _MODALS:
        return at if w.base_of_third(word) else -1
    return at if w.is_base_verb(word) else -1


def _past_modifier(tokens: list[Token], at: int) -> int:
    """The index behind "who record remotely", "in my city" or "living abroad"; -1 where no verb follows it."""
    first = tokens[at].lower
    if first == "and" and at + 2 < len(tokens) and tokens[at + 1].lower in {"i", "we"}:
        return at + 2
    relative = first in {"who", "that"}
    if not relative and first not in _PHRASE_STARTS:
        return at
    verbs = 0
    for index in range(at + 1, min(at + 1 + _MODIFIER_WORDS_MAX, len(tokens))):
        word, before = tokens[index].lower, tokens[index - 1].lower
        if not tokens[index].is_word:
            return -1
        stands = before not in _BEFORE_NOUNS or before in {"who", "that"}
        if word in _MODALS and stands:
            verbs += 1
        elif w.is_base_verb(word) and stands and (word not in MOSTLY_NOUNS or not _noun_follows(tokens, index)):
            # "who want to keep": the second belongs to the first.
            verbs += 1
        else:
            continue
        if verbs > relative:
            return index
    return -1


def _noun_follows(tokens: list[Token], index: int) -> bool:
    """Whether a verb-like word stands before another verb, so that it is the noun: "at work lose"."""
    following = tokens[index + 1].lower if index + 1 < len(tokens) else ""
    return w.is_base_verb(following) and following not in w.DETERMINERS
