"""Documentation speaks of files, verbs, options and settings that exist."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from pipeline.cli import app
from services.campaign.config import CampaignConfig

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
TOPS = ("protos/", "pipeline/", "chassis/", "services/", "gateway/", "k8s/", "clients/", "tests/", "bench/", "docs/")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_named_exists(page: Path) -> None:
    """A path in backticks or in a link leads to a file or folder of the project."""
    text = page.read_text()
    named = [path for path in re.findall(r"`([\w./-]+)`", text) if path.startswith(TOPS)]
    linked = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    missing = [path for path in named if not (ROOT / path).exists()]
    missing += [link for link in linked if not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_verb_named_exists(page: Path) -> None:
    """`make x` is a verb of the Makefile."""
    verbs = set(re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z0-9]+)", page.read_text(), re.MULTILINE))
    assert named <= verbs


def test_the_makefile_explains_every_verb() -> None:
    """Each phony verb has a line in `make help`."""
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony is not None
    explained = set(re.findall(r"^([a-z0-9]+):.*## ", makefile, re.MULTILINE))
    assert set(phony.group(1).split()) == explained


def test_every_setting_of_campaigns_exists() -> None:
    """A PIPELINE_ variable of docs/campaigns.md is a field of the campaign server's settings, or of every server's."""
    named = set(re.findall(r"PIPELINE_([A-Z_]+)", (ROOT / "docs/campaigns.md").read_text()))
    assert named
    assert {name.lower() for name in named} <= set(CampaignConfig.model_fields)


def test_every_command_of_campaigns_exists() -> None:
    """`pipeline campaign x --option` is a command with that option."""
    commands = get_command(app).commands["campaign"].commands  # type: ignore[attr-defined]
    lines = re.findall(r"^(?:\$ )?pipeline campaign (\w+)(.*)$", (ROOT / "docs/campaigns.md").read_text(), re.MULTILINE)
    assert {name for name, _ in lines} == set(commands) - {"list"}
    for name, rest in lines:
        options = {option for parameter in commands[name].params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= options, name


def test_every_command_in_the_readme_exists() -> None:
    """`pipeline x --option` is a command of the CLI with that option."""
    commands = get_command(app).commands  # type: ignore[attr-defined]
    lines = re.findall(r"^pipeline (\w+)(.*)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert lines
    for name, rest in lines:
        options = {option for parameter in commands[name].params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= options, name
