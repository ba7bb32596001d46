"""Ad assets: candidates in several lengths from the brief's phrases; whatever does not fit is dropped, nothing is cut.

A `Family` is one thing to say in several wordings, best first. Selection takes the first wording of each family that
fits the slot, then further ones until the platform's maximum, and skips what is nearly said already. Short lines made
of the idea's own words come last, so that every slot gets its minimum.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from chassis.idea import words
from pipeline.v1 import common_pb2
from pipeline.v1.campaign_pb2 import AdAsset
from services.campaign.domain import limits
from services.campaign.domain.brief import Brief
from services.campaign.domain.limits import Slot
from services.campaign.domain.pieces import (
    as_written,
    audience_forms,
    by_name,
    function_titles,
    keyword_titles,
    label,
    outcomes,
    pain_questions,
    product_forms,
    repeats,
    what_it_is,
    with_article,
    without_repeating,
)

PROBLEM = common_pb2.CLAIM_KIND_PROBLEM
AUDIENCE = common_pb2.CLAIM_KIND_AUDIENCE
FEASIBILITY = common_pb2.CLAIM_KIND_FEASIBILITY
WILLINGNESS = common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY


# Share of common words (Jaccard, on lemmas) from which two lines count as the same. So does a line all of whose words
# (two at least) stand in another of its mood: "Formal rules" beside "Applies formal rules"; a question beside a
# statement is another thought.
SIMILAR = 0.7
CONTAINED_WORDS_MIN = 2


@dataclass(frozen=True)
class Family:
    """One thing to say: wordings, best first; the claim it rests on; how many of them a slot may take."""

    wordings: tuple[str, ...]
    claim_id: str
    most: int = 1


@dataclass(frozen=True)
class CallToAction:
    """What the reader is asked to do, by the kind of campaign."""

    button: str  # "Join the waiting list"
    short: str  # as an imperative in running text: "join the waiting list"
    noun: str  # "sign-up"
    lines: tuple[str, ...] = field(default=())
    state: str = "is not out yet"  # what the product is, after its name
    follow: str = "hear first if we build it"  # what comes of doing it, after "and"
    invite: str = "say if you would use it"
    closings: tuple[str, str] = ("It is not out yet: tell us if you would use it.", "Not out yet. Would you use it?")
    out: bool = False  # there is a product to use
    offer: str = "An idea for"  # before the audience: what is offered to them
    stage: str = "is an idea, not a product yet"  # after its name, where "is not out" has been said
    hear: str = "It is not built yet, and we want to hear from {people} first."
    plain: tuple[str, ...] = ("Read how it would work", "Have your say")  # of no idea's words
    last_resort: str = "An idea under test: read how it would work, ask questions, have your say."


WAITING_LIST = CallToAction(
    "Join the waiting list",
    "join the waiting list",
    "sign-up",
    (
        "Join the waiting list",
        "Not out yet: have a say",
        "Would you use it? Tell us",
        "Be asked before it is built",
        "What would it be worth to you?",
    ),
)


PILOT = CallToAction(
    "Apply for the pilot",
    "apply for the pilot",
    "application",
    (
        "Apply for the pilot",
        "Looking for pilot users",
        "Not out yet: try it first",
        "Be among its first users",
        "Tell us what is missing",
    ),
    follow="be among its first users",
    invite="apply to try it",
    closings=("It is not out yet: apply to try it first.", "Not out yet. Try it first?"),
    offer="A pilot for",
    stage="is ready for its first users, not for everyone",
    hear="It is not out yet: we look for a few {people} who try it first.",
    plain=("Read how it works", "Try it before it is out"),
    last_resort="A pilot: read how it works, ask questions, and apply to be among its first users.",
)


LAUNCH = CallToAction(
    "Open an account",
    "open an account",
    "account",
    (
        "Open an account",
        "Try it on your own work",
        "See how it works",
        "Questions? Ask us first",
        "Start with one small task",
    ),
    state="is out",
    follow="see if it fits",
    invite="try it yourself",
    closings=("It is out: try it and see if it fits.", "Out now. Try it yourself."),
    out=True,
    offer="Made for",
    stage="is out",
    hear="",
    plain=("See how it works", "Ask us a question"),
    last_resort="Read how it works, ask what you want to know, and try it on a small task first.",
)


def call_to_action(campaign_type: common_pb2.CampaignType.ValueType) -> CallToAction:
    """The call to action of a kind of campaign; what is not specified asks for the waiting list."""
    kinds = {common_pb2.CAMPAIGN_TYPE_PILOT: PILOT, common_pb2.CAMPAIGN_TYPE_FULL_LAUNCH: LAUNCH}
    return kinds.get(campaign_type, WAITING_LIST)


def write_assets(
    brief: Brief, cta: CallToAction = WAITING_LIST, slots: Sequence[Slot] = limits.SLOTS
) -> Iterator[AdAsset]:
    """All ad assets, slot by slot; no text is over its limit. A platform one of whose slots does not get its minimum
    is left out as a whole: an ad with a gap is none."""
    writers = {
        "google-headline": google_headlines,
        "google-description": google_descriptions,
        "google-path": google_paths,
        "meta-primary": meta_primary,
        "meta-headline": short_headlines,
        "meta-description": meta_descriptions,
        "linkedin-intro": linkedin_intros,
        "linkedin-headline": short_headlines,
    }
    made = {slot: select(writers[slot.slug](brief, cta), slot, brief) for slot in slots}
    short = {slot.platform for slot, chosen in made.items() if len(chosen) < slot.least}
    for slot, chosen in made.items():
        if slot.platform in short:
            continue
        for number, (text, claim_id) in enumerate(chosen, 1):
            yield AdAsset(
                id=f"{slot.slug}-{number}",
                platform=slot.platform,
                kind=slot.kind,
                text=text,
                length=limits.width(text),
                length_limit=slot.limit,
                claim_id=claim_id,
            )


class _Line(NamedTuple):
    """A text chosen for a slot, and its words of weight."""

    text: str
    claim_id: str
    content: frozenset[str]


def select(families: Sequence[Family], slot: Slot, brief: Brief) -> list[tuple[str, str]]:
    """(text, claim id) pairs for a slot: every family once, then more of each, without near-duplicates."""
    kept: list[_Line] = []
    # What was passed over stays so: the lines kept only grow. So each family goes on where it stopped.
    lines = [_unsaid(family, slot, brief, kept) for family in families]
    took_last = [True] * len(families)
    for turn in range(max((family.most for family in families), default=0)):
        for i, family in enumerate(families):
            if len(kept) >= slot.most:
                return [line[:2] for line in kept]
            if not took_last[i] or family.most <= turn:
                continue
            line = next(lines[i], None)
            took_last[i] = line is not None
            if line is not None:
                kept.append(line)
    # Last resort: the platform's minimum counts more than variety.
    said = {line.text.casefold() for line in kept}
    for family in families:
        for text in family.wordings:
            if len(kept) >= slot.least:
                break
            if text.casefold() not in said and _fits(text, slot, brief):
                said.add(text.casefold())
                kept.append(_Line(text, family.claim_id, frozenset()))
    return [line[:2] for line in kept]


def _unsaid(family: Family, slot: Slot, brief: Brief, kept: Sequence[_Line]) -> Iterator[_Line]:
    """A family's wordings that fit and that no line kept so far says already."""
    for text in family.wordings:
        if _fits(text, slot, brief) and not repeats(text):
            line = _Line(text, family.claim_id, _content(text))
            if not _said(line, kept):
                yield line


