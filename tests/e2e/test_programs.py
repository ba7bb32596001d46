"""Programs that use the SDK carelessly: they end well all the same."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

FORGETFUL = """
import asyncio
from pipeline.main_pipeline_async import create_async_pipeline

async def main():
    for _ in range(2):  # the second replaces the first, which nobody closed
        pipeline = await create_async_pipeline()
    result = await pipeline.execute_full_pipeline("A planning tool for florists with one calendar", generate_mvp=False)
    print(result.status, result.report.run.spec.profile.max_concurrent_operations)

asyncio.run(main())
"""

BLOCKING = """
from pipeline.main_pipeline import get_main_pipeline
result = get_main_pipeline().execute_full_pipeline("A planning tool for florists with one calendar", generate_mvp=False)
print(result.status, result.report.run.spec.profile.max_concurrent_operations)
"""


def run_program(source: str, tmp_path: Path, **environment: str) -> str:
    """Run it offline; it must exit with 0, say nothing on standard error and leave no socket folder behind."""
    sockets = tmp_path / "tmp"
    sockets.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", source],
        env={
            **{name: value for name, value in os.environ.items() if not name.endswith("_TARGET")},
            "PIPELINE_OFFLINE": "1",
            "PIPELINE_STATE_DIR": str(tmp_path / "state"),
            "TMPDIR": str(sockets) if len(str(sockets)) < 60 else tempfile.gettempdir(),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [path.name for path in sockets.iterdir() if path.name.startswith("pl-")] == []
    return done.stdout.strip()


def test_a_program_that_forgets_to_close_ends_cleanly(tmp_path: Path) -> None:
    """The servers live on a loop of their own and stop when the program does."""
    assert run_program(FORGETFUL, tmp_path) == "succeeded 10"


def test_a_blocking_program_that_forgets_to_close_ends_cleanly(tmp_path: Path) -> None:
    """The synchronous fallback runs one operation at a time and cleans up at exit."""
    assert run_program(BLOCKING, tmp_path) == "succeeded 1"


def test_one_flag_makes_the_async_pipeline_sequential(tmp_path: Path) -> None:
    """PIPELINE_SYNC_FALLBACK=1: the same program, one operation at a time."""
    assert run_program(FORGETFUL, tmp_path, PIPELINE_SYNC_FALLBACK="1") == "succeeded 1"
