"""For every test: nothing leaves loopback; and the target that integration tests run against."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from chassis.testing import NetworkGuard, network_guard

_GUARD = pytest.StashKey[NetworkGuard]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--pipeline-env",
        default="embedded",
        help='what integration tests run against: "embedded" (default) or the host:port of a gateway',
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_GUARD] = network_guard()
    # A test that wants answers kept on disk says so, with a folder of its own.
    os.environ.setdefault("PIPELINE_CACHE_ON_DISK", "false")
    # Whether LibreOffice is installed here decides about the tests of deck.pdf and about no other.
    os.environ.setdefault("PIPELINE_SOFFICE", "off")


@pytest.fixture(scope="session")
def pipeline_env(pytestconfig: pytest.Config) -> str:
    """What integration tests run against: "embedded" or host:port."""
    return str(pytestconfig.getoption("--pipeline-env"))


@pytest.fixture
def guard(pytestconfig: pytest.Config) -> NetworkGuard:
    """The session's network guard."""
    return pytestconfig.stash[_GUARD]


@pytest.fixture(autouse=True)
def _stays_on_loopback(guard: NetworkGuard) -> Iterator[None]:
    """Fails the test that connects or asks DNS outside of loopback, even where the refusal was swallowed."""
    guard.violations.clear()
    yield
    if guard.violations:
        pytest.fail("the test left loopback: " + "; ".join(guard.violations), pytrace=False)
