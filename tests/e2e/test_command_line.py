"""The command line as a founder meets it: good output, clear refusals, nothing half-written."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

IDEA = "A mobile app that helps households waste less food by tracking expiry dates and suggesting recipes"
OUTPUT = {
    "report.html", "report.json", "evidence.json", "deck.pptx", "deck.html", "campaign/plan.json", "campaign/ads.json",
    "campaign/ads.csv", "campaign/landing-a/index.html", "campaign/landing-b/index.html", "mvp/README.md",
    "mvp-report.json", "trace.json",
}  # fmt: skip


def pipeline(*arguments: str, state: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command offline."""
    return subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *arguments],
        env={**os.environ, "PIPELINE_OFFLINE": "1", "PIPELINE_STATE_DIR": str(state), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, subprocess.CompletedProcess[str]]:
    """State folder, output folder and outcome of one run."""
    state = tmp_path_factory.mktemp("state")
    out = state / "new" / "out"
    return state, out, pipeline("run", IDEA, "--out", str(out), state=state)


def test_a_run_leaves_every_file(finished) -> None:
    """One command, and everything that was promised lies in the folder."""
    _, out, done = finished
    assert done.returncode == 0, done.stdout + done.stderr
    written = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert written >= OUTPUT
    assert json.loads((out / "report.json").read_text())["run"]["state"] == "RUN_STATE_SUCCEEDED"
    assert list(out.parent.iterdir()) == [out], "something was left beside the output"


def test_a_run_says_what_a_founder_wants_to_know(finished) -> None:
    """Verdict, reasons, where to look; no log line, no stack."""
    _, _, done = finished
    for word in ("Verdict", "evidence", "deck", "report.html", "runs/"):
        assert word in done.stdout
    assert done.stderr == ""


def test_a_stored_run_can_be_listed_watched_and_reported(finished, tmp_path: Path) -> None:
    """A later program finds the run by name, replays its events and writes its files again."""
    state, out, _ = finished
    listed = [json.loads(line) for line in pipeline("runs", "--json", state=state).stdout.splitlines()]
    (run,) = listed
    watched = pipeline("watch", run["name"], "--json", state=state)
    events = [json.loads(line) for line in watched.stdout.splitlines() if '"sequence"' in line]
    numbers = [int(event["sequence"]) for event in events]
    assert numbers == list(range(1, len(numbers) + 1))
    again = pipeline("report", run["name"], "--out", str(tmp_path / "again"), state=state)
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "again/deck.pptx").read_bytes() == (out / "deck.pptx").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "mend"),
    [
        (["run", ""], "the idea"),
        (["run", "too short"], "10"),
        (["run", "x" * 5001], "5,000"),
        (["run", IDEA, "--budget", "-1"], "--budget"),
        (["run", IDEA, "--budget", "nan"], "--budget"),
        (["run", IDEA, "--investor", "bank"], "investor"),
        (["run", IDEA, "--document", "missing.pdf"], "missing.pdf"),
        (["watch", "runs/nothing"], "runs/nothing"),
        (["report", "runs/nothing"], "runs/nothing"),
        (["ideas", "missing.txt"], "missing.txt"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else None,
)
def test_bad_input_is_refused_in_one_sentence(arguments: list[str], mend: str, tmp_path: Path) -> None:
    """Exit code 2, the field and the mend, and nothing half-written."""
    out = ["--out", str(tmp_path / "out")] if arguments[0] == "run" else []
    done = pipeline(*arguments, *out, state=tmp_path / "state")
    assert done.returncode == 2, done.stdout + done.stderr
    assert mend in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_megabyte_of_idea_is_refused_quickly(tmp_path: Path) -> None:
    """The SDK refuses it by its length; a command line cannot even carry it."""
    start = time.monotonic()
    done = pipeline("ideas", str(_file(tmp_path / "ideas.txt", "x" * 1_000_000)), state=tmp_path / "state")
    assert done.returncode == 2
    assert "5,000" in done.stderr
    assert time.monotonic() - start < 30


def test_an_output_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    """A folder that is not a run's output is refused before any work, and keeps its files."""
    precious = _file(tmp_path / "out" / "thesis.txt", "mine")
    done = pipeline("run", IDEA, "--out", str(tmp_path / "out"), state=tmp_path / "state")
    assert done.returncode == 2
    assert "--out" in done.stderr
    assert precious.read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0 and shutil.which("setpriv") is None, reason="root can write anywhere")
def test_an_output_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """A file where a folder should be: one sentence, exit code 2."""
    _file(tmp_path / "file", "")
    done = pipeline("run", IDEA, "--out", str(tmp_path / "file" / "out"), state=tmp_path / "state")
    assert done.returncode == 2
    assert "--out" in done.stderr


def test_a_corrupt_document_is_named(tmp_path: Path) -> None:
    """A PDF that is none: the document, the mend, and no run."""
    document = _file(tmp_path / "plan.pdf", "this is not a PDF")
    done = pipeline("run", IDEA, "--document", str(document), "--out", str(tmp_path / "out"), state=tmp_path / "state")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "plan.pdf" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    """`pipeline serve` starts nothing when it cannot have its ports."""
    with socket.socket() as taken:
        # Below the range that other tests' connections are given their ports from.
        port = next(port for port in range(18000, 19000, 20) if taken.connect_ex(("127.0.0.1", port)))
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        done = pipeline("serve", "--port", str(port), state=tmp_path)
    assert done.returncode == 2
    assert str(port) in done.stderr
    assert "in use" in done.stderr


def test_nobody_at_the_target_is_said_so(tmp_path: Path) -> None:
    """A gateway that does not answer is exit code 4, not a stack."""
    done = pipeline("runs", "--target", "127.0.0.1:9", state=tmp_path)
    assert done.returncode == 4, done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_is_one_sentence(tmp_path: Path) -> None:
    """A setting that cannot be read stops the start, naming the variable and the mend."""
    done = pipeline("runs", state=tmp_path, PIPELINE_LOG_LEVEL="loud")
    assert done.returncode == 2
    assert "PIPELINE_LOG_LEVEL" in done.stderr


def test_help_answers_at_once() -> None:
    """The best of five: `--help` in under 0.4 s."""
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "pipeline.cli", "--help"], capture_output=True, check=True)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.4


def _file(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_an_interrupted_ranking_leaves_no_work_behind(tmp_path: Path) -> None:
    """Ctrl-C while ideas are ranked cancels the rest: the next command of this state folder starts nothing old."""
    file = tmp_path / "ideas.txt"
    file.write_text("\n".join(f"{IDEA}, number {number}" for number in range(40)))
    ranking = subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", "ideas", str(file), "--json", "--offline"],
        env={**os.environ, "PIPELINE_STATE_DIR": str(tmp_path / "state")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert ranking.stdout is not None
    assert "batches/" in ranking.stdout.readline()
    ranking.send_signal(signal.SIGINT)
    _, said = ranking.communicate(timeout=60)
    assert ranking.returncode == 130
    assert "cancelled" in said
    listed = pipeline("runs", "--limit", "200", "--json", state=tmp_path / "state")
    states = [json.loads(line)["state"] for line in listed.stdout.splitlines()]
    assert len(states) == 40
    assert set(states) <= {"RUN_STATE_CANCELLED", "RUN_STATE_SUCCEEDED", "RUN_STATE_PARTIAL"}
    assert "RUN_STATE_CANCELLED" in states
