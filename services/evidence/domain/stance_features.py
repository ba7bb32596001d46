"""What can be measured of a claim and a passage before anybody decides whether one supports the other.

Every feature has a name, is a number of its own scale, and can be read off the two texts by hand; docs/evaluation.md
says what each is worth. "Shared" words are content words that both texts hold, weighted by `word_weight`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from chassis.idea.likeness import spelling
from services.evidence.domain import polarity
from services.evidence.domain.words import is_generic, is_stop, tokens

# Words within which a direction or a negation speaks about a shared word, and before which it is turned by a "not".
REACH_CLAIM, REACH_NEAR, REACH_WIDE, REACH_NEGATION, REACH_TURN = 8, 2, 6, 6, 4
# Words of a passage in which the shared words stand closest together.
WINDOW = 25
# What is read of a text; a passage has at most 400 characters, a rationale of several sentences more.
CHARS_MAX = 4_000

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_STATISTICS = re.compile(r"\b[Pp]\s*[<=>]|\b(?:CI|OR|HR|RR)\b|\d\s?%|\bpercent\b")
_AIM = re.compile(
    r"\s*(?:background|objectives?|methods?|design|setting|purpose|aims?|participants|context|however|here|to"
    r"|in order)\b",
    re.IGNORECASE,
)
_CONCLUSION = re.compile(
    r"\s*(?:conclusions?|interpretation|these|our|thus|taken|together|in conclusion|collectively|overall|so|therefore"
    r"|we (?:show|find|found|conclude))\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[.;](?!\d)")


class _Side:
    """One text, read once: its words, what they point to, and what is negated."""

    def __init__(self, text: str) -> None:
        found = tokens(text)
        raw = [text[t.start : t.end].lower().replace("’", "'") for t in found]
        self.stems = [t.stem for t in found]
        self.places: dict[str, list[int]] = {}
        for place, word in enumerate(self.stems):
            if not is_stop(word) and not word[0].isdigit() and word not in polarity.NEGATION:
                self.places.setdefault(word, []).append(place)
        # The words that name things, in order: not what is said of them.
        self.subjects = [word for word in self.places if word not in polarity.RELATING]
        # "no-shows" and "no-code" are names, no negations.
        within_name = [text[t.end : t.end + 1] == "-" for t in found]
        self.negations = [
            i
            for i, word in enumerate(raw)
            if (word in polarity.NEGATION and not within_name[i]) or word.endswith("n't")
        ]
        self.directed = self._pointing(polarity.DIRECTION)
        self.valued = self._pointing(polarity.VALUE)
        self.null_effect = bool(polarity.NULL_EFFECT.search(text))

    def count(self, words: frozenset[str]) -> int:
        return sum(1 for word in self.stems if word in words)

    def _pointing(self, table: Mapping[str, float]) -> list[tuple[int, float]]:
        """(place, sign) of each word of the table; a negation shortly before turns the sign."""
        found = []
        for place, word in enumerate(self.stems):
            sign = table.get(word)
            if sign is not None:
                turned = any(place - REACH_TURN <= n < place for n in self.negations)
                found.append((place, -sign if turned else sign))
        return found


def measure(claim: str, passage: str, cosine: float | None = None) -> dict[str, float]:
    """Return every feature by name, in a fixed order; those of meaning only where a cosine (-1 to 1) is given."""
    one, other = _side(claim[:CHARS_MAX]), _Side(passage[:CHARS_MAX])
    weights = {word: word_weight(word) for word in one.places}
    shared = [word for word in one.places if word in other.places]
    found = {
        **_overlap(one, other, weights, shared),
        **_numbers(claim, passage),
        **_directions(one, other, weights, shared),
        **_negations(one, other, shared),
        **_manner(passage[:CHARS_MAX], other),
    }
    near = found["claim_cover"] if cosine is None else cosine
    found["negation_mismatch_on_subject"] = near * (found["negation_claim_only"] + found["negation_passage_only"])
    found["direction_differs_on_subject"] = near * found["direction_differs"]
    found["direction_agrees_on_subject"] = near * found["direction_agrees"]
    if cosine is not None:
        found["cosine"] = cosine
        found["cosine_squared"] = max(cosine, 0.0) ** 2
        found["cosine_by_cover"] = cosine * found["claim_cover"]
    return found


@lru_cache(maxsize=256)  # a run has seven claims and a few hundred passages for each
def _side(text: str) -> _Side:
    return _Side(text)


def word_weight(word: str) -> float:
    """Return how much a content word says: long words are rarer, words that every idea uses say little.

    >>> word_weight("app") < word_weight("dog") < word_weight("irrigation")
    True
    """
    return 0.35 if is_generic(word) else min(0.4 + 0.1 * len(word), 1.4)


def _overlap(one: _Side, other: _Side, weights: Mapping[str, float], shared: Sequence[str]) -> dict[str, float]:
    total = math.fsum(weights.values()) or 1.0
    total_other = math.fsum(word_weight(word) for word in other.places) or 1.0
    common = math.fsum(weights[word] for word in shared)
    subjects = math.fsum(weights[word] for word in one.subjects) or 1.0
    subjects_found = math.fsum(weights[word] for word in one.subjects if word in other.places)
    alike = math.fsum(weights[word] * _spelt(word, other.places) for word in one.places)
    pairs = _neighbours(one)
    missing = sum(1 for word in one.subjects if word not in other.places)
    return {
        "claim_cover": common / total,
        "claim_cover_by_spelling": alike / total,
        "subject_cover": subjects_found / subjects,
        "passage_cover": common / total_other,
        "pairs_shared": len(pairs & _neighbours(other)) / max(len(pairs), 1),
        "window_cover": _densest(other, weights, shared) / total,
        "missing_subjects": math.log1p(missing),
        "first_subject_found": float(bool(one.subjects) and one.subjects[0] in other.places),
        "last_subject_found": float(bool(one.subjects) and one.subjects[-1] in other.places),
    }


def _spelt(word: str, among: Mapping[str, object]) -> float:
    if word in among:
        return 1.0
    if len(word) <= 3:
        return 0.0
    return max((spelling(word, other) for other in among if other[0] == word[0]), default=0.0)


def _neighbours(side: _Side) -> set[tuple[str, str]]:
    ordered = [word for _, word in sorted((place, word) for word, places in side.places.items() for place in places)]
    return set(pairwise(ordered))


def _densest(side: _Side, weights: Mapping[str, float], shared: Iterable[str]) -> float:
    """The greatest weight of shared words within `WINDOW` words."""
    at = sorted((place, word) for word in shared for place in side.places[word])
    best = 0.0
    for start, (first, _) in enumerate(at):
        within = {word for place, word in at[start:] if place < first + WINDOW}
        best = max(best, math.fsum(weights[word] for word in within))
    return best


def _numbers(claim: str, passage: str) -> dict[str, float]:
    wanted = {number.replace(",", "") for number in _NUMBER.findall(claim)}
    given = {number.replace(",", "") for number in _NUMBER.findall(passage)}
    return {
        "numbers_found": len(wanted & given) / len(wanted) if wanted else 0.0,
        "numbers_differ": float(bool(wanted and given and not wanted & given)),
        "numbers_in_passage": math.log1p(len(given)),
    }


def _directions(one: _Side, other: _Side, weights: Mapping[str, float], shared: Sequence[str]) -> dict[str, float]:
    total = math.fsum(weights.values()) or 1.0
    direction, value = _signs(one.directed), _signs(one.valued)
    passage_direction, passage_value = _signs(other.directed), _signs(other.valued)
    local = [x for i, x in other.directed if any(abs(i - j) <= 3 for word in shared for j in other.places[word])]
    product = _product(x for _, x in one.directed) * _product(local)
    near = [_near_signs(one, other, word) for word in shared]
    said = {word for word in one.stems if word in polarity.DIRECTION}
    return {
        "direction_near_shared": _scoped(one.directed, other.directed, one, other, weights, shared) / total,
        "value_near_shared": _scoped(one.valued, other.valued, one, other, weights, shared) / total,
        "direction_agrees": float(direction * passage_direction > 0),
        "direction_differs": float(direction * passage_direction < 0),
        "direction_missing": float(direction != 0 and not other.directed),
        "direction_agrees_at_word": sum(1 for sign in near if sign > 0) / max(len(shared), 1),
        "direction_differs_at_word": sum(1 for sign in near if sign < 0) / max(len(shared), 1),
        "effect_sign_agrees": float(product > 0),
        "effect_sign_differs": float(product < 0),
        "direction_word_shared": float(any(word in said for word in other.stems)),
        "value_agrees": float(value * passage_value > 0),
        "value_differs": float(value * passage_value < 0),
        "directions_in_passage": math.log1p(len(other.directed)),
    }


def _signs(pointing: Sequence[tuple[int, float]]) -> float:
    return _sign(sum(sign for _, sign in pointing))


def _sign(value: float) -> float:
    return 0.0 if abs(value) < 1e-9 else math.copysign(1.0, value)


def _product(signs: Iterable[float]) -> float:
    """1 or -1: "lower X, lower Y" is a positive relation, as "higher X, higher Y" is; 0 without a sign."""
    found = list(signs)
    return math.prod(found) if found else 0.0


def _near_signs(one: _Side, other: _Side, word: str) -> float:
    """1 or -1: whether the nearest directions beside a shared word agree; 0 where one side has none."""
    claim = _sign(sum(_nearest(one.directed, place, REACH_CLAIM) for place in one.places[word]))
    return claim * _sign(sum(_nearest(other.directed, place, REACH_NEAR) for place in other.places[word]))


def _nearest(pointing: Sequence[tuple[int, float]], at: int, reach: int) -> float:
    near = [(abs(place - at), sign) for place, sign in pointing if 0 < abs(place - at) <= reach]
    return min(near)[1] if near else 0.0


def _scoped(
    pointing: Sequence[tuple[int, float]],
    pointing_other: Sequence[tuple[int, float]],
    one: _Side,
    other: _Side,
    weights: Mapping[str, float],
    shared: Sequence[str],
) -> float:
    """Weight of the shared words about which both sides point the same way, less those where they point apart."""
    total = 0.0
    for word in shared:
        mine = [_sign(_around(pointing, place, REACH_CLAIM)) for place in one.places[word]]
        theirs = [_sign(_around(pointing_other, place, REACH_WIDE)) for place in other.places[word]]
        total += weights[word] * (sum(mine) / len(mine)) * (sum(theirs) / len(theirs))
    return total


def _around(pointing: Sequence[tuple[int, float]], at: int, reach: int) -> float:
    return sum(sign / (1.0 + abs(place - at) / 3.0) for place, sign in pointing if abs(place - at) <= reach)


def _negations(one: _Side, other: _Side, shared: Sequence[str]) -> dict[str, float]:
    def near(reach: int) -> bool:
        return any(abs(i - j) <= reach for i in other.negations for word in shared for j in other.places[word])

    claim = bool(one.negations) or one.null_effect
    wide = near(REACH_NEGATION)
    passage = wide or other.null_effect
    close = float(near(3))
    opposite = any(_opposite(a, b) for a in one.places for b in other.places)
    return {
        "negation_claim_only": float(claim and not passage),
        "negation_passage_only": float(wide and not claim),
        "null_effect_passage_only": float(other.null_effect and not claim),
        "negation_both": float(claim and passage),
        "negation_close_to_shared": -close if one.negations else close,
        "opposite_prefix": float(opposite),
    }


def _opposite(one: str, other: str) -> bool:
    """ "effective" and "ineffective"."""
    if len(one) > len(other):
        one, other = other, one
    return len(one) > 3 and other.endswith(one) and other.removesuffix(one) in polarity.OPPOSITE_PREFIXES


def _manner(passage: str, side: _Side) -> dict[str, float]:
    return {
        "hedges": math.log1p(side.count(polarity.HEDGES)),
        "findings": math.log1p(side.count(polarity.FINDINGS)),
        "methods": math.log1p(side.count(polarity.METHODS)),
        "comparison": math.log1p(side.count(polarity.COMPARISON)),
        "statistics": float(bool(_STATISTICS.search(passage))),
        "states_aim": float(bool(_AIM.match(passage))),
        "states_conclusion": float(bool(_CONCLUSION.match(passage))),
        "length": math.log1p(len(side.stems)),
        "clauses": math.log1p(len(_CLAUSE_END.findall(passage))),
        "question": float("?" in passage),
    }
