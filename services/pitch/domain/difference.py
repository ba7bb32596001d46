"""How different two decks of one idea are."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.v1 import pitch_pb2


def said(slides: Iterable[pitch_pb2.Slide]) -> frozenset[str]:
    """Everything the content slides state: statements, table rows, charts; sources and marks are no statements."""
    found: set[str] = set()
    for slide in slides:
        if slide.type == pitch_pb2.SLIDE_TYPE_SOURCES:
            continue
        found.update(statement.text for statement in slide.statements)
        found.update(" | ".join(row.cells) for row in slide.table.rows)
        if slide.HasField("chart"):
            found.add(slide.chart.SerializeToString(deterministic=True).hex())
    return frozenset(found)


def unshared(one: Iterable[pitch_pb2.Slide], other: Iterable[pitch_pb2.Slide]) -> float:
    """Share of what two decks state that only one of them states: 0 for the same deck, 1 for nothing in common.

    The Jaccard distance of their sets of statements.
    """
    first, second = said(one), said(other)
    together = first | second
    return 1 - len(first & second) / len(together) if together else 0.0
