"""Compiles every module, compares imports with the declared dependencies, and runs the linter. Argument: its path."""

# ruff: noqa: T201  what is printed is the log

import ast
import json
import os
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Modules whose distribution has another name, and what a distribution brings that projects import by name.
DISTRIBUTIONS = {"multipart": "python-multipart", "_pytest": "pytest"}


def timed(check: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The check's facts with when it began (ns since the epoch) and how long it took (s)."""
    started, clock = time.time_ns(), time.perf_counter()
    facts = check()
    return {**facts, "started_ns": started, "seconds": time.perf_counter() - clock}


def compiles() -> dict[str, Any]:
    """Every module is valid Python."""
    broken = []
    for path in sources:
        try:
            trees[path] = ast.parse(path.read_bytes(), str(path))
            compile(trees[path], str(path), "exec")
        except (SyntaxError, ValueError) as error:
            broken.append(f"{path}: {error}")
            print(f"{path}: {error}")
    return {"passed": not broken and bool(sources), "modules": len(sources), "broken": len(broken)}


def imports() -> dict[str, Any]:
    """Every import is of this project, the standard library or a declared dependency."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8")).get("project", {})
    declared = [*project.get("dependencies", [])]
    for extra in project.get("optional-dependencies", {}).values():
        declared += extra
    names = {re.split(r"[=<>~!\[; ]", one, maxsplit=1)[0].lower() for one in declared} | {"pytest"}
    own = {path.name.removesuffix(".py") for path in Path().iterdir()} | {
        path.stem for path in Path("tests").glob("*.py")
    }
    undeclared = set()
    for path, tree in trees.items():
        for node in ast.walk(tree):
            found = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                found = [node.module or ""]
            for name in (one.partition(".")[0] for one in found):
                if name in sys.stdlib_module_names or name in own:
                    continue
                if DISTRIBUTIONS.get(name, name) not in names:
                    undeclared.add(name)
                    print(f"{path}: {name} is not declared in pyproject.toml")
    return {"passed": not undeclared, "declared": len(names), "undeclared": len(undeclared)}


def lint() -> dict[str, Any]:
    """The linter finds nothing, by the project's own settings."""
    ruff = sys.argv[1]
    if not ruff:
        return {"skipped": "ruff is not installed with this server"}
    run = subprocess.run(  # noqa: S603  our own linter
        [ruff, "check", "--no-cache", "--output-format", "concise", "."], capture_output=True, text=True, check=False
    )
    findings = [line for line in run.stdout.splitlines() if re.match(r".+:\d+:\d+: ", line)]
    if run.returncode != 0:
        print(run.stdout, run.stderr)
    return {"passed": run.returncode == 0, "findings": len(findings)}


sources = sorted(Path().rglob("*.py"))
trees: dict[Path, ast.Module] = {}
result = {"compiles": timed(compiles), "imports": timed(imports), "lint": timed(lint)}
with os.fdopen(int(os.environ["RESULT_FD"]), "w", encoding="utf-8") as file:
    json.dump(result, file)
