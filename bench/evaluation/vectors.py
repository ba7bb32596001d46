"""Vectors of the evaluation's texts, computed by the product's own embedder and kept on disk.

The corpus of 5,183 abstracts takes minutes on one core; a second run reads it in a moment. What is kept stands outside
the repository, under the user's cache directory or `PIPELINE_EVAL_CACHE`, one file for each model.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

# Saved after each part, so that an interrupted run loses little.
_PART = 512


class NoEmbedder(Exception):
    """The extra `embed` is not installed: what needs vectors is skipped."""


def cache_dir() -> Path:
    """Where vectors are kept between runs."""
    given = os.environ.get("PIPELINE_EVAL_CACHE")
    if given:
        return Path(given)
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("startup-idea-pipeline")) / "evaluation"


def embed(texts: Sequence[str]) -> Vectors:
    """Shape (len(texts), dimensions), float32, rows of length 1, in the order of the texts.

    Raises NoEmbedder where the product has none.
    """
    try:
        from chassis.models.embedding import MODEL_NAME, MiniLmEmbedder

        embedder = MiniLmEmbedder()
        import onnxruntime  # noqa: F401
        import tokenizers  # noqa: F401
    except ImportError as error:
        raise NoEmbedder("install the extra 'embed'") from error
    path = cache_dir() / f"{MODEL_NAME}.npz"
    kept = _load(path)
    wanted = {_key(text): text for text in texts}
    lacking = [key for key in wanted if key not in kept]

    async def compute() -> None:
        try:
            for start in range(0, len(lacking), _PART):
                part = lacking[start : start + _PART]
                rows = await embedder.embed([wanted[key] for key in part])
                kept.update(zip(part, rows, strict=True))
                _save(path, kept)
        finally:
            await embedder.close()

    if lacking:
        asyncio.run(compute())
    return np.stack([kept[_key(text)] for text in texts]) if texts else np.empty((0, 384), np.float32)


def _key(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()


def _load(path: Path) -> dict[str, Vectors]:
    if not path.is_file():
        return {}
    with np.load(path) as file:
        return dict(zip(file["keys"].tolist(), file["rows"], strict=True))


def _save(path: Path, kept: dict[str, Vectors]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.tmp.npz")
    np.savez(partial, keys=np.array(list(kept)), rows=np.stack(list(kept.values())))
    partial.replace(path)
