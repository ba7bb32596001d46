"""One line of the evaluation's table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A measured figure and what was asked of it. `bound` says the bound in words (">= 0.80"); "" where none is set."""

    name: str
    value: float
    bound: str = ""
    unit: str = ""
    # Whether the value keeps the bound; None where none is set.
    holds: bool | None = None
    # What the reader should know: sample size, method.
    note: str = ""
