"""Files that commands read and write."""

import csv
from pathlib import Path

import pytest

from pipeline.commands import _write_ranking, read_ideas
from pipeline.errors import PipelineError
from pipeline.v1 import pipeline_pb2


def test_ideas_come_one_a_line_or_as_jsonl(tmp_path: Path) -> None:
    """Blank lines are skipped; a line with braces is JSON with an `idea`."""
    file = tmp_path / "ideas.txt"
    file.write_text('First idea of all\n\n  Second idea  \n{"idea": "Third idea", "slug": "x"}\n')
    assert read_ideas(file) == ["First idea of all", "Second idea", "Third idea"]


@pytest.mark.parametrize(
    ("content", "mend"),
    [(b"", "1 to 500"), (b'ok\n{"name": 1}\n', "line 2"), (b"\xff\xfe\x00", "UTF-8"), (b"x\n" * 501, "1 to 500")],
)
def test_a_file_that_cannot_be_used_says_where_and_why(content: bytes, mend: str, tmp_path: Path) -> None:
    """Empty, broken, not UTF-8, too many."""
    file = tmp_path / "ideas.txt"
    file.write_bytes(content)
    with pytest.raises(PipelineError, match=mend):
        read_ideas(file)


def test_a_ranking_holds_no_formula(tmp_path: Path) -> None:
    """A cell that starts like a formula is neutralised, and reads back as text."""
    path = tmp_path / "ranking.csv"
    _write_ranking(path, [pipeline_pb2.BatchEntry(rank=1, idea="=HYPERLINK(1)", reason="@x", run="runs/1")])
    (row,) = csv.DictReader(path.open())
    assert (row["idea"], row["reason"], row["run"]) == ("'=HYPERLINK(1)", "'@x", "runs/1")


def test_an_unwritable_ranking_leaves_nothing(tmp_path: Path) -> None:
    """A folder in the file's place: a refusal, and no temporary file stays."""
    (tmp_path / "ranking.csv").mkdir()
    with pytest.raises(PipelineError):
        _write_ranking(tmp_path / "ranking.csv", [])
    assert [path.name for path in tmp_path.iterdir()] == ["ranking.csv"]
