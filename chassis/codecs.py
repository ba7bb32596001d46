"""Values as bytes, for caches that outlive their process. A codec's name is part of every key: change it with the form.

No pickle: whoever can write the file must not be able to run code by it.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Protocol

from google.protobuf.message import Message

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


class RecordsCodec:
    """Dataclasses of these `kinds` (frozen ones: caches share values), alone, in tuples or within one another.

    Their fields hold what JSON can say, tuples, bytes, times and `messages`. The name tells the fields: a build with
    other fields does not see the old entries. Lists and dicts are no values here: they would come back as tuples.
    """

    def __init__(self, name: str, kinds: Sequence[type], messages: Sequence[type[Message]] = ()) -> None:
        self._kinds = {kind.__name__: kind for kind in kinds}
        self._fields = {kind.__name__: tuple(field.name for field in fields(kind)) for kind in kinds}
        self._messages = {message.DESCRIPTOR.full_name: message for message in messages}
        self.name = f"{name}.{zlib.crc32(json.dumps(self._fields, sort_keys=True).encode()):08x}"

    def encode(self, value: Any) -> bytes:
        return json.dumps(self._plain(value), separators=(",", ":")).encode("ascii")

    def decode(self, data: bytes) -> Any:
        return self._value(json.loads(data))

    def _plain(self, value: Any) -> Any:
        if value is None or isinstance(value, str | bool | int | float):
            if isinstance(value, IntEnum):
                raise TypeError(f"{value!r} would come back as a number")
            return value
        if isinstance(value, tuple):
            return [self._plain(item) for item in value]
        if isinstance(value, datetime):
            return {"time": value.isoformat()}
        if isinstance(value, bytes):
            return {"bytes": base64.b64encode(value).decode("ascii")}
        if isinstance(value, Message) and value.DESCRIPTOR.full_name in self._messages:
            wire = base64.b64encode(value.SerializeToString(deterministic=True)).decode("ascii")
            return {"message": value.DESCRIPTOR.full_name, "wire": wire}
        kind = type(value).__name__
        if is_dataclass(value) and self._kinds.get(kind) is type(value):
            return {"record": kind, "fields": [self._plain(getattr(value, name)) for name in self._fields[kind]]}
        raise TypeError(f"a {kind} cannot be stored by codec {self.name}")

    def _value(self, item: Any) -> Any:
        if isinstance(item, list):
            return tuple(self._value(part) for part in item)
        if not isinstance(item, dict):
            return item
        if "time" in item:
            return datetime.fromisoformat(item["time"])
        if "bytes" in item:
            return base64.b64decode(item["bytes"])
        if "message" in item:
            return self._messages[item["message"]].FromString(base64.b64decode(item["wire"]))
        kind, values = item["record"], [self._value(part) for part in item["fields"]]
        return self._kinds[kind](**dict(zip(self._fields[kind], values, strict=True)))
