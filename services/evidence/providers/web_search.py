"""What the four web searches have in common: a claim's words go out, results come back as leads to pages."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from chassis.http_answer import HttpResponse
from chassis.pool import HttpPool
from services.evidence.domain.model import Found, Query
from services.evidence.providers import leads
from services.evidence.providers.base import Access
from services.evidence.providers.refusals import Rest


class WebSearch(ABC):
    """A web search; its file says how the engine is asked, what its refusals mean and where the results are."""

    name: ClassVar[str]
    path: ClassVar[str]
    offline = False

    def __init__(self, pool: HttpPool, access: Access) -> None:
        self._pool = pool
        self._url = access.url.rstrip("/") + self.path
        self._key = access.key
        self._clock = access.clock
        self._rest = Rest(self.name, access.clock)

    def covers(self, query: Query) -> bool:
        return bool(leads.web_words(query))

    def key(self, query: Query) -> str:
        return f"{self._url}|{leads.web_words(query)}|{leads.LANGUAGE}|{leads.HITS}"

    async def search(self, query: Query) -> Sequence[Found]:
        self._rest.check()
        response = await self._ask(leads.web_words(query), query.reuse_connections)
        if response.status >= 300:
            raise self._refusal(response)
        results = self._results(response)[: leads.HITS]
        return [found for place, row in enumerate(results, start=1) if (found := self._lead(row, place)) is not None]

    @abstractmethod
    async def _ask(self, words: str, reuse_connections: bool) -> HttpResponse:
        """Sends the question; answers that only the engine's own error body explains come back like good ones."""

    @abstractmethod
    def _refusal(self, response: HttpResponse) -> Exception:
        """What an answer without success means; begins the rest that it asks for."""

    @abstractmethod
    def _results(self, response: HttpResponse) -> list[dict[str, Any]]:
        """The results of a good answer, best first. Raises UPSTREAM_FAILED where it has none of that shape."""

    @abstractmethod
    def _lead(self, row: dict[str, Any], place: int) -> Found | None:
        """One result; `place` counts from 1."""


def needs_key(setting: str) -> Callable[[Access], str]:
    """For `Source.lacks`: the provider is not asked without its key."""
    return lambda access: "" if access.key else f"{setting} is empty"
