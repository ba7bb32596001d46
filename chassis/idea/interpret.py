"""Gives each sentence of an idea its role: what the product is, what hurts, what else it does."""

from __future__ import annotations

from chassis.idea import grammar, leadin, pains
from chassis.idea import phrases as phrases_of
from chassis.idea import words as w
from chassis.idea.clauses import read_main, read_phrases
from chassis.idea.conclusions import finish
from chassis.idea.labelled import read_labelled, split_labels
from chassis.idea.lexicon import FORM_HEADS
from chassis.idea.roles import Roles


def read_roles(text: str) -> Roles:
    """Reads the roles from a normalised English text."""
    roles = Roles()
    lead, labels = split_labels(text)
    if "problem" in labels or "audience" in labels:
        roles.labelled = True
        read_labelled(lead, labels, roles)
        return roles
    parts = w.sentences(lead) or [lead]
    sentences = [w.without_parentheses(part).strip() for part in parts]
    sentences = [s for s in sentences if s] or [lead]
    main_at = _main(sentences)
    stripped, roles.name = leadin.strip_lead_in(sentences[main_at])
    read_main(stripped, roles)
    for position, sentence in enumerate(sentences):
        if position != main_at:
            _read_other(sentence, roles)
    if labels.get("solution"):
        read_main(labels["solution"], roles)
    pained = [s for i, s in enumerate(sentences) if i != main_at and pains.score(s) > 1.0]
    if pained and (not roles.problem or roles.problem_inferred):
        phrase, basis = pains.best_problem(pained)
        if phrase:
            roles.set_problem(phrase, basis)
    roles.pain_sentences = pained
    finish(roles)
    return roles


def _main(sentences: list[str]) -> int:
    """The sentence that says what the product is or does."""
    for position, sentence in enumerate(sentences[:5]):
        stripped, name = leadin.strip_lead_in(sentence)
        parsed = grammar.split_sentence(stripped)
        head_words = parsed.head.lower().split()
        if name or (head_words and head_words[-1] in FORM_HEADS and len(head_words) < 12):
            return position
        if stripped != sentence or (parsed.subject and pains.score(sentence) < 1):
            return position
        if head_words and head_words[0] in {"a", "an"} and parsed.clauses:
            return position
    return 0


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
