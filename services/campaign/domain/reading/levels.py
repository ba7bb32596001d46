"""How the plan's error rate is shared out, so that looking every day and deciding at the end costs no more than it.

A fifth of alpha goes to the daily looks, four fifths to the test at the planned sample. By the union bound both
together err with probability alpha at most, on either side.
"""

from __future__ import annotations

LOOKS_SHARE = 0.2
# A week, so that every weekday is in the sample: weekend visitors are other people.
DAYS_MIN = 7
# More automatic visits than this say that the count is of something else.
BOTS_SHARE_MAX = 0.8


def looks_alpha(alpha: float) -> float:
    """One-sided level of the test that is looked at every day."""
    return alpha * LOOKS_SHARE


def final_alpha(alpha: float) -> float:
    """One-sided level of the test at the planned sample."""
    return alpha * (1 - LOOKS_SHARE)
