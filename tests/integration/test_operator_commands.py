"""`pipeline breakers` and `pipeline cache`: against servers and against the disk."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from rich.console import Console
from typer.testing import CliRunner

from chassis.cache_file import FILE_NAME, CacheFile
from chassis.cache_store import StoredCache
from chassis.codecs import JsonCodec
from pipeline.cli import app
from pipeline.client import GatewayClient
from pipeline.embedded import EmbeddedOptions, EmbeddedPipeline
from pipeline.operations_commands import breakers_view, cache_clear, cache_stats
from pipeline.options import AsyncPipelineConfig, run_spec
from pipeline.v1 import common_pb2, operations_pb2
from tests.support.evidence_kit import FOOD, hackernews, hit, page


@asynccontextmanager
async def running(state_dir: Path, url: str, **settings: Any) -> AsyncIterator[tuple[EmbeddedPipeline, GatewayClient]]:
    """Gateway, validation and evidence, with a Hacker News at `url`."""
    only = {"hackernews_url": url, "providers": "hackernews", "offline": False, "fetch_pages": False}
    wanted = {**only, "embedder": "none", **settings}
    options = EmbeddedOptions(state_dir=state_dir, phases=("validation", "evidence"), settings=wanted)
    async with EmbeddedPipeline(options) as embedded, GatewayClient(embedded.target) as client:
        yield embedded, client


async def take(client: GatewayClient, *, caching: bool = True) -> str:
    """One idea through validation and evidence; the run's name."""
    config = AsyncPipelineConfig(enable_aggressive_caching=caching, max_concurrent_phases=3)
    spec = run_spec(FOOD, config=config)
    del spec.skip_phases[:]
    spec.skip_phases.extend([common_pb2.PHASE_PITCH, common_pb2.PHASE_CAMPAIGN, common_pb2.PHASE_MVP])
    run = await client.create_run(spec)
    async for _ in client.watch_run(run.name):
        pass
    return run.name


def trace_events(content: bytes) -> list[tuple[str, dict[str, Any]]]:
    """Events of a trace.json: name and attributes as text."""
    return [
        (event["name"], {a["key"]: next(iter(a["value"].values())) for a in event.get("attributes", ())})
        for resource in json.loads(content)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
        for event in span.get("events", ())
    ]


async def test_a_breakers_story_is_in_the_list_and_in_the_trace(tmp_path: Path) -> None:
    """An upstream that only fails opens its breaker: operators read when and why, and so does the run's trace."""
    async with (
        hackernews(lambda request, number: web.Response(status=503)) as local,
        running(tmp_path, local.url) as (_, client),
    ):
        name = await take(client)
        reply = await client.list_breakers()
        events = trace_events(await client.download_artifact(f"{name}/artifacts/trace.json"))
    (breaker,) = [b for b in reply.breakers if b.name == "evidence.hackernews"]
    assert [t.cause for t in breaker.transitions] == ["5 failures in a row"]
    assert breaker.transitions[0].to == operations_pb2.BREAKER_STATE_OPEN
    assert breaker.transitions[0].rest.ToNanoseconds() > 3e9
    opened = [attributes for event, attributes in events if event == "breaker.transition"]
    assert [o["pipeline.breaker.cause"] for o in opened] == ["5 failures in a row"]
    # Five opened it; what was under way with them came too, and nothing after.
    assert 5 <= len(local.asked) < 10
    assert {"retry", "breaker.refusal"} <= {event for event, _ in events}
    console = Console(width=100, record=True, file=(tmp_path / "screen").open("w"))
    console.print(breakers_view(reply))
    story = next(line for line in console.export_text().splitlines() if "failures in a row" in line)
    assert "closed → open" in story
    assert "rests" in story


async def test_a_second_start_asks_nobody(tmp_path: Path) -> None:
    """With answers on disk, a pipeline that is started anew makes no outside call for the same idea."""
    async with hackernews(lambda request, number: web.json_response(page(hit("1"), hit("2")))) as local:
        asked = []
        for _ in range(2):
            async with running(tmp_path, local.url, cache_on_disk=True) as (_, client):
                await take(client)
            asked.append(len(local.asked))
        async with running(tmp_path, local.url, cache_on_disk=True) as (_, client):
            await take(client, caching=False)
        asked.append(len(local.asked))
    assert asked[0] > 0
    assert asked[1] == asked[0]
    assert asked[2] > asked[1]


