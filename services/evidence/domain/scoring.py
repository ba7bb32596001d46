"""How much does a find count? Relevance, credibility and freshness, each 0 to 1, and their weighted sum.

    composite = 0.4 relevance + 0.4 credibility + 0.2 freshness

Every number is computed from the find; the tables below are the rules, written where a reader can check them.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from pipeline.v1 import common_pb2
from services.evidence.domain import verify
from services.evidence.domain.bm25 import Collection
from services.evidence.domain.model import Candidate, Found
from services.evidence.domain.words import content_stems, is_generic, stems

RELEVANCE_WEIGHT, CREDIBILITY_WEIGHT, FRESHNESS_WEIGHT = 0.4, 0.4, 0.2

# How far a source of this kind is to be trusted when nothing more is known about it, lowest and highest. A find's own
# confidence (a publisher's grade, adoption, votes) places it between them. The order follows the usual teaching of
# source criticism (who says it, by what method, checked by whom, and what do they gain?), as in Wikipedia's guideline
# on reliable sources (WP:RS) and the hierarchy of evidence in medicine; the figures are our judgement and measure
# nothing. Wide bounds stand where the kind says little about the single source.
CREDIBILITY: dict[int, tuple[float, float]] = {
    # Statistics under a published method and a legal duty to be right.
    common_pb2.SOURCE_TYPE_GOVERNMENT: (0.85, 0.95),
    # Reviewed by peers, with method and data stated; a preprint stands at the lower end.
    common_pb2.SOURCE_TYPE_SCHOLARLY: (0.80, 0.95),
    # From audited filings and surveys with stated samples down to what sells the publisher's product.
    common_pb2.SOURCE_TYPE_INDUSTRY_REPORT: (0.45, 0.80),
    # Edited and answerable, yet mostly at second hand and written for the day.
    common_pb2.SOURCE_TYPE_NEWS: (0.55, 0.75),
    # Edited in the open with its sources named; a path to the source rather than one.
    common_pb2.SOURCE_TYPE_REFERENCE: (0.60, 0.80),
    # Registers of what exists: right about existence and counts, silent about quality.
    common_pb2.SOURCE_TYPE_DIRECTORY: (0.50, 0.75),
    # Knows its product best and gains from praising it.
    common_pb2.SOURCE_TYPE_COMPANY: (0.35, 0.55),
    # First-hand experience without a name behind it; votes show that others share it.
    common_pb2.SOURCE_TYPE_COMMUNITY: (0.30, 0.60),
    # That the founder believes in the problem is no independent evidence for it.
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

# What a flag leaves of a source's credibility. Who instructs the reader or hides text from visitors writes for
# machines; stray invisible characters come with careless copying, too; a cut text is as good as its beginning.
FLAG_FACTORS: dict[int, float] = {
    common_pb2.SOURCE_FLAG_INSTRUCTIONS: 0.3,
    common_pb2.SOURCE_FLAG_HIDDEN_TEXT: 0.5,
    common_pb2.SOURCE_FLAG_INVISIBLE_CHARACTERS: 0.8,
    common_pb2.SOURCE_FLAG_CUT: 1.0,
}

# How words and meaning are fused: a weighted sum of two figures that are each 0 to 1 by themselves. Chosen on one half
# of SciFact's training claims and reported on the other (docs/evaluation.md): better there than reciprocal ranks, and
# unlike ranks it says how good a find is, not only that it is the best of a bad lot.
LEXICAL_SHARE = 0.5
# How fast words convince, as a share of the greatest BM25 score: a passage of average length that holds every word of
# the claim once has 1 / (k1 + 1) = 0.45 of it and gets 0.84; with half of them 0.60, with a quarter 0.37.
LEXICAL_STEEPNESS = 4.0
# Claim terms come strongest first: the n-th word weighs 1 / (1 + n / 4).
TERM_DECAY = 4.0
# Cosine of MiniLM between a claim and a passage that says the same.
COSINE_FULL = 0.8
# A word of the title counts half as often as one of the passage.
TITLE_SHARE = 0.5
# A passage must be about the claim before what it says of it counts.
ABOUT_MIN = 0.40
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


def is_about(candidate: Candidate) -> bool:
    """True when the passage is enough about its claim to be read for a stance."""
    return candidate.relevance >= ABOUT_MIN


def lexical(claim_terms: Sequence[str], quote: str, title: str = "", collection: Collection = _NOTHING_KNOWN) -> float:
    """Return the quote's BM25 score as a share of the greatest; words that only the title has count half."""
    words = query_words(claim_terms)
    stems_of_quote = content_stems(quote)
    counts = Counter(stems_of_quote)
    score = collection.score(words, counts, len(stems_of_quote))
    named = Counter(stem for stem in content_stems(title) if stem not in counts)
    score += TITLE_SHARE * collection.score(words, named, len(stems_of_quote) or 1)
    return words_convince(score, words, collection)


def words_convince(score: float, words: Mapping[str, float], collection: Collection) -> float:
    """Return a BM25 score for `words` as 0 to 1, whatever the number of words and the collection."""
    greatest = collection.greatest(words)
    return 1.0 - math.exp(-LEXICAL_STEEPNESS * score / greatest) if greatest > 0 else 0.0


def hybrid(lexical_score: float, cosine: float | None) -> float:
    """Fuse words and meaning; without vectors the words decide alone."""
    if cosine is None:
        return _unit(lexical_score)
    return LEXICAL_SHARE * _unit(lexical_score) + (1.0 - LEXICAL_SHARE) * _unit(cosine / COSINE_FULL)


def query_stems(terms: Sequence[str]) -> list[str]:
    """Return the specific stems of search terms, strongest first, each once."""
    found = [s for term in terms for s in stems(term) if not is_generic(s)]
    return list(dict.fromkeys(found)) or list(dict.fromkeys(s for t in terms for s in content_stems(t)))


def query_words(terms: Sequence[str]) -> dict[str, float]:
    """Return the specific stems of search terms with their weights."""
    return {stem: 1.0 / (1.0 + place / TERM_DECAY) for place, stem in enumerate(query_stems(terms))}


def credibility(found: Found) -> float:
    """Return 0 to 1 from the table, placed by the publisher's confidence, adoption or votes, lowered by flags."""
    low, high = CREDIBILITY.get(found.source_type, CREDIBILITY_UNKNOWN)
    place = _unit(found.confidence)
    if found.votes > 0:
        place = max(place, _unit(math.log1p(found.votes) / math.log1p(VOTES_FULL))) if place < 1 else place
    return (low + (high - low) * place) * math.prod(FLAG_FACTORS.get(flag, 1.0) for flag in set(found.flags))


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


def verified(candidate: Candidate) -> bool:
    """True when the citation holds what it is cited for; `verify.unverified_reason` says why not."""
    return not verify.unverified_reason(candidate)


def _unit(value: float) -> float:
    return 0.0 if math.isnan(value) else min(max(value, 0.0), 1.0)
