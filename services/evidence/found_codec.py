"""Finds and pages as bytes for a cache that outlives the process: JSON, with messages in their wire form."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from google.protobuf.message import Message

from pipeline.v1 import common_pb2
from services.evidence.domain.model import Found
from services.evidence.providers.pages import Page

_MESSAGES: dict[str, type[Message]] = {
    kind.DESCRIPTOR.full_name: kind for kind in (common_pb2.Figure, common_pb2.ProductFact)
}
_FIELDS = tuple(field.name for field in fields(Found))
_PAGE_FIELDS = tuple(field.name for field in fields(Page))


class FoundCodec:
    """`tuple[Found, ...]` to bytes and back. A build whose `Found` has other fields does not see the old entries."""

    name = f"found.{zlib.crc32(','.join(_FIELDS).encode()):08x}"

    def encode(self, value: Sequence[Found]) -> bytes:
        rows = [[_plain(getattr(found, name)) for name in _FIELDS] for found in value]
        return json.dumps(rows, separators=(",", ":")).encode("ascii")

    def decode(self, data: bytes) -> tuple[Found, ...]:
        return tuple(
            Found(**{name: _value(item) for name, item in zip(_FIELDS, row, strict=True)}) for row in json.loads(data)
        )


class PageCodec:
    """`Page` to bytes and back, and the state of an address, which is a number."""

    name = f"page.{zlib.crc32(','.join(_PAGE_FIELDS).encode()):08x}"

    def encode(self, value: Page | int) -> bytes:
        row = [_plain(getattr(value, name)) for name in _PAGE_FIELDS] if isinstance(value, Page) else int(value)
        return json.dumps(row, separators=(",", ":")).encode("ascii")

    def decode(self, data: bytes) -> Page | int:
        row = json.loads(data)
        if isinstance(row, int):
            return row
        return Page(**{name: _value(item) for name, item in zip(_PAGE_FIELDS, row, strict=True)})


def _plain(value: object) -> Any:
    match value:
        case datetime():
            return {"time": value.isoformat()}
        case Message():
            wire = base64.b64encode(value.SerializeToString(deterministic=True)).decode("ascii")
            return {"message": value.DESCRIPTOR.full_name, "wire": wire}
        case tuple():
            return [_plain(item) for item in value]
    return value


def _value(item: Any) -> Any:
    if isinstance(item, list):
        return tuple(_value(part) for part in item)
    if isinstance(item, dict):
        if "time" in item:
            return datetime.fromisoformat(item["time"])
        return _MESSAGES[item["message"]].FromString(base64.b64decode(item["wire"]))
    return item
