"""Slides worded by a text model, from the evidence that each sentence names. Twin: the slide builders of `domain`.

The model is shown one slide at a time: its lines, the founder's own description and the verified evidence on the
slide's claims, all as data. It may give another wording for a line and must name the evidence that carries it; the
check in `domain/carried.py` decides. Slides and lines stay where the builders put them, so that a deck with a model and
one without have the same structure. Lines that compute, quote, or ask the founder for something are never handed out.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from chassis.models.text import Message
from chassis.models.use import ModelUse
from pipeline.v1 import common_pb2, pitch_pb2
from services.pitch.domain import plans, words
from services.pitch.domain.brief import Brief
from services.pitch.domain.carried import CHARS, SIMILARITY_MIN, why_not
from services.pitch.domain.draft import QUOTE_LABELS, Draft

if TYPE_CHECKING:
    from chassis.models.embedding import Embedder

STEP = "slides"
LINES_MAX = 6
EVIDENCE_MAX = 10
QUOTE_CHARS_MAX = 500
_TOKENS_PER_LINE = 120
# Drawing, and the lines as the builders wrote them, need what is left.
_TIME_SHARE = 0.5

_TASK = (
    "You word lines of an investor's slide. Rewrite a line only where the evidence lets you say it more concretely: "
    f"one plain sentence of at most {CHARS[1]} characters, in the words of the evidence, its figures unchanged. Name "
    "which pieces of evidence carry the sentence. Never add a fact, a number, a promise or praise that the "
    "evidence does not state. Leave a line out where no evidence fits: that is a good answer."
)


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid")

    line: int = Field(ge=1, le=LINES_MAX)
    text: str = Field(min_length=CHARS[0], max_length=CHARS[1])
    evidence: list[int] = Field(min_length=1, max_length=4)


class SlideWords(BaseModel):
    """Other wordings for some lines of a slide."""

    model_config = ConfigDict(extra="forbid")

    lines: list[_Line] = Field(max_length=LINES_MAX)


@dataclass(frozen=True)
class _Page:
    """What one question is about."""

    slide_type: pitch_pb2.SlideType.ValueType
    lines: Sequence[pitch_pb2.Statement]
    evidence: Sequence[common_pb2.EvidenceItem]


async def reword(
    brief: Brief,
    drafts: Sequence[tuple[pitch_pb2.SlideType.ValueType, Draft]],
    use: ModelUse,
    embedder: Embedder | None,
) -> None:
    """Replaces lines of the drafts where the model's wording is carried by the evidence it names."""
    if not use.wanted:
        return
    pages = [page for slide_type, draft in drafts if (page := _page(brief, slide_type, draft)) is not None]
    answers = await asyncio.gather(*(_ask(brief, page, use) for page in pages))
    used, refused = 0, Counter[str]()
    for page, answer in zip(pages, answers, strict=True):
        for line in _once(answer):
            reason = await _apply(brief, page, line, embedder)
            if reason:
                refused[reason] += 1
            else:
                used += 1
    told = f"{used} lines worded by it"
    if refused:
        reasons = words.join([f"{count} {reason}" for reason, count in refused.most_common()])
        told += f", {refused.total()} sentences not used ({reasons})"
    use.came_of(STEP, told)


def _page(brief: Brief, slide_type: pitch_pb2.SlideType.ValueType, draft: Draft) -> _Page | None:
    """The slide's lines that may be worded anew and the evidence on its claims; None where there are none."""
    claims = set(brief.claim_ids(*plans.CLAIM_KINDS[slide_type]))
    evidence = [
        item
        for item in brief.evidence
        if item.claim_id in claims and item.quote and common_pb2.SOURCE_FLAG_INSTRUCTIONS not in item.flags
    ][:EVIDENCE_MAX]
    lines = [statement for statement in draft.statements if _may_change(statement)][:LINES_MAX]
    if slide_type == pitch_pb2.SLIDE_TYPE_PURPOSE or not lines or not evidence:
        return None
    return _Page(slide_type, lines, evidence)


def _may_change(statement: pitch_pb2.Statement) -> bool:
    quoted = statement.text.partition(":")[0] in QUOTE_LABELS
    return not (statement.is_placeholder or statement.assumption_ids or quoted)


async def _ask(brief: Brief, page: _Page, use: ModelUse) -> SlideWords | None:
    profile = brief.profile
    own = "\n".join(part for part in (profile.idea, profile.one_liner, profile.problem, profile.solution) if part)
    kicker = plans.KICKERS.get(page.slide_type, "")
    messages = [
        Message(
            "system", f"{_TASK} The slide is called “{kicker}”; its reader is {plans.plan_for(brief.investor).reader}."
        ),
        Message("user", own[:2_000], untrusted=True, label="the founder's description"),
        *(
            Message("user", statement.text, untrusted=True, label=f"line {number}")
            for number, statement in enumerate(page.lines, 1)
        ),
        *(
            Message("user", item.quote[:QUOTE_CHARS_MAX], untrusted=True, label=f"evidence {number}")
            for number, item in enumerate(page.evidence, 1)
        ),
    ]
    tokens_max = 100 + _TOKENS_PER_LINE * len(page.lines)
    return await use.ask(STEP, messages, SlideWords, tokens_max=tokens_max, time_share=_TIME_SHARE)


def _once(answer: SlideWords | None) -> list[_Line]:
    """The lines of an answer; one that is answered twice is not answered."""
    if answer is None:
        return []
    times = Counter(line.line for line in answer.lines)
    return [line for line in answer.lines if times[line.line] == 1]


async def _apply(brief: Brief, page: _Page, line: _Line, embedder: Embedder | None) -> str:
    """Puts the wording in the line's place; returns why not, or ""."""
    if line.line > len(page.lines) or not all(1 <= number <= len(page.evidence) for number in line.evidence):
        return "name lines or evidence that are not there"
    items = [page.evidence[number - 1] for number in dict.fromkeys(line.evidence)]
    text = words.sentence(words.clean(line.text, CHARS[1]))
    profile = brief.profile
    own = " ".join((profile.idea, profile.one_liner, profile.problem, profile.solution, *profile.audiences, brief.name))
    reason = why_not(text, items, own, brief.ledger.names)
    if not reason and embedder is not None:
        vectors = await embedder.embed([text, *(item.quote for item in items)])
        if float((vectors[1:] @ vectors[0]).max()) < SIMILARITY_MIN:
            reason = "mean something else than their evidence"
    if reason:
        return reason
    statement = page.lines[line.line - 1]
    statement.text = text.rstrip(".")
    del statement.citation_ids[:]
    statement.citation_ids.extend(key for item in items for key in brief.ledger.cite(item))
    statement.is_model_written = True
    return ""