def _fits(text: str, slot: Slot, brief: Brief) -> bool:
    known = limits.width(text) <= slot.limit and limits.acceptable(text)
    return known and all(n in brief.numbers for n in re.findall(r"\d+", text))


def _content(text: str) -> frozenset[str]:
    tokens = (t.lower for t in words.tokenize(text) if t.is_word)
    return frozenset(words.lemma(t) for t in tokens if t not in words.STOPWORDS)


def _said(line: _Line, kept: Iterable[_Line]) -> bool:
    new, asks = line.content, line.text.endswith("?")
    for other in kept:
        old = other.content
        if new == old or other.text.casefold() == line.text.casefold():
            return True
        if len(new & old) / len(new | old) >= SIMILAR:
            return True
        same_mood = asks == other.text.endswith("?")
        if same_mood and min(len(new), len(old)) >= CONTAINED_WORDS_MIN and (new <= old or old <= new):
            return True
    return False


def _fallbacks(brief: Brief, claim_id: str, cta: CallToAction) -> Family:
    """Short lines of the idea's own words, then of none: they fill a slot's minimum in any script, and nothing else."""
    own = words.unique(as_written(k, brief.idea) for k in (brief.topic, *brief.keywords) if k and len(k) <= 20)
    specific = [f"{words.capitalise(k)}: {lead}" for k in own[:6] for lead in (cta.short, "see how it works")]
    return Family((*specific, *cta.plain, "See what it does"), claim_id, most=0)


