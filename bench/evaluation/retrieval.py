"""Retrieval on SciFact: the evidence service's own relevance, against words alone and meaning alone.

Queries are the 809 training claims, documents the 5,183 abstracts (title and text as one passage), relevant are the
abstracts that a claim cites or takes its evidence from, as BEIR reads the test split. The fusion was chosen on one half
of the claims; what must hold is read on the other.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.evaluation import scifact, vectors
from bench.evaluation.report import Row, above, skipped
from services.evidence.domain import scoring
from services.evidence.domain.bm25 import Collection
from services.evidence.domain.words import content_stems

TITLE = "Retrieval: SciFact training claims over 5,183 abstracts, nDCG@10"
SPLIT_SEED = 5
DEPTH = 10
_LOOKED_AT = 300

Scores = NDArray[np.float64]


def run(data: Path) -> list[Row]:
    """Return nDCG@10 of the fused ranking, of BM25 and of the embedder."""
    if not (data / "scifact" / "corpus.jsonl.gz").is_file():
        return [skipped("fused", f"{data / 'scifact'} is absent")]
    claims, abstracts = scifact.claims(data), scifact.corpus(data)
    try:
        documents = vectors.embed([a.text for a in abstracts])
        queries = vectors.embed([c.text for c in claims])
    except vectors.NoEmbedder as error:
        return [skipped("fused", str(error))]
    place = {abstract.id: i for i, abstract in enumerate(abstracts)}
    relevant = [{place[doc] for doc in {*c.cited, *(e[0] for e in c.evidence)}} for c in claims]
    words = _Words([a.text for a in abstracts])
    bm25, fused = [], []
    cosines = queries @ documents.T
    for claim, cosine in zip(claims, cosines, strict=True):
        raw, lexical = words.scores(claim.text)
        bm25.append(raw)
        fused.append(_fused(lexical, cosine))
    chosen, held = halves(len(claims))
    of = {
        name: ([ndcg(s, r) for s, r in zip(scores, relevant, strict=True)])
        for name, scores in (("fused", fused), ("bm25", bm25), ("embedder", list(cosines)))
    }
    mean = {name: (_mean(values, chosen), _mean(values, held), float(np.mean(values))) for name, values in of.items()}
    n = f"{len(held)} claims held out"
    return [
        above("fused", mean["fused"][1], "BM25", mean["bm25"][1], note=n),
        above("fused", mean["fused"][1], "embedder", mean["embedder"][1], note=n),
        Row("fused less BM25, lower 95 %", _lower(of["fused"], of["bm25"], held), "> 0", holds=None,
            note="paired bootstrap over the held-out claims"),
        above("fused, all 809 claims", mean["fused"][2], "BM25", mean["bm25"][2], note="both halves"),
        Row("fused, the half it was chosen on", mean["fused"][0], f"BM25 {mean['bm25'][0]:.3f}"),
    ]  # fmt: skip


def halves(count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the half on which the fusion was chosen, and the half that reports."""
    mixed = np.random.default_rng(SPLIT_SEED).permutation(count)
    return mixed[: count // 2], mixed[count // 2 :]


def ndcg(scores: NDArray[np.floating], relevant: set[int], depth: int = DEPTH) -> float:
    """Return the normalised discounted cumulative gain of the `depth` best (binary gain, ties by place)."""
    best = np.argsort(-scores, kind="stable")[:depth]
    gain = sum(1.0 / math.log2(rank + 2) for rank, doc in enumerate(best.tolist()) if doc in relevant)
    return gain / sum(1.0 / math.log2(rank + 2) for rank in range(min(depth, len(relevant))))


class _Words:
    """The product's BM25 over all documents at once: only documents that hold a word are visited."""

    def __init__(self, texts: Sequence[str]) -> None:
        found = [content_stems(text) for text in texts]
        self._lengths = [len(stems) for stems in found]
        self._plain = Collection.of(found)
        self._prior = Collection.of(found, prior=True)
        self._holders: dict[str, list[tuple[int, int]]] = {}
        for doc, stems in enumerate(found):
            for word, times in Counter(stems).items():
                self._holders.setdefault(word, []).append((doc, times))

    def scores(self, query: str) -> tuple[Scores, Scores]:
        """Return plain BM25 with every word of the query, and the product's lexical score."""
        raw = self._sum(self._plain, dict.fromkeys(content_stems(query), 1.0))
        words = scoring.query_words([query])
        found = self._sum(self._prior, words)
        return raw, np.array([scoring.words_convince(s, words, self._prior) for s in found.tolist()])

    def _sum(self, collection: Collection, words: Mapping[str, float]) -> Scores:
        total = np.zeros(len(self._lengths))
        for word, share in words.items():
            for doc, times in self._holders.get(word, ()):
                total[doc] += share * collection.weight(word, times, self._lengths[doc])
        return total


def _fused(lexical: Scores, cosine: NDArray[np.float32]) -> Scores:
    """The product's fusion for the documents that can be among the best; the others get what they cannot exceed.

    A document outside the best `_LOOKED_AT` of both lists has less than the last of each.
    """
    best = set(np.argsort(-lexical)[:_LOOKED_AT].tolist()) | set(np.argsort(-cosine)[:_LOOKED_AT].tolist())
    least = scoring.hybrid(float(np.sort(lexical)[-_LOOKED_AT]), float(np.sort(cosine)[-_LOOKED_AT]))
    found = np.full(len(lexical), least)
    for doc in best:
        found[doc] = scoring.hybrid(float(lexical[doc]), float(cosine[doc]))
    if np.sort(found)[-DEPTH] <= least:
        return np.array([scoring.hybrid(x, c) for x, c in zip(lexical.tolist(), cosine.tolist(), strict=True)])
    return found


def _mean(values: Sequence[float], which: NDArray[np.int64]) -> float:
    return float(np.mean([values[i] for i in which]))


def _lower(one: Sequence[float], other: Sequence[float], which: NDArray[np.int64]) -> float:
    gains = np.array([one[i] - other[i] for i in which])
    drawn = np.random.default_rng(SPLIT_SEED)
    means = [gains[drawn.integers(0, len(gains), len(gains))].mean() for _ in range(1_000)]
    return float(np.percentile(means, 2.5))
