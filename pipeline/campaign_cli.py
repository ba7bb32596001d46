"""`pipeline campaign ...`: the live side of a run's smoke test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli_base import AsJson, Offline, StateDir, Target, errors, run_async

if TYPE_CHECKING:
    from pipeline.commands import Connection

campaign = typer.Typer(help="Publish a run's smoke test, watch it, read it by its plan, end it.", no_args_is_help=True)

RunName = Annotated[
    str, typer.Argument(metavar="RUN", help="runs/... as `pipeline runs` lists it; the latest campaign's without.")
]


@campaign.command("list")
def list_campaigns(
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="How many, newest first.")] = 20,
    target: Target = "",
    state_dir: StateDir = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """List campaigns, newest first."""
    from pipeline import campaign_commands as commands

    with errors(as_json):
        code = run_async(commands.list_campaigns(_connection(target, state_dir, offline), limit=limit, as_json=as_json))
    raise typer.Exit(code)


@campaign.command()
def show(
    run_name: RunName = "",
    target: Target = "",
    state_dir: StateDir = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Show the plan, what it can and cannot show, and what is missing before strangers see the page."""
    from pipeline import campaign_commands as commands

    with errors(as_json):
        code = run_async(commands.show(run_name, _connection(target, state_dir, offline), as_json=as_json))
    raise typer.Exit(code)


@campaign.command()
def publish(
    run_name: RunName = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show every request and send none.")] = False,
    platform: Annotated[
        list[str] | None,
        typer.Option("--platform", help="google_ads, meta, posthog, fly or netlify; all that are configured without."),
    ] = None,
    budget: Annotated[
        float | None, typer.Option("--budget", help="Most that all platforms together may spend, US dollars.")
    ] = None,
    target: Target = "",
    state_dir: StateDir = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Put the landing pages online and set the platforms up. Run again, it goes on where it stopped."""
    from pipeline import campaign_commands as commands

    with errors(as_json):
        code = run_async(
            commands.publish(
                run_name,
                _connection(target, state_dir, offline),
                dry_run=dry_run,
                platforms=tuple(platform or ()),
                budget=budget,
                as_json=as_json,
            )
        )
    raise typer.Exit(code)


@campaign.command()
def status(
    run_name: RunName = "",
    target: Target = "",
    state_dir: StateDir = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Show status, visitors, sign-ups and spend as they are stored; asks no platform."""
    from pipeline import campaign_commands as commands

    with errors(as_json):
        code = run_async(commands.status(run_name, _connection(target, state_dir, offline), as_json=as_json))
    raise typer.Exit(code)


@campaign.command()
def read(
    run_name: RunName = "",
    target: Target = "",
    state_dir: StateDir = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Ask the platforms for their spend and read the counts by the plan."""
    from pipeline import campaign_commands as commands

    with errors(as_json):
        code = run_async(commands.read(run_name, _connection(target, state_dir, offline), as_json=as_json))
    raise typer.Exit(code)


@campaign.command()
def pause(
    run_name: RunName = "",
    target: Target = "",
    state_dir: StateDir = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Hold the ads, then the pages; what was counted stays."""
    from pipeline import campaign_commands as commands

    with errors(as_json):
        code = run_async(commands.pause(run_name, _connection(target, state_dir, offline), as_json=as_json))
    raise typer.Exit(code)


@campaign.command()
def resume(
    run_name: RunName = "",
    target: Target = "",
    state_dir: StateDir = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Let pages and ads go on."""
    from pipeline import campaign_commands as commands

    with errors(as_json):
        code = run_async(commands.resume(run_name, _connection(target, state_dir, offline), as_json=as_json))
    raise typer.Exit(code)


@campaign.command()
def stop(
    run_name: RunName = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    target: Target = "",
    state_dir: StateDir = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """End the campaign for good: ads ended, pages closed, a last reading."""
    from pipeline import campaign_commands as commands

    with errors(as_json):
        code = run_async(commands.stop(run_name, _connection(target, state_dir, offline), yes=yes, as_json=as_json))
    raise typer.Exit(code)


@campaign.command()
def export(
    run_name: RunName = "",
    out: Annotated[Path, typer.Option("--out", help="Folder for the files; a new one, or an earlier export's.")] = Path(
        "campaign-export"
    ),
    include_signups: Annotated[
        bool,
        typer.Option("--include-signups", help="Add signups.csv: people's addresses; keep it as such."),
    ] = False,
    target: Target = "",
    state_dir: StateDir = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Write plan, ads, daily counts and the last reading to a folder."""
    from pipeline import campaign_commands as commands

    with errors(as_json):
        code = run_async(
            commands.export(
                run_name,
                _connection(target, state_dir, offline),
                out=out,
                include_signups=include_signups,
                as_json=as_json,
            )
        )
    raise typer.Exit(code)


def _connection(target: str, state_dir: Path | None, offline: bool) -> Connection:
    from pipeline.commands import Connection

    return Connection(target=target, state_dir=state_dir, offline=offline)
