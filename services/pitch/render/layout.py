"""Where everything of a slide goes and at which size: one arrangement for measuring, paginating and drawing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.v1 import pitch_pb2
from services.pitch.domain.draft import QUOTE_LABELS
from services.pitch.render import theme
from services.pitch.render.fit import (
    LINE_HEIGHT,
    PARAGRAPH_GAP,
    TableFit,
    fit_table,
    paragraphs_height,
    size_for,
    text_height,
)
from services.pitch.render.theme import Box

MARK_HEADER = "Mark"
_QUOTE = re.compile(rf"^(?P<label>{'|'.join(QUOTE_LABELS)}): (?P<quote>“.*?”)(?P<source> — .*)?$", re.DOTALL)
_PAGES_MAX = 12
# A chart lower than this cannot be read.
_CHART_LEAST = 190.0


@dataclass(frozen=True)
class Card:
    """A box with a statement in it: a quote, or a gap that the founder fills."""

    statement: pitch_pb2.Statement
    box: Box


@dataclass(frozen=True)
class PlacedTable:
    """A table's place; `rows` are the slide's rows it shows."""

    box: Box
    fit: TableFit
    first: int
    last: int


@dataclass(frozen=True)
class Arrangement:
    """A slide laid out. Sizes in points."""

    title_size: float
    body: Box | None = None
    body_size: float = 0.0
    body_statements: tuple[pitch_pb2.Statement, ...] = ()
    cards: tuple[Card, ...] = ()
    card_size: float = 0.0
    tables: tuple[PlacedTable, ...] = ()
    chart: Box | None = None
    # Cover: a size per line.
    line_sizes: tuple[float, ...] = field(default=())


_NUMERIC = re.compile(r"^[-–]?[$€]?\d[\d,]*(?:\.\d+)?(?: ?(?:%|x|[KMB]|billion|million|thousand|months))?$")


def is_numeric(text: str) -> bool:
    """Whether a cell holds nothing but a number (no address like 127.0.0.1): such columns are set from the right."""
    return bool(_NUMERIC.match(text))


def is_cover(slide: pitch_pb2.Slide) -> bool:
    """The first slide has a look of its own."""
    return slide.type == pitch_pb2.SLIDE_TYPE_PURPOSE


def split_quote(text: str) -> tuple[str, str, str] | None:
    """(label, quote, source) of a quote statement, None for any other."""
    match = _QUOTE.match(text)
    return (match["label"], match["quote"], (match["source"] or "").removeprefix(" — ")) if match else None


def mark_room(citation_ids: Sequence[str], assumption_ids: Sequence[str]) -> str:
    """Stand-in for the marks of a statement: as wide as they can get."""
    return "".join([" [00]" for _ in citation_ids] + [" A00" for _ in assumption_ids])


def shown(statement: pitch_pb2.Statement) -> str:
    """A statement's text with room for its marks."""
    return statement.text + mark_room(statement.citation_ids, statement.assumption_ids)


def table_cells(slide: pitch_pb2.Slide) -> list[list[str]]:
    """Header and rows as measured: content tables get a column for their marks."""
    rows = [list(slide.table.header)]
    marked = slide.type != pitch_pb2.SLIDE_TYPE_SOURCES and any(
        row.citation_ids or row.assumption_ids for row in slide.table.rows
    )
    if marked:
        rows[0].append(MARK_HEADER)
    for row in slide.table.rows:
        cells = list(row.cells)
        if marked:
            cells.append(mark_room(row.citation_ids, row.assumption_ids).strip())
        rows.append(cells)
    return rows


def arrange(slide: pitch_pb2.Slide) -> Arrangement | None:
    """The best arrangement, with type as large as fits; None where even the smallest does not fit."""
    if is_cover(slide):
        return _cover(slide)
    title = size_for(slide.title, theme.TITLE.width, theme.TITLE.height, theme.TITLE_SIZES, bold=True)
    area = content_box(slide, title)
    if slide.type == pitch_pb2.SLIDE_TYPE_SOURCES:
        return _reference(slide, title, area)
    has_table, has_chart = bool(slide.table.rows), slide.HasField("chart")
    if has_table:
        return _with_table(slide, title, area, has_chart)
    gaps = [statement for statement in slide.statements if statement.is_placeholder]
    quotes = [statement for statement in slide.statements if split_quote(statement.text)]
    plain = [s for s in slide.statements if not s.is_placeholder and not split_quote(s.text)]
    if has_chart:
        return _with_chart(slide, title, area)
    if gaps and not plain:
        return _gap_grid(title, area, gaps)
    if quotes:
        return _with_quotes(title, area, plain, quotes)
    return _text_only(slide, title, area)


