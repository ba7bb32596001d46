"""What stands behind a verb: for whom, to whom, between whom, by what means; and what is dreaded before it happens."""

from __future__ import annotations

import re

from chassis.idea import experience, nouns
from chassis.idea import words as w
from chassis.idea.grammar import VerbPhrase
from chassis.idea.lexicon import VERB_FOR_NOUN
from chassis.idea.roles import Roles
from chassis.idea.verbs import FINDING, INFORMING, MATCHING, REDUCING


def read_object(phrase: VerbPhrase, roles: Roles) -> str:
    """Reads what stands behind the verb: means after "with", people and events after "for", vetted people.

    Returns the words "for <audience>" that end the phrase, or an empty string.
    """
    rest = phrase.rest
    said = ""
    kept = (
        re.match(r"^(?P<who>(?:[\w-]+\s){0,3}?[\w-]+)\sfrom\s(?P<what>\w+ing\s.+)$", rest)
        if phrase.base == "keep"
        else None
    )
    if kept and nouns.is_actor_phrase(kept["who"]):
        roles.add_audience(kept["who"], phrase.basis)
        roles.set_problem(f"{kept['who']} {kept['what']}", phrase.basis)
    dreaded = re.search(
        r"\bbefore\s+(?:(?:they|he|she|you|it)|(?P<whose>(?:the|their|a|an|your)\s(?:[\w-]+\s)??[\w-]+))\s+(?P<what>\w+.*)$",
        rest,
    )
    if dreaded and phrase.base in FINDING | INFORMING:
        verb, _, tail = dreaded["what"].partition(" ")
        base = verb.lower() if w.is_base_verb(verb.lower()) else w.base_of_third(verb.lower())
        if base and (tail or dreaded["whose"]):
            roles.set_problem(f"{dreaded['whose'] or ''} {w.gerund(base)} {tail}", dreaded.group())
    told = (
        re.search(
            r"\bto\s+(?:[\d.,]+\s+)?(?P<the>the\s+|their\s+|an?\s+)?(?P<who>(?:[^\W\d]+\s){0,2}?[^\W\d]+)"
            r"(?=\s(?:and|so|with|for|every|each|at|in|by|on|who|that|before|via|through)\s|,|$)",
            rest,
        )
        if phrase.base in _TELLING
        else None
    )
    if told and nouns.is_actor_phrase(told["who"]) and (told["the"] or w.is_plural(told["who"].split()[-1].lower())):
        # "explains letters to the patient": each of them.
        roles.add_audience(told["who"], phrase.basis)
    handed = re.match(r"^(?P<who>(?:[^\W\d]+\s){0,2}[^\W\d]+)\s(?=(?:an?|the|their|\d+)\s)", rest)
    if handed and phrase.base in experience.HANDING and nouns.is_actor_phrase(handed["who"]):
        roles.add_audience(handed["who"], phrase.basis)
    held = re.search(r"\b(?:in|at)\s(?P<who>(?:[\w-]+\s){0,2}[\w-]+?)(?=\s(?:with|by|so|through|using)\b|$)", rest)
    theirs = held is not None and not roles.audiences and w.is_plural(held["who"].split()[-1].lower())
    if held and theirs and phrase.base in REDUCING and nouns.is_actor_phrase(held["who"]):
        # "end food waste in school canteens": it is theirs.
        roles.add_audience(held["who"], phrase.basis)
    between = re.search(
        r"\b(?:between|among|amongst)\s+(?P<who>(?:[\w-]+\s){0,3}?[\w-]+(?:\s+and\s+(?:[\w-]+\s)?[\w-]+)?)(?=$|,|\s(?:in|at|on|with|so|by)\b)",
        rest,
    )
    for side in nouns.split_list(between["who"]) if between else ():
        if nouns.is_actor_phrase(side) and w.is_plural(side.split()[-1].lower()):
            roles.add_audience(side, phrase.basis)
            said = between.group() if between and phrase.base not in MATCHING else said
    if phrase.base in _HANDING_OVER:
        buyer = re.search(
            r"\bto\s+(?P<who>(?:\w+\s){0,2}?\w+)(?=$|\s(?:who|that|by|in|at|for|with|on|every|each)\b)",
            nouns.without_adverbs(rest),
        )
        if buyer and nouns.is_actor_phrase(buyer["who"]) and w.is_plural(buyer["who"].split()[-1].lower()):
            roles.handed_to = nouns.clean(buyer["who"])
    if phrase.base not in MATCHING:
        means = re.search(
            r"\swith\s+(?P<what>(?!each\b|other\b|the\b|their\b|a single\b|one\b).+)$", rest, re.IGNORECASE
        )
        if means and phrase.base not in {
            "integrate",
            "comply",
            "share",
            "work",
            "deal",
            "help",
            "replace",
            "compare",
            "meet",
            "trade",
        }:
            before = len(roles.mechanisms)
            read_means(means["what"], roles)
            if len(roles.mechanisms) == before:
                roles.things.append(nouns.clean(means["what"]))
    for match in re.finditer(
        r"\bfor\s+(?P<what>[\w\s,’'-]+?)(?=\s(?:with|by|using|from|in|that|who|so|before|at|when)\b|[,.;]|$)", rest
    ):
        what = nouns.clean(match["what"])
        head = nouns.head_of(what)
        if nouns.is_actor_phrase(what) or (
            nouns.is_actor_phrase(what, lenient=True) and w.is_plural(what.split()[-1].lower())
        ):
            roles.add_audience(what, match.group())
            said = match.group() if phrase.base not in MATCHING else said
        elif VERB_FOR_NOUN.get(head) == "book":
            roles.extras.append((f"Book {what}", match.group()))
    for match in re.finditer(r"\b(vetted|verified|certified|screened|rated|insured|trained)\s+(\w+(?:\s\w+)?)", rest):
        base = w.base_of_participle(match.group(1).lower())
        who = match.group(2).split()
        who = who if len(who) > 1 and nouns.is_actor(who[-1].lower()) else who[:1]
        if base and nouns.is_actor(who[-1].lower()):
            roles.extras.append((f"{base.capitalize()} {' '.join(who)}", match.group()))
    return said


_TELLING = frozenset("explain send present show bring provide give resell read teach recommend suggest mail".split())
_HANDING_OVER = frozenset("sell deliver rent supply lend offer donate resell lease ship".split())


def read_means(text: str, roles: Roles) -> None:
    for member in nouns.split_list(text):
        made = nouns.to_verb_phrase(member)
        if made:
            roles.mechanisms.append(VerbPhrase(*made, clause="with", basis=member, outer=" ".join(made)))
        elif len(member.split()) <= 5 and member.lower() not in {"ai", "machine learning", "technology", "software"}:
            roles.things.append(member)
