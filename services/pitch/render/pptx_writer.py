"""Draws a deck as .pptx: native charts and tables, notes, alternative texts, links from every mark to its source.

The same deck at the same clock gives the same bytes: dates are the clock's, and archive members carry a fixed date.
"""

from __future__ import annotations

import io
import re
import zipfile
from datetime import UTC, datetime
from typing import Any

from pipeline.v1 import pitch_pb2
from services.pitch.domain import plans, words
from services.pitch.domain.deck import Deck
from services.pitch.render import pptx_template as template
from services.pitch.render import theme
from services.pitch.render.fit import PARAGRAPH_GAP, TableFit
from services.pitch.render.layout import (
    MARK_HEADER,
    Arrangement,
    Card,
    PlacedTable,
    arrange,
    is_cover,
    is_numeric,
    split_quote,
)
from services.pitch.render.metrics import text_width
from services.pitch.render.pptx_chart import add_chart
from services.pitch.render.pptx_shapes import (
    add_run,
    align_left,
    align_right,
    describe,
    emu,
    fill_cell,
    place_shape,
    plain_style,
    pt,
    set_direction,
    spoken,
    words_for_xml,
)
from services.pitch.render.pptx_template import rgb
from services.pitch.render.theme import Box

_ZIP_DATE = (2020, 1, 1, 0, 0, 0)
_XLSX_DATE = b"2020-01-01T00:00:00Z"


def write_pptx(deck: Deck, now: datetime) -> bytes:
    """The deck as a presentation file."""
    return _Writer(deck).write(now)


