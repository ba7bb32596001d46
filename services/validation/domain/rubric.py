"""What every criterion is made with: the idea at hand, a scored and an unscored criterion."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from chassis.idea import words as w
from pipeline.v1 import common_pb2 as pb
from pipeline.v1 import validation_pb2 as vpb

QUOTE_CHARS_MAX = 90


BASIS_MAX = 5


@dataclass(frozen=True)
class Idea:
    """What every criterion looks at."""

    profile: pb.IdeaProfile

    @property
    def text(self) -> str:
        return self.profile.idea

    def stated(self, field: str) -> bool:
        """Whether the idea's own words fill the field."""
        return field in self.profile.basis and field not in self.profile.inferred_fields

    @property
    def mechanisms(self) -> list[str]:
        """The words of the idea that say how it works."""
        return self.profile.basis["mechanisms"].split("; ") if self.stated("mechanisms") else []

    def quote(self, limit: int = QUOTE_CHARS_MAX) -> str:
        """The idea, or its beginning, in quotes."""
        short = w.clip(self.text.rstrip(" .!?"), limit)
        return f"“{short}{'' if len(short) >= len(self.text.rstrip(' .!?')) else ' …'}”"


def made(
    criterion: vpb.Criterion.ValueType,
    points: float,
    basis: Sequence[str],
    reason: str,
    confidence: float,
    improvement: str,
) -> vpb.CriterionScore:
    value = max(1, min(5, round(points)))
    words = w.unique(text for text in basis if text)[:BASIS_MAX]
    if not words:
        return unscored(criterion, reason, improvement)
    return vpb.CriterionScore(
        criterion=criterion, score=value, basis=words, reason=reason,
        confidence=round(max(0.05, min(0.95, confidence)), 2), improvement="" if value == 5 else improvement,
    )  # fmt: skip


def unscored(criterion: vpb.Criterion.ValueType, reason: str, improvement: str) -> vpb.CriterionScore:
    return vpb.CriterionScore(criterion=criterion, reason=reason, improvement=improvement)


def hits(pattern: re.Pattern[str], text: str) -> list[str]:
    return w.unique(match.group().strip(" .,;") for match in pattern.finditer(text))
