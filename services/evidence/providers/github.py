"""Repositories on GitHub: who builds this already, and how many people starred it.

`GET {base}/search/repositories?q=...&per_page=10`, headers `Accept: application/vnd.github+json` and
`X-GitHub-Api-Version: 2022-11-28` (docs.github.com/en/rest/search/search). Auth: none, or `Authorization: Bearer`
with a token without scopes. Paging: `page`, `per_page` up to 100, 1,000 results at most. All words must stand in
name, description, topics or README. Rate: 10 searches a minute and address, 30 with a token (`x-ratelimit-resource:
search`), requests one after another.
Errors: the limit is 403 or 429 with `x-ratelimit-remaining: 0` and `x-ratelimit-reset` (seconds since 1970);
secondary limits are 403 or 429 with Retry-After, or without any header but a body that says "secondary rate limit":
then at least a minute. 401 for a token that is not taken, 422 for words that it cannot search for.
A repository: `full_name, description, html_url, stargazers_count, license.spdx_id, pushed_at, topics, archived`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from chassis.http_answer import HttpResponse
from chassis.pool import HttpPool
from chassis.pool_errors import RETRY_AFTER_SECONDS_DEFAULT
from pipeline.v1 import common_pb2
from services.evidence.domain.model import Found, Query
from services.evidence.domain.technical import is_software
from services.evidence.providers.base import Access, Source, Terms
from services.evidence.providers.leads import web_url
from services.evidence.providers.questions import whole_words
from services.evidence.providers.reading import count, json_of, line, moment, record, rows, string, strings
from services.evidence.providers.refusals import (
    Rest,
    error_body,
    failed,
    limited,
    refused_key,
    refused_words,
    sent_at,
    wait_of,
)

PROVIDER = "github"
SETTING = "PIPELINE_GITHUB_KEY"
API_VERSION = "2022-11-28"
HITS = 10
WORDS_MAX = 3
DESCRIPTION_CHARS_MAX = 500
TOPICS_MAX = 8
# "Wait at least one minute" where a secondary limit names no time.
SECONDARY_SECONDS = 60.0
# Stars at which a repository counts fully, as in the starter directory: 100,000, each tenfold the same.
STARS_FULL_LOG10 = 5.0
KINDS = frozenset({common_pb2.CLAIM_KIND_COMPETITION, common_pb2.CLAIM_KIND_FEASIBILITY})


class GitHubProvider:
    """Searches one address in the shape of the GitHub API."""

    name = PROVIDER
    offline = False

    def __init__(self, pool: HttpPool, access: Access) -> None:
        self._pool = pool
        self._url = f"{access.url.rstrip('/')}/search/repositories"
        self._key = access.key
        self._clock = access.clock
        self._rest = Rest(PROVIDER, access.clock)

    def covers(self, query: Query) -> bool:
        words = whole_words(query, WORDS_MAX)
        # One word finds everything and nothing.
        return query.kind in KINDS and is_software(query.idea) and len(words) > 1

    def key(self, query: Query) -> str:
        return f"{self._url}|{' '.join(whole_words(query, WORDS_MAX))}|{HITS}"

    async def search(self, query: Query) -> Sequence[Found]:
        self._rest.check()
        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": API_VERSION}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        response = await self._pool.request(
            "GET",
            self._url,
            params={"q": " ".join(whole_words(query, WORDS_MAX)), "per_page": HITS},
            headers=headers,
            reuse_connections=query.reuse_connections,
            answers={401, 403, 422, 429},
        )
        if response.status >= 300:
            raise self._refusal(response)
        items = rows(PROVIDER, json_of(PROVIDER, response), "items")
        if response.headers.get("x-ratelimit-remaining") == "0":
            self._rest.begin(self._until_reset(response) or 0.0)
        return [found for repository in items[:HITS] if (found := _found(repository)) is not None]

    def _refusal(self, response: HttpResponse) -> Exception:
        if response.status in (403, 429) and (wait := self._wait(response)) is not None:
            self._rest.begin(wait)
            return limited(PROVIDER, wait, response.status)
        if response.status in (401, 403) and self._key:
            return refused_key(PROVIDER, SETTING, response.status)
        if response.status == 422:
            return refused_words(PROVIDER, response.status)
        return failed(PROVIDER, f"answered {response.status}", cause="status", status=response.status)

    def _wait(self, response: HttpResponse) -> float | None:
        """Seconds that a limit asks for, in the order in which GitHub wants them read; None: it is no limit."""
        named = wait_of(response, self._clock)
        if named is not None:
            return named
        if response.headers.get("x-ratelimit-remaining") == "0":
            return self._until_reset(response) or SECONDARY_SECONDS
        said = string(error_body(response), "message").lower()
        if "rate limit" in said or "abuse" in said:
            return SECONDARY_SECONDS
        # A 429 that says nothing of itself is from something in between.
        return RETRY_AFTER_SECONDS_DEFAULT if response.status == 429 else None

    def _until_reset(self, response: HttpResponse) -> float | None:
        """Seconds from the answer's own Date to `x-ratelimit-reset`; None where it names none."""
        reset = response.headers.get("x-ratelimit-reset", "")
        if not (reset.isascii() and reset.isdigit() and len(reset) <= 12):
            return None
        # A second more: both times are cut to seconds.
        return max(int(reset) - sent_at(response, self._clock).timestamp() + 1.0, 1.0)