def google_headlines(brief: Brief, cta: CallToAction) -> list[Family]:
    """Families for headlines of 30: problem, outcome, functions, audience, name, keywords, and what is asked."""
    audience, problem = brief.claim(AUDIENCE), brief.claim(PROBLEM)
    feasibility = brief.claim(FEASIBILITY, PROBLEM)
    people = audience_forms(brief.audience)
    for_whom = [f"{words.capitalise(p)} for {a}" for p in label(brief) for a in people]
    named = [f"{brief.name}: {p}" for p in label(brief) if " " in p] + [f"Meet {brief.name}"] if brief.name else []
    return [
        Family(tuple(outcomes(brief)), problem),
        Family(tuple(pain_questions(brief)), problem, 2),
        *(Family(tuple(function_titles(f)), f.claim_id or feasibility) for f in brief.functions[:4]),
        Family(tuple(for_whom), audience),
        Family(
            tuple(f"{lead} {a}" for lead in (cta.offer, "For") for a in people),
            audience,
        ),
        Family(tuple(named), feasibility),
        Family(tuple(keyword_titles(brief)), problem, 3),
        Family(cta.lines, brief.claim(WILLINGNESS, PROBLEM), 5),
        _fallbacks(brief, problem, cta),
    ]


def google_descriptions(brief: Brief, cta: CallToAction) -> list[Family]:
    """Families for descriptions of 90: what it is, that it is not out, the problem, the outcome."""
    problem, willingness = brief.claim(PROBLEM), brief.claim(WILLINGNESS, PROBLEM)
    what = [f"{line}." for line in what_it_is(brief)]
    honest = [
        f"{brief.subject} {cta.state}. {words.capitalise(cta.short)} and {cta.follow}.",
        f"{brief.subject} {cta.state}. {words.capitalise(cta.short)}.",
        f"{'Out now' if cta.out else 'Not out yet'}: {cta.short} and {cta.follow}.",
    ]
    gain = [f"{o} with {with_article(p)} for {a}." for o, p, a in _gains(brief)]
    gain += [f"{o}. {_look(cta, 'it')} and {cta.invite}." for o in outcomes(brief)]
    return [
        Family(tuple(what), brief.claim(FEASIBILITY, PROBLEM)),
        Family(tuple(_asking(brief, ("",), cta)), problem),
        Family(tuple(honest), willingness),
        Family(tuple(gain), problem),
        Family(tuple(_about(brief, cta)), willingness, 0 if len(brief.functions) > 1 else 1),
        Family((cta.last_resort,), willingness, 0),
    ]


def _look(cta: CallToAction, what: str) -> str:
    return f"See how {what} works" if cta.out else f"See how {what} would work"


def _asking(brief: Brief, closings: Sequence[str], cta: CallToAction) -> list[str]:
    """The problem as a question, what the product does about it, and a closing; then without the doing."""
    questions = pain_questions(brief)
    doings = words.unique(without_repeating(brief, line) for line in by_name(brief))
    lines = [f"{q} {line}. {end}" for end in closings for line in doings for q in questions]
    lines += [f"{q} {brief.subject} {cta.stage}. Would it help?" for q in questions if brief.name and not cta.out]
    return [line.strip() for line in lines]


def _about(brief: Brief, cta: CallToAction) -> list[str]:
    lead = "" if cta.out else f"It {cta.stage}. "
    return [f"{_look(cta, brief.name or 'it')} and {cta.invite}.", f"{lead}{_look(cta, 'it')} and {cta.invite}."]


def _gains(brief: Brief) -> Iterator[tuple[str, str, str]]:
    for outcome in outcomes(brief):
        for product in product_forms(brief.product):
            for audience in audience_forms(brief.audience):
                yield outcome, product, audience


