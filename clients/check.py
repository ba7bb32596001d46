"""Runs every client in another language against served processes and compares what it saw with the run's own events.

make clients
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
IDEA = "A mobile app that helps households waste less food by tracking expiry dates and suggesting recipes"


@contextmanager
def served() -> Iterator[str]:
    """The gateway's address of a pipeline in processes of its own."""
    port = next(
        port
        for port in range(22000, 29000, 20)
        if all(socket.socket().connect_ex(("127.0.0.1", port + offset)) != 0 for offset in (0, 1, 10))
    )
    with tempfile.TemporaryDirectory() as state:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "pipeline.cli", "serve", "--offline", "--port", str(port)),
                *("--http-port", str(port + 1), "--state-dir", state),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            if not any("ready" in line for line in process.stdout):
                raise RuntimeError("the servers did not become ready")
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()
            if process.wait(timeout=90) != 0:
                raise RuntimeError(f"serve ended with exit code {process.returncode}")


def node(target: str) -> None:
    """The Node client: only the protos and two packages."""
    folder = HERE / "node"
    if shutil.which("npm") is None:
        print("node: skipped, npm is not installed")
        return
    if not (folder / "node_modules").exists():
        subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=folder, check=True)
    output = subprocess.run(
        ["node", "run_idea.mjs", target, IDEA], cwd=folder, check=True, capture_output=True, text=True, timeout=150
    ).stdout.splitlines()
    numbers = [int(line.split()[0]) for line in output]
    assert numbers == list(range(1, len(numbers) + 1)), f"events out of order or missing: {numbers}"
    assert output[0].endswith("run_started"), output[0]
    assert "run_finished" in output[-1] and "SUCCEEDED" in output[-1], output[-1]
    refused = subprocess.run(
        ["node", "run_idea.mjs", target, "too short"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == 1 and "INVALID_ARGUMENT" in refused.stderr, refused.stderr
    print(f"node: {len(numbers)} events in order, the run succeeded, a bad idea was refused")


if __name__ == "__main__":
    os.environ["PIPELINE_OFFLINE"] = "1"
    with served() as address:
        node(address)
