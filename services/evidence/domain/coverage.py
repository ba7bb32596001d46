"""What the result lacks: said in words, with what would supply it. Silence about a gap would be a lie."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pipeline.v1 import common_pb2
from services.evidence.domain.queries import Domain

# An item that fits its claim no better than a base rate that holds for everybody does not cover it.
COVERING_RELEVANCE = 0.5
# Sources that were not heard are named as long as they are few.
NAMES_MAX = 3

_KIND_WORDS: dict[int, tuple[str, str]] = {
    common_pb2.CLAIM_KIND_PROBLEM: (
        "the problem",
        "Talk to five people who have it and give the notes as a document, or run online.",
    ),
    common_pb2.CLAIM_KIND_AUDIENCE: (
        "the audience",
        "Run online, or give a survey or interviews as a document.",
    ),
    common_pb2.CLAIM_KIND_MARKET_SIZE: (
        "the market size",
        "Count the customers bottom-up from a public register or census and give the source as a document.",
    ),
    common_pb2.CLAIM_KIND_COMPETITION: (
        "competitors",
        "Run online, and list the commercial products that you know of in a document.",
    ),
    common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY: (
        "willingness to pay",
        "Run the smoke test of the campaign, or give price interviews as a document.",
    ),
    common_pb2.CLAIM_KIND_FEASIBILITY: (
        "feasibility",
        "Build the riskiest part as a prototype and measure it, or run online.",
    ),
    common_pb2.CLAIM_KIND_TIMING: (
        "timing",
        "Run online for news and trends, or give a trend report as a document.",
    ),
}


def uncovered_claims(
    claims: Sequence[common_pb2.Claim], items: Sequence[common_pb2.EvidenceItem], failed: Iterable[str] = ()
) -> list[common_pb2.Missing]:
    """Return one entry for each claim that nothing but base rates speaks about."""
    covered = {item.claim_id for item in items if item.relevance > COVERING_RELEVANCE}
    base_rates = {item.claim_id for item in items} - covered
    names = sorted(set(failed))
    not_asked = ", ".join(names) if len(names) <= NAMES_MAX else f"{len(names)} online sources"
    missing = []
    for claim in claims:
        if claim.id in covered:
            continue
        words, next_step = _KIND_WORDS.get(claim.kind, (f"claim {claim.id}", "Run online."))
        only = " beyond general base rates" if claim.id in base_rates else ""
        reason = f"No source that was asked says anything usable about {words}{only}"
        missing.append(
            common_pb2.Missing(
                subject=claim.id,
                phase=common_pb2.PHASE_EVIDENCE,
                kind=common_pb2.MISSING_KIND_NO_COVERAGE,
                reason=f"{reason}{f' (not heard: {not_asked})' if not_asked else ''}.",
                next_step=next_step,
            )
        )
    return missing


def shortfalls(domains: Sequence[Domain], kept: Mapping[str, int]) -> list[common_pb2.Missing]:
    """Return one entry for each domain with fewer finds than were asked for."""
    return [
        common_pb2.Missing(
            subject=domain.name,
            phase=common_pb2.PHASE_EVIDENCE,
            kind=common_pb2.MISSING_KIND_SHORTFALL,
            reason=(
                f"{kept.get(domain.name, 0)} of {domain.min_evidence_count} finds asked for reach a score of "
                f"{domain.quality_threshold:.2f}."
            ),
            next_step="Run online, give documents of your own, or name keywords for this domain.",
        )
        for domain in domains
        if kept.get(domain.name, 0) < domain.min_evidence_count
    ]


def no_products(asked: bool, products: int) -> list[common_pb2.Missing]:
    """Say so when the starter directory knows no product of the field: that is no proof of an open field."""
    if not asked or products:
        return []
    return [
        common_pb2.Missing(
            subject="directory",
            phase=common_pb2.PHASE_EVIDENCE,
            kind=common_pb2.MISSING_KIND_NO_COVERAGE,
            reason=(
                "The starter directory (about 2,000 mostly open-source products) has no product of this field; "
                "commercial products are not in it."
            ),
            next_step="Run online, and list the products that customers use today in a document.",
        )
    ]


def source_missing(
    provider: str, kind: common_pb2.MissingKind.ValueType, reason: str, next_step: str, error: int = 0
) -> common_pb2.Missing:
    """Return the entry for a source that was not heard."""
    return common_pb2.Missing(
        subject=provider,
        phase=common_pb2.PHASE_EVIDENCE,
        kind=kind,
        reason=reason,
        next_step=next_step,
        error=error,  # type: ignore[arg-type]
    )
