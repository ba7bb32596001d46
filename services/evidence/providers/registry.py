"""Every provider of the outside world, in the order in which results list them. A new one is a line here."""

from __future__ import annotations

from services.evidence.providers import hackernews
from services.evidence.providers.base import Source

SOURCES: tuple[Source, ...] = (hackernews.SOURCE,)
