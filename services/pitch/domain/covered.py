"""Takes off the slides what shows a number that nothing covers, so that one odd text cannot cost the whole deck.

Builders carry every number's source along, so nothing should be taken off. Where something is, the deck says so: a
line that is lacking is honest, a number without a source is not, and no deck at all helps nobody.
"""

from __future__ import annotations

from pipeline.v1 import common_pb2, pitch_pb2
from services.pitch.domain import words
from services.pitch.domain.numbers import Coverage, chart_texts

GAP = "What stood here showed a number that no source and no assumption covers: it was left out."


def settle(slide: pitch_pb2.Slide, coverage: Coverage) -> list[common_pb2.Notice]:
    """Take from a slide every line, row, header or chart with an uncovered number; one notice for each.

    A title gives way to the slide's kind in words. A slide that would be empty says what became of it.
    """
    lost: list[tuple[str, str]] = []
    plain = _kind(slide)
    if not coverage.covers(slide.title, (), ()):
        lost.append(("title", slide.title))
        slide.title = plain
    kept = []
    for statement in slide.statements:
        if coverage.covers(statement.text, statement.citation_ids, statement.assumption_ids):
            kept.append(statement)
        else:
            lost.append(("line", statement.text))
    lost += _settle_table(slide, coverage)
    chart = slide.chart
    texts_covered = all(coverage.covers(t, chart.citation_ids, chart.assumption_ids) for t in chart_texts(chart))
    if not (texts_covered and coverage.covers_values(chart)):
        lost.append(("chart", chart.title))
        slide.ClearField("chart")
    if lost and not (kept or slide.table.rows or slide.HasField("chart")):
        kept.append(pitch_pb2.Statement(text=GAP))
    if lost:
        del slide.statements[:]
        slide.statements.extend(kept)
    return [_notice(plain, part, text) for part, text in lost]


def _settle_table(slide: pitch_pb2.Slide, coverage: Coverage) -> list[tuple[str, str]]:
    lost: list[tuple[str, str]] = []
    rows = []
    for row in slide.table.rows:
        if all(coverage.covers(cell, row.citation_ids, row.assumption_ids) for cell in row.cells):
            rows.append(row)
        else:
            lost.append(("row", " | ".join(row.cells)))
    if not all(coverage.covers(cell, (), ()) for cell in slide.table.header):
        lost.append(("table", " | ".join(slide.table.header)))
        rows = []
    if lost and not rows:
        slide.ClearField("table")
    elif lost:
        kept = pitch_pb2.Table(header=slide.table.header, rows=rows)
        slide.table.CopyFrom(kept)
    return lost


def _kind(slide: pitch_pb2.Slide) -> str:
    """The slide's type in words: "Go to market"."""
    return pitch_pb2.SlideType.Name(slide.type).removeprefix("SLIDE_TYPE_").replace("_", " ").capitalize()


def _notice(kind: str, part: str, text: str) -> common_pb2.Notice:
    message = (
        f"A {part} of the slide “{kind}” was left out, because no source covers a number in it: {words.clip(text, 120)}"
    )
    return common_pb2.Notice(subject="deck", message=message, phase=common_pb2.PHASE_PITCH)
