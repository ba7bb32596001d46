"""Live campaigns over a real store, with neighbours that do as they are told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from chassis.figures import Figures
from chassis.testing import ManualClock, phase_context
from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2, common_pb2, errors_pb2
from pipeline.v1.campaign_pb2 import CampaignReading, PlatformSetup
from services.campaign.domain.counts import Counts, DayCount
from services.campaign.drafting import Drafter
from services.campaign.live.campaigns import LiveCampaigns, LiveSettings
from services.campaign.live.ports import SignupRow
from services.campaign.providers.base import Launch
from services.campaign.rendering import PageRenderer, Signup
from services.campaign.store.campaigns import CampaignStore
from services.campaign.store.schema import campaigns_database
from tests.support.campaigns import IDEAS, request_for, result_of

RUN = "runs/01j9zq3c2m8v5t7w9x1y3z5b7d"
NAME = f"{RUN}/campaign"
CONTROLLER = "Larder Ltd, 1 High Street, Leeds, hello@example.org"
State = campaign_pb2.PlatformState


class TwoPlatforms:
    """google_ads, which costs, and netlify, which does not; `calls` says what they were told, in order."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.calls: list[str] = []
        self.launches: dict[str, Launch] = {}
        self.states: dict[str, State.ValueType] = {}
        self.spent: dict[str, int] = {}
        # Where netlify serves the page; "": nowhere.
        self.front = ""
        # What goes wrong, by "set_up", "switch_on", "switch_off", "end", "read_spend".
        self.broken: set[str] = set()

    def configured(self) -> tuple[str, ...]:
        return self.names

    def not_configured(self) -> tuple[tuple[str, str], ...]:
        return tuple(
            (n, f"PIPELINE_{n.upper()}_TOKEN is empty. By hand: import ads.csv.")
            for n in ("google_ads", "netlify")
            if n not in self.names
        )

    def front_url(self, launches: Sequence[tuple[str, Launch]]) -> str:
        return f"https://{self.front}" if self.front and "netlify" in dict(launches) else ""

    async def setups(self, campaign_id: str) -> list[PlatformSetup]:
        return [self._setup(name) for name in self.states]

    async def dry_run(self, launches: Sequence[tuple[str, Launch]]) -> list[PlatformSetup]:
        self.launches = dict(launches)
        return [
            PlatformSetup(
                platform=name,
                state=campaign_pb2.PLATFORM_STATE_PLANNED,
                steps=[
                    campaign_pb2.SetupStep(
                        key=f"{name}/make",
                        request=campaign_pb2.PlannedRequest(method="POST", url=f"https://{name}.example/make"),
                    )
                ],
            )
            for name, _ in launches
        ]

    async def set_up(self, launches: Sequence[tuple[str, Launch]]) -> list[PlatformSetup]:
        self.launches = dict(launches)
        failed = "set_up" in self.broken
        for name, _ in launches:
            self.calls.append(f"{name} set up")
            self.states[name] = campaign_pb2.PLATFORM_STATE_FAILED if failed else campaign_pb2.PLATFORM_STATE_PAUSED
        return await self.setups("")

    async def switch(self, launches: Sequence[tuple[str, Launch]], *, on: bool) -> list[PlatformSetup]:
        word = "on" if on else "off"
        for name, _ in launches:
            self.calls.append(f"{name} {word}")
            self._refuse(f"switch_{word}")
            self.states[name] = campaign_pb2.PLATFORM_STATE_RUNNING if on else campaign_pb2.PLATFORM_STATE_PAUSED
        return await self.setups("")

    async def end(self, launches: Sequence[tuple[str, Launch]]) -> list[PlatformSetup]:
        for name, _ in launches:
            self.calls.append(f"{name} ended")
            self._refuse("end")
            self.states[name] = campaign_pb2.PLATFORM_STATE_COMPLETED
        return await self.setups("")

    async def read_spend(self, launches: Sequence[tuple[str, Launch]]) -> list[str]:
        return [f"{name} does not answer" for name, _ in launches if "read_spend" in self.broken]

    async def tell_counts(self, launches: Sequence[tuple[str, Launch]], counts: Counts) -> list[str]:
        return []

    def _refuse(self, what: str) -> None:
        if what in self.broken:
            raise PipelineError(errors_pb2.ERROR_REASON_UPSTREAM_FAILED, "google_ads answered 503; try again later.")

    def _setup(self, name: str) -> PlatformSetup:
        detail = "the token was refused" if self.states[name] == campaign_pb2.PLATFORM_STATE_FAILED else ""
        return PlatformSetup(
            platform=name, state=self.states[name], spent_micros=self.spent.get(name, 0), detail=detail
        )


