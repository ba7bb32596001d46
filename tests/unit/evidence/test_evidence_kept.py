"""The texts of cited sources are kept, so that a quote can be shown in its place later."""

from __future__ import annotations

import hashlib

from services.evidence.items import item
from services.evidence.kept import KEPT_BYTES_MAX, keep
from tests.support.evidence_kit import NOW, candidate, found


def test_each_source_is_kept_once_and_named_by_its_digest() -> None:
    """Two quotes of one text share a file; each quote stands in it at its offsets, whatever the script."""
    text = "Überall wird Essen weggeworfen 🍞. Nobody likes it."
    one, other = candidate(found(text)), candidate(found(text))
    one.end, other.start = 33, 35
    items = [item(c, "d", NOW) for c in (one, other)]
    files, notices = keep(items, [one, other])
    (file,) = files
    assert not notices
    assert file.path == f"sources/{hashlib.sha256(text.encode()).hexdigest()[:16]}.txt"
    kept = file.content.decode()
    for made in items:
        assert made.source_path == file.path
        assert kept[made.quote_start : made.quote_end] == made.quote


def test_what_is_too_long_together_is_left_out_and_told() -> None:
    """The first are kept, the rest have no path."""
    sources = [candidate(found(letter * (KEPT_BYTES_MAX // 2 + 1))) for letter in "ab"]
    items = [item(c, "d", NOW) for c in sources]
    files, notices = keep(items, sources)
    assert len(files) == 1
    assert [bool(made.source_path) for made in items] == [True, False]
    assert "text of 1 source was not kept" in notices[0].message
