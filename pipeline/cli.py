"""The command line. Only typer is imported here: everything else waits for the command that needs it, so that
`pipeline --help` answers in under 0.4 s.

Exit codes: 0 done; 1 the run or a server failed; 2 bad input, with one sentence that names the mend; 3 the run ended
without one of its phases; 4 no server answers; 130 interrupted.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Coroutine, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.errors import PipelineError

EXIT_FAILED, EXIT_BAD_INPUT, EXIT_PARTIAL, EXIT_UNREACHABLE, EXIT_INTERRUPTED = 1, 2, 3, 4, 130
SERVED_TARGET = "127.0.0.1:50051"
"""Where `pipeline serve` listens."""

app = typer.Typer(
    name="pipeline",
    help="One startup idea in; a verdict, cited evidence, a deck, a smoke test and a tested MVP out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class Investor(StrEnum):
    """Choices of --investor; `pipeline.options.InvestorType` without its imports."""

    ANGEL = "angel"
    SEED = "seed"
    SERIES_A = "series_a"
    GROWTH = "growth"
    STRATEGIC = "strategic"


class Mvp(StrEnum):
    """Choices of --mvp."""

    AUTO = "auto"
    LANDING_PAGE = "landing_page"
    WEB_APP = "web_app"
    API_SERVICE = "api_service"
    PWA = "pwa"
    NONE = "none"


Target = Annotated[
    str,
    typer.Option("--target", envvar="PIPELINE_TARGET", help="Gateway to call (host:port); embedded without."),
]
Offline = Annotated[
    bool, typer.Option("--offline", envvar="PIPELINE_OFFLINE", help="Open no outside connection, ask no DNS.")
]
StateDir = Annotated[
    Path | None, typer.Option("--state-dir", envvar="PIPELINE_STATE_DIR", help="Where runs are stored.")
]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Ask every source anew; keep none of the answers.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON lines on standard output, for machines.")]


@app.command()
def run(
    idea: Annotated[str, typer.Argument(help="The idea: 10 to 5,000 characters.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the output; an earlier run's is replaced.")] = Path(
        "out"
    ),
    name: Annotated[str, typer.Option("--name", help="Working title.")] = "",
    investor: Annotated[Investor, typer.Option("--investor", help="Whom the deck is for.")] = Investor.SEED,
    mvp: Annotated[Mvp, typer.Option("--mvp", help="What to build.")] = Mvp.AUTO,
    budget: Annotated[float, typer.Option("--budget", help="Cap on what the run spends, US dollars.")] = 60.0,
    ad_budget: Annotated[
        float | None,
        typer.Option("--ad-budget", help="Part of it to plan the smoke test with; $25 by default."),
    ] = None,
    document: Annotated[
        list[Path] | None, typer.Option("--document", help="A file of yours as a source; may be repeated.")
    ] = None,
    continue_on_rejection: Annotated[
        bool, typer.Option("--continue-on-rejection", help="Draft everything even when the verdict is NO-GO.")
    ] = False,
    no_cache: NoCache = False,
    offline: Offline = False,
    target: Target = "",
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> None:
    """Take one idea through every phase and write the result to a folder."""
    from pipeline import commands

    with _errors(as_json):
        code = _run_async(
            commands.run(
                idea,
                commands.RunOptions(
                    out=out,
                    name=name,
                    investor=investor.value,
                    mvp=mvp.value,
                    budget=budget,
                    ad_budget=ad_budget,
                    documents=tuple(document or ()),
                    continue_on_rejection=continue_on_rejection,
                    no_cache=no_cache,
                ),
                commands.Connection(target=target, offline=offline, state_dir=state_dir),
                as_json=as_json,
            )
        )
    raise typer.Exit(code)


@app.command()
def ideas(
    file: Annotated[Path, typer.Argument(help="One idea a line, or JSONL with an `idea` field each.")],
    out: Annotated[Path | None, typer.Option("--out", help="CSV file for the ranking.")] = None,
    budget: Annotated[float | None, typer.Option("--budget", help="Cap over all runs, US dollars.")] = None,
    no_cache: NoCache = False,
    offline: Offline = False,
    target: Target = "",
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> None:
    """Take many ideas through validation and evidence, and rank them."""
    from pipeline import commands

    connection = commands.Connection(target=target, offline=offline, state_dir=state_dir)
    with _errors(as_json):
        code = _run_async(commands.ideas(file, connection, out=out, budget=budget, no_cache=no_cache, as_json=as_json))
    raise typer.Exit(code)


@app.command()
def serve(
    port: Annotated[
        int, typer.Option("--port", min=1024, max=65000, help="Gateway's gRPC port; the phases take +10 to +14.")
    ] = 50051,
    http_port: Annotated[int, typer.Option("--http-port", min=1024, max=65535, help="Gateway's HTTP port.")] = 8080,
    state_dir: StateDir = None,
    offline: Offline = False,
) -> None:
    """Start the six servers on loopback; Ctrl-C drains and stops them."""
    from pipeline.supervisor import Supervisor, check_ports

    def say(text: str) -> None:
        typer.echo(f"pipeline serve: {text}")

    with _errors(False):
        check_ports(port, http_port)
        supervisor = Supervisor(say, port=port, http_port=http_port, state_dir=state_dir, offline=offline)
        code = _run_async(supervisor.run())
    raise typer.Exit(code)


@app.command()
def watch(
    run_name: Annotated[str, typer.Argument(metavar="RUN", help="runs/... as `pipeline run` printed it.")],
    after: Annotated[int, typer.Option("--after", min=0, help="Leave out events up to this number.")] = 0,
    target: Target = "",
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> None:
    """Follow a run to its end; an interrupted embedded run is taken up again."""
    from pipeline import commands

    connection = commands.Connection(target=target, state_dir=state_dir)
    with _errors(as_json):
        code = _run_async(commands.watch(run_name, connection, after=after, as_json=as_json))
    raise typer.Exit(code)


@app.command()
def report(
    run_name: Annotated[str, typer.Argument(metavar="RUN", help="runs/... as `pipeline runs` lists it.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write every file to.")] = None,
    target: Target = "",
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> None:
    """Show a finished run's result, or write its files to a folder."""
    from pipeline import commands

    connection = commands.Connection(target=target, state_dir=state_dir)
    with _errors(as_json):
        code = _run_async(commands.report(run_name, connection, out=out, as_json=as_json))
    raise typer.Exit(code)


