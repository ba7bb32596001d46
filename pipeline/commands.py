"""What each command of the command line does, given its options; returns the exit code."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import json
import os
import signal
from collections.abc import AsyncIterator, Collection, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from google.protobuf import json_format
from google.protobuf.message import Message
from rich.table import Table

from chassis.config import ServerConfig, load
from chassis.logs import configure_logging
from pipeline.cli_base import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_PARTIAL, console
from pipeline.client import TERMINAL_STATES, GatewayClient
from pipeline.console import RunView, summary, verdict_text
from pipeline.embedded import PHASES, EmbeddedOptions, EmbeddedPipeline
from pipeline.errors import PipelineError
from pipeline.options import AsyncPipelineConfig, MVPType, run_spec
from pipeline.output import check_folder, save_run
from pipeline.result import PipelineResult
from pipeline.v1 import common_pb2, pipeline_pb2

BATCH_IDEAS_MAX = 500

CANCELS_AT_ONCE = 16
"""Below what a gateway works on at a time, so that none is refused."""


# Each source's terms say how long its answers serve, a few hours to a week; a founder who comes back tomorrow asks
# nothing twice within them.
CACHE_TTL_SECONDS = 7 * 86_400


@dataclass(frozen=True)
class Connection:
    """Which gateway to talk to."""

    target: str = ""
    offline: bool = False
    state_dir: Path | None = None

    @contextlib.asynccontextmanager
    async def open(self, *, run_work: bool = True, phases: Sequence[str] | None = None) -> AsyncIterator[GatewayClient]:
        """A client of the target, or of embedded servers that live as long as the context.

        `phases`: the phase servers to embed; without, all where there is work to run and none where there is not.
        """
        if self.target:
            async with GatewayClient(self.target) as client:
                await client.list_runs(page_size=1)  # says at once when nobody is there
                yield client
            return
        # What a server logs as a warning (a call refused, say) is the command's own answer here, in one sentence.
        config = load(ServerConfig)
        configure_logging(
            "error" if "log_level" not in config.model_fields_set else config.log_level, config.log_format
        )
        options = EmbeddedOptions(
            state_dir=self.state_dir,
            offline=self.offline,
            phases=phases if phases is not None else PHASES if run_work else (),
            run_work=run_work,
        )
        async with EmbeddedPipeline(options) as embedded, GatewayClient(embedded.target) as client:
            yield client


@dataclass(frozen=True)
class RunOptions:
    """Options of `pipeline run`."""

    out: Path
    name: str
    investor: str
    mvp: str
    budget: float
    ad_budget: float | None
    documents: tuple[Path, ...]
    continue_on_rejection: bool
    no_cache: bool = False


def _config(*, no_cache: bool) -> AsyncPipelineConfig:
    """How the command line runs ideas."""
    return AsyncPipelineConfig(
        max_concurrent_phases=3, enable_aggressive_caching=not no_cache, cache_ttl_seconds=CACHE_TTL_SECONDS
    )


async def run(idea: str, options: RunOptions, connection: Connection, *, as_json: bool) -> int:
    """One idea through every phase, files into the folder."""
    check_folder(options.out)
    config = _config(no_cache=options.no_cache)
    spec = run_spec(
        idea,
        config=config,
        name=options.name,
        target_investor=options.investor,
        generate_mvp=options.mvp != "none",
        mvp_type=MVPType.AUTO if options.mvp == "none" else options.mvp,
        max_total_budget=options.budget,
        ad_budget=options.ad_budget,
        continue_on_rejection=options.continue_on_rejection,
        documents=options.documents,
        offline=connection.offline,
    )
    async with connection.open() as client:
        started = await client.create_run(spec)
        result = await _follow(client, started.name, as_json=as_json, cancel_on_interrupt=True)
        if result is None:
            return EXIT_INTERRUPTED
        await save_run(client, started.name, options.out)
    _show(result, str(options.out), as_json=as_json)
    return _exit_code(result)


async def watch(run_name: str, connection: Connection, *, after: int, as_json: bool) -> int:
    """Follow a run to its end."""
    async with connection.open() as client:
        await client.get_run(run_name)
        result = await _follow(client, run_name, as_json=as_json, after=after)
    if result is None:
        return EXIT_INTERRUPTED
    _show(result, "", as_json=as_json)
    return _exit_code(result)


async def report(run_name: str, connection: Connection, *, out: Path | None, as_json: bool) -> int:
    """Show a finished run, or write its files."""
    if out is not None:
        check_folder(out)
    async with connection.open(run_work=False) as client:
        result = PipelineResult(await client.get_report(run_name))
        if out is not None:
            await save_run(client, run_name, out)
    if as_json:
        typer.echo(json.dumps(result.to_dict(), indent=2, ensure_ascii=False))
    else:
        console(False).print(summary(result, str(out) if out else ""))
    return _exit_code(result)


async def runs(connection: Connection, *, limit: int, as_json: bool) -> int:
    """List runs, newest first."""
    async with connection.open(run_work=False) as client:
        reply = await client.list_runs(page_size=limit)
    if as_json:
        for entry in reply.runs:
            print_message(entry)
        return 0
    if not reply.runs:
        console(False).print('No runs yet: pipeline run "..." starts the first.')
        return 0
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("run", "state", "verdict", "created", "idea"):
        table.add_column(heading, no_wrap=heading != "idea")
    for entry in reply.runs:
        table.add_row(
            entry.name,
            pipeline_pb2.RunState.Name(entry.state).removeprefix("RUN_STATE_").lower(),
            verdict_text(entry.verdict) if entry.verdict.recommendation else "",
            entry.created_at.ToDatetime().strftime("%Y-%m-%d %H:%M"),
            entry.spec.idea.text,
        )
    console(False).print(table)
    return 0


async def ideas(
    file: Path,
    connection: Connection,
    *,
    out: Path | None,
    budget: float | None,
    no_cache: bool = False,
    as_json: bool,
) -> int:
    """Rank many ideas by verdict and measured quality."""
    texts = read_ideas(file)
    config = _config(no_cache=no_cache)
    # Ranking needs verdict and evidence; decks and projects are drafted for the ideas that win.
    skip = [common_pb2.PHASE_PITCH, common_pb2.PHASE_CAMPAIGN, common_pb2.PHASE_MVP]
    specs = []
    for text in texts:
        spec = run_spec(text, config=config, offline=connection.offline)
        del spec.skip_phases[:]
        spec.skip_phases.extend(skip)
        specs.append(spec)
    screen = console(as_json)
    async with connection.open() as client:
        micros = None if budget is None else round(budget * 1e6)
        batch = await client.create_batch(specs, budget_micros=micros)

        name = batch.name

        async def follow() -> None:
            nonlocal batch
            with screen.status(f"{len(specs)} ideas"):
                async for batch in client.watch_batch(name):
                    if as_json:
                        print_message(batch)

        if not await _ended(follow()):
            await _cancel(client, {entry.run for entry in batch.entries})
            console(True).print(f"interrupted; what had not ended of {name} was cancelled")
            return EXIT_INTERRUPTED
    ranked = sorted(batch.entries, key=lambda entry: (entry.rank or len(specs) + 1, entry.index))
    if out is not None:
        _write_ranking(out, ranked)
    if not as_json:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in ("rank", "verdict", "quality", "idea", "why"):
            table.add_column(heading)
        for entry in ranked:
            table.add_row(
                str(entry.rank or "–"),
                verdict_text(entry.verdict),
                f"{entry.overall_quality_score:.2f}" if entry.rank else "",
                entry.idea[:60],
                entry.reason,
            )
        screen.print(table)
    return EXIT_FAILED if any(entry.state == pipeline_pb2.RUN_STATE_FAILED for entry in ranked) else 0


def read_ideas(file: Path) -> list[str]:
    """Ideas of a text file (one a line) or a JSONL file (`idea` field); raises INVALID_FIELD naming the line."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise PipelineError.invalid("FILE", f"{file}: {(error.strerror or 'unreadable').lower()}") from error
    except UnicodeDecodeError as error:
        raise PipelineError.invalid("FILE", f"{file} is not UTF-8; save it as UTF-8") from error
    found: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip().startswith("{"):
            try:
                found.append(str(json.loads(line)["idea"]))
            except (ValueError, KeyError, TypeError) as error:
                raise PipelineError.invalid(
                    "FILE", f"{file} line {number} is not JSON with an `idea`; mend or remove it"
                ) from error
        elif line.strip():
            found.append(line.strip())
    if not 1 <= len(found) <= BATCH_IDEAS_MAX:
        raise PipelineError.invalid("FILE", f"{file} holds {len(found)} ideas; give 1 to {BATCH_IDEAS_MAX}")
    return found


