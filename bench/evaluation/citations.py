"""Do the quotes of report and deck stand in the text that was read, at the places that are stated?"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.evaluation.batch import IDEAS as RELATED
from bench.evaluation.harness import Finished, finish, finish_all, pipeline, spec
from bench.evaluation.resilience import IDEAS
from bench.evaluation.rows import Row
from bench.replay.process import control, replayed
from bench.replay.server import settings
from pipeline.client import GatewayClient
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2

RUNS = 50
AT_ONCE = 4
PHASES = ("validation", "evidence", "pitch")
_SKIPPED = (common_pb2.PHASE_CAMPAIGN, common_pb2.PHASE_MVP)
# What shortens a quote on a slide.
_ELLIPSES = ("…", "...")

NOTES = (
    "Nine of ten households told us that they waste food every week, and 41 would pay 3 dollars a month.",
    "Seven of eight clinics told us that no-shows cost them 900 dollars a week, and 5 would pay for reminders.",
)


@dataclass
class Count:
    """Quotes of many runs."""

    report: int = 0
    report_good: int = 0
    deck: int = 0
    deck_good: int = 0
    wrong: Counter[str] = field(default_factory=Counter)


def run(data: Path) -> list[Row]:
    """Return the rows; `data` is not needed: the replayed world makes its own."""
    del data
    return asyncio.run(_measure())


async def _measure() -> list[Row]:
    ideas = list(itertools.islice(dict.fromkeys((*IDEAS, *RELATED, *_varied())), RUNS))
    with replayed(seed=7) as address, tempfile.TemporaryDirectory() as folder:
        control(address, latency=False)
        async with pipeline(Path(folder), settings(address), PHASES) as client:
            runs = await finish_all(client, [spec(idea, skip=_SKIPPED) for idea in ideas], AT_ONCE)
            count = Count()
            for done in runs:
                await _check(client, done, count)
            shared = await _two_at_once(client, Path(folder))
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
            note=f"{count.deck} citations with a quote on the slides of {len(runs)} runs",
        ),
        Row(
            "sources that two runs at once with different documents share",
            shared,
            "= 0",
            holds=shared == 0,
            note="items of either run that come from the other's document",
        ),
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
    """Whether a quote, perhaps cut at its end and with its white space joined, stands in the text."""
    for mark in _ELLIPSES:
        quote = quote.removesuffix(mark)
    wanted = " ".join(quote.split())
    return bool(wanted) and wanted in " ".join(text.split())


async def _artifact(client: GatewayClient, run_name: str, path: str) -> bytes:
    try:
        return await client.download_artifact(f"{run_name}/artifacts/{path}")
    except PipelineError:
        return b""


async def _two_at_once(client: GatewayClient, folder: Path) -> int:
    """Sources of one run's document that show up in the other's result; both run at the same time on one idea."""
    specs = []
    for number, text in enumerate(NOTES):
        path = folder / f"notes-{number}.md"
        path.write_text(text)
        specs.append(spec(IDEAS[0], skip=_SKIPPED, documents=[path]))
    runs = await asyncio.gather(*(finish(client, wanted) for wanted in specs))
    shared = 0
    for done, other in zip(runs, reversed(NOTES), strict=True):
        own = [item for item in done.report.evidence.items if item.provider == "documents"]
        shared += sum(item.quote in other for item in own)
        shared += sum(other[:60] in item.quote for item in done.report.evidence.items)
    return shared
