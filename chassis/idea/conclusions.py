"""What follows from what was read: the problem behind a job, the goal, remedies; marked as inferred."""

from __future__ import annotations

import re
from dataclasses import replace

from chassis.idea import experience, nouns, pains, remedies, subjects
from chassis.idea import words as w
from chassis.idea.grammar import VerbPhrase
from chassis.idea.lexicon import HARM_VERBS, PAINS
from chassis.idea.roles import AUDIENCES_MAX, MECHANISMS_MAX, Roles
from chassis.idea.verbs import FINDING, INFORMING, MATCHING, REDUCING

# What people do already, with effort: the job itself is then the (inferred) problem. What only a machine does is none.
JOBS = frozenset(
    """find choose plan manage track organise organize schedule validate prepare book learn compare split share pick
    discover hire rent sell buy cook write design study practice practise train budget invoice file apply store
    coordinate collect handle review verify translate transcribe repair arrange navigate understand grow build
    save fill monitor keep create edit clean record meet order memorise memorize reach""".split()
)


def finish(roles: Roles) -> None:
    """Fills what follows from the rest, marked as inferred, and bounds the lists."""
    sufferer = remedies.sufferer(roles.pain_sentences) or _who_complains(roles)
    if sufferer and not (roles.labelled and roles.audiences):
        # Who complains has the need, whoever else the product talks to.
        known = list(roles.audiences)
        roles.add_audience(sufferer, roles.pain_sentences[0])
        roles.audiences = w.unique([*roles.audiences[len(known) :], *known])
    if roles.handed_to:
        roles.add_audience(roles.handed_to)
        roles.sides = max(roles.sides, len(roles.audiences))
    if not roles.mechanisms and not roles.labelled:
        roles.mechanisms = list(roles.outcomes)
    _say_what(roles)
    _say_how(roles)
    if not roles.solution and roles.mechanisms:
        roles.solution = w.join([m.base_form for m in roles.mechanisms[:3]])
        roles.basis.setdefault("solution", roles.mechanisms[0].basis)
    if not roles.problem:
        for phrase in roles.mechanisms:
            obj = re.split(r"\s(?:before|with|from|so|in|for|and|between)\s", f"{phrase.rest} ")[0]
            bad = {w.singular(t.lower) for t in w.tokenize(obj)} & PAINS
            if bad and (
                phrase.base in FINDING
                or phrase.base in REDUCING | {"monitor", "predict", "track", "manage", "handle", "chase", "resolve"}
            ):
                roles.set_problem(nouns.clean(obj), phrase.basis)
                break
    if not roles.problem:
        for phrase in roles.mechanisms:
            where = re.search(r"\b(where|when|how|what|which|whether)\s+(?:to\s+)?.+$", phrase.rest)
            if where and (where.group(1) != "when" or phrase.base in INFORMING | FINDING | _KNOWING):
                roles.set_problem(f"not knowing {where.group()}", phrase.basis, inferred=True)
                break
            if where:
                # "a timetable that repairs itself when a teacher calls in sick": that is what happens.
                roles.set_problem(pains.as_noun_phrase(where.group()[5:]), phrase.basis, inferred=True)
                break
    if not roles.problem:
        flipped = (m for m in roles.mechanisms if m.base in experience.FLIPPED)
        job = next(flipped, None) or next(
            (m for m in roles.mechanisms if m.base in JOBS and 0 < len(m.rest.split()) < 9 and not m.adverb), None
        )
        # "help freelancers set money aside": what they are helped with is their job.
        job = job or next((m for m in roles.mechanisms if m.audience and m.base not in INFORMING and m.rest), None)
        taught = next(
            (m for m in roles.mechanisms if m.base in {"teach", "train", "educate"} and " to " in m.rest), None
        )
        if taught:
            roles.set_problem(f"learning to {taught.rest.partition(' to ')[2]}", taught.basis, inferred=True)
        elif job:
            wanted = experience.goal_of(job, roles.audiences) if job.base in experience.FLIPPED else ""
            found = (
                f"finding {nouns.clean(wanted.partition(' ')[2])}"
                if wanted and wanted != job.base_form
                else job.gerund_form
            )
            roles.set_problem(found, job.basis, inferred=True)
    if not roles.problem:
        made = next((m for m in roles.mechanisms if m.base in {"make", "keep"} and _EASED.match(m.rest)), None)
        eased = _EASED.match(made.rest) if made else None
        if made and eased:
            roles.set_problem(nouns.clean(eased["what"]), made.basis, inferred=True)
    if not roles.problem:
        _from_condition(roles)
    # "dogs ... warns owners": the owners are the dog owners.
    named = w.unique(roles.audiences)
    roles.audiences = [a for a in named if not any(other.endswith(f" {a}") for other in named)][:AUDIENCES_MAX]
    seen: list[VerbPhrase] = []
    for phrase in roles.mechanisms:
        if phrase.rest and all(phrase.base_form.lower() != other.base_form.lower() for other in seen):
            seen.append(phrase)
    roles.mechanisms = seen[:MECHANISMS_MAX]
    roles.goal = _goal(roles)
    if not roles.mechanisms and roles.pain_sentences:
        asked = remedies.remedies([roles.pain, *roles.pain_sentences] if roles.pain else roles.pain_sentences)
        if asked and not roles.solution:
            roles.solution, roles.solution_inferred = w.join([phrase for phrase, _ in asked[:2]]), True
            roles.basis["solution"] = asked[0][1]
        if asked and not roles.goal:
            roles.goal = asked[0][0]


