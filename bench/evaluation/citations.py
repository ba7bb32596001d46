"""Do the quotes of report and deck stand in the text that was read, at the places that are stated?"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import re
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from bench.evaluation.batch import IDEAS as RELATED
from bench.evaluation.harness import Finished, download, finish, finish_all, spec
from bench.evaluation.report import Row
from bench.evaluation.resilience import IDEAS
from bench.replay.process import control, replayed
from bench.replay.server import settings
from chassis.channel import open_channel
from pipeline.client import GatewayClient
from pipeline.embedded import EmbeddedOptions, EmbeddedPipeline
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2, evidence_pb2, evidence_pb2_grpc

TITLE = "Citations: quotes of 50 runs against the replayed world, held against the text that each run kept"
RUNS = 50
AT_ONCE = 4
# Pages in one request: what one run reads at most. The replayed pages have one host, and a host is visited slowly.
CHECKED_AT_ONCE = 24
CHECK_SECONDS = 60.0
PHASES = ("validation", "evidence", "pitch")
_SKIPPED = (common_pb2.PHASE_CAMPAIGN, common_pb2.PHASE_MVP)
# What shortens a quote on a slide.
_ELLIPSES = ("…", "...")
_QUOTED = re.compile(r"“(.+?)”(?= —|[.…]?$)", re.DOTALL)

NOTES = (
    "Nine of ten households told us that they waste food every week, and 41 would pay 3 dollars a month.",
    "Most students we asked throw food away on Fridays; 17 of 60 households would pay for recipes.",
)


@dataclass
class Count:
    """Quotes of many runs."""

    report: int = 0
    report_good: int = 0
    deck: int = 0
    deck_good: int = 0
    slides: int = 0
    slides_good: int = 0
    wrong: Counter[str] = field(default_factory=Counter)


def run(data: Path) -> list[Row]:
    """Return the rows; `data` is not needed: the replayed world makes its own."""
    del data
    return asyncio.run(measure(RUNS))


async def measure(number: int) -> list[Row]:
    """Return the rows of so many runs."""
    ideas = list(itertools.islice(dict.fromkeys((*IDEAS, *RELATED, *_varied())), number))
    with replayed(seed=7) as address, tempfile.TemporaryDirectory() as folder:
        control(address, latency=False)
        options = EmbeddedOptions(
            state_dir=Path(folder), phases=PHASES, settings={"embedder": "none", **settings(address)}
        )
        async with EmbeddedPipeline(options) as embedded, GatewayClient(embedded.target) as client:
            runs = await finish_all(client, [spec(idea, skip=_SKIPPED) for idea in ideas], AT_ONCE)
            count = Count()
            for done in runs:
                await _check(client, done, count)
            shared, own = await _two_at_once(client, Path(folder))
            noticed = await _changes(embedded.servers["evidence"].address, address, runs)
    wrong = "; ".join(f"{cause}: {number}" for cause, number in count.wrong.most_common(3))
    return [
        Row(
            "quotes of report.json that stand in the kept text at their offsets",
            count.report_good / max(count.report, 1),
            "= 1",
            holds=0 < count.report == count.report_good,
            note=f"{count.report} quotes of {len(runs)} runs" + (f"; {wrong}" if wrong else ""),
        ),
        Row(
            "quotes of the deck that stand in the kept text",
            count.deck_good / max(count.deck, 1),
            "= 1",
            holds=0 < count.deck == count.deck_good,
            note=f"{count.deck} citations with a quote in the decks of {len(runs)} runs",
        ),
        Row(
            "quotes on the slides that stand in a text which their line cites",
            count.slides_good / max(count.slides, 1),
            "= 1",
            holds=0 < count.slides == count.slides_good,
            note=f"{count.slides} quotes on the slides of {len(runs)} runs",
        ),
        Row(
            "sources that two runs at once with different documents share",
            shared,
            "= 0",
            holds=shared == 0 and min(own) > 0,
            note=f"items that quote the other run's document; their own they quote {own[0]} and {own[1]} times",
        ),
        *noticed,
    ]


async def _changes(evidence: str, address: str, runs: Sequence[Finished]) -> list[Row]:
    """Whether pages that were quoted are known again, and known to be others once they have changed."""
    pages = {
        item.url: evidence_pb2.CheckCitationsRequest.Citation(
            id=item.id,
            url=item.url,
            quote=item.quote,
            content_sha256=item.content_sha256,
            text_origin=item.text_origin,
        )
        for done in runs
        for item in done.report.evidence.items
        if item.url.startswith(f"{address}/page/") and item.text_origin == common_pb2.TEXT_ORIGIN_FETCHED_PAGE
    }
    cited = list(pages.values())
    requests = [
        evidence_pb2.CheckCitationsRequest(citations=cited[first : first + CHECKED_AT_ONCE])
        for first in range(0, len(cited), CHECKED_AT_ONCE)
    ]
    told: list[list[evidence_pb2.CitationState.ValueType]] = []
    fault = ""
    async with open_channel(evidence) as channel:
        stub = evidence_pb2_grpc.EvidenceServiceStub(channel)
        for change_after in (0, 1):  # as they were; then every page that was read once shows another text
            control(address, pages_change_after=change_after)
            try:
                replies = [await stub.CheckCitations(request, timeout=CHECK_SECONDS) for request in requests]
                told.append([citation.state for reply in replies for citation in reply.citations])
            except grpc.aio.AioRpcError as error:
                fault = f"; {error.code().name}: {error.details()}"
                told.append([])
    expected = (
        ("pages that are told to be unchanged", {evidence_pb2.CITATION_STATE_UNCHANGED}),
        (
            "changed pages that are told to have changed",
            {evidence_pb2.CITATION_STATE_CHANGED, evidence_pb2.CITATION_STATE_QUOTE_GONE},
        ),
    )
    checked = len(pages)
    return [
        Row(
            name,
            (good := sum(state in wanted for state in states)) / max(checked, 1),
            "= 1",
            holds=0 < checked == good,
            note=f"{checked} pages, by the hash of their text{fault}",
        )
        for (name, wanted), states in zip(expected, told, strict=True)
    ]


def _varied() -> list[str]:
    places = ("rural towns", "large cities", "university campuses")
    return [f"{idea} in {place}" for place in places for idea in IDEAS]


async def _check(client: GatewayClient, done: Finished, count: Count) -> None:
    """Hold every quote of a run against the text that the run kept of its source."""
    report = json.loads(await _artifact(client, done.name, "report.json"))
    kept: dict[str, str] = {}
    texts: dict[str, str] = {}  # by item
    for item in report.get("evidence", {}).get("items", ()):
        if not item.get("quote"):
            continue
        path = item.get("source_path", "")
        if path and path not in kept:
            kept[path] = (await _artifact(client, done.name, path)).decode()
        text = texts[item["id"]] = kept.get(path, "")
        fault = fault_of(item, text)
        count.report += 1
        count.report_good += not fault
        count.wrong.update([fault] if fault else [])
    for citation in report.get("pitch", {}).get("citations", ()):
        if citation.get("quote") and citation["id"] in texts:
            count.deck += 1
            count.deck_good += stands(citation["quote"], texts[citation["id"]])
    for text, citation_ids in _lines(report.get("pitch", {}).get("slides", ())):
        cited = [texts[key] for key in citation_ids if key in texts]
        for quote in _QUOTED.findall(text) if cited else ():
            count.slides += 1
            good = any(stands(quote, source) for source in cited)
            count.slides_good += good
            count.wrong.update([] if good else [f"on a slide: {quote[:60]}"])


def _lines(slides: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Sequence[str]]]:
    """Every text of the slides with the ids of what it cites; the lists of sources are no lines."""
    for slide in slides:
        if slide.get("type") == "SLIDE_TYPE_SOURCES":
            continue
        for statement in slide.get("statements", ()):
            yield statement["text"], statement.get("citation_ids", ())
        for row in slide.get("table", {}).get("rows", ()):
            for cell in row.get("cells", ()):
                yield cell, row.get("citation_ids", ())


def fault_of(item: Mapping[str, Any], text: str) -> str:
    """What is wrong with an item's quote, "" for nothing."""
    if not item.get("source_path"):
        return "the source's text was not kept"
    if hashlib.sha256(text.encode()).hexdigest() != item.get("content_sha256"):
        return "the kept text has another hash"
    if text[item.get("quote_start", 0) : item.get("quote_end", 0)] != item["quote"]:
        return "the quote is not at its offsets"
    return ""


