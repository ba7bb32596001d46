"""Train the stance model on SciFact's training claims and write its weights where the evidence service reads them.

    python -m bench.evaluation.train_stance [path of the data]

Newton's method on the penalised likelihood: 2,181 pairs and 47 features need no library. The classes are weighted by
the square root of their rarity; one temperature, fitted on folds that the weights have not seen, makes the
probabilities mean what they say. Deterministic: the same data give the same file.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.evaluation import pairs, vectors
from services.evidence.domain.stance_features import measure
from services.evidence.domain.stance_model import CLASSES, NAMES

Array = NDArray[np.float64]
PENALTY = 60.0
RARITY_POWER = 0.5
FOLDS = 10
INNER_FOLDS = 5
SEED = 7
TARGET = Path("services/evidence/data/stance_model.json")


class Table(NamedTuple):
    """Features (rows are pairs), classes as places in `CLASSES`, and groups."""

    names: tuple[str, ...]
    values: Array
    classes: NDArray[np.int64]
    groups: NDArray[np.int64]

    def without(self, names: Sequence[str]) -> Table:
        kept = [i for i, name in enumerate(self.names) if name not in names]
        return self._replace(names=tuple(self.names[i] for i in kept), values=self.values[:, kept])

    def only(self, names: Sequence[str]) -> Table:
        return self.without([name for name in self.names if name not in names])


class Fitted(NamedTuple):
    """Weights (first row: bias) for standardised features, and how those were standardised."""

    weights: Array
    mean: Array
    scale: Array
    temperature: float

    def odds(self, values: Array) -> Array:
        return _design((values - self.mean) / self.scale) @ self.weights

    def probabilities(self, values: Array) -> Array:
        return softmax(self.odds(values) / self.temperature)


def table(found: Sequence[pairs.Pair], with_vectors: bool) -> Table:
    """Measure every pair; with the embedder's cosines or without."""
    cosines: Sequence[float | None] = [None] * len(found)
    if with_vectors:
        claims = vectors.embed([pair.claim for pair in found])
        passages = vectors.embed([pair.passage for pair in found])
        cosines = [float(cosine) for cosine in (claims * passages).sum(axis=1)]
    rows = [measure(pair.claim, pair.passage, cosine) for pair, cosine in zip(found, cosines, strict=True)]
    names = tuple(rows[0])
    return Table(
        names,
        np.array([[row[name] for name in names] for row in rows]),
        np.array([CLASSES.index(pair.stance) for pair in found]),
        np.array([pair.group for pair in found]),
    )


def folds(groups: NDArray[np.int64], count: int, seed: int = SEED) -> NDArray[np.int64]:
    """Return the fold of each row; a group is never split."""
    known, place = np.unique(groups, return_inverse=True)
    return np.asarray(np.random.default_rng(seed).permutation(len(known)) % count)[place]


def fit(values: Array, classes: NDArray[np.int64], groups: NDArray[np.int64]) -> Fitted:
    """Fit the weights on all rows, and the temperature on folds within them."""
    inner = folds(groups, INNER_FOLDS)
    held = np.zeros((len(classes), len(CLASSES)))
    for fold in range(INNER_FOLDS):
        train = inner != fold
        held[~train] = _fit(values[train], classes[train]).odds(values[~train])
    return _fit(values, classes)._replace(temperature=_temperature(held, classes))


def cross_validated(data: Table) -> Array:
    """Return the calibrated probabilities of every pair, each from a model that saw nothing of its group."""
    outer = folds(data.groups, FOLDS)
    found = np.zeros((len(data.classes), len(CLASSES)))
    for fold in range(FOLDS):
        train = outer != fold
        fitted = fit(data.values[train], data.classes[train], data.groups[train])
        found[~train] = fitted.probabilities(data.values[~train])
    return found


def softmax(odds: Array) -> Array:
    raised = np.exp(odds - odds.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _design(values: Array) -> Array:
    return np.hstack([np.ones((len(values), 1)), values])


def _fit(values: Array, classes: NDArray[np.int64]) -> Fitted:
    mean, scale = values.mean(axis=0), values.std(axis=0)
    scale = np.where(scale < 1e-9, 1.0, scale)
    x = _design((values - mean) / scale)
    count, width = len(CLASSES), x.shape[1]
    wanted = np.eye(count)[classes]
    per_class = np.bincount(classes, minlength=count)
    rows = ((len(classes) / count / per_class) ** RARITY_POWER)[classes]
    penalty = np.full(width, PENALTY)
    penalty[0] = 1e-6  # the bias is free
    weights = np.zeros((width, count))
    for _ in range(50):
        p = softmax(x @ weights)
        gradient = x.T @ ((p - wanted) * rows[:, None]) + penalty[:, None] * weights
        hessian = np.diag(np.tile(penalty, count)) + 1e-6 * np.eye(width * count)
        for a in range(count):
            for b in range(count):
                curve = rows * p[:, a] * (float(a == b) - p[:, b])
                hessian[a * width : (a + 1) * width, b * width : (b + 1) * width] += (x * curve[:, None]).T @ x
        step = np.linalg.solve(hessian, gradient.T.ravel()).reshape(count, width).T
        weights -= step
        if np.abs(step).max() < 1e-8:
            break
    return Fitted(weights, mean, scale, 1.0)


def _temperature(odds: Array, classes: NDArray[np.int64]) -> float:
    """The divisor of the log odds under which the true classes are likeliest."""
    tried = np.exp(np.linspace(np.log(0.5), np.log(3.0), 181))
    rows = np.arange(len(classes))
    losses = [-np.log(softmax(odds / t)[rows, classes] + 1e-12).mean() for t in tried]
    return float(tried[int(np.argmin(losses))])


def stored(data: Table) -> dict[str, Any]:
    """Return the fitted model as the file holds it."""
    fitted = fit(data.values, data.classes, data.groups)
    return {
        "temperature": round(fitted.temperature, 4),
        "bias": [round(float(w), 4) for w in fitted.weights[0]],
        "features": [
            {
                "name": name,
                "mean": round(float(fitted.mean[i]), 5),
                "scale": round(float(fitted.scale[i]), 5),
                "weights": [round(float(w), 4) for w in fitted.weights[i + 1]],
            }
            for i, name in enumerate(data.names)
        ],
    }


def main(data: Path) -> None:
    found = pairs.pairs(data)
    with_vectors = table(found, with_vectors=True)
    counts = np.bincount(with_vectors.classes, minlength=len(CLASSES))
    document = {
        "about": "Multinomial logistic regression: see services/evidence/domain/stance_model.py.",
        "classes": list(NAMES),
        "training": {
            "data": "SciFact training claims (CC BY 4.0) with sentences of the abstracts they cite (ODC-By 1.0)",
            "script": "python -m bench.evaluation.train_stance",
            "pairs": dict(zip(NAMES, (int(n) for n in counts), strict=True)),
            "groups": len(np.unique(with_vectors.groups)),
            "penalty": PENALTY,
            "embedder": "all-MiniLM-L6-v2-onnx-int8",
        },
        "with_vectors": stored(with_vectors),
        "words_only": stored(table(found, with_vectors=False)),
    }
    TARGET.parent.mkdir(exist_ok=True)
    lines = json.dumps(document, indent=1)
    TARGET.write_text(lines + "\n", encoding="utf-8")
    print(f"{TARGET}: {len(with_vectors.names)} features, {len(found)} pairs")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data"))