class _Writer:
    def __init__(self, deck: Deck) -> None:
        self.deck = deck
        self.presentation = template.new_presentation()
        self.slides: list[Any] = []

    def write(self, now: datetime) -> bytes:
        arranged = []
        for slide in self.deck.slides:
            arrangement = arrange(slide)
            if arrangement is None:
                raise ValueError(f"slide {slide.number} does not fit its page; paginate it first")
            arranged.append(arrangement)
            layout = self.presentation.slide_layouts[_layout_of(slide, arrangement)]
            self.slides.append(self.presentation.slides.add_slide(layout))
        # All slides exist before the first is drawn: marks link forward to the source pages.
        for slide, arrangement, page in zip(self.deck.slides, arranged, self.slides, strict=True):
            self._draw(slide, arrangement, page)
        self._properties(now)
        buffer = io.BytesIO()
        self.presentation.save(buffer)
        return _reproducible(buffer.getvalue())

    def _properties(self, now: datetime) -> None:
        moment = now.astimezone(UTC).replace(tzinfo=None, microsecond=0)
        core = self.presentation.core_properties
        core.title = words.clean(f"{self.deck.name}: investor deck", 200)
        first = self.deck.slides[0].statements
        core.subject = words.clean(first[0].text, 200) if first else ""
        core.author = core.last_modified_by = "Startup Idea Pipeline"
        core.created = core.modified = moment
        core.revision, core.language, core.keywords, core.comments = 1, "en-US", "", ""

    # One slide

    def _draw(self, slide: pitch_pb2.Slide, arrangement: Arrangement, page: Any) -> None:
        cover = is_cover(slide)
        holders = {holder.placeholder_format.idx: holder for holder in page.placeholders}
        self._title(page.shapes.title, slide, arrangement, cover)
        kicker = plans.KICKERS.get(slide.type, "")
        if cover:
            kicker = f"Pitch for {plans.plan_for(self.deck.investor).reader}"
        self._line(holders[template.KICKER_INDEX].text_frame, kicker.upper(), theme.KICKER_SIZE)
        body = holders.get(template.BODY_INDEX)
        if body is not None and arrangement.body is not None and arrangement.body_statements:
            place_shape(body, arrangement.body)
            self._statements(page, body.text_frame, arrangement, cover)
        elif body is not None:
            body.element.getparent().remove(body.element)
        for card in arrangement.cards:
            self._card(page, card, arrangement.card_size)
        table_holder = holders.get(template.TABLE_INDEX)
        for place, table in enumerate(arrangement.tables):
            self._table(page, table_holder if place == 0 else None, slide, table)
        if arrangement.chart is not None:
            self._chart(page, holders[template.CHART_INDEX], slide, arrangement.chart)
        if not cover:
            self._footer(page, slide.number)
        page.notes_slide.notes_text_frame.text = words_for_xml(slide.speaker_notes)

    def _title(self, holder: Any, slide: pitch_pb2.Slide, arrangement: Arrangement, cover: bool) -> None:
        frame = holder.text_frame
        run = frame.paragraphs[0].add_run()
        run.text = words_for_xml(slide.title)
        run.font.size = pt(arrangement.title_size)
        set_direction(frame.paragraphs[0], slide.title)

    def _line(self, frame: Any, text: str, size: float) -> None:
        run = frame.paragraphs[0].add_run()
        run.text = words_for_xml(text)
        run.font.size = pt(size)

    def _statements(self, page: Any, frame: Any, arrangement: Arrangement, cover: bool) -> None:
        for place, statement in enumerate(arrangement.body_statements):
            paragraph = frame.paragraphs[0] if place == 0 else frame.add_paragraph()
            size = arrangement.line_sizes[place] if arrangement.line_sizes else arrangement.body_size
            paragraph.space_after = pt(size * PARAGRAPH_GAP)
            run = paragraph.add_run()
            run.text = words_for_xml(statement.text)
            run.font.size = pt(size)
            if cover and place:
                run.font.color.rgb = rgb(theme.COVER_MUTED)
            if statement.is_placeholder:
                run.font.italic = True
                run.font.color.rgb = rgb(theme.MUTED)
            set_direction(paragraph, statement.text)
            self._marks(page, paragraph, statement.citation_ids, statement.assumption_ids, size, cover=cover)

    def _marks(
        self, page: Any, paragraph: Any, citation_ids: Any, assumption_ids: Any, size: float, *, cover: bool = False
    ) -> None:
        """Adds linked marks behind a text: [3] leads to the sources, A7 to the assumptions."""
        for mark in self.deck.marks.of(citation_ids, assumption_ids):
            gap = paragraph.add_run()
            gap.text = " "
            gap.font.size = pt(size * 0.75)
            run = paragraph.add_run()
            run.text = mark
            run.font.size = pt(size * 0.75)
            number = int(mark.strip("[]A"))
            where = self.deck.source_slide if mark.startswith("[") else self.deck.assumption_slide
            self._link(page, run, self.slides[where[number] - 1])
            run.font.color.rgb = rgb(theme.COVER_MUTED if cover else theme.ACCENT)

    def _link(self, page: Any, run: Any, target: Any) -> None:
        """Makes a run jump to another slide."""
        from pptx.opc.constants import RELATIONSHIP_TYPE

        relation = page.part.relate_to(target.part, RELATIONSHIP_TYPE.SLIDE)
        properties = run._r.get_or_add_rPr()
        link = properties.add_hlinkClick(relation)
        link.set("action", "ppaction://hlinksldjump")

    def _card(self, page: Any, card: Card, size: float) -> None:
        from pptx.enum.dml import MSO_LINE_DASH_STYLE
        from pptx.enum.shapes import MSO_AUTO_SHAPE_TYPE
        from pptx.enum.text import MSO_ANCHOR, MSO_AUTO_SIZE
        from pptx.oxml.ns import qn

        shape = page.shapes.add_shape(MSO_AUTO_SHAPE_TYPE.RECTANGLE, *emu(card.box))
        # The gallery style brings shadow, blue and white text along.
        shape._element.remove(shape._element.find(qn("p:style")))
        statement = card.statement
        parts = split_quote(statement.text)
        shape.fill.solid()
        shape.fill.fore_color.rgb = rgb(theme.PAPER if statement.is_placeholder else theme.TINT)
        if statement.is_placeholder:
            shape.line.color.rgb = rgb(theme.MUTED)
            shape.line.width = pt(1.25)
            shape.line.dash_style = MSO_LINE_DASH_STYLE.DASH
        else:
            shape.line.fill.background()
        shape.name = "To be filled in" if statement.is_placeholder else "Quote"
        frame = shape.text_frame
        frame.word_wrap, frame.auto_size = True, MSO_AUTO_SIZE.NONE
        frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = pt(theme.CARD_PADDING)
        frame.vertical_anchor = MSO_ANCHOR.MIDDLE if statement.is_placeholder else MSO_ANCHOR.TOP
        paragraph = frame.paragraphs[0]
        if parts is None:
            role, colon, rest = statement.text.partition(": ")
            if statement.is_placeholder and colon and len(role) < 24:
                add_run(paragraph, f"{role}: ", size, theme.ACCENT, bold=True)
                add_run(paragraph, rest, size, theme.INK)
            else:
                add_run(paragraph, statement.text, size, theme.INK)
            align_left(paragraph)
            self._marks(page, paragraph, statement.citation_ids, statement.assumption_ids, size)
            set_direction(paragraph, statement.text)
            return
        label, quote, source = parts
        tint = theme.AGAINST if label == "Against" else theme.ACCENT if label == "For" else theme.MUTED
        add_run(paragraph, label, size - 2, tint, bold=True)
        align_left(paragraph)
        body = frame.add_paragraph()
        body.space_before = pt(2)
        add_run(body, quote, size, theme.INK)
        align_left(body)
        set_direction(body, quote)
        tail = frame.add_paragraph()
        tail.space_before = pt(4)
        add_run(tail, source, size - 2, theme.MUTED)
        align_left(tail)
        self._marks(page, tail, statement.citation_ids, statement.assumption_ids, size - 2)

    # Tables and charts

    def _table(self, page: Any, holder: Any, slide: pitch_pb2.Slide, placed: PlacedTable) -> None:
        rows = list(slide.table.rows)[placed.first : placed.last]
        header = list(slide.table.header)
        columns = len(placed.fit.columns)
        marked = columns > len(header)
        if holder is not None:
            frame = holder.insert_table(rows=len(rows) + 1, cols=columns)
            place_shape(frame, placed.box)
        else:
            frame = page.shapes.add_table(len(rows) + 1, columns, *emu(placed.box))
        table = frame.table
        plain_style(table)
        for place, width in enumerate(placed.fit.columns):
            table.columns[place].width = pt(width)
        for place, height in enumerate(placed.fit.rows):
            table.rows[place].height = pt(height)
        self._header(table, [*header, MARK_HEADER] if marked else header, placed.fit, rows)
        for place, row in enumerate(rows, 1):
            for column, text in enumerate(row.cells):
                cell = table.cell(place, column)
                paragraph = fill_cell(cell, text, placed.fit, bold=column == 0 and not _is_reference(slide))
                if is_numeric(text) and column:
                    align_right(paragraph)
                if _is_reference(slide) and column == 1 and row.citation_ids and not row.assumption_ids:
                    self._address(paragraph, row)
            if marked:
                cell = table.cell(place, columns - 1)
                paragraph = fill_cell(cell, "", placed.fit)
                self._marks(page, paragraph, row.citation_ids, row.assumption_ids, placed.fit.size / 0.75)
        describe(frame, words.clean(f"Table: {slide.title}. Columns: {', '.join(header)}. {len(rows)} rows.", 300))

    def _header(self, table: Any, header: list[str], fit: TableFit, rows: list[Any]) -> None:
        for column, text in enumerate(header):
            cell = table.cell(0, column)
            paragraph = fill_cell(cell, text, fit, bold=True, colour=theme.ACCENT, heading=True)
            texts = [row.cells[column] for row in rows if column < len(row.cells)]
            if (
                column
                and any(map(is_numeric, texts))
                and all(is_numeric(item) or item == "not stated" for item in texts)
            ):
                align_right(paragraph)

    def _address(self, paragraph: Any, row: Any) -> None:
        """A source's title links to its page; other addresses than http(s) stay text."""
        by_id = {citation.id: citation for citation in self.deck.marks.citations}
        url = by_id[row.citation_ids[0]].url
        if words.is_web_address(url):
            paragraph.runs[0].hyperlink.address = url

    def _chart(self, page: Any, holder: Any, slide: pitch_pb2.Slide, box: Box) -> None:
        caption_height = 16.0
        frame = add_chart(holder, slide.chart)
        place_shape(frame, Box(box.x, box.y, box.width, box.height - caption_height))
        series = "; ".join(spoken(item, slide.chart.categories) for item in slide.chart.series)
        describe(frame, words.clean(f"Chart: {slide.chart.title}. {series}", 500))
        below = Box(box.x, box.y + box.height - caption_height, box.width, caption_height)
        caption = page.shapes.add_textbox(*emu(below))
        caption.name = "Chart sources"
        frame_text = caption.text_frame
        frame_text.word_wrap = True
        frame_text.margin_left = frame_text.margin_right = frame_text.margin_top = frame_text.margin_bottom = 0
        paragraph = frame_text.paragraphs[0]
        add_run(paragraph, "Numbers from", 10, theme.MUTED)
        self._marks(page, paragraph, slide.chart.citation_ids, slide.chart.assumption_ids, 10 / 0.75)

    def _footer(self, page: Any, number: int) -> None:
        """python-pptx leaves footer and slide number out of new slides: put them in as real placeholders."""
        tree = page.shapes._spTree
        ids = [int(item.get("id", "0")) for item in tree.iter() if item.tag.endswith("}cNvPr")]
        first = max(ids, default=1) + 1
        name = words.clean(self.deck.name, 60)
        while text_width(name, theme.FOOTER_SIZE) > theme.FOOTER.width:
            name = name[:-2].rstrip("…") + "…"
        for offset, (label, kind, index, box) in enumerate(
            (
                ("Footer", "ftr", template.FOOTER_INDEX, theme.FOOTER),
                ("Slide number", "sldNum", template.NUMBER_INDEX, theme.NUMBER),
            )
        ):
            xml = template.placeholder_xml(first + offset, label, kind, index, box, "", name)
            tree.append(template._element(xml.replace("‹#›", str(number))))


def _layout_of(slide: pitch_pb2.Slide, arrangement: Arrangement) -> int:
    if is_cover(slide):
        return template.COVER
    if slide.type == pitch_pb2.SLIDE_TYPE_SOURCES and arrangement.tables:
        return template.TABLE_ONLY
    if arrangement.tables:
        return template.TEXT_TABLE_CHART if arrangement.chart else template.TEXT_TABLE
    return template.TEXT_CHART if arrangement.chart else template.TEXT


def _is_reference(slide: pitch_pb2.Slide) -> bool:
    return slide.type == pitch_pb2.SLIDE_TYPE_SOURCES


def _reproducible(blob: bytes) -> bytes:
    """The same archive with fixed member dates, also inside the charts' workbooks."""
    source = zipfile.ZipFile(io.BytesIO(blob))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for info in source.infolist():
            content = source.read(info)
            if info.filename.endswith(".xlsx"):
                content = _reproducible(content)
            elif info.filename == "docProps/core.xml" and b"xlsx" not in content and b"Startup Idea" not in content:
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", _XLSX_DATE, content)
            member = zipfile.ZipInfo(info.filename, date_time=_ZIP_DATE)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            target.writestr(member, content)
    return buffer.getvalue()
