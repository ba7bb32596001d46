"""BM25: how much of a query's words stand in a passage, rare words first (Robertson and Zaragoza 2009).

    idf(w)       = ln(1 + (N - n(w) + 0.5) / (n(w) + 0.5))
    weight(w, p) = idf(w) tf (k1 + 1) / (tf + k1 (1 - b + b length(p) / average length))

with k1 = 1.2 and b = 0.75. The greatest score that a query can have is the sum of idf(w) (k1 + 1); a score divided by
it is 0 to 1 whatever the query and the collection, so that a threshold on it keeps its meaning.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

K1, B = 1.2, 0.75
# A run sees a few hundred passages, nearly all on its subject: as if this many others, of which so many hold any given
# word, stood beside them. Without it a word that every passage has would weigh nothing, though it is the subject.
PRIOR_PASSAGES, PRIOR_FOUND_IN = 200, 2


class Collection:
    """What a set of passages says of its words: how many passages there are, and how many hold each word."""

    def __init__(self, *, prior: bool = False) -> None:
        self.passages = 0
        self._words = 0
        self._found_in: Counter[str] = Counter()
        self._more, self._more_found = (PRIOR_PASSAGES, PRIOR_FOUND_IN) if prior else (0, 0)

    @classmethod
    def of(cls, passages: Iterable[Sequence[str]], *, prior: bool = False) -> Collection:
        """Return what `passages` (stems of each) say; their order changes nothing."""
        made = cls(prior=prior)
        for stems in passages:
            made.add(stems)
        return made

    def add(self, stems: Sequence[str]) -> None:
        self.passages += 1
        self._words += len(stems)
        self._found_in.update(set(stems))

    def idf(self, word: str) -> float:
        """Return the inverse document frequency, above 0."""
        passages = self.passages + self._more
        found_in = self._found_in[word] + self._more_found
        return math.log(1 + (passages - found_in + 0.5) / (found_in + 0.5))

    def weight(self, word: str, times: int, length: int) -> float:
        """Return what a word adds that stands `times` in a passage of `length` words."""
        average = self._words / self.passages if self._words else length
        norm = K1 * (1 - B + B * length / average)
        return self.idf(word) * times * (K1 + 1) / (times + norm)

    def score(self, words: Mapping[str, float], counts: Mapping[str, int], length: int) -> float:
        """Return the BM25 score of a passage for words that matter as much as their weights say (plain BM25: 1)."""
        return sum(share * self.weight(word, counts[word], length) for word, share in words.items() if counts.get(word))

    def greatest(self, words: Mapping[str, float]) -> float:
        """Return what no passage's score for `words` exceeds."""
        return sum(share * self.idf(word) for word, share in words.items()) * (K1 + 1)

    def __repr__(self) -> str:
        return f"<Collection passages={self.passages} words={len(self._found_in)}>"
