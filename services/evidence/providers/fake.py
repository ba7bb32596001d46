"""A provider that answers what it was told to, for tests and demonstrations."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.evidence.domain.model import Found, Query

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
