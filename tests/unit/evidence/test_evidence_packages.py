"""What the registries of npm and PyPI are asked, and what their counts become."""

from __future__ import annotations

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from chassis.pool import HttpPool
from chassis.testing import ManualClock
from services.evidence.config import EvidenceConfig
from services.evidence.domain.model import IdeaFacts
from services.evidence.providers.npm import package_words
from services.evidence.providers.pypistats import packages_of
from tests.support.asked_apis import FEASIBLE, SOURCE, START, asked, coding
from tests.support.evidence_kit import CLINIC, query
from tests.support.replay import api_of, replayed


async def test_scoped_packages_stay_out_of_the_bulk() -> None:
    """Plain names are counted in one call; a scoped one has the count that the search gave."""
    async with asked("npm") as (provider, server, _):
        found = await provider.search(coding())
    assert len(server.asked) == 2
    assert "," in server.asked[1].path
    assert "@" not in server.asked[1].path
    assert any(f.title.startswith("@") for f in found)
    for source in found:
        assert source.figure is not None
        assert f"{source.figure.value:,.0f}" in source.text[slice(*source.spans[0])]


async def test_a_package_called_downloads_is_no_count() -> None:
    """A bulk answer with that name is still a bulk answer."""
    search = {"objects": [{"package": {"name": n, "description": "d"}} for n in ("downloads", "other")]}
    counts = {
        n: {"downloads": 5, "start": "2026-05-01", "end": "2026-05-30", "package": n} for n in ("downloads", "other")
    }

    async def answer(request: web.Request) -> web.Response:
        return web.json_response(search if "search" in request.path else counts)

    async with asked("npm") as (provider, server, _):
        server.answer = answer
        found = await provider.search(coding())
    assert [f.figure.segment for f in found if f.figure] == ["downloads", "other"]


async def test_a_package_name_that_is_a_path_is_not_asked_for() -> None:
    """Names from outside never shape another address."""
    names = ("../secret", "@a/../b", "a?b", "a,b", "@x", "", "ok")
    search = {"objects": [{"package": {"name": name, "description": "d"}} for name in names]}

    async def answer(request: web.Request) -> web.Response:
        return web.json_response(search if "search" in request.path else {})

    async with asked("npm") as (provider, server, _):
        server.answer = answer
        found = await provider.search(coding())
    assert [f.title for f in found] == ["ok (npm)"]
    assert [a.path for a in server.asked[1:]] == ["/downloads/point/last-month/ok"]


@given(st.lists(st.text(max_size=80), max_size=5))
def test_whatever_the_idea_says_the_registry_takes_the_words(terms: list[str]) -> None:
    """Nothing, or 2 to 64 characters."""
    words = package_words(coding(*terms, "spreadsheets"))
    assert words == "" or 2 <= len(words) <= 64


async def test_the_search_of_npm_is_at_an_address_of_its_own() -> None:
    """Two hosts, both from the settings; the key names both."""
    async with replayed(api_of("npm")) as counts, replayed(api_of("npm")) as registry:
        access = EvidenceConfig(npm_url=counts.url, npm_registry_url=registry.url).access("npm")
        pool = HttpPool("npm", clock=ManualClock(START))
        provider = SOURCE["npm"].make(pool, access)
        await provider.search(coding())
        await pool.close()
    assert [a.path for a in registry.asked] == ["/-/v1/search"]
    assert [a.path.startswith("/downloads/point/last-month/") for a in counts.asked] == [True]
    assert counts.url in provider.key(coding())
    assert registry.url in provider.key(coding())


def test_only_ideas_for_developers_are_looked_up_in_registries() -> None:
    """A clinic's scheduling tool has no packages; words that every package has are not searched with."""
    assert packages_of(query(FEASIBLE, idea=IdeaFacts(CLINIC))) == ()
    assert package_words(coding("python library", "spreadsheet validation")) == "spreadsheet validation"


@pytest.mark.parametrize(
    ("idea", "packages"),
    [
        ("A debugger for developers who use PyTorch and FastAPI", ("torch", "fastapi")),
        ("After pip install great-tables developers see their data", ("great-tables",)),
        ("A Python SDK that reads every spreadsheet", ("openpyxl", "pandas")),
        ("A code review bot", ("ruff", "pylint")),
        ("A Kotlin SDK for invoices", ()),
    ],
)
def test_packages_are_those_that_the_idea_names(idea: str, packages: tuple[str, ...]) -> None:
    """By name, by an install command, by a job; a word that is merely somebody's package is not one."""
    asked_about = query(FEASIBLE, text="x", terms=("invoice",), idea=IdeaFacts(idea))
    assert packages_of(asked_about) == packages


async def test_an_unknown_package_costs_the_other_nothing() -> None:
    """A 404 is left out, what is known stays."""

    async def answer(request: web.Request) -> web.Response:
        if "openpyxl" in request.path:
            return web.Response(status=404)
        return web.json_response({"data": {"last_month": 1_234_567, "last_week": True}, "package": "pandas"})

    async with asked("pypistats") as (provider, server, _):
        server.answer = answer
        (found,) = await provider.search(coding())
    assert (
        found.text == "Downloads of the Python package pandas from PyPI in the last month, without mirrors: 1,234,567."
    )
    assert found.figure is not None
    assert found.figure.value == 1_234_567
