"""The shape of a field of business."""

from __future__ import annotations

from typing import NamedTuple


class Category(NamedTuple):
    """One field of business; terms are comma-separated lemmas or phrases of lemmas."""

    slug: str
    label: str
    segment: str
    strong: str
    medium: str
    weak: str
    # Entity name -> trigger lemmas, separated by spaces.
    entities: dict[str, str]
    # Who usually uses such a product; shown as inferred.
    audience: str
    # Endings for name candidates.
    tails: str