def _purpose(brief: Brief, rest: str) -> list[str]:
    """ "Waste less food: that is what Larderwise is for. ..." """
    name = brief.name or "this idea"
    return [f"{outcome}: that is what {name} is for. {rest}" for outcome in outcomes(brief)]


def google_paths(brief: Brief, cta: CallToAction) -> list[Family]:
    """Families for the two paths of 15 shown after the address: the subject, and what stands there."""
    known = sorted(brief.keywords, key=lambda k: " " not in k)  # two words say more than one
    slugs = [words.slug(k) for k in (brief.topic, *known)]
    return [
        Family(tuple(s for s in slugs if s), brief.claim(PROBLEM)),
        Family(_PATHS[cta.noun], brief.claim(WILLINGNESS, PROBLEM)),
        Family(("start", "tour") if cta.out else ("idea", "plan"), brief.claim(PROBLEM)),
    ]


_PATHS = {"sign-up": ("waiting-list", "early-access"), "application": ("pilot", "apply"), "account": ("account", "try")}


def meta_primary(brief: Brief, cta: CallToAction) -> list[Family]:
    """Families for Meta's primary text of 125."""
    willingness = brief.claim(WILLINGNESS, PROBLEM)
    closings = cta.closings
    what = [f"{line}. {closing}" for closing in closings for line in what_it_is(brief)]
    return [
        Family(tuple(_asking(brief, closings, cta)), brief.claim(PROBLEM)),
        Family(tuple(what), brief.claim(FEASIBILITY, PROBLEM)),
        Family(tuple(_purpose(brief, f"It {cta.state}: {cta.short} and {cta.follow}.")), willingness),
        Family(tuple(_about(brief, cta)), willingness),
    ]


def short_headlines(brief: Brief, cta: CallToAction) -> list[Family]:
    """Families for Meta's headline of 40 and LinkedIn's of 70."""
    for_whom = [f"{words.capitalise(p)} for {a}" for p in label(brief) for a in audience_forms(brief.audience)]
    return [
        Family(tuple(outcomes(brief)), brief.claim(PROBLEM)),
        Family(tuple(pain_questions(brief)), brief.claim(PROBLEM)),
        Family(tuple(by_name(brief) + for_whom), brief.claim(FEASIBILITY, PROBLEM)),
        Family(cta.lines, brief.claim(WILLINGNESS, PROBLEM)),
        _fallbacks(brief, brief.claim(PROBLEM), cta),
    ]


def meta_descriptions(brief: Brief, cta: CallToAction) -> list[Family]:
    """Families for Meta's link description of 30."""
    titles = (title for f in brief.functions for title in function_titles(f))
    return [
        Family(tuple(f"For {a}" for a in audience_forms(brief.audience)), brief.claim(AUDIENCE)),
        Family(tuple(titles), brief.claim(FEASIBILITY, PROBLEM)),
        Family(cta.lines[1:], brief.claim(WILLINGNESS, PROBLEM)),
        _fallbacks(brief, brief.claim(PROBLEM), cta),
    ]


def linkedin_intros(brief: Brief, cta: CallToAction) -> list[Family]:
    """Families for LinkedIn's introductory text of 150; readers at work are asked for their team."""
    willingness = brief.claim(WILLINGNESS, PROBLEM)
    use = "would your team use it?" if brief.professional else "would you use it?"
    closings = (
        cta.closings if cta is not WAITING_LIST else (f"We are asking before we build: {use}", words.capitalise(use))
    )
    what = [f"{line}. {closing}" for closing in closings for line in what_it_is(brief)]
    hear = [cta.hear.format(people=a) for a in audience_forms(brief.audience) if cta.hear and "{" not in a]
    purpose = [
        line for rest in (*hear, f"It {cta.state}: {cta.short} and {cta.follow}.") for line in _purpose(brief, rest)
    ]
    return [
        Family(tuple(_asking(brief, closings, cta)), brief.claim(PROBLEM)),
        Family(tuple(what), brief.claim(FEASIBILITY, PROBLEM)),
        Family(tuple(purpose), willingness),
        Family(tuple(_about(brief, cta)), willingness),
    ]
