"""Runs the project's own tests and hands over pytest's structured report (JUnit XML), case by case."""

import json
import os
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

REPORT = Path(os.environ["TMPDIR"]) / "junit.xml"

started, clock = time.time_ns(), time.perf_counter()
code = pytest.main(["-q", "-p", "no:cacheprovider", f"--junitxml={REPORT}", "-o", "junit_family=xunit2", "--color=no"])
seconds = time.perf_counter() - clock
cases = []
if REPORT.exists():
    for case in ElementTree.parse(REPORT).getroot().iter("testcase"):  # noqa: S314  written by the line above
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        module = case.get("classname", "").rpartition(".")[2]
        cases.append([module, case.get("name", ""), outcome, float(case.get("time", "0"))])
with os.fdopen(int(os.environ["RESULT_FD"]), "w", encoding="utf-8") as file:
    json.dump({"exit": int(code), "cases": cases, "started_ns": started, "seconds": seconds}, file)
