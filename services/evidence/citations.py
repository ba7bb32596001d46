"""Read cited pages again: do they still say what was quoted?"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from urllib.parse import urlsplit

from pipeline.errors import FieldViolation, PipelineError
from pipeline.v1 import common_pb2, evidence_pb2
from services.evidence.page_reading import Reader, hindrance

CITATIONS_MAX = 200

Asked = evidence_pb2.CheckCitationsRequest.Citation
Checked = evidence_pb2.CheckedCitation

_NOT_A_PAGE = {
    common_pb2.TEXT_ORIGIN_USER_DOCUMENT: "It stands in a document of the founder's own.",
    common_pb2.TEXT_ORIGIN_STARTER_SET: "It is a fact of the starter set that ships with the pipeline.",
    common_pb2.TEXT_ORIGIN_API_RECORD: "It was quoted from an API's record, not from a page.",
    common_pb2.TEXT_ORIGIN_SEARCH_SNIPPET: "It is a search engine's excerpt; its page was never read.",
}


async def check(citations: Sequence[Asked], reader: Reader | None) -> list[Checked]:
    """Return the state of each citation, in order. `reader=None`: no page can be read (offline).

    Raises PipelineError INVALID_FIELD where there are too many or one names no quote.
    """
    if len(citations) > CITATIONS_MAX:
        raise PipelineError.invalid("citations", f"has {len(citations)} citations; give at most {CITATIONS_MAX}")
    wrong = [
        FieldViolation(f"citations[{place}].quote", "is empty; give the words that were quoted")
        for place, citation in enumerate(citations)
        if not citation.quote.strip()
    ]
    if wrong:
        raise PipelineError.invalid_fields(wrong)
    # One after another of each host: its visits are spaced, and a queue for them would look like a refusal.
    turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def in_turn(citation: Asked) -> Checked:
        async with turns[_host(citation.url)]:
            return await _check(citation, reader)

    return list(await asyncio.gather(*map(in_turn, citations)))


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


async def _check(citation: Asked, reader: Reader | None) -> Checked:
    checked = Checked(id=citation.id)
    why = _NOT_A_PAGE.get(citation.text_origin)
    if why is None and not citation.url.startswith(("http://", "https://")):
        why = "It has no web address."
    if why is not None:
        checked.state, checked.detail = evidence_pb2.CITATION_STATE_NOT_A_PAGE, why
        return checked
    if reader is None:
        checked.state = evidence_pb2.CITATION_STATE_UNREACHABLE
        checked.detail = "Not read again: offline."
        return checked
    try:
        page = await reader.read(citation.url, caching=False)
    except PipelineError as error:
        checked.state = evidence_pb2.CITATION_STATE_UNREACHABLE
        checked.detail = f"The page is {hindrance(error)}."
        return checked
    checked.content_sha256 = page.content_sha256
    at = page.text.find(citation.quote)
    if at >= 0:
        checked.quote_start, checked.quote_end = at, at + len(citation.quote)
    if page.content_sha256 == citation.content_sha256:
        checked.state = evidence_pb2.CITATION_STATE_UNCHANGED
        checked.detail = "The page says what it said."
    elif at >= 0:
        checked.state = evidence_pb2.CITATION_STATE_CHANGED
        checked.detail = "The page has changed; the quote still stands in it."
    else:
        checked.state = evidence_pb2.CITATION_STATE_QUOTE_GONE
        checked.detail = "The page has changed and holds the quote no more."
    return checked
