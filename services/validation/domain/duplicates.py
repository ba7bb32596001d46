"""How alike two ideas are: word overlap always, vectors where an embedder is there; exact after normalisation."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.idea import words as w
from pipeline.v1 import validation_pb2 as vpb

# Measured with MiniLM on five reference ideas, two paraphrases of each and two other ideas of each field: different
# ideas of one field reach 0.70, of different fields 0.51; paraphrases lie between 0.54 and 0.86. So a find above this
# is one, while a thorough paraphrase can slip through: we rather miss one than accuse a new idea.
COSINE_MIN = 0.72
# Of word overlap different ideas of one field reach 0.30; this takes the same sentence with a few words changed.
OVERLAP_MIN = 0.6
DUPLICATES_MAX = 10


@dataclass(frozen=True)
class StoredIdea:
    """An idea as the store keeps it. `vector` is L2-normalised, empty without an embedder."""

    tenant: str
    run: str
    text: str
    seen_at: datetime
    embedder: str = ""
    vector: tuple[float, ...] = ()

    @property
    def key(self) -> str:
        """Equal for texts that differ in case, punctuation and spacing only."""
        return key_of(self.text)


def key_of(text: str) -> str:
    """sha256 (hex) of the letters and digits of a text, case-folded."""
    return hashlib.sha256(" ".join(re.findall(r"\w+", text.casefold())).encode()).hexdigest()


def content_words(text: str) -> frozenset[str]:
    """The lemmas that carry meaning."""
    return frozenset(w.lemma(t.lower) for t in w.tokenize(text) if t.is_word and t.lower not in w.STOPWORDS)


def word_similarity(one: frozenset[str], other: frozenset[str]) -> float:
    """The Jaccard index, 0 to 1."""
    return len(one & other) / len(one | other) if one and other else 0.0


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Of two L2-normalised vectors; 0 when the lengths differ or one is empty."""
    if not one or len(one) != len(other):
        return 0.0
    return max(0.0, min(1.0, math.fsum(a * b for a, b in zip(one, other, strict=True))))


def find(idea: StoredIdea, earlier: Sequence[StoredIdea]) -> list[vpb.DuplicateIdea]:
    """Earlier ideas that say nearly the same, most alike first, at most ten; never the idea's own run."""
    own_words, own_key = content_words(idea.text), idea.key
    found: list[tuple[float, StoredIdea, bool]] = []
    for other in earlier:
        if other.run == idea.run or other.tenant != idea.tenant:
            continue
        exact = other.key == own_key
        overlap = word_similarity(own_words, content_words(other.text))
        likeness = cosine(idea.vector, other.vector) if idea.embedder and idea.embedder == other.embedder else 0.0
        if exact or overlap >= OVERLAP_MIN or likeness >= COSINE_MIN:
            found.append((1.0 if exact else min(max(overlap, likeness), 0.999), other, exact))
    found.sort(key=lambda item: (-item[0], item[1].seen_at, item[1].run))
    made = []
    for similarity, other, exact in found[:DUPLICATES_MAX]:
        row = vpb.DuplicateIdea(run=other.run, idea=other.text, similarity=round(similarity, 3), exact=exact)
        row.seen_at.FromDatetime(other.seen_at)
        made.append(row)
    return made
