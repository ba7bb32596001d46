"""What was counted, as the statistics read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

VARIANTS = ("a", "b")


@dataclass(frozen=True)
class DayCount:
    """People who came for the first time on a day (UTC) and those among them who have signed up since."""

    day: date
    variant: str
    visitors: int
    signups: int
    views: int = 0


@dataclass(frozen=True)
class Counts:
    """All days, in their order, and the visits that were left out as automatic."""

    days: Sequence[DayCount]
    bots: int = 0

    def visitors(self, variant: str = "") -> int:
        """Visitors of a variant; of both for ""."""
        return sum(d.visitors for d in self.days if not variant or d.variant == variant)

    def signups(self, variant: str = "") -> int:
        """Sign-ups of a variant; of both for ""."""
        return sum(d.signups for d in self.days if not variant or d.variant == variant)

    def views(self, variant: str = "") -> int:
        """Page views of a variant; of both for ""."""
        return sum(d.views for d in self.days if not variant or d.variant == variant)
