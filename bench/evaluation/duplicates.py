"""Duplicates: precision and recall on the labelled pairs, by the code that the server runs.

`tests/fixtures/idea_pairs.jsonl` holds 60 ideas in wordings of our own: each with a paraphrase (the same idea in other
words) and a near miss (the same field or audience, another idea), 20 of them with an edited copy as well (parts moved,
a few words changed). 40 of the ideas name a sentence of the data set `ideas` by its slug. Every second pair, beginning
with the first, chose the threshold on meaning; the figures are on the others. That whole and core count the same, and
the threshold on words, were chosen with all pairs in view, so that the held-out figures are a little kind.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from bench.evaluation.report import Row, at_least, skipped
from chassis.idea.reading import read_idea
from chassis.idea.text import normalise
from chassis.models.embedding import Embedder, MiniLmEmbedder
from services.validation.domain import duplicates
from services.validation.domain.duplicates import StoredIdea

PAIRS = Path(__file__).parents[2] / "tests" / "fixtures" / "idea_pairs.jsonl"
IDEAS = Path("ideas") / "generated_startup_ideas.jsonl"
KINDS = ("edited", "paraphrase", "near_miss")
PRECISION_MIN = 0.9
TITLE = "Duplicates: labelled pairs of ideas, the held-out half"
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Tally(NamedTuple):
    """Of one kind of pair: how many were called duplicates, of how many."""

    found: int
    of: int


def run(data: Path) -> list[Row]:
    """Rows for the held-out half; `data` is the folder of the shared data sets."""
    if not (data / IDEAS).is_file():
        return [skipped("duplicates", f"{data / IDEAS} is absent")]
    held = [pair for number, pair in enumerate(_pairs(data)) if number % 2]
    return asyncio.run(_measure(held))


async def _measure(pairs: Sequence[dict[str, str]]) -> list[Row]:
    embedder = MiniLmEmbedder()
    try:
        with_meaning = await _tally(pairs, embedder)
    finally:
        await embedder.close()
    return [*_rows("words and meaning", with_meaning), *_rows("words only", await _tally(pairs, None))]


def _rows(name: str, tally: dict[str, Tally]) -> list[Row]:
    hits = tally["edited"].found + tally["paraphrase"].found
    precision = hits / (hits + tally["near_miss"].found) if hits else 0.0
    edited, paraphrases = (tally[kind].found / tally[kind].of for kind in ("edited", "paraphrase"))
    note = ", ".join(f"{kind.replace('_', ' ')} {tally[kind].found}/{tally[kind].of}" for kind in KINDS)
    return [
        at_least(f"{name}: precision", precision, PRECISION_MIN, note=note),
        at_least(f"{name}: recall of edited copies", edited, 1.0),
        Row(f"{name}: recall of paraphrases", paraphrases, note="stated, not promised: precision leads"),
    ]


async def _tally(pairs: Sequence[dict[str, str]], embedder: Embedder | None) -> dict[str, Tally]:
    made = {}
    for kind in KINDS:
        labelled = [pair for pair in pairs if kind in pair]
        found = 0
        for pair in labelled:
            one = await _stored(pair["idea"], "runs/one", embedder)
            other = await _stored(pair[kind], "runs/other", embedder)
            found += bool(duplicates.find(other, [one]))
        made[kind] = Tally(found, len(labelled))
    return made


async def _stored(text: str, run_name: str, embedder: Embedder | None) -> StoredIdea:
    text = normalise(text)
    if embedder is None:
        return StoredIdea("", run_name, text, _NOW)
    whole, core = await embedder.embed([text, duplicates.core_of(read_idea(text).profile)])
    return StoredIdea("", run_name, text, _NOW, embedder.name, duplicates.pack(whole, core))


def _pairs(data: Path) -> list[dict[str, str]]:
    """The fixture's pairs with the text of every idea."""
    rows = [json.loads(line) for line in (data / IDEAS).read_text(encoding="utf-8").splitlines()]
    texts = {row["slug"]: row["idea"] for row in rows}
    pairs = [json.loads(line) for line in PAIRS.read_text(encoding="utf-8").splitlines()]
    return [{**pair, "idea": pair.get("idea") or texts[pair["idea_id"]]} for pair in pairs]