async def _follow(
    client: GatewayClient, run_name: str, *, as_json: bool, after: int = 0, cancel_on_interrupt: bool = False
) -> PipelineResult | None:
    """Show a run until its end; None when the user interrupted."""
    if await _ended(_watch(client, run_name, as_json=as_json, after=after)):
        return PipelineResult(await client.get_report(run_name))
    if cancel_on_interrupt:
        await _cancel(client, [run_name])
        console(True).print(f"interrupted; {run_name} was cancelled")
    else:
        console(True).print(f"stopped watching; `pipeline watch {run_name}` goes on")
    return None


async def _ended(work: Coroutine[Any, Any, None]) -> bool:
    """Do the work; False when Ctrl-C or SIGTERM ended it. A second signal ends the program as usual."""
    interrupted = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted.set)
    working = asyncio.create_task(work)
    waiting = asyncio.create_task(interrupted.wait())
    try:
        await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
    if working.done():
        await working
        return True
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working
    return False


async def _cancel(client: GatewayClient, run_names: Collection[str]) -> None:
    """Cancel runs; those that have ended stay as they are."""
    slots = asyncio.Semaphore(CANCELS_AT_ONCE)

    async def cancel(name: str) -> None:
        async with slots:
            with contextlib.suppress(PipelineError):
                await client.cancel_run(name)

    await asyncio.gather(*map(cancel, run_names))


