"""Likeness on Amazon-Google products: is it the same product? With the function that validation's duplicates use."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from bench.evaluation import vectors
from bench.evaluation.measures import auc
from bench.evaluation.report import Row, at_least, skipped
from chassis.idea.likeness import Rarity, likeness

TITLE = "Duplicates: Amazon-Google product pairs, area under the ROC curve"
LEAST = 0.93


def run(data: Path) -> list[Row]:
    """Return the AUC of likeness over the 6,874 training pairs; no weight is fitted to them."""
    path = data / "amazon_google" / "amazon_google-train.jsonl"
    if not path.is_file():
        return [skipped("likeness", f"{path} is absent")]
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    same = np.array([row["label"] == 1 for row in rows])
    one, other = ([f"{row[side]['title']} {row[side]['manufacturer']}".strip() for row in rows] for side in "ab")
    rarity = Rarity.of([*one, *other])
    plain = np.array([likeness(a, b, None, rarity) for a, b in zip(one, other, strict=True)])
    found = [Row("words alone", auc(plain, same))]
    try:
        cosine = (vectors.embed(one) * vectors.embed(other)).sum(axis=1).astype(np.float64)
    except vectors.NoEmbedder as error:
        return [at_least("likeness", found[0].value or 0.0, LEAST, note=str(error))]
    both = np.array([likeness(a, b, c, rarity) for a, b, c in zip(one, other, cosine.tolist(), strict=True)])
    return [
        Row("meaning alone", auc(cosine, same)),
        *found,
        at_least(
            "likeness", auc(both, same), LEAST, note=f"{len(rows)} pairs, {same.sum()} the same; title TF-IDF 0.90"
        ),
    ]
