"""What a pattern may look at: the profile and its words in lower case."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from pipeline.v1 import common_pb2
from services.mvp.domain import naming
from services.mvp.domain.model import Kit

T = TypeVar("T")

_STOP: Final = frozenset(
    "a an the of for to with and or by in on at from that this which who their its our more less very own new"
    " small large big local independent mobile online automatic automated smart intelligent ai powered based b2b b2c"
    " app apps platform tool service solution software system saas startup company teams team users user".split()
)
_ACTORS: Final = frozenset(
    "agency athlete bank brand business city client clinic company family farm firm guest hospital household laboratory"
    " nurse parent patient pharmacy practice restaurant school shop startup store student team university".split()
)


@dataclass(frozen=True)
class Context:
    """The idea as patterns read it."""

    profile: common_pb2.IdeaProfile
    text: str
    """Idea, problem, solution, mechanisms and feature titles in lower case."""

    @classmethod
    def of(cls, profile: common_pb2.IdeaProfile) -> Context:
        """Collects the words of `profile`."""
        parts = [profile.idea, profile.problem, profile.solution, *profile.mechanisms]
        parts += [feature.title for feature in profile.features]
        return cls(profile, " . ".join(part for part in parts if part).lower()[:20_000])

    def says(self, pattern: str) -> bool:
        """True when the regular expression `pattern` occurs in the idea's words."""
        return re.search(pattern, self.text) is not None

    @property
    def focus(self) -> str:
        """The words about the problem and what is done about it, without those that only name the customers."""
        _, marker, problem = self.text.partition("to solve:")
        return problem if marker else self.text

    def first(self, rows: Iterable[tuple[str, T]], default: T) -> T:
        """The value of the first row whose pattern occurs, else `default`."""
        return next((value for pattern, value in rows if self.says(pattern)), default)

    def first_in_focus(self, rows: Iterable[tuple[str, T]], default: T) -> T:
        """Like `first`, but the words that only name the customers do not count."""
        return next((value for pattern, value in rows if re.search(pattern, self.focus)), default)

    def noun(self, phrases: Iterable[str], default: str) -> str:
        """The first phrase that has a word to name an entity with, cut to its core; else `default`."""
        for phrase in phrases:
            core = head(phrase)
            if core:
                return core
        return default


def head(phrase: str) -> str:
    """The noun phrase's core: at most two words before the first preposition, the noun in the singular.

    >>> head("high school students in cities")
    'school student'
    """
    before = re.split(r"\b(?:of|for|with|who|that|which|in|on|at|by|to|from|via|and|or)\b|[,;:/(]", phrase.lower())[0]
    words = [word for word in naming.ascii_words(before) if word not in _STOP]
    if not words or len(words[-1]) < 3:
        return ""
    words[-1] = naming.singular(words[-1])
    return " ".join(words[-2:])


def last_noun(phrase: str) -> str:
    """The head noun alone ("vetted tutors" -> "tutor")."""
    core = head(phrase)
    return core.split()[-1] if core else ""


def actor(phrase: str, default: str) -> str:
    """The head noun of `phrase` when it names people or an organisation ("plant operators" -> "operator").

    Other nouns ("pharmaceutical", "engineering") make no sensible table of customers: `default` stands in.
    """
    noun = last_noun(phrase)
    return noun if noun in _ACTORS or re.search(r"[^p]ers?$|ors?$|ist$|ian$|ant$|ees?$", noun) else default


def any_of(*alternatives: str) -> str:
    """A regular expression for any of these whole words or phrases (each may itself be an expression)."""
    return rf"\b(?:{'|'.join(alternatives)})\b"


Build = Callable[[Context], Kit]


@dataclass(frozen=True)
class Pattern:
    """A kind of product: the words that call for it and what it contributes."""

    name: str
    trigger: str
    """Regular expression over the idea's words."""
    build: Build
    unless: str = ""
    """Regular expression that rules the pattern out."""
    claims: str = ""
    """Patterns (names joined by spaces) that are left out when this one is chosen, because it does their job."""

    def fits(self, context: Context) -> bool:
        """True when the idea's words call for this pattern."""
        return context.says(self.trigger) and not (self.unless and context.says(self.unless))
