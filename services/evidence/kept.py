"""The text of each cited source, kept as it was read, so that every quote can be shown in its place later."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chassis.artifacts import make_artifact
from pipeline.v1 import common_pb2
from services.evidence.domain.model import Candidate

# Of the 16 MiB that a phase's files may have together; a founder's documents and long pages are the most of it.
KEPT_BYTES_MAX = 12 * 1024 * 1024


def keep(
    items: Sequence[common_pb2.EvidenceItem], chosen: Iterable[Candidate]
) -> tuple[list[common_pb2.Artifact], list[common_pb2.Notice]]:
    """Return the files, having named in each item the one it is quoted from.

    Sources are kept in the order of the items until the bound is reached; who comes later has no `source_path`, and
    a notice says so.
    """
    files: dict[str, common_pb2.Artifact] = {}
    left_out: set[str] = set()
    size = 0
    for item, candidate in zip(items, chosen, strict=True):
        path = f"sources/{item.content_sha256[:16]}.txt"
        if path not in files and path not in left_out:
            content = candidate.found.text.encode()
            if size + len(content) > KEPT_BYTES_MAX:
                left_out.add(path)
            else:
                size += len(content)
                files[path] = make_artifact(path, content, "text/plain; charset=utf-8")
        if path in files:
            item.source_path = path
    notices = []
    if left_out:
        texts = "text of 1 source was" if len(left_out) == 1 else f"texts of {len(left_out)} sources were"
        message = f"The {texts} not kept: together they are too long."
        notices.append(common_pb2.Notice(subject="sources", message=message, phase=common_pb2.PHASE_EVIDENCE))
    return list(files.values()), notices
