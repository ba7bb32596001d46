"""Embeddings from a server on loopback: both APIs, their errors, and which embedder a configuration means."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from chassis.breaker import BreakerState
from chassis.config import ConfigError, ServerConfig, load
from chassis.models.embedding import execution_providers, load_embedder
from chassis.models.embedding_remote import BATCH_SIZE, RemoteEmbedder
from chassis.resilience import RetryPolicy
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

np = pytest.importorskip("numpy")

SAMPLES = Path(__file__).resolve().parents[3].parent / "shared" / "api-samples"
ONCE = RetryPolicy(attempts=1)

Answer = Callable[[list[str]], web.Response]


def vectors(texts: list[str]) -> list[list[float]]:
    """Three numbers that depend on the text, not of length 1."""
    return [[float(len(text)), float(text.count("a")), 1.0] for text in texts]


def tei(texts: list[str]) -> web.Response:
    return web.json_response(vectors(texts))


def openai(texts: list[str]) -> web.Response:
    rows = [{"object": "embedding", "index": n, "embedding": row} for n, row in enumerate(vectors(texts))]
    return web.json_response({"object": "list", "data": rows[::-1], "model": "m", "usage": {"prompt_tokens": 3}})


def error(status: int, kind: str, **headers: str) -> Answer:
    return lambda _: web.json_response({"error": "words", "error_type": kind}, status=status, headers=headers)


@asynccontextmanager
async def server(*answers: Answer) -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """An address, and the bodies that it was sent; the answers come in turn, the last one for ever."""
    bodies: list[dict[str, Any]] = []

    async def handle(request: web.Request) -> web.Response:
        body = await request.json()
        bodies.append(body)
        answer = answers[min(len(bodies), len(answers)) - 1]
        return answer(body["inputs"] if "inputs" in body else body["input"])

    app = web.Application()
    app.router.add_post("/embed", handle)
    app.router.add_post("/v1/embeddings", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", bodies
    finally:
        await runner.cleanup()


@asynccontextmanager
async def embedder(url: str, **options: Any) -> AsyncIterator[RemoteEmbedder]:
    subject = RemoteEmbedder(url, **options)
    try:
        yield subject
    finally:
        await subject.close()


async def failure(*answers: Answer, **options: Any) -> tuple[PipelineError, int]:
    async with server(*answers) as (url, bodies), embedder(f"{url}/embed", **options) as subject:
        with pytest.raises(PipelineError) as caught:
            await subject.embed(["one"])
        return caught.value, len(bodies)


@pytest.mark.parametrize(("path", "answer"), [("/embed", tei), ("/v1/embeddings", openai)])
async def test_rows_come_back_in_order_and_of_length_one(path: str, answer: Answer) -> None:
    """Either API gives unit rows in the order of the texts; callers share one call, known texts make none."""
    async with server(answer) as (url, bodies), embedder(url + path, model="m", key="k") as subject:
        first, second = await asyncio.gather(subject.embed(["aaa", "b"]), subject.embed(["", "aaa"]))
        again = await subject.embed(["b"])
        assert (subject.dimensions, subject.name) == (3, "m")
        assert (await subject.embed([])).shape == (0, 3)
    assert len(bodies) == 1
    assert (first.shape, first.dtype) == ((2, 3), np.float32)
    assert np.allclose(np.linalg.norm(first, axis=1), 1)
    assert np.allclose(first[0], np.array([3, 3, 1]) / np.sqrt(19))
    assert np.array_equal(second[1], first[0])
    assert np.array_equal(again[0], first[1])
    assert sorted(bodies[0].get("inputs") or bodies[0]["input"]) == [" ", "aaa", "b"]


async def test_many_texts_travel_in_batches() -> None:
    """A hundred texts are four calls, none above what a server takes by default."""
    async with server(tei) as (url, bodies), embedder(f"{url}/embed") as subject:
        rows = await subject.embed([f"text {n} {'a' * n}" for n in range(100)])
    assert rows.shape == (100, 3)
    assert [len(body["inputs"]) for body in bodies] == [32, 32, 32, 4]
    assert max(len(body["inputs"]) for body in bodies) <= BATCH_SIZE


async def test_smaller_batches_where_the_server_takes_fewer() -> None:
    """After 413 the batch is halved until it fits, and stays so."""

    def small(texts: list[str]) -> web.Response:
        return tei(texts) if len(texts) <= 8 else error(413, "validation")(texts)

    async with server(small) as (url, bodies), embedder(f"{url}/embed") as subject:
        assert (await subject.embed([f"{n} {'a' * n}" for n in range(20)])).shape == (20, 3)
        await subject.embed([f"more {'a' * n}" for n in range(20)])
    # 20, then 10 do not fit; 5 do.
    assert [len(body["inputs"]) for body in bodies] == [20, 10, 5, 5, 5, 5, 5, 5, 5, 5]


async def test_overloaded_server_is_asked_again() -> None:
    """429 is waited for as the server says, and is no sign of bad health."""
    answers = (error(429, "overloaded", **{"Retry-After": "0"}), tei)
    quick = RetryPolicy(attempts=2, first_wait=0.001, max_wait=0.002)
    async with server(*answers) as (url, bodies), embedder(f"{url}/embed", retry=quick) as subject:
        assert (await subject.embed(["one"])).shape == (1, 3)
        assert subject.breaker.state is BreakerState.CLOSED
    assert len(bodies) == 2


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (400, "empty", errors_pb2.ERROR_REASON_UPSTREAM_FAILED),
        (413, "validation", errors_pb2.ERROR_REASON_UPSTREAM_FAILED),
        (422, "tokenizer", errors_pb2.ERROR_REASON_INVALID_FIELD),
        (424, "backend", errors_pb2.ERROR_REASON_UPSTREAM_FAILED),
        (429, "overloaded", errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED),
        (503, "unhealthy", errors_pb2.ERROR_REASON_UPSTREAM_FAILED),
    ],
)
async def test_errors_are_typed(status: int, kind: str, reason: int) -> None:
    """Each documented error has its reason; the server's words, which may quote a text, stay out."""
    caught, calls = await failure(error(status, kind), retry=ONCE)
    assert (caught.reason, calls) == (reason, 1)
    assert "words" not in caught.message


