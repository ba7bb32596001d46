"""Walks a finished .pptx: every visible text with its marks, what each mark lists, and whether text fits its shape.

Reads only the file, with none of the writer's own bookkeeping.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pptx import Presentation

from services.pitch.render.fit import text_height

MARK = re.compile(r"^(?:\[(\d+)\]|A(\d+))$")
_VALUE = re.compile(
    r"(?<![\w.,])(?<![A-Za-z]-)(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)\s?(k|M|B|million|billion|x)?(?!\w)"
)
_SCALE = {"k": 1e3, "M": 1e6, "million": 1e6, "B": 1e9, "billion": 1e9}
# Ordinals, marks and names of rules are no quantities.
_IGNORED = re.compile(r"\[\d+\]|\b[Yy]ears? \d\b|\b(?:article|part|section) \d+", re.IGNORECASE)


@dataclass
class Line:
    """A visible text with the marks that stand beside it."""

    where: str
    text: str
    marks: set[str] = field(default_factory=set)
    # A chart holds the exact value of what its page lists rounded.
    exact: bool = False


def read(blob: bytes) -> Any:
    """The presentation."""
    return Presentation(io.BytesIO(blob))


def values(text: str) -> list[float]:
    """Quantities in a text."""
    found = []
    for match in _VALUE.finditer(_IGNORED.sub(" ", text)):
        found.append(float(match[1].replace(",", "")) * _SCALE.get(match[2] or "", 1.0))
    return found


def kicker(slide: Any) -> str:
    """The small line above the title."""
    return next(str(shape.text_frame.text) for shape in slide.placeholders if shape.placeholder_format.idx == 13)


def is_reference(slide: Any) -> bool:
    """Whether the slide lists sources or assumptions."""
    return kicker(slide) == "SOURCES"


def _paragraph(where: str, paragraph: Any) -> Line:
    line = Line(where, "")
    for run in paragraph.runs:
        if MARK.match(run.text.strip()):
            line.marks.add(run.text.strip())
        else:
            line.text += run.text
    return line


def content_lines(slide: Any) -> Iterator[Line]:
    """Statements, cards, table rows (a row shares its marks) and charts (marked by their caption)."""
    captions = [shape for shape in slide.shapes if shape.name == "Chart sources"]
    for shape in slide.shapes:
        where = f"{kicker(slide)}: {shape.name}"
        if shape.has_text_frame and shape not in captions:
            if shape.is_placeholder and shape.placeholder_format.idx in {11, 12, 13}:
                continue
            lines = [_paragraph(where, paragraph) for paragraph in shape.text_frame.paragraphs]
            if shape.name == "Quote":
                # A card is one statement in three paragraphs; its marks stand behind the last.
                marks = set().union(*(line.marks for line in lines))
                lines = [Line(where, line.text, marks) for line in lines]
            yield from lines
        if getattr(shape, "has_table", False) and shape.has_table:
            for row in shape.table.rows:
                cells = [_paragraph(where, cell.text_frame.paragraphs[0]) for cell in row.cells]
                marks = set().union(*(cell.marks for cell in cells))
                yield from (Line(where, cell.text, marks) for cell in cells)
        if getattr(shape, "has_chart", False) and shape.has_chart:
            marks = set()
            for caption in captions:
                marks |= _paragraph(where, caption.text_frame.paragraphs[0]).marks
            plot = shape.chart.plots[0]
            for name in plot.categories:
                yield Line(where, str(name), marks)
            for series in plot.series:
                for value in series.values:
                    yield Line(where, repr(float(value)), marks, exact=True)


def listed(presentation: Any) -> dict[str, list[float]]:
    """What every mark stands for, as its own page says it: row and notes."""
    found: dict[str, list[float]] = {}
    for slide in presentation.slides:
        if not is_reference(slide):
            continue
        for shape in slide.shapes:
            if getattr(shape, "has_table", False) and shape.has_table:
                for row in list(shape.table.rows)[1:]:
                    mark, *rest = [cell.text_frame.text for cell in row.cells]
                    found.setdefault(mark, []).extend(values(" | ".join(rest)))
        for line in slide.notes_slide.notes_text_frame.text.splitlines():
            match = re.match(r"(\[\d+\]|A\d+) (.*)", line)
            if match:
                found.setdefault(match[1], []).extend(values(match[2]))
    return found


def overflows(presentation: Any) -> Iterator[str]:
    """Shapes whose text is higher than they are, tables that run off the page, shapes outside of it."""
    width, height = presentation.slide_width, presentation.slide_height
    for number, slide in enumerate(presentation.slides, 1):
        for shape in slide.shapes:
            if shape.left < 0 or shape.top < 0 or shape.left + shape.width > width or shape.top + shape.height > height:
                yield f"slide {number}: {shape.name} leaves the page"
            if shape.has_text_frame and shape.text_frame.text.strip():
                needed, room = _needed(shape), shape.height.pt
                if needed > room + 0.5:
                    yield f"slide {number}: {shape.name} needs {needed:.0f} of {room:.0f} pt"
            if getattr(shape, "has_table", False) and shape.has_table:
                yield from _table_overflows(number, shape)


def _needed(shape: Any) -> float:
    frame = shape.text_frame
    if shape.is_placeholder:
        room = shape.width.pt
        padding = 0.0
    else:
        room = shape.width.pt - frame.margin_left.pt - frame.margin_right.pt
        padding = frame.margin_top.pt + frame.margin_bottom.pt
    is_body = shape.is_placeholder and shape.placeholder_format.idx == 1
    total = padding
    paragraphs = [paragraph for paragraph in frame.paragraphs if paragraph.runs]
    for place, paragraph in enumerate(paragraphs):
        size = max((run.font.size.pt for run in paragraph.runs if run.font.size), default=10.0)
        bold = bool(paragraph.runs[0].font.bold) or (shape.is_placeholder and "Title" in shape.name)
        total += text_height(paragraph.text, room - (16 if is_body and size > 12 else 0), size, bold)
        total += (paragraph.space_before.pt if paragraph.space_before else 0) if place else 0
        if place < len(paragraphs) - 1 and paragraph.space_after:
            total += paragraph.space_after.pt
    return total


def _table_overflows(number: int, shape: Any) -> Iterator[str]:
    bottom = shape.top.pt
    for place, row in enumerate(shape.table.rows):
        bottom += row.height.pt
        for column, cell in enumerate(row.cells):
            runs = cell.text_frame.paragraphs[0].runs
            if not runs:
                continue
            size = max(run.font.size.pt for run in runs)
            room = shape.table.columns[column].width.pt - cell.margin_left.pt - cell.margin_right.pt
            needed = text_height(cell.text_frame.text, room, size, bool(runs[0].font.bold))
            if needed + cell.margin_top.pt + cell.margin_bottom.pt > row.height.pt + 0.5:
                text = cell.text_frame.text
                yield f"slide {number}: row {place} needs {needed:.0f} of {row.height.pt:.0f} pt: {text!r}"
    if bottom > 508:
        yield f"slide {number}: the table ends at {bottom:.0f} pt, below the footer"
