"""Phrases whose grammar is known: functions of the product, the problem's shape, shorter forms.

Copy goes wrong where a slot's shape is guessed: "Tired of finding tutors?" or "Suggest recipes" as an offer. So every
phrase gets a shape here (verb phrase, gerund, noun phrase, clause), and a template takes only shapes that it can
carry. Shorter variants are made by leaving out whole parts of a phrase, never by cutting.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from chassis.idea import verbs, words

PHRASE_CHARS_MAX = 200


PAIN_WORDS_MAX = 8


class Shape(StrEnum):
    """What a phrase is, grammatically."""

    NONE = "none"
    NOUN = "noun"  # "no-shows"
    GERUND = "gerund"  # "wasting food"
    STRIVING = "striving"  # a gerund of something wanted: "finding a good tutor"
    CLAUSE = "clause"  # a whole statement


@dataclass(frozen=True)
class Function:
    """Something the product does: "track expiry dates" (verb "track"), or a noun phrase (verb empty)."""

    phrase: str
    verb: str
    rest: str
    claim_id: str

    @property
    def third(self) -> str:
        """As said of the product: "tracks expiry dates", "offers automatic reminders"."""
        return f"{words.third(self.verb)} {self.rest}".strip() if self.verb else f"offers {self.phrase}"

    @property
    def to_you(self) -> str:
        """As said to the audience: "find training partners at your pace"."""
        return re.sub(r"\btheir\b", "your", self.phrase)

    def third_to(self, audience: str, pronoun: str) -> str:
        """The same with the audience, where the function acts on it, as a pronoun: "tells you where to spray"."""
        said = re.sub(r"\btheir\b", "your", self.third) if pronoun == "you" else self.third
        if not (audience and pronoun and self.verb in _ADDRESSING):
            return said
        head = audience.rsplit(" ", 1)[-1]
        for name in (audience, head):
            if re.match(rf"{re.escape(name)}\b", self.rest, re.IGNORECASE):
                rest = self.rest[len(name) :]
                if pronoun == "you":
                    rest = re.sub(r"\btheir\b", "your", re.sub(r"\bthey\b", "you", rest))
                return f"{words.third(self.verb)} {pronoun}{rest}"
        return said

    def addresses(self, audience: str) -> bool:
        """Whether it is done to the audience ("tell growers where to spray") rather than for them."""
        return self.third_to(audience, "you") != self.third_to("", "you")

    @property
    def title(self) -> str:
        """As a heading of its own: "Tracks expiry dates", "Automatic reminders"."""
        return words.capitalise(self.third if self.verb else self.phrase)

    def shorter(self) -> Iterator[Function]:
        """This function and ever shorter forms of it that still stand as a phrase."""
        for phrase in shorter(self.phrase, self.verb):
            yield make_function(phrase, self.claim_id)


_BREAKS = re.compile(
    r"\s(?=(?:before|after|when|whenever|while|so|that|which|where|who|using|with|without|by|in|across|from|through|via|"
    r"during|between|for|on|at|under|near|against|inside|within|based|about|and)\s)|[,;:]\s"
)


def set_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ADDRESSING = verbs.INFORMING | verbs.MATCHING | verbs.ENABLING


# Verbs whose meaning needs what follows the object.
_WHOLE = (
    verbs.INFORMING
    | verbs.MATCHING
    | verbs.ENABLING
    | set_of(
        "turn convert transform translate map put replace swap trade change split route assign compare distinguish "
        "prevent protect stop rid keep provide supply equip charge share integrate sync"
    )
)


# "validating ideas by hand": the manner is the point.
_MANUAL = re.compile(r"\b(?:by hand|manually|on paper|in spreadsheets?|without)\b", re.IGNORECASE)


# Gerunds of things that people want and find hard, rather than of things that hurt.
_WANTED = set_of(
    "find choose get know match connect plan learn teach decide manage keep build design create make understand "
    "measure hire schedule organise organize validate prove run grow develop discover identify detect track monitor "
    "maintain coordinate train scale secure migrate verify simulate select evaluate book reach sell buy"
)


# Verbs that cannot be taken for a noun before a noun ("prompt injections") and say that something goes wrong.
_HURTING = set_of("lose miss forget overpay spend struggle wait suffer fail guess chase")


def clean(text: str) -> str:
    """One line without control, format and surrogate characters, quotation marks and a closing full stop."""
    kept = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text[: PHRASE_CHARS_MAX * 4])
    kept = re.sub(r"[\"“”„«»]", "", kept)
    kept = re.sub(r"\s+", " ", kept).strip(" .,;:-–—!?")
    kept = re.sub(r"\s+(?:often|also|only|still|today)$", "", kept)
    return kept if len(kept) <= PHRASE_CHARS_MAX else ""


def make_function(phrase: str, claim_id: str) -> Function:
    """A function from its phrase; the first word decides whether it is a verb phrase."""
    first, _, rest = phrase.partition(" ")
    if first.endswith("ly") and words.is_base_verb(rest.partition(" ")[0].lower()):
        phrase = rest
        first, _, rest = phrase.partition(" ")
    lower = first.lower()
    verb = words.base_of_gerund(lower) or (lower if words.is_base_verb(lower) else "")
    if verb == lower and lower in verbs.MOSTLY_NOUNS and not rest:
        verb = ""
    if not verb:
        return Function(phrase=words.decapitalise(phrase), verb="", rest="", claim_id=claim_id)
    return Function(phrase=f"{verb} {rest}".strip(), verb=verb, rest=rest, claim_id=claim_id)


def shorter(phrase: str, verb: str = "") -> Iterator[str]:
    """The phrase, then shorter ones that end before a preposition or a subordinate clause."""
    yield phrase
    if (verb in _WHOLE and verb not in verbs.MATCHING) or _MANUAL.search(phrase):
        return
    for match in reversed(list(_BREAKS.finditer(phrase))):
        head = phrase[: match.start()].rstrip(" ,;:")
        last = head.rsplit(" ", 1)[-1].lower()
        paired = match.group().strip() == "" and re.search(r"\b(?:between|both|either)\b[^,]*$", head)
        halved = verb in verbs.MATCHING and not re.search(r"\s(?:with|to)\s", head)
        dangling = (
            paired or halved or last in words.STOPWORDS or words.base_of_participle(last) or last in {"based", "such"}
        )
        # "fraud, double counting": a list without its end.
        listed = ", " in head
        if len(head.split()) >= (2 if verb else 1) and not dangling and not listed:
            yield head


# Words in -ing that name a trade or a kind of thing before a noun: "manufacturing mistakes", "billing errors".
_TRADES = set_of(
    "manufacturing billing shipping training accounting marketing engineering mining packaging parking printing "
    "purchasing reporting routing scheduling staffing banking building farming housing advertising spelling pricing"
)


def read_pain(problem: str, *, wanted: bool = False) -> tuple[str, Shape]:
    """The problem as it goes into a sentence, and its shape; `wanted` where it is the job itself and not a pain."""
    if not problem:
        return "", Shape.NONE
    problem = words.decapitalise(problem)
    tokens = [t.lower for t in words.tokenize(problem) if t.is_word]
    if not tokens:
        return "", Shape.NONE
    statement = _statement(problem)
    if statement or len(tokens) > PAIN_WORDS_MAX or any(t in words.AUXILIARIES for t in tokens):
        return statement or (problem if any(t in words.AUXILIARIES for t in tokens) else ""), Shape.CLAUSE
    base = words.base_of_gerund(tokens[0])
    if tokens[0] in _TRADES and len(tokens) == 2 and words.is_plural(tokens[1]):
        return problem, Shape.NOUN
    if tokens[0] == "not" and len(tokens) > 2 and words.base_of_gerund(tokens[1]):
        return problem, Shape.GERUND
    if base and _MANUAL.search(problem):
        return problem, Shape.GERUND
    if base and len(tokens) > 1:
        return problem, Shape.STRIVING if wanted or base in _WANTED else Shape.GERUND
    if tokens[0] in _HURTING and len(tokens) > 1:  # a base form: "lose track of expenses"
        first, _, rest = problem.partition(" ")
        return f"{words.gerund(first.lower())} {rest}", Shape.GERUND
    if any(words.base_of_third(t) and not _noun_before(tokens, i) for i, t in enumerate(tokens[1:], 1)):
        return problem, Shape.CLAUSE
    return re.sub(r"^(?:the|a|an)\s", "", problem), Shape.NOUN


# -ing forms that stand for a whole clause: "raw images having much noise".
_CLAUSAL = set_of(
    "being having lacking requiring taking costing causing making leading needing failing suffering degrading"
)


def _statement(problem: str) -> str:
    """ "Raw images having much noise" as the sentence that it stands for: "raw images have much noise"; else empty."""
    tokens = [t for t in words.tokenize(problem) if t.is_word]
    for i, token in enumerate(tokens[1:], 1):
        base = "be" if token.lower == "being" else words.base_of_gerund(token.lower)
        many = _plural_subject([t.lower for t in tokens[:i]])
        if not base or token is tokens[-1] or not (token.lower in _CLAUSAL or (many and len(tokens) > 4)):
            continue
        last = tokens[-1].lower
        if words.base_of_gerund(last) or last in words.STOPWORDS:
            return ""
        verb = ("are" if base == "be" else base) if many else words.third(base)
        return f"{problem[: token.start]}{verb}{problem[token.end :]}"
    return ""


def _plural_subject(tokens: Sequence[str]) -> bool:
    """Whether the noun phrase is plural, by its head: the noun before the first preposition; a gerund is singular."""
    if words.base_of_gerund(tokens[0]) and len(tokens) > 1:
        return False
    head = next((i for i, t in enumerate(tokens) if t in words.PREPOSITIONS and i), len(tokens)) - 1
    return words.is_plural(tokens[head]) or tokens[head] in {"they", "we", "you"}


def _noun_before(tokens: Sequence[str], index: int) -> bool:
    """Whether a word that could be a verb ("invoices") stands where a plural noun stands."""
    last = index == len(tokens) - 1
    following = tokens[index + 1] if not last else ""
    return last or following in words.PREPOSITIONS | words.CONJUNCTIONS | words.SUBORDINATORS


def striving(pain: str) -> str:
    """The base form of a gerund phrase: "finding a good tutor" -> "find a good tutor"; empty when it has none."""
    first, _, rest = pain.partition(" ")
    base = words.base_of_gerund(first.lower())
    return f"{base} {rest}" if base and rest else ""
