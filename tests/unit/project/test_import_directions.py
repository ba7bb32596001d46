"""Who may import whom: design.md section 2, checked on the syntax trees."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
OURS = ("pipeline", "chassis", "services", "gateway")
PHASES = ("validation", "evidence", "pitch", "campaign", "mvp")


def modules(folder: str) -> Iterator[Path]:
    """Every module below a folder, templates of generated projects excepted."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        if "templates" not in path.parts:
            yield path


def imports(path: Path) -> Iterator[str]:
    """Dotted names that a module imports, wherever it does."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def violations(folder: str, allowed: tuple[str, ...]) -> list[str]:
    """Imports of ours that the folder may not make."""
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(folder)
        for name in imports(path)
        if name.split(".")[0] in OURS and not name.startswith(allowed)
    ]


def test_chassis_leans_on_the_contract_and_the_errors_only() -> None:
    """The chassis knows neither services nor gateway."""
    assert violations("chassis", ("chassis", "pipeline.v1", "pipeline.errors")) == []


@pytest.mark.parametrize("phase", PHASES)
def test_a_service_never_imports_a_sibling(phase: str) -> None:
    """A phase knows the chassis and the contract, never another phase, the gateway or the SDK."""
    allowed = (f"services.{phase}", "chassis", "pipeline.v1", "pipeline.errors")
    assert violations(f"services/{phase}", allowed) == []


def test_the_gateway_never_imports_a_service() -> None:
    """The gateway reaches phases over the wire alone."""
    assert violations("gateway", ("gateway", "chassis", "pipeline.v1", "pipeline.errors")) == []


def test_only_the_embedded_runner_imports_servers() -> None:
    """In the SDK nothing but embedded.py leans on services or gateway."""
    offenders = [
        f"{path.name} imports {name}"
        for path in modules("pipeline")
        if path.name != "embedded.py" and "v1" not in path.parts
        for name in imports(path)
        if name.startswith(("services.", "gateway."))
    ]
    assert offenders == []


@pytest.mark.parametrize("phase", PHASES)
def test_domains_do_no_io_and_know_no_grpc(phase: str) -> None:
    """Domain modules are pure: no gRPC, HTTP, database, process or file access."""
    banned = ("grpc", "aiohttp", "sqlalchemy", "aiosqlite", "socket", "subprocess", "asyncio", "httpx", "opentelemetry")
    offenders = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(f"services/{phase}/domain")
        for name in imports(path)
        if name.split(".")[0] in banned
    ]
    assert offenders == []


def test_the_plan_needs_only_the_standard_library() -> None:
    """gateway/plan.py is data and a pure function over it."""
    foreign = [
        name for name in imports(ROOT / "gateway/plan.py") if name.split(".")[0] not in (*sys.stdlib_module_names,)
    ]
    assert foreign == []


def test_the_root_holds_only_what_the_design_names() -> None:
    """No stray file or folder at the root."""
    named = {
        "Makefile", "README.md", "LICENSE", "CONTRIBUTING.md", "SECURITY.md", "pyproject.toml", "protos", "pipeline",
        "chassis", "services", "gateway", "k8s", "clients", "tests", "bench", "docs",
    }  # fmt: skip
    import subprocess

    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split("\0")
    if listed == [""]:
        pytest.skip("not a git checkout")
    tops = {name.split("/")[0] for name in listed if name}
    assert {name for name in tops if not name.startswith(".")} <= named


@pytest.mark.parametrize("folder", OURS)
def test_modules_stay_small_enough_to_hold_in_the_head(folder: str) -> None:
    """No module of ours is longer than 400 lines; generated stubs are not ours."""
    long = {
        str(path.relative_to(ROOT)): length
        for path in modules(folder)
        if "v1" not in path.parts and (length := len(path.read_text().splitlines())) > 400
    }
    assert long == {}
