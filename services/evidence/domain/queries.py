"""Claims and research domains become queries.

Each default domain asks about the kinds of claims that it can say something about; a domain that the caller
made up asks about every claim, with its own keywords.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.errors import FieldViolation, PipelineError
from pipeline.v1 import common_pb2, evidence_pb2
from services.evidence.domain.model import ClaimKind, IdeaFacts, Query

MIN_EVIDENCE_COUNT = 3
QUALITY_THRESHOLD = 0.35

# Bounds on what a caller may ask: 20 domains x 30 claims are 600 queries to each provider.
DOMAINS_MAX = 20
CLAIMS_MAX = 30
KEYWORDS_MAX = 20
KEYWORD_CHARS_MAX = 100
EVIDENCE_COUNT_MAX = 100
TERMS_MAX = 12
CLAIM_CHARS_MAX = 1_000

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?")

KINDS: dict[str, tuple[ClaimKind, ...]] = {
    "market_research": (common_pb2.CLAIM_KIND_MARKET_SIZE, common_pb2.CLAIM_KIND_AUDIENCE),
    "technology_trends": (common_pb2.CLAIM_KIND_FEASIBILITY, common_pb2.CLAIM_KIND_TIMING),
    "business_validation": (common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY, common_pb2.CLAIM_KIND_PROBLEM),
    "competition": (common_pb2.CLAIM_KIND_COMPETITION,),
    "customer_pain": (common_pb2.CLAIM_KIND_PROBLEM, common_pb2.CLAIM_KIND_AUDIENCE),
}


@dataclass(frozen=True)
class Domain:
    """A field to search in, with its defaults filled in."""

    name: str
    keywords: tuple[str, ...] = ()
    min_evidence_count: int = MIN_EVIDENCE_COUNT
    quality_threshold: float = QUALITY_THRESHOLD


def read_domains(given: Sequence[evidence_pb2.ResearchDomain]) -> list[Domain]:
    """Return the domains to search in; the five defaults when none are given.

    Raises PipelineError INVALID_FIELD with one violation for each field that cannot be used.
    """
    if not given:
        return [Domain(name) for name in KINDS]
    if len(given) > DOMAINS_MAX:
        raise PipelineError.invalid("domains", f"has {len(given)} domains; give at most {DOMAINS_MAX}")
    wrong: list[FieldViolation] = []
    domains: list[Domain] = []
    for place, domain in enumerate(given):
        field = f"domains[{place}]"
        wrong.extend(FieldViolation(f"{field}.{name}", text) for name, text in _domain_faults(domain))
        if any(domain.name == other.name for other in domains):
            wrong.append(FieldViolation(f"{field}.name", f"repeats {domain.name!r}; give each domain once"))
        domains.append(
            Domain(
                domain.name,
                tuple(" ".join(word.split()) for word in domain.keywords if word.strip()),
                domain.min_evidence_count or MIN_EVIDENCE_COUNT,
                domain.quality_threshold or QUALITY_THRESHOLD,
            )
        )
    if wrong:
        raise PipelineError.invalid_fields(wrong)
    return domains


def _domain_faults(domain: evidence_pb2.ResearchDomain) -> Iterable[tuple[str, str]]:
    if not _SLUG.fullmatch(domain.name):
        yield "name", "is not a slug; write lower-case letters, digits, - and _ ('market_research')"
    if len(domain.keywords) > KEYWORDS_MAX:
        yield "keywords", f"has {len(domain.keywords)} words; give at most {KEYWORDS_MAX}"
    if any(len(word) > KEYWORD_CHARS_MAX for word in domain.keywords):
        yield "keywords", f"has a keyword of more than {KEYWORD_CHARS_MAX} characters; shorten it"
    if not 0 <= domain.min_evidence_count <= EVIDENCE_COUNT_MAX:
        yield "min_evidence_count", f"is {domain.min_evidence_count}; write 0 to {EVIDENCE_COUNT_MAX}"
    if not (math.isfinite(domain.quality_threshold) and 0 <= domain.quality_threshold <= 1):
        yield "quality_threshold", f"is {domain.quality_threshold}; write 0 to 1"


def check_claims(claims: Sequence[common_pb2.Claim]) -> None:
    """Raise PipelineError INVALID_FIELD for claims that cannot be searched for."""
    if len(claims) > CLAIMS_MAX:
        raise PipelineError.invalid("claims", f"has {len(claims)} claims; give at most {CLAIMS_MAX}")
    wrong: list[FieldViolation] = []
    seen: set[str] = set()
    for place, claim in enumerate(claims):
        field = f"claims[{place}]"
        if not _SLUG.fullmatch(claim.id):
            wrong.append(FieldViolation(f"{field}.id", "is not a slug; write lower-case letters, digits and -"))
        if claim.id in seen:
            wrong.append(FieldViolation(f"{field}.id", f"repeats {claim.id!r}; give each claim its own id"))
        seen.add(claim.id)
        if not claim.text.strip() or len(claim.text) > CLAIM_CHARS_MAX:
            wrong.append(
                FieldViolation(
                    f"{field}.text",
                    f"has {len(claim.text)} characters; write one sentence of 1 to {CLAIM_CHARS_MAX}",
                )
            )
    if wrong:
        raise PipelineError.invalid_fields(wrong)


def build_queries(domains: Sequence[Domain], claims: Sequence[common_pb2.Claim], idea: IdeaFacts) -> list[Query]:
    """Return one query for each domain and each claim that it asks about, domain by domain."""
    queries = []
    for domain in domains:
        kinds = KINDS.get(domain.name)
        for claim in claims:
            known = claim.kind != common_pb2.CLAIM_KIND_UNSPECIFIED
            if kinds is not None and known and claim.kind not in kinds:
                continue
            own = [*domain.keywords, *claim.terms] or list(idea.keywords)
            terms = tuple(dict.fromkeys(word.strip().lower() for word in own if word.strip()))
            queries.append(
                Query(domain.name, claim.id, claim.kind, claim.text, terms[:TERMS_MAX], idea, domain.keywords)
            )
    return queries
