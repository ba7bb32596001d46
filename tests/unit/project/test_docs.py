"""Documentation speaks of files, verbs, options and settings that exist."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from pipeline.cli import app

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


def test_every_command_in_the_readme_exists() -> None:
    """`pipeline x --option` is a command of the CLI with that option."""
    commands = get_command(app).commands  # type: ignore[attr-defined]
    lines = re.findall(r"^pipeline (\w+)(.*)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert lines
    for name, rest in lines:
        options = {option for parameter in commands[name].params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= options, name