def _cover(slide: pitch_pb2.Slide) -> Arrangement | None:
    title = size_for(slide.title, theme.COVER_TITLE.width, theme.COVER_TITLE.height, theme.COVER_SIZES, bold=True)
    texts = [shown(statement) for statement in slide.statements]
    for size in theme.COVER_LINE_SIZES:
        sizes = [size, *(max(size - 8, 12.0) for _ in texts[1:])]
        height = sum(
            text_height(text, theme.COVER_BODY.width, line) + line * PARAGRAPH_GAP
            for text, line in zip(texts, sizes, strict=True)
        )
        if height <= theme.COVER_BODY.height:
            return Arrangement(title, theme.COVER_BODY, size, tuple(slide.statements), line_sizes=tuple(sizes))
    return None


def content_box(slide: pitch_pb2.Slide, title: float) -> Box:
    """What is left of the page below the title."""
    top = theme.TITLE.y + text_height(slide.title, theme.TITLE.width, title, True) + theme.TITLE_GAP
    return Box(theme.BODY.x, top, theme.CONTENT_WIDTH, theme.BODY.y + theme.BODY.height - top)


def _body_size(texts: Sequence[str], width: float, height: float, largest: float) -> float | None:
    for size in theme.BODY_SIZES:
        if size <= largest and paragraphs_height(texts, width - theme.INDENT, size) <= height:
            return size
    return None


def _text_only(slide: pitch_pb2.Slide, title: float, area: Box) -> Arrangement | None:
    box = Box(area.x, area.y, 780, area.height)
    size = _body_size([shown(s) for s in slide.statements], box.width, box.height, 24)
    return Arrangement(title, box, size, tuple(slide.statements)) if size else None


def _with_chart(slide: pitch_pb2.Slide, title: float, area: Box) -> Arrangement | None:
    left = Box(area.x, area.y, 410, area.height)
    chart = Box(left.x + left.width + 24, area.y, theme.CONTENT_WIDTH - left.width - 24, area.height - 24)
    size = _body_size([shown(s) for s in slide.statements], left.width, left.height, 18)
    return Arrangement(title, left, size, tuple(slide.statements), chart=chart) if size else None


def _with_quotes(
    title: float, area: Box, plain: Sequence[pitch_pb2.Statement], quotes: Sequence[pitch_pb2.Statement]
) -> Arrangement | None:
    left = Box(area.x, area.y, 380, area.height)
    right = Box(left.x + left.width + 28, area.y, theme.CONTENT_WIDTH - left.width - 28, area.height)
    size = _body_size([shown(s) for s in plain], left.width, left.height, 19) if plain else theme.BODY_SIZES[0]
    if size is None:
        return None
    for card_size in theme.CARD_SIZES:
        cards, y = [], right.y
        for statement in quotes:
            height = card_height(statement, right.width, card_size)
            cards.append(Card(statement, Box(right.x, y, right.width, height)))
            y += height + theme.CARD_GAP
        if y - theme.CARD_GAP <= right.y + right.height:
            return Arrangement(title, left if plain else None, size, tuple(plain), tuple(cards), card_size)
    return None


def card_height(statement: pitch_pb2.Statement, width: float, size: float) -> float:
    """Height of a quote card: its label, the quote, its source with the marks."""
    room = width - 2 * theme.CARD_PADDING
    parts = split_quote(statement.text)
    if parts is None:
        return text_height(shown(statement), room, size) + 2 * theme.CARD_PADDING
    label, quote, source = parts
    small = size - 2
    marks = mark_room(statement.citation_ids, statement.assumption_ids)
    return (
        text_height(label, room, small, True)
        + text_height(quote, room, size)
        + text_height(f"{source}{marks}", room, small)
        + 8
        + 2 * theme.CARD_PADDING
    )


