"""Files of runs stay in their folder, whole, and as they were."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.artifacts import make_artifact
from gateway.runs.artifacts import ArtifactStore, check_path, check_set
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

REJECTED = errors_pb2.ERROR_REASON_ARTIFACT_REJECTED


@pytest.mark.parametrize(
    "path",
    [
        "", "/etc/passwd", "../x", "a/../../x", "a//b", "./a", "a/.", "a\\b", "C:x", "a\x00b", "nul", "x/aux.txt",
        "a.", " a", "a\u202eb", "x" * 301, "a/" + "y" * 201, "lone\ud800",
    ],
)  # fmt: skip
def test_paths_that_leave_or_deceive_are_refused(path: str) -> None:
    """Only plain relative paths name a file."""
    with pytest.raises(ValueError, match=r"."):
        check_path(path)


@given(st.text(max_size=40))
def test_accepted_paths_stay_inside(path: str) -> None:
    """Whatever is accepted lies below the folder."""
    try:
        check_path(path)
    except ValueError:
        return
    folder = Path("/folder")
    assert folder in (folder / path).parents
    assert ".." not in Path(path).parts


@pytest.mark.parametrize(
    "paths",
    [("a.txt", "A.TXT"), ("a", "a/b"), ("a/b", "a"), ("report.html",), ("Report.JSON",), ("x/../y",)],
)
def test_clashing_sets_are_refused_whole(paths: tuple[str, ...]) -> None:
    """Names that clash somewhere, or that are the gateway's own, refuse the phase's result."""
    with pytest.raises(PipelineError) as caught:
        check_set([make_artifact(path, b"x") for path in paths])
    assert caught.value.reason == REJECTED


def test_wrong_digest_size_and_volume_are_refused() -> None:
    """A file must be what its entry says, and all together at most 16 MiB."""
    forged = make_artifact("a", b"x")
    forged.sha256 = "0" * 64
    sized = make_artifact("a", b"x")
    sized.size_bytes = 2
    big = [make_artifact(f"{number}", bytes(5 * 1024 * 1024)) for number in range(4)]
    for files in ([forged], [sized], big):
        with pytest.raises(PipelineError) as caught:
            check_set(files)
        assert caught.value.reason == REJECTED
    assert caught.value.http_status == 413


async def test_what_is_stored_comes_back_in_chunks(tmp_path: Path) -> None:
    """A file comes back as it was, in chunks of 64 KiB at most; a second attempt replaces it."""
    store = ArtifactStore(tmp_path)
    content = bytes(range(256)) * 1000
    file = make_artifact("mvp/data.bin", content)
    await store.put("run", [make_artifact("mvp/data.bin", b"first attempt"), file])
    chunks = [chunk async for chunk in store.read("run", file)]
    assert b"".join(chunks) == content
    assert max(map(len, chunks)) == 64 * 1024


async def test_changed_lost_and_linked_files_are_data_loss(tmp_path: Path) -> None:
    """A file that was changed, removed or replaced by a link is not handed out."""
    store = ArtifactStore(tmp_path)
    secret = tmp_path / "secret"
    secret.write_bytes(b"x")
    for damage in ("change", "remove", "link", "folder-link"):
        file = make_artifact(f"{damage}/f.txt", b"x")
        await store.put("run", [file])
        path = tmp_path / "run" / damage / "f.txt"
        if damage == "change":
            path.write_bytes(b"y")
        elif damage == "remove":
            path.unlink()
        elif damage == "link":
            path.unlink()
            path.symlink_to(secret)
        else:
            (tmp_path / "elsewhere").mkdir()
            path.rename(tmp_path / "elsewhere" / "f.txt")
            path.parent.rmdir()
            path.parent.symlink_to(tmp_path / "elsewhere")
        with pytest.raises(PipelineError) as caught:
            await store.load("run", file)
        assert caught.value.reason == REJECTED, damage


async def test_write_through_a_link_is_refused(tmp_path: Path) -> None:
    """A folder of the run that became a link to somewhere else takes no file."""
    store = ArtifactStore(tmp_path / "artifacts")
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "artifacts" / "run").mkdir(parents=True)
    (tmp_path / "artifacts" / "run" / "mvp").symlink_to(outside)
    with pytest.raises(PipelineError):
        await store.put("run", [make_artifact("mvp/x.txt", b"x")])
    assert list(outside.iterdir()) == []
