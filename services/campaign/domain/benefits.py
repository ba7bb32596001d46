"""Benefits, steps and questions of the landing page: what the functions mean for the reader, without promising results.

A benefit's text follows from what kind of doing its verb is ("track", "match", "detect"): a sentence about the
kind of relief that this doing is meant to bring, not about a result that nobody has measured.
"""

from __future__ import annotations

from typing import NamedTuple

from chassis.idea import words
from pipeline.v1 import common_pb2
from services.campaign.domain import limits
from services.campaign.domain.brief import Brief
from services.campaign.domain.copywriting import CallToAction
from services.campaign.domain.phrases import Function
from services.campaign.domain.pieces import does

BENEFITS = 3
HEADING_CHARS_MAX = 90


class Point(NamedTuple):
    """A heading with a text below it."""

    title: str
    text: str


# Verbs by kind of doing -> the relief it is meant to bring.
_KINDS: tuple[tuple[str, str], ...] = (
    (
        "track monitor watch log record measure count follow observe document store",
        "One place that stays up to date, so that nobody has to keep it in their head.",
    ),
    (
        "suggest recommend propose personalise personalize curate tailor adapt",
        "A few that fit the situation at hand, rather than a long list to search through.",
    ),
    (
        "find discover locate search",
        "One place to look, rather than a search that starts anew each time.",
    ),
    (
        "detect flag spot identify catch scan check screen inspect recognise recognize diagnose",
        "What looks wrong stands out early, while there is still time to act.",
    ),
    (
        "match connect pair link introduce bring",
        "Less searching and comparing: both sides see why they fit before they decide.",
    ),
    (
        "remind alert notify warn send message nudge call text email invite",
        "The right word at the right time, without anyone having to think of it.",
    ),
    (
        "tell show inform guide advise explain answer coach map visualise visualize display present",
        "A clear answer to act on, instead of guesswork.",
    ),
    (
        "schedule book plan organise organize coordinate arrange reserve route allocate assign dispatch",
        "One plan that everyone can see, with fewer calls and messages back and forth.",
    ),
    ("fill restock reorder refill rebook", "What falls free is offered on at once, instead of being lost."),
    ("replace upgrade migrate switch renew", "The old way goes step by step, and what depends on it is known first."),
    (
        "predict forecast estimate calculate simulate model compute project",
        "Something to plan with, together with how sure it is.",
    ),
    (
        "generate write create draft design compose build make produce prepare summarise "
        "summarize synthesise synthesize",
        "A first version to react to, in place of an empty page.",
    ),
    (
        "compare rank rate review evaluate assess validate test verify prove audit analyse analyze score benchmark "
        "grade vet certify",
        "A judgement with its reasons, so that it can be checked and challenged.",
    ),
    (
        "share rent lend swap exchange donate redistribute pool reuse recycle",
        "What stands idle with one person is of use to another, and both know what was agreed.",
    ),
    ("sell buy trade order pay invoice charge bill collect settle finance fund", "Clear terms before, a record after."),
    (
        "reduce cut lower minimise minimize shrink decrease slash save shorten improve increase boost raise grow "
        "optimise optimize maximise maximize accelerate speed",
        "The aim by which everything else here is measured.",
    ),
    (
        "prevent avoid stop eliminate block filter protect secure encrypt isolate redact pause suspend terminate "
        "shield defend guard intercept resolve fix solve repair mitigate contain authenticate authorise authorize",
        "It steps in before harm is done, and leaves a record of what it did.",
    ),
    (
        "translate convert transform turn import export sync synchronise synchronize integrate transcribe digitise "
        "digitize parse extract",
        "Two sides understand each other, without copying by hand in between.",
    ),
    (
        "automate handle process manage run operate streamline simplify control orchestrate administer",
        "Routine runs by itself, and people look at the exceptions.",
    ),
    ("compress cache deduplicate purge prune reuse batch", "Less is sent, kept and paid for twice."),
    ("deliver ship transport pick drop carry bring fetch", "It comes to where it is needed."),
    (
        "learn teach practise practice train educate tutor mentor",
        "Small steps that build on each other, at the learner's own pace.",
    ),
    ("host serve provide offer give let allow enable help support", "Within reach when it is needed, with no detour."),
)
_RELIEF = {verb: text for verbs, text in _KINDS for verb in verbs.split()}
# For functions whose kind is unknown, and where a text would stand twice; in order.
_PLAIN = (
    "Part of the first version, if enough people want that version.",
    "Planned from the start; those who use it first say what it lacks.",
    "On the list because it belongs to the idea; whether it stays depends on those who use it.",
)

