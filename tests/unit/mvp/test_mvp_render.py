"""From plan to files."""

from __future__ import annotations

import ast
import json
import re
import sqlite3
import tomllib
from importlib import metadata
from pathlib import PurePosixPath

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.v1 import common_pb2
from services.mvp.domain.render import VERSIONS, render
from services.mvp.domain.spec import make_plan
from services.mvp.testing import IDEAS, profile

TYPES = [
    common_pb2.MVP_TYPE_LANDING_PAGE,
    common_pb2.MVP_TYPE_WEB_APP,
    common_pb2.MVP_TYPE_API_SERVICE,
    common_pb2.MVP_TYPE_PWA,
]
SHAPES = [
    "A marketplace that matches {} with {} for lessons",
    "An app that tracks {} expiry dates and suggests {}",
    "A clinic scheduling tool with reminders for {} and a waitlist for {}",
    "A platform that detects fraudulent {} for {}",
    "A tool that monitors {} and {}",
    "{} {}",
]
WEIRD = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "select", "drop table", "class", "{{ 7*7 }}", "{% raw %}", "«x»", "[% x %]", "../../etc/passwd",
            '"""', "'; --", "\\N{x}", "</script><script>alert(1)</script>", "表", "Ünïcödé", "\x00\x1b",
            "import os", "None", "id", "store", "model_dump", "a" * 200,
        ]
    ),
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(SHAPES), WEIRD, WEIRD, st.sampled_from(TYPES))
def test_any_words_give_a_project_that_compiles(
    shape: str, first: str, second: str, kind: common_pb2.MvpType.ValueType
) -> None:
    """Keywords of SQL and Python, template marks, quotes, paths and other scripts end up as data, never as code."""
    first, second = (word.encode("utf-8", "ignore").decode() for word in (first, second))
    idea = shape.format(first, second).strip() or "idea"
    words = common_pb2.IdeaProfile(
        idea=idea,
        one_liner=idea,
        names=[first],
        audiences=[first],
        entities=[second],
        problem=second,
        features=[common_pb2.Feature(id=first, title=second)],
        regulated_fields=[common_pb2.RegulatedField(field=first, advice=second)],
    )
    files = render(make_plan(words, (), kind))
    for path, content in files.items():
        assert not PurePosixPath(path).is_absolute()
        assert ".." not in PurePosixPath(path).parts
        text = content.decode("utf-8")
        if path.endswith(".py"):
            ast.parse(text, path)
        elif path.endswith(".sql"):
            sqlite3.connect(":memory:").executescript(text)
        elif path.endswith(".toml"):
            tomllib.loads(text)
        elif path.endswith(".webmanifest"):
            json.loads(text)
        elif path.endswith(".html") and not path.startswith("site/"):
            environment = jinja2.Environment(autoescape=True)
            environment.parse(text)
            # The pages are Jinja templates themselves: no word of the idea may stand in them.
            assert "alert(1)" not in text
        elif path == "site/index.html":
            assert "<script" not in text


@pytest.mark.parametrize("kind", IDEAS)
@pytest.mark.parametrize("mvp_type", TYPES)
def test_the_same_plan_gives_the_same_bytes(kind: str, mvp_type: common_pb2.MvpType.ValueType) -> None:
    """Rendering twice gives the same files, each with one newline at its end and without trailing blanks."""
    files = render(make_plan(profile(kind), (), mvp_type))
    assert files == render(make_plan(profile(kind), (), mvp_type))
    for path, content in files.items():
        assert content.endswith(b"\n"), path
        assert not content.endswith(b"\n\n"), path
        assert not re.search(rb"[ \t]+\n", content), path


@pytest.mark.parametrize("kind", IDEAS)
def test_every_criterion_has_a_test_that_quotes_it(kind: str) -> None:
    """Each acceptance criterion is the docstring of a generated test."""
    plan = make_plan(profile(kind))
    files = render(plan)
    for behaviour in plan.behaviours:
        tree = ast.parse(files[f"tests/test_{behaviour.kind}.py"])
        docs = {
            node.name: " ".join((ast.get_docstring(node) or "").split())
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef)
        }
        for criterion in behaviour.criteria:
            assert docs[criterion.test] == criterion.text


def test_an_api_has_no_trace_of_pages() -> None:
    """What is not used is not there: no templates, no forms, no page dependencies."""
    files = render(make_plan(profile("appointments"), (), common_pb2.MVP_TYPE_API_SERVICE))
    assert not [path for path in files if "html" in path or "static" in path or path.endswith(("pages.py", "panel.py"))]
    code = b"".join(content for path, content in files.items() if path.endswith((".py", ".toml")))
    assert b"jinja2" not in code
    assert b"app.panel" not in code


def test_only_an_installable_app_has_a_service_worker() -> None:
    """Manifest and service worker belong to the installable form alone."""
    web = render(make_plan(profile("expiry"), (), common_pb2.MVP_TYPE_WEB_APP))
    pwa = render(make_plan(profile("expiry"), (), common_pb2.MVP_TYPE_PWA))
    assert {path for path in pwa if path not in web} == {
        "app/static/manifest.webmanifest",
        "app/static/offline.html",
        "app/static/register.js",
        "app/static/sw.js",
    }
    assert b"manifest" not in web["app/html/base.html"]
    assert b'rel="manifest"' in pwa["app/html/base.html"]


def test_pinned_versions_are_those_that_the_checks_ran_with() -> None:
    """The project pins what is installed here, so that a passed check speaks of the same versions."""
    names = {"multipart": "python-multipart"}
    assert {name: metadata.version(names.get(name, name)) for name in VERSIONS} == VERSIONS


def test_ideas_look_different() -> None:
    """Two ideas share no entity and no dashboard module."""
    tables = [
        {entity.table for entity in make_plan(profile(kind)).entities}
        for kind in ("expiry", "fraud", "matching", "monitor")
    ]
    assert sum(len(names) for names in tables) == len(set.union(*tables))
