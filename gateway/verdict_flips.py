"""Which facts would turn the recommendation: each is tried by applying the rules to it. Pure.

Tried are: one to four more verified sources for or against a claim, or for or against two claims together, and another
score of one criterion or higher scores of two. A source that is tried weighs 0.6: it fits and is credible (composite
0.75), and its stance is fairly sure (0.8). Nearest means fewest sources or smallest change of score; what lifts the
recommendation comes before what lowers it, one subject before two together, then the order of claims and criteria. A
subject is told once for each direction, two together only once; three where two are enough are not told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations

from gateway import verdict_wording
from gateway.verdict_criteria import Scores, read
from gateway.verdict_facts import PIVOT, RANK, Decision, Facts
from gateway.verdict_weights import Voice
from pipeline.v1 import validation_pb2

FLIPS_MAX = 5
SOURCES_TRIED_MAX = 4
TRIED_WEIGHT = 0.6
_COUNT_WORDS = {1: "One", 2: "Two", 3: "Three", 4: "Four"}

Decide = Callable[[Facts], Decision]


@dataclass(frozen=True)
class _Trial:
    """A changed world, how far it is from this one, and how to say the change."""

    facts: Facts
    distance: int
    fact: str
    subject: str


def flips(facts: Facts, decide: Decide) -> list[validation_pb2.VerdictFlip]:
    """At most five changes that turn the recommendation, nearest first."""
    now = decide(facts).recommendation
    found: list[tuple[tuple[int, bool, bool], _Trial, Decision]] = []
    for trial in _trials(facts):
        then = decide(trial.facts)
        if then.recommendation != now:
            lowers = RANK[then.recommendation] < RANK[now]
            found.append(((trial.distance, lowers, not trial.subject), trial, then))
    found.sort(key=lambda entry: entry[0])
    made: list[validation_pb2.VerdictFlip] = []
    told: set[tuple[str, bool]] = set()
    for (_, lowers, _), trial, then in found:
        if (trial.subject, lowers) in told or len(made) == FLIPS_MAX:
            continue
        told.add((trial.subject, lowers))
        rule = _deciding(trial.facts, then)
        made.append(
            validation_pb2.VerdictFlip(
                fact=trial.fact, recommendation=then.recommendation, rule=rule, subject=trial.subject
            )
        )
    return made


def _deciding(facts: Facts, decision: Decision) -> str:
    """The rule that leaves no more than what was decided; the score's rules have validation's names."""
    at = decision.recommendation
    rule = next(
        ruling.rule
        for ruling in decision.rulings
        if RANK[ruling.ceiling] == RANK[at] and ruling.rule != "starter_set_only"
    )
    if rule == "evidence_agrees" and at == PIVOT and facts.words is not None:
        return "cap_low_dimension" if facts.words.capped else "mean_needs_work"
    return rule


def _trials(facts: Facts) -> Iterator[_Trial]:
    yield from _more_sources(facts)
    if facts.scores_decide:
        yield from _other_scores(facts)


def _more_sources(facts: Facts) -> Iterator[_Trial]:
    if facts.words is None:
        return
    for supports in (True, False):
        verb = "supports" if supports else "contradicts"
        for claim in facts.kinds:
            for count in range(1, SOURCES_TRIED_MAX + 1):
                what = verdict_wording.claim_words(facts, claim)
                noun = "source" if count == 1 else "sources"
                does = verb if count == 1 else verb.removesuffix("s")
                fact = f"{_COUNT_WORDS[count]} more verified {noun} {does} what the idea says on {what}."
                yield _Trial(_with(facts, [(claim, supports, count)]), count, fact, claim)
        for one, other in combinations(facts.kinds, 2):
            for count in range(2, SOURCES_TRIED_MAX + 1):
                first = (count + 1) // 2
                both = verdict_wording.listed([verdict_wording.claim_words(facts, claim) for claim in (one, other)])
                fact = (
                    f"{_COUNT_WORDS[count]} more verified sources {verb.removesuffix('s')} what the idea says on {both}"
                    f" ({first} and {count - first})."
                )
                changed = _with(facts, [(one, supports, first), (other, supports, count - first)])
                yield _Trial(changed, count, fact, "")


def _with(facts: Facts, more: Iterable[tuple[str, bool, int]]) -> Facts:
    """The facts with so many more sources on a side of a claim; evidence then has been collected."""
    added = [
        Voice(f"tried-{claim}-{number}", claim, supports, TRIED_WEIGHT, f"tried-{claim}-{number}")
        for claim, supports, count in more
        for number in range(count)
    ]
    return replace(facts, voices=(*facts.voices, *added), collected=True)


def _other_scores(facts: Facts) -> Iterator[_Trial]:
    for criterion, score in facts.scores.items():
        for value in range(1, 6):
            if value != score:
                fact = f"{_scores(criterion, score, value).capitalize()}."
                yield _Trial(_scored(facts, {criterion: value}), _distance(score, value), fact, _name(criterion))
    # Two weak spots together: a low criterion may hide behind another.
    for (one, first), (other, second) in combinations(facts.scores.items(), 2):
        for a in _raised(first):
            for b in _raised(second):
                fact = f"{_scores(one, first, a).capitalize()}, and {_scores(other, second, b)}."
                distance = _distance(first, a) + _distance(second, b)
                yield _Trial(_scored(facts, {one: a, other: b}), distance, fact, "")


def _scored(facts: Facts, other: Scores) -> Facts:
    scores = {**facts.scores, **other}
    return replace(facts, scores=scores, words=read(scores))


def _distance(score: int | None, value: int) -> int:
    """Steps of the scale; a criterion that nothing was said on takes one to its first score of 3."""
    return abs(value - score) if score is not None else 1 + abs(value - 3)


def _raised(score: int | None) -> tuple[int, ...]:
    """The next two scores up."""
    return (3,) if score is None else tuple(range(score + 1, min(5, score + 2) + 1))


def _scores(criterion: validation_pb2.Criterion.ValueType, score: int | None, value: int) -> str:
    was = f"instead of {score}" if score is not None else "where nothing is said on it yet"
    return f"{_name(criterion)} scores {value} of 5 {was}"


def _name(criterion: validation_pb2.Criterion.ValueType) -> str:
    return validation_pb2.Criterion.Name(criterion).removeprefix("CRITERION_").lower()
