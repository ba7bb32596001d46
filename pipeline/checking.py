"""Do the citations of a finished run hold? First against the texts that it kept, then against the pages as they are.

Everything is read from the output folder, so that anybody who was handed it can check it without the run's store.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, evidence_pb2

# Citations in one call to the evidence server; its own bound is 200.
PER_CALL = 100

_ORIGINS = dict(common_pb2.TextOrigin.items())


@dataclass(frozen=True)
class Kept:
    """A citation held against the text that the run kept. `fault` is empty where it holds."""

    item: dict[str, Any]
    fault: str


def load_items(folder: Path) -> list[dict[str, Any]]:
    """Return the evidence items of an output folder. Raises PipelineError naming the file that cannot be used."""
    path = folder / "evidence.json"
    try:
        items = json.loads(path.read_text(encoding="utf-8"))["items"]
    except FileNotFoundError:
        raise PipelineError.invalid("folder", f"{folder} has no evidence.json; give a run's output folder") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PipelineError.invalid("folder", f"{path} cannot be read ({type(error).__name__})") from None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise PipelineError.invalid("folder", f"{path} holds no list of items")
    return items


def against_kept(folder: Path, items: Sequence[dict[str, Any]]) -> list[Kept]:
    """Hold each citation against the kept text: is it the text of that digest, does the quote stand at its place?"""
    return [Kept(item, _fault(folder, item)) for item in items]


def _fault(folder: Path, item: dict[str, Any]) -> str:
    name = str(item.get("source_path", ""))
    if not name:
        return "its text was not kept"
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        return "its text would lie outside of the folder"
    try:
        content = path.read_bytes()
    except OSError:
        return f"{name} cannot be read"
    if hashlib.sha256(content).hexdigest() != item.get("content_sha256"):
        return f"{name} is not the text that was read"
    text = content.decode("utf-8", "replace")
    if text[int(item.get("quote_start", 0)) : int(item.get("quote_end", 0))] != item.get("quote"):
        return "the quote does not stand at its place"
    return ""


def requests(items: Sequence[dict[str, Any]]) -> list[evidence_pb2.CheckCitationsRequest]:
    """What the evidence server is asked to read again, in calls of a bounded size."""
    asked = [
        evidence_pb2.CheckCitationsRequest.Citation(
            id=str(item.get("id", "")),
            url=str(item.get("url", "")),
            quote=str(item.get("quote", "")),
            content_sha256=str(item.get("content_sha256", "")),
            text_origin=_ORIGINS.get(str(item.get("text_origin", "")), common_pb2.TEXT_ORIGIN_UNSPECIFIED),
        )
        for item in items
    ]
    return [
        evidence_pb2.CheckCitationsRequest(citations=asked[start : start + PER_CALL])
        for start in range(0, len(asked), PER_CALL)
    ]


async def against_pages(
    items: Sequence[dict[str, Any]], settings: dict[str, Any] | None = None, *, offline: bool = False
) -> list[evidence_pb2.CheckedCitation]:
    """Read the cited pages again through an evidence server of our own. `settings` are its settings by field name."""
    from chassis.channel import open_channel
    from chassis.telemetry import Telemetry
    from pipeline.embedded import EmbeddedOptions, EmbeddedPipeline
    from pipeline.errors import from_rpc_error
    from pipeline.v1 import evidence_pb2_grpc

    options = EmbeddedOptions(
        offline=offline, phases=("evidence",), gateway=False, settings={"embedder": "none", **(settings or {})}
    )
    checked: list[evidence_pb2.CheckedCitation] = []
    async with EmbeddedPipeline(options) as pipeline:
        telemetry = Telemetry.create("check")
        channel = open_channel(pipeline.servers["evidence"].address, telemetry=telemetry)
        try:
            stub = evidence_pb2_grpc.EvidenceServiceStub(channel)
            for request in requests(items):
                checked.extend((await stub.CheckCitations(request, timeout=300)).citations)
        except Exception as error:
            import grpc

            if isinstance(error, grpc.aio.AioRpcError):
                raise from_rpc_error(error) from error
            raise
        finally:
            await channel.close()
            telemetry.shutdown()
    return checked


_STATES = {
    evidence_pb2.CITATION_STATE_UNCHANGED: "unchanged",
    evidence_pb2.CITATION_STATE_CHANGED: "page changed, quote still there",
    evidence_pb2.CITATION_STATE_QUOTE_GONE: "quote gone",
    evidence_pb2.CITATION_STATE_UNREACHABLE: "not read again",
    evidence_pb2.CITATION_STATE_NOT_A_PAGE: "not a page",
}


async def check(folder: Path, *, offline: bool, as_json: bool) -> int:
    """Show the state of every citation of an output folder; 1 where one does not hold, else 0."""
    items = load_items(folder)
    kept = against_kept(folder, items)
    pages = await against_pages(items, offline=offline)
    broken = [entry for entry in kept if entry.fault]
    gone = [entry for entry in pages if entry.state == evidence_pb2.CITATION_STATE_QUOTE_GONE]
    if as_json:
        for entry, page in zip(kept, pages, strict=True):
            state = evidence_pb2.CitationState.Name(page.state).removeprefix("CITATION_STATE_").lower()
            told = {"id": page.id, "url": entry.item.get("url", ""), "kept": entry.fault or "holds"}
            print(json.dumps({**told, "page": state, "detail": page.detail}))  # noqa: T201
    else:
        _show(kept, pages)
    return 1 if broken or gone else 0


def _show(kept: Sequence[Kept], pages: Sequence[evidence_pb2.CheckedCitation]) -> None:
    from rich.console import Console
    from rich.table import Table

    screen = Console(highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("citation", "kept text", "page", "source"):
        table.add_column(heading, overflow="fold")
    for entry, page in zip(kept, pages, strict=True):
        table.add_row(page.id, entry.fault or "holds", _STATES.get(page.state, ""), str(entry.item.get("url", "")))
    screen.print(table)
    holding = sum(not entry.fault for entry in kept)
    screen.print(f"{holding} of {len(kept)} quotes stand in the texts that the run kept.")
    counts = {words: sum(page.state == state for page in pages) for state, words in _STATES.items()}
    screen.print("Pages: " + ", ".join(f"{count} {words}" for words, count in counts.items() if count) + ".")
