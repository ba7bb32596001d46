"""The last pages: every source with its link, every assumption with its range; and the notes of each slide."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.v1 import common_pb2, pitch_pb2
from services.pitch.domain import words
from services.pitch.domain.ledger import Marks, covering_ids

# At most on a page of two columns; a list that does not fit is cut in half, so that no page holds one line alone.
SOURCES_PER_SLIDE = 28
ASSUMPTIONS_PER_SLIDE = 60
SOURCE_HEADER = ("Mark", "Source", "Site", "Confidence")
ASSUMPTION_HEADER = ("Mark", "Assumption", "Value", "Range")


def source_slides(marks: Marks) -> list[pitch_pb2.Slide]:
    """Source pages; one with a plain statement where nothing is cited."""
    pages = marks.pages()
    if not pages:
        slide = pitch_pb2.Slide(type=pitch_pb2.SLIDE_TYPE_SOURCES, title="Sources: none")
        slide.statements.add(text="No outside source is cited: every number in this deck is an assumption.")
        return [slide]
    slides = []
    for start in range(0, len(pages), SOURCES_PER_SLIDE):
        part = pages[start : start + SOURCES_PER_SLIDE]
        slide = pitch_pb2.Slide(
            type=pitch_pb2.SLIDE_TYPE_SOURCES,
            title="Sources" if start == 0 else "Sources, continued",
            table=pitch_pb2.Table(header=SOURCE_HEADER),
        )
        for number, citations in part:
            first = citations[0]
            slide.table.rows.add(
                cells=[
                    f"[{number}]",
                    words.clean(first.title, 100) or words.host(first.url) or "Untitled source",
                    words.host(first.url) or "the founder's own document",
                    first.confidence or "not rated",
                ],
                citation_ids=[citation.id for citation in citations],
            )
        slides.append(slide)
    return slides


def assumption_slides(marks: Marks) -> list[pitch_pb2.Slide]:
    """Assumption pages, none where nothing is assumed."""
    slides = []
    for start in range(0, len(marks.assumptions), ASSUMPTIONS_PER_SLIDE):
        part = marks.assumptions[start : start + ASSUMPTIONS_PER_SLIDE]
        slide = pitch_pb2.Slide(
            type=pitch_pb2.SLIDE_TYPE_SOURCES,
            title="Assumptions and what was computed from them" if start == 0 else "Assumptions, continued",
            table=pitch_pb2.Table(header=ASSUMPTION_HEADER),
        )
        for item in part:
            value, span = marks.shown[item.id]
            inputs = [f"A{marks.assumption_number(key)}" for key in marks.inputs.get(item.id, ())]
            # The notes name every input; here the first few keep an entry to one line.
            named = ", ".join(inputs[:3]) + (", …" if len(inputs) > 3 else "")
            label = f"{item.label} (from {named})" if inputs else item.label
            slide.table.rows.add(
                cells=[f"A{marks.assumption_number(item.id)}", label, value, span or "as stated"],
                assumption_ids=[item.id],
                citation_ids=[item.citation_id] if item.citation_id else [],
            )
        slides.append(slide)
    return slides


def notes(talk: Sequence[str], slide: pitch_pb2.Slide, marks: Marks) -> str:
    """Talk track, then every source and assumption of the slide in full."""
    citation_ids: dict[str, None] = {}
    assumption_ids: dict[str, None] = {}
    for cited, assumed in covering_ids(slide):
        citation_ids.update(dict.fromkeys(cited))
        assumption_ids.update(dict.fromkeys(assumed))
    parts = []
    if talk:
        parts.append("Talk track\n" + "\n".join(words.sentence(line) for line in talk))
    by_id = {citation.id: citation for citation in marks.citations}
    if citation_ids:
        lines = [citation_line(marks.citation_number(key), by_id[key]) for key in citation_ids]
        parts.append("Sources\n" + "\n".join(dict.fromkeys(lines)))
    by_assumption = {item.id: item for item in marks.assumptions}
    if assumption_ids:
        lines = [assumption_line(by_assumption[key], marks) for key in assumption_ids]
        parts.append("Assumptions\n" + "\n".join(lines))
    return "\n\n".join(parts)


def citation_line(number: int, citation: common_pb2.Citation) -> str:
    """A source in full: mark, title, date, address, what it says."""
    date = f" ({citation.published_at.ToDatetime():%Y-%m-%d})" if citation.HasField("published_at") else ""
    address = f" {citation.url}" if citation.url else ""
    said = f" Says: {words.clean(citation.quote, 400)}" if citation.quote else ""
    trust = f" Confidence: {citation.confidence}." if citation.confidence else ""
    return f"[{number}] {words.clean(citation.title, 200)}{date}.{address}{said}{trust}"


def assumption_line(item: common_pb2.Assumption, marks: Marks) -> str:
    """An assumption in full: mark, meaning, value, range, why."""
    value, span = marks.shown[item.id]
    between = f", range {span}" if span else ""
    cited = f" Value from [{marks.citation_number(item.citation_id)}]." if item.citation_id else ""
    return f"A{marks.assumption_number(item.id)} {item.label}: {value}{between}.{cited} {item.basis}".rstrip()
