"""One idea and five ideas, async against the synchronous fallback, alternating in one run.

Both call the same servers over the same replayed Hacker News on loopback (`bench.replay`). Each measurement starts with
new servers, stores and caches; starting them, and one run of an unrelated idea that loads the models, are not on the
clock. Only ratios mean something on a shared machine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path

from bench.memory import idle_memory
from bench.replay.process import replayed, stats
from bench.replay.server import settings
from pipeline.main_pipeline import MainPipeline
from pipeline.main_pipeline_async import AsyncMainPipeline, AsyncPipelineConfig
from pipeline.result import PipelineResult
from pipeline.v1 import common_pb2

IDEAS = (
    "A mobile app that helps households in {place} waste less food by tracking expiry dates and suggesting recipes",
    "A scheduling tool for small clinics in {place} that reduces no-shows with reminders and waitlist filling",
    "A B2B tool that detects fraudulent invoices before finance teams in {place} pay them",
    "A marketplace that matches high school students in {place} with vetted tutors for online lessons",
    "A drone service that scans farm fields around {place} and tells growers where to irrigate",
)
WARM_UP = "A subscription box that sends rare houseplants with a care calendar to flat owners"
PLACES = ("Lisbon", "Oslo", "Nairobi", "Denver", "Kyoto", "Lima", "Perth", "Turin", "Ghent", "Quito")


def calls(address: str) -> int:
    """Calls that the replay server has counted."""
    return int(stats(address)["calls"])


def phase_seconds(result: PipelineResult) -> dict[str, float]:
    """Duration of each phase of a run."""
    return {
        common_pb2.Phase.Name(timing.phase).removeprefix("PHASE_").lower(): timing.duration.ToNanoseconds() / 1e9
        for timing in result.report.metrics.timings
    }


def plan_bound(phases: dict[str, float]) -> tuple[float, float]:
    """Sum of the phases one after another, and the plan's critical path over the same durations."""
    seconds = {name: phases.get(name, 0.0) for name in ("validation", "evidence", "pitch", "campaign", "mvp")}
    drafts = max(seconds["validation"], seconds["evidence"]) + max(seconds["pitch"], seconds["campaign"])
    return sum(seconds.values()), max(drafts, seconds["validation"] + seconds["mvp"])


class Side:
    """What one implementation measured for one size."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.seconds: list[float] = []
        self.calls: list[int] = []
        self.results: list[PipelineResult] = []

    def add(self, seconds: float, outside: int, results: list[PipelineResult]) -> None:
        """Book one repetition."""
        self.seconds.append(seconds)
        self.calls.append(outside)
        self.results += results


def measure(repetitions: int, seed: int) -> dict[tuple[str, int], Side]:
    """Alternate the two implementations over one and five ideas."""
    sides = {(kind, size): Side(size) for kind in ("sync", "async") for size in (1, 5)}
    with replayed(seed) as address:
        where: dict[str, object] = settings(address, ["hackernews"])
        for repetition in range(repetitions):
            for size in (1, 5):
                ideas = [text.format(place=PLACES[repetition % len(PLACES)]) for text in IDEAS[:size]]
                with tempfile.TemporaryDirectory() as folder:
                    sides["sync", size].add(*_sync(ideas, address, Path(folder) / "sync", where))
                    sides["async", size].add(*_async(ideas, address, Path(folder) / "async", where))
    return sides


Measured = tuple[float, int, list[PipelineResult]]


def _sync(ideas: list[str], address: str, folder: Path, where: dict[str, object]) -> Measured:
    """One after another, blocking."""
    with MainPipeline(state_dir=folder, offline=False, settings=where) as pipeline:
        pipeline.execute_full_pipeline(WARM_UP)
        before, start = calls(address), time.perf_counter()
        results = [pipeline.execute_full_pipeline(idea) for idea in ideas]
        return time.perf_counter() - start, calls(address) - before, results


def _async(ideas: list[str], address: str, folder: Path, where: dict[str, object]) -> Measured:
    """All at once."""

    async def work() -> Measured:
        config = AsyncPipelineConfig(max_concurrent_phases=3)
        async with AsyncMainPipeline(config, state_dir=folder, offline=False, settings=where) as pipeline:
            await pipeline.execute_full_pipeline(WARM_UP)
            before, start = calls(address), time.perf_counter()
            results = list(await asyncio.gather(*(pipeline.execute_full_pipeline(idea) for idea in ideas)))
            return time.perf_counter() - start, calls(address) - before, results

    return asyncio.run(work())


def show(sides: dict[tuple[str, int], Side], repetitions: int) -> None:
    """Print what was measured."""
    print(f"{os.cpu_count()} cores, {repetitions} repetitions, medians; upstream latency 50-300 ms log-normal")
    for size in (1, 5):
        sync, eager = sides["sync", size], sides["async", size]
        ratios = [a / b for a, b in zip(sync.seconds, eager.seconds, strict=True)]
        print(f"\n{size} idea{'s' if size > 1 else ''}")
        for name, side in (("sync", sync), ("async", eager)):
            print(
                f"  {name:6} {statistics.median(side.seconds):7.2f} s"
                f"  ({min(side.seconds):.2f} to {max(side.seconds):.2f})"
                f"   outside calls {statistics.median(side.calls):.0f}"
            )
        print(f"  ratio  {statistics.median(ratios):7.2f} x  ({min(ratios):.2f} to {max(ratios):.2f})")
    one_by_one, critical = zip(*(plan_bound(phase_seconds(run)) for run in sides["sync", 1].results), strict=True)
    print("\nthe plan's bound for one idea, from the phases' durations in the sync runs")
    print(
        f"  one after another {statistics.median(one_by_one):.2f} s, critical path {statistics.median(critical):.2f} s"
    )
    print(f"  at most {statistics.median(one_by_one) / statistics.median(critical):.2f} x from parallel phases alone")
    for name, side in (("sync", sides["sync", 1]), ("async", sides["async", 1])):
        phases = phase_seconds(side.results[-1])
        print(f"  last {name:5} run: " + ", ".join(f"{phase} {seconds:.2f} s" for phase, seconds in phases.items()))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    show(measure(arguments.repetitions, arguments.seed), arguments.repetitions)
    print("\nmemory of the six idle processes (proportional set size)")
    memory = idle_memory()
    for name, mebibytes in memory.items():
        print(f"  {name:10} {mebibytes:7.0f} MiB")
    print(f"  {'together':10} {sum(memory.values()):7.0f} MiB")


if __name__ == "__main__":
    main()
