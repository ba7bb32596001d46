"""Finds and pages as bytes for a cache that outlives the process."""

from __future__ import annotations

from chassis.codecs import RecordsCodec
from pipeline.v1 import common_pb2
from services.evidence.domain.model import Found
from services.evidence.providers.pages import Page


class FoundCodec(RecordsCodec):
    """`tuple[Found, ...]` to bytes and back."""

    def __init__(self) -> None:
        super().__init__("found", [Found], [common_pb2.Figure, common_pb2.ProductFact])


class PageCodec(RecordsCodec):
    """`Page` to bytes and back, and the state of an address, which is a number."""

    def __init__(self) -> None:
        super().__init__("page", [Page], [])
