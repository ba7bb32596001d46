"""Small tools around python-pptx: units, runs, cells, alternative texts. Imported with the first deck."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.v1 import pitch_pb2
from services.pitch.domain import words
from services.pitch.render import pptx_template as template
from services.pitch.render import theme
from services.pitch.render.fit import CELL_PADDING_X, TableFit
from services.pitch.render.pptx_template import rgb
from services.pitch.render.theme import Box

_PLAIN_TABLE_STYLE = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"


def words_for_xml(text: str) -> str:
    """Text without what XML cannot hold; line feeds stay."""
    return "".join(ch for ch in text if ch == "\n" or (ch >= " " and ch not in "\ufffe\uffff"))


def spoken(series: pitch_pb2.ChartSeries, categories: Sequence[str]) -> str:
    """A series in words, for the alternative text."""
    values = ", ".join(f"{name} {value:,.6g}" for name, value in zip(categories, series.values, strict=True))
    return f"{series.name}: {values}"


def pt(points: float) -> Any:
    from pptx.util import Emu

    return Emu(round(points * template.EMU_PER_POINT))


def emu(box: Box) -> tuple[Any, Any, Any, Any]:
    return pt(box.x), pt(box.y), pt(box.width), pt(box.height)


def place_shape(shape: Any, box: Box) -> None:
    shape.left, shape.top, shape.width, shape.height = emu(box)


def add_run(paragraph: Any, text: str, size: float, colour: str, *, bold: bool = False) -> None:
    run = paragraph.add_run()
    run.text = words_for_xml(text)
    run.font.size, run.font.bold = pt(size), bold
    run.font.color.rgb = rgb(colour)


def align_left(paragraph: Any) -> None:
    from pptx.enum.text import PP_ALIGN

    paragraph.alignment = PP_ALIGN.LEFT


def align_right(paragraph: Any) -> None:
    from pptx.enum.text import PP_ALIGN

    paragraph.alignment = PP_ALIGN.RIGHT


def set_direction(paragraph: Any, text: str) -> None:
    """Right-to-left scripts are set from the right."""
    if words.is_right_to_left(text):
        paragraph._p.get_or_add_pPr().set("rtl", "1")
        align_right(paragraph)


def fill_cell(
    cell: Any, text: str, fit: TableFit, *, bold: bool = False, colour: str = theme.INK, heading: bool = False
) -> Any:
    """Writes a table cell; returns its paragraph."""
    from pptx.enum.text import MSO_ANCHOR

    cell.margin_left = cell.margin_right = pt(CELL_PADDING_X)
    cell.margin_top = cell.margin_bottom = pt(fit.padding)
    cell.vertical_anchor = MSO_ANCHOR.MIDDLE
    cell.fill.background()
    paragraph = cell.text_frame.paragraphs[0]
    if text:
        add_run(paragraph, text, fit.size, colour, bold=bold)
        set_direction(paragraph, text)
    else:
        paragraph.font.size = pt(fit.size)
    _underline(cell, theme.ACCENT if heading else theme.LINE, 1.25 if heading else 0.75)
    return paragraph


def _underline(cell: Any, colour: str, width: float) -> None:
    """A rule below the cell: the table's only lines."""
    properties = cell._tc.get_or_add_tcPr()
    line = template._element(
        '<a:lnB xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
        f'w="{round(width * template.EMU_PER_POINT)}"><a:solidFill><a:srgbClr val="{colour}"/></a:solidFill></a:lnB>'
    )
    # The schema wants lines before the fill.
    properties.insert(0, line)


def plain_style(table: Any) -> None:
    properties = table._tbl.tblPr
    for child in list(properties):
        properties.remove(child)
    style = template._element(
        f'<a:tableStyleId xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">{_PLAIN_TABLE_STYLE}</a:tableStyleId>'
    )
    properties.append(style)
    table.first_row, table.horz_banding = True, False


def describe(frame: Any, text: str) -> None:
    """Alternative text for readers who do not see the shape."""
    frame._element.nvGraphicFramePr.cNvPr.set("descr", words_for_xml(text))
