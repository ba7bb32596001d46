"""Merge what says the same thing: one find per statement, with the addresses of its doubles."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pipeline.v1 import common_pb2
from services.evidence.domain.model import Candidate
from services.evidence.domain.scoring import item_id
from services.evidence.domain.verify import numbers
from services.evidence.domain.words import content_stems, jaccard, shingles

# Share of common three-word runs above which two passages say the same thing.
SAME_TEXT = 0.7
# A syndicated story is cut, and set in other words at its ends: so much of the shorter passage in the longer one is a
# copy, if the shorter is long enough not to be a phrase that anybody writes.
SAME_PART = 0.8
PART_WORDS_MIN = 12
# Two pages under one headline that quote the same numbers tell one story; a headline of fewer words is a label.
TITLE_WORDS_MIN = 4
SAME_TITLE = 0.8
_SITE = re.compile(r"\s+(?:[|·»]|[-–—])\s+[^|·»–—]{2,40}$")
_TRACKING = re.compile(r"^(utm_\w+|fbclid|gclid|ref|ref_src|mc_cid|mc_eid)$", re.IGNORECASE)


@lru_cache(maxsize=10_000)
def canonical_url(url: str) -> str:
    """Return the address without what does not change the page: case of the host, fragment, trackers, slash.

    >>> canonical_url("HTTPS://Example.org/a/?utm_source=x#top")
    'https://example.org/a'
    """
    parts = urlsplit(url.strip())
    if not parts.netloc:
        return url.strip()
    query = urlencode([(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.match(k)])
    host = parts.netloc.lower().removeprefix("www.")
    return urlunsplit((parts.scheme.lower(), host, parts.path.rstrip("/"), query, ""))


def merge_duplicates(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return each statement once, best composite first; the doubles' addresses go to `merged_urls`.

    Only finds for the same claim are merged: one source may speak about two claims with two quotes. An identical
    (address, quote) pair stays with one claim, because its id must be unique: the one that it takes sides on, and
    of several the one for which it scores best.
    """
    ordered = sorted(candidates, key=_preference)
    kept: list[Candidate] = []
    by_id: set[str] = set()
    for candidate in ordered:
        candidate.merged_urls.clear()  # of an earlier choice, which had others beside it
    for candidate in ordered:
        identity = item_id(candidate.found.url, candidate.quote)
        if identity in by_id:
            continue
        double = next((other for other in kept if _same(other, candidate)), None)
        if double is None:
            by_id.add(identity)
            kept.append(candidate)
        elif _elsewhere(candidate, double):
            double.merged_urls.append(candidate.found.url)
    return kept


# What taking sides adds to a find's score when it is decided which claim it speaks to.
SIDES_BONUS = 0.15


def _preference(candidate: Candidate) -> tuple[float, str, str, int]:
    decided = candidate.stance != common_pb2.STANCE_MENTIONS
    bonus = SIDES_BONUS * candidate.stance_confidence if decided else 0.0
    return (-round(candidate.composite + bonus, 9), *rank(candidate)[1:])


def rank(candidate: Candidate) -> tuple[float, str, str, int]:
    """Sort key: best composite first; ties by address and place, so that every run has the same order."""
    return (-round(candidate.composite, 9), candidate.query.claim_id, candidate.found.url, candidate.start)


def _elsewhere(candidate: Candidate, double: Candidate) -> bool:
    url = candidate.found.url
    return canonical_url(url) != canonical_url(double.found.url) and url not in double.merged_urls


def _same(first: Candidate, second: Candidate) -> bool:
    if first.query.claim_id != second.query.claim_id:
        return False
    same_page = canonical_url(first.found.url) == canonical_url(second.found.url)
    if same_page and first.start < second.end and second.start < first.end:
        return True
    one, other = first.found.figure, second.found.figure
    if one is not None and other is not None:
        # A study is quoted by several pages: the same metric, segment, year and value is one statement.
        return one == other
    if first.found.product is not None or second.found.product is not None:
        return False
    return _copied(first.quote, second.quote) or _one_story(first, second)


def _copied(one: str, other: str) -> bool:
    first, second = shingles(one), shingles(other)
    if not first or not second:
        return False
    if jaccard(first, second) >= SAME_TEXT:
        return True
    shorter = min(len(first), len(second))
    return shorter + 2 >= PART_WORDS_MIN and len(first & second) / shorter >= SAME_PART


def _one_story(first: Candidate, second: Candidate) -> bool:
    """True for two pages with one headline whose quotes give the same numbers (at least one; one may give more)."""
    titles = _title_words(first.found.title), _title_words(second.found.title)
    if min(len(titles[0]), len(titles[1])) < TITLE_WORDS_MIN:
        return False
    if len(titles[0] & titles[1]) / len(titles[0] | titles[1]) < SAME_TITLE:
        return False
    fewer, more = sorted(({number.value for number in numbers(c.quote)} for c in (first, second)), key=len)
    return bool(fewer) and fewer <= more


@lru_cache(maxsize=10_000)
def _title_words(title: str) -> frozenset[str]:
    return frozenset(content_stems(headline(title)))


def headline(title: str) -> str:
    """Return a page's title without the name of its site.

    >>> headline("Food waste costs families $1,500 a year | The Example Times")
    'Food waste costs families $1,500 a year'
    """
    return _SITE.sub("", title).strip()
