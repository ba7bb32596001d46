"""Runs generated programs fenced off and limited, and says plainly how.

A program gets: its own session and process tree, a cleared environment, a copy of the project in a file system of its
own, no network, an unprivileged user, and limits on time, memory, files and processes. What the host does not allow is
left out and named in `Isolation.text`. The fencing itself happens in `launcher.py`, in the child.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

Level = Literal["namespaces", "network", "limits"]

LEVELS: Final[tuple[Level, ...]] = ("namespaces", "network", "limits")
"""Strongest first."""

SETUP_FAILED: Final = 125
KILL_SECONDS: Final = 2.0
"""How long a launcher without a process namespace may take to end its descendants before it is killed itself."""

RESULT_BYTES_MAX: Final = 4 * 1024 * 1024
"""A program's structured result is cut off here."""

_LAUNCHER: Final = Path(__file__).parent / "launcher.py"


@dataclass(frozen=True)
class Limits:
    """What one program may use. The defaults leave a web application and its tests room and stop a runaway."""

    wall_seconds: float = 60.0
    cpu_seconds: int = 60
    memory_bytes: int = 2 * 1024**3
    """Address space: Python with its libraries maps about 700 MiB."""
    file_bytes: int = 64 * 1024**2
    """Size of a single file."""
    disk_bytes: int = 256 * 1024**2
    """All files together, where the host allows a file system of its own."""
    open_files: int = 256
    processes: int = 128
    """Does not bind root."""
    output_bytes: int = 64 * 1024
    """End of the output that is kept."""

    def resources(self) -> dict[str, int]:
        """As names of `resource.RLIMIT_*`."""
        return {
            "AS": self.memory_bytes,
            "CORE": 0,
            "CPU": self.cpu_seconds,
            "FSIZE": self.file_bytes,
            "NOFILE": self.open_files,
            "NPROC": self.processes,
        }


@dataclass(frozen=True)
class Isolation:
    """How a program was fenced off."""

    level: Level
    fence: frozenset[str] = frozenset()
    user: str = ""

    @property
    def text(self) -> str:
        """One sentence for the report."""
        done = ["CPU, memory, file and process limits", "wall-clock limit", "cleared environment"]
        lacking: list[str] = []
        for what, yes, no in (
            ("network", "no network but its own loopback", "the network was not cut"),
            ("files", "own file system (system and interpreter read-only)", "files of this machine were readable"),
            ("processes", "own process tree", "processes of this machine were visible"),
        ):
            (done if what in self.fence else lacking).append(yes if what in self.fence else no)
        sentence = f"Run as {self.user or 'an unknown user'} with {', '.join(done)}"
        return f"{sentence}; {'; '.join(lacking)}." if lacking else f"{sentence}."


@dataclass(frozen=True)
class Outcome:
    """How a program ended and what it used."""

    exit_code: int
    """128 + signal when it was killed."""
    timed_out: bool
    wall_seconds: float
    cpu_seconds: float
    memory_peak_bytes: int
    output: str
    """End of standard output and error."""
    result: bytes
    """What the program wrote to its result file."""
    isolation: Isolation
    setup_error: str = ""
    """Why the fence could not be built; the program was not run then."""

    @property
    def ended(self) -> str:
        """How it ended, in words."""
        if self.setup_error:
            return f"not run: {self.setup_error}"
        if self.timed_out:
            return f"killed after {self.wall_seconds:.1f} s"
        if self.exit_code > 128:
            with contextlib.suppress(ValueError):
                return f"killed by {signal.Signals(self.exit_code - 128).name}"
        return f"exit code {self.exit_code}"


@dataclass
class Tail:
    """The last `limit` bytes of a stream."""

    limit: int
    _kept: bytearray = field(default_factory=bytearray)
    dropped: int = 0

    def add(self, data: bytes) -> None:
        """Appends and forgets what exceeds the limit."""
        self._kept += data
        excess = len(self._kept) - self.limit
        if excess > 0:
            del self._kept[:excess]
            self.dropped += excess

    def text(self) -> str:
        """The kept bytes as text, with a first line that says how much is missing."""
        text = bytes(self._kept).decode("utf-8", "replace")
        return f"[{self.dropped} bytes before this were dropped]\n{text}" if self.dropped else text


