"""What each `pipeline campaign` command does, given its options; returns the exit code."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import typer
from rich.table import Table

from pipeline.campaign_view import campaign_view, plan_view, reading_view, requests_view, status_word
from pipeline.cli_base import EXIT_FAILED, console
from pipeline.client import GatewayClient
from pipeline.commands import Connection, print_message
from pipeline.console import dollars
from pipeline.errors import PipelineError
from pipeline.output import inside
from pipeline.v1 import campaign_pb2, common_pb2, errors_pb2
from pipeline.v1.campaign_pb2 import Campaign

MARKER = "plan.json"
"""A folder that holds it is an earlier export's and may be written over."""


async def list_campaigns(connection: Connection, *, limit: int, as_json: bool) -> int:
    """List campaigns, newest first."""
    async with _open(connection) as client:
        reply = await client.list_campaigns(page_size=limit)
    if as_json:
        for found in reply.campaigns:
            print_message(found)
        return 0
    if not reply.campaigns:
        console(False).print('No campaigns yet: pipeline run "..." drafts one.')
        return 0
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("campaign", "status", "visitors", "sign-ups", "spent"):
        table.add_column(heading, no_wrap=True)
    for found in reply.campaigns:
        table.add_row(
            found.name,
            status_word(found),
            f"{sum(c.visitors for c in found.counts):,}",
            f"{sum(c.signups for c in found.counts):,}",
            dollars(found.spent_micros),
        )
    console(False).print(table)
    return 0


async def show(run_name: str, connection: Connection, *, as_json: bool) -> int:
    """The plan, what it can show, what is missing."""
    async with _open(connection) as client:
        campaign = await _find(client, run_name)
    if as_json:
        print_message(campaign)
        return 0
    console(False).print(plan_view(campaign), soft_wrap=True)
    return 0


async def publish(
    run_name: str,
    connection: Connection,
    *,
    dry_run: bool,
    platforms: Sequence[str],
    budget: float | None,
    as_json: bool,
) -> int:
    """Publish, or show what that would send. Exit code 1 where the set-up failed."""
    micros = None if budget is None else _micros(budget)
    async with _open(connection) as client:
        name = await _name(client, run_name)
        campaign = await client.publish_campaign(name, dry_run=dry_run, platforms=platforms, budget_micros=micros)
    if as_json:
        print_message(campaign)
    else:
        screen = console(False)
        screen.print(requests_view(campaign) if dry_run else campaign_view(campaign, whole=True), soft_wrap=True)
    return EXIT_FAILED if campaign.status == campaign_pb2.CAMPAIGN_STATUS_FAILED and not dry_run else 0


async def status(run_name: str, connection: Connection, *, as_json: bool) -> int:
    """Status, counts, spend."""
    async with _open(connection) as client:
        campaign = await _find(client, run_name)
    return _print(campaign, as_json=as_json)


async def pause(run_name: str, connection: Connection, *, as_json: bool) -> int:
    """Hold ads and pages."""
    async with _open(connection) as client:
        campaign = await client.pause_campaign(await _name(client, run_name))
    return _print(campaign, as_json=as_json)


async def resume(run_name: str, connection: Connection, *, as_json: bool) -> int:
    """Let them go on."""
    async with _open(connection) as client:
        campaign = await client.resume_campaign(await _name(client, run_name))
    return _print(campaign, as_json=as_json)


async def read(run_name: str, connection: Connection, *, as_json: bool) -> int:
    """What the counts say now."""
    async with _open(connection) as client:
        reply = await client.read_campaign(await _name(client, run_name))
    if as_json:
        reply.reading.ClearField("artifacts")
        print_message(reply)
        return 0
    _print_reading(reply.campaign, reply.reading)
    return 0


