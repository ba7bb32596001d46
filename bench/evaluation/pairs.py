"""Claim and passage pairs with their stance, made from SciFact's rationales: what the stance model learns from.

- supports / contradicts: a claim with the sentences that its annotators named as one rationale, joined as they stand;
- mentions: sentences of the cited abstracts that decide nothing. Of a claim without a verdict, the two of each cited
  abstract that hold most of the claim's words (the hard ones: on the subject, yet no answer); of a claim with one, one
  drawn sentence of the same abstract outside every rationale.

Pairs that share a claim or an abstract are one group, so that no fold is tested on what another has seen.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench.evaluation import scifact
from pipeline.v1 import common_pb2
from services.evidence.domain.words import content_stems

SUPPORTS, CONTRADICTS, MENTIONS = (
    common_pb2.STANCE_SUPPORTS,
    common_pb2.STANCE_CONTRADICTS,
    common_pb2.STANCE_MENTIONS,
)
_LABELS = {"SUPPORT": SUPPORTS, "CONTRADICT": CONTRADICTS}
HARD_PER_ABSTRACT = 2
SEED = 20_261_125


class Pair(NamedTuple):
    """One example; `hard` marks a mention taken for its likeness to the claim."""

    claim: str
    passage: str
    stance: int
    group: int
    hard: bool = False


def pairs(data: Path) -> list[Pair]:
    """Return the pairs of the 809 training claims, in the order of the file."""
    claims = scifact.claims(data)
    abstracts = {abstract.id: abstract for abstract in scifact.corpus(data)}
    groups = _groups(claims)
    drawn = random.Random(SEED)
    found: list[Pair] = []
    for claim in claims:
        group = groups[claim.id]
        used: dict[str, set[int]] = {}
        for doc, label, sentences in claim.evidence:
            used.setdefault(doc, set()).update(sentences)
            text = " ".join(abstracts[doc].sentences[i] for i in sentences)
            found.append(Pair(claim.text, text, _LABELS[label], group))
        if not claim.evidence:
            for doc in claim.cited:
                found += [
                    Pair(claim.text, text, MENTIONS, group, hard=True)
                    for text in _nearest(claim.text, abstracts[doc].sentences)
                ]
        for doc, taken in used.items():
            others = [text for i, text in enumerate(abstracts[doc].sentences) if i not in taken]
            if others:
                found.append(Pair(claim.text, drawn.choice(others), MENTIONS, group))
    return found


def _nearest(claim: str, sentences: Sequence[str]) -> list[str]:
    wanted = set(content_stems(claim))
    ranked = sorted(range(len(sentences)), key=lambda i: (-len(wanted & set(content_stems(sentences[i]))), i))
    return [sentences[i] for i in ranked[:HARD_PER_ABSTRACT]]


def _groups(claims: Sequence[scifact.Claim]) -> dict[str, int]:
    """Claims that share an abstract, directly or through others, have one number."""
    parent: dict[str, str] = {}

    def root(node: str) -> str:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for claim in claims:
        for doc in {*claim.cited, *(e[0] for e in claim.evidence)}:
            parent[root(f"claim {claim.id}")] = root(f"abstract {doc}")
    numbers: dict[str, int] = {}
    return {claim.id: numbers.setdefault(root(f"claim {claim.id}"), len(numbers)) for claim in claims}
