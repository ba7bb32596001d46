"""The contract: well-formed, guarded, and the same in protos/ and in the committed stubs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROTOS = sorted((ROOT / "protos").rglob("*.proto"))
BIN = Path(sys.executable).parent


def generate(into: Path) -> None:
    """Run the same generator as `make proto`."""
    subprocess.run(
        [
            sys.executable, "-m", "grpc_tools.protoc", f"-I{ROOT / 'protos'}",
            f"--python_out={into}", f"--grpc_python_out={into}",
            f"--plugin=protoc-gen-mypy={BIN / 'protoc-gen-mypy'}",
            f"--plugin=protoc-gen-mypy_grpc={BIN / 'protoc-gen-mypy_grpc'}",
            f"--mypy_out=quiet:{into}", f"--mypy_grpc_out=quiet:{into}",
            *[str(path) for path in PROTOS],
        ],
        check=True,
    )  # fmt: skip


def test_the_stubs_are_what_the_protos_generate(tmp_path: Path) -> None:
    """Stubs and protos never drift: `make proto` would change nothing."""
    pytest.importorskip("grpc_tools")
    generate(tmp_path)
    generated = {path.name: path.read_bytes() for path in (tmp_path / "pipeline/v1").iterdir()}
    committed = {
        path.name: path.read_bytes()
        for path in (ROOT / "pipeline/v1").iterdir()
        if path.suffix in (".py", ".pyi") and path.name != "__init__.py"
    }
    assert committed == generated


def test_buf_finds_nothing_to_mend() -> None:
    """The protos pass buf's STANDARD rules and are formatted."""
    buf = BIN / "buf"
    if not buf.exists():
        pytest.skip("buf is a development dependency: make test installs it")
    subprocess.run([buf, "lint", "protos", "--config", ".buf.yaml"], cwd=ROOT, check=True)
    subprocess.run([buf, "format", "protos", "--diff", "--exit-code"], cwd=ROOT, check=True)


@pytest.mark.parametrize("path", PROTOS, ids=lambda path: path.name)
def test_a_client_needs_nothing_but_protoc(path: Path) -> None:
    """Only the project's own files and protobuf's well-known types are imported."""
    imported = re.findall(r'^import "([^"]+)"', path.read_text(), re.MULTILINE)
    assert [name for name in imported if not name.startswith(("pipeline/v1/", "google/protobuf/"))] == []


@pytest.mark.parametrize("path", PROTOS, ids=lambda path: path.name)
def test_services_come_first_and_enums_last(path: Path) -> None:
    """Files read top down: services, then messages, then enums."""
    kinds = re.findall(r"^(service|message|enum) ", path.read_text(), re.MULTILINE)
    assert kinds == sorted(kinds, key=("service", "message", "enum").index)
