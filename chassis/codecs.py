"""Values as bytes, for caches that outlive their process. A codec's name is part of every key: change it with the form.

No pickle: whoever can write the file must not be able to run code by it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Codec(Protocol):
    """`decode(encode(value)) == value`. `decode` raises ValueError, KeyError or TypeError for foreign bytes."""

    @property
    def name(self) -> str: ...

    def encode(self, value: Any) -> bytes: ...

    def decode(self, data: bytes) -> Any: ...


class JsonCodec:
    """What JSON can say: dicts with string keys, lists, strings (lone surrogates too), numbers, booleans, None."""

    name = "json.1"

    def encode(self, value: Any) -> bytes:
        return json.dumps(value, separators=(",", ":")).encode("ascii")

    def decode(self, data: bytes) -> Any:
        return json.loads(data)


class BytesCodec:
    """Bytes as they are."""

    name = "bytes.1"

    def encode(self, value: bytes) -> bytes:
        return bytes(value)

    def decode(self, data: bytes) -> bytes:
        return data


class VectorCodec:
    """One float32 vector of `dimensions` numbers, little-endian; read-only once decoded, as caches share values."""

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions
        self.name = f"f32.{dimensions}"

    def encode(self, value: NDArray[np.float32]) -> bytes:
        return value.astype("<f4", copy=False).tobytes()

    def decode(self, data: bytes) -> NDArray[np.float32]:
        import numpy as np

        if len(data) != 4 * self.dimensions:
            raise ValueError(f"{len(data)} bytes are no vector of {self.dimensions} dimensions")
        return np.frombuffer(data, dtype="<f4").astype(np.float32, copy=False)
