"""A run's files reach the folder whole or not at all."""

import hashlib
from pathlib import Path

import pytest

from pipeline.client import GatewayClient
from pipeline.errors import PipelineError
from pipeline.output import check_folder, save_run
from pipeline.v1 import common_pb2, errors_pb2


class Shelf(GatewayClient):
    """A client whose gateway holds these files."""

    def __init__(self, files: dict[str, bytes], broken: str = "") -> None:
        super().__init__("unused")
        self._files = files
        self._broken = broken

    async def list_artifacts(self, name: str) -> list[common_pb2.Artifact]:
        """Every file, by path."""
        return [
            common_pb2.Artifact(path=path, name=f"{name}/artifacts/{path}", sha256=hashlib.sha256(content).hexdigest())
            for path, content in self._files.items()
        ]

    async def download_artifact(self, name: str) -> bytes:
        """The content, or the failure that was asked for."""
        path = name.split("/artifacts/")[1]
        if path == self._broken:
            raise PipelineError(errors_pb2.ERROR_REASON_ARTIFACT_REJECTED, f"{name} arrived damaged")
        return self._files[path]


FILES = {"report.json": b"{}", "mvp/app/main.py": b"x = 1\n"}


async def test_every_file_is_written_in_its_place(tmp_path: Path) -> None:
    """Folders are made as needed, also those above the output folder."""
    saved = await save_run(Shelf(FILES), "runs/1", tmp_path / "a" / "out")
    assert {artifact.path: artifact.size_bytes for artifact in saved} == {
        tmp_path / "a/out/report.json": 2,
        tmp_path / "a/out/mvp/app/main.py": 6,
    }
    assert (tmp_path / "a/out/mvp/app/main.py").read_bytes() == b"x = 1\n"


async def test_an_earlier_output_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """No file of the earlier run stays behind, and nothing is left beside the folder."""
    out = tmp_path / "out"
    await save_run(Shelf({"report.json": b"{}", "mvp/old.py": b"old"}), "runs/1", out)
    await save_run(Shelf(FILES), "runs/2", out)
    assert not (out / "mvp/old.py").exists()
    assert list(tmp_path.iterdir()) == [out]


async def test_a_failed_download_changes_nothing(tmp_path: Path) -> None:
    """The earlier output stays whole when a file of the new one is damaged."""
    out = tmp_path / "out"
    await save_run(Shelf(FILES), "runs/1", out)
    with pytest.raises(PipelineError, match="damaged"):
        await save_run(Shelf({"report.json": b"new", "deck.pptx": b""}, broken="deck.pptx"), "runs/2", out)
    assert (out / "report.json").read_bytes() == b"{}"
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("path", ["../evil", "/etc/evil", "a/../../evil", "a\\..\\evil", "", "a\0b"])
async def test_a_hostile_gateway_cannot_write_elsewhere(path: str, tmp_path: Path) -> None:
    """A path that leaves the folder is refused and nothing is written."""
    with pytest.raises(PipelineError) as caught:
        await save_run(Shelf({path: b"evil"}), "runs/1", tmp_path / "out")
    assert caught.value.reason == errors_pb2.ERROR_REASON_ARTIFACT_REJECTED
    assert list(tmp_path.iterdir()) == []


def test_the_current_folder_is_never_replaced(tmp_path: Path) -> None:
    """`--out .` would throw away the founder's own files."""
    with pytest.raises(PipelineError, match="current folder"):
        check_folder(Path.cwd())
    with pytest.raises(PipelineError, match="current folder"):
        check_folder(Path.cwd().parent)
