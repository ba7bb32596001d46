"""The stance model: a multinomial logistic regression whose every weight can be read.

    z(feature)   = (value - mean) / scale                        as in training
    log odds(k)  = (bias(k) + sum of weight(feature, k) z) / temperature
    P(k)         = softmax over supports, contradicts, mentions

It was trained on scientific claims; of business talk it knows the shape (overlap, negation, direction, figures), not
the words. Where the claim's kind has cues of its own they are added with weights set by hand, and the model's own log
odds count by a quarter: see `MODEL_SHARE` and `CUE_LOG_ODDS`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pipeline.v1 import common_pb2

# The order of every triple in the file.
CLASSES = (common_pb2.STANCE_SUPPORTS, common_pb2.STANCE_CONTRADICTS, common_pb2.STANCE_MENTIONS)
NAMES = ("supports", "contradicts", "mentions")

# How much of the model's log odds is believed of a claim whose kind has cues of its own: business talk is not what it
# learnt from. On our own 60 passages (bench/evaluation/business.py) more of it takes more sides and errs more often.
MODEL_SHARE = 0.25
# Log odds that the cues add to their side: this for endlessly many, half of it for one.
CUE_LOG_ODDS = 4.0
# Standard deviations beyond which a value counts no further: what training has not seen is not extrapolated.
Z_MAX = 4.0

Triple = tuple[float, float, float]


class Contribution(NamedTuple):
    """A feature, its value in the two texts, and what it added to the log odds of the stance against the others."""

    name: str
    value: float
    contribution: float


@dataclass(frozen=True)
class Feature:
    """Name, mean and scale of the training values, and a weight for each class."""

    name: str
    mean: float
    scale: float
    weights: Triple


@dataclass(frozen=True)
class StanceModel:
    """One set of weights. Raises ValueError where the file is not one."""

    features: tuple[Feature, ...]
    bias: Triple
    temperature: float

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> StanceModel:
        """Return the model from its JSON object."""
        try:
            features = tuple(
                Feature(f["name"], float(f["mean"]), float(f["scale"]), _triple(f["weights"]))
                for f in stored["features"]
            )
            model = cls(features, _triple(stored["bias"]), float(stored["temperature"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a stance model: {error}") from error
        if model.temperature <= 0 or any(f.scale <= 0 for f in features):
            raise ValueError("not a stance model: scales and temperature must be above 0")
        return model

    def log_odds(self, values: Mapping[str, float]) -> tuple[Triple, list[tuple[Feature, float, Triple]]]:
        """Return the log odds of each class, and each feature's part in them; one without a value adds nothing."""
        parts: list[tuple[Feature, float, Triple]] = []
        for feature in self.features:
            value = values.get(feature.name, feature.mean)
            z = min(max((value - feature.mean) / feature.scale, -Z_MAX), Z_MAX) / self.temperature
            parts.append((feature, value, (feature.weights[0] * z, feature.weights[1] * z, feature.weights[2] * z)))
        total = [self.bias[k] / self.temperature + math.fsum(part[2][k] for part in parts) for k in range(3)]
        return (total[0], total[1], total[2]), parts


@dataclass(frozen=True)
class StanceModels:
    """The weights for texts with vectors, and those for words alone."""

    with_vectors: StanceModel
    words_only: StanceModel

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> StanceModels:
        """Return both models from the file's JSON object. Raises ValueError where it is not one."""
        try:
            return cls(StanceModel.of(stored["with_vectors"]), StanceModel.of(stored["words_only"]))
        except KeyError as error:
            raise ValueError(f"not a stance model: {error} is missing") from error

    def for_cosine(self, cosine: float | None) -> StanceModel:
        return self.words_only if cosine is None else self.with_vectors


class Decision(NamedTuple):
    """The likeliest class, the probability of each, and what weighed in it, heaviest first."""

    stance: common_pb2.Stance.ValueType
    probabilities: Triple
    contributions: tuple[Contribution, ...]

    @property
    def confidence(self) -> float:
        return max(self.probabilities)


def decide(model: StanceModel, values: Mapping[str, float], cues: tuple[int, int] | None = None) -> Decision:
    """Return the stance that the features speak for.

    `cues` is how many words of the claim's kind speak for it and against it; None where no rule knows the kind.
    """
    odds, parts = model.log_odds(values)
    share = 1.0 if cues is None else MODEL_SHARE
    pro, con = (0.0, 0.0) if cues is None else (_strength(cues[0]), _strength(cues[1]))
    probabilities = _softmax((odds[0] * share + pro, odds[1] * share + con, odds[2] * share))
    best = max(range(3), key=lambda k: (probabilities[k], k))
    found = [Contribution(f.name, value, share * _against_rest(part, best)) for f, value, part in parts]
    if cues is not None:
        found.append(Contribution("cues_for", float(cues[0]), _against_rest((pro, 0.0, 0.0), best)))
        found.append(Contribution("cues_against", float(cues[1]), _against_rest((0.0, con, 0.0), best)))
    found.sort(key=lambda c: (-abs(c.contribution), c.name))
    return Decision(CLASSES[best], probabilities, tuple(found))


def _strength(cues: int) -> float:
    return float(CUE_LOG_ODDS * (1.0 - 0.5 ** min(cues, 30)))


def _against_rest(part: Triple, best: int) -> float:
    """What a part adds to one class more than to the mean of the other two."""
    return part[best] - sum(part[k] for k in range(3) if k != best) / 2.0


def _softmax(odds: Triple) -> Triple:
    top = max(odds)
    raised = [math.exp(value - top) for value in odds]
    total = math.fsum(raised)
    return (raised[0] / total, raised[1] / total, raised[2] / total)


def _triple(values: Sequence[float]) -> Triple:
    if len(values) != 3:
        raise ValueError("not a stance model: a weight for each of supports, contradicts and mentions is needed")
    return (float(values[0]), float(values[1]), float(values[2]))
