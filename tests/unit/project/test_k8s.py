"""The manifests speak of settings, ports and modules that exist."""

import importlib
import importlib.util
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
SERVERS = ("validation", "evidence", "pitch", "campaign", "mvp", "gateway")
SHARED = ROOT / "k8s/base/pod.yaml"
EXPORT = ROOT / "k8s/components/jaeger/export.yaml"


def container(path: Path) -> dict[str, Any]:
    """The server's container of a Deployment file."""
    (found,) = yaml.safe_load(path.read_text())["spec"]["template"]["spec"]["containers"]
    return found


def config(server: str) -> Any:
    """The server's configuration class."""
    module = "gateway.config" if server == "gateway" else f"services.{server}.config"
    return getattr(importlib.import_module(module), f"{server.capitalize()}Config")


@pytest.mark.parametrize("server", SERVERS)
def test_every_variable_is_a_setting(server: str) -> None:
    """A PIPELINE_* variable in a manifest names a field of that server's configuration."""
    fields = {f"PIPELINE_{name}".upper() for name in config(server).model_fields}
    files = (ROOT / f"k8s/base/{server}/deployment.yaml", SHARED, EXPORT)
    assert {entry["name"] for path in files for entry in container(path).get("env", ())} <= fields


@pytest.mark.parametrize("server", SERVERS)
def test_the_command_is_a_module_and_the_port_its_default(server: str) -> None:
    """The container runs an existing module, and its port is the one the code listens on by default."""
    found = container(ROOT / f"k8s/base/{server}/deployment.yaml")
    assert found["args"][0] == "-m"
    assert importlib.util.find_spec(f"{found['args'][1]}.__main__") is not None
    port = int(config(server).model_fields["listen"].default.rsplit(":")[-1])
    assert next(entry["containerPort"] for entry in found["ports"] if entry["name"] == "grpc") == port
    assert {found[probe]["grpc"]["port"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")} == {port}


def test_the_gateway_knows_every_phase() -> None:
    """Each target leads to a headless Service of that name and port."""
    targets = {
        entry["name"]: entry["value"]
        for entry in container(ROOT / "k8s/base/gateway/deployment.yaml")["env"]
        if entry["name"].endswith("_TARGET")
    }
    assert len(targets) == len(SERVERS) - 1
    for name, target in targets.items():
        phase = name.removeprefix("PIPELINE_").removesuffix("_TARGET").lower()
        service = next(yaml.safe_load_all((ROOT / f"k8s/base/{phase}/service.yaml").read_text()))
        assert service["spec"]["clusterIP"] == "None"
        assert target == f"dns:///{service['metadata']['name']}:{service['spec']['ports'][0]['port']}"