def _found(repository: dict[str, Any]) -> Found | None:
    name = line(repository.get("full_name"), 200)
    address = web_url(repository.get("html_url"))
    if not name or not address or repository.get("private") is True:
        return None
    stars = count(repository.get("stargazers_count"))
    licence = line(record(repository.get("license")).get("spdx_id"), 40)
    licence = "" if licence == "NOASSERTION" else licence
    description = line(repository.get("description"), DESCRIPTION_CHARS_MAX)
    labels = [line(topic, 50) for topic in strings(repository.get("topics"), TOPICS_MAX)]
    pushed = moment(repository.get("pushed_at"))
    said = f"{name}: {description}" if description else f"{name}."
    facts = [
        f"GitHub stars: {stars:,}." if stars else "",
        f"Topics: {', '.join(labels)}." if labels else "",
        f"Last change of the repository: {pushed:%Y-%m-%d}." if pushed else "",
        "The repository is archived." if repository.get("archived") is True else "",
        f"Licence: {licence}." if licence else "",
    ]
    quote = "\n".join(part for part in (said, facts[0]) if part)
    return Found(
        provider=PROVIDER,
        url=address,
        title=name,
        text="\n".join([quote, *(fact for fact in facts[1:] if fact)]),
        source_type=common_pb2.SOURCE_TYPE_DIRECTORY,
        author=line(record(repository.get("owner")).get("login"), 100),
        published_at=pushed,
        product=common_pb2.ProductFact(
            name=name.rpartition("/")[2],
            category="; ".join(labels),
            license=licence,
            stars=stars,
            source_url=address,
        ),
        spans=((0, len(quote)),),
        why="A repository on GitHub. The first line is its own description; the rest is composed of recorded facts.",
        # Adoption, measured as the starter directory does: each tenfold counts the same.
        confidence=min(math.log10(stars + 1) / STARS_FULL_LOG10, 1.0),
    )


SOURCE = Source(
    PROVIDER,
    # 4 at once and one in ten seconds are at most 10 in any minute; 12 and 18 are 30.
    Terms(rate=0.1, burst=4, concurrency=1, calls_per_run=3, ttl_seconds=86_400.0),
    GitHubProvider,
    keyed_terms=Terms(rate=0.3, burst=12, concurrency=1, calls_per_run=6, ttl_seconds=86_400.0),
)
