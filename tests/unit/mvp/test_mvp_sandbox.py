"""Programs that misbehave are stopped, and leave nothing behind."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from pathlib import Path

import pytest

from chassis.testing import until
from services.mvp.sandbox import LEVELS, Level, Limits, Outcome, Sandbox, Tail

QUICK = Limits(wall_seconds=10, cpu_seconds=5, memory_bytes=512 * 1024**2, file_bytes=1024**2, output_bytes=4096)


@pytest.fixture(params=LEVELS)
async def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """A sandbox at each level that this machine allows."""
    level: Level = request.param
    made = Sandbox([level])
    try:
        await made.probe()
    except RuntimeError as error:
        pytest.skip(str(error))
    return made


async def run(sandbox: Sandbox, folder: Path, code: str, limits: Limits = QUICK) -> Outcome:
    """Runs a piece of Python."""
    return await sandbox.run(folder, [sys.executable, "-I", "-S", "-c", code], limits)


def alive(mark: str) -> list[str]:
    """Processes of this machine with `mark` on their command line."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and folder.name != str(os.getpid()):
            try:
                words = (folder / "cmdline").read_bytes()
                state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if mark.encode() in words and state != "Z":
                found.append(folder.name)
    return found


async def test_output_result_and_figures_come_back(sandbox: Sandbox, tmp_path: Path) -> None:
    """A program sees the project, and its output, result, exit code and use of time and memory are returned."""
    (tmp_path / "data.txt").write_text("hello")
    code = (
        "import os; print(open('data.txt').read()); os.write(int(os.environ['RESULT_FD']), b'{}'); raise SystemExit(3)"
    )
    outcome = await run(sandbox, tmp_path, code)
    assert (outcome.output, outcome.result, outcome.exit_code) == ("hello\n", b"{}", 3)
    assert outcome.ended == "exit code 3"
    assert outcome.memory_peak_bytes > 1024**2
    assert outcome.wall_seconds > 0


async def test_the_environment_is_cleared(sandbox: Sandbox, tmp_path: Path) -> None:
    """Nothing of the server's environment reaches the program."""
    outcome = await run(sandbox, tmp_path, "import os; print(*sorted(os.environ))")
    assert set(outcome.output.split()) <= {
        "HOME", "LANG", "LC_CTYPE", "LOGNAME", "PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "PYTHONUNBUFFERED",
        "RESULT_FD", "TMPDIR",
    }  # fmt: skip


async def test_the_project_itself_is_not_written_to(sandbox: Sandbox, tmp_path: Path) -> None:
    """The program works on a copy."""
    outcome = await run(sandbox, tmp_path, "open('new.txt', 'w').write('x'); print('written')")
    assert outcome.output == "written\n"
    assert os.listdir(tmp_path) == []


async def test_a_loop_is_killed_with_its_whole_tree(sandbox: Sandbox, tmp_path: Path) -> None:
    """An endless program and the children that left its session are gone when the wall clock runs out."""
    mark = uuid.uuid4().hex
    code = (
        f"import os\nmark = '{mark}'\nif os.fork() == 0:\n    os.setsid()\n    os.fork()\n"
        "    while True: os.sched_yield()\nwhile True: os.sched_yield()"
    )
    outcome = await run(sandbox, tmp_path, code, Limits(wall_seconds=1.0))
    assert outcome.timed_out
    assert outcome.ended.startswith("killed after 1.")
    await until(lambda: not alive(mark))


async def test_children_that_stay_behind_are_ended(sandbox: Sandbox, tmp_path: Path) -> None:
    """When the program ends, its background children end too."""
    mark = uuid.uuid4().hex
    loop = "while True: os.sched_yield()"
    code = f"import os\nmark = '{mark}'\nif os.fork() == 0:\n    os.setsid()\n    {loop}\nprint('done')"
    outcome = await run(sandbox, tmp_path, code)
    assert (outcome.output, outcome.exit_code, outcome.timed_out) == ("done\n", 0, False)
    assert alive(mark) == []


async def test_cancelling_kills_the_tree(sandbox: Sandbox, tmp_path: Path) -> None:
    """A cancelled run leaves no process."""
    mark = uuid.uuid4().hex
    code = f"import os\nmark = '{mark}'\nif os.fork() == 0: os.setsid()\nwhile True: os.sched_yield()"
    task = asyncio.create_task(run(sandbox, tmp_path, code))
    await until(lambda: len(alive(mark)) >= 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: not alive(mark))


async def test_cpu_time_is_limited(sandbox: Sandbox, tmp_path: Path) -> None:
    """A busy loop ends at its CPU limit, long before the wall clock."""
    outcome = await run(sandbox, tmp_path, "while True: pass", Limits(wall_seconds=20, cpu_seconds=1))
    assert not outcome.timed_out
    assert outcome.exit_code in {128 + 24, 128 + 9}
    # The kernel kills by its own fine count; what it reports of a killed child is coarser (0.80 s was seen under load).
    assert outcome.cpu_seconds >= 0.5


async def test_memory_is_limited(sandbox: Sandbox, tmp_path: Path) -> None:
    """Asking for a gigabyte fails inside the program."""
    outcome = await run(sandbox, tmp_path, "bytearray(1024**3)")
    assert outcome.exit_code == 1
    assert "MemoryError" in outcome.output


async def test_file_size_is_limited(sandbox: Sandbox, tmp_path: Path) -> None:
    """Writing past the limit ends the program."""
    outcome = await run(sandbox, tmp_path, "f = open('big', 'wb')\nfor _ in range(64): f.write(bytes(1024**2))")
    assert outcome.exit_code != 0
    assert "File too large" in outcome.output or "SIGXFSZ" in outcome.ended


async def test_only_the_end_of_the_output_is_kept(sandbox: Sandbox, tmp_path: Path) -> None:
    """A flood of output is cut to its end, and the cut is named."""
    outcome = await run(sandbox, tmp_path, "for n in range(50_000): print('line', n)")
    assert len(outcome.output) < 5000
    assert outcome.output.startswith("[")
    assert outcome.output.endswith("line 49999\n")


async def test_the_fence_is_what_it_says(sandbox: Sandbox, tmp_path: Path) -> None:
    """Where network, files or processes are said to be fenced off, they are; where not, the text admits it."""
    code = (
        "import os, socket\n"
        "try:\n    socket.create_connection(('192.0.2.1', 9), timeout=0.2); print('connected')\n"
        "except OSError as error: print(error.errno)\n"
        f"print(os.path.exists({str(Path(__file__))!r}))\n"
        "print(len([name for name in os.listdir('/proc') if name.isdigit()]))"
    )
    isolation = await sandbox.probe()
    if "network" not in isolation.fence:
        assert "the network was not cut" in isolation.text
        return
    reached, sees_files, processes = (await run(sandbox, tmp_path, code)).output.split()
    assert reached == "101"
    assert "no network" in isolation.text
    assert (sees_files == "False") == ("files" in isolation.fence)
    if "processes" in isolation.fence:
        assert int(processes) == 2


async def test_a_missing_program_is_reported(sandbox: Sandbox, tmp_path: Path) -> None:
    """A program that cannot be started leaves a sentence and an exit code."""
    outcome = await sandbox.run(tmp_path, ["/no/such/program"], QUICK)
    assert outcome.exit_code == 125
    assert "cannot start /no/such/program" in outcome.output


def test_the_tail_keeps_the_last_bytes() -> None:
    """The tail is bounded and counts what it dropped."""
    tail = Tail(4)
    for part in (b"abc", b"def"):
        tail.add(part)
    assert tail.text() == "[2 bytes before this were dropped]\ncdef"
