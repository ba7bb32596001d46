"""Figures and a drafter for the campaign's tests."""

from __future__ import annotations

import pytest

from chassis.figures import Figures
from services.campaign.drafting import Drafter
from services.campaign.rendering import PageRenderer, Signup


@pytest.fixture(scope="session")
def figures() -> Figures:
    return Figures.load()


@pytest.fixture(scope="session")
def drafter(figures: Figures) -> Drafter:
    """A drafter as the server builds it without settings."""
    return Drafter(figures, PageRenderer(), Signup())
