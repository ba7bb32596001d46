"""Served processes for tests that need real ones."""

from collections.abc import Iterator

import pytest

from tests.support.served import Served, start_served, stop_served


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Six processes on loopback, shared by the tests that only call them."""
    running = start_served(tmp_path_factory.mktemp("served"))
    yield running
    stop_served(running)