_FALLS = re.compile(
    r"\b(?:when|if|in case)\s+(?P<what>(?:they|he|she|it|(?:the|a|an|their)\s\w+)\s+\w+)\b", re.IGNORECASE
)
_KNOWING = frozenset("know see learn predict decide forecast show track".split())
_EASED = re.compile(
    r"^(?P<what>.{3,50}?)\s(?:painless|easy|easier|simple|simpler|cheap|cheaper|quick|quicker|fast|faster|safe|safer|fair|fairer|fun)\b"
)
_CONDITIONS = PAINS | {"allergy", "asthma", "diabetes", "fever", "dementia", "autism", "adhd", "migraine", "insomnia"}


def _from_condition(roles: Roles) -> None:
    """What they live with, or what the product waits for: "people with hay fever", "calls help when they fall"."""
    for audience in roles.audiences:
        has = re.search(r"\swith\s(?P<what>(?:[\w-]+\s)?(?P<head>[\w-]+))$", audience)
        if has and w.singular(has["head"].lower()) in _CONDITIONS:
            roles.set_problem(has["what"], audience, inferred=True)
            return
    waited = _FALLS.search(roles.main)
    if waited:
        who, _, verb = waited["what"].rpartition(" ")
        base = w.base_of_third(verb.lower()) or verb.lower()
        if base in HARM_VERBS | {"fall", "die", "leak", "stop", "cry", "drown", "bleed", "faint", "quit", "leave"}:
            subject = "" if who.lower() in w.PRONOUNS else f"{who} "
            roles.set_problem(f"{subject}{w.gerund(base)}", waited.group(), inferred=True)


# What one wants instead of the pain.
_OPPOSITES = {"lose": "find", "forget": "remember", "waste": "save", "overpay": "compare", "miss": "keep track of"}


def _say_how(roles: Roles) -> None:
    """ "An app for helping people who lose their keys": helping says nothing, the loss says what is to be done."""
    named = {audience.lower() for audience in roles.audiences}
    hollow = [m for m in roles.mechanisms if m.base in {"help", "support", "assist"} and m.rest.lower() in named]
    verb, _, lost = roles.problem.partition(" ")
    wanted = _OPPOSITES.get(w.base_of_gerund(verb.lower()), "")
    if not hollow or len(hollow) < len(roles.mechanisms) or not wanted or not lost:
        return
    basis = roles.basis.get("problem", roles.problem)
    roles.mechanisms = [VerbPhrase(wanted, nouns.clean(lost), clause="who", basis=basis, outer=f"{wanted} {lost}")]
    roles.solution, roles.solution_inferred = f"{wanted} {lost}", True
    roles.basis["solution"] = basis


def _say_what(roles: Roles) -> None:
    """ "Paperwork is killing breweries. We automate it": it is the paperwork, where the problem begins with a thing."""
    topic = _TOPIC.match(roles.problem)
    thing = nouns.clean(topic["what"]) if topic else ""
    if not thing or nouns.is_actor_phrase(thing, lenient=True):
        return
    said = re.compile(r"^(?:it|this|that)\b(?=\s(?:in|for|with|to|by|from|into)\b|$)")
    for phrases in (roles.mechanisms, roles.outcomes):
        phrases[:] = [
            replace(m, rest=rest, outer=m.outer.replace(f"{m.base} {m.rest}", f"{m.base} {rest}"))
            for m in phrases
            for rest in (said.sub(thing, m.rest),)
        ]


_TOPIC = re.compile(r"^(?P<what>(?!not\s|being\s)[\w\s-]{3,60}?)\s(?:being|having|taking|costing|killing|\w{3,}ing)\b")


def _who_complains(roles: Roles) -> str:
    """ "Hotels throw away too much food": the people or organisations that the first complaint is about."""
    subject = subjects.find(roles.pain_sentences[0]) if roles.pain_sentences else None
    return subject.who if subject is not None else ""


_GOAL_CHARS_MAX = 80


def _goal(roles: Roles) -> str:
    """The outcome, else what is found or known in the end, else the first thing that the product does."""
    for phrase in roles.mechanisms:
        if phrase.base in experience.FLIPPED:
            wanted = experience.goal_of(phrase, roles.audiences)
            if wanted != phrase.base_form and wanted:
                return wanted
    for phrase in roles.outcomes:
        if phrase.base in experience.KEEPING and (avoided := experience.goal_of(phrase, roles.audiences)).startswith(
            "avoid"
        ):
            return avoided
        text = re.split(r"\s(?:with|by|using)\s", phrase.base_form)[0]
        if (
            phrase.base not in MATCHING
            and phrase.adverb not in {"never", "not"}
            and len(text) <= _GOAL_CHARS_MAX
            and phrase.clause != "participle"
        ):
            return text
    if roles.problem_inferred and roles.problem.startswith("finding "):
        return "find " + roles.problem.removeprefix("finding ")
    if roles.problem.startswith("learning to ") and roles.problem_inferred:
        return "learn to " + roles.problem.removeprefix("learning to ")
    if roles.problem.startswith("not knowing "):
        return "know " + roles.problem.removeprefix("not knowing ")
    for phrase in roles.mechanisms:
        if phrase.rest.partition(" ")[0].lower() in {"it", "this", "that", "one", "both"}:
            continue
        text = experience.goal_of(phrase, roles.audiences)
        if text and len(text) <= _GOAL_CHARS_MAX:
            return text
    return ""
