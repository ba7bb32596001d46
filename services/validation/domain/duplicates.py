"""Which earlier ideas say nearly the same: by words always, by meaning with an embedder; exact once normalised.

Two figures decide, and either is enough:

- likeness of the words (`chassis/idea/likeness.py`): the same sentence with its parts moved or a few words changed.
- meaning: the mean of two cosines, of the whole texts and of their cores. The core is what the product does and against
  what, without its audience and form: two apps for beekeepers share half their words and may have nothing to do with
  each other. Both vectors are kept as one, each halved, so that one dot product gives the mean.

Thresholds were chosen on one half of `tests/fixtures/idea_pairs.jsonl` (60 ideas, each with a paraphrase and another
idea of the same field, 20 with an edited copy); docs/evaluation.md has precision and recall on the other half
(`bench/evaluation/duplicates.py`). They hold to precision: we rather miss a thorough paraphrase than accuse a new idea.
"""

from __future__ import annotations

import hashlib
import math
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.idea.likeness import likeness
from pipeline.v1 import common_pb2 as pb
from pipeline.v1 import validation_pb2 as vpb

# Of the tuning half, other ideas of the same field reach 0.51, and every edited copy lies above 0.65.
MEANING_MIN = 0.52
# Over all pairs, other ideas of the same field reach 0.65, and edited copies start at 0.70.
LIKENESS_MIN = 0.68
DUPLICATES_MAX = 10
# Looked at closely, by shared words and by meaning each: comparing spellings takes about a millisecond a pair.
CANDIDATES_MAX = 40
# A core of fewer characters says too little; the whole text stands for it.
CORE_CHARS_MIN = 16
# Vectors of another making are not comparable: part of the name that is stored with them.
VECTOR_KIND = "+core"

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class StoredIdea:
    """An idea as the store keeps it. `vector`: float32, little-endian, of length 1; empty without an embedder."""

    tenant: str
    run: str
    text: str
    seen_at: datetime
    embedder: str = ""
    vector: bytes = b""

    @property
    def key(self) -> str:
        """Equal for texts that differ in case, punctuation and spacing only."""
        return key_of(self.text)


def key_of(text: str) -> str:
    """sha256 (hex) of the letters and digits of a text, case-folded."""
    return hashlib.sha256(" ".join(_words(text)).encode()).hexdigest()


def core_of(profile: pb.IdeaProfile) -> str:
    """What the product does and against what, in a few phrases; the whole idea where the profile says too little."""
    parts = [*profile.mechanisms, profile.problem, profile.solution]
    core = ". ".join(part for part in parts if part)
    return core if len(core) >= CORE_CHARS_MIN else profile.idea


def pack(whole: Sequence[float], core: Sequence[float]) -> bytes:
    """Two vectors of length 1 as one of length 1, whose dot product is the mean of the two cosines."""
    values = [float(value) * math.sqrt(0.5) for value in (*whole, *core)]
    return struct.pack(f"<{len(values)}f", *values)


def find(idea: StoredIdea, earlier: Sequence[StoredIdea]) -> list[vpb.DuplicateIdea]:
    """Earlier ideas that say nearly the same, most alike first, at most ten; never the idea's own run.

    Takes about 0.1 s for 5,000 earlier ideas: call it outside an event loop.
    """
    others = [other for other in earlier if other.run != idea.run and other.tenant == idea.tenant]
    meanings = _meanings(idea, others)
    key, words = idea.key, frozenset(_words(idea.text))
    overlaps = [_overlap(words, frozenset(_words(other.text))) for other in others]
    close = {*_highest(overlaps), *_highest(meanings)}
    found: list[tuple[float, StoredIdea, bool]] = []
    for at in close:
        other = others[at]
        if other.key == key:
            found.append((1.0, other, True))
            continue
        cosine = meanings[at] if meanings[at] > 0 else None
        alike = likeness(idea.text, other.text, cosine)
        if alike >= LIKENESS_MIN or meanings[at] >= MEANING_MIN:
            found.append((min(max(alike, meanings[at]), 0.999), other, False))
    found.sort(key=lambda item: (-item[0], item[1].seen_at, item[1].run))
    made = []
    for similarity, other, exact in found[:DUPLICATES_MAX]:
        row = vpb.DuplicateIdea(run=other.run, idea=other.text, similarity=round(similarity, 3), exact=exact)
        row.seen_at.FromDatetime(other.seen_at)
        made.append(row)
    return made


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """The Jaccard index, 0 to 1."""
    return len(one & other) / len(one | other) if one and other else 0.0


def _highest(values: Sequence[float]) -> list[int]:
    """Places of the highest values above 0, at most `CANDIDATES_MAX`."""
    places = [at for at, value in enumerate(values) if value > 0]
    return sorted(places, key=lambda at: -values[at])[:CANDIDATES_MAX]


def _meanings(idea: StoredIdea, others: Sequence[StoredIdea]) -> list[float]:
    """How near each other idea is in meaning, 0 to 1; 0 where the vectors are missing or of another making."""
    near = [0.0] * len(others)
    comparable = [
        at
        for at, other in enumerate(others)
        if idea.vector and other.embedder == idea.embedder and len(other.vector) == len(idea.vector)
    ]
    if not comparable:
        return near
    # Comes with an embedder: no run without one should need it.
    import numpy as np

    matrix = np.frombuffer(b"".join(others[at].vector for at in comparable), dtype="<f4")
    own = np.frombuffer(idea.vector, dtype="<f4")
    for at, value in zip(comparable, matrix.reshape(len(comparable), -1) @ own, strict=True):
        near[at] = min(1.0, max(0.0, float(value))) if math.isfinite(value) else 0.0
    return near
