"""Search phrases that a text model proposes become queries, where they are what they should be.

A proposal can change one thing: the words that a claim is searched with. Domain, claim, kind, idea, limit and the
providers come from the query that it widens; the queries themselves all stay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from services.evidence.domain.model import Query
from services.evidence.domain.words import content_stems

PHRASES_PER_CLAIM = 2
# Phrases of all claims together: each is asked of every fitting source.
PHRASES_MAX = 20
PHRASE_CHARS_MAX = 80
WORDS_MIN, WORDS_MAX = 2, 8

# Letters, digits, hyphens and apostrophes: no quotes, operators (site:, -word, OR by sign), addresses or markup.
_PLAIN = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*(?: [^\W_]+(?:[-'’][^\W_]+)*)*")


def usable(proposal: str, query: Query) -> str:
    """Return the phrase in lower case, or "" where it cannot be used for this claim.

    It has 2 to 8 plain words and at most 80 characters, shares a content word with the claim or its terms, and
    is not what is searched for anyway.
    """
    phrase = " ".join(proposal.split()).lower()
    words = phrase.split()
    if not (WORDS_MIN <= len(words) <= WORDS_MAX and len(phrase) <= PHRASE_CHARS_MAX and _PLAIN.fullmatch(phrase)):
        return ""
    stems = set(content_stems(phrase))
    known = set(content_stems(f"{query.text} {query.words}"))
    return phrase if stems & known and stems != set(content_stems(query.words)) else ""


def widen(
    queries: Sequence[Query],
    proposals: Mapping[str, Sequence[str]],
    *,
    per_claim: int = PHRASES_PER_CLAIM,
    most: int = PHRASES_MAX,
) -> list[Query]:
    """Return all queries as they are, then one more for each usable phrase of a claim, in each of its domains.

    Every claim's first phrase comes before any claim's second; equal phrases of a claim count once.
    """
    by_claim: dict[str, list[Query]] = {}
    for query in queries:
        by_claim.setdefault(query.claim_id, []).append(query)
    chosen = {
        claim: _distinct(proposals.get(claim, ()), asked[0])[: max(per_claim, 0)] for claim, asked in by_claim.items()
    }
    turns = [
        (claim, phrases[turn]) for turn in range(per_claim) for claim, phrases in chosen.items() if turn < len(phrases)
    ]
    return [
        *queries,
        *(replace(query, terms=tuple(phrase.split())) for claim, phrase in turns[:most] for query in by_claim[claim]),
    ]


def _distinct(proposals: Sequence[str], query: Query) -> list[str]:
    seen: dict[frozenset[str], str] = {}
    for proposal in proposals:
        if phrase := usable(proposal, query):
            seen.setdefault(frozenset(content_stems(phrase)), phrase)
    return list(seen.values())
