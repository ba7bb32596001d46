"""Starts the project the way its README says, asks for its health and its pages, and stops it.

Argument: JSON with `command` ("{port}" stands for the port), `environment`, `health` (path), `pages` (paths) and
`limit` (seconds until it must answer).
"""

# ruff: noqa: T201  what is printed is the log

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time

STOP_SECONDS = 5


def get(port: int, path: str) -> tuple[int, int] | None:
    """Status and body length of a GET; None while nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers={"Host": "localhost"})
        answer = connection.getresponse()
        return answer.status, len(answer.read())
    except OSError:
        return None
    finally:
        connection.close()


with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    PORT = probe.getsockname()[1]
wanted = json.loads(sys.argv[1])
command = [sys.executable if part == "{python}" else part.replace("{port}", str(PORT)) for part in wanted["command"]]
environment = {**os.environ, **wanted["environment"], "PORT": str(PORT)}
result = {}

started, clock = time.time_ns(), time.perf_counter()
process = subprocess.Popen(command, env=environment)  # noqa: S603  the project under test
answer = None
while answer is None and process.poll() is None and time.perf_counter() - clock < wanted["limit"]:
    answer = get(PORT, wanted["health"])
    if answer is None:
        time.sleep(0.02)
result["boots"] = {
    "passed": answer is not None,
    "started_ns": started,
    "seconds": time.perf_counter() - clock,
    "exit": process.poll(),
}

if answer is not None:
    started, clock = time.time_ns(), time.perf_counter()
    status, _ = get(PORT, wanted["health"]) or (0, 0)
    result["health"] = {
        "passed": status == 200,
        "status": status,
        "started_ns": started,
        "seconds": time.perf_counter() - clock,
    }
    started, clock = time.time_ns(), time.perf_counter()
    answers = {path: get(PORT, path) or (0, 0) for path in wanted["pages"]}
    bad = {path: status for path, (status, size) in answers.items() if status != 200 or size == 0}
    for path, status in bad.items():
        print(f"GET {path}: {status}")
    result["pages"] = {
        "passed": not bad,
        "answered": len(answers) - len(bad),
        "asked": len(answers),
        "started_ns": started,
        "seconds": time.perf_counter() - clock,
    }

started, clock = time.time_ns(), time.perf_counter()
if process.poll() is None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
if answer is not None:
    result["stops"] = {
        "passed": process.returncode in wanted["exits"],
        "exit": process.returncode,
        "started_ns": started,
        "seconds": time.perf_counter() - clock,
    }
with os.fdopen(int(os.environ["RESULT_FD"]), "w", encoding="utf-8") as file:
    json.dump(result, file)
