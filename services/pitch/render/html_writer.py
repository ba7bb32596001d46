"""Writes the deck as one self-contained .html page: same slides, keyboard, print, light and dark.

Everything is escaped by the template engine; a content security policy allows the page's own style and script by
their hashes and nothing else, so that text which slips through could still not run.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import Any

import jinja2

from pipeline.v1 import pitch_pb2
from services.pitch.domain import plans, words
from services.pitch.domain.deck import Deck
from services.pitch.render import html_chart
from services.pitch.render.layout import MARK_HEADER, is_cover, is_numeric, split_quote

# More entries than this on a source page are set in two columns.
ROWS_IN_ONE_COLUMN = 20


@cache
def _read(name: str) -> str:
    """A file of the templates folder; read once per process."""
    return resources.files("services.pitch").joinpath(f"render/templates/{name}").read_text(encoding="utf-8")


def write_html(deck: Deck) -> bytes:
    """The page, UTF-8."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    style, script = _read("deck.css"), _read("deck.js")
    page = environment.from_string(_read("deck.html.j2")).render(
        name=deck.name,
        reader=plans.plan_for(deck.investor).reader,
        slides=[_slide(deck, slide) for slide in deck.slides],
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
    )
    return page.lstrip().encode("utf-8", "replace")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _slide(deck: Deck, slide: pitch_pb2.Slide) -> dict[str, Any]:
    plain, quotes, gaps = [], [], []
    for statement in slide.statements:
        marks = _marks(deck, statement.citation_ids, statement.assumption_ids)
        parts = split_quote(statement.text)
        if parts:
            quotes.append({"label": parts[0], "quote": parts[1], "source": parts[2], "marks": marks})
        elif statement.is_placeholder:
            gaps.append({"text": statement.text, "marks": marks})
        else:
            plain.append({"text": statement.text, "marks": marks})
    return {
        "number": slide.number,
        "cover": is_cover(slide),
        "kicker": plans.KICKERS.get(slide.type, ""),
        "title": slide.title,
        "plain": plain,
        "quotes": quotes,
        "gaps": gaps,
        "tables": _tables(deck, slide) if slide.table.rows else [],
        "chart": _chart(deck, slide.chart) if slide.HasField("chart") else None,
        "reference": slide.type == pitch_pb2.SLIDE_TYPE_SOURCES,
        "notes": slide.speaker_notes,
    }


def _tables(deck: Deck, slide: pitch_pb2.Slide) -> list[dict[str, Any]]:
    reference = slide.type == pitch_pb2.SLIDE_TYPE_SOURCES
    marked = not reference and any(row.citation_ids or row.assumption_ids for row in slide.table.rows)
    urls = {citation.id: citation.url for citation in deck.marks.citations}
    rows = []
    for row in slide.table.rows:
        address = urls.get(row.citation_ids[0], "") if reference and row.citation_ids and not row.assumption_ids else ""
        mark = row.cells[0].strip("[]A") if reference else ""
        anchor = f"{'assumption' if row.assumption_ids else 'source'}-{mark}" if mark else ""
        rows.append(
            {
                "cells": [{"text": cell, "numeric": is_numeric(cell)} for cell in row.cells],
                "marks": _marks(deck, row.citation_ids, row.assumption_ids) if marked else [],
                "address": address if words.is_web_address(address) else "",
                "anchor": anchor,
            }
        )
    header = [*slide.table.header, MARK_HEADER] if marked else list(slide.table.header)
    # Long lists stand in two columns, as in the presentation.
    half = -(-len(rows) // 2) if reference and len(rows) > ROWS_IN_ONE_COLUMN else len(rows)
    return [
        {"header": header, "rows": rows[first : first + half], "marked": marked} for first in range(0, len(rows), half)
    ]


def _chart(deck: Deck, chart: pitch_pb2.Chart) -> dict[str, Any]:
    return {
        "title": chart.title,
        "spoken": html_chart.spoken(chart),
        "marks": _marks(deck, chart.citation_ids, chart.assumption_ids),
        **html_chart.geometry(chart),
    }


def _marks(deck: Deck, citation_ids: Any, assumption_ids: Any) -> list[dict[str, str]]:
    """Marks with the anchor each leads to."""
    found = []
    for mark in deck.marks.of(citation_ids, assumption_ids):
        kind = "source" if mark.startswith("[") else "assumption"
        found.append({"text": mark, "anchor": f"{kind}-{mark.strip('[]A')}"})
    return found
