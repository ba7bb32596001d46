"""The embedder on the STS benchmark: does its cosine rank sentence pairs as people do?"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from bench.evaluation import vectors
from bench.evaluation.measures import spearman
from bench.evaluation.report import Row, at_least, skipped

TITLE = "Embedder: STS benchmark, development split, Spearman"
LEAST = 0.80


def run(data: Path) -> list[Row]:
    """Return the rank correlation of cosine and human score over the 1,500 pairs."""
    path = data / "stsb" / "sts-dev.jsonl"
    if not path.is_file():
        return [skipped("cosine", f"{path} is absent")]
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    try:
        one, other = vectors.embed([r["s1"] for r in rows]), vectors.embed([r["s2"] for r in rows])
    except vectors.NoEmbedder as error:
        return [skipped("cosine", str(error))]
    cosine = (one * other).sum(axis=1).astype(np.float64)
    return [
        at_least("cosine", spearman(cosine, np.array([r["score"] for r in rows])), LEAST, note=f"{len(rows)} pairs")
    ]
