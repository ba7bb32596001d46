"""PostHog: what happened to the campaign, next to everything else that is measured there.

Told are the campaign's life and the counts of whole days per page: numbers, and nothing about anybody. Events are sent
in a batch with the project token (posthog.com/docs/api/capture); each carries a `uuid` made from its content, and what
PostHog has already is asked by a query first (posthog.com/docs/api/queries, HogQL with `values`), so that repeating
changes nothing. They carry `$process_person_profile: false`: no person is made of a campaign.

Publication is an annotation on the project's charts (posthog.com/docs/api/annotations), found by the campaign's id in
its content. Annotations are not deleted but marked (`PATCH {"deleted": true}`), and events cannot be taken back.

Spec: the documents above, read in November 2026; the shape of errors is that of a recorded one (`type`, `code`,
`detail`, `attr`).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

from chassis.http_answer import HttpResponse, parse_retry_after
from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2
from services.campaign.domain.counts import Counts, DayCount
from services.campaign.providers.base import Done, Effect, Entry, Launch, Step, Terms
from services.campaign.providers.calls import (
    BLANKED,
    Api,
    Call,
    answered,
    failed,
    known_name,
    limited,
    refused_body,
    refused_key,
    rows,
    text,
)

if TYPE_CHECKING:
    from chassis.clock import Clock
    from chassis.pool import HttpPool
    from services.campaign.config import CampaignConfig

PLATFORM = "posthog"
ANNOTATION = "posthog/annotation"
KEYS = "PIPELINE_POSTHOG_KEY, PIPELINE_POSTHOG_PERSONAL_KEY and its scopes (annotation:read, :write, query:read)"
DAY_EVENT = "smoke_test_day"
SWITCH_EVENTS = {True: "smoke_test_running", False: "smoke_test_paused"}
TITLE_CHARS_MAX = 100
_EVENTS = uuid.UUID("6c1c5f0e-0f0b-5b6e-9c55-0d0a6f6c8f11")
# Of a campaign's days and pages; queries answer 100 rows where no number is asked for.
_QUERY = """SELECT properties.day, properties.variant, max(toInt(properties.visitors)), max(toInt(properties.signups)),
max(toInt(properties.views)) FROM events WHERE event = 'smoke_test_day' AND properties.campaign = {campaign}
GROUP BY properties.day, properties.variant ORDER BY properties.day LIMIT 1000"""

# Day and variant -> visitors, sign-ups, views.
Told = dict[tuple[str, str], tuple[int, int, int]]


class PostHog:
    """One project."""

    name = PLATFORM
    spends = False

    def __init__(self, pool: HttpPool, config: CampaignConfig, clock: Clock) -> None:
        self._api = Api(PLATFORM, config.posthog_url, pool, clock, self._refusal)
        self._capture = Api(PLATFORM, config.posthog_capture_url, pool, clock, self._refusal)
        self._key = config.posthog_key
        self._personal_key = config.posthog_personal_key
        self._project = config.posthog_project or "{PIPELINE_POSTHOG_PROJECT}"

    def steps(self, launch: Launch) -> Sequence[Step]:
        title = " ".join(launch.title.split())[:TITLE_CHARS_MAX]
        return (Step(ANNOTATION, "Annotation on the project's charts", f"Smoke test {title} [{launch.campaign_id}]"),)

    def request(self, launch: Launch, step: Step, done: Done) -> campaign_pb2.PlannedRequest:
        return self._creation(launch, step).shown(self._api, {"Authorization": f"Bearer {BLANKED}"})

    async def find(self, launch: Launch, step: Step, done: Done) -> Effect | None:
        call = Call("GET", f"{self._path}/annotations/", params={"search": launch.campaign_id, "limit": "100"})
        for row in rows(PLATFORM, await call.read(self._api, self._headers), "results"):
            if row.get("content") == step.name and row.get("deleted") is not True:
                return Effect(text(PLATFORM, row, "id"), found=True)
        return None

    async def perform(self, launch: Launch, step: Step, done: Done) -> Effect:
        return Effect(text(PLATFORM, await self._creation(launch, step).read(self._api, self._headers), "id"))

    async def undo(self, launch: Launch, step: Step, external_id: str) -> None:
        """Marks the annotation as deleted; events stay."""
        call = Call("PATCH", f"{self._path}/annotations/{external_id}/", {"deleted": True})
        try:
            await call.send(self._api, self._headers)
        except PipelineError as error:
            if error.metadata.get("status") != "404":
                raise

    async def switch(self, launch: Launch, done: Done, *, on: bool) -> None:
        """An event that the campaign runs or is held: one of a kind on a day, however often it is switched."""
        at = self._api.clock.now().astimezone(UTC)
        name = SWITCH_EVENTS[on]
        await self._send([self._event(launch, name, f"{at.date()}", datetime.combine(at.date(), time(), UTC), {})])

    async def spent_micros(self, launch: Launch, done: Done) -> int:
        """0: a few events a day."""
        return 0

    async def tell(self, launch: Launch, counts: Counts) -> None:
        """Sends the counts of whole days (UTC) that PostHog does not have as they are now: sign-ups come in later."""
        today = self._api.clock.now().astimezone(UTC).date()
        told = await self.told(launch)
        news = [d for d in counts.days if d.day < today and told.get((d.day.isoformat(), d.variant)) != _numbers(d)]
        await self._send([self._day_event(launch, day) for day in news])

    async def told(self, launch: Launch) -> Told:
        """The days that PostHog has of a campaign; counts only grow, so that the largest is the last."""
        query = {"kind": "HogQLQuery", "query": _QUERY, "values": {"campaign": launch.campaign_id}}
        answer = await Call("POST", f"{self._path}/query/", {"query": query}).read(self._api, self._headers)
        found = answer.get("results")
        if not isinstance(found, list):
            # A query that runs on: `{"query_status": {"complete": false, ...}}`.
            raise failed(PLATFORM, "did not finish the query", cause="malformed")
        try:
            return {(str(day), str(v)): (int(a), int(b), int(c)) for day, v, a, b, c in found}
        except (TypeError, ValueError):
            raise failed(PLATFORM, "answered rows that are no counts", cause="malformed") from None

    # ------------------------------------------------------------------------------------ requests

    @property
    def _path(self) -> str:
        return f"/api/projects/{self._project}"

    @property
    def _headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._personal_key.get_secret_value()}"}

    def _creation(self, launch: Launch, step: Step) -> Call:
        at = launch.starts_at or self._api.clock.now()
        body = {"content": step.name, "date_marker": at.astimezone(UTC).isoformat(), "scope": "project"}
        return Call("POST", f"{self._path}/annotations/", body)

    def _day_event(self, launch: Launch, day: DayCount) -> dict[str, Any]:
        visitors, signups, views = _numbers(day)
        about = {"day": day.day.isoformat(), "variant": day.variant}
        properties = {**about, "visitors": visitors, "signups": signups, "views": views}
        what = "|".join(str(value) for value in properties.values())
        return self._event(launch, DAY_EVENT, what, datetime.combine(day.day, time(12), UTC), properties)

    def _event(
        self, launch: Launch, name: str, what: str, at: datetime, properties: Mapping[str, object]
    ) -> dict[str, Any]:
        return {
            "event": name,
            "uuid": str(uuid.uuid5(_EVENTS, f"{launch.campaign_id}|{name}|{what}")),
            "timestamp": at.isoformat(),
            "properties": {
                "distinct_id": f"campaign:{launch.campaign_id}",
                "$process_person_profile": False,
                "campaign": launch.campaign_id,
                **properties,
            },
        }

    async def _send(self, events: list[dict[str, Any]]) -> None:
        if events:
            body = {"api_key": self._key.get_secret_value(), "batch": events}
            await Call("POST", "/batch/", body).send(self._capture, {})

    def _refusal(self, response: HttpResponse) -> PipelineError:
        """`{"type": "authentication_error", "code": "authentication_failed", "detail": "...", "attr": null}`."""
        code = known_name(refused_body(response).get("code"))
        if response.status == 429:
            wait = parse_retry_after(response.headers.get("retry-after"), self._api.clock.now())
            return limited(PLATFORM, wait, 429, code)
        if response.status in (401, 403):
            return refused_key(PLATFORM, KEYS, response.status, code)
        return answered(PLATFORM, response.status, code)


def _numbers(day: DayCount) -> tuple[int, int, int]:
    return day.visitors, day.signups, day.views


def _lacks(config: CampaignConfig) -> str:
    if not config.posthog_key.get_secret_value():
        return "PIPELINE_POSTHOG_KEY is empty"
    if not config.posthog_personal_key.get_secret_value():
        return "PIPELINE_POSTHOG_PERSONAL_KEY is empty"
    if not config.posthog_project.isdigit():
        return "PIPELINE_POSTHOG_PROJECT is no number of a project such as 12345"
    return ""


ENTRY = Entry(
    name=PLATFORM,
    # Private endpoints: 240 analytics requests a minute (posthog.com/docs/api#rate-limiting); capture has no limit.
    terms=Terms(rate=2.0, burst=10, concurrency=3, timeout_seconds=25.0),
    make=PostHog,
    lacks=_lacks,
    by_hand="The export of the campaign has the same counts in campaign/counts.csv.",
)
