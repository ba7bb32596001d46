"""What a platform is: a list of steps that make a campaign there, and ways to find, undo, switch and price them.

A step's effect happens at most once. Platforms differ in how they promise that: some take an idempotency key, some
refuse a second thing of the same name, some do neither. So every step can also be looked for: `find` asks the platform
whether the effect of an earlier try exists, by the step's name on the platform, which holds the campaign's id. The
set-up (services/campaign/live/setup.py) records a step before it is sent and looks before it sends again.

A platform talks through a pool that brings breaker, rate limit, deadline and spans (services/campaign/providers/
around.py). Its module ends with an `ENTRY`, and the registry lists that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from pipeline.v1 import campaign_pb2
from services.campaign.domain.counts import Counts

if TYPE_CHECKING:
    from chassis.clock import Clock
    from chassis.pool import HttpPool
    from services.campaign.config import CampaignConfig

# Longest time that a request may take: a step that was sent longer ago is not on its way any more.
REQUEST_SECONDS_MAX = 30.0


@dataclass(frozen=True)
class Launch:
    """What is put online: everything a platform may need, decided before the first request."""

    # Id of the campaign (of its run): part of every name on a platform.
    campaign_id: str
    # For people ("Larderwise").
    title: str
    slug: str
    # Public address of the landing page, and of the server that counts (scheme and host alone).
    page_url: str
    origin_url: str
    # Assets, keywords, plan, landing pages.
    draft: campaign_pb2.CampaignResult
    # Most that this platform may spend in all, which it is told as a hard limit of its own; and over how many days.
    budget_micros: int = 0
    days: int = 28
    # Moment of the first publication, the same in every try; None where it is not published yet.
    starts_at: datetime | None = None


@dataclass(frozen=True)
class Step:
    """One effect. `key` is the same in every try; `name` is what the thing is called on the platform.

    A step is one request with an effect; one that takes several is harmless to repeat as a whole.
    """

    key: str
    title: str
    name: str


@dataclass(frozen=True)
class Effect:
    """What a step made: the platform's id of it. `found`: it had existed already."""

    external_id: str
    found: bool = False
    detail: str = ""


@dataclass(frozen=True)
class Done:
    """Effects of the steps so far, by step key: later steps refer to earlier ones."""

    effects: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, key: str) -> str:
        return self.effects[key]


class Platform(Protocol):
    """One platform with its account. Methods raise PipelineError for what goes wrong there.

    Nothing here retries: the set-up does, after it has looked; the pool repeats reads.
    """

    @property
    def name(self) -> str:
        """Slug ("google_ads")."""
        ...

    @property
    def spends(self) -> bool:
        """True where a running campaign costs money there."""
        ...

    def steps(self, launch: Launch) -> Sequence[Step]:
        """What has to exist, in order. Pure: the same launch, the same steps."""
        ...

    def request(self, launch: Launch, step: Step, done: Done) -> campaign_pb2.PlannedRequest:
        """The exact request of a step, secrets blanked; ids of steps not done yet stand as `{step key}`."""
        ...

    async def find(self, launch: Launch, step: Step, done: Done) -> Effect | None:
        """The effect of an earlier try, where the platform has it. Changes nothing."""
        ...

    async def perform(self, launch: Launch, step: Step, done: Done) -> Effect:
        """Makes the effect. After a failure it is not known whether it happened: `find` tells."""
        ...

    async def undo(self, launch: Launch, step: Step, external_id: str) -> None:
        """Takes an effect back; what is gone already counts as taken back."""
        ...

    async def switch(self, launch: Launch, done: Done, *, on: bool) -> None:
        """Lets the campaign run, or holds it. Repeating changes nothing. Everything is made switched off."""
        ...

    async def spent_micros(self, launch: Launch, done: Done) -> int:
        """What the platform says this campaign has cost so far, micros of USD; 0 where it costs nothing."""
        ...


@runtime_checkable
class HostsPage(Protocol):
    """A platform through which visitors reach the landing page."""

    def front_url(self, launch: Launch) -> str:
        """Scheme and host of the page there, known before anything is made; depends on the campaign alone."""
        ...


@runtime_checkable
class TellsCounts(Protocol):
    """A platform that is told the counts of whole days: numbers of pages, nothing about anybody."""

    async def tell(self, launch: Launch, counts: Counts) -> None:
        """Sends what the platform may not have yet. Repeating changes nothing."""
        ...


@dataclass(frozen=True)
class Terms:
    """What a platform's operator allows; each adapter says where that is written."""

    # Requests per second on average, and at once before the average counts.
    rate: float
    burst: int
    # Connections at a time.
    concurrency: int = 4
    # Longest wait for one answer; at most REQUEST_SECONDS_MAX, after which a lost request counts as over.
    timeout_seconds: float = 20.0


@dataclass(frozen=True)
class Entry:
    """A platform as the registry lists it."""

    name: str
    terms: Terms
    # Works without keys too, for `dry_run`: accounts that are not configured stand as "{PIPELINE_POSTHOG_PROJECT}".
    make: Callable[[HttpPool, CampaignConfig, Clock], Platform]
    # What the configuration lacks ("PIPELINE_NETLIFY_TOKEN is empty"); "" where it lacks nothing.
    lacks: Callable[[CampaignConfig], str]
    # What to do without the platform's API, as a sentence that names the file to import.
    by_hand: str = ""


@dataclass(frozen=True)
class CampaignPlatforms:
    """The platforms of this server, and why others are not (name -> "PIPELINE_GOOGLE_ADS_TOKEN is empty")."""

    platforms: tuple[Platform, ...] = ()
    not_configured: tuple[tuple[str, str], ...] = ()
    # Those not configured: they say what they would send (`steps`, `request`) and are never asked to.
    drafts: tuple[Platform, ...] = ()
    # Connections that the server shows to operators and closes when it stops.
    pools: tuple[HttpPool, ...] = ()
