"""The command line. Only typer is imported here: everything else waits for the command that needs it, so that
`pipeline --help` answers in under 0.4 s.

Exit codes: 0 done; 1 the run or a server failed; 2 bad input, with one sentence that names the mend; 3 the run ended
without one of its phases; 4 no server answers; 130 interrupted.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipeline import campaign_cli
from pipeline.cli_base import SERVED_TARGET, AsJson, NoCache, Offline, StateDir, Target, errors, run_async

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

    with errors(as_json):
        code = run_async(
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
    with errors(as_json):
        code = run_async(commands.ideas(file, connection, out=out, budget=budget, no_cache=no_cache, as_json=as_json))
    raise typer.Exit(code)


@app.command()
def serve(
    port: Annotated[
        int, typer.Option("--port", min=1024, max=65000, help="Gateway's gRPC port; the phases take +10 to +14.")
    ] = 50051,
    http_port: Annotated[int, typer.Option("--http-port", min=1024, max=65535, help="Gateway's HTTP port.")] = 8080,
    page_port: Annotated[
        int | None,
        typer.Option("--page-port", min=1024, max=65535, help="Port of landing pages; --http-port + 1 without."),
    ] = None,
    state_dir: StateDir = None,
    offline: Offline = False,
) -> None:
    """Start the six servers on loopback; Ctrl-C drains and stops them."""
    from pipeline.supervisor import Supervisor, check_ports

    def say(text: str) -> None:
        typer.echo(f"pipeline serve: {text}")

    # The last port there is has none behind it.
    pages = page_port if page_port is not None else min(http_port + 1, 65535)
    with errors(False):
        check_ports(port, http_port, pages)
        supervisor = Supervisor(
            say, port=port, http_port=http_port, page_port=pages, state_dir=state_dir, offline=offline
        )
        code = run_async(supervisor.run())
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
    with errors(as_json):
        code = run_async(commands.watch(run_name, connection, after=after, as_json=as_json))
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
    with errors(as_json):
        code = run_async(commands.report(run_name, connection, out=out, as_json=as_json))
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

    with errors(as_json):
        code = run_async(
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

    with errors(as_json):
        code = run_async(checking.check(folder, offline=offline, as_json=as_json))
    raise typer.Exit(code)


@app.command()
def breakers(target: Target = SERVED_TARGET, as_json: AsJson = False) -> None:
    """Show the circuit breakers of served processes, and what happened to them. An embedded run's are in its trace."""
    from pipeline import operations_commands

    with errors(as_json):
        code = run_async(operations_commands.breakers(target, as_json=as_json))
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

    with errors(as_json):
        code = run_async(operations_commands.cache_stats(target, state_dir, as_json=as_json))
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

    with errors(as_json):
        code = run_async(operations_commands.cache_clear(tuple(name or ()), target, state_dir, as_json=as_json))
    raise typer.Exit(code)


app.add_typer(campaign_cli.campaign, name="campaign")


def main() -> None:
    """Entry point of the `pipeline` command."""
    sys.exit(app())


if __name__ == "__main__":
    main()
