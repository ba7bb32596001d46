"""Likeness of passages to claims by meaning, within one run's bound; what is private stays in memory."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.v1 import common_pb2
from services.evidence.domain.model import Candidate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from chassis.models.embedding import Embedder

_log = logging.getLogger(__name__)

# Texts embedded for one run, claims included: embedding is what a run's time goes into (about 5 ms a text). What
# comes later is scored by its words alone.
EMBEDDED_MAX = 240


@dataclass(frozen=True)
class Embedders:
    """Vectors for what is private to a run (its idea, its documents), and for texts that anybody can read.

    The second may remember on disk. None: words decide alone.
    """

    private: Embedder | None = None
    public: Embedder | None = None


class RunVectors:
    """Cosines of one run. `failed`: the embedder broke down, or there is none."""

    def __init__(self, embedders: Embedders) -> None:
        self._embedders = embedders
        self.failed = embedders.private is None
        self._embedded = 0
        self._claims: dict[str, NDArray[np.float32]] = {}
        # What is embedded for the first time in a run belongs to one batch only.
        self._lock = asyncio.Lock()

    async def cosines(self, batch: Sequence[Candidate]) -> list[float | None]:
        """Likeness of each passage to its claim; None without vectors and for finds whose fit is known."""
        wanted = [c for c in batch if c.found.fit is None]
        if self._embedders.private is None or not wanted:
            return [None] * len(batch)
        async with self._lock:
            claims = {c.query.claim_id: c.query.text for c in wanted if c.query.claim_id not in self._claims}
            wanted = wanted[: max(EMBEDDED_MAX - self._embedded - len(claims), 0)]
            if not wanted:
                return [None] * len(batch)
            self._embedded += len(claims) + len(wanted)
            try:
                if claims:
                    rows = await self._embedders.private.embed(list(claims.values()))
                    self._claims.update(zip(claims, rows, strict=True))
                found = await self._embed(wanted)
            except Exception:
                # Words decide alone then; the reader is told.
                _log.exception("embedding failed")
                self.failed = True
                return [None] * len(batch)
        return [found.get(id(c)) for c in batch]

    async def _embed(self, wanted: Sequence[Candidate]) -> dict[int, float]:
        """Cosine of each quote to its claim, by the candidate's place in memory."""
        made: dict[int, float] = {}
        for embedder, private in ((self._embedders.private, True), (self._embedders.public, False)):
            part = [c for c in wanted if (c.found.origin == common_pb2.TEXT_ORIGIN_USER_DOCUMENT) == private]
            if part and embedder is not None:
                rows = await embedder.embed([c.quote for c in part])
                for candidate, row in zip(part, rows, strict=True):
                    made[id(candidate)] = float(row @ self._claims[candidate.query.claim_id])
        return made