@app.command()
def runs(
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="How many, newest first.")] = 20,
    target: Target = "",
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> None:
    """List runs, newest first."""
    from pipeline import commands

    with _errors(as_json):
        code = _run_async(
            commands.runs(commands.Connection(target=target, state_dir=state_dir), limit=limit, as_json=as_json)
        )
    raise typer.Exit(code)


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="Output folder of a run.")] = Path("out"),
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Hold every citation of a run against the texts it kept and against the pages as they are now."""
    from pipeline import checking

    with _errors(as_json):
        code = _run_async(checking.check(folder, offline=offline, as_json=as_json))
    raise typer.Exit(code)


@app.command()
def breakers(target: Target = SERVED_TARGET, as_json: AsJson = False) -> None:
    """Show the circuit breakers of served processes, and what happened to them. An embedded run's are in its trace."""
    from pipeline import operations_commands

    with _errors(as_json):
        code = _run_async(operations_commands.breakers(target, as_json=as_json))
    raise typer.Exit(code)


cache = typer.Typer(help="Look into the caches of answers, or clear them.", no_args_is_help=True)
app.add_typer(cache, name="cache")

CacheTarget = Annotated[
    str, typer.Option("--target", envvar="PIPELINE_TARGET", help="Gateway to ask (host:port); the disk without.")
]


@cache.command("stats")
def cache_stats(target: CacheTarget = "", state_dir: StateDir = None, as_json: AsJson = False) -> None:
    """Show what is kept: on disk, or in served processes."""
    from pipeline import operations_commands

    with _errors(as_json):
        code = _run_async(operations_commands.cache_stats(target, state_dir, as_json=as_json))
    raise typer.Exit(code)


@cache.command("clear")
def cache_clear(
    name: Annotated[list[str] | None, typer.Argument(help="Names as `cache stats` shows them; all without.")] = None,
    target: CacheTarget = "",
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> None:
    """Forget cached answers: on disk, or in served processes (their memory included)."""
    from pipeline import operations_commands

    with _errors(as_json):
        code = _run_async(operations_commands.cache_clear(tuple(name or ()), target, state_dir, as_json=as_json))
    raise typer.Exit(code)


def _run_async(work: Coroutine[Any, Any, int]) -> int:
    import asyncio

    return asyncio.run(work)


@contextlib.contextmanager
def _errors(as_json: bool) -> Iterator[None]:
    """Turn errors into one sentence and an exit code; nothing else of ours prints a stack."""
    from chassis.config import ConfigError
    from pipeline.errors import PipelineError

    try:
        yield
    except PipelineError as error:
        _fail(error, as_json)
    except ConfigError as error:
        typer.echo(f"pipeline: {error}", err=True)
        raise typer.Exit(EXIT_BAD_INPUT) from error
    except KeyboardInterrupt:
        typer.echo("pipeline: interrupted", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None


def _fail(error: PipelineError, as_json: bool) -> NoReturn:
    import grpc

    if as_json:
        import json

        typer.echo(json.dumps(error.to_json()))
    if error.violations:
        sentence = "; ".join(f"{_option(violation.field)} {violation.description}" for violation in error.violations)
    else:
        named = error.metadata.get("run") or error.metadata.get("batch") or ""
        sentence = f"{named}: {error.message}" if named and named not in error.message else error.message
    typer.echo(f"pipeline: {sentence}", err=True)
    bad_input = (
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.FAILED_PRECONDITION,
    )
    if error.code in bad_input:
        raise typer.Exit(EXIT_BAD_INPUT)
    if error.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
        raise typer.Exit(EXIT_UNREACHABLE)
    raise typer.Exit(EXIT_FAILED)


OPTION_NAMES = {
    "spec.idea.text": "the idea",
    "startup_idea": "the idea",
    "spec.idea.name": "--name",
    "max_total_budget": "--budget",
    "spec.budget_micros": "--budget",
    "budget_micros": "--budget",
    "ad_budget": "--ad-budget",
    "spec.ad_budget_micros": "--ad-budget",
    "out": "--out",
    "folder": "the folder",
    "port": "port",
}


def _option(field: str) -> str:
    """The command line's name of a field."""
    for prefix in ("spec.documents", "documents"):
        if field.startswith(prefix):
            return "--document"
    return OPTION_NAMES.get(field, field)


def console(as_json: bool) -> Console:
    """Where people read: standard output, or standard error when that is for machines."""
    from rich.console import Console

    return Console(stderr=as_json, highlight=False)


def main() -> None:
    """Entry point of the `pipeline` command."""
    sys.exit(app())


if __name__ == "__main__":
    main()
