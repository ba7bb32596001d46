"""Requests for decks: the six reference ideas with evidence for, against and beside their claims."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache

from chassis.figures import Figures
from chassis.idea.reading import read_idea
from pipeline.v1 import common_pb2, pitch_pb2, validation_pb2
from services.pitch.domain import deck as decks
from services.pitch.domain.sizing import Sizing
from services.pitch.render.layout import paginate

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
INVESTORS = [value for value in common_pb2.InvestorType.values() if value]
IDEAS = {
    "food": "A mobile app that helps households waste less food by tracking expiry dates and suggesting recipes",
    "clinic": "A scheduling tool for small clinics that reduces no-shows with automatic reminders and waitlist filling",
    "fraud": "A B2B tool that detects fraudulent invoices before finance teams pay them",
    "tutor": "A marketplace that matches high school students with vetted tutors for online lessons",
    "drone": "A drone service that scans farm fields and tells growers where to irrigate and spray",
    "validator": "AI-powered startup idea validation platform",
}


def item(
    claim_id: str,
    quote: str,
    *,
    stance: int = common_pb2.STANCE_SUPPORTS,
    title: str = "A survey of 412 buyers",
    url: str = "",
    product: str = "",
    composite: float = 0.7,
) -> common_pb2.EvidenceItem:
    """One piece of evidence, as the evidence phase hands it over."""
    digest = hashlib.sha256(f"{url}{quote}".encode()).hexdigest()
    found = common_pb2.EvidenceItem(
        id=f"ev-{digest[:12]}",
        claim_id=claim_id,
        stance=stance,  # type: ignore[arg-type]
        stance_confidence=0.8,
        quote=quote,
        url=url or f"https://example.org/{digest[:6]}",
        title=title,
        provider="documents",
        relevance=composite,
        credibility=composite,
        freshness=composite,
        composite=composite,
        verified=True,
    )
    found.published_at.FromDatetime(datetime(2025, 3, 4))  # noqa: DTZ001
    if product:
        found.product.CopyFrom(
            common_pb2.ProductFact(name=product, category="Neighbouring tools", license="MIT", stars=9_399)
        )
    return found


def evidence_for(problem: str) -> list[common_pb2.EvidenceItem]:
    """Items on every kind of claim, with numbers in their quotes."""
    against, mentions = common_pb2.STANCE_CONTRADICTS, common_pb2.STANCE_MENTIONS
    return [
        item(
            "problem", f"In our survey 63% of 412 people named {problem} as a weekly annoyance costing $1,250 a year."
        ),
        item("problem", f"Most people shrug at {problem}: only 7 of 90 would change a habit for it.", stance=against),
        item("audience", "They answer e-mail within 2.5 days on average.", title="Panel report"),
        item(
            "timing", "Since 2024 a rule asks for records of it, up from 12% to 40% of cases.", title="Rule change 2024"
        ),
        item("market-size", "There are 48,300 such buyers in the region.", title="Regional count"),
        item("willingness-to-pay", "Two thirds said they would not pay more than $4 a month.", stance=against),
        item("feasibility", "The open-source engine reads 30 pages a second.", title="Engine notes"),
        item(
            "competition",
            "Rivalo. Category: Neighbouring tools. GitHub stars: 9,399. Licence: MIT.",
            stance=against,
            title="Rivalo (Neighbouring tools)",
            product="Rivalo",
        ),
        item("competition", "Others. GitHub stars: 9,399.", stance=mentions, title="Tool 24", product="Tool 24"),
    ]


def request_for(
    idea: str,
    investor: int = common_pb2.INVESTOR_TYPE_SEED,
    *,
    evidence: Sequence[common_pb2.EvidenceItem] | None = None,
    name: str = "",
) -> pitch_pb2.DraftDeckRequest:
    """A request with the profile and claims that the shared reader gives; `evidence=()` sends none."""
    reading = read_idea(idea, name)
    scored = [
        validation_pb2.CriterionScore(
            criterion=validation_pb2.CRITERION_CLARITY, score=5, reason="It says what it is.", confidence=0.8
        ),
        validation_pb2.CriterionScore(
            criterion=validation_pb2.CRITERION_MARKET,
            score=2,
            reason="Nobody is counted among its 2 sides.",
            improvement="Add how many there are.",
            confidence=0.6,
        ),
    ]
    verdict = validation_pb2.Verdict(
        recommendation=validation_pb2.RECOMMENDATION_PIVOT,
        score=3.4,
        confidence=0.6,
        reasons=[validation_pb2.VerdictReason(rule="cap", explanation="The mean of 3.6 is capped at 3.4.")],
        would_change=["A count of buyers."],
    )
    return pitch_pb2.DraftDeckRequest(
        profile=reading.profile,
        claims=reading.claims,
        evidence=evidence_for(reading.profile.problem or "it") if evidence is None else evidence,
        criteria=scored,
        verdict=verdict,
        investor_type=investor,  # type: ignore[arg-type]
    )


@cache
def shipped() -> tuple[Figures, Sizing]:
    """The shipped figures and planning values, loaded once for all tests."""
    return Figures.load(), Sizing.load()


def deck_of(request: pitch_pb2.DraftDeckRequest) -> decks.Deck:
    """The finished deck."""
    return decks.build(request, *shipped(), paginate)


@cache
def reference_deck(key: str, investor: int) -> decks.Deck:
    """The deck of a reference idea; decks are not changed by tests, so each is built once."""
    return deck_of(request_for(IDEAS[key], investor))
