"""Measures that the sections share, each in the plain form of its definition."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Places = NDArray[np.int64]


def ranks(values: Array) -> Array:
    """Return ranks from 1, the mean rank for ties."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray(((last - counts + 1 + last) / 2.0)[place])


def auc(scores: Array, positive: NDArray[np.bool_]) -> float:
    """Return the share of (positive, negative) pairs in which the positive scores higher; ties count half."""
    n = int(positive.sum())
    total = ranks(scores)[positive].sum() - n * (n + 1) / 2
    return float(total / (n * (len(scores) - n)))


def spearman(one: Array, other: Array) -> float:
    """Return the correlation of the ranks."""
    return float(np.corrcoef(ranks(one), ranks(other))[0, 1])


def f1_by_class(wanted: Places, given: Places, classes: int) -> Array:
    """Return each class's F1: the harmonic mean of precision and recall, 0 for a class never met."""
    found = []
    for k in range(classes):
        both = int(((wanted == k) & (given == k)).sum())
        either = int((wanted == k).sum() + (given == k).sum())
        found.append(2.0 * both / either if either else 0.0)
    return np.array(found)


def macro_f1(wanted: Places, given: Places, classes: int = 3) -> float:
    """Return the mean of the classes' F1."""
    return float(f1_by_class(wanted, given, classes).mean())


class Bin:
    """Predictions of about the same confidence: how sure they were, and how often they were right."""

    def __init__(self, low: float, high: float, count: int, confidence: float, accuracy: float) -> None:
        self.low, self.high, self.count = low, high, count
        self.confidence, self.accuracy = confidence, accuracy


def calibration(probabilities: Array, wanted: Places, bins: int = 10) -> list[Bin]:
    """Return the bins of equal width that hold predictions."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == wanted
    found = []
    for k in range(bins):
        low, high = k / bins, (k + 1) / bins
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            mean, share = float(confidence[inside].mean()), float(right[inside].mean())
            found.append(Bin(low, high, int(inside.sum()), mean, share))
    return found


def expected_calibration_error(bins: list[Bin]) -> float:
    """Return the mean distance of confidence and accuracy, weighted by the bins' sizes."""
    total = sum(b.count for b in bins)
    return sum(b.count * abs(b.confidence - b.accuracy) for b in bins) / total if total else 0.0
