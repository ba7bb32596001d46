"""What is really run before a project is handed over: three sandboxed programs, one `MvpCheck` per fact.

    static   compiles, imports, lint
    boot     boots, health, pages, stops
    tests    tests, and acceptance:<feature> for each feature

A check that could not run is SKIPPED with its reason; one FAILED or SKIPPED check (but the linter's absence) makes the
whole project FAILED.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from google.protobuf.duration_pb2 import Duration

from chassis.telemetry import ATTR_OUTCOME, SPAN_SANDBOX, Telemetry
from pipeline.v1 import common_pb2, mvp_pb2
from services.mvp.domain.spec import Plan
from services.mvp.sandbox import Isolation, Limits, Outcome, Sandbox

PASSED: Final = mvp_pb2.CHECK_STATUS_PASSED
FAILED: Final = mvp_pb2.CHECK_STATUS_FAILED
SKIPPED: Final = mvp_pb2.CHECK_STATUS_SKIPPED

ATTR_CHECK: Final = "pipeline.mvp.check"
ATTR_CPU: Final = "pipeline.sandbox.cpu_seconds"
ATTR_MEMORY: Final = "pipeline.sandbox.memory_peak_bytes"
ATTR_LEVEL: Final = "pipeline.sandbox.level"
SPAN_CHECK: Final = "mvp.check"

LOG_BYTES_MAX: Final = 64 * 1024
BOOT_SECONDS: Final = 15.0
OPTIONAL: Final = frozenset({"lint"})
"""May be skipped without failing the project: the linter is no part of what runs."""

WEB_MODULES: Final = ("fastapi", "httpx", "jinja2", "pydantic", "pytest", "python_multipart", "uvicorn")
SITE_MODULES: Final = ("pytest",)

_PROBES: Final = Path(__file__).parent / "probes"

Report = Callable[[mvp_pb2.MvpCheck], Awaitable[None]]


@dataclass
class Verified:
    """What the checks found."""

    checks: list[mvp_pb2.MvpCheck] = field(default_factory=list)
    isolation: Isolation | None = None
    log: list[str] = field(default_factory=list)
    sandbox_seconds: float = 0.0
    cpu_seconds: float = 0.0
    memory_peak_bytes: int = 0

    @property
    def passed(self) -> bool:
        """True when every check was run and passed; the linter may be absent."""
        ran = [check for check in self.checks if check.status != SKIPPED or check.name not in OPTIONAL]
        return bool(ran) and all(check.status == PASSED for check in ran)

    @property
    def log_tail(self) -> str:
        """End of all output, at most 64 KiB of UTF-8."""
        raw = "\n".join(self.log).encode("utf-8", "replace")
        return raw[-LOG_BYTES_MAX:].decode("utf-8", "ignore")


async def verify(
    files: Mapping[str, bytes], plan: Plan, sandbox: Sandbox, telemetry: Telemetry, limits: Limits, report: Report
) -> Verified:
    """Runs every check on `files`, reporting each as it ends. Cancelling kills what runs and removes the copy."""
    run = _Run(plan, sandbox, telemetry, limits, report)
    lacking = [name for name in _needed(plan) if importlib.util.find_spec(name) is None]
    if lacking:
        detail = f"{', '.join(lacking)} not installed with this server: pip install 'startup-idea-pipeline[mvp]'"
        await run.add("toolchain", FAILED, detail)
        return run.found
    with tempfile.TemporaryDirectory(prefix="mvp-build-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        await asyncio.get_running_loop().run_in_executor(None, _write, folder, files)
        await run.static(folder)
        if any(check.name == "compiles" and check.status != PASSED for check in run.found.checks):
            await run.skip("it does not compile")
            return run.found
        await run.boot(folder)
        await run.tests(folder)
    return run.found


class _Run:
    """The checks of one project."""

    def __init__(self, plan: Plan, sandbox: Sandbox, telemetry: Telemetry, limits: Limits, report: Report) -> None:
        self._plan = plan
        self._sandbox = sandbox
        self._telemetry = telemetry
        self._limits = limits
        self._report = report
        self.found = Verified()

    async def static(self, folder: Path) -> None:
        """Compiles, imports, lint."""
        ruff = _linter()
        result, outcome = await self._probe("static", folder, [ruff])
        words: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
            "compiles": lambda f: (
                f"{f['modules']:g} modules compile" if f["passed"] else f"{f['broken']:g} modules are broken"
            ),
            "imports": lambda f: (
                "every import is declared" if f["passed"] else f"{f['undeclared']:g} imports are not declared"
            ),
            "lint": lambda f: "ruff finds nothing" if f["passed"] else f"ruff finds {f['findings']:g}",
        }
        for name, describe in words.items():
            await self._add_from(name, result.get(name), describe, outcome)

    async def boot(self, folder: Path) -> None:
        """Boots, health, pages, stops."""
        landing = not self._plan.entities
        command = ["{python}", "-m", "http.server", "--bind", "127.0.0.1", "--directory", "site", "{port}"]
        wanted = {
            "command": command if landing else ["{python}", "-m", "app"],
            "environment": {} if landing else {"DATABASE": ":memory:", "HOST": "127.0.0.1"},
            "health": "/index.html" if landing else "/health",
            "pages": list(self._plan.spec.pages),
            "limit": min(BOOT_SECONDS, self._limits.wall_seconds / 2),
            # The standard library's file server has no handler: SIGTERM ends it by the signal.
            "exits": [-15] if landing else [0, -15],
        }
        result, outcome = await self._probe("boot", folder, [json.dumps(wanted)])
        words: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
            "boots": lambda f: f"answers after {f['seconds']:.1f} s" if f["passed"] else _not_booted(f),
            "health": lambda f: f"status {f['status']:g} in {f['seconds'] * 1000:.0f} ms",
            "pages": lambda f: f"{f['answered']:g} of {f['asked']:g} pages answer",
            "stops": lambda f: (
                f"ends {f['seconds']:.1f} s after SIGTERM" if f["passed"] else f"exit code {f['exit']:g} after SIGTERM"
            ),
        }
        for name, describe in words.items():
            await self._add_from(name, result.get(name), describe, outcome, "it did not boot" if result else "")

    async def tests(self, folder: Path) -> None:
        """The project's own tests, and per feature those that its acceptance criteria name."""
        result, outcome = await self._probe("tests", folder, [])
        cases = {(str(m), str(n)): (str(o), float(s)) for m, n, o, s in result.get("cases", [])}
        counts = {kind: sum(o == kind for o, _ in cases.values()) for kind in ("passed", "failed", "skipped")}
        passed = result.get("exit") == 0 and counts["passed"] > 0 and not counts["failed"] and not outcome.timed_out
        seconds = float(result.get("seconds", outcome.wall_seconds))
        detail = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count or kind == "passed")
        await self.add(
            "tests",
            PASSED if passed else FAILED,
            f"{detail} in {seconds:.1f} s" if result else outcome.ended,
            seconds,
            {f"tests_{kind}": float(count) for kind, count in counts.items()},
            result.get("started_ns"),
        )
        for feature in self._plan.features:
            wanted = [(f"test_{module}", criterion.test) for module, criterion in feature.criteria]
            ends = [cases.get(key, ("not run", 0.0)) for key in wanted]
            met = sum(end == "passed" for end, _ in ends)
            unmet = [name for (_, name), (end, _) in zip(wanted, ends, strict=True) if end != "passed"]
            await self.add(
                f"acceptance:{feature.id}",
                PASSED if wanted and not unmet else FAILED,
                f"{met} of {len(wanted)} criteria met" + (f"; not: {', '.join(unmet)}" if unmet else ""),
                sum(took for _, took in ends),
                {"criteria": float(len(wanted)), "criteria_met": float(met)},
                result.get("started_ns"),
            )

    async def skip(self, reason: str) -> None:
        """Names what was not run."""
        for name in ("boots", "tests", *(f"acceptance:{feature.id}" for feature in self._plan.features)):
            await self.add(name, SKIPPED, f"not run: {reason}")

    async def add(
        self,
        name: str,
        status: mvp_pb2.CheckStatus.ValueType,
        detail: str,
        seconds: float = 0.0,
        measures: Mapping[str, float] | None = None,
        started_ns: int | None = None,
    ) -> None:
        """Keeps a check, gives it a span of the time it took, and reports it."""
        duration = Duration()
        duration.FromNanoseconds(max(int(seconds * 1e9), 0))
        check = mvp_pb2.MvpCheck(
            name=name, status=status, duration=duration, detail=detail[:1000], measures=measures or {}
        )
        outcome = mvp_pb2.CheckStatus.Name(status).removeprefix("CHECK_STATUS_").lower()
        span = self._telemetry.tracer.start_span(
            SPAN_CHECK, start_time=started_ns, attributes={ATTR_CHECK: name, ATTR_OUTCOME: outcome}
        )
        span.end(started_ns + duration.ToNanoseconds() if started_ns is not None else None)
        self.found.checks.append(check)
        await self._report(check)

    async def _add_from(
        self,
        name: str,
        facts: Mapping[str, Any] | None,
        describe: Callable[[Mapping[str, Any]], str],
        outcome: Outcome,
        why_not: str = "",
    ) -> None:
        if facts is None:
            status = SKIPPED if why_not else FAILED
            await self.add(name, status, f"not run: {why_not}" if why_not else outcome.ended, outcome.wall_seconds)
        elif "skipped" in facts:
            await self.add(name, SKIPPED, str(facts["skipped"]))
        else:
            numbers = {
                key: float(value)
                for key, value in facts.items()
                if isinstance(value, int | float) and not isinstance(value, bool) and key != "started_ns"
            }
            status = PASSED if facts["passed"] is True else FAILED
            await self.add(name, status, describe(facts), numbers.get("seconds", 0.0), numbers, facts.get("started_ns"))

    async def _probe(self, name: str, folder: Path, arguments: Sequence[str]) -> tuple[dict[str, Any], Outcome]:
        """Runs one program in the sandbox; its result is empty when it wrote none."""
        source = (_PROBES / f"{name}.py").read_text(encoding="utf-8")
        with self._telemetry.span(SPAN_SANDBOX, {ATTR_CHECK: name}) as span:
            outcome = await self._sandbox.run(
                folder,
                [sys.executable, "-c", source, *arguments],
                self._limits,
                environment={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            )
            span.set_attributes(
                {
                    ATTR_OUTCOME: outcome.ended,
                    ATTR_CPU: outcome.cpu_seconds,
                    ATTR_MEMORY: outcome.memory_peak_bytes,
                    ATTR_LEVEL: outcome.isolation.level,
                }
            )
        found = self.found
        found.isolation = outcome.isolation
        found.sandbox_seconds += outcome.wall_seconds
        found.cpu_seconds += outcome.cpu_seconds
        found.memory_peak_bytes = max(found.memory_peak_bytes, outcome.memory_peak_bytes)
        found.log.append(f"== {name} ({outcome.ended}, {outcome.wall_seconds:.1f} s)\n{outcome.output.rstrip()}\n")
        try:
            result = json.loads(outcome.result) if outcome.result else {}
        except ValueError:
            result = {}
        return (result if isinstance(result, dict) else {}), outcome


def _not_booted(facts: Mapping[str, Any]) -> str:
    code = facts.get("exit")
    if code is not None:
        return f"ended with code {code} before it answered"
    return f"no answer within {facts['seconds']:.0f} s"


def _needed(plan: Plan) -> Sequence[str]:
    return SITE_MODULES if plan.spec.type == common_pb2.MVP_TYPE_LANDING_PAGE else WEB_MODULES


def _linter() -> str:
    """Where ruff is, or nothing."""
    beside = Path(sys.executable).parent / "ruff"
    return str(beside) if beside.exists() else shutil.which("ruff") or ""


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
