"""What every command of the command line shares: options, exit codes, and errors in one sentence.

Like `pipeline.cli` it imports typer alone; the rest waits for the command that needs it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.errors import PipelineError

EXIT_FAILED, EXIT_BAD_INPUT, EXIT_PARTIAL, EXIT_UNREACHABLE, EXIT_INTERRUPTED = 1, 2, 3, 4, 130
SERVED_TARGET = "127.0.0.1:50051"
"""Where `pipeline serve` listens."""

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


def run_async(work: Coroutine[Any, Any, int]) -> int:
    import asyncio

    return asyncio.run(work)


@contextlib.contextmanager
def errors(as_json: bool) -> Iterator[None]:
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
        named = next((error.metadata[key] for key in ("run", "batch", "campaign") if key in error.metadata), "")
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
    "platforms": "--platform",
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
