"""What the two landing pages say. Variants A and B differ in one thing, the framing of the headline.

The pages promise no more than the idea does and say plainly that nothing can be bought yet. Rendering is elsewhere;
here are only words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from chassis.idea import words
from pipeline.v1 import common_pb2
from services.campaign.domain import copywriting, limits, pieces
from services.campaign.domain.benefits import Point, benefits, frequent_questions, steps
from services.campaign.domain.brief import Brief
from services.campaign.domain.copywriting import PROBLEM, CallToAction
from services.campaign.domain.phrases import Shape

HEADLINE_CHARS_MAX = 110
SENTENCE_CHARS_MAX = 240
CONSENT_REVISION = "1"


@dataclass(frozen=True)
class Variant:
    """One of the two pages: "a" frames the headline by the problem, "b" by the outcome."""

    key: str
    framing: str
    headline: str
    claim_id: str

    @property
    def folder(self) -> str:
        return f"campaign/landing-{self.key}"


@dataclass(frozen=True)
class PageCopy:
    """Everything on the page but the headline; the same for both variants."""

    name: str
    title: str
    eyebrow: str
    subheadline: str
    status: str
    call_to_action: str
    benefits: tuple[Point, ...]
    steps: tuple[Point, ...]
    questions: tuple[Point, ...]
    closing_title: str
    closing: str
    consent: str
    consent_version: str
    adults_only: bool
    language: str = "en"


def write_page(brief: Brief, one_liner: str, cta: CallToAction, controller: str, *, cookie: bool = False) -> PageCopy:
    """The words that both pages share. `controller` is who keeps the addresses; empty: not named yet.

    `cookie`: signing up sets one, so that the consent covers it.
    """
    name = brief.name or words.capitalise(brief.product) or "This idea"
    keeper = controller or f"the people behind {name}"
    consent = f"I agree that {keeper} may keep my e-mail address to write to me about {name}."
    consent += " One cookie may remember that I have signed up." if cookie else ""
    consent += " I can withdraw this at any time."
    label = f"{words.capitalise(brief.product)} for {brief.audience}" if brief.product and brief.audience else ""
    label = label or brief.category_label or "An idea under test"
    return PageCopy(
        name=name,
        title=f"{name}: {words.decapitalise(label)}",
        eyebrow=f"For {brief.audience}" if brief.audience else (brief.category_label or "An idea under test"),
        subheadline=_subheadline(brief, one_liner),
        status="It does not exist yet: this page asks whether it should.",
        call_to_action=cta.button,
        benefits=benefits(brief),
        steps=steps(brief),
        questions=frequent_questions(brief, name, cta),
        closing_title="Would you use it?" if cta is copywriting.WAITING_LIST else "Would you try it first?",
        closing="Leave your e-mail address. You hear from us when it opens, or when we decide not to build it.",
        consent=consent,
        consent_version=f"{CONSENT_REVISION}-{hashlib.sha256(consent.encode()).hexdigest()[:8]}",
        adults_only="children" in brief.regulated,
    )


def write_variants(brief: Brief) -> tuple[Variant, Variant]:
    """A by the problem, B by the outcome; the two headlines always differ."""
    problem = next(_problem_headlines(brief))
    outcome = next(h for h in _outcome_headlines(brief) if h.casefold().strip(".?") != problem.casefold().strip(".?"))
    claim = brief.claim(PROBLEM)
    gain = brief.claim(common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY, PROBLEM)
    return Variant("a", "problem", problem, claim), Variant("b", "outcome", outcome, gain)


def _problem_headlines(brief: Brief) -> Iterator[str]:
    candidates = pieces.pain_questions(brief)
    if brief.pain_shape is Shape.CLAUSE:
        candidates = [*([f"{words.capitalise(brief.pain)}."] if brief.pain else []), *candidates]
    yield from (c for c in candidates if _usable(c))
    if brief.topic:
        yield f"{words.capitalise(pieces.as_written(brief.topic, brief.idea))}: what is missing today?"
    yield "What is missing today?"


def _outcome_headlines(brief: Brief) -> Iterator[str]:
    candidates = [f"{o}." for o in pieces.outcomes(brief)]
    if brief.audience and brief.pain_shape is Shape.NOUN and words.is_plural(brief.pain.rsplit(" ", 1)[-1].lower()):
        candidates.append(f"{words.capitalise(brief.audience)} without {brief.pain}.")
    candidates += [
        # Said to the visitor, as everywhere on the page: "Find partners at your pace."
        f"{words.capitalise(f.to_you)}."
        for f in brief.functions
        if f.verb and not f.addresses(brief.audience)
    ]
    candidates += [f"{line}." for line in pieces.what_it_is(brief)]
    candidates += [f"{f.title}." for f in brief.functions]
    yield from (c for c in candidates if _usable(c))
    if brief.topic:
        yield f"{words.capitalise(pieces.as_written(brief.topic, brief.idea))}, made simpler."
    yield "An easier way."


def _usable(text: str) -> bool:
    return len(text) <= HEADLINE_CHARS_MAX and not limits.unproven_claim(text)


def _subheadline(brief: Brief, one_liner: str) -> str:
    """What it is in one sentence: name, product, audience and functions; else the profile's own line."""
    for line in pieces.what_it_is(brief):
        said = words.decapitalise(line)
        sentence = f"{brief.name} is {said}." if brief.name else f"{words.capitalise(said)}."
        if len(sentence) <= SENTENCE_CHARS_MAX and not limits.unproven_claim(sentence):
            return sentence
    if one_liner and not limits.unproven_claim(one_liner):
        return f"{one_liner.rstrip('. ')}."
    return f"{brief.subject} is about {brief.topic}." if brief.topic else f"{brief.subject} is an idea under test."
