"""What a slide builder returns, and what it may lean on."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pipeline.v1 import common_pb2, pitch_pb2
from services.pitch.domain import numbers, words
from services.pitch.domain.brief import Brief
from services.pitch.domain.financials import Financials
from services.pitch.domain.ledger import Part
from services.pitch.domain.market import Market
from services.pitch.domain.plans import Plan

FOR, AGAINST, CONTEXT = "For", "Against", "Context"
_BEARS = re.compile(r"(?:Supports|Contradicts) the claim: (.+)$", re.DOTALL)
_RELATION = re.compile(r"\d[\d.,]*%? (?=above|below)")
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

    def reads(self, *investors: int) -> bool:
        """Whether the deck is for one of these investor types."""
        return self.brief.investor in investors

    def has(self, slide_type: int) -> bool:
        """Whether the plan has such a slide."""
        return slide_type in self.plan.slides

    def known(self, kind: int) -> Part:
        """Which way sources speak about a kind of claim, with the best of each side."""
        brief = self.brief
        pro = brief.found(common_pb2.STANCE_SUPPORTS, kind)
        con = brief.found(common_pb2.STANCE_CONTRADICTS, kind)
        sides = {(True, True): "Sources for and against", (True, False): "Sources for it"}
        said = sides.get((bool(pro), bool(con)), "Sources against it" if con else "No source yet")
        return Part(said, tuple(key for item in [*pro[:1], *con[:1]] for key in brief.ledger.cite(item)))

    def quotes(self, kinds: Sequence[int], *, supports: int = 2, contradicts: int = 1) -> list[pitch_pb2.Statement]:
        """Quote statements for and against the claims of some kinds; context only where nothing takes a side."""
        brief = self.brief
        wanted = [
            (FOR, brief.fresh(brief.found(common_pb2.STANCE_SUPPORTS, *kinds), supports)),
            (AGAINST, brief.fresh(brief.found(common_pb2.STANCE_CONTRADICTS, *kinds), contradicts)),
        ]
        if not any(items for _, items in wanted):
            mentions = [
                item
                for item in brief.found(common_pb2.STANCE_MENTIONS, *kinds)
                if not brief.is_starter_figure(item) and not item.product.name
            ]
            wanted = [(CONTEXT, brief.fresh(mentions, 2))]
        return [self.quote(label, item) for label, items in wanted for item in items]

    def quote(self, label: str, item: common_pb2.EvidenceItem) -> pitch_pb2.Statement:
        """One quote with its source and why it counts: 'For: “...” — Title: 120 stars show that ...'."""
        ledger = self.brief.ledger
        why = self._why(item)
        if item.product.name and why:
            return ledger.say("{fact}", fact=self.said(item))
        tail = ": ".join(part for part in (_source(item), why) if part)
        source = Part(f" — {tail}" if tail else "", ledger.cite(item))
        return ledger.say("{label}: {quote}{source}", label=label, quote=ledger.quote(item), source=source)

    def said(self, item: common_pb2.EvidenceItem, limit: int = 190) -> Part:
        """What an item says: its quote, or of a directory's entry, which is no prose, what follows from its facts."""
        why = self._why(item)
        if item.product.name and why:
            return Part(f"{words.clean(item.title, 70) or words.host(item.url)}: {why}", self.brief.ledger.cite(item))
        return self.brief.ledger.quote(item, limit)

    def _why(self, item: common_pb2.EvidenceItem) -> str:
        """What follows from a product's or a figure's facts; empty for prose: its words speak for themselves."""
        if not (item.product.name or item.HasField("figure")):
            return ""
        why, names = _bearing(item), self.brief.ledger.names
        known = numbers.values_in(item.quote, item.title)
        return why if all(found.value in known for found in numbers.find_numbers(why, names)) else ""


def _source(item: common_pb2.EvidenceItem) -> str:
    """What a quote's source is called: its title, or its site where the title is what is quoted."""
    title, host = words.clean(item.title, 70), words.host(item.url)
    if item.source_type == common_pb2.SOURCE_TYPE_USER_DOCUMENT:
        return f"the founder's own document, {title}" if title else "the founder's own document"
    repeats = words.clean(item.quote).casefold() == words.clean(item.title).casefold()
    return (host or title) if repeats else (title or host)


def _bearing(item: common_pb2.EvidenceItem) -> str:
    """The clause of the rationale that says how the item bears on its claim; empty where there is none."""
    match = _BEARS.search(item.rationale)
    if match is None:
        return ""
    # "52% above all industries" is a sum of the evidence phase over two sources: only its direction is repeated.
    return words.clean(_RELATION.sub("", match.group(1)), 90).rstrip(".")


Builder = Callable[[Desk], Draft]


def missing(subject: str, kind: common_pb2.MissingKind.ValueType, reason: str, next_step: str) -> common_pb2.Missing:
    """A gap of the deck."""
    return common_pb2.Missing(
        subject=subject, phase=common_pb2.PHASE_PITCH, kind=kind, reason=reason, next_step=next_step
    )
