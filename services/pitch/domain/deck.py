"""Builds the deck: plan -> drafts -> slides with marks, notes and a check that every number is covered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from chassis.figures import Figures
from pipeline.v1 import common_pb2, pitch_pb2
from services.pitch.domain import (
    against,
    ask,
    back,
    covered,
    money,
    plans,
    proof,
    quality,
    steps,
    story,
    team,
    traction,
)
from services.pitch.domain.brief import Brief
from services.pitch.domain.draft import Builder, Desk, Draft
from services.pitch.domain.financials import Financials
from services.pitch.domain.ledger import Marks
from services.pitch.domain.market import Market
from services.pitch.domain.numbers import Coverage, Tally
from services.pitch.domain.plans import SlideType
from services.pitch.domain.sizing import Sizing

BUILDERS: Mapping[int, Builder] = {
    pitch_pb2.SLIDE_TYPE_PURPOSE: story.purpose,
    pitch_pb2.SLIDE_TYPE_PROBLEM: story.problem,
    pitch_pb2.SLIDE_TYPE_SOLUTION: story.solution,
    pitch_pb2.SLIDE_TYPE_WHY_NOW: story.why_now,
    pitch_pb2.SLIDE_TYPE_MARKET: proof.market,
    pitch_pb2.SLIDE_TYPE_COMPETITION: proof.competition,
    pitch_pb2.SLIDE_TYPE_PRODUCT: story.product,
    pitch_pb2.SLIDE_TYPE_BUSINESS_MODEL: money.business_model,
    pitch_pb2.SLIDE_TYPE_GO_TO_MARKET: money.go_to_market,
    pitch_pb2.SLIDE_TYPE_TRACTION: traction.traction,
    pitch_pb2.SLIDE_TYPE_TEAM: team.team,
    pitch_pb2.SLIDE_TYPE_FINANCIALS: money.financials,
    pitch_pb2.SLIDE_TYPE_ASK: ask.ask,
    pitch_pb2.SLIDE_TYPE_USE_OF_FUNDS: ask.use_of_funds,
    pitch_pb2.SLIDE_TYPE_RISKS: against.risks,
    pitch_pb2.SLIDE_TYPE_AGAINST: against.against,
    pitch_pb2.SLIDE_TYPE_UNIT_ECONOMICS: money.unit_economics,
    pitch_pb2.SLIDE_TYPE_MILESTONES: steps.milestones,
    pitch_pb2.SLIDE_TYPE_STRATEGIC_FIT: steps.strategic_fit,
}

# Cuts a slide into pages that fit (render/fit.py); passed in, so that the domain knows no geometry.
Paginate = Callable[[pitch_pb2.Slide], list[pitch_pb2.Slide]]


@dataclass(frozen=True)
class Deck:
    """A finished deck, ready to be drawn."""

    name: str
    investor: common_pb2.InvestorType.ValueType
    slides: tuple[pitch_pb2.Slide, ...]
    marks: Marks
    coverage: Coverage
    quality: pitch_pb2.DeckQuality
    missing: tuple[common_pb2.Missing, ...]
    notices: tuple[common_pb2.Notice, ...]
    # Number of the slide that lists a source mark, by its number; and the same for assumption marks.
    source_slide: Mapping[int, int]
    assumption_slide: Mapping[int, int]


@dataclass(frozen=True)
class Written:
    """A deck's slides before they are checked and cut into pages; `drafts` may still be worded anew."""

    request: pitch_pb2.DraftDeckRequest
    brief: Brief
    drafts: tuple[tuple[SlideType, Draft], ...]


def build(request: pitch_pb2.DraftDeckRequest, figures: Figures, sizing: Sizing, paginate: Paginate) -> Deck:
    """The whole deck by rules alone."""
    return finish(write(request, figures, sizing), paginate)


def write(request: pitch_pb2.DraftDeckRequest, figures: Figures, sizing: Sizing) -> Written:
    """The slides of the plan, each with what covers its numbers."""
    brief = Brief.read(request, figures, sizing)
    plan = plans.plan_for(brief.investor)
    market = Market(brief)
    desk = Desk(brief, plan, market, Financials(brief, market))
    return Written(request, brief, tuple((kind, BUILDERS[kind](desk)) for kind in plan.slides))


