"""What a slide builder returns, and what it may lean on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pipeline.v1 import common_pb2, pitch_pb2
from services.pitch.domain import words
from services.pitch.domain.brief import Brief
from services.pitch.domain.financials import Financials
from services.pitch.domain.ledger import Part
from services.pitch.domain.market import Market
from services.pitch.domain.plans import Plan

FOR, AGAINST, CONTEXT = "For", "Against", "Context"
# Statements that the renderers set as quote cards start so.
QUOTE_LABELS = (FOR, AGAINST, CONTEXT)


@dataclass
class Draft:
    """A slide before it has its number and its marks."""

    title: str
    statements: list[pitch_pb2.Statement] = field(default_factory=list)
    table: pitch_pb2.Table | None = None
    chart: pitch_pb2.Chart | None = None
    # What to say, sentence by sentence.
    talk: list[str] = field(default_factory=list)
    # What the slide should rest on, and whether it does: the basis of `completeness`.
    parts: dict[str, bool] = field(default_factory=dict)
    missing: list[common_pb2.Missing] = field(default_factory=list)


@dataclass
class Desk:
    """What the builders share for one deck."""

    brief: Brief
    plan: Plan
    market: Market
    financials: Financials

    def has(self, slide_type: int) -> bool:
        """Whether the plan has such a slide."""
        return slide_type in self.plan.slides

    def quotes(self, kinds: Sequence[int], *, supports: int = 2, contradicts: int = 1) -> list[pitch_pb2.Statement]:
        """Quote statements for and against the claims of some kinds; context only where nothing takes a side."""
        brief = self.brief
        wanted = [
            (FOR, brief.fresh(brief.found(common_pb2.STANCE_SUPPORTS, *kinds), supports)),
            (AGAINST, brief.fresh(brief.found(common_pb2.STANCE_CONTRADICTS, *kinds), contradicts)),
        ]
        if not any(items for _, items in wanted):
            wanted = [(CONTEXT, brief.fresh(brief.found(common_pb2.STANCE_MENTIONS, *kinds), 2))]
        return [self.quote(label, item) for label, items in wanted for item in items]

    def quote(self, label: str, item: common_pb2.EvidenceItem) -> pitch_pb2.Statement:
        """One quote with its source: 'For: “...” — Title'."""
        ledger = self.brief.ledger
        title = words.clean(item.title, 70) or words.host(item.url)
        source = Part(f" — {title}" if title else "", ledger.cite(item))
        return ledger.say("{label}: {quote}{source}", label=label, quote=ledger.quote(item), source=source)


Builder = Callable[[Desk], Draft]


def missing(subject: str, kind: common_pb2.MissingKind.ValueType, reason: str, next_step: str) -> common_pb2.Missing:
    """A gap of the deck."""
    return common_pb2.Missing(
        subject=subject, phase=common_pb2.PHASE_PITCH, kind=kind, reason=reason, next_step=next_step
    )