class Sandbox:
    """Runs programs at the strongest level that the host allows."""

    def __init__(self, levels: Sequence[Level] = LEVELS) -> None:
        self._levels = tuple(levels)
        self._isolation: Isolation | None = None
        self._probing = asyncio.Lock()

    def __repr__(self) -> str:
        return f"Sandbox({self._isolation.level if self._isolation else 'not probed'})"

    async def probe(self) -> Isolation:
        """Finds the strongest level that works by running a trivial program at each; cached.

        Raises RuntimeError when not even limits can be set.
        """
        async with self._probing:
            if self._isolation is None:
                reasons = []
                for level in self._levels:
                    with tempfile.TemporaryDirectory(prefix="mvp-probe-") as folder:
                        outcome = await self._launch(
                            level, Path(folder), [sys.executable, "-c", "import fcntl"], Limits(10.0)
                        )
                    if outcome.exit_code == 0 and not outcome.setup_error:
                        self._isolation = outcome.isolation
                        break
                    reasons.append(f"{level}: {outcome.setup_error or outcome.output.strip()[-200:] or outcome.ended}")
                else:
                    raise RuntimeError("no sandbox level works here: " + "; ".join(reasons))
            return self._isolation

    async def run(
        self,
        project: Path,
        argv: Sequence[str],
        limits: Limits | None = None,
        *,
        environment: Mapping[str, str] | None = None,
    ) -> Outcome:
        """Runs `argv` in a copy of `project` and waits for its end; cancelling kills its whole tree."""
        isolation = await self.probe()
        return await self._launch(isolation.level, project, argv, limits or Limits(), environment)

    async def _launch(
        self,
        level: Level,
        project: Path,
        argv: Sequence[str],
        limits: Limits,
        environment: Mapping[str, str] | None = None,
    ) -> Outcome:
        loop = asyncio.get_running_loop()
        with tempfile.TemporaryDirectory(prefix="mvp-run-", ignore_cleanup_errors=True) as name:
            base = Path(name)
            work = await asyncio.to_thread(_prepare, base, project, copy=level != "namespaces")
            with tempfile.TemporaryFile() as result, tempfile.TemporaryFile() as report:
                request = self._request(
                    level, work, base, argv, limits, report.fileno(), result.fileno(), environment or {}
                )
                started = loop.time()
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-I",
                    "-S",
                    str(_LAUNCHER),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.STDOUT,
                    start_new_session=True,
                    pass_fds=(report.fileno(), result.fileno()),
                    env={"LANG": "C.UTF-8"},
                )
                tail = Tail(limits.output_bytes)
                timed_out = False
                try:
                    async with asyncio.timeout(limits.wall_seconds):
                        await _drain(process, json.dumps(request).encode(), tail)
                except TimeoutError:
                    timed_out = True
                finally:
                    await _end(process, gently=level != "namespaces")
                wall = loop.time() - started
                for stream in (result, report):
                    stream.seek(0)
                lines = [json.loads(line) for line in report.read(64 * 1024).splitlines()]
                return _outcome(level, process.returncode, timed_out, wall, tail, result.read(RESULT_BYTES_MAX), lines)

    @staticmethod
    def _request(
        level: Level,
        work: Path,
        base: Path,
        argv: Sequence[str],
        limits: Limits,
        report_fd: int,
        result_fd: int,
        extra: Mapping[str, str],
    ) -> dict[str, Any]:
        own_root = level == "namespaces"
        home = "/tmp" if own_root else str(base / "home")  # noqa: S108  the sandbox's own /tmp
        environment = {
            "HOME": home,
            "TMPDIR": home,
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "LOGNAME": "nobody",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "PYTHONHASHSEED": "0",
            "RESULT_FD": str(result_fd),
        }
        return {
            "level": level,
            "project": str(work),
            "root": str(base / "root"),
            "readable": sorted({sys.prefix, sys.base_prefix}),
            "disk_bytes": limits.disk_bytes,
            "argv": list(argv),
            "environment": environment | dict(extra),
            "limits": limits.resources(),
            "report_fd": report_fd,
        }


def _prepare(base: Path, project: Path, *, copy: bool) -> Path:
    """Folders for a new root and for a home; returns where the program finds the project."""
    base.chmod(0o755)
    for folder in ("root", "home"):
        (base / folder).mkdir()
        (base / folder).chmod(0o777)
    if not copy:
        return project  # the launcher copies it into the new root
    shutil.copytree(project, base / "project")
    (base / "project").chmod(0o755)
    return base / "project"


async def _drain(process: asyncio.subprocess.Process, request: bytes, tail: Tail) -> None:
    """Hands over the request, reads the output to its end and waits for the process."""
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            process.stdin.write(request)
            await process.stdin.drain()
        process.stdin.close()
    if process.stdout is not None:
        while data := await process.stdout.read(64 * 1024):
            tail.add(data)
    await process.wait()


async def _end(process: asyncio.subprocess.Process, *, gently: bool) -> None:
    """Makes sure that nothing of the program runs any more; completes also while being cancelled."""
    if process.returncode is None and gently:
        # Without a process namespace only the launcher knows who left the group: it ends them on SIGTERM.
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.shield(asyncio.wait_for(asyncio.shield(process.wait()), KILL_SECONDS))
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await asyncio.shield(process.wait())


def _outcome(
    level: Level,
    code: int | None,
    timed_out: bool,
    wall: float,
    tail: Tail,
    result: bytes,
    lines: Sequence[Mapping[str, Any]],
) -> Outcome:
    facts: dict[str, Any] = {}
    for line in lines:
        facts |= line
    exit_code = facts.get("exit", code if code is not None and code >= 0 else 128 - (code or 0))
    return Outcome(
        exit_code=int(exit_code),
        timed_out=timed_out,
        wall_seconds=wall,
        cpu_seconds=float(facts.get("cpu_seconds", 0.0)),
        memory_peak_bytes=int(facts.get("memory_peak_bytes", 0)),
        output=tail.text(),
        result=result,
        isolation=Isolation(level, frozenset(facts.get("fence", ())), str(facts.get("user", ""))),
        setup_error=str(facts.get("setup_error", "")),
    )
