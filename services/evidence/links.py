"""Do the addresses that a result cites still answer? A source that nobody can open convinces nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

from chassis.clock import Clock
from chassis.deadline import share_of_time
from chassis.resilience import timed
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2
from services.evidence.domain.model import Candidate, Found

Check = Callable[[str], Awaitable[common_pb2.LinkStatus.ValueType]]

# Longest wait for all addresses together, and the share of what is left of the call's time; what has not answered by
# then is unknown, not dead.
CHECK_SECONDS = 10.0
CHECK_SHARE = 0.3
USELESS = frozenset({common_pb2.LINK_STATUS_DEAD, common_pb2.LINK_STATUS_BLOCKED})


def known_status(found: Found) -> common_pb2.LinkStatus.ValueType | None:
    """The state of a source's address where reading it has told; None where it has to be looked at."""
    if not found.url.startswith(("http://", "https://")):
        return common_pb2.LINK_STATUS_UNSPECIFIED
    if found.origin == common_pb2.TEXT_ORIGIN_FETCHED_PAGE:
        return common_pb2.LINK_STATUS_ALIVE
    if found.origin == common_pb2.TEXT_ORIGIN_API_RECORD:
        return common_pb2.LINK_STATUS_LISTED
    return None


async def look(
    chosen: Iterable[Candidate], check: Check | None, clock: Clock, seen: Mapping[str, common_pb2.LinkStatus.ValueType]
) -> dict[str, common_pb2.LinkStatus.ValueType]:
    """Return the state of each address, by address; `seen` holds what is known already. `check=None`: nobody looks."""
    states = dict(seen)
    open_: list[str] = []
    for candidate in chosen:
        url = candidate.found.url
        if url in states or url in open_:
            continue
        known = known_status(candidate.found)
        if known is not None:
            states[url] = known
        elif check is None:
            states[url] = common_pb2.LINK_STATUS_UNSPECIFIED
        else:
            open_.append(url)
    if check is not None and open_:
        op = timed(check, share_of_time(CHECK_SECONDS, CHECK_SHARE), clock, name="address")
        answers = await asyncio.gather(*(op(url) for url in open_), return_exceptions=True)
        for url, answer in zip(open_, answers, strict=True):
            if isinstance(answer, BaseException) and not isinstance(answer, PipelineError):
                raise answer
            states[url] = common_pb2.LINK_STATUS_UNKNOWN if isinstance(answer, PipelineError) else answer
    return states
