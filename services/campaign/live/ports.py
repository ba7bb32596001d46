"""What a live campaign needs from its neighbours, as narrow as it is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pipeline.v1.campaign_pb2 import (
    CampaignReading,
    CampaignResult,
    DraftCampaignRequest,
    PlatformSetup,
    TestPlan,
)
from services.campaign.domain.counts import Counts
from services.campaign.providers.base import Launch


class ServedPages(Protocol):
    """Pages as visitors get them."""

    @property
    def pages(self) -> Mapping[str, str]:
        """HTML by path: "a", "b", "privacy", ..."""
        ...

    @property
    def consent_text(self) -> str: ...

    @property
    def consent_version(self) -> str: ...

    @property
    def adults_only(self) -> bool: ...

    @property
    def title(self) -> str: ...


class RenderPages(Protocol):
    """Writes the pages of a campaign for publication. Pure apart from templates in memory."""

    def __call__(
        self, request: DraftCampaignRequest, draft: CampaignResult, *, slug: str, page_url: str
    ) -> ServedPages: ...


class ReadCounts(Protocol):
    """Reads counts by the plan. Pure; some tenths of a second of computation."""

    def __call__(
        self,
        plan: TestPlan,
        counts: Counts,
        *,
        campaign: str,
        as_of: datetime,
        spent_micros: int,
        budget_micros: int,
        started_at: datetime,
        ended: bool,
        before: CampaignReading | None,
    ) -> CampaignReading: ...


class CountedVisits(Protocol):
    """What the pages have counted."""

    async def counts(self, campaign_id: str) -> Counts:
        """All days so far."""
        ...


@dataclass(frozen=True)
class SignupRow:
    """A person who may be written to."""

    email: str
    variant: str
    signed_up_at: datetime
    consent_version: str
    consent_text: str


class KeptSignups(Protocol):
    """Those who signed up."""

    async def reachable(self, campaign_id: str) -> Sequence[SignupRow]:
        """Neither withdrawn nor erased, in the order of their coming."""
        ...


class Platforms(Protocol):
    """Setting a campaign up on platforms, step by step; every state is on the disk before a request leaves.

    What goes wrong on a platform is told in its `PlatformSetup` (state FAILED, `detail`), except where a method says
    that it raises.
    """

    def configured(self) -> tuple[str, ...]:
        """Names of the platforms of this server."""
        ...

    def not_configured(self) -> tuple[tuple[str, str], ...]:
        """Names of the others and why ("PIPELINE_NETLIFY_TOKEN is empty")."""
        ...

    def front_url(self, launches: Sequence[tuple[str, Launch]]) -> str:
        """Scheme and host of the page on the first platform that hosts it; "" where none does."""
        ...

    async def setups(self, campaign_id: str) -> list[PlatformSetup]:
        """What is stored of the campaign's platforms; asks nobody."""
        ...

    async def dry_run(self, launches: Sequence[tuple[str, Launch]]) -> list[PlatformSetup]:
        """Every request that would be sent to each platform. Sends nothing, stores nothing."""
        ...

    async def set_up(self, launches: Sequence[tuple[str, Launch]]) -> list[PlatformSetup]:
        """Make what is not made yet, switched off. Goes on where an earlier try stopped."""
        ...

    async def switch(self, launches: Sequence[tuple[str, Launch]], *, on: bool) -> list[PlatformSetup]:
        """Let the ads run, or hold them. Raises PipelineError where a platform did not do so."""
        ...

    async def end(self, launches: Sequence[tuple[str, Launch]]) -> list[PlatformSetup]:
        """Hold the ads for good. Raises PipelineError where a platform did not do so."""
        ...

    async def read_spend(self, launches: Sequence[tuple[str, Launch]]) -> list[str]:
        """Ask each platform what the campaign has cost and store it; returns why some could not be asked."""
        ...

    async def tell_counts(self, launches: Sequence[tuple[str, Launch]], counts: Counts) -> list[str]:
        """Tell the platforms that want them the counts of whole days; returns why some were not told."""
        ...