@dataclass
class Told:
    """Counts and people as the test tells them."""

    counted: Counts = field(default_factory=lambda: Counts(days=()))
    people: tuple[SignupRow, ...] = ()

    async def counts(self, campaign_id: str) -> Counts:
        return self.counted

    async def reachable(self, campaign_id: str) -> Sequence[SignupRow]:
        return self.people


@dataclass
class Kit:
    """The service and everything around it."""

    live: LiveCampaigns
    store: CampaignStore
    platforms: TwoPlatforms
    told: Told
    clock: ManualClock
    decision: CampaignReading

    def visited(self, visitors: int, signups: int) -> None:
        """That many people came to page a, on one day."""
        self.told.counted = Counts(days=(DayCount(date(2026, 1, 1), "a", visitors, signups, views=visitors),))

    async def draft(
        self,
        run: str = RUN,
        kind: common_pb2.CampaignType.ValueType = common_pb2.CAMPAIGN_TYPE_UNSPECIFIED,
    ) -> None:
        """Keep the draft of a run."""
        request = request_for(IDEAS["food"], name="Larderwise")
        request.campaign_type = kind
        request.context.CopyFrom(phase_context(common_pb2.PHASE_CAMPAIGN, run=run))
        drafter = Drafter(Figures.load(), PageRenderer(), Signup())
        await self.live.keep_draft(request, result_of(list(drafter.draft(request))))


@dataclass(frozen=True)
class Pages:
    """Pages as text."""

    pages: dict[str, str]
    consent_text: str = "I agree."
    consent_version: str = "1"
    adults_only: bool = False
    title: str = "Larderwise"


@asynccontextmanager
async def live_kit(
    folder: Path,
    *platforms: str,
    controller: str = CONTROLLER,
    public_url: str = "https://try.example.org",
    shared: TwoPlatforms | None = None,
) -> AsyncIterator[Kit]:
    """A service over a new store in `folder`, or over the one that is there; `shared`: platforms of another one."""
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    database = campaigns_database(folder / "campaigns.db")
    await database.open()
    store, told, made = CampaignStore(database, clock), Told(), shared or TwoPlatforms(*platforms)
    decision = CampaignReading(decision=campaign_pb2.CAMPAIGN_DECISION_INCONCLUSIVE, rule="too_few")

    def render(request: Any, draft: Any, *, slug: str, page_url: str) -> Pages:
        return Pages({path: f"<p>{path} of {page_url}</p>" for path in ("a", "b", "privacy")})

    def read(plan: Any, counts: Counts, *, campaign: str, as_of: datetime, **_: Any) -> CampaignReading:
        reading = CampaignReading(campaign=campaign)
        reading.MergeFrom(decision)
        reading.read_at.FromDatetime(as_of)
        return reading

    live = LiveCampaigns(
        store,
        told,
        told,
        made,
        render=render,
        read_counts=read,
        settings=LiveSettings(public_url=public_url, controller=controller, pages_served=True),
        clock=clock,
    )
    try:
        yield Kit(live, store, made, told, clock, decision)
    finally:
        await database.close()
