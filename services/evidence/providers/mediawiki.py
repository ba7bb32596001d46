"""The action API of MediaWiki (`/w/api.php`), as Wikipedia and Wikidata speak it.

Etiquette (mediawiki.org/wiki/API:Etiquette, Wikimedia_APIs/Rate_limits): requests one after another, `maxlag=5`,
gzip, and a User-Agent with a contact; since March 2026 a global limit per minute applies, lower for callers that
do not say who they are. Errors come with HTTP 200, the header `MediaWiki-API-Error` and
`{"error": {"code", "info"}}`: `ratelimited`, and `maxlag` with a Retry-After, mean "later".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chassis.pool import HttpPool
from services.evidence.providers.base import Access
from services.evidence.providers.reading import json_of, record, string
from services.evidence.providers.refusals import malformed, refused, throttled

# Seconds of replication lag above which the servers would rather not be asked.
MAXLAG_SECONDS = 5


class Wiki:
    """The API of one wiki, as one provider asks it."""

    def __init__(self, provider: str, pool: HttpPool, access: Access) -> None:
        self._provider = provider
        self._pool = pool
        self._clock = access.clock
        self.base = access.url.rstrip("/")
        self.url = f"{self.base}/w/api.php"

    async def ask(self, params: Mapping[str, str | int], *, reuse_connections: bool) -> dict[str, Any]:
        """Return the answer of a call; raises what the API reports as UPSTREAM_RATE_LIMITED or UPSTREAM_FAILED."""
        response = await self._pool.request(
            "GET",
            self.url,
            params={"format": "json", "maxlag": MAXLAG_SECONDS, **params},
            headers={"Accept": "application/json"},
            reuse_connections=reuse_connections,
        )
        answer = json_of(self._provider, response)
        if not isinstance(answer, dict):
            raise malformed(self._provider, "with something else than an object")
        code = string(record(answer.get("error")), "code") or response.headers.get("mediawiki-api-error", "")
        if code == "maxlag":
            # The manual names 5 s as the least that a caller waits out a lag.
            raise throttled(self._provider, response, self._clock, float(MAXLAG_SECONDS))
        if code == "ratelimited":
            raise throttled(self._provider, response, self._clock)
        if code or "error" in answer:
            # A fault of the servers passes; a request that they do not take is refused every time.
            fault = code == "readonly" or code.startswith("internal_api_error")
            raise refused(self._provider, response, code, cause="fault" if fault else "refused")
        return answer
