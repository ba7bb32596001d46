"""Any server killed at a random moment of a run and started again: the run finishes, whole and once.

`pipeline serve` starts a killed server again by itself; what is random is seeded, and printed when a test fails.
"""

import os
import random
import signal
import sqlite3
from pathlib import Path

import pytest

from pipeline.client import GatewayClient
from pipeline.options import AsyncPipelineConfig, run_spec
from pipeline.v1 import common_pb2, pipeline_pb2
from tests.support.served import Served, start_served, stop_served

IDEA = "A marketplace that matches high school students with vetted tutors for online lessons"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory):
    """Processes of this module's own: it kills them."""
    running = start_served(tmp_path_factory.mktemp("killed"))
    yield running
    stop_served(running)


@pytest.mark.slow
@pytest.mark.timeout(200)
@pytest.mark.parametrize(
    ("victim", "seed"),
    [("gateway", 1), ("evidence", 2), ("validation", 3), ("mvp", 4), ("pitch", 5), ("campaign", 6), ("gateway", 7)],
)
async def test_a_run_survives_the_kill_of(victim: str, seed: int, stack: Served) -> None:
    """SIGKILL after a random number of events; the watcher reattaches by name and misses nothing."""
    after = random.Random(seed).randrange(1, 25)
    spec = run_spec(f"{IDEA} {seed}", config=AsyncPipelineConfig(), offline=True)
    async with GatewayClient(stack.target) as client:
        run = await client.create_run(spec)
        events: list[pipeline_pb2.RunEvent] = []
        async for event in client.watch_run(run.name):
            events.append(event)
            if len(events) == after:
                os.kill(stack.child(victim), signal.SIGKILL)
        report = await client.get_report(run.name)
    assert report.run.state == pipeline_pb2.RUN_STATE_SUCCEEDED, f"{victim} killed after event {after}: {report.run}"
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert events[-1].HasField("run_finished")
    finished = [event.phase_finished.status.phase for event in events if event.HasField("phase_finished")]
    assert sorted(finished) == sorted(common_pb2.Phase.values())[1:], "a phase finished twice, or never"
    found = [
        event.evidence_found.id + event.evidence_found.claim_id for event in events if event.HasField("evidence_found")
    ]
    assert len(found) == len(set(found)), "an item was told twice"
    assert stored_results(stack.state_dir, run.name) == 5


def stored_results(state_dir: Path, run_name: str) -> int:
    """Phase results in the database, read beside the running gateway; the schema forbids a second one per phase."""
    with sqlite3.connect(f"file:{state_dir / 'runs.db'}?mode=ro", uri=True) as database:
        tables = {row[0] for row in database.execute("select name from sqlite_master where type = 'table'")}
        assert "phase_results" in tables
        columns = [row[1] for row in database.execute("pragma table_info(phase_results)")]
        run_column = "run" if "run" in columns else "run_id"
        key = run_name if run_column == "run" else run_name.removeprefix("runs/")
        query = f"select count(*), count(distinct phase) from phase_results where {run_column} in (?, ?)"
        count, distinct = database.execute(query, (key, run_name)).fetchone()
    assert count == distinct
    return int(count)


@pytest.mark.slow
def test_ctrl_c_drains_and_exits_with_0(tmp_path: Path) -> None:
    """SIGINT to `pipeline serve` ends every process and reports success."""
    running = start_served(tmp_path)
    children = [running.child(name) for name in ("gateway", "validation", "evidence", "pitch", "campaign", "mvp")]
    assert stop_served(running) == 0
    assert [pid for pid in children if Path(f"/proc/{pid}").exists()] == []
