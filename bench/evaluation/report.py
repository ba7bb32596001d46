"""A row of the table: what was measured, what it must hold, and whether it does."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One number. `holds` is None where nothing is promised of it, and where it could not be measured."""

    name: str
    value: float | None
    # What it must reach, or what it is compared with, in words: ">= 0.80", "BM25 0.690".
    bound: str = ""
    unit: str = ""
    holds: bool | None = None
    note: str = ""


def skipped(name: str, reason: str) -> Row:
    """A row for what could not be measured."""
    return Row(name, None, note=f"skipped: {reason}")


def at_least(name: str, value: float, least: float, unit: str = "", note: str = "") -> Row:
    """A row that must reach a bound."""
    return Row(name, value, f">= {least:g}", unit, value >= least, note)


def above(name: str, value: float, other: str, floor: float, unit: str = "", note: str = "") -> Row:
    """A row that must be above another number."""
    return Row(name, value, f"> {floor:.3f} ({other})", unit, value > floor, note)


def table(sections: list[tuple[str, list[Row]]]) -> str:
    """Return the aligned table; a bound that is missed is marked MISSED."""
    rows = [row for _, found in sections for row in found]
    width = max((len(row.name) for row in rows), default=0)
    bounds = max((len(row.bound) for row in rows), default=0)
    lines: list[str] = []
    for title, found in sections:
        lines += ["", title]
        for row in found:
            value = "-" if row.value is None else f"{row.value:.3f}"
            mark = {True: "holds", False: "MISSED", None: ""}[row.holds]
            lines.append(
                f"  {row.name:<{width}}  {value:>9} {row.unit:<4} {row.bound:<{bounds}}  {mark:<6}  {row.note}".rstrip()
            )
    return "\n".join(lines).lstrip("\n")
