"""Writes a finished run to a folder, whole or not at all."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pipeline.client import GatewayClient
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

MARKER = "report.json"
"""A folder that holds it is an earlier run's output and may be replaced."""

PARALLEL_DOWNLOADS = 8


@dataclass(frozen=True)
class SavedArtifact:
    """A file written to disk."""

    path: Path
    size_bytes: int


def check_folder(folder: Path) -> None:
    """Refuse, before any work is done, a folder that cannot take the output; nothing stays behind."""
    if folder.resolve() in (Path.cwd(), *Path.cwd().parents):
        raise _refuse(folder, "is the current folder or one above it; name a folder inside it")
    if folder.exists() and not folder.is_dir():
        raise _refuse(folder, "is a file; name a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARKER).exists():
        raise _refuse(folder, "holds other files; name a new folder, or one with an earlier run's output")
    parent = folder.resolve().parent
    existing = next(candidate for candidate in (parent, *parent.parents) if candidate.exists())
    try:
        with tempfile.TemporaryDirectory(prefix=".pipeline-", dir=existing):
            pass
        if folder.is_dir():
            with tempfile.TemporaryFile(dir=folder):
                pass
    except OSError as error:
        reason = (error.strerror or "cannot be written").lower()
        raise _refuse(folder, f"cannot be written ({reason}); name another folder") from error


async def save_run(client: GatewayClient, run_name: str, folder: Path) -> list[SavedArtifact]:
    """Download every artifact into `folder`, replacing an earlier run's output there in one step."""
    folder, staging = await asyncio.to_thread(_stage, folder)
    try:
        saved = await _download(client, run_name, staging, folder)
        await asyncio.to_thread(_swap, staging, folder)
        return saved
    except OSError as error:
        reason = (error.strerror or "cannot be written").lower()
        raise _refuse(folder, f"cannot be written ({reason}); name another folder") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _stage(folder: Path) -> tuple[Path, Path]:
    """The folder's real path, and an empty folder beside it on the same file system."""
    check_folder(folder)
    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    return folder, Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))


async def _download(client: GatewayClient, run_name: str, staging: Path, folder: Path) -> list[SavedArtifact]:
    slots = asyncio.Semaphore(PARALLEL_DOWNLOADS)

    async def fetch(path: str, name: str) -> SavedArtifact:
        target = inside(staging, path)
        async with slots:
            content = await client.download_artifact(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return SavedArtifact(folder / path, len(content))

    artifacts = await client.list_artifacts(run_name)
    return list(await asyncio.gather(*(fetch(artifact.path, artifact.name) for artifact in artifacts)))


def inside(folder: Path, path: str) -> Path:
    """The place of an artifact; a server, even a hostile one, cannot write outside the folder."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path or "\0" in path:
        raise PipelineError(
            errors_pb2.ERROR_REASON_ARTIFACT_REJECTED,
            f"artifact path {path[:80]!r} leaves the output folder",
            metadata={"artifact": path[:80]},
        )
    return folder.joinpath(*parts)


def _swap(staging: Path, folder: Path) -> None:
    mask = os.umask(0)
    os.umask(mask)
    staging.chmod(0o777 & ~mask)
    if not folder.exists():
        staging.rename(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
    folder.rename(old / "output")
    try:
        staging.rename(folder)
    except OSError:
        (old / "output").rename(folder)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _refuse(folder: Path, mend: str) -> PipelineError:
    return PipelineError.invalid("out", f"{folder} {mend}")
