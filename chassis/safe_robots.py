"""robots.txt (RFC 9309): what a site lets programs read, remembered per origin.

2xx: its rules hold. 4xx: there are none, everything may be read. 429 and 5xx: nothing may be read for an hour, since
the site may have rules that it cannot show. Unreachable: the site is as unreachable for a page, whose error is told.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NamedTuple

from chassis.cache import Cache
from chassis.clock import Clock
from chassis.safe_url import SafeUrl
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

if TYPE_CHECKING:
    from protego import Protego

# RFC 9309, 2.5: at least 500 KiB are read; what follows is not.
ROBOTS_BYTES_MAX = 500 * 1024
# RFC 9309, 2.4: not kept for more than a day.
TTL_SECONDS = 24 * 3600.0
TTL_FAILED_SECONDS = 3600.0
# A host that did not answer once is tried again soon: it is asked for the page anyway.
TTL_UNREACHABLE_SECONDS = 300.0
ORIGINS_MAX = 1_000
# RFC 9309, 2.3.1.2: at least five redirects are followed.
ROBOTS_REDIRECTS_MAX = 5

_OWN_REASONS = frozenset(
    {
        errors_pb2.ERROR_REASON_OVERLOADED,
        errors_pb2.ERROR_REASON_DRAINING,
        errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED,
        errors_pb2.ERROR_REASON_BREAKER_OPEN,
    }
)
_AGENT_LINE = re.compile(r"(?im)^([ \t]*user[- ]?agent[ \t]*:?[ \t]*)([^\r\n#]*)")


class RobotsText(NamedTuple):
    """The answer to a request for robots.txt; `text` is empty unless status is 200 to 299."""

    status: int
    text: str


class Rules(NamedTuple):
    """What is remembered of one origin."""

    parsed: Protego | None
    # True: nothing may be read.
    closed: bool = False
    # Why the origin could not be asked.
    error: PipelineError | None = None
    # Seconds of the clock from which on the origin is asked anew.
    until: float = math.inf


Fetch = Callable[[SafeUrl], Awaitable[RobotsText]]


class Robots:
    """Asks `fetch` for the robots.txt of each origin once, and answers for the product token `agent`."""

    def __init__(self, fetch: Fetch, cache: Cache, agent: str, clock: Clock) -> None:
        self._fetch = fetch
        self._cache = cache
        self._agent = agent
        self._clock = clock

    async def check(self, url: SafeUrl) -> float | None:
        """The pause in seconds that the site asks for, None where it names none.

        Raises UPSTREAM_FAILED with cause `robots` where the page is not to be read, and what the origin could not be
        asked for.
        """
        rules = await self._rules(url)
        if self._clock.monotonic() >= rules.until:
            await self._cache.delete(url.origin)
            rules = await self._rules(url)
        if rules.error is not None:
            known = rules.error
            raise PipelineError(known.reason, known.message, metadata=known.metadata, retry_after=known.retry_after)
        if rules.closed:
            raise _refused(url, "cannot show its robots.txt, so that nothing of it is read")
        if rules.parsed is None:
            return None
        if not rules.parsed.can_fetch(url.text, self._agent):
            raise _refused(url, "does not let programs read this page (robots.txt)")
        return rules.parsed.crawl_delay(self._agent)

    async def _rules(self, url: SafeUrl) -> Rules:
        return await self._cache.get_or_compute(url.origin, lambda: self._read(url), TTL_SECONDS)

    async def _read(self, url: SafeUrl) -> Rules:
        try:
            status, text = await self._fetch(url)
        except PipelineError as error:
            if "offline" in error.metadata or error.reason in _OWN_REASONS:
                raise  # ours, not the site's: not remembered
            rules = self._of_error(error)
        else:
            rules = await self._of_answer(status, text)
        seconds = TTL_UNREACHABLE_SECONDS if rules.error else TTL_FAILED_SECONDS if rules.closed else TTL_SECONDS
        return rules._replace(until=self._clock.monotonic() + seconds)

    def _of_error(self, error: PipelineError) -> Rules:
        # More redirects than are followed, or a body that is no text: RFC 9309 2.3.1.2 and 2.3.1.3, "unavailable".
        if error.metadata.get("cause") in ("redirect", "encoding", "malformed"):
            return Rules(None)
        return Rules(None, error=error)

    async def _of_answer(self, status: int, text: str) -> Rules:
        if status == 429 or status >= 500:
            return Rules(None, closed=True)
        if not 200 <= status < 300:
            return Rules(None)
        # Half a megabyte takes a third of a second to read.
        return Rules(await asyncio.to_thread(parse, text, self._agent))


def parse(text: str, agent: str) -> Protego:
    """The rules of a robots.txt.

    The names of other agents become one: a rule costs memory for every agent of its group, so that a hostile file of
    half a megabyte would otherwise make a hundred million of them.
    """
    from protego import Protego

    def renamed(match: re.Match[str]) -> str:
        name = match[2].strip().lower()
        ours = name == "*" or (name and name.replace("*", "") in agent.lower())
        return match[0] if ours else f"{match[1]}another-agent"

    return Protego.parse(_AGENT_LINE.sub(renamed, text))


def _refused(url: SafeUrl, why: str) -> PipelineError:
    return PipelineError(
        errors_pb2.ERROR_REASON_UPSTREAM_FAILED,
        f"{url.host} {why}",
        metadata={"upstream": url.host, "cause": "robots"},
    )