async def _watch(client: GatewayClient, run_name: str, *, as_json: bool, after: int) -> None:
    with RunView(console(as_json)) as view:
        async for event in client.watch_run(run_name, after):
            if as_json:
                print_message(event)
            else:
                view.show(event)


def _show(result: PipelineResult, folder: str, *, as_json: bool) -> None:
    if as_json:
        line = {
            "run": result.run_name,
            "state": result.status,
            "recommendation": result.recommendation,
            "out": folder,
            "execution_time_seconds": round(result.execution_time_seconds, 3),
            "trace_id": result.trace_id,
        }
        typer.echo(json.dumps(line))
    else:
        console(False).print(summary(result, folder))


def _exit_code(result: PipelineResult) -> int:
    state = result.report.run.state
    assert state in TERMINAL_STATES
    if state == pipeline_pb2.RUN_STATE_SUCCEEDED:
        return 0
    if state == pipeline_pb2.RUN_STATE_PARTIAL:
        return EXIT_PARTIAL
    if state == pipeline_pb2.RUN_STATE_FAILED:
        console(True).print(f"pipeline: {result.report.run.failure.message or 'the run failed'}")
    return EXIT_FAILED


def print_message(message: Message) -> None:
    typer.echo(json_format.MessageToJson(message, preserving_proto_field_name=True, indent=None))


def _write_ranking(path: Path, entries: list[pipeline_pb2.BatchEntry]) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["rank", "recommendation", "score", "quality", "run", "idea", "reason"])
            for entry in entries:
                verdict = verdict_text(entry.verdict).plain.split(" ")[0]
                row = [
                    entry.rank or "",
                    verdict,
                    f"{entry.verdict.score:.2f}" if entry.rank else "",
                    f"{entry.overall_quality_score:.3f}" if entry.rank else "",
                    entry.run,
                    entry.idea,
                    entry.reason,
                ]
                writer.writerow([_cell(value) for value in row])
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise PipelineError.invalid("out", f"{path}: {(error.strerror or 'cannot be written').lower()}") from error


def _cell(value: object) -> str:
    """A CSV cell that no spreadsheet takes for a formula (faults.md row 44)."""
    text = str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
