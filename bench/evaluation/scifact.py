"""SciFact as the sections read it: claims, abstracts, and which abstract answers which claim."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import NamedTuple


class Abstract(NamedTuple):
    """One document of the corpus."""

    id: str
    title: str
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        """Title and abstract, as a search would index them."""
        return f"{self.title} {' '.join(self.sentences)}"


class Claim(NamedTuple):
    """A claim, the abstracts its authors cited, and the sentences that decide it: (abstract, label, sentences)."""

    id: str
    text: str
    cited: tuple[str, ...]
    evidence: tuple[tuple[str, str, tuple[int, ...]], ...]


def corpus(data: Path) -> list[Abstract]:
    """Return the 5,183 abstracts in the order of the file."""
    with gzip.open(data / "scifact" / "corpus.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [Abstract(str(row["_id"]), row["title"], tuple(row["sents"])) for row in rows]


def claims(data: Path) -> list[Claim]:
    """Return the 809 training claims in the order of the file."""
    with (data / "scifact" / "claims_train.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [
        Claim(
            str(row["id"]),
            row["claim"],
            tuple(str(doc) for doc in row["cited_doc_ids"]),
            tuple((str(e["doc_id"]), e["label"], tuple(e["sentences"])) for e in row["evidence"]),
        )
        for row in rows
    ]
