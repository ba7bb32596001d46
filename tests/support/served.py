"""Six real processes, for tests that need them."""

import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Served:
    """A running `pipeline serve`."""

    target: str
    http: str
    state_dir: Path
    process: subprocess.Popen[str]

    def environment(self) -> dict[str, str]:
        """What a client program needs to call it."""
        host, port = self.target.rsplit(":", 1)
        return {
            **os.environ,
            "PIPELINE_OFFLINE": "1",
            "PIPELINE_TARGET": self.target,
            "PIPELINE_EVIDENCE_TARGET": f"{host}:{int(port) + 11}",
            "PIPELINE_CAMPAIGN_TARGET": f"{host}:{int(port) + 13}",
        }

    def child(self, name: str) -> int:
        """Process id of one server."""
        pids = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        module = name if name == "gateway" else f"services.{name}"
        for pid in map(int, pids):
            if Path(f"/proc/{pid}/cmdline").read_text().split("\0")[2] == module:
                return pid
        raise LookupError(name)


def free_port() -> int:
    """A gateway port whose neighbours (+1 for HTTP, +2 for pages, +10 to +14 for phases) are free too."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for port in range(23000 + 2000 * worker, 25000 + 2000 * worker, 20):
        used = 0
        for offset in (0, 1, 2, *range(10, 15)):
            with socket.socket() as probe:
                used += probe.connect_ex(("127.0.0.1", port + offset)) == 0
        if not used:
            return port
    raise RuntimeError("no free ports")


def start_served(state_dir: Path, **settings: str) -> Served:
    """Start `pipeline serve` with settings from its environment, and wait until it says that it is ready."""
    port = free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "pipeline.cli", "serve", "--offline", "--port", str(port)),
            *("--http-port", str(port + 1), "--state-dir", str(state_dir)),
        ],
        env={
            **os.environ,
            "PIPELINE_CAMPAIGN_CONTROLLER": "Larder Ltd, 1 High Street, Leeds, hello@example.org",
            **settings,
        },
        stdout=subprocess.PIPE,
        stderr=(state_dir / "stderr.log").open("w"),
        text=True,
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "ready" in line:
            return Served(f"127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}", state_dir, process)
    raise AssertionError("".join(lines) + (state_dir / "stderr.log").read_text())


def stop_served(served: Served) -> int:
    """Ctrl-C; returns the exit code."""
    if served.process.poll() is None:
        served.process.send_signal(signal.SIGINT)
    return served.process.wait(timeout=60)
