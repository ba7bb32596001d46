"""`pipeline serve`: the six servers as six processes on loopback, restarted when they crash, drained on Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import PipelineError

GATEWAY_PORT = 50051
HTTP_PORT = 8080
PAGE_PORT = 8081
PHASES = ("validation", "evidence", "pitch", "campaign", "mvp")
PHASE_PORT_OFFSET = 10
"""The phase servers listen on the gateway's port + 10, + 11, ..."""

READY_SECONDS = 60.0
"""A cold start loads the embedding model; on a busy machine that takes seconds."""

STOP_SECONDS = 40.0
"""Longer than the servers' own drain (20 s), so that a kill means that something hangs."""

CRASHES_MAX = 5
CRASH_WINDOW_SECONDS = 60.0
"""A server that crashes oftener than this has a defect that another start will not mend."""

RESTART_SECONDS = (0.5, 8.0)
"""First and longest pause before a crashed server is started again; it doubles in between."""


@dataclass
class Child:
    """One server process."""

    name: str
    listen: str
    process: asyncio.subprocess.Process | None = None
    crashes: list[float] = field(default_factory=list)


class Supervisor:
    """Starts the six servers, keeps them up, stops them in the order gateway first."""

    def __init__(
        self,
        say: Callable[[str], None],
        *,
        port: int = GATEWAY_PORT,
        http_port: int = HTTP_PORT,
        page_port: int = PAGE_PORT,
        state_dir: Path | None = None,
        offline: bool = False,
    ) -> None:
        self._say = say
        self._http_listen = f"127.0.0.1:{http_port}"
        self._page_listen = f"127.0.0.1:{page_port}"
        addresses = {name: f"127.0.0.1:{number}" for name, number in server_ports(port).items()}
        self._environment = {**os.environ, "PIPELINE_EXIT_WITH_PARENT": "1"}
        if state_dir is not None:
            self._environment["PIPELINE_STATE_DIR"] = str(state_dir)
        if offline:
            self._environment["PIPELINE_OFFLINE"] = "1"
        self._environment["PIPELINE_HTTP_LISTEN"] = self._http_listen
        self._environment["PIPELINE_PAGE_LISTEN"] = self._page_listen
        for phase in PHASES:
            self._environment[f"PIPELINE_{phase.upper()}_TARGET"] = addresses[phase]
        self.children = {name: Child(name, listen) for name, listen in addresses.items()}
        self._stopping = asyncio.Event()
        self.failed = False

    async def run(self) -> int:
        """Serve until SIGINT or SIGTERM; returns the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stopping.set)
        keepers = [asyncio.create_task(self._keep(child)) for child in self.children.values()]
        try:
            if await self._wait_ready():
                self._say(f"gateway  grpc {self.children['gateway'].listen}   http http://{self._http_listen}")
                self._say(f"pages    http http://{self._page_listen}")
                self._say("ready; Ctrl-C drains and stops")
            await self._stopping.wait()
            self._say("draining")
            await self._stop(["gateway"])
            await self._stop([name for name in self.children if name != "gateway"])
        finally:
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)
            for child in self.children.values():
                if child.process is not None and child.process.returncode is None:
                    child.process.kill()
        return 1 if self.failed else 0

    async def _keep(self, child: Child) -> None:
        pause = RESTART_SECONDS[0]
        while not self._stopping.is_set():
            child.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                child.name if child.name == "gateway" else f"services.{child.name}",
                env={**self._environment, "PIPELINE_LISTEN": child.listen},
                # A group of its own: Ctrl-C reaches the supervisor alone, which then drains in order.
                start_new_session=True,
            )
            code = await child.process.wait()
            if self._stopping.is_set():
                return
            now = time.monotonic()
            child.crashes = [at for at in child.crashes if now - at < CRASH_WINDOW_SECONDS] + [now]
            # Exit code 2 is a refused configuration or a port in use: starting again cannot help.
            if code == 2 or len(child.crashes) > CRASHES_MAX:
                self._say(f"{child.name} ended with exit code {code}; stopping the others")
                self.failed = True
                self._stopping.set()
                return
            self._say(f"{child.name} ended with exit code {code}; starting it again")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            pause = min(pause * 2, RESTART_SECONDS[1])

    async def _wait_ready(self) -> bool:
        ready = asyncio.gather(*(wait_serving(child.listen) for child in self.children.values()))
        stop = asyncio.create_task(self._stopping.wait())
        both: set[asyncio.Future[object]] = {ready, stop}  # type: ignore[arg-type]
        done, _ = await asyncio.wait(both, timeout=READY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if ready in done and ready.exception() is None:
            return True
        ready.cancel()
        if not self._stopping.is_set():
            wrong = "answers as our servers do" if ready in done else f"answered within {READY_SECONDS:.0f} s"
            self._say(f"not every server {wrong}; see their messages above")
            self.failed = True
            self._stopping.set()
        return False

    async def _stop(self, names: list[str]) -> None:
        running = [
            child.process
            for name in names
            if (child := self.children[name]).process is not None and child.process.returncode is None
        ]
        for process in running:
            process.terminate()
        if running:
            _, late = await asyncio.wait(
                [asyncio.create_task(process.wait()) for process in running], timeout=STOP_SECONDS
            )
            if late:
                self.failed = True
        for process in running:
            if process.returncode is None:
                self._say(f"process {process.pid} did not stop within {STOP_SECONDS:.0f} s and was killed")
                process.kill()
            elif process.returncode not in (0, -signal.SIGTERM):
                self.failed = True


async def wait_serving(target: str) -> None:
    """Return when the server at `target` reports SERVING."""
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    from chassis.channel import open_channel

    async with open_channel(target) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        while True:
            try:
                reply = await stub.Check(health_pb2.HealthCheckRequest(), timeout=2, wait_for_ready=True)
                if reply.status == health_pb2.HealthCheckResponse.SERVING:
                    return
            except grpc.aio.AioRpcError as error:
                if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                    raise
            await asyncio.sleep(0.1)


def server_ports(port: int) -> dict[str, int]:
    """The port of each server, the gateway's being `port`."""
    phases = {phase: port + PHASE_PORT_OFFSET + index for index, phase in enumerate(PHASES)}
    return {**phases, "gateway": port}


def check_ports(port: int, http_port: int, page_port: int) -> None:
    """Raise when a port that the servers need is taken, so that none is started in vain."""
    wanted = {**server_ports(port), "gateway's HTTP side": http_port, "landing pages": page_port}
    numbers = list(wanted.values())
    for name, number in wanted.items():
        if numbers.count(number) > 1:
            raise PipelineError.invalid(
                "port", f"{number} is wanted twice; give --port, --http-port and --page-port numbers of their own"
            )
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", number))
            except OSError as error:
                raise PipelineError.invalid(
                    "port", f"127.0.0.1:{number} for the {name} is in use; stop what listens there or give --port"
                ) from error