async def test_servers_tell_and_clear_their_caches(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Stats show every server's caches; after a clear the same idea is asked for anew."""
    async with (
        hackernews(lambda request, number: web.json_response(page(hit("1")))) as local,
        running(tmp_path, local.url) as (embedded, client),
    ):
        await take(client)
        before = len(local.asked)
        assert await cache_stats(embedded.target, None, as_json=False) == 0
        assert "evidence.hackernews" in capsys.readouterr().out
        assert await cache_clear(("nothing-of-that-name",), embedded.target, None, as_json=True) == 0
        assert json.loads(capsys.readouterr().out)["entries"] == {}
        assert await cache_clear(("hackernews",), embedded.target, None, as_json=True) == 0
        assert json.loads(capsys.readouterr().out)["entries"]["evidence.hackernews"] == before
        await take(client)
        assert len(local.asked) == 2 * before


async def fill(state_dir: Path) -> None:
    file = CacheFile(state_dir / FILE_NAME)
    for name, entries in (("wikipedia", 3), ("hackernews", 2)):
        cache = StoredCache(name, file, JsonCodec())
        for number in range(entries):
            await cache.set(str(number), "an answer")
    await file.close()


async def test_what_is_on_disk_is_told_and_cleared_without_a_server(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a target the commands work on the state folder: one cache by name, then all."""
    await fill(tmp_path)

    async def kept() -> dict[str, int]:
        await cache_stats("", tmp_path, as_json=True)
        return {name: c["entries"] for name, c in json.loads(capsys.readouterr().out)["caches"].items()}

    assert await kept() == {"wikipedia": 3, "hackernews": 2}
    assert await cache_clear(("wikipedia",), "", tmp_path, as_json=False) == 0
    assert "3 entries forgotten" in capsys.readouterr().out
    assert await kept() == {"hackernews": 2}
    assert await cache_clear((), "", tmp_path, as_json=False) == 0
    capsys.readouterr()
    assert await kept() == {}


def test_a_state_folder_without_a_cache_stays_as_it_is(tmp_path: Path) -> None:
    """Looking and clearing where nothing is kept says so and makes no file."""
    runner = CliRunner()
    for command in ("stats", "clear"):
        outcome = runner.invoke(app, ["cache", command, "--state-dir", str(tmp_path)], env={"PIPELINE_TARGET": ""})
        assert outcome.exit_code == 0, outcome.output
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_replaced_by_clear(tmp_path: Path) -> None:
    """`cache stats` survives a file that is no database, and `cache clear` mends it."""
    (tmp_path / FILE_NAME).write_bytes(b"no database at all " * 100)
    runner = CliRunner()
    folder = ["--state-dir", str(tmp_path)]
    assert runner.invoke(app, ["cache", "stats", *folder], env={"PIPELINE_TARGET": ""}).exit_code == 0
    assert runner.invoke(app, ["cache", "clear", *folder], env={"PIPELINE_TARGET": ""}).exit_code == 0
    assert (tmp_path / FILE_NAME).read_bytes().startswith(b"SQLite format 3")


def test_nobody_at_the_target_is_one_sentence() -> None:
    """A gateway that does not answer: exit code 4 and no traceback."""
    outcome = CliRunner().invoke(app, ["cache", "stats", "--target", "127.0.0.1:9"])
    assert outcome.exit_code == 4
    assert "Traceback" not in outcome.output


def test_no_cache_reaches_the_run(tmp_path: Path) -> None:
    """`--no-cache` makes runs that neither read nor fill caches; without it they do."""
    runner = CliRunner()
    environment = {"PIPELINE_TARGET": "", "PIPELINE_EMBEDDER": "none", "PIPELINE_OFFLINE": "1"}
    folder = ["--state-dir", str(tmp_path)]
    (tmp_path / "ideas.txt").write_text(FOOD)
    for options in (["--no-cache"], []):
        outcome = runner.invoke(app, ["ideas", str(tmp_path / "ideas.txt"), *options, *folder], env=environment)
        assert outcome.exit_code == 0, outcome.output
    listed = runner.invoke(app, ["runs", "--json", *folder], env=environment)
    runs = [json.loads(line) for line in listed.output.splitlines() if line.startswith("{")]
    assert [run["spec"]["profile"]["caching"] for run in runs] == [True, False]
