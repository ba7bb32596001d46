"""Memory of the six served processes, ready and idle."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path


def idle_memory() -> dict[str, float]:
    """Proportional set size of each server in MiB, read from the kernel once all are ready."""
    port = _free_port_block()
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "pipeline.cli", "serve"),
                *("--port", str(port), "--http-port", str(port + 1), "--state-dir", folder),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PIPELINE_OFFLINE": "1"},
        )
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if "ready" in line:
                    break
            return {_name(pid): _pss_mebibytes(pid) for pid in _children(process.pid)}
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)


def _children(parent: int) -> list[int]:
    listed = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return [int(pid) for pid in listed.split()]


def _name(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[2].removeprefix("services.")


def _pss_mebibytes(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no Pss for process {pid}")


def _free_port_block() -> int:
    """A port with the fifteen after it free at this moment."""
    for port in range(21000, 29000, 20):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0 and probe.connect_ex(("127.0.0.1", port + 10)) != 0:
                return port
    raise RuntimeError("no free ports between 21000 and 29000")
