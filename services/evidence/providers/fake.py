"""A provider and a page reader that answer what they were told to, for tests and demonstrations."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2
from services.evidence.domain.model import Found, Query
from services.evidence.providers.pages import Page

Answer = Sequence[Found] | Exception | Callable[[Query], Sequence[Found]]


class FakeProvider:
    """Gives its answers in turn, the last one for ever; an exception is raised. Remembers the queries."""

    def __init__(self, *answers: Answer, name: str = "fake", offline: bool = True) -> None:
        self.name = name
        self.offline = offline
        self.asked: list[Query] = []
        self._answers = list(answers) or [()]

    def covers(self, query: Query) -> bool:
        return True

    def key(self, query: Query) -> str:
        return f"{query.kind}|{query.claim_id}|{query.words}"

    async def search(self, query: Query) -> Sequence[Found]:
        self.asked.append(query)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer(query) if callable(answer) else answer


class FakeReader:
    """Gives the text of pages by address, an error where one was told; an address it does not know is gone (404)."""

    def __init__(self, pages: Mapping[str, str | Page | PipelineError], now: datetime) -> None:
        self._pages = dict(pages)
        self._now = now
        self.asked: list[str] = []

    async def read(self, url: str, *, caching: bool = True) -> Page:
        """The page, as `PageReader.read`."""
        self.asked.append(url)
        page = self._pages.get(url)
        if page is None:
            page = PipelineError(
                errors_pb2.ERROR_REASON_UPSTREAM_FAILED, "the page answered 404", metadata={"status": "404"}
            )
        if isinstance(page, PipelineError):
            raise page
        if isinstance(page, Page):
            return page
        digest = hashlib.sha256(page.encode()).hexdigest()
        return Page(url, url, f"Page at {url}", page, digest, "text/html", self._now)
