"""Every provider of the outside world, in the order in which results list them. A new one is a line here."""

from __future__ import annotations

from services.evidence.providers import (
    arxiv,
    brave,
    crossref,
    gdelt,
    github,
    hackernews,
    npm,
    openalex,
    pypistats,
    searxng,
    sec,
    semantic_scholar,
    serper,
    stackexchange,
    tavily,
    wikidata,
    wikipedia,
    worldbank,
)
from services.evidence.providers.base import Source

SOURCES: tuple[Source, ...] = (
    hackernews.SOURCE,
    wikipedia.SOURCE,
    wikidata.SOURCE,
    openalex.SOURCE,
    crossref.SOURCE,
    arxiv.SOURCE,
    semantic_scholar.SOURCE,
    worldbank.SOURCE,
    sec.SOURCE,
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
