"""With 30 % of the upstream calls failing in every way, does every run end, say what it lacks, and keep its manners?"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from bench.evaluation.harness import Finished, finish_all, pipeline, spec
from bench.evaluation.report import Row
from bench.replay.process import control, replayed, stats
from bench.replay.server import settings
from pipeline.v1 import common_pb2, operations_pb2, pipeline_pb2

TITLE = "Resilience: ten runs while 30 % of the upstream calls fail, and one upstream that only fails"
IDEAS = (
    "A mobile app that helps households waste less food by tracking expiry dates and suggesting recipes",
    "A scheduling tool for small clinics that reduces no-shows with reminders and waitlist filling",
    "A B2B tool that detects fraudulent invoices before finance teams pay them",
    "A marketplace that matches high school students with vetted tutors for online lessons",
    "A drone service that scans farm fields and tells growers where to irrigate",
    "A Python library for developers that checks spreadsheet data before it is imported",
    "A subscription box that sends rare houseplants with a care calendar to flat owners",
    "A platform that helps landlords collect rent and plan repairs with their tenants",
    "A wearable that warns warehouse workers before they lift with a bent back",
    "A service that turns recorded customer interviews into product requirements for startups",
)
SHARE = 0.3
SECONDS_MAX = 120.0  # the gateway's deadline for the evidence phase
AT_ONCE = 5
# chassis.resilience.RetryBudget: each call earns 0.2 of a retry, and ten are in stock.
RETRY_RATIO, RETRY_RESERVE = 0.2, 10


def run(data: Path) -> list[Row]:
    """Return the rows; `data` is not needed: the replayed world makes its own."""
    del data
    return asyncio.run(_measure())


async def _measure() -> list[Row]:
    with replayed(seed=7) as address:
        calm, _ = await _pass(address, IDEAS)
        calls_calm = stats(address)["upstreams"]
        control(address, reset=True, faults=SHARE)
        stormy, _ = await _pass(address, IDEAS)
        told = stats(address)
        # One upstream that only fails, the others well: its breaker has to open.
        dead = max(calls_calm, key=lambda name: (name != "pages", calls_calm[name]))
        control(address, reset=True, faults=0.0, shares={dead: 1.0})
        story, breakers = await _pass(address, IDEAS[:4])
    return [*_endings(stormy, calm), *_manners(stormy, told, calls_calm), *_stories(story, breakers, dead)]


async def _pass(address: str, ideas: tuple[str, ...]) -> tuple[list[Finished], operations_pb2.ListBreakersResponse]:
    """New servers and caches, every idea once."""
    with tempfile.TemporaryDirectory() as folder:
        async with pipeline(Path(folder), settings(address)) as client:
            runs = await finish_all(client, [spec(idea) for idea in ideas], AT_ONCE)
            return runs, await client.list_breakers()


def _endings(stormy: list[Finished], calm: list[Finished]) -> list[Row]:
    usable = (pipeline_pb2.RUN_STATE_SUCCEEDED, pipeline_pb2.RUN_STATE_PARTIAL)
    ended = sum(done.report.run.state in usable and done.seconds <= SECONDS_MAX for done in stormy)
    slowest, slowest_calm = (max(done.seconds for done in runs) for runs in (stormy, calm))
    silent = sum(_untold(done.report) for done in stormy)
    failed = sum(any(p.failures for p in done.report.evidence.providers) for done in stormy)
    return [
        Row(
            "runs that end in time with 30 % of the calls failing",
            ended / len(stormy),
            "= 1",
            holds=ended == len(stormy),
            note=f"{len(stormy)} runs of validation and evidence in {SECONDS_MAX:.0f} s each; {failed} met failures",
        ),
        Row(
            "slowest run",
            slowest,
            f"<= {SECONDS_MAX:.0f}",
            "s",
            slowest <= SECONDS_MAX,
            f"{slowest_calm:.1f} s without faults, {AT_ONCE} runs at a time",
        ),
        Row(
            "failed sources without a typed `missing` entry",
            silent,
            "= 0",
            holds=silent == 0,
            note="a source whose last question failed, in all runs",
        ),
    ]


def _untold(report: pipeline_pb2.Report) -> int:
    """Sources that left a question unanswered and are not in the list of what is missing, with reason and next step."""
    told = {
        entry.subject
        for entry in report.missing
        if entry.kind == common_pb2.MISSING_KIND_SOURCE_FAILED and entry.reason and entry.next_step
    }
    return sum(bool(p.last_error) and p.provider not in told for p in report.evidence.providers)


def _manners(stormy: list[Finished], told: dict[str, Any], calls_calm: dict[str, int]) -> list[Row]:
    attempts: Counter[str] = Counter()
    retries: Counter[str] = Counter()
    for done in stormy:
        attempts.update(done.attempts)
        retries.update(str(a["pipeline.provider"]) for name, a in done.events if name == "retry")
    over = [
        name for name, retried in retries.items() if retried > RETRY_RESERVE + RETRY_RATIO * (attempts[name] - retried)
    ]
    # The server's own count, against what the same questions took in calm weather.
    calls = {name: count for name, count in told["upstreams"].items() if name != "pages"}
    beyond = [n for n, count in calls.items() if count > calls_calm.get(n, 0) * (1 + RETRY_RATIO) + RETRY_RESERVE]
    faults = Counter[str]()
    for kinds in told["faults"].values():
        faults.update(kinds)
    total, quiet = sum(calls.values()), sum(calls_calm.get(name, 0) for name in calls)
    return [
        Row(
            "calls a question, counted at the replay server",
            total / max(quiet, 1),
            f"<= {1 + RETRY_RATIO:g} and {RETRY_RESERVE} an upstream",
            holds=not beyond,
            note=f"{total} calls, {quiet} without faults, {sum(faults.values())} failed in {len(faults)} ways, "
            f"{len(calls)} upstreams" + (f"; beyond: {', '.join(beyond)}" if beyond else ""),
        ),
        Row(
            "upstreams whose retries exceed the budget",
            len(over),
            "= 0",
            holds=not over,
            note=f"{retries.total()} retries told in the traces",
        ),
    ]


def _stories(runs: list[Finished], breakers: operations_pb2.ListBreakersResponse, dead: str) -> list[Row]:
    listed = {b.name: [t.cause for t in b.transitions] for b in breakers.breakers if b.open_count}
    traced: dict[str, list[str]] = {}
    for done in runs:
        for name, a in done.events:
            if name == "breaker.transition":
                traced.setdefault(f"evidence.{a['pipeline.breaker']}", []).append(str(a["pipeline.breaker.cause"]))
    whole = sum(sorted(traced.get(name, [])) == sorted(causes) for name, causes in listed.items())
    opened = f"evidence.{dead}" in listed
    return [
        Row(
            "opened breakers whose story stands in list and traces alike",
            whole / max(len(listed), 1),
            "= 1",
            holds=opened and whole == len(listed),
            note=f"{dead} only failed: {'; '.join(listed.get(f'evidence.{dead}', ['its breaker stayed closed']))}",
        )
    ]
