"""Ideas that come as a form: "A B2B solution targeting X. to solve: Y", "Problem: ... Solution: ..."."""

from __future__ import annotations

import re

from chassis.idea import nouns, pains
from chassis.idea import words as w
from chassis.idea.clauses import read_main
from chassis.idea.conclusions import finish
from chassis.idea.roles import Roles

_LABELS = {
    "audience": r"target(?:ing)?(?: audience| market| users?| customers?)?|audience|customers?|users?|who",
    "problem": r"to solve|problem|pain(?: point)?s?|challenge|need",
    "solution": r"solution|product|how it works|approach|what it does|features?",
    "model": r"business model|pricing|revenue(?: model)?|monetization",
}


def split_labels(text: str) -> tuple[str, dict[str, str]]:
    """(text before the first label, label -> text) for "..., problem: ..., solution: ..."; labels need a colon."""
    pattern = "|".join(f"(?P<{name}>{words})" for name, words in _LABELS.items())
    found = list(re.finditer(rf"(?:^|(?<=[.;,|!?\n–—-])\s*|\s)(?:{pattern})\s*:\s+", text, re.IGNORECASE))
    found = [
        m for m in found if m.start() == 0 or text[: m.start() + 1].rstrip()[-1:] in ".;,|!?–—-)" or m.group("problem")
    ]
    if not found:
        return text, {}
    labels: dict[str, str] = {}
    for position, match in enumerate(found):
        end = found[position + 1].start() if position + 1 < len(found) else len(text)
        name = match.lastgroup or ""
        labels[name] = (labels.get(name, "") + " " + text[match.end() : end]).strip(" .;,|")
    return text[: found[0].start()].strip(" .;,|-–—"), labels


_RELATIVE_TAIL = re.compile(
    r"\s(?:that|who|which|from companies|developing|deploying|specializing|with huge)\s(?!.*,\sand\s).*$"
)


_ATTRIBUTE = re.compile(
    r"\s(?:that|who|which|with huge|seeking|deploying|developing|facing|specializing|needing|looking|wanting|"
    r"purchasing)\s"
)


def read_labelled(lead: str, labels: dict[str, str], roles: Roles) -> None:
    """ "A B2B solution targeting X. to solve: Y", "Problem: ... Solution: ..."."""
    lead_plain = w.without_parentheses(lead)
    match = re.search(
        r"\s(?:targeting|aimed at|designed for|for)\s+(?P<who>.+)$", lead_plain, re.IGNORECASE | re.DOTALL
    )
    who = labels.get("audience") or (match["who"] if match else "")
    roles.head = lead_plain[: match.start()].strip(" .,") if match else lead_plain.strip(" .,")
    roles.main = lead_plain
    if who:
        first, _, _ = w.without_parentheses(who).partition(". ")
        first = _RELATIVE_TAIL.sub("", first)
        for member in _members(first)[:8]:
            cut = _ATTRIBUTE.split(member)[0]
            kind = nouns.clean(re.sub(r"^(?:and|or|e\.g\.?)\s+", "", cut))
            if kind and (len(kind.split()) > 1 or nouns.is_actor_phrase(kind, lenient=True) or kind[0].isupper()):
                roles.add_audience(f"teams in {w.decapitalise(kind)}" if _is_field(kind) else kind, first)
    for label in ("solution",):
        if labels.get(label):
            read_main(labels[label], roles)
    if labels.get("problem"):
        sentences = w.sentences(labels["problem"])
        roles.pain_sentences = sentences
        phrase, basis = pains.best_problem(sentences)
        roles.set_problem(phrase, basis)
        roles.pain = basis
    elif lead and not roles.mechanisms:
        read_main(lead, roles)
    finish(roles)


def _is_field(kind: str) -> bool:
    """Whether an audience is a line of business ("drone logistics") and not those who work in it."""
    head = nouns.head_of(kind)
    return head in _FIELDS and not nouns.is_actor(head)


_FIELDS = frozenset(
    "defense defence logistics agriculture aviation research aerospace manufacturing finance healthcare energy "
    "telecommunications telecom robotics insurance banking construction mining retail education cybersecurity biotech "
    "farming transportation space automotive".split()
)


def _members(text: str) -> list[str]:
    """The groups of a list; "pharmaceutical and biotech laboratories" stays one, its first half is no group."""
    members: list[str] = []
    for member in nouns.split_list(text):
        whole = re.search(re.escape(members[-1]) + r"\s(?:and|or)\s" + re.escape(member), text) if members else None
        if (
            whole
            and not nouns.is_actor_phrase(members[-1], lenient=True)
            and nouns.is_actor_phrase(member, lenient=True)
        ):
            members[-1] = whole.group()
        else:
            members.append(member)
    return members
