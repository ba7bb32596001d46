"""The finished .pptx: numbers, overflow, links, notes, alternative texts, same bytes."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from pptx.opc.constants import RELATIONSHIP_TYPE

from pipeline.v1 import common_pb2
from services.pitch.domain.deck import Deck
from services.pitch.render.pptx_writer import write_pptx
from tests.support import pptx_walk
from tests.support.pitches import IDEAS, INVESTORS, NOW, deck_of, item, reference_deck, request_for

_HYPERLINK = "{http://schemas.openxmlformats.org/drawingml/2006/main}hlinkClick"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


SEED = common_pb2.INVESTOR_TYPE_SEED
# Every idea for a seed fund, and two that differ most for everybody else.
DECKS = [(key, SEED) for key in IDEAS] + [
    (key, other) for key in ("food", "drone") for other in INVESTORS if other != SEED
]
OTHERS = [(key, investor) for key in IDEAS for investor in INVESTORS if (key, investor) not in DECKS]


@cache
def presentation_of(key: str, investor: int) -> Any:
    return pptx_walk.read(write_pptx(reference_deck(key, investor), NOW))


def check_numbers(presentation: Any) -> int:
    """Asserts that every number on a content slide is listed by a mark beside it; returns how many there were."""
    listed = pptx_walk.listed(presentation)
    seen = 0
    for slide in presentation.slides:
        if pptx_walk.is_reference(slide):
            continue
        for line in pptx_walk.content_lines(slide):
            for value in pptx_walk.values(line.text.replace("Tool 24", "")):
                seen += 1
                known = [number for mark in line.marks for number in listed[mark]]
                assert any(
                    abs(number - value) <= max(abs(value) * (0.036 if line.exact else 0.006), 0.006) for number in known
                ), f"{line.where}: {value:g} in {line.text!r} is not behind {sorted(line.marks)}"
    return seen


@pytest.mark.parametrize(("key", "investor"), DECKS)
def test_every_number_in_the_file_leads_to_its_source(key: str, investor: int) -> None:
    """Walking statements, tables and charts, each number is found again where one of its marks leads."""
    assert check_numbers(presentation_of(key, investor)) > 30


@pytest.mark.slow
@pytest.mark.parametrize(("key", "investor"), OTHERS)
def test_every_other_deck_holds_as_well(key: str, investor: int) -> None:
    """With these, each of six ideas is walked as a file for each of five investors: numbers lead, nothing overflows."""
    presentation = presentation_of(key, investor)
    assert check_numbers(presentation) > 30
    assert list(pptx_walk.overflows(presentation)) == []


@pytest.mark.parametrize(("key", "investor"), DECKS)
def test_nothing_overflows(key: str, investor: int) -> None:
    """Text fits its shape, tables end above the footer, shapes stay on the page."""
    assert list(pptx_walk.overflows(presentation_of(key, investor))) == []


def test_the_overflow_check_can_fail() -> None:
    """A text made too long for its box is seen, so the check above means something."""
    presentation = pptx_walk.read(write_pptx(reference_deck("food", common_pb2.INVESTOR_TYPE_SEED), NOW))
    body = presentation.slides[1].placeholders[1].text_frame
    body.paragraphs[0].runs[0].text = "far too long " * 120
    assert list(pptx_walk.overflows(presentation))


def test_the_number_check_can_fail() -> None:
    """A number put on a slide by hand is seen."""
    presentation = pptx_walk.read(write_pptx(reference_deck("food", common_pb2.INVESTOR_TYPE_SEED), NOW))
    presentation.slides[1].placeholders[1].text_frame.paragraphs[0].runs[0].text = "It grows 731% a year."
    with pytest.raises(AssertionError, match="731"):
        check_numbers(presentation)


def test_marks_are_links_that_lead_to_the_reference_pages() -> None:
    """Each mark on a content slide jumps to the page that lists it; each source leads to its address."""
    presentation = presentation_of("clinic", common_pb2.INVESTOR_TYPE_SEED)
    pages = {slide.part.partname: slide for slide in presentation.slides}
    jumps = addresses = 0
    for slide in presentation.slides:
        for link in slide._element.iter(_HYPERLINK):
            relation = slide.part.rels[link.get(_RELATION)]
            text = link.getparent().getparent().find("{http://schemas.openxmlformats.org/drawingml/2006/main}t").text
            if relation.is_external:
                assert relation.target_ref.startswith(("https://", "http://"))
                addresses += 1
            else:
                target = pages[relation.target_part.partname]
                assert relation.reltype == RELATIONSHIP_TYPE.SLIDE
                listed = [
                    row.cells[0].text_frame.text
                    for shape in target.shapes
                    if shape.has_table
                    for row in shape.table.rows
                ]
                assert text in listed
                jumps += 1
    assert jumps > 40
    assert addresses >= 10


@pytest.mark.parametrize("key", IDEAS)
def test_slides_are_made_of_real_placeholders(key: str) -> None:
    """Title, footer and slide number are placeholders of the layout; every slide has notes."""
    presentation = presentation_of(key, common_pb2.INVESTOR_TYPE_SEED)
    assert presentation.slide_width.inches / presentation.slide_height.inches == pytest.approx(16 / 9)
    for number, slide in enumerate(presentation.slides, 1):
        assert slide.shapes.title is not None
        assert slide.shapes.title.text_frame.text
        assert slide.notes_slide.notes_text_frame.text
        kinds = [holder.placeholder_format.type.name for holder in slide.placeholders]
        assert ("SLIDE_NUMBER" in kinds) == (number > 1)
        empty = [holder.name for holder in slide.placeholders if holder.has_text_frame and not holder.text_frame.text]
        assert empty == []


@pytest.mark.parametrize("key", IDEAS)
def test_charts_and_tables_are_native_and_described(key: str) -> None:
    """Charts carry an editable workbook, and every chart and table an alternative text."""
    presentation = presentation_of(key, SEED)
    charts = tables = 0
    for slide in presentation.slides:
        for shape in slide.shapes:
            if shape.has_chart:
                charts += 1
                assert shape.chart.part.chart_workbook.xlsx_part is not None
            tables += shape.has_table
            if shape.has_chart or shape.has_table:
                assert len(shape._element.nvGraphicFramePr.cNvPr.get("descr")) > 20
    assert charts >= 3
    assert tables >= 6


def test_notes_hold_the_talk_track_and_the_sources_in_full() -> None:
    """Beside what to say, notes give title, address and words of every source on the slide."""
    deck = reference_deck("food", common_pb2.INVESTOR_TYPE_SEED)
    notes = deck.slides[1].speaker_notes
    assert "Talk track" in notes
    for citation_id in deck.slides[1].statements[-1].citation_ids:
        citation = next(entry for entry in deck.marks.citations if entry.id == citation_id)
        assert citation.title in notes
        assert citation.url in notes
        assert citation.quote in notes


def test_the_same_deck_gives_the_same_bytes() -> None:
    """Two builds of one request at one moment are equal byte by byte; another moment only changes the dates."""
    first, second = (write_pptx(deck_of(request_for(IDEAS["drone"])), NOW) for _ in range(2))
    assert first == second
    later = write_pptx(deck_of(request_for(IDEAS["drone"])), NOW + timedelta(days=1))
    assert _differing(first, later) == {"docProps/core.xml"}


def _differing(first: bytes, second: bytes) -> set[str]:
    one, two = (zipfile.ZipFile(io.BytesIO(blob)) for blob in (first, second))
    return {name for name in one.namelist() if one.read(name) != two.read(name)}


def test_properties_say_what_it_is() -> None:
    """Title and dates are the deck's and the clock's; nothing of the bare template is left."""
    blob = write_pptx(reference_deck("food", common_pb2.INVESTOR_TYPE_SEED), NOW)
    core = pptx_walk.read(blob).core_properties
    assert core.title == "ExpiryWise: investor deck"
    assert core.created == core.modified == NOW.replace(tzinfo=None)
    names = zipfile.ZipFile(io.BytesIO(blob)).namelist()
    assert not [name for name in names if "thumbnail" in name or "printerSettings" in name]
    assert len(names) == len(set(names))


HOSTILE = {
    "script": '<script>alert(1)</script> & "quotes" \']]> <b>',
    "rtl": "תוכנה שעוזרת למשפחות לבזבז פחות אוכל",
    "long word": "Supercalifragilistic" * 40,
    "wide": "漢字の長い説明文がここにあります" * 12,
    "emoji": "🍕" * 120,
    "template": "{name} {0} %s ${x} {{ 7*7 }}",
    "control": "a\x0bb\x1bc\ufffed",
}


def hostile_deck(text: str) -> Deck:
    request = request_for(IDEAS["food"], common_pb2.INVESTOR_TYPE_SERIES_A, evidence=[])
    profile = request.profile
    for field in ("one_liner", "problem", "solution", "category_label"):
        setattr(profile, field, text)
    for values in (profile.names, profile.audiences, profile.mechanisms, profile.keywords, profile.entities):
        values[:] = [text, text]
    for feature in profile.features:
        feature.title = text
    for rule in profile.regulated_fields:
        rule.field = rule.basis = rule.advice = text
    request.verdict.would_change[:] = [text]
    request.verdict.reasons[0].explanation = text
    for score in request.criteria:
        score.reason = score.improvement = text
    claims = [claim.id for claim in request.claims]
    for place, stance in enumerate((1, 2, 3) * len(claims)):
        request.evidence.append(
            item(claims[place % len(claims)], f"{text} {place}", stance=stance, title=text, url=f"javascript:{place}")
        )
    request.evidence.append(item("competition", text, stance=2, title=text, product=text))
    return deck_of(request)


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_neither_breaks_nor_overflows(kind: str) -> None:
    """Markup, other scripts, endless words and emoji stay text within their boxes, and no strange link is made."""
    deck = hostile_deck(HOSTILE[kind])
    presentation = pptx_walk.read(write_pptx(deck, NOW))
    assert list(pptx_walk.overflows(presentation)) == []
    for slide in presentation.slides:
        for link in slide._element.iter(_HYPERLINK):
            relation = slide.part.rels[link.get(_RELATION)]
            assert not relation.is_external or relation.target_ref.startswith(("https://", "http://"))
