"""How much does a find count? Relevance, credibility and freshness, each 0 to 1, and their weighted sum.

    composite = 0.4 relevance + 0.4 credibility + 0.2 freshness

Every number is computed from the find; the tables below are the rules, written where a reader can check them.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from pipeline.v1 import common_pb2
from services.evidence.domain.bm25 import Collection
from services.evidence.domain.model import Candidate, Found
from services.evidence.domain.words import content_stems, is_generic, stems

RELEVANCE_WEIGHT, CREDIBILITY_WEIGHT, FRESHNESS_WEIGHT = 0.4, 0.4, 0.2

# How far a source of this kind is to be trusted when nothing more is known about it, lowest and highest. A
# find's own confidence (a publisher's grade, adoption, votes) places it between them. The founder's own words
# stand last: that the founder believes in the problem is no independent evidence for it.
CREDIBILITY: dict[int, tuple[float, float]] = {
    common_pb2.SOURCE_TYPE_GOVERNMENT: (0.85, 0.95),
    common_pb2.SOURCE_TYPE_SCHOLARLY: (0.80, 0.95),
    common_pb2.SOURCE_TYPE_INDUSTRY_REPORT: (0.45, 0.80),
    common_pb2.SOURCE_TYPE_NEWS: (0.55, 0.75),
    common_pb2.SOURCE_TYPE_REFERENCE: (0.60, 0.80),
    common_pb2.SOURCE_TYPE_DIRECTORY: (0.50, 0.75),
    common_pb2.SOURCE_TYPE_COMPANY: (0.35, 0.55),
    common_pb2.SOURCE_TYPE_COMMUNITY: (0.30, 0.60),
    common_pb2.SOURCE_TYPE_USER_DOCUMENT: (0.20, 0.30),
}
CREDIBILITY_UNKNOWN = (0.20, 0.40)

# Days after which a source is worth half. Talk ages fast, survey figures slowly.
HALF_LIFE_DAYS: dict[int, float] = {
    common_pb2.SOURCE_TYPE_GOVERNMENT: 1_460,
    common_pb2.SOURCE_TYPE_SCHOLARLY: 1_825,
    common_pb2.SOURCE_TYPE_INDUSTRY_REPORT: 730,
    common_pb2.SOURCE_TYPE_NEWS: 365,
    common_pb2.SOURCE_TYPE_REFERENCE: 1_095,
    common_pb2.SOURCE_TYPE_DIRECTORY: 365,
    common_pb2.SOURCE_TYPE_COMPANY: 365,
    common_pb2.SOURCE_TYPE_COMMUNITY: 730,
    common_pb2.SOURCE_TYPE_USER_DOCUMENT: 365,
}
HALF_LIFE_UNKNOWN_DAYS = 365.0
# A source without a date is taken to be one and a half half-lives old.
FRESHNESS_UNDATED = 0.5**1.5

# How words and meaning are fused: a weighted sum of two figures that are each 0 to 1 by themselves. Chosen on one half
# of SciFact's training claims and reported on the other (docs/evaluation.md): better there than reciprocal ranks, and
# unlike ranks it says how good a find is, not only that it is the best of a bad lot.
LEXICAL_SHARE = 0.5
# A passage with two thirds of the greatest BM25 score is as much to the point as words can show.
LEXICAL_FULL = 2.0 / 3.0
# Cosine of MiniLM between a claim and a passage that says the same.
COSINE_FULL = 0.8
# A word of the title counts half as often as one of the passage.
TITLE_SHARE = 0.5
# Votes at which a community post counts fully: about the best hundredth of Show HN posts.
VOTES_FULL = 200


_NOTHING_KNOWN = Collection(prior=True)


def relevance(
    candidate: Candidate, claim_terms: Sequence[str], cosine: float | None, collection: Collection = _NOTHING_KNOWN
) -> float:
    """Return 0 to 1: how much the passage speaks about the claim.

    A provider that knows the fit (a filed category, an exact segment) is believed; otherwise the words of the
    claim that stand in the passage, and its meaning where vectors are there. `collection` says how rare words are.
    """
    if candidate.found.fit is not None:
        return _unit(candidate.found.fit)
    return hybrid(lexical(claim_terms, candidate.quote, candidate.found.title, collection), cosine)


def lexical(claim_terms: Sequence[str], quote: str, title: str = "", collection: Collection = _NOTHING_KNOWN) -> float:
    """Return the quote's BM25 score as a share of the greatest; words that only the title has count half."""
    words = query_stems(claim_terms)
    stems_of_quote = content_stems(quote)
    counts = Counter(stems_of_quote)
    score = collection.score(words, counts, len(stems_of_quote))
    named = Counter(stem for stem in content_stems(title) if stem not in counts)
    score += TITLE_SHARE * collection.score(words, named, len(stems_of_quote) or 1)
    return share_of_greatest(score, words, collection)


