"""Cut a source's text into passages short enough to quote, and look up the ones that answer a query.

A passage is a place in the text, never a copy: every quote is `text[start:end]`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from services.evidence.domain.bm25 import Collection
from services.evidence.domain.words import content_stems, sentences

Span = tuple[int, int]

# A quote is read on a slide and in a report: shorter says too little, longer is not read.
PASSAGE_CHARS_MIN = 60
PASSAGE_CHARS_MAX = 400
# What is looked at of one source; a book of 2 MiB has about 8,000 passages.
PASSAGES_MAX = 10_000


def passages(text: str) -> list[Span]:
    """Return the passages of `text` in order: whole sentences, joined while they are short.

    >>> passages("Too much food is thrown away. Nobody likes it.")
    [(0, 46)]
    """
    found: list[Span] = []
    start = end = -1
    for left, right in sentences(text):
        for piece_start, piece_end in _cut(text, left, right):
            fits = start >= 0 and piece_end - start <= PASSAGE_CHARS_MAX
            if fits and end - start < PASSAGE_CHARS_MIN and "\n\n" not in text[end:piece_start]:
                end = piece_end
                continue
            if start >= 0:
                found.append((start, end))
            start, end = piece_start, piece_end
        if len(found) >= PASSAGES_MAX:
            break
    if start >= 0:
        found.append((start, end))
    return found[:PASSAGES_MAX]


def _cut(text: str, start: int, end: int) -> list[Span]:
    """Cut a sentence that is too long at spaces (at the limit where there is none)."""
    pieces: list[Span] = []
    while end - start > PASSAGE_CHARS_MAX:
        at = text.rfind(" ", start + PASSAGE_CHARS_MIN, start + PASSAGE_CHARS_MAX)
        cut = at if at > 0 else start + PASSAGE_CHARS_MAX
        pieces.append((start, cut))
        start = cut + (1 if at > 0 else 0)
        while start < end and text[start].isspace():
            start += 1
    if end > start:
        while text[end - 1].isspace():
            end -= 1
        pieces.append((start, end))
    return pieces


class PassageIndex:
    """BM25 over the passages of one text."""

    def __init__(self, text: str, spans: Sequence[Span] | None = None) -> None:
        self.text = text
        self.spans = list(passages(text) if spans is None else spans)
        found = [content_stems(text[start:end]) for start, end in self.spans]
        self._counts = [Counter(stems) for stems in found]
        self._lengths = [len(stems) for stems in found]
        self._collection = Collection.of(found)

    def best(self, words: Sequence[str], limit: int) -> list[tuple[Span, float]]:
        """Return at most `limit` passages that hold any of the stems, best first, with their BM25 score."""
        wanted = dict.fromkeys(words, 1.0)
        scored = []
        for span, counts, length in zip(self.spans, self._counts, self._lengths, strict=True):
            score = self._collection.score(wanted, counts, length)
            if score > 0:
                scored.append((span, score))
        scored.sort(key=lambda item: (-item[1], item[0]))
        return scored[:limit]
