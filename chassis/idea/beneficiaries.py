"""Whom a sentence names where no clause of it was read as "for whom": after "for", "aimed at", "between", "to".

"Charging stations in apartment blocks, ..., for property managers tired of disputes": the people come late, behind
what the product is. Only looked for where nobody was found otherwise.
"""

from __future__ import annotations

import re

from chassis.idea import nouns
from chassis.idea import words as w
from chassis.idea.roles import Roles
from chassis.idea.verbs import REDUCING

_WORDS = r"(?:[^\W\d][\w’'-]*\s){0,3}?[^\W\d][\w’'-]*"
_END = r"(?=$|[,.;:!?]|\s(?:who|that|which|with|tired|sick|fed|in|at|of|on|from|full|to|so|and|by|without|whose)\b)"
_SERVED = re.compile(rf"\b(?:for|aimed at|meant for|made for|targeting|targeted at)\s(?P<who>{_WORDS}){_END}", re.I)
# "between shelters full of dogs and families who'd like to adopt one"
_SIDES = re.compile(
    rf"\b(?P<match>(?:match\w*|exchange|marketplace|trade|bridge|link|connection|introductions?)\s(?:\w+\s){{0,3}})?between\s(?P<one>(?:[^\W\d][\w’'-]*\s){{0,3}}?[^\W\d][\w’'-]*)(?:\s(?:full|in|without|of|with|from|at)\s[^,.;]{{1,40}}?)?\sand\s(?P<other>{_WORDS}){_END}",
    re.IGNORECASE,
)
_WEARY = re.compile(
    r"\b(?:sick and )?(?:tired|sick|weary|fed up)\s(?:of|with)\s(?P<what>[^,.;:!?]{3,80})", re.IGNORECASE
)


def read_beneficiaries(text: str, roles: Roles) -> None:
    """Adds whom one sentence names, where nobody is known yet; what they are tired of is the problem."""
    if not roles.audiences:
        between = _SIDES.search(text)
        sides = [between["one"], between["other"]] if between else []
        # Who is matched with people acts as well ("shelters").
        enough = any if between and between["match"] else all
        if between and enough(_people(side) for side in sides) and all(_plural(side) for side in sides):
            for side in sides:
                roles.add_audience(side, between.group())
            roles.sides = max(roles.sides, 2)
    if not roles.audiences:
        for match in _SERVED.finditer(text):
            if _people(match["who"]):
                roles.add_audience(match["who"], match.group())
    weary = _WEARY.search(text)
    if weary:
        roles.set_problem(weary["what"], weary.group())


def _people(phrase: str) -> bool:
    """Whether a phrase names people or organisations in the plural, and no command."""
    return _plural(phrase) and phrase.lower().split()[0] not in REDUCING and nouns.is_actor_phrase(phrase, lenient=True)


def _plural(phrase: str) -> bool:
    words = nouns.clean(phrase).lower().split()
    return bool(words) and (w.is_plural(words[-1]) or words[-1].endswith("people"))
