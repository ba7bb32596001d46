"""Netlify: a site that stands in front of the counting server, under an address of its own with TLS.

The site holds three small files. `_redirects` passes the campaign's paths on to the server (status 200: the address in
the browser stays), so that assignment, counting and sign-up remain first-party and nothing is counted at Netlify.
Deploys are by digest (docs.netlify.com/api-and-cli-guides/api-guides/get-started-with-api: `POST /sites/{id}/deploys`
with the SHA-1 of each file answers which are `required`, then `PUT /deploys/{id}/files/{path}` until the state is
`ready`); an unfinished deploy is gone on with. Names of sites are unique among all of Netlify (422). Rewrites, their
time-out of 26 s and the headers that they do not touch: docs.netlify.com/manage/routing/redirects/rewrites-proxies.

No recording of this API was at hand: shapes are those of the documents above and of Netlify's OpenAPI description
(open-api.netlify.com), read in November 2026.

Nothing is switched here: the page says itself that the campaign is paused.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chassis.http_answer import HttpResponse, parse_retry_after
from chassis.limiters import TokenBucket
from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2, errors_pb2
from services.campaign.providers.base import Done, Effect, Entry, Launch, Step, Terms
from services.campaign.providers.calls import (
    BLANKED,
    Api,
    Call,
    answered,
    failed,
    json_of,
    limited,
    object_of,
    refused_key,
    rows,
    text,
)

if TYPE_CHECKING:
    from chassis.clock import Clock
    from chassis.pool import HttpPool
    from services.campaign.config import CampaignConfig

PLATFORM = "netlify"
SITE, DEPLOY = "netlify/site", "netlify/deploy"
TOKEN_SETTING = "PIPELINE_NETLIFY_TOKEN"  # noqa: S105 - a setting's name
# "3 deploys per minute" (get-started-with-api#rate-limiting); who would wait longer is told so.
DEPLOYS_PER_MINUTE = 3
DEPLOY_WAIT_SECONDS = 60.0
# Three files are processed within seconds.
POLLS_MAX = 20
POLL_SECONDS = 2.0
# A label of a host name has 63 characters; ten of them tell campaigns of one slug apart.
NAME_CHARS_MAX = 63
DIGEST_CHARS = 10
_READY = "ready"
_ORIGIN = re.compile(r"https?://[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?(?::\d{1,5})?")
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,98}[a-z0-9])?")

_HEADERS = """/*
  X-Content-Type-Options: nosniff
  Referrer-Policy: no-referrer
  X-Robots-Tag: noindex
"""
_NOT_FOUND = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Nothing here</title><p>There is no page at this address.</p></html>
"""


class Netlify:
    """One account, or one team of it."""

    name = PLATFORM
    spends = False

    def __init__(self, pool: HttpPool, config: CampaignConfig, clock: Clock) -> None:
        self._api = Api(PLATFORM, config.netlify_url, pool, clock, self._refusal)
        self._token = config.netlify_token
        self._team = config.netlify_team
        # Names of sites are part of `https://{name}.netlify.app`.
        self._deploys = TokenBucket(
            DEPLOYS_PER_MINUTE / 60, DEPLOYS_PER_MINUTE, clock, max_wait=DEPLOY_WAIT_SECONDS, name="netlify deploys"
        )

    def front_url(self, launch: Launch) -> str:
        """Scheme and host under which visitors reach the page, known before the site exists."""
        return f"https://{site_name(launch)}.netlify.app"

    def steps(self, launch: Launch) -> Sequence[Step]:
        return (
            Step(SITE, "Site", site_name(launch)),
            Step(DEPLOY, "Files that pass visits on to the counting server", deploy_title(launch)),
        )

    def request(self, launch: Launch, step: Step, done: Done) -> campaign_pb2.PlannedRequest:
        """For the deploy, the first of its requests; files follow as they are required."""
        return self._creation(launch, step, done).shown(self._api, {"Authorization": f"Bearer {BLANKED}"})

    async def find(self, launch: Launch, step: Step, done: Done) -> Effect | None:
        if step.key == SITE:
            return await self._find_site(step)
        found = await self._deploy_titled(step, done[SITE])
        if found is None or found.get("state") != _READY:
            return None
        return Effect(text(PLATFORM, found, "id"), found=True)

    async def perform(self, launch: Launch, step: Step, done: Done) -> Effect:
        call = self._creation(launch, step, done)
        if step.key == SITE:
            return Effect(text(PLATFORM, await call.read(self._api, self._headers), "id"), detail=step.name)
        deploy = await self._deploy_titled(step, done[SITE])
        if deploy is None:
            await self._deploys.acquire()
            deploy = await call.read(self._api, self._headers)
        deploy_id = text(PLATFORM, deploy, "id")
        await self._upload(launch, deploy_id, deploy.get("required"))
        return Effect(await self._ready(deploy_id))

    async def undo(self, launch: Launch, step: Step, external_id: str) -> None:
        """Deletes the site; its deploys go with it."""
        if step.key != SITE:
            return
        try:
            await Call("DELETE", f"/sites/{external_id}").send(self._api, self._headers)
        except PipelineError as error:
            if error.metadata.get("status") != "404":
                raise

    async def switch(self, launch: Launch, done: Done, *, on: bool) -> None:
        """Nothing: what visitors see while the campaign is held is the page's to say."""

    async def spent_micros(self, launch: Launch, done: Done) -> int:
        """0: a site of this size is within every plan."""
        return 0

    # ------------------------------------------------------------------------------------ requests

    @property
    def _headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._token.get_secret_value()}"}

    def _creation(self, launch: Launch, step: Step, done: Done) -> Call:
        if step.key == SITE:
            return Call("POST", f"/{self._team}/sites" if self._team else "/sites", {"name": step.name})
        digests = {path: _sha1(content) for path, content in files(launch).items()}
        body = {"title": step.name, "files": digests}
        return Call("POST", f"/sites/{done.effects.get(SITE, f'{{{SITE}}}')}/deploys", body)

    async def _find_site(self, step: Step) -> Effect | None:
        params = {"name": step.name, "filter": "all", "per_page": "100"}
        for row in await self._listed(Call("GET", "/sites", params=params)):
            if row.get("name") == step.name:
                return Effect(text(PLATFORM, row, "id"), found=True)
        return None

    async def _deploy_titled(self, step: Step, site: str) -> dict[str, Any] | None:
        """The newest deploy with this title that did not fail."""
        for row in await self._listed(Call("GET", f"/sites/{site}/deploys", params={"per_page": "100"})):
            if row.get("title") == step.name and row.get("state") != "error":
                return row
        return None

    async def _listed(self, call: Call) -> list[dict[str, Any]]:
        """The objects of an answer that is a list."""
        return rows(PLATFORM, {"list": json_of(PLATFORM, await call.send(self._api, self._headers))}, "list")

    async def _upload(self, launch: Launch, deploy_id: str, required: object) -> None:
        """Sends each file that is asked for. The same file sent twice is the same file."""
        wanted = required if isinstance(required, list) else []
        headers = {**self._headers, "Content-Type": "application/octet-stream"}
        for path, content in files(launch).items():
            if _sha1(content) in wanted:
                url = f"{self._api.url}/deploys/{deploy_id}/files{path}"
                await self._api.ask("PUT", url, headers, body=content)

    async def _ready(self, deploy_id: str) -> str:
        for _ in range(POLLS_MAX):
            deploy = object_of(PLATFORM, await Call("GET", f"/deploys/{deploy_id}").read(self._api, self._headers))
            if deploy.get("state") == _READY:
                return deploy_id
            if deploy.get("state") == "error":
                raise failed(PLATFORM, "could not process the files of the site", cause="refused")
            await self._api.clock.sleep(POLL_SECONDS)
        raise PipelineError(
            errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED,
            f"{PLATFORM} did not put the site online within {POLLS_MAX * POLL_SECONDS:g} s",
            metadata={"upstream": PLATFORM},
        )

    def _refusal(self, response: HttpResponse) -> PipelineError:
        """`{"code": 401, "message": "..."}`; 422 `{"errors": {"subdomain": ["must be unique"]}}`; 429."""
        if response.status == 429:
            wait = parse_retry_after(response.headers.get("retry-after"), self._api.clock.now())
            return limited(PLATFORM, wait, 429)
        if response.status in (401, 403):
            return refused_key(PLATFORM, TOKEN_SETTING, response.status)
        if response.status == 422:
            return failed(
                PLATFORM,
                "answered 422: the site's name is taken by somebody else, or the account takes no more sites",
                cause="status",
                status=422,
            )
        return answered(PLATFORM, response.status)


def site_name(launch: Launch) -> str:
    """`{slug}-{digest of the campaign's id}`: a label of a host name, the same for the same campaign."""
    digest = hashlib.sha256(launch.campaign_id.encode()).hexdigest()[:DIGEST_CHARS]
    kept = re.sub(r"[^a-z0-9]+", "-", launch.slug.lower())[: NAME_CHARS_MAX - DIGEST_CHARS - 1].strip("-")
    return f"{kept}-{digest}" if kept else digest


def deploy_title(launch: Launch) -> str:
    """Names the campaign and the content: other content is another deploy."""
    content = hashlib.sha1(repr(sorted(files(launch).items())).encode(), usedforsecurity=False).hexdigest()
    return f"{launch.campaign_id} {content[:DIGEST_CHARS]}"


def files(launch: Launch) -> dict[str, bytes]:
    """What the site consists of, by path.

    Raises INVALID_FIELD for an origin that is more than scheme and host, or for the site's own address: it would pass
    visits on to itself.
    """
    origin = launch.origin_url.rstrip("/")
    if not _ORIGIN.fullmatch(origin):
        raise PipelineError.invalid(
            "origin_url", "is no address such as https://pages.example.org; set PIPELINE_PAGE_URL to the public one"
        )
    if origin == f"https://{site_name(launch)}.netlify.app":
        raise PipelineError.invalid("origin_url", "is the site itself; set PIPELINE_PAGE_URL to the counting server's")
    if not _SLUG.fullmatch(launch.slug):
        raise PipelineError.invalid("slug", "is no part of a path; use lower-case letters, digits and hyphens")
    page = f"/p/{launch.slug}"
    # First match wins; the campaign's own paths alone are passed on, so that the site shows no other page.
    redirects = f"{page} {origin}{page} 200!\n{page}/* {origin}{page}/:splat 200!\n/ {page} 302\n"
    return {"/_redirects": redirects.encode(), "/_headers": _HEADERS.encode(), "/404.html": _NOT_FOUND.encode()}


def _sha1(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


ENTRY = Entry(
    name=PLATFORM,
    # 500 requests a minute (get-started-with-api#rate-limiting).
    terms=Terms(rate=8.0, burst=20, concurrency=4, timeout_seconds=25.0),
    make=Netlify,
    lacks=lambda config: "" if config.netlify_token.get_secret_value() else f"{TOKEN_SETTING} is empty",
    by_hand="Point a host name of your own at the server that counts, and set PIPELINE_PAGE_URL to it.",
)