_FIRST_STEPS: dict[int, Point] = {
    common_pb2.PRODUCT_FORM_MOBILE_APP: Point("You put it on your phone", "A few taps, and the rest as you go."),
    common_pb2.PRODUCT_FORM_WEB_APP: Point("You open it in the browser", "You start with what you already have."),
    common_pb2.PRODUCT_FORM_MARKETPLACE: Point(
        "You say what you are looking for", "A few questions, so that what you are shown fits."
    ),
    common_pb2.PRODUCT_FORM_API: Point(
        "You call it from your own code", "One request in, one answer out, and errors that say what to do."
    ),
    common_pb2.PRODUCT_FORM_SERVICE: Point("You agree on a first date", "What is to be done, when, and what it costs."),
    common_pb2.PRODUCT_FORM_HARDWARE: Point("You put it in place", "It says so when it works, and when it does not."),
    common_pb2.PRODUCT_FORM_EXTENSION: Point(
        "You add it to your browser", "It stays out of the way until you need it."
    ),
}
_ANY_FIRST_STEP = Point("You tell it what you need", "A short start with what you have at hand.")


def benefits(brief: Brief) -> tuple[Point, ...]:
    """Three benefits: from the functions, then from the audience and from the test itself."""
    points: list[Point] = []
    used: set[str] = set()
    plain = iter(_PLAIN)
    for function in brief.functions:
        title = _heading(function)
        if len(points) == BENEFITS or not title:
            continue
        text = _RELIEF.get(function.verb, "")
        if not text or text in used:
            text = next(plain, "")
        used.add(text)
        points.append(Point(title, text))
    if len(points) < BENEFITS and brief.audience:
        points.append(
            Point(f"Made for {brief.audience}", "One group from the start, rather than anybody who comes along.")
        )
    spare = (
        Point("Asked before it is built", "Your answer decides whether this goes on, and what comes first."),
        Point("Open about what it is not", "No invented users, no invented results: an idea and a question."),
        Point("Yours to leave", "One click ends it, and your address is deleted."),
    )
    return tuple((*points, *spare)[:BENEFITS])


def _heading(function: Function) -> str:
    for form in function.shorter():
        if len(form.title) <= HEADING_CHARS_MAX and not limits.unproven_claim(form.title):
            return form.title
    return ""


def steps(brief: Brief) -> tuple[Point, ...]:
    """How it would work in three steps: the start, the product's part, the reader's gain."""
    doing = next((line for line in does(brief, 2, "you") if len(line) <= HEADING_CHARS_MAX), "")
    middle = Point(f"It {doing}" if doing else "It does its part", "You see what it did and why, and can correct it.")
    gain = Point("You decide what happens next", "Nothing is done in your name without your word.")
    fresh = not _content(brief.outcome) <= _content(doing)
    if brief.outcome and fresh and not limits.unproven_claim(brief.outcome):
        gain = Point(f"You {brief.outcome}", "That is the aim. You judge whether it is reached.")
    return (_FIRST_STEPS.get(brief.form, _ANY_FIRST_STEP), middle, gain)


def _content(text: str) -> set[str]:
    return {words.lemma(t.lower) for t in words.tokenize(text) if t.is_word and t.lower not in words.STOPWORDS}


def frequent_questions(brief: Brief, name: str, cta: CallToAction) -> tuple[Point, ...]:
    """Honest answers: not available, no price, what happens with the address, and the law where it matters."""
    questions = [
        Point(
            "Is this available yet?",
            f"Not yet. {name} is an idea, and this page measures how many people want it. If enough do, we build it. "
            "If not, we write to say so and delete the list.",
        ),
        Point(
            "What will it cost?",
            f"There is no price yet. {'Applying' if cta.noun == 'application' else 'Signing up'} costs nothing and "
            "binds you to nothing.",
        ),
    ]
    if brief.audience:
        others = f" We also think of {words.join(brief.others, 'or')}." if brief.others else ""
        questions.append(
            Point(
                "Who is it for?",
                f"{words.capitalise(brief.audience)} first.{others} If that is not you, but you would use it all "
                "the same, sign up: we want to know.",
            )
        )
    questions.append(
        Point(
            "What happens with my e-mail address?",
            f"We keep it to write to you about {name}, and for nothing else. It is not sold or passed on, and you can "
            "have it deleted at any time.",
        )
    )
    fields = [f for f in brief.regulated if f]
    if fields:
        questions.append(
            Point(
                "What about the rules in this field?",
                f"The idea touches {words.join([_field(f) for f in fields])}. What the law asks there comes before the "
                "first user, not after.",
            )
        )
    if "children" in brief.regulated:
        questions.append(Point("May minors sign up?", "No. Please ask a parent or another adult to sign up for you."))
    return tuple(questions)


_FIELD_NAMES = {
    "children": "children",
    "safety": "safety",
    "employment": "work and employment",
    "legal": "legal advice",
}


def _field(field: str) -> str:
    return _FIELD_NAMES.get(field, words.decapitalise(field))
