"""The founder's own files as a source, private to one run: nothing of them is cached or kept.

They count least of all sources: that a founder wrote something down is no independent evidence for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from chassis.idea import suspicious
from pipeline.errors import FieldViolation, PipelineError
from pipeline.v1 import common_pb2, errors_pb2
from services.evidence.domain.model import Found, Query
from services.evidence.domain.passages import PASSAGES_MAX, PassageIndex
from services.evidence.domain.scoring import query_stems
from services.evidence.domain.words import content_stems, specific
from services.evidence.providers.extract import (
    BYTES_MAX,
    BYTES_MAX_TOGETHER,
    DOCUMENTS_MAX,
    TEXT_CHARS_MAX,
    UnreadableError,
    extract,
)

PROVIDER = "documents"
# Passages of one document that are scored for one claim: embedding is what a run's time goes into.
PASSAGES_PER_QUERY = 6


@dataclass(frozen=True)
class _File:
    name: str
    text: str
    index: PassageIndex
    # True: the file has more than is read of one.
    cut: bool


class DocumentsProvider:
    """The documents of one run. Make one per call with `open_documents`."""

    name = PROVIDER
    offline = True

    def __init__(self, files: Sequence[_File], notices: Sequence[common_pb2.Notice] = ()) -> None:
        self._files = tuple(files)
        # What the reader should know about the files ("holds text addressed to a machine").
        self.notices = tuple(notices)

    def covers(self, query: Query) -> bool:
        return bool(self._files)

    def key(self, query: Query) -> str:
        return f"{query.claim_id}|{query.words}|{query.text}"

    async def search(self, query: Query) -> Sequence[Found]:
        words = query_stems(query.terms) or specific(content_stems(query.text))
        found = []
        for file in self._files:
            best = file.index.best(words, PASSAGES_PER_QUERY)
            if best:
                found.append(_found(file, tuple(span for span, _ in best)))
        return found


async def open_documents(documents: Sequence[common_pb2.Document]) -> DocumentsProvider:
    """Read the files of a request.

    Raises PipelineError: INVALID_FIELD for names and sizes, DOCUMENT_UNREADABLE for the first file that cannot be
    read; each names `documents[i]` and the mend.
    """
    _check(documents)
    files: list[_File] = []
    notices: list[common_pb2.Notice] = []
    for place, document in enumerate(documents):
        try:
            # One after another in a thread: a founder's files are few, and a hostile one holds up only its own run.
            files.append(await asyncio.to_thread(_read, document))
        except UnreadableError as error:
            raise PipelineError(
                errors_pb2.ERROR_REASON_DOCUMENT_UNREADABLE,
                f"{document.name} {error}",
                metadata={"document": document.name[:200]},
                violations=[FieldViolation(f"documents[{place}]", str(error))],
            ) from None
        if files[-1].cut:
            message = f"{document.name} is longer than what is read of one file; its end was left out"
            notices.append(_notice(place, message))
        commands = suspicious.find(files[-1].text)
        if commands:
            message = (
                f"{document.name} holds text that addresses a machine ({commands[0][:80]!r}); it was read as data, "
                "nothing obeyed it"
            )
            notices.append(_notice(place, message))
    return DocumentsProvider(files, notices)


def _notice(place: int, message: str) -> common_pb2.Notice:
    return common_pb2.Notice(subject=f"documents[{place}]", message=message, phase=common_pb2.PHASE_EVIDENCE)


def _read(document: common_pb2.Document) -> _File:
    text = extract(document.name, document.content)
    index = PassageIndex(text)
    cut = len(text) >= TEXT_CHARS_MAX or (len(index.spans) >= PASSAGES_MAX and index.spans[-1][1] < len(text.rstrip()))
    return _File(document.name, text, index, cut)


def _check(documents: Sequence[common_pb2.Document]) -> None:
    if len(documents) > DOCUMENTS_MAX:
        raise PipelineError.invalid("documents", f"has {len(documents)} files; give at most {DOCUMENTS_MAX}")
    wrong: list[FieldViolation] = []
    seen: set[str] = set()
    for place, document in enumerate(documents):
        field = f"documents[{place}]"
        name = document.name
        if not name.strip() or len(name) > 200 or "/" in name or "\\" in name or not name.isprintable():
            wrong.append(FieldViolation(f"{field}.name", "is not a file name; write it without a folder ('notes.md')"))
        elif name in seen:
            wrong.append(FieldViolation(f"{field}.name", f"repeats {name!r}; give each file its own name"))
        seen.add(name)
        if not document.content:
            wrong.append(FieldViolation(f"{field}.content", "is empty; leave the file out or give its content"))
        elif len(document.content) > BYTES_MAX:
            wrong.append(
                FieldViolation(f"{field}.content", f"has {len(document.content):,} bytes; give at most {BYTES_MAX:,}")
            )
    total = sum(len(document.content) for document in documents)
    if total > BYTES_MAX_TOGETHER:
        wrong.append(FieldViolation("documents", f"have {total:,} bytes together; give at most {BYTES_MAX_TOGETHER:,}"))
    if wrong:
        raise PipelineError.invalid_fields(wrong)


def _found(file: _File, spans: tuple[tuple[int, int], ...]) -> Found:
    return Found(
        provider=PROVIDER,
        origin=common_pb2.TEXT_ORIGIN_USER_DOCUMENT,
        url=f"document:{file.name}",
        title=file.name,
        text=file.text,
        source_type=common_pb2.SOURCE_TYPE_USER_DOCUMENT,
        spans=spans,
        why="From a document that the founder gave: the founder's own material, not an independent source.",
    )
