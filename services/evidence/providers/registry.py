"""Every provider of the outside world, in the order in which results list them. A new one is a line here."""

from __future__ import annotations

from services.evidence.providers import (
    brave,
    gdelt,
    github,
    hackernews,
    npm,
    pypistats,
    searxng,
    serper,
    stackexchange,
    tavily,
)
from services.evidence.providers.base import Source

SOURCES: tuple[Source, ...] = (
    hackernews.SOURCE,
    stackexchange.SOURCE,
    github.SOURCE,
    gdelt.SOURCE,
    npm.SOURCE,
    pypistats.SOURCE,
    searxng.SOURCE,
    brave.SOURCE,
    tavily.SOURCE,
    serper.SOURCE,
)
