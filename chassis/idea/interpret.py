"""Gives each sentence of an idea its role: what the product is, what hurts, what else it does."""

from __future__ import annotations

import re

from chassis.idea import grammar, leadin, nouns, pains, subjects
from chassis.idea import phrases as phrases_of
from chassis.idea import sentences as sentences_of
from chassis.idea import words as w
from chassis.idea.beneficiaries import read_beneficiaries
from chassis.idea.clauses import is_shorthand, read_main, read_phrases, read_without
from chassis.idea.conclusions import finish
from chassis.idea.labelled import read_labelled, split_labels
from chassis.idea.lexicon import FORM_HEADS
from chassis.idea.roles import Roles
from chassis.idea.verbs import MATCHING


def read_roles(text: str) -> Roles:
    """Reads the roles from a normalised English text."""
    roles = Roles()
    lead, labels = split_labels(text)
    if "problem" in labels or "audience" in labels:
        roles.labelled = True
        read_labelled(lead, labels, roles)
        return roles
    # "Hotels cannot answer the phone at night, so a voice agent takes bookings": what hurts, and what is done.
    sentences, causes = sentences_of.split(lead)
    main_at = _main(sentences, causes)
    stripped, roles.name = leadin.strip_lead_in(sentences[main_at])
    eased = _POSSIBLE.match(re.sub(r"^(?:we|it|i)\s+(?=make)", "", stripped, flags=re.IGNORECASE).rstrip(" .!?"))
    if eased:
        # "We make it easy for dentists to fill appointments": it helps them do so.
        stripped = f"Help {eased['who']} {eased['what']}"
    purpose = _PURPOSE.match(stripped)
    if purpose:
        stripped = purpose["main"]
    if not _read_people(stripped, roles):
        read_main(stripped, roles)
    if is_shorthand(stripped):
        # "Airbnb for storage: people with empty garages rent them to neighbours": what is done stands behind the colon.
        _read_people(stripped.partition(": ")[2], roles)
    if purpose:
        roles.main = sentences[main_at].rstrip(" .!?")
        _read_purpose(purpose["aim"], roles)
    for position, sentence in enumerate(sentences):
        if position != main_at and position not in causes:
            _read_other(sentence, roles)
    if labels.get("solution"):
        read_main(labels["solution"], roles)
    pained = [s for i, s in enumerate(sentences) if i != main_at and (i in causes or pains.score(s) > 1.0)]
    if pained and (not roles.problem or roles.problem_inferred):
        phrase, basis = pains.best_problem(pained)
        if phrase:
            roles.set_problem(phrase, basis)
    alone = not pained and not roles.problem and not sentences_of.is_ours(sentences[main_at])
    hurts = pains.score(sentences[main_at]) > 1.0 or bool(_LACKING.search(sentences[main_at][:60]))
    if alone and hurts and not grammar.split_sentence(sentences[main_at]).subject:
        # Nothing but a complaint: what it tells is no work of the product.
        roles.mechanisms, roles.outcomes, roles.solution = [], [], ""
        pained = [sentences[main_at]]
        roles.set_problem(pains.as_noun_phrase(pained[0]), pained[0])
    roles.pain_sentences = pained
    _read_subject(sentences, causes, roles)
    for sentence in sentences if not is_shorthand(stripped) else ():
        read_beneficiaries(sentence, roles)
    _read_both_sides(sentences, causes, roles)
    _read_sufferers([s for i, s in enumerate(sentences) if i in causes] or pained, roles)
    finish(roles)
    return roles


def _read_people(sentence: str, roles: Roles) -> bool:
    """ "Repair cafes track which part fixed which toaster": people first, and what they do with the product."""
    subject = subjects.find(sentence)
    lacking = _LACKING.search(sentence[:60])
    if subject is None or lacking or pains.score(sentence) > 1.0 or not sentence.startswith(subject.source):
        return False
    phrases = phrases_of.parse_verbs(subject.verb_on, subject.source, "relative")
    if not phrases:
        return False
    roles.main = sentence.rstrip(" .!?")
    for who in _groups(subject.who):
        roles.add_audience(who, sentence)
    needs = phrases[0].base in {"need", "want", "have"} and phrases[0].rest.startswith("to ")
    if needs:
        # "families need to borrow a child seat": what they do is the job.
        job = phrases_of.parse_verbs(subject.verb_on[2:], subject.source, "relative", form="base")
        phrases = job or phrases
    read_phrases(phrases, "relative", roles)
    manner = re.search(r"\swithout\s(?P<what>[^,;.]+)", sentence)
    if manner:
        read_without(w.tokenize(manner["what"]), manner["what"], roles)
    if needs:
        roles.set_problem(phrases[0].gerund_form, sentence, inferred=True)
    return True


