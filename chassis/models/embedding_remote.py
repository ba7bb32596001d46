"""Embeddings from a server: TEI's /embed or an OpenAI-compatible /v1/embeddings, told apart by the address.

Texts of all callers travel together, at most 32 a call (what TEI takes by default); vectors are cached by text. When
the server fails, `embed` raises, and who needs vectors works by words alone and says so.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from chassis.batcher import Batcher
from chassis.breaker import BreakerConfig, CircuitBreaker
from chassis.cache import CacheStats, MemoryCache
from chassis.clock import Clock, SystemClock
from chassis.http_answer import HttpResponse, parse_retry_after
from chassis.models.embedding import CACHE_SIZE, CACHE_TTL_SECONDS, CHARS_MAX, PENDING_MAX, PENDING_PER_CALL
from chassis.pool import HttpPool
from chassis.resilience import RetryBudget, RetryPolicy, counted, guarded, retried
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

if TYPE_CHECKING:
    from chassis.models.embedding import Vectors

UPSTREAM = "embedding-server"
BATCH_SIZE = 32
# A call costs milliseconds of network: a little longer than the local model's wait for company.
BATCH_WAIT_SECONDS = 0.005
CONCURRENCY = 4
TIMEOUT_SECONDS = 20.0
# 32 vectors of 4,096 numbers as text are about 3 MB.
BODY_BYTES_MAX = 8 * 1024 * 1024
DIMENSIONS_MAX = 8_192
BREAKER = BreakerConfig(mode="consecutive", failure_threshold=3, recovery_timeout=10.0)
RETRY = RetryPolicy(attempts=3, first_wait=0.2, max_wait=2.0)
# What a server that is overloaded and names no wait is given.
_OVERLOADED_SECONDS = 1.0
_READ_HERE = frozenset({400, 413, 422, 424, 429})


class RemoteEmbedder:
    """A model on a server, behind the port of `chassis.models.embedding`. For one event loop.

    `url` ends with /embed or /embeddings. `model` is required by OpenAI-compatible servers and names the vector space.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str = "",
        model: str = "",
        offline: bool = False,
        clock: Clock | None = None,
        retry: RetryPolicy = RETRY,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        clock = clock or SystemClock()
        self._clock = clock
        self._url = url
        self._model = model
        self._headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        self._tei = urlsplit(url).path.endswith("/embed")
        self._dimensions = 0
        self._batch_max = BATCH_SIZE
        self.breaker = CircuitBreaker(UPSTREAM, BREAKER, clock)
        self.pool = HttpPool(
            UPSTREAM,
            limit=CONCURRENCY,
            limit_per_host=CONCURRENCY,
            total_timeout=timeout_seconds,
            offline=offline,
            body_bytes_max=BODY_BYTES_MAX,
            clock=clock,
        )
        self._call = retried(guarded(counted(self._post), self.breaker), retry, clock, budget=RetryBudget())
        self._vectors = MemoryCache("embeddings", CACHE_SIZE, CACHE_TTL_SECONDS, clock)
        self._batcher: Batcher[str, Any] = Batcher(
            self._compute,
            BATCH_SIZE,
            BATCH_WAIT_SECONDS,
            clock,
            max_pending=PENDING_MAX,
            concurrency=CONCURRENCY,
            name="embedder",
        )

    @property
    def name(self) -> str:
        """The model, or the address where none is named: either way another vector space than any other's."""
        return self._model or self._url

    @property
    def dimensions(self) -> int:
        """Known from the first answer on, 0 before it."""
        return self._dimensions

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Shape (len(texts), dimensions), float32, L2-normalised rows.

        Raises PipelineError: what `HttpPool` raises, UPSTREAM_FAILED with cause `malformed` for an answer that is no
        vectors, BREAKER_OPEN, OVERLOADED where too many texts wait, DRAINING after `close`.
        """
        import numpy as np

        found: list[Any] = []
        for start in range(0, len(texts), PENDING_PER_CALL):
            part = texts[start : start + PENDING_PER_CALL]
            vectors = await asyncio.gather(*(self._vector(text) for text in part), return_exceptions=True)
            for vector in vectors:
                if isinstance(vector, BaseException):
                    raise vector
                found.append(vector)
        if not found:
            return np.empty((0, self._dimensions), dtype=np.float32)
        return np.stack(found)

    async def close(self) -> None:
        """Finishes what waits, then closes the connections."""
        await self._batcher.close()
        await self._vectors.close()
        await self.pool.close()

    def stats(self) -> CacheStats:
        """Of the vectors' cache."""
        return self._vectors.stats()

    def __repr__(self) -> str:
        return f"<RemoteEmbedder {self.name} {self.breaker.state} waiting={self._batcher.pending}>"

    async def _vector(self, text: str) -> Any:
        text = text[:CHARS_MAX].encode("utf-8", "replace").decode("utf-8")
        key = hashlib.blake2b(text.encode("utf-8"), digest_size=16).hexdigest()
        return await self._vectors.get_or_compute(key, lambda: self._batcher.submit(text))

    async def _compute(self, texts: Sequence[str]) -> Sequence[Any]:
        """Vectors of one batch, in smaller calls where the server takes fewer texts than we would send."""
        rows: list[Any] = []
        while len(rows) < len(texts):
            part = list(texts[len(rows) : len(rows) + self._batch_max])
            try:
                rows.extend(await self._call(part))
            except PipelineError as error:
                if error.metadata.get("status") != "413" or len(part) == 1:
                    raise
                self._batch_max = max(len(part) // 2, 1)
        return rows

    async def _post(self, texts: list[str]) -> list[Any]:
        # An empty text is refused by some servers; a space means as little.
        inputs = [text if text.strip() else " " for text in texts]
        body: dict[str, object] = {"inputs": inputs, "normalize": True, "truncate": True}
        if not self._tei:
            body = {"input": inputs, "model": self._model, "encoding_format": "float"}
        response = await self.pool.request("POST", self._url, json_body=body, headers=self._headers, answers=_READ_HERE)
        if response.status >= 400:
            raise self._refused(response)
        try:
            return self._read(response.json(), len(texts))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise PipelineError(
                errors_pb2.ERROR_REASON_UPSTREAM_FAILED,
                f"{UPSTREAM} sent no vectors for {len(texts)} texts",
                metadata={"upstream": UPSTREAM, "cause": "malformed"},
            ) from error

    def _read(self, answer: Any, count: int) -> list[Any]:
        """The rows in the order of the texts, each finite and of length 1; ValueError for anything else."""
        import numpy as np

        rows = answer
        if not self._tei:
            entries = sorted(answer["data"], key=lambda entry: int(entry["index"]))
            if [entry["index"] for entry in entries] != list(range(count)):
                raise ValueError("the indices are not those of the texts")
            rows = [entry["embedding"] for entry in entries]
        matrix = np.asarray(rows, dtype=np.float64)
        if matrix.ndim != 2 or matrix.shape[0] != count or not 1 <= matrix.shape[1] <= DIMENSIONS_MAX:
            raise ValueError(f"the shape is {matrix.shape}")
        if self._dimensions and matrix.shape[1] != self._dimensions:
            raise ValueError("the vectors have changed their length")
        norms = np.linalg.norm(matrix, axis=1, keepdims=True)
        if not np.isfinite(matrix).all() or not (norms > 0).all():
            raise ValueError("a vector is not finite or is zero")
        self._dimensions = int(matrix.shape[1])
        units = (matrix / norms).astype(np.float32)
        units.flags.writeable = False  # shared by reference through the cache
        return list(units)

    def _refused(self, response: HttpResponse) -> PipelineError:
        """TEI says in {error, error_type} what is wrong, OpenAI in {error: {code}}; the words may quote a text."""
        status, metadata = response.status, {"upstream": UPSTREAM, "cause": "status"}
        try:
            answer = response.json()
            kind = str(answer.get("error_type") or (answer.get("error") or {}).get("code") or "")[:40]
        except (ValueError, AttributeError):
            kind = ""
        known = f", {kind}" if kind else ""
        if status == 429:
            wait = parse_retry_after(response.headers.get("retry-after"), self._clock.now())
            return PipelineError(
                errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED,
                f"{UPSTREAM} asks for fewer calls",
                metadata={**metadata, "status": "429"},
                retry_after=_OVERLOADED_SECONDS if wait is None else wait,
            )
        if status == 424:
            # Its own inference failed: a fault of the server's although it is told as the caller's.
            return PipelineError(
                errors_pb2.ERROR_REASON_UPSTREAM_FAILED, f"{UPSTREAM} failed to compute{known}", metadata=metadata
            )
        if status == 422:
            # One text may be at fault: the batch is tried text by text.
            return PipelineError(
                errors_pb2.ERROR_REASON_INVALID_FIELD,
                f"{UPSTREAM} cannot read a text{known}",
                metadata={**metadata, "status": "422"},
            )
        return PipelineError(
            errors_pb2.ERROR_REASON_UPSTREAM_FAILED,
            f"{UPSTREAM} answered {status}{known}",
            metadata={**metadata, "status": str(status)},
        )
