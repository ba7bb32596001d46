"""Does a find support or contradict the claim? Rules and a small model, both made to be read.

Three kinds of finds, three ways to judge them:

- a *product* that exists contradicts "the field is open" and supports, modestly, "the problem is real", "it can
  be built" and "somebody pays";
- a *figure* is compared with its baseline (all industries, an earlier year): better supports, worse
  contradicts, near to it or without a baseline mentions;
- a *text* is read for cues by kind of claim, with negation turning a cue around, and measured against the claim's own
  words by the stance model (`domain.stance_model`); without the model the cues decide alone.

What is unsure is a mention: a stance with less than `CONFIDENCE_MIN` is never shown as one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from pipeline.v1 import common_pb2
from services.evidence.domain.cues import TEXT_CUES
from services.evidence.domain.model import Candidate, ClaimKind
from services.evidence.domain.scoring import ABOUT_MIN
from services.evidence.domain.stance_features import measure
from services.evidence.domain.stance_model import Contribution, StanceModels, decide
from services.evidence.domain.words import content_stems

RULES_VERSION = 1
RULES, MODEL = "rules", "model"
CONFIDENCE_MIN = 0.5

SUPPORTS, CONTRADICTS, MENTIONS = (
    common_pb2.STANCE_SUPPORTS,
    common_pb2.STANCE_CONTRADICTS,
    common_pb2.STANCE_MENTIONS,
)

# A product that fits less than this is a neighbour, not a rival.
RIVAL_FIT = 0.58
# Stars above which others evidently want such a thing: about the median of the starter directory.
STARS_ADOPTED = 1_000
# A figure within this share of its baseline says nothing either way.
NEAR_BASELINE = 0.05


class Judgement(NamedTuple):
    """The stance, how sure it is (0 to 1), why in a clause, and how it was reached."""

    stance: common_pb2.Stance.ValueType
    confidence: float
    reason: str
    # "rules" or "model".
    method: str = RULES
    # What weighed in it, heaviest first; empty where rules decided.
    features: tuple[Contribution, ...] = ()


def judge(candidate: Candidate, models: StanceModels | None = None) -> Judgement:
    """Return what the find says about its claim. Needs `candidate.relevance`, and uses its `cosine` where it has one.

    Without `models` a text is judged by its cues alone.
    """
    found, kind = candidate.found, candidate.query.kind
    if found.product is not None:
        verdict = _product(candidate, kind)
    elif found.figure is not None:
        verdict = _figure(candidate)
    else:
        verdict = _text(candidate, models)
    if verdict.stance != MENTIONS and verdict.confidence < CONFIDENCE_MIN:
        reason = f"{verdict.reason}; too unsure to take sides"
        return verdict._replace(stance=MENTIONS, confidence=1.0 - verdict.confidence, reason=reason)
    return verdict


def _text(candidate: Candidate, models: StanceModels | None) -> Judgement:
    quote, query = candidate.quote, candidate.query
    if models is None or candidate.relevance < ABOUT_MIN:
        return read_text(quote, query.kind, candidate.relevance, query.terms)
    patterns = TEXT_CUES.get(query.kind)
    cues = _find_cues(quote, *patterns, query.terms) if patterns else []
    counts = None
    if patterns:
        counts = (sum(cue.supports for cue in cues), sum(not cue.supports for cue in cues))
    decision = decide(models.for_cosine(candidate.cosine), measure(query.text, quote, candidate.cosine), counts)
    if patterns and not cues:
        # Trained on papers, the model takes no side of its own in business talk (docs/evaluation.md).
        sure = decision.confidence if decision.stance == MENTIONS else 1.0 - decision.confidence
        return Judgement(MENTIONS, sure, "no words for or against it", MODEL, decision.contributions)
    said = f"it says {_named(cues)}" if cues else _words_of(decision.contributions)
    return Judgement(decision.stance, decision.confidence, said, MODEL, decision.contributions)


def _words_of(contributions: Sequence[Contribution]) -> str:
    """Name the three features that weighed most for the stance."""
    named = [c.name.replace("_", " ") for c in contributions if c.contribution > 0][:3]
    return f"its wording ({', '.join(named)})" if named else "nothing in it weighs either way"


def _product(candidate: Candidate, kind: ClaimKind) -> Judgement:
    product = candidate.found.product
    assert product is not None
    fit = candidate.relevance
    # 0 for an unknown product, 1 for 100,000 stars: each tenfold counts the same.
    adoption = min(math.log10(product.stars + 1) / 5.0, 1.0)
    stars = f"{product.stars:,} GitHub stars" if product.stars else "an unknown number of users"
    if fit < RIVAL_FIT:
        return Judgement(MENTIONS, 1.0 - fit, "a product of a neighbouring field")
    if kind == common_pb2.CLAIM_KIND_COMPETITION:
        sure = 0.35 + 0.35 * fit + 0.25 * adoption
        return Judgement(CONTRADICTS, sure, f"a product of this field exists and has {stars}")
    if kind in (common_pb2.CLAIM_KIND_PROBLEM, common_pb2.CLAIM_KIND_AUDIENCE):
        if product.stars < STARS_ADOPTED:
            return Judgement(MENTIONS, 0.5, f"a product of this field has {stars}, too few to show demand")
        sure = min(0.25 + 0.25 * fit + 0.3 * adoption, 0.7)
        return Judgement(SUPPORTS, sure, f"{stars} show that people look for help with this")
    if kind == common_pb2.CLAIM_KIND_FEASIBILITY:
        sure = min(0.3 + 0.3 * fit + 0.2 * adoption, 0.7)
        return Judgement(SUPPORTS, sure, "software of this field has been built with its source in the open")
    if kind == common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY and product.alternative_to:
        paid = ", ".join(list(product.alternative_to)[:3])
        sure = 0.25 + 0.4 * fit
        return Judgement(SUPPORTS, sure, f"commercial products are sold in this field ({paid})")
    return Judgement(MENTIONS, 0.5, "a product of this field")


def _figure(candidate: Candidate) -> Judgement:
    found = candidate.found
    figure, baseline = found.figure, found.baseline
    assert figure is not None
    if baseline is None or found.more_is_better is None or baseline.value == 0:
        return Judgement(MENTIONS, 0.6, "a base rate, not a finding about this idea")
    change = (figure.value - baseline.value) / abs(baseline.value)
    earlier = baseline.year if baseline.year != figure.year else 0
    if earlier and baseline.segment == figure.segment:
        against = f"its value of {earlier}"
    else:
        against = baseline.segment + (f", {earlier}" if earlier else "")
    size = f"{abs(change):.0%} {'above' if change > 0 else 'below'} {against}"
    if abs(change) <= NEAR_BASELINE:
        return Judgement(MENTIONS, 0.6, f"close to {against}")
    # A tenth of difference is hardly news, a half is.
    sure = 0.42 + 0.35 * min(abs(change), 1.0) * (0.5 + 0.5 * found.confidence)
    good = (change > 0) == found.more_is_better
    return Judgement(SUPPORTS if good else CONTRADICTS, sure, size)


_NEGATION = re.compile(
    r"\b(?:not|no(?!-)|never|without|hardly|barely|isn'?t|aren'?t|wasn'?t|weren'?t|don'?t|doesn'?t|didn'?t|won'?t|can'?t"
    r"|cannot|nobody|none)\W+(?:\w+\W+){0,2}$",
    re.IGNORECASE,
)


class _Cue(NamedTuple):
    start: int
    text: str
    supports: bool


def read_text(quote: str, kind: ClaimKind, relevance: float, subject: Sequence[str] = ()) -> Judgement:
    """Return what a passage says about a claim of this kind, read off its cues.

    Cues against are read first and cover their words: "would not pay" is no "pay". A negation within three words
    before a cue turns it around. A word of the claim's own `subject` (its search terms) says what a passage is about,
    not that it is so: it counts only beside an amount, a frequency or somebody's experience.
    """
    patterns = TEXT_CUES.get(kind)
    if patterns is None:
        return Judgement(MENTIONS, 0.5, "no rule reads claims of this kind")
    if relevance < ABOUT_MIN:
        return Judgement(MENTIONS, 0.5, "names the subject without going into the claim")
    cues = _find_cues(quote, *patterns, subject)
    for_it = [cue for cue in cues if cue.supports]
    against = [cue for cue in cues if not cue.supports]
    if not cues:
        return Judgement(MENTIONS, 0.6, "no words for or against it")
    if len(for_it) == len(against):
        return Judgement(MENTIONS, 0.5, f"words both ways ({_named(cues)})")
    major, minor = (for_it, against) if len(for_it) > len(against) else (against, for_it)
    strength = 1.0 - 0.5 ** len(major)
    sure = 0.3 + 0.3 * strength + 0.35 * relevance - 0.15 * len(minor)
    stance = SUPPORTS if major is for_it else CONTRADICTS
    return Judgement(stance, min(sure, 0.9), f"it says {_named(major)}")


# What turns the name of a subject into a statement about it.
_STATED = re.compile(
    r"\d|%|\b(?:percent|half|thirds?|quarters?|fifths?|tenths?|dozens|hundreds|thousands|millions|billions|most|many|few"
    r"|every|each (?:day|week|month|year)|daily|weekly|often|always|constantly|never|we|our|us|my|me|i|i'm|i've)\b",
    re.IGNORECASE,
)


def _find_cues(
    quote: str, supporting: re.Pattern[str], contradicting: re.Pattern[str], subject: Sequence[str]
) -> list[_Cue]:
    own = frozenset(stem for term in subject for stem in content_stems(term))
    stated = _STATED.search(quote) is not None
    cues: list[_Cue] = []
    covered: list[tuple[int, int]] = []
    for pattern, supports in ((contradicting, False), (supporting, True)):
        for match in pattern.finditer(quote):
            if any(match.start() < end and start < match.end() for start, end in covered):
                continue
            covered.append(match.span())
            words = content_stems(match.group())
            if not stated and words and own.issuperset(words):
                continue
            before = quote[max(0, match.start() - 40) : match.start()]
            turned = bool(_NEGATION.search(before))
            cues.append(_Cue(match.start(), match.group(), supports != turned))
    return sorted(cues)


def _named(cues: Sequence[_Cue]) -> str:
    return ", ".join(dict.fromkeys(f"“{cue.text}”" for cue in cues[:3]))