def stands(quote: str, text: str) -> bool:
    """Whether a quote, perhaps cut at its end, stands in the text; white space and invisible signs do not count."""
    for mark in _ELLIPSES:
        quote = quote.removesuffix(mark)
    wanted = _plain(quote)
    return bool(wanted) and wanted in _plain(text)


def _plain(text: str) -> str:
    return " ".join("".join(ch for ch in text if unicodedata.category(ch) != "Cf").split())


async def _artifact(client: GatewayClient, run_name: str, path: str) -> bytes:
    try:
        return await download(client, run_name, path)
    except PipelineError as error:
        if error.reason != errors_pb2.ERROR_REASON_ARTIFACT_NOT_FOUND:
            raise
        return b""


async def _two_at_once(client: GatewayClient, folder: Path) -> tuple[int, list[int]]:
    """Two runs of one idea at the same time, each with a document of its own.

    Returns the items of either that quote the other's document, and how often each quotes its own.
    """
    specs = []
    for number, text in enumerate(NOTES):
        path = folder / f"notes-{number}.md"
        path.write_text(text)
        specs.append(spec(IDEAS[0], skip=_SKIPPED, documents=[path]))
    runs = await asyncio.gather(*(finish(client, wanted) for wanted in specs))
    quotes = [[item.quote for item in done.report.evidence.items if item.quote] for done in runs]
    own = [sum(quote in text for quote in said) for said, text in zip(quotes, NOTES, strict=True)]
    shared = sum(
        quote in text or text in quote for said, text in zip(quotes, reversed(NOTES), strict=True) for quote in said
    )
    return shared, own
