"""Choose, for each claim, the finds that are good and differ from each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pipeline.v1 import common_pb2
from services.evidence.domain.dedupe import canonical_url, rank
from services.evidence.domain.model import Candidate
from services.evidence.domain.scoring import is_about
from services.evidence.domain.words import jaccard, shingles

# More than this for one claim is not read.
PER_CLAIM = 8
# Of one provider so many, while another has something to say: no single index speaks for the world.
PER_PROVIDER = 4
# Weight of a find's own score against its likeness to what is already chosen (maximal marginal relevance).
MMR_LAMBDA = 0.75


def select(candidates: Sequence[Candidate], per_claim: int = PER_CLAIM) -> list[Candidate]:
    """Return at most `per_claim` finds for each claim, in the order of composite score over all claims.

    The best find that contradicts a claim and the best that supports it always stay: contradiction ranks as high
    as support, whatever the more numerous side is. So does the best passage of the founder's own documents, if it is
    about the claim: they count least of all sources, so that the web would crowd them out of every claim, and who gave
    them wants to see what they say. It takes a place, not a rank.
    """
    by_claim: dict[str, list[Candidate]] = {}
    for candidate in sorted(candidates, key=rank):
        by_claim.setdefault(candidate.query.claim_id, []).append(candidate)
    chosen = [c for group in by_claim.values() for c in _diverse(group, per_claim)]
    return sorted(chosen, key=rank)


def _diverse(group: list[Candidate], limit: int) -> list[Candidate]:
    chosen: list[Candidate] = []
    for kept in (_contradicts, _supports, _founders_own):
        best = next((c for c in group if kept(c)), None)
        if best is not None and len(chosen) < limit and not any(best is other for other in chosen):
            chosen.append(best)
    rest = [c for c in group if not any(c is other for other in chosen)]
    likeness = {id(c): max((alike(c, other) for other in chosen), default=0.0) for c in rest}
    while rest and len(chosen) < limit:
        heard = Counter(c.found.provider for c in chosen)
        others = [c for c in rest if heard[c.found.provider] < PER_PROVIDER and not _of_the_founder(c)]
        best = min(others or rest, key=lambda c: (-_gain(c, likeness[id(c)]), rank(c)))
        chosen.append(best)
        rest = [c for c in rest if c is not best]
        for other in rest:
            likeness[id(other)] = max(likeness[id(other)], alike(other, best))
    return chosen


def _gain(candidate: Candidate, likeness: float) -> float:
    return MMR_LAMBDA * candidate.composite - (1 - MMR_LAMBDA) * likeness


def _contradicts(candidate: Candidate) -> bool:
    return candidate.stance == common_pb2.STANCE_CONTRADICTS


def _supports(candidate: Candidate) -> bool:
    return candidate.stance == common_pb2.STANCE_SUPPORTS


def _founders_own(candidate: Candidate) -> bool:
    return _of_the_founder(candidate) and is_about(candidate)


def _of_the_founder(candidate: Candidate) -> bool:
    return candidate.found.source_type == common_pb2.SOURCE_TYPE_USER_DOCUMENT


def alike(first: Candidate, second: Candidate) -> float:
    """Return 0 to 1: how much two finds repeat each other."""
    if canonical_url(first.found.url) == canonical_url(second.found.url):
        return 0.8
    same_kind = 0.2 if first.found.provider == second.found.provider else 0.0
    return max(jaccard(shingles(first.quote, 2), shingles(second.quote, 2)), same_kind)