async def stop(run_name: str, connection: Connection, *, yes: bool, as_json: bool) -> int:
    """End it for good, after a word of confirmation."""
    async with _open(connection) as client:
        campaign = await _find(client, run_name)
        if not yes and campaign.status != campaign_pb2.CAMPAIGN_STATUS_COMPLETED:
            question = f"End {campaign.name} for good? Its ads end, its page closes, and it cannot be started again."
            if not typer.confirm(question, err=True):
                typer.echo("pipeline: nothing was changed", err=True)
                return EXIT_FAILED
        reply = await client.complete_campaign(campaign.name)
    if as_json:
        reply.reading.ClearField("artifacts")
        print_message(reply)
        return 0
    _print_reading(reply.campaign, reply.reading)
    return 0


async def export(run_name: str, connection: Connection, *, out: Path, include_signups: bool, as_json: bool) -> int:
    """The campaign's files, into a folder."""
    _check_folder(out)
    async with _open(connection) as client:
        name = await _name(client, run_name)
        artifacts = await client.export_campaign(name, include_signups=include_signups)
    written = _write(out, artifacts)
    if as_json:
        import json

        typer.echo(json.dumps({"campaign": name, "out": str(out), "files": written}))
    else:
        console(False).print(f"{name}: {', '.join(written)} in {out}", soft_wrap=True)
    return 0


@asynccontextmanager
async def _open(connection: Connection) -> AsyncIterator[GatewayClient]:
    """The gateway at the target, or embedded servers over the same stores: they serve no page and start no run."""
    async with connection.open(run_work=False, phases=("campaign",)) as client:
        yield client


async def _find(client: GatewayClient, run_name: str) -> Campaign:
    return await client.get_campaign(await _name(client, run_name))


async def _name(client: GatewayClient, run_name: str) -> str:
    """The campaign's name: of the run given in any of its forms, else of the latest campaign."""
    if run_name:
        base = run_name.removesuffix("/campaign")
        return f"{base if base.startswith('runs/') else f'runs/{base}'}/campaign"
    found = (await client.list_campaigns(page_size=1)).campaigns
    if not found:
        raise PipelineError(
            errors_pb2.ERROR_REASON_CAMPAIGN_NOT_FOUND, 'There is no campaign yet: pipeline run "..." drafts one.'
        )
    return found[0].name


def _print(campaign: Campaign, *, as_json: bool) -> int:
    if as_json:
        print_message(campaign)
    else:
        console(False).print(campaign_view(campaign), soft_wrap=True)
    return 0


def _print_reading(campaign: Campaign, reading: campaign_pb2.CampaignReading) -> None:
    screen = console(False)
    screen.print(campaign_view(campaign), soft_wrap=True)
    screen.print(reading_view(reading), soft_wrap=True)
    run = campaign.name.removesuffix("/campaign")
    screen.print(f"It is part of the run's report: pipeline report {run} --out out", soft_wrap=True)


def _micros(budget: float) -> int:
    if not 0 <= budget <= 1_000_000:  # false for nan too
        raise PipelineError.invalid("budget_micros", f"is {budget!r}; give US dollars from 0 to 1,000,000")
    return round(budget * 1_000_000)


def _check_folder(folder: Path) -> None:
    """Refuse a folder that holds somebody else's files before anything is asked for."""
    if folder.exists() and not folder.is_dir():
        raise PipelineError.invalid("out", f"{folder} is a file; name a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARKER).exists():
        raise PipelineError.invalid("out", f"{folder} holds other files; name a new folder, or an earlier export's")


def _write(folder: Path, artifacts: Sequence[common_pb2.Artifact]) -> list[str]:
    """Each file whole or not at all, readable by its owner alone: some hold people's addresses."""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for artifact in artifacts:
            path = artifact.path.removeprefix("campaign/")
            target = inside(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(artifact.content)
                Path(temporary).replace(target)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
            written.append(path)
    except OSError as error:
        reason = (error.strerror or "cannot be written").lower()
        raise PipelineError.invalid("out", f"{folder} cannot be written ({reason}); name another folder") from error
    return written
