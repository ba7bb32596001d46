"""Which questions are put to which source: those that fit, each once, and no more than its operator bears in a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.evidence.domain.model import Query


@dataclass
class Question:
    """What one source is asked, and for whom: the answer serves every query that would have asked the same."""

    # Everything that the answer depends on, as the provider sees it.
    key: str
    # The first of the queries: what is sent.
    query: Query
    wanted: list[Query] = field(default_factory=list)


def questions(queries: Sequence[tuple[str, Query]]) -> list[Question]:
    """Return each question once, in the order of the first query that asks it; the input pairs key and query."""
    found: dict[str, Question] = {}
    for key, query in queries:
        found.setdefault(key, Question(key, query)).wanted.append(query)
    return list(found.values())


def within(asked: Sequence[Question], limit: int) -> list[Question]:
    """Return at most `limit` questions: one for each kind of claim in turn, so that none crowds out the others.

    >>> [q.key for q in within([], 3)]
    []
    """
    if len(asked) <= limit:
        return list(asked)
    by_kind: dict[int, list[Question]] = {}
    for question in asked:
        by_kind.setdefault(question.query.kind, []).append(question)
    turns = [group[turn] for turn in range(len(asked)) for group in by_kind.values() if turn < len(group)]
    kept = {id(question) for question in turns[:limit]}
    return [question for question in asked if id(question) in kept]
