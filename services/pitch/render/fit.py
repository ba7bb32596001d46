"""Measures text against its box before anything is exported: nothing overflows.

A line wraps at spaces; a word wider than its line breaks between characters, as PowerPoint does. Heights are in
points, with the line height that the theme sets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.pitch.render.metrics import text_width

LINE_HEIGHT = 1.2
# Space after a paragraph, in ems.
PARAGRAPH_GAP = 0.55
CELL_PADDING_X = 6.0
CELL_PADDING_Y = 3.5


def wrap(text: str, width: float, size: float, bold: bool = False) -> list[str]:
    """Lines of the text at a width in points; at least one."""
    lines: list[str] = []
    line, line_width = "", 0.0
    space = text_width(" ", size, bold)
    for word in text.split():
        word_width = text_width(word, size, bold)
        if line and line_width + space + word_width <= width:
            line, line_width = f"{line} {word}", line_width + space + word_width
            continue
        if line:
            lines.append(line)
        line, line_width = word, word_width
        while line_width > width and len(line) > 1:
            head = _head(line, width, size, bold)
            lines.append(line[:head])
            line = line[head:]
            line_width = text_width(line, size, bold)
    lines.append(line)
    return lines


def _head(word: str, width: float, size: float, bold: bool) -> int:
    """How many characters of a word fit a line; one at least."""
    used = 0.0
    for place, ch in enumerate(word):
        used += text_width(ch, size, bold)
        if used > width:
            return max(place, 1)
    return len(word)


def text_height(text: str, width: float, size: float, bold: bool = False) -> float:
    """Height in points of one paragraph."""
    return len(wrap(text, width, size, bold)) * size * LINE_HEIGHT


def paragraphs_height(texts: Sequence[str], width: float, size: float) -> float:
    """Height in points of paragraphs with gaps between them."""
    if not texts:
        return 0.0
    return sum(text_height(text, width, size) for text in texts) + (len(texts) - 1) * size * PARAGRAPH_GAP


def largest(sizes: Sequence[float], fits: Sequence[bool]) -> float | None:
    """The first size that fits; None where none does."""
    return next((size for size, fit in zip(sizes, fits, strict=True) if fit), None)


def size_for(text: str, width: float, height: float, sizes: Sequence[float], bold: bool = False) -> float:
    """The largest of `sizes` (descending) at which the text fits the box; the smallest where none does."""
    for size in sizes:
        if text_height(text, width, size, bold) <= height:
            return size
    return sizes[-1]


@dataclass(frozen=True)
class TableFit:
    """Column widths and row heights in points, header first, at a text size."""

    size: float
    columns: tuple[float, ...]
    rows: tuple[float, ...]
    # Above and below the text of a cell.
    padding: float = CELL_PADDING_Y

    @property
    def height(self) -> float:
        """Of the whole table."""
        return sum(self.rows)


def fit_table(
    rows: Sequence[Sequence[str]],
    width: float,
    size: float,
    padding: float = CELL_PADDING_Y,
    *,
    bold_first: bool = True,
) -> TableFit:
    """Measures a table; the first row is the header, set bold, and so is the first column unless told otherwise."""
    columns = _columns(rows, width, size, bold_first)
    heights = []
    for place, row in enumerate(rows):
        inner = [column - 2 * CELL_PADDING_X for column in columns]
        tallest = max(
            text_height(cell, room, size, place == 0 or (bold_first and column == 0))
            for column, (cell, room) in enumerate(zip(row, inner, strict=True))
        )
        heights.append(tallest + 2 * padding)
    return TableFit(size, columns, tuple(heights), padding)


def _columns(rows: Sequence[Sequence[str]], width: float, size: float, bold_first: bool) -> tuple[float, ...]:
    """Columns as wide as their longest cell where that fits; long text columns share what is left.

    A column that holds short cells (numbers, names) is never squeezed so that its words break.
    """
    count = len(rows[0])
    natural, narrow = [], []
    for column in range(count):
        cells = [(row[column], place == 0 or (bold_first and column == 0)) for place, row in enumerate(rows)]
        natural.append(max(text_width(cell, size, bold) for cell, bold in cells) + 2 * CELL_PADDING_X + 2)
        words = [(word, bold) for cell, bold in cells for word in cell.split()] or [("", False)]
        longest = max(text_width(word, size, bold) for word, bold in words)
        narrow.append(min(longest + 2 * CELL_PADDING_X + 1, width / count))
    total = sum(natural)
    if total <= width:
        spare = (width - total) / count
        return tuple(value + spare for value in natural)
    # Water-filling: short columns keep their natural width, the others share the rest by need.
    fixed: dict[int, float] = {}
    while True:
        room = width - sum(fixed.values())
        free = [column for column in range(count) if column not in fixed]
        share = room / len(free)
        small = [column for column in free if natural[column] <= share]
        if not small or len(small) == len(free):
            break
        fixed.update({column: natural[column] for column in small})
    weights = {column: max(natural[column], narrow[column]) ** 0.5 for column in free}
    whole = sum(weights.values())
    return tuple(fixed.get(column, room * weights.get(column, 0.0) / whole) for column in range(count))