def share_of_greatest(score: float, words: Sequence[str], collection: Collection) -> float:
    """Return a BM25 score for distinct `words` as 0 to 1."""
    greatest = collection.greatest(words)
    return _unit(score / (LEXICAL_FULL * greatest)) if greatest > 0 else 0.0


def hybrid(lexical_score: float, cosine: float | None) -> float:
    """Fuse words and meaning; without vectors the words decide alone."""
    if cosine is None:
        return _unit(lexical_score)
    return LEXICAL_SHARE * _unit(lexical_score) + (1.0 - LEXICAL_SHARE) * _unit(cosine / COSINE_FULL)


def query_stems(terms: Sequence[str]) -> list[str]:
    """Return the specific stems of search terms, strongest first, each once."""
    found = [s for term in terms for s in stems(term) if not is_generic(s)]
    return list(dict.fromkeys(found)) or list(dict.fromkeys(s for t in terms for s in content_stems(t)))


def credibility(found: Found) -> float:
    """Return 0 to 1 from the table, placed by the publisher's confidence, adoption or votes."""
    low, high = CREDIBILITY.get(found.source_type, CREDIBILITY_UNKNOWN)
    place = _unit(found.confidence)
    if found.votes > 0:
        place = max(place, _unit(math.log1p(found.votes) / math.log1p(VOTES_FULL))) if place < 1 else place
    return low + (high - low) * place


def freshness(found: Found, now: datetime) -> float:
    """Return 0 to 1: halved with every half-life; a date in the future counts as now."""
    if found.published_at is not None:
        days = max((now - found.published_at).total_seconds() / 86_400, 0.0)
    elif found.year:
        # A year is taken at its middle.
        days = max((now.year - found.year) * 365.25 + now.timetuple().tm_yday - 183, 0.0)
    else:
        return FRESHNESS_UNDATED
    return float(0.5 ** (days / HALF_LIFE_DAYS.get(found.source_type, HALF_LIFE_UNKNOWN_DAYS)))


def composite(candidate: Candidate) -> float:
    """Return the weighted sum of the three."""
    return (
        RELEVANCE_WEIGHT * candidate.relevance
        + CREDIBILITY_WEIGHT * candidate.credibility
        + FRESHNESS_WEIGHT * candidate.freshness
    )


def item_id(url: str, quote: str) -> str:
    """Return `ev-` and 12 hex digits of sha256(url, quote): the same find has the same id in every run."""
    identity = f"{url}\n{quote}"
    return f"ev-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"


_NUMBER = re.compile(r"(?<![\w.])([-+]?\d[\d,]*(?:\.\d+)?|[-+]?\.\d+)\s?([kKmMbB](?![\w])|%|million|billion)?")
_FACTOR = {"k": 1e3, "m": 1e6, "b": 1e9, "million": 1e6, "billion": 1e9}


def numbers(text: str) -> list[float]:
    """Return the numbers of a text; "4.8K" is 4800, "13,039" is 13039.

    >>> numbers("GitHub stars: 13,039, about 4.8K forks")
    [13039.0, 4800.0]
    """
    found = []
    for digits, unit in _NUMBER.findall(text):
        found.append(float(digits.replace(",", "")) * _FACTOR.get(unit.lower(), 1.0))
    return found


def verified(candidate: Candidate) -> bool:
    """True when the quote stands at its offsets and the figure's number stands in the quote."""
    found = candidate.found
    if not (0 <= candidate.start < candidate.end <= len(found.text)):
        return False
    if found.figure is None:
        return True
    value = found.figure.value
    return any(math.isclose(value, n, rel_tol=1e-6, abs_tol=1e-9) for n in numbers(candidate.quote))


def _unit(value: float) -> float:
    return 0.0 if math.isnan(value) else min(max(value, 0.0), 1.0)
