"""What the replayed world knows: records that are made from the words of a question and a seed."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

EPOCH = datetime(2026, 6, 1, tzinfo=UTC)
KINDS = ("post", "paper", "article", "product", "news", "page")


@dataclass(frozen=True)
class Record:
    """A thing of the world; each API shows it in its own shape. `text` is a few sentences, for or against."""

    # Unique; stable for a seed.
    number: int
    kind: str
    title: str
    text: str
    # A page of the replay server that shows the text ("" where the world has no pages).
    url: str
    author: str
    published: datetime
    votes: int


_FOR = (
    "Many people we asked struggle with {words}: {share} of them said it costs them money every month.",
    "We waste {hours} hours a week on {words} and would gladly pay for something that works.",
    "Spending on {words} grew by {share} in {year}, and demand is rising.",
)
_AGAINST = (
    "For most people {words} is not a real problem: only {share} mentioned it at all.",
    "We tried three tools for {words} and went back to a spreadsheet; nobody would pay for it.",
    "Interest in {words} fell by {share} in {year}; the market is saturated.",
)
_NEUTRAL = (
    "This overview describes how {words} is handled today and which questions are open.",
    "The notes on {words} were collected over {hours} interviews.",
)


class World:
    """Makes records from (seed, words, kind): equal questions, equal answers."""

    def __init__(self, seed: int = 7, pages_at: str = "") -> None:
        self.seed = seed
        # Base address of the pages ("http://127.0.0.1:1234"); may be set once the server is bound.
        self.pages_at = pages_at
        self._records: dict[int, Record] = {}

    def search(self, words: str, kind: str, limit: int) -> list[Record]:
        """At most `limit` records of a kind about these words; none for words that hold `nothing-about`."""
        if "nothing-about" in words or not words.strip():
            return []
        return [self._record(" ".join(words.lower().split()), kind, place) for place in range(limit)]

    def record(self, number: int) -> Record | None:
        """A record that was given before, by its number."""
        return self._records.get(number)

    def _record(self, words: str, kind: str, place: int) -> Record:
        digest = hashlib.sha256(f"{self.seed}|{kind}|{words}|{place}".encode()).digest()
        number = int.from_bytes(digest[:4]) % 90_000_000 + 10_000_000
        known = self._records.get(number)
        if known is not None:
            return known
        dice = random.Random(digest)
        facts = {
            "words": words,
            "share": f"{dice.randrange(3, 90)} percent",
            "hours": dice.randrange(2, 30),
            "year": dice.randrange(2021, 2027),
        }
        sides = dice.choice(((_FOR, _NEUTRAL), (_AGAINST, _NEUTRAL), (_FOR, _AGAINST), (_NEUTRAL, _FOR)))
        text = " ".join(dice.choice(side).format(**facts) for side in sides)
        genre = dice.choice(("a field report", "what we learned", "a survey", "notes"))
        made = Record(
            number=number,
            kind=kind,
            title=f"{words.capitalize()}: {genre} {place + 1}",
            text=text,
            url=f"{self.pages_at}/page/{number}" if self.pages_at else f"https://example.org/page/{number}",
            author=dice.choice(("A. Mbeki", "J. Lindqvist", "R. Costa", "M. Sato", "T. Novak")),
            published=EPOCH - timedelta(days=dice.randrange(10, 1_500)),
            votes=dice.randrange(0, 400),
        )
        self._records[number] = made
        return made
