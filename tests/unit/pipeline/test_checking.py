"""`pipeline check`: a run's citations against the texts that it kept, read from the folder alone."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline import checking
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, evidence_pb2

TEXT = "Before. Households waste a fifth of their food. After."
QUOTE = "Households waste a fifth of their food."


def folder_with(tmp_path: Path, **changed: Any) -> Path:
    """An output folder with one citation."""
    digest = hashlib.sha256(TEXT.encode()).hexdigest()
    item = {
        "id": "ev-1",
        "url": "https://example.org/a",
        "quote": QUOTE,
        "quote_start": 8,
        "quote_end": 8 + len(QUOTE),
        "content_sha256": digest,
        "source_path": f"sources/{digest[:16]}.txt",
        "text_origin": "TEXT_ORIGIN_FETCHED_PAGE",
        **changed,
    }
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / f"{digest[:16]}.txt").write_text(TEXT)
    (tmp_path / "evidence.json").write_text(json.dumps({"items": [item]}))
    return tmp_path


def fault(folder: Path) -> str:
    """What is wrong with the one citation."""
    (kept,) = checking.against_kept(folder, checking.load_items(folder))
    return kept.fault


def test_a_quote_that_stands_in_its_place_holds(tmp_path: Path) -> None:
    """Digest and place agree."""
    assert fault(folder_with(tmp_path)) == ""


def test_a_text_that_was_changed_is_found_by_its_digest(tmp_path: Path) -> None:
    """Even where the quote still stands at its place."""
    folder = folder_with(tmp_path)
    (path,) = (folder / "sources").iterdir()
    path.write_text(TEXT + " And more.")
    assert "not the text that was read" in fault(folder)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"quote_start": 9}, "does not stand at its place"),
        ({"quote": "Households waste nothing."}, "does not stand at its place"),
        ({"source_path": ""}, "not kept"),
        ({"source_path": "sources/none.txt"}, "cannot be read"),
        ({"source_path": "../evidence.json"}, "outside of the folder"),
    ],
)
def test_a_citation_that_does_not_hold_says_why(tmp_path: Path, changed: dict[str, Any], told: str) -> None:
    """Wrong place, other words, no text, a path that leads away."""
    assert told in fault(folder_with(tmp_path, **changed))


@pytest.mark.parametrize("content", [None, "not JSON", "{}", '{"items": 3}', '{"items": [1]}'])
def test_a_folder_that_is_no_runs_is_refused(tmp_path: Path, content: str | None) -> None:
    """One sentence that names the folder."""
    if content is not None:
        (tmp_path / "evidence.json").write_text(content)
    with pytest.raises(PipelineError) as refused:
        checking.load_items(tmp_path)
    assert refused.value.violations[0].field == "folder"
    assert str(tmp_path) in refused.value.violations[0].description


def test_the_server_is_asked_in_bounded_calls(tmp_path: Path) -> None:
    """Every citation once, in order, with its origin; an unknown origin is none."""
    (item,) = checking.load_items(folder_with(tmp_path))
    items = [{**item, "id": f"ev-{n}"} for n in range(checking.PER_CALL + 1)]
    items[-1]["text_origin"] = "TEXT_ORIGIN_OF_THE_FUTURE"
    calls = checking.requests(items)
    assert [len(call.citations) for call in calls] == [checking.PER_CALL, 1]
    assert [c.id for call in calls for c in call.citations] == [item["id"] for item in items]
    assert calls[0].citations[0].text_origin == common_pb2.TEXT_ORIGIN_FETCHED_PAGE
    assert calls[1].citations[0].text_origin == common_pb2.TEXT_ORIGIN_UNSPECIFIED


async def test_offline_no_page_is_read_again(tmp_path: Path) -> None:
    """The server answers for each citation and says why it did not look."""
    items = checking.load_items(folder_with(tmp_path))
    (checked,) = await checking.against_pages(items, {"state_dir": tmp_path / "state"}, offline=True)
    assert checked.state == evidence_pb2.CITATION_STATE_UNREACHABLE
    assert "offline" in checked.detail.lower()
