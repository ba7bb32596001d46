"""Runs of the embedded pipeline against the replay server, for the sections that need them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.client import GatewayClient
from pipeline.embedded import EmbeddedOptions, EmbeddedPipeline
from pipeline.errors import PipelineError
from pipeline.options import AsyncPipelineConfig, run_spec
from pipeline.v1 import common_pb2, errors_pb2, pipeline_pb2

# Validation and evidence: what asks the outside world.
ASKING = ("validation", "evidence")
# A measure is not lost because one of its files came late.
DOWNLOADS_MAX = 3
_SKIPPED = (common_pb2.PHASE_PITCH, common_pb2.PHASE_CAMPAIGN, common_pb2.PHASE_MVP)


@dataclass
class Finished:
    """A run that has ended."""

    name: str
    seconds: float
    report: pipeline_pb2.Report
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    # Spans of calls that left, by provider.
    attempts: dict[str, int] = field(default_factory=dict)


@asynccontextmanager
async def pipeline(
    state_dir: Path, settings: Mapping[str, Any], phases: Sequence[str] = ASKING
) -> AsyncIterator[GatewayClient]:
    """An embedded pipeline with these phases. Sentences are compared by words: no model is loaded."""
    options = EmbeddedOptions(state_dir=state_dir, phases=phases, settings={"embedder": "none", **settings})
    async with EmbeddedPipeline(options) as embedded, GatewayClient(embedded.target) as client:
        yield client


def spec(
    idea: str, *, skip: Sequence[common_pb2.Phase.ValueType] = _SKIPPED, documents: Sequence[Path] = ()
) -> pipeline_pb2.RunSpec:
    """What a run is asked to do: by default no more than evidence and a verdict."""
    config = AsyncPipelineConfig(max_concurrent_phases=3)
    made = run_spec(idea, config=config, documents=documents, continue_on_rejection=True)
    del made.skip_phases[:]
    made.skip_phases.extend(skip)
    return made


async def finish(client: GatewayClient, wanted: pipeline_pb2.RunSpec) -> Finished:
    """Take one run to its end and read its trace."""
    begun = time.perf_counter()
    run = await client.create_run(wanted)
    async for _ in client.watch_run(run.name):
        pass
    done = Finished(run.name, time.perf_counter() - begun, await client.get_report(run.name))
    for span in spans(await download(client, run.name, "trace.json")):
        done.events += [(event["name"], attributes(event)) for event in span.get("events", ())]
        if span["name"] == "provider.call":
            name = str(attributes(span).get("pipeline.provider"))
            done.attempts[name] = done.attempts.get(name, 0) + 1
    return done


async def download(client: GatewayClient, run_name: str, path: str) -> bytes:
    """Fetch a run's file, again where a busy machine took too long; raises PipelineError as the client does."""
    for _ in range(DOWNLOADS_MAX - 1):
        try:
            return await client.download_artifact(f"{run_name}/artifacts/{path}")
        except PipelineError as error:
            if error.reason != errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED:
                raise
    return await client.download_artifact(f"{run_name}/artifacts/{path}")


async def finish_all(client: GatewayClient, specs: Sequence[pipeline_pb2.RunSpec], at_once: int) -> list[Finished]:
    """Take many runs to their ends, so many at a time; in the order of the specs."""
    slots = asyncio.Semaphore(at_once)

    async def one(wanted: pipeline_pb2.RunSpec) -> Finished:
        async with slots:
            return await finish(client, wanted)

    return list(await asyncio.gather(*map(one, specs)))


def spans(trace: bytes) -> list[dict[str, Any]]:
    """Every span of a trace.json."""
    return [
        span
        for resource in json.loads(trace)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


def attributes(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes of a span or event by name."""
    return {a["key"]: next(iter(a["value"].values()), None) for a in entry.get("attributes", ())}
