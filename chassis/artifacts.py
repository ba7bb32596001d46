"""Files as the contract carries them: inline, with size and digest."""

from __future__ import annotations

import hashlib

from pipeline.v1 import common_pb2


def make_artifact(
    path: str,
    content: bytes,
    media_type: str = "text/plain",
    phase: common_pb2.Phase.ValueType = common_pb2.PHASE_UNSPECIFIED,
) -> common_pb2.Artifact:
    """An artifact with its content; `phase` is the one that made it, none for the gateway's own files."""
    return common_pb2.Artifact(
        path=path,
        media_type=media_type,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        content=content,
        phase=phase,
    )