def _gap_grid(title: float, area: Box, gaps: Sequence[pitch_pb2.Statement]) -> Arrangement | None:
    """Two columns of boxes to fill in."""
    width = (theme.CONTENT_WIDTH - theme.GAP) / 2
    rows = (len(gaps) + 1) // 2
    height = min((area.height - theme.GAP * (rows - 1)) / rows, 130)
    room = width - 2 * theme.CARD_PADDING
    for size in (18.0, 17.0, 16.0, *theme.CARD_SIZES):
        # Measured bold throughout, as the role at its head is: a little too wide is never too high.
        if all(text_height(shown(gap), room, size, True) + 2 * theme.CARD_PADDING <= height for gap in gaps):
            cards = tuple(
                Card(
                    gap,
                    Box(
                        area.x + (place % 2) * (width + theme.GAP),
                        area.y + (place // 2) * (height + theme.GAP),
                        width,
                        height,
                    ),
                )
                for place, gap in enumerate(gaps)
            )
            return Arrangement(title, cards=cards, card_size=size)
    return None


def _with_table(slide: pitch_pb2.Slide, title: float, area: Box, has_chart: bool) -> Arrangement | None:
    """Statements above, the table below them, the chart beside the table."""
    texts = [shown(statement) for statement in slide.statements]
    cells = table_cells(slide)
    table_width = theme.CONTENT_WIDTH - (372 if has_chart else 0)
    fitted_at = {size: fit_table(cells, table_width, size) for size in theme.TABLE_SIZES}
    best: tuple[float, float, float, float] | None = None
    for body_size in (size for size in theme.BODY_SIZES if size <= 19):
        above = paragraphs_height(texts, theme.CONTENT_WIDTH - theme.INDENT, body_size) + 4 if texts else 0.0
        room = area.height - above - (theme.GAP if texts else 0.0)
        if room < (_CHART_LEAST if has_chart else 0.0):
            continue
        for size, fitted in fitted_at.items():
            # A table is read after its statements: smaller than they are. Small type costs it more than them.
            if size > body_size - 2 or fitted.height > room:
                continue
            score = body_size + 3 * min(size, 12.0)
            if best is None or score > best[0]:
                best = (score, body_size, size, above)
    if best is None:
        return None
    _, body_size, size, above = best
    top = area.y + above + (theme.GAP if texts else 0.0)
    room = area.y + area.height - top
    fitted = _relaxed(fitted_at[size], min(room, fitted_at[size].height * 1.5))
    body = Box(area.x, area.y, theme.CONTENT_WIDTH, above) if texts else None
    placed = PlacedTable(Box(area.x, top, table_width, fitted.height), fitted, 0, len(slide.table.rows))
    chart = Box(area.x + table_width + 24, top - 6, 348, min(room, 260)) if has_chart else None
    return Arrangement(title, body, body_size, tuple(slide.statements), tables=(placed,), chart=chart)


def _relaxed(fitted: TableFit, height: float) -> TableFit:
    """The same table with its rows spread over more height."""
    extra = max(height - fitted.height, 0.0) / len(fitted.rows)
    return TableFit(fitted.size, fitted.columns, tuple(row + min(extra, 12.0) for row in fitted.rows), fitted.padding)


def _reference(slide: pitch_pb2.Slide, title: float, area: Box) -> Arrangement | None:
    """Sources and assumptions: one table of one column, or of two side by side where it is long."""
    if not slide.table.rows:
        return _text_only(slide, title, area)
    cells = table_cells(slide)
    header, rows = cells[0], cells[1:]
    for columns in (1, 2):
        width = (theme.CONTENT_WIDTH - theme.GAP * (columns - 1)) / columns
        half = -(-len(rows) // columns)
        for size in theme.REFERENCE_SIZES if columns == 2 else theme.REFERENCE_SIZES[:2]:
            tables = []
            for place, first in enumerate(range(0, len(rows), half)):
                part = rows[first : first + half]
                fitted = fit_table([header, *part], width, size, theme.REFERENCE_PADDING, bold_first=False)
                if fitted.height > area.height:
                    break
                box = Box(area.x + place * (width + theme.GAP), area.y, width, fitted.height)
                tables.append(PlacedTable(box, fitted, first, first + len(part)))
            else:
                return Arrangement(title, tables=tuple(tables))
    return None


def paginate(slide: pitch_pb2.Slide) -> list[pitch_pb2.Slide]:
    """The slide as it is where it fits, else cut into slides that do; order is kept and nothing is dropped."""
    done: list[pitch_pb2.Slide] = []
    queue = [slide]
    while queue:
        head = queue.pop(0)
        if arrange(head) is not None or len(done) + len(queue) >= _PAGES_MAX:
            done.append(head)
        else:
            parts = _cut(head)
            if len(parts) == 1:
                done.append(head)
            else:
                queue = parts + queue
    for later in done[1:]:
        if not later.title.endswith(", continued"):
            later.title = f"{later.title}, continued"
    return done


def _cut(slide: pitch_pb2.Slide) -> list[pitch_pb2.Slide]:
    """Two slides out of one: chart or table apart from the text, else half of the rows or statements each."""
    first, second = pitch_pb2.Slide(), pitch_pb2.Slide()
    first.CopyFrom(slide)
    second.CopyFrom(slide)
    if slide.statements and slide.table.rows:
        first.ClearField("table")
        del second.statements[:]
        second.ClearField("chart")
    elif slide.HasField("chart") and slide.statements:
        first.ClearField("chart")
        del second.statements[:]
    elif len(slide.table.rows) > 1:
        half = len(slide.table.rows) // 2
        del first.table.rows[half:]
        del second.table.rows[:half]
    elif len(slide.statements) > 1:
        half = len(slide.statements) // 2
        del first.statements[half:]
        del second.statements[:half]
    else:
        return [slide]
    return [first, second]


def title_height(slide: pitch_pb2.Slide, arrangement: Arrangement) -> float:
    """Height that the title takes in its box."""
    box = theme.COVER_TITLE if is_cover(slide) else theme.TITLE
    return text_height(slide.title, box.width, arrangement.title_size, True)


def line_height(size: float) -> float:
    """Of one line, in points."""
    return size * LINE_HEIGHT