@pytest.mark.parametrize(
    "body",
    [
        [[1.0, 2.0], [1.0]],
        [[0.0, 0.0]],
        [],
        {"data": []},
        [["x"]],
        [[float("inf")]],
        [[1.0], [2.0]],
        "no",
        None,
        [[None]],
    ],
)
async def test_what_is_no_vector_is_refused(body: object) -> None:
    """Ragged, zero, infinite, too few, too many or foreign rows never reach a caller."""
    caught, _ = await failure(lambda _: web.json_response(body), retry=ONCE)
    assert caught.metadata["cause"] == "malformed"


async def test_a_dead_server_rests_behind_its_breaker() -> None:
    """After three failures nobody asks; callers learn so at once."""
    async with server(error(424, "backend")) as (url, bodies), embedder(f"{url}/embed", retry=ONCE) as subject:
        for n in range(3):
            with pytest.raises(PipelineError):
                await subject.embed([f"text {n}"])
        with pytest.raises(PipelineError) as caught:
            await subject.embed(["another"])
    assert (caught.value.reason, len(bodies)) == (errors_pb2.ERROR_REASON_BREAKER_OPEN, 3)


async def test_one_bad_text_fails_alone() -> None:
    """Where a text cannot be read, the others of its batch are computed without it."""

    def picky(texts: list[str]) -> web.Response:
        return error(422, "tokenizer")(texts) if "bad" in texts else tei(texts)

    async with server(picky) as (url, _), embedder(f"{url}/embed", retry=ONCE) as subject:
        good, bad = await asyncio.gather(subject.embed(["good"]), subject.embed(["bad"]), return_exceptions=True)
    assert good.shape == (1, 3)
    assert isinstance(bad, PipelineError)


async def test_offline_asks_nothing_far() -> None:
    """Offline, a far server is not asked; one on this machine is."""
    far = load_embedder(load(ServerConfig, offline=True, embedding_url="https://embed.example/embed"))
    assert far is not None
    with pytest.raises(PipelineError) as caught:
        await far.embed(["one"])
    assert caught.value.metadata["offline"] == "true"
    await far.close()
    async with server(tei) as (url, _):
        near = load_embedder(load(ServerConfig, offline=True, embedding_url=f"{url}/embed"))
        assert near is not None
        assert (await near.embed(["one"])).shape == (1, 3)
        await near.close()


def test_settings_that_cannot_work_are_refused() -> None:
    """An address without its endpoint, a missing model, and a GPU that is not there are one sentence each."""
    with pytest.raises(ConfigError, match="names no endpoint; write"):
        load(ServerConfig, embedding_url="http://localhost:8080")
    with pytest.raises(ConfigError, match="PIPELINE_EMBEDDING_MODEL is empty"):
        load_embedder(load(ServerConfig, embedding_url="http://localhost:8080/v1/embeddings"))
    with pytest.raises(ConfigError, match="install onnxruntime-gpu"):
        execution_providers("cuda", ["CPUExecutionProvider"])


def test_auto_takes_a_gpu_where_there_is_one() -> None:
    """auto prefers CUDA, cpu never uses it, and CUDA keeps the CPU for what it cannot compute."""
    both = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]
    assert execution_providers("auto", both) == ["CUDAExecutionProvider", "CPUExecutionProvider"]
    assert execution_providers("cuda", both) == ["CUDAExecutionProvider", "CPUExecutionProvider"]
    assert execution_providers("cpu", both) == ["CPUExecutionProvider"]
    assert execution_providers("auto", ["CPUExecutionProvider"]) == ["CPUExecutionProvider"]


@pytest.mark.skipif(not SAMPLES.exists(), reason="the recorded API samples are not beside the project")
async def test_recorded_answers() -> None:
    """A recorded OpenAI answer is read, and every documented TEI error has a typed reason."""
    recorded = json.loads((SAMPLES / "openai" / "embedding_float.json").read_text())
    async with (
        server(lambda _: web.json_response(recorded)) as (url, _),
        embedder(f"{url}/v1/embeddings", model="text-embedding-3-small") as subject,
    ):
        rows = await subject.embed(["one", "two"])
    assert rows.shape == (2, len(recorded["data"][0]["embedding"]))
    for path in sorted((SAMPLES / "tei").glob("error_*.json")):
        status, body = int(path.name.split("_")[1]), json.loads(path.read_text())
        caught, _ = await failure(lambda _, s=status, b=body: web.json_response(b, status=s), retry=ONCE)
        assert body["error_type"] in caught.message or status == 429
