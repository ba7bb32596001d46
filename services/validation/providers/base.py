"""The port to the ideas seen so far, and its in-memory form for tests and for runs that keep nothing."""

from __future__ import annotations

from typing import Protocol

from services.validation.domain.duplicates import StoredIdea

# Compared at most: the newest of a tenant. 5,000 of them, with 768 numbers each, take about 0.2 s to compare.
EARLIER_MAX = 5_000


class IdeaStore(Protocol):
    """Ideas by tenant and run. Implementations raise PipelineError STORAGE_UNAVAILABLE or STORAGE_FULL."""

    async def open(self) -> None:
        """Called once before the first call."""

    async def close(self) -> None:
        """Called once after the last call."""

    async def remember(self, idea: StoredIdea) -> StoredIdea:
        """Keeps the idea once per tenant and run, and returns what is kept: the first one, whoever comes later."""

    async def earlier(self, idea: StoredIdea, limit: int = EARLIER_MAX) -> list[StoredIdea]:
        """The same tenant's ideas of other runs seen before this one, newest first."""

    async def ready(self) -> bool:
        """Whether the store answers."""


class MemoryIdeaStore:
    """Keeps ideas in a dictionary."""

    def __init__(self) -> None:
        self._ideas: dict[tuple[str, str], tuple[int, StoredIdea]] = {}

    def __repr__(self) -> str:
        return f"MemoryIdeaStore({len(self._ideas)} ideas)"

    async def open(self) -> None:
        return None

    async def close(self) -> None:
        return None

    async def remember(self, idea: StoredIdea) -> StoredIdea:
        return self._ideas.setdefault((idea.tenant, idea.run), (len(self._ideas), idea))[1]

    async def earlier(self, idea: StoredIdea, limit: int = EARLIER_MAX) -> list[StoredIdea]:
        own = self._ideas.get((idea.tenant, idea.run))
        before = own[0] if own else len(self._ideas)
        rows = [
            (number, kept) for number, kept in self._ideas.values()
            if kept.tenant == idea.tenant and kept.run != idea.run and number < before
        ]  # fmt: skip
        rows.sort(key=lambda row: -row[0])
        return [kept for _, kept in rows[:limit]]

    async def ready(self) -> bool:
        return True
