"""A scored candidate as the contract shows it."""

from __future__ import annotations

import hashlib
from datetime import datetime

from pipeline.v1 import common_pb2
from services.evidence.domain import scoring, verify
from services.evidence.domain.model import Candidate

# The features that weighed most are shown; the others hardly changed the stance.
FEATURES_SHOWN = 5

_STANCE_WORDS = {
    common_pb2.STANCE_SUPPORTS: "Supports the claim",
    common_pb2.STANCE_CONTRADICTS: "Contradicts the claim",
    common_pb2.STANCE_MENTIONS: "Mentions the subject",
}


def item(candidate: Candidate, domain: str, now: datetime) -> common_pb2.EvidenceItem:
    """Return the item, with its id, the digest of its source's text and the reason why it counts."""
    found = candidate.found
    unverified = verify.unverified_reason(candidate)
    made = common_pb2.EvidenceItem(
        id=scoring.item_id(found.url, candidate.quote),
        claim_id=candidate.query.claim_id,
        stance=candidate.stance,
        stance_confidence=round(candidate.stance_confidence, 3),
        quote=candidate.quote,
        quote_start=candidate.start,
        quote_end=candidate.end,
        url=found.url,
        title=found.title,
        author=found.author,
        provider=found.provider,
        source_type=found.source_type,
        content_sha256=hashlib.sha256(found.text.encode()).hexdigest(),
        relevance=round(candidate.relevance, 4),
        credibility=round(candidate.credibility, 4),
        freshness=round(candidate.freshness, 4),
        composite=round(candidate.composite, 4),
        verified=not unverified,
        unverified_reason=unverified,
        figure=found.figure,
        merged_urls=candidate.merged_urls,
        domain=domain,
        rationale=rationale(candidate),
        product=found.product,
        text_origin=found.origin,
        flags=found.flags,
        stance_method=candidate.stance_method,
        stance_features=[
            common_pb2.StanceFeature(name=name, value=round(value, 4), contribution=round(contribution, 4))
            for name, value, contribution in candidate.stance_features[:FEATURES_SHOWN]
        ],
    )
    if found.published_at is not None:
        made.published_at.FromDatetime(found.published_at)
    made.retrieved_at.FromDatetime(now)
    return made


def rationale(candidate: Candidate) -> str:
    """Return why the find was taken and what it says about the claim, in sentences."""
    found = candidate.found
    why = found.why.strip()
    if found.origin == common_pb2.TEXT_ORIGIN_SEARCH_SNIPPET:
        why += " The text is the engine's excerpt; the page was not read."
    return f"{why} {_STANCE_WORDS[candidate.stance]}: {candidate.stance_reason}.".strip()
