"""Query planning: a text model proposes words to search each claim with. Twin: the queries as they are.

The claims are the founder's text and so are fenced as data. What comes back is read by `domain.phrases`: it can add
search words, nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from chassis.models.text import Message
from chassis.models.use import ModelUse
from services.evidence.domain.model import Query
from services.evidence.domain.phrases import PHRASE_CHARS_MAX, PHRASES_MAX, PHRASES_PER_CLAIM, widen

STEP = "search phrases"
# Claims in one question: more in one answer and small models lose count.
CLAIMS_PER_QUESTION = 6
_TOKENS_PER_CLAIM = 80
# All of the searching and reading is still to come.
_TIME_SHARE = 0.2

_TASK = (
    "You plan literature and web searches. For each numbered claim, write up to {per_claim} short search phrases "
    "(2 to 6 plain words, in the claim's language) that would find evidence for or against it: synonyms, the field's "
    "own term, a wider or narrower word. Do not repeat the claim. Answer with the claim's number and its phrases."
)


class _Phrases(BaseModel):
    model_config = ConfigDict(extra="forbid")

    # An enumeration: servers that write by a grammar keep to it, to a range they do not.
    number: Literal[1, 2, 3, 4, 5, 6]
    phrases: list[Annotated[str, StringConstraints(max_length=PHRASE_CHARS_MAX)]] = Field(max_length=4)


class SearchPlan(BaseModel):
    """Search phrases for each numbered claim."""

    model_config = ConfigDict(extra="forbid")

    claims: list[_Phrases] = Field(max_length=CLAIMS_PER_QUESTION)


async def plan(
    queries: Sequence[Query], use: ModelUse, *, per_claim: int = PHRASES_PER_CLAIM, most: int = PHRASES_MAX
) -> list[Query]:
    """Return the queries, and further ones with the model's search words; without a model, the queries unchanged."""
    claims = {query.claim_id: query.text for query in queries}
    if not use.asks or not claims or per_claim < 1:
        return list(queries)
    ids = list(claims)
    parts = [ids[start : start + CLAIMS_PER_QUESTION] for start in range(0, len(ids), CLAIMS_PER_QUESTION)]
    answers = await asyncio.gather(*(_ask(part, claims, use, per_claim) for part in parts))
    proposals: dict[str, list[str]] = {}
    for part, answer in zip(parts, answers, strict=True):
        for entry in answer.claims if answer else ():
            if entry.number <= len(part):
                proposals.setdefault(part[entry.number - 1], []).extend(entry.phrases)
    planned = widen(queries, proposals, per_claim=per_claim, most=most)
    added = len({(query.claim_id, query.words) for query in planned[len(queries) :]})
    use.came_of(STEP, f"{added} phrase{'s' * (added > 1)} added" if added else "no phrase was of use")
    return planned


async def _ask(part: Sequence[str], claims: dict[str, str], use: ModelUse, per_claim: int) -> SearchPlan | None:
    messages = [
        Message("system", _TASK.format(per_claim=per_claim)),
        *(Message("user", claims[claim], untrusted=True, label=f"claim {n}") for n, claim in enumerate(part, 1)),
    ]
    tokens_max = 100 + _TOKENS_PER_CLAIM * len(part)
    return await use.ask(STEP, messages, SearchPlan, tokens_max=tokens_max, time_share=_TIME_SHARE)
