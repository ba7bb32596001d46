"""The operator's commands: `pipeline breakers`, `pipeline cache stats`, `pipeline cache clear`."""

from __future__ import annotations

import json
from pathlib import Path

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from chassis.cache_file import FILE_NAME, CacheFile
from chassis.config import ServerConfig, load
from pipeline.cli_base import console
from pipeline.client import GatewayClient
from pipeline.commands import print_message
from pipeline.v1 import operations_pb2

STATE_STYLES = {"closed": "green", "open": "bold red", "half_open": "yellow"}


async def breakers(target: str, *, as_json: bool) -> int:
    """Show the circuit breakers of served processes and the story of each."""
    async with GatewayClient(target) as client:
        reply = await client.list_breakers()
    if as_json:
        print_message(reply)
        return 0
    screen = console(False)
    screen.print(breakers_view(reply))
    return 0


def breakers_view(reply: operations_pb2.ListBreakersResponse) -> RenderableType:
    """A line per breaker, and below them what happened to those that something happened to, with times in UTC."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("breaker", "state", "failures", "opened", "retry after"):
        table.add_column(heading)
    parts: list[RenderableType] = [table]
    for breaker in reply.breakers:
        wait = breaker.retry_after.ToNanoseconds() / 1e9
        table.add_row(
            breaker.name,
            _state(breaker.state),
            str(breaker.failure_count),
            str(breaker.open_count),
            f"{wait:.0f} s" if wait else "",
        )
        if breaker.transitions:
            parts += [Text(), Text(breaker.name, style="bold"), _story(breaker)]
    parts += [Text(f"{server} did not answer") for server in reply.unreachable_servers]
    return Group(*parts)


def _story(breaker: operations_pb2.Breaker) -> Table:
    table = Table.grid(padding=(0, 2))
    for transition in breaker.transitions:
        rest = transition.rest.ToNanoseconds() / 1e9
        table.add_row(
            "  " + transition.at.ToDatetime().strftime("%H:%M:%S"),
            Text.assemble(_state(getattr(transition, "from")), " → ", _state(transition.to)),
            transition.cause + (f"; rests {rest:.1f} s" if rest else ""),
        )
    return table


def _state(state: operations_pb2.BreakerState.ValueType) -> Text:
    name = operations_pb2.BreakerState.Name(state).removeprefix("BREAKER_STATE_").lower()
    return Text(name.replace("_", "-"), style=STATE_STYLES.get(name, ""))


async def cache_stats(target: str, state_dir: Path | None, *, as_json: bool) -> int:
    """Show what served processes keep, or without a target what is on disk."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    if target:
        async with GatewayClient(target) as client:
            reply = await client.server_info()
        if as_json:
            print_message(reply)
            return 0
        for heading in ("cache", "in memory", "hits", "misses", "joined", "on disk", "size"):
            table.add_column(heading, justify="left" if heading == "cache" else "right", no_wrap=True)
        for server in reply.servers:
            for kept in server.caches:
                counts = (kept.entries, kept.hits, kept.misses, kept.coalesced, kept.stored_entries)
                cells = (f"{count:,}" for count in counts)
                table.add_row(f"{server.server}.{kept.name}", *cells, size_text(kept.stored_bytes))
        console(False).print(table)
        for name in reply.unreachable_servers:
            console(False).print(f"{name} did not answer")
        return 0
    file = _on_disk(state_dir)
    totals = await file.totals() if file.path.exists() else {}
    await file.close()
    if as_json:
        caches = {name: {"entries": t.entries, "bytes": t.size_bytes} for name, t in sorted(totals.items())}
        typer.echo(json.dumps({"path": str(file.path), "caches": caches}))
        return 0
    if not totals:
        console(False).print(f"Nothing is kept in {file.path}.", soft_wrap=True)
        return 0
    for heading in ("cache", "entries", "size"):
        table.add_column(heading, justify="left" if heading == "cache" else "right")
    for name, total in sorted(totals.items()):
        table.add_row(name, f"{total.entries:,}", size_text(total.size_bytes))
    console(False).print(table)
    console(False).print(f"{file.path}", style="dim", soft_wrap=True)
    return 0


async def cache_clear(names: tuple[str, ...], target: str, state_dir: Path | None, *, as_json: bool) -> int:
    """Forget what served processes keep, or without a target what is on disk."""
    unreachable: list[str] = []
    if target:
        async with GatewayClient(target) as client:
            reply = await client.clear_caches(names)
        forgotten, unreachable = dict(reply.entries), list(reply.unreachable_servers)
    else:
        file = _on_disk(state_dir)
        if names:
            known = await file.totals() if file.path.exists() else {}
            forgotten = {name: await file.clear(name) for name in names if name in known}
        else:
            forgotten = {str(file.path): await file.clear()}
        await file.close()
    if as_json:
        typer.echo(json.dumps({"entries": forgotten, "unreachable_servers": unreachable}))
        return 0
    screen = console(False)
    for name, entries in sorted(forgotten.items()):
        screen.print(f"{name}: {entries:,} entries forgotten", soft_wrap=True)
    if not forgotten:
        screen.print("No cache of that name; `pipeline cache stats` lists them.")
    for server in unreachable:
        screen.print(f"{server} did not answer")
    if not target:
        screen.print("Servers that are running keep what is in their memory: --target clears that too.", style="dim")
    return 0


def size_text(count: int) -> str:
    """Bytes as people read them."""
    if count < 1024:
        return f"{count} B"
    return f"{count / 1024:,.0f} KiB" if count < 1024 * 1024 else f"{count / 1024 / 1024:,.1f} MiB"


def _on_disk(state_dir: Path | None) -> CacheFile:
    config = load(ServerConfig, **({} if state_dir is None else {"state_dir": state_dir}))
    # Somebody waits for the answer: a busy disk gets its time.
    return CacheFile(config.state_dir / FILE_NAME, bytes_max=config.cache_bytes_max, patience_seconds=5.0)
