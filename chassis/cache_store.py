"""Caches whose answers outlive the process: memory in front, a `CacheFile` behind.

`StoredCache` fulfils `chassis.cache.Cache`, single-flight included. Keys are stored hashed and values through a codec,
so that the file tells nobody what was asked. What belongs to one run (its documents) must never be given to either.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from chassis.cache import CacheStats, MemoryCache, _checked_ttl
from chassis.cache_disk import Totals
from chassis.cache_file import CacheFile
from chassis.clock import Clock
from chassis.codecs import Codec, VectorCodec
from chassis.usage import current_usage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from chassis.models.embedding import Embedder

_log = logging.getLogger(__name__)

# A text's vector stays the same while the model does, whose name is in the key.
VECTORS_TTL_SECONDS = 30 * 86_400.0


class StoredCache(MemoryCache):
    """A cache in memory and on disk. What the disk cannot do is done without it; only `clear` tells of its faults."""

    def __init__(
        self,
        name: str,
        file: CacheFile,
        codec: Codec,
        max_size: int = 1000,
        ttl: float = 3600.0,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(name, max_size, ttl, clock)
        self._file = file
        self._codec = codec
        self._stored = Totals(0, 0)

    async def get(self, key: str, default: Any = None, *, ttl: float | None = None) -> Any:
        entry = self._find(key, ttl)
        if entry is not None:
            self._count(hit=True)
            return entry.value
        epoch = self._epoch
        known, value = await self._read(key, ttl, epoch)
        self._count(hit=known)
        return value if known else default

    async def set(self, key: str, value: Any, ttl: float | None = None) -> None:
        await super().set(key, value, ttl)
        self._write(key, value, ttl)

    async def delete(self, key: str) -> None:
        await super().delete(key)
        await self._file.delete(self.name, self._hashed(key))

    async def clear(self) -> int:
        """Forgets memory and disk. Raises STORAGE_UNAVAILABLE where the file cannot be cleared."""
        in_memory = await super().clear()
        on_disk = await self._file.clear(self.name)
        self._stored = Totals(0, 0)
        return max(in_memory, on_disk)

    def stats(self) -> CacheStats:
        return super().stats()._replace(stored_entries=self._stored.entries, stored_bytes=self._stored.size_bytes)

    async def measure(self) -> CacheStats:
        await self._file.flush()
        self._stored = (await self._file.totals()).get(self.name, Totals(0, 0))
        return self.stats()

    async def _fill(self, key: str, compute: Callable[[], Awaitable[Any]], ttl: float | None, saves_calls: int) -> Any:
        epoch = self._epoch
        known, value = await self._read(key, ttl, epoch)
        if known:
            self._count(hit=True)
            current_usage().call_saved(saves_calls)
            return value
        value = await super()._fill(key, compute, ttl, saves_calls)
        if epoch == self._epoch:
            self._write(key, value, ttl)
        return value

    async def _read(self, key: str, ttl: float | None, epoch: int) -> tuple[bool, Any]:
        """(whether it is on disk and fresh enough, the value); what is found is kept in memory."""
        row = await self._file.get(self.name, self._hashed(key))
        if row is None or epoch != self._epoch:
            return False, None
        age = max(self._file.now() - row.stored, 0.0)
        if ttl is not None and age >= _checked_ttl(ttl):
            return False, None
        try:
            value = self._codec.decode(row.value)
        except Exception:
            # Bytes of another form or a damaged page: as if they were not there.
            _log.warning("a stored value of cache %s cannot be read; it is asked for anew", self.name)
            return False, None
        self._store(key, value, row.expires - row.stored, age)
        return True, value

    def _write(self, key: str, value: Any, ttl: float | None) -> None:
        lifetime = self._ttl if ttl is None else ttl
        self._file.put(self.name, self._hashed(key), lambda: self._codec.encode(value), lifetime)

    def _hashed(self, key: str) -> bytes:
        return hashed(self._codec.name, key)


class StoredVectors:
    """An embedder that remembers on disk. For texts that are public: pages, search results.

    Never for a run's documents or an idea: a vector tells much of its text. Those go to the embedder itself, which has
    a cache in memory. `clear` forgets what is on disk; the embedder's memory is bounded by itself.
    """

    def __init__(self, embedder: Embedder, file: CacheFile) -> None:
        self.name = embedder.name
        self.dimensions = embedder.dimensions
        self._embedder = embedder
        self._file = file
        self._codec = VectorCodec(embedder.dimensions)
        self._space = "embeddings"
        self._stored = Totals(0, 0)
        self._hits = self._misses = 0
        self._epoch = 0

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (len(texts), dimensions), float32, as the embedder itself gives them; raises what it raises."""
        import numpy as np

        keys = [hashed(f"{self._codec.name}|{self.name}", text) for text in texts]
        epoch = self._epoch
        rows = await self._file.get_many(self._space, list(dict.fromkeys(keys)))
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        lacking: list[int] = []
        for place, key in enumerate(keys):
            row = rows.get(key)
            if row is not None and len(row.value) == 4 * self.dimensions:
                vectors[place] = self._codec.decode(row.value)
            else:
                lacking.append(place)
        self._hits += len(texts) - len(lacking)
        self._misses += len(lacking)
        # What is lacking is counted by the embedder's own cache.
        current_usage().cache_hit(len(texts) - len(lacking))
        if lacking:
            made = await self._embedder.embed([texts[place] for place in lacking])
            for place, vector in zip(lacking, made, strict=True):
                vectors[place] = vector
                if epoch == self._epoch:
                    copy = np.array(vector, dtype=np.float32)
                    self._file.put(self._space, keys[place], _Encoded(self._codec, copy), VECTORS_TTL_SECONDS)
        return vectors

    async def close(self) -> None:
        """The embedder stays its owner's to close."""

    def stats(self) -> CacheStats:
        return CacheStats(
            self._space, 0, 0, self._hits, self._misses, 0, 0, self._stored.entries, self._stored.size_bytes
        )

    async def measure(self) -> CacheStats:
        await self._file.flush()
        self._stored = (await self._file.totals()).get(self._space, Totals(0, 0))
        return self.stats()

    async def clear(self) -> int:
        self._epoch += 1
        self._stored = Totals(0, 0)
        return await self._file.clear(self._space)


class _Encoded:
    """A vector that is turned into bytes in the file's thread."""

    def __init__(self, codec: VectorCodec, vector: NDArray[np.float32]) -> None:
        self._codec = codec
        self._vector = vector

    def __call__(self) -> bytes:
        return self._codec.encode(self._vector)


def hashed(codec: str, key: str) -> bytes:
    """What is stored of a key: 16 bytes that do not tell it."""
    text = f"{codec}\0{key}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=16).digest()
