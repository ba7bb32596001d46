"""Which field of software does an idea belong to? Topics, and how well a text fits them.

The starter directory knows a product's name and the categories that its source filed it under, no prose. A
topic (data/topics.tsv) says in our own words what a group of categories is about: *core* words make it a
candidate, *also* words strengthen it. Precision comes before recall: an unrelated product in an evidence list
costs more trust than a missing one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from services.evidence.domain.words import Phrase, PhraseIndex, is_stop, phrase, stems

# What a matched word adds: 1 - product of (1 - weight). A phrase of several words is rarely a coincidence; a
# single core word may be ("school" in a story about a school of fish).
CORE_PHRASE_WEIGHT = 0.60
CORE_WORD_WEIGHT = 0.45
ALSO_WEIGHT = 0.10
# In one short sentence a single word says more than in a page.
SHORT_WORDS = 16
SHORT_CORE_WORD_WEIGHT = 0.60
# Cosines of MiniLM between an idea and a topic: below the first unrelated, above the second the same thing.
COSINE_LOW = 0.12
COSINE_HIGH = 0.55
# Share of the words in a fit, where vectors are there.
LEXICAL_SHARE = 0.55
# A fit below this is no fit.
FIT_MIN = 0.50
# Without vectors the words of a long text meet some topic by chance: more is asked of them.
LEXICAL_ONLY_MIN = 0.65
# No number of words makes up for a meaning that is elsewhere.
COSINE_NEEDED = 0.24
# Words marked with ~ name a field of life ("farm", "clinic"), not what a product does: on their own they make
# its products neighbours (below stance.RIVAL_FIT), never rivals.
NEIGHBOUR_FIT = 0.55
NEIGHBOUR_COSINE_NEEDED = 0.36
# A meaning this close counts even where no core word stands in the text.
COSINE_ALONE = 0.52


@dataclass(frozen=True)
class Topic:
    """A field of software: its words, the categories that belong to it, products in and out by name."""

    id: str
    label: str
    core: tuple[str, ...]
    neighbour: tuple[str, ...]
    also: tuple[str, ...]
    categories: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What is embedded for it."""
        return f"{self.label}: {', '.join((*self.core, *self.neighbour)[:8])}"

    @cached_property
    def core_phrases(self) -> tuple[Phrase, ...]:
        return tuple(dict.fromkeys(phrase(words) for words in self.core))

    @cached_property
    def neighbour_phrases(self) -> tuple[Phrase, ...]:
        return tuple(dict.fromkeys(phrase(words) for words in self.neighbour))

    @cached_property
    def also_phrases(self) -> tuple[Phrase, ...]:
        core = {*self.core_phrases, *self.neighbour_phrases}
        return tuple(words for words in dict.fromkeys(phrase(w) for w in self.also) if words not in core)


@dataclass(frozen=True)
class TopicFit:
    """How well a text fits a topic, 0 to 1, and the words that carry it."""

    topic: Topic
    fit: float
    matched: tuple[str, ...]
    # True: only words of the neighbourhood were met.
    neighbour: bool
    cosine: float | None


def parse_topics(text: str) -> tuple[Topic, ...]:
    """Read the table of topics: tab-separated, lists separated by semicolons, `#` starts a comment line.

    Raises ValueError naming the line that cannot be read.
    """
    topics: list[Topic] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        columns = line.split("\t")
        if not 5 <= len(columns) <= 7:
            raise ValueError(f"line {number} has {len(columns)} columns; write 5 to 7, separated by tabs")
        lists = [tuple(p.strip() for p in column.split(";") if p.strip()) for column in columns[2:]]
        core = tuple(word for word in lists[0] if not word.endswith("~"))
        neighbour = tuple(word.removesuffix("~") for word in lists[0] if word.endswith("~"))
        topics.append(Topic(columns[0], columns[1], core, neighbour, *lists[1:]))
    return tuple(topics)


def topics_digest(topics: Iterable[Topic]) -> str:
    """Return the sha256 of what was embedded, so that stale vectors are noticed."""
    return hashlib.sha256("\n".join(topic.text for topic in topics).encode()).hexdigest()


def match_topics(topics: Sequence[Topic], text: str, cosines: Sequence[float] | None = None) -> list[TopicFit]:
    """Return the topics that the text fits, best first. `cosines`: one per topic, or None without vectors.

    >>> topics = parse_topics("tutoring\\tTutoring\\ttutor; online lesson\\tstudent\\tCourses")
    >>> [fit.topic.id for fit in match_topics(topics, "Students find a tutor for an online lesson")]
    ['tutoring']
    """
    index = PhraseIndex(text)
    fits = []
    for place, topic in enumerate(topics):
        cosine = None if cosines is None else float(cosines[place])
        found = _fit(topic, index, cosine)
        if found is not None:
            fits.append(found)
    return sorted(fits, key=lambda f: (-f.fit, f.topic.id))


def _fit(topic: Topic, index: PhraseIndex, cosine: float | None) -> TopicFit | None:
    core = [words for words in topic.core_phrases if words in index]
    neighbour = [words for words in topic.neighbour_phrases if words in index]
    also = [words for words in topic.also_phrases if words in index]
    alone = cosine is not None and cosine >= COSINE_ALONE and bool(also)
    if not core and not neighbour and not alone:
        return None
    needed = COSINE_NEEDED if core else NEIGHBOUR_COSINE_NEEDED
    if cosine is not None and cosine < needed:
        return None
    single = SHORT_CORE_WORD_WEIGHT if len(index.words) <= SHORT_WORDS else CORE_WORD_WEIGHT
    miss = 1.0
    for words in _maximal([*core, *neighbour]):
        miss *= 1.0 - (CORE_PHRASE_WEIGHT if len(words) > 1 else single)
    miss *= (1.0 - ALSO_WEIGHT) ** min(len(also), 6)
    lexical = 1.0 - miss
    if cosine is None:
        fit = lexical
    else:
        near = min(max((cosine - COSINE_LOW) / (COSINE_HIGH - COSINE_LOW), 0.0), 1.0)
        fit = LEXICAL_SHARE * lexical + (1.0 - LEXICAL_SHARE) * near
    long = len(index.words) > 2 * SHORT_WORDS
    if fit < (LEXICAL_ONLY_MIN if cosine is None and long else FIT_MIN):
        return None
    only_near = not core
    if only_near:
        fit = min(fit, NEIGHBOUR_FIT)
    return TopicFit(topic, fit, _readable(topic, [*core, *neighbour], also), only_near, cosine)


def _maximal(phrases: list[Phrase]) -> list[Phrase]:
    """Drop phrases whose words all stand in a longer matched phrase: "food waste" holds no second "food"."""
    kept: list[Phrase] = []
    for words in sorted(phrases, key=len, reverse=True):
        if not any(set(words) <= set(longer) for longer in kept):
            kept.append(words)
    return kept


def _readable(topic: Topic, core: list[Phrase], also: list[Phrase]) -> tuple[str, ...]:
    """The matched words as the topic writes them."""
    wanted = {*_maximal(core), *also}
    words = [w for w in (*topic.core, *topic.neighbour, *topic.also) if phrase(w) in wanted]
    words = list({phrase(w): w for w in reversed(words)}.values())[::-1]
    return tuple(words)[:4]


def name_words(name_stems: Iterable[str], text: str) -> set[str]:
    """Return the stems that a product's name shares with a text, stop words and short ones left out."""
    return {s for s in name_stems if len(s) > 3 and not is_stop(s)} & set(stems(text))
