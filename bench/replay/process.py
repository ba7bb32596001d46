"""The replay server in a process of its own, as measurements want it."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def replayed(seed: int = 7, faults: float = 0.0) -> Iterator[str]:
    """The address of a replay server that lives as long as the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.replay", "--seed", str(seed), "--faults", str(faults)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


def stats(address: str) -> dict[str, Any]:
    """What the server has counted; see `ReplayServer.stats`."""
    with urllib.request.urlopen(f"{address}/_stats", timeout=5) as reply:
        found: dict[str, Any] = json.load(reply)
    return found


def control(address: str, **wanted: Any) -> None:
    """Change the server's weather; see `ReplayServer.control`."""
    request = urllib.request.Request(f"{address}/_control", json.dumps(wanted).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=5):
        pass
