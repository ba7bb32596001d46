"""Measuring: lines, tables, pages, and the look's promises."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.v1 import pitch_pb2
from services.pitch.render import theme
from services.pitch.render.fit import fit_table, text_height, wrap
from services.pitch.render.layout import arrange, paginate
from services.pitch.render.metrics import text_width


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=200))
def test_no_line_is_wider_than_its_box(text: str) -> None:
    """Wrapping keeps every line within the width, whatever the words; nothing is lost."""
    lines = wrap(text, 120, 14)
    assert all(text_width(line, 14) <= 120 or len(line) == 1 for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_bold_and_larger_text_takes_more_room() -> None:
    """Width grows with weight and size."""
    assert text_width("Households", 14, True) > text_width("Households", 14) > text_width("Households", 12)


def test_table_columns_fill_the_width_and_rows_hold_their_text() -> None:
    """Columns add up to the table; each row is as high as its highest cell."""
    rows = [["Risk", "What we found", "Next"], ["Short", "a long finding " * 20, "call"]]
    fitted = fit_table(rows, 600, 12)
    assert sum(fitted.columns) == pytest.approx(600)
    assert fitted.rows[1] >= text_height(rows[1][1], fitted.columns[1] - 12, 12)
    assert fitted.columns[0] >= text_width("Short", 12)


def test_a_slide_that_is_too_full_is_split_in_order() -> None:
    """Nothing is dropped and nothing overflows: the rest goes on a further slide."""
    statements = [pitch_pb2.Statement(text=f"Point {'abcdefghij'[place]}. " + "word " * 55) for place in range(10)]
    slide = pitch_pb2.Slide(type=pitch_pb2.SLIDE_TYPE_PROBLEM, title="Too much", statements=statements)
    pages = paginate(slide)
    assert len(pages) > 1
    assert all(arrange(page) is not None for page in pages)
    assert [text.text for page in pages for text in page.statements] == [text.text for text in statements]
    assert all(page.title.endswith(", continued") for page in pages[1:])


@pytest.mark.parametrize(
    ("text", "ground"),
    [
        (theme.INK, theme.PAPER),
        (theme.MUTED, theme.PAPER),
        (theme.ACCENT, theme.PAPER),
        (theme.INK, theme.TINT),
        (theme.ACCENT, theme.TINT),
        (theme.AGAINST, theme.TINT),
        (theme.MUTED, theme.TINT),
        (theme.COVER_TEXT, theme.COVER),
        (theme.COVER_MUTED, theme.COVER),
    ],
)
def test_text_keeps_aa_contrast(text: str, ground: str) -> None:
    """Every text colour has at least 4.5:1 on its ground."""
    assert theme.contrast(text, ground) >= 4.5
