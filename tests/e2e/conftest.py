"""Served processes for tests that need real ones."""

from collections.abc import Iterator

import pytest

from tests.support.served import Served, start_served, stop_served


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Six processes on loopback, shared by the tests that only call them."""
    # A crowd behind one proxy, whose programs fill forms in at once.
    crowd = {"PIPELINE_PAGE_TRUSTED_PROXIES": "1", "PIPELINE_PAGE_FORM_SECONDS_MIN": "0"}
    running = start_served(tmp_path_factory.mktemp("served"), **crowd)
    yield running
    stop_served(running)