# "Small hotels don't have time to answer": a subject that cannot or has not.
_LACKING = re.compile(
    r"^[\w\s’'-]{3,40}\s(?:(?:do|can|could)(?:n['’]t| not)|cannot|never|have no|struggle)\s", re.IGNORECASE
)


def _groups(who: str) -> list[str]:
    """ "schools and universities": two, where each names people."""
    members = nouns.split_list(who)
    return members if all(nouns.is_actor_phrase(member, lenient=True) for member in members) else [who]


def _read_subject(sentences: list[str], causes: frozenset[int], roles: Roles) -> None:
    """Nobody is named as a user: then it is for whom the sentences are about."""
    if roles.audiences:
        return
    for position, sentence in enumerate(sentences):
        subject = subjects.find(sentence)
        if subject is None:
            continue
        for who in _groups(subject.who):
            roles.add_audience(who, sentence)
        if not roles.mechanisms and position not in causes and pains.score(sentence) <= 1.0:
            read_phrases(phrases_of.parse_verbs(subject.verb_on, subject.source, "relative"), "relative", roles)
        return


# "To make it possible for blind people to shop on their own, the phone reads the shelf."
_PURPOSE = re.compile(r"^(?:in order\s+)?to\s+(?P<aim>[^,]{6,120}),\s+(?P<main>\S.{8,})$", re.IGNORECASE)
_POSSIBLE = re.compile(
    r"^mak(?:e|ing)\s+it\s+(?:possible|easy|easier|simple|simpler|cheap|cheaper|quick|safe|safer)\s+for\s+(?P<who>.+?)\s+to\s+"
    r"(?P<what>.+)$", re.IGNORECASE,
)  # fmt: skip


def _read_purpose(aim: str, roles: Roles) -> None:
    """What the sentence says it is for, before it says what is done."""
    possible = _POSSIBLE.match(aim)
    tokens = w.tokenize(f"help {possible['who']} {possible['what']}" if possible else aim)
    source = f"help {possible['who']} {possible['what']}" if possible else aim
    phrases = phrases_of.parse_verbs(tokens, source, "so", form="base")
    read_phrases(phrases, "so", roles)
    if phrases and not roles.problem:
        roles.set_problem(phrases[0].gerund_form, aim, inferred=True)


def _read_both_sides(sentences: list[str], causes: frozenset[int], roles: Roles) -> None:
    """ "Brewers throw away grain while bakers pay for flour. We bring the two together": a side each."""
    if not any(m.base in MATCHING for m in roles.mechanisms):
        return
    for position in sorted(causes):
        found = [subjects.find(part) for part in re.split(r",?\s(?:while|whereas|and|but)\s", sentences[position])]
        sides = w.unique(subject.who for subject in found if subject is not None)
        if len(sides) > 1:
            for who in sides:
                roles.add_audience(who, sentences[position])
            roles.sides = max(roles.sides, len(sides))
            return


def _read_sufferers(pained: list[str], roles: Roles) -> None:
    """Who a complaint is about: "Nobody tells volunteers when they are needed", "a nightmare for wine importers"."""
    if roles.audiences or not pained:
        return
    for sentence in pained:
        who = subjects.mentioned(sentence)
        if who:
            roles.add_audience(who, sentence)
            return


def _main(sentences: list[str], causes: frozenset[int]) -> int:
    """The sentence that says what the product is or does."""
    for position, sentence in enumerate(sentences[:5]):
        if position in causes:
            continue
        stripped, name = leadin.strip_lead_in(sentence)
        parsed = grammar.split_sentence(stripped)
        head_words = parsed.head.lower().split()
        if name or (head_words and head_words[-1] in FORM_HEADS and len(head_words) < 12):
            return position
        if stripped != sentence or (parsed.subject and pains.score(sentence) < 1):
            return position
        if head_words and head_words[0] in {"a", "an"} and parsed.clauses:
            return position
    return next(position for position in range(len(sentences)) if position not in causes)


def _read_other(sentence: str, roles: Roles) -> None:
    """A further sentence: "It also sends reminders", "Users can book online"."""
    stripped, _ = leadin.strip_lead_in(sentence)
    if pains.score(sentence) > 1.0:
        return
    parsed = grammar.split_sentence(stripped)
    if not parsed.subject:
        return
    for clause in parsed.clauses:
        if clause.kind in {"relative", "by", "for-gerund"}:
            read_phrases(phrases_of.verb_phrases(clause, stripped), clause.kind, roles)
