"""What the web searches have in common: a claim's words go out, results come back as leads to pages."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from chassis.http_answer import HttpResponse
from chassis.pool import HttpPool
from services.evidence.domain.model import Found, Query
from services.evidence.providers import leads
from services.evidence.providers.base import Access
from services.evidence.providers.refusals import Rest


@dataclass(frozen=True)
class Result:
    """What a result says, as it came; all but `engine` and `author` is still to be checked."""

    # "Brave Search": whom the reader is told that it is a result of.
    engine: str
    url: object
    title: object
    excerpt: object
    date: object
    author: str = ""


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
        results = map(self._result, self._results(response)[: leads.HITS])
        return [lead for place, result in enumerate(results, 1) if (lead := self._lead(result, place)) is not None]

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
    def _result(self, row: dict[str, Any]) -> Result:
        """One of them, its fields by what they mean."""

    def _lead(self, result: Result, place: int) -> Found | None:
        return leads.lead(
            self.name,
            result.engine,
            url=result.url,
            title=result.title,
            snippet=result.excerpt,
            place=place,
            published_at=leads.moment(result.date, self._clock.now()),
            author=result.author,
        )


def needs_key(setting: str) -> Callable[[Access], str]:
    """For `Source.lacks`: the provider is not asked without its key."""
    return lambda access: "" if access.key else f"{setting} is empty"
