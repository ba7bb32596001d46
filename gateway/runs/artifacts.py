"""The files of runs: a folder `artifacts/{run}/...`, written whole or not at all, checked against their digests.

A phase names its files; the names are not trusted. A path that leaves the folder, hides behind a link or clashes with
another in a case-blind file system refuses the phase's whole result.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2

# The contract's bound for all artifacts of a phase together.
PHASE_BYTES_MAX = 16 * 1024 * 1024
# A generated project has dozens of files; beyond this something is wrong.
PHASE_FILES_MAX = 2000
CHUNK_BYTES = 64 * 1024
PATH_CHARS_MAX = 300
NAME_BYTES_MAX = 200
# Files that the gateway itself writes; no phase may.
RESERVED = frozenset({"report.html", "report.json", "evidence.json", "trace.json"})

_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\:*?\"<>|\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_WINDOWS_DEVICES = re.compile(r"^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?$", re.IGNORECASE)


def check_path(path: str) -> str:
    """The path itself when it is a plain relative one; raises ValueError with the reason otherwise."""
    if not path or len(path) > PATH_CHARS_MAX:
        raise ValueError(f"has {len(path)} characters; 1 to {PATH_CHARS_MAX} are allowed")
    if _UNSAFE.search(path) or any("\ud800" <= char <= "\udfff" for char in path):
        raise ValueError("contains a character that file names cannot carry everywhere")
    for part in path.split("/"):
        if part in ("", ".", ".."):
            raise ValueError("is absolute or leaves its folder")
        if len(part.encode()) > NAME_BYTES_MAX or part != part.strip() or part.endswith("."):
            raise ValueError("has a name that file systems treat differently")
        if _WINDOWS_DEVICES.match(part):
            raise ValueError("names a device")
    return path


def rejected(path: str, reason: str, *, limit_bytes: int | None = None) -> PipelineError:
    """ARTIFACT_REJECTED, naming the file."""
    metadata = {"artifact": path[:200]}
    if limit_bytes is not None:
        metadata["limit_bytes"] = str(limit_bytes)
    return PipelineError(
        errors_pb2.ERROR_REASON_ARTIFACT_REJECTED, f"Artifact {path[:200]!r} {reason}.", metadata=metadata
    )


def check_set(artifacts: Sequence[common_pb2.Artifact], others: Iterable[str] = ()) -> None:
    """Raise ARTIFACT_REJECTED unless every file of a phase may be stored beside `others`, the rest of the run's."""
    if len(artifacts) > PHASE_FILES_MAX:
        raise rejected(artifacts[PHASE_FILES_MAX].path, f"is one of more than {PHASE_FILES_MAX} files")
    if sum(len(artifact.content) for artifact in artifacts) > PHASE_BYTES_MAX:
        reason = f"is part of a result of more than {PHASE_BYTES_MAX} bytes"
        raise rejected(artifacts[0].path, reason, limit_bytes=PHASE_BYTES_MAX)
    files = {path.casefold() for path in (*RESERVED, *others)}
    folders = {parent for path in files for parent in _parents(path)}
    for artifact in artifacts:
        path = artifact.path
        try:
            check_path(path)
        except ValueError as error:
            raise rejected(path, str(error)) from error
        folded = path.casefold()
        parents = _parents(folded)
        if folded in files or folded in folders or parents & files:
            raise rejected(path, "clashes with another file of the run")
        files.add(folded)
        folders |= parents
        if artifact.size_bytes != len(artifact.content):
            raise rejected(path, f"has {len(artifact.content)} bytes instead of {artifact.size_bytes}")
        if artifact.sha256 != hashlib.sha256(artifact.content).hexdigest():
            raise rejected(path, "does not match its sha256")


def _parents(path: str) -> set[str]:
    return {path.rsplit("/", depth)[0] for depth in range(1, path.count("/") + 1)}


class ArtifactStore:
    """Files in folders, one folder a run. Blocking calls run in threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def put(self, run_id: str, artifacts: Sequence[common_pb2.Artifact]) -> None:
        """Write the files (replacing what an earlier attempt wrote). Raises STORAGE_FULL, ARTIFACT_REJECTED."""
        await asyncio.to_thread(self._put, run_id, artifacts)

    def _put(self, run_id: str, artifacts: Sequence[common_pb2.Artifact]) -> None:
        root = self.folder / run_id
        folders: set[Path] = set()
        path = ""
        try:
            for artifact in artifacts:
                path = check_path(artifact.path)
                target = root / path
                target.parent.mkdir(parents=True, exist_ok=True)
                if target.parent.resolve() != root.resolve() / Path(path).parent:
                    raise rejected(path, "lies behind a link")
                temporary = target.parent / f".{secrets.token_hex(8)}.tmp"
                try:
                    with temporary.open("xb") as file:
                        file.write(artifact.content)
                        file.flush()
                        os.fsync(file.fileno())
                    temporary.replace(target)
                finally:
                    temporary.unlink(missing_ok=True)
                folders.add(target.parent)
            for folder in folders:
                _sync_folder(folder)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise rejected(path, "clashes with another file of the run") from error
        except OSError as error:
            raise PipelineError(
                errors_pb2.ERROR_REASON_STORAGE_FULL,
                "The run's files cannot be written; free some space on the disk and try again.",
                metadata={"store": "artifacts", "error": os.strerror(error.errno or 0)},
            ) from error

    async def read(self, run_id: str, artifact: common_pb2.Artifact) -> AsyncIterator[bytes]:
        """The file in chunks of 64 KiB, after its digest was checked. Raises ARTIFACT_REJECTED (DATA_LOSS)."""
        # A file object, not its descriptor: one that a cancelled reader never gets is closed when it is dropped, and
        # closing it waits for a read that another thread is in.
        file = await asyncio.to_thread(self._open, run_id, artifact)
        with file:
            while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                yield chunk

    def _open(self, run_id: str, artifact: common_pb2.Artifact) -> BinaryIO:
        """The checked file, at its start. No component of its path may be a link."""
        path = artifact.path
        descriptor = -1
        try:
            descriptor = os.open(self.folder / run_id, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            parts = check_path(path).split("/")
            for number, part in enumerate(parts):
                flags = os.O_RDONLY | os.O_NOFOLLOW | (os.O_DIRECTORY if number < len(parts) - 1 else 0)
                step = os.open(part, flags, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = step
            digest = hashlib.sha256()
            while chunk := os.read(descriptor, 1 << 20):
                digest.update(chunk)
            if digest.hexdigest() != artifact.sha256:
                raise rejected(path, "was changed on the disk: it does not match its sha256")
            os.lseek(descriptor, 0, os.SEEK_SET)
            return os.fdopen(descriptor, "rb")
        except (OSError, ValueError) as error:
            _close(descriptor)
            raise rejected(path, "is lost or cannot be read") from error
        except PipelineError:
            _close(descriptor)
            raise

    async def load(self, run_id: str, artifact: common_pb2.Artifact) -> bytes:
        """The whole file."""
        return b"".join([chunk async for chunk in self.read(run_id, artifact)])


def _close(descriptor: int) -> None:
    if descriptor >= 0:
        with contextlib.suppress(OSError):
            os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