def finish(written: Written, paginate: Paginate) -> Deck:
    """Checks, cuts and numbers the slides. What would show a number that nothing covers is left out, with a notice."""
    request, brief = written.request, written.brief
    drafts = [draft for _, draft in written.drafts]
    # All is told: what the ledger covers now stays.
    coverage = brief.ledger.coverage()
    talks: list[list[str]] = []
    rests: list[Mapping[str, bool]] = []
    slides: list[pitch_pb2.Slide] = []
    left_out: list[common_pb2.Notice] = []
    for slide_type, draft in written.drafts:
        whole = _slide(brief, slide_type, draft)
        left_out += covered.settle(whole, coverage)
        pages = paginate(whole)
        slides += pages
        talks += [draft.talk, *([] for _ in pages[1:])]
        rests += [draft.parts, *({} for _ in pages[1:])]
    marks = brief.ledger.used(slides)
    lists = [*back.source_slides(marks), *back.assumption_slides(marks)]
    back_pages = [page for slide in lists for page in paginate(slide)]
    slides += back_pages
    talks += [[] for _ in back_pages]
    tally = Tally(0, 0)
    for number, (slide, talk) in enumerate(zip(slides, talks, strict=True), 1):
        slide.number = number
        if slide.type != pitch_pb2.SLIDE_TYPE_SOURCES:
            slide.speaker_notes = back.notes(talk, slide, marks)
            counted = coverage.check_slide(slide)
            quality.mark(slide, rests[number - 1], counted, brief.evidence)
            tally = tally.add(counted)
        else:
            slide.speaker_notes = _reference(slide, marks)
    sources, assumptions = dict(_where(slides, "[")), dict(_where(slides, "A"))
    return Deck(
        name=brief.name,
        investor=brief.investor,
        slides=tuple(slides),
        marks=marks,
        coverage=coverage,
        quality=quality.measure(slides, [draft.parts for draft in drafts], brief.claims, brief.evidence, tally),
        missing=tuple(_distinct(chain(_nothing_given(request), (item for draft in drafts for item in draft.missing)))),
        notices=(*_notices(request, brief), *left_out),
        source_slide=sources,
        assumption_slide=assumptions,
    )


def _slide(brief: Brief, slide_type: pitch_pb2.SlideType.ValueType, draft: Draft) -> pitch_pb2.Slide:
    return pitch_pb2.Slide(
        type=slide_type,
        title=draft.title,
        statements=draft.statements,
        chart=draft.chart,
        table=draft.table,
        claim_ids=brief.claim_ids(*plans.CLAIM_KINDS[slide_type]),
    )


def _reference(slide: pitch_pb2.Slide, marks: Marks) -> str:
    """Notes of a source or assumption page: its entries in full."""
    citation_ids = [key for row in slide.table.rows for key in row.citation_ids]
    assumption_ids = [key for row in slide.table.rows for key in row.assumption_ids]
    if assumption_ids:
        by_assumption = {item.id: item for item in marks.assumptions}
        return "\n".join(back.assumption_line(by_assumption[key], marks) for key in assumption_ids)
    by_id = {citation.id: citation for citation in marks.citations}
    return "\n".join(back.citation_line(marks.citation_number(key), by_id[key]) for key in citation_ids)


def _where(slides: list[pitch_pb2.Slide], prefix: str) -> Iterator[tuple[int, int]]:
    """(mark number, slide number) of the listed sources ("[") or assumptions ("A")."""
    for slide in slides:
        if slide.type == pitch_pb2.SLIDE_TYPE_SOURCES:
            for row in slide.table.rows:
                if row.cells[0].startswith(prefix):
                    yield int(row.cells[0].strip("[]A")), slide.number


def _distinct(items: Iterator[common_pb2.Missing]) -> Iterator[common_pb2.Missing]:
    seen = set()
    for item in items:
        if item.subject not in seen:
            seen.add(item.subject)
            yield item


def _nothing_given(request: pitch_pb2.DraftDeckRequest) -> Iterator[common_pb2.Missing]:
    if not request.evidence:
        yield common_pb2.Missing(
            subject="evidence",
            phase=common_pb2.PHASE_PITCH,
            kind=common_pb2.MISSING_KIND_NO_COVERAGE,
            reason="The deck was written without any evidence: only benchmark figures are cited.",
            next_step="Run the evidence phase, or give your own documents, and draft the deck again.",
        )


def _notices(request: pitch_pb2.DraftDeckRequest, brief: Brief) -> Iterator[common_pb2.Notice]:
    left_out = len(request.evidence) - len(brief.evidence)
    if left_out:
        yield common_pb2.Notice(
            subject="evidence",
            message=f"the deck was written from the first {len(brief.evidence)} items; {left_out} were not read",
            phase=common_pb2.PHASE_PITCH,
        )
    if brief.profile.language not in {"", "en"}:
        yield common_pb2.Notice(
            subject="profile.language",
            message=f"the deck is written in English; the idea is in {brief.profile.language!r}",
            phase=common_pb2.PHASE_PITCH,
        )
