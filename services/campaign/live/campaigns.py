"""Live campaigns: published, paused, resumed, read, completed. Everything a caller may ask of one, in its order.

What is done in which order, and why:

- publish: pages go online in one transaction with the registered plan; then the platforms are set up, switched off;
  only when all are, the ads are switched on. An ad never leads to a page that is not there, and money is never spent on
  half of what was planned. Where a platform fails, the ads stay off and the campaign is FAILED until it is published
  again or completed.
- pause, complete: the ads are switched off first, then the pages. Where a platform refuses, the call fails, the pages
  stay, and the call may be repeated: people whom ads still bring find the page that they were promised.
- resume: the pages first, then the ads.
- read: spend is asked for first. A campaign whose money is spent is paused. One whose stopping rule was met is paused
  where its ads cost money; where they do not, it goes on until somebody ends it. Nothing completes by itself: the
  decision is told, and ending the test stays with the founder.

Steps of one campaign wait for each other within a process; between processes the store decides (store/campaigns.py).
"""

from __future__ import annotations

import asyncio
import functools
import secrets
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from chassis.clock import Clock
from chassis.logs import get_logger
from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2, common_pb2
from pipeline.v1.campaign_pb2 import (
    Campaign,
    CampaignReading,
    CampaignResult,
    DraftCampaignRequest,
    PlatformSetup,
    PlatformState,
)
from pipeline.v1.common_pb2 import Artifact, Notice
from services.campaign.domain import names, status
from services.campaign.domain.registration import plan_digest
from services.campaign.domain.status import Step, state_error
from services.campaign.live import exports, launching, view
from services.campaign.live.ports import CountedVisits, KeptSignups, Platforms, ReadCounts, RenderPages
from services.campaign.providers.base import Launch
from services.campaign.store.campaigns import CampaignStore, Publication, StoredCampaign, not_found
from services.campaign.store.retention import forget_people

PAGE_SIZE, PAGE_SIZE_MAX = 50, 200
VISITOR_KEY_BYTES = 32

_log = get_logger("campaign.live")


@dataclass(frozen=True)
class LiveSettings:
    """What the server's settings say about live campaigns."""

    # Where visitors reach the pages: scheme and host.
    public_url: str
    # Who keeps the addresses; empty: nobody is named, and nothing is published.
    controller: str
    # False: another process serves the pages.
    pages_served: bool
    # How often running campaigns are read: what may be spent until then is kept back from the cap.
    poll_seconds: float = 600.0
    # Days after a campaign's end until the addresses of its people are erased.
    retention_days: int = 90


class LiveCampaigns:
    """The application service behind LiveCampaignService. Every method raises PipelineError."""

    def __init__(
        self,
        store: CampaignStore,
        visits: CountedVisits,
        signups: KeptSignups,
        platforms: Platforms,
        *,
        render: RenderPages,
        read_counts: ReadCounts,
        settings: LiveSettings,
        clock: Clock,
    ) -> None:
        self.store = store
        self.settings = settings
        self._visits = visits
        self._signups = signups
        self._platforms = platforms
        self._render = render
        self._read_counts = read_counts
        self._clock = clock
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    async def keep_draft(self, request: DraftCampaignRequest, draft: CampaignResult) -> list[Notice]:
        """Store the draft of a run; nothing where the request names none. Returns what the run's reader should know."""
        campaign_id = names.run_id(request.context.run)
        if campaign_id is None:
            return []
        if await self.store.keep_draft(campaign_id, request.context.tenant, request, draft):
            return []
        text = "This run's campaign has been published; it stays as it was registered, and this draft is not kept."
        return [_notice("campaign", text)]

    async def get(self, name: str) -> Campaign:
        """The campaign as it stands; asks no platform."""
        return await self._show(await self._find(name))

    async def list_campaigns(self, tenant: str, page_size: int, page_token: str) -> tuple[list[Campaign], str]:
        """A page of campaigns, newest first, and the token of the next page ("" after the last)."""
        if not 0 <= page_size <= PAGE_SIZE_MAX:
            raise PipelineError.invalid("page_size", f"is {page_size}; give 1 to {PAGE_SIZE_MAX}, or 0 for {PAGE_SIZE}")
        if page_token and names.run_id(f"runs/{page_token}") is None:
            raise PipelineError.invalid("page_token", "is no token; take next_page_token of the page before")
        size = page_size or PAGE_SIZE
        found = await self.store.list_campaigns(tenant, page_token, size + 1)
        token = found[size - 1].id if len(found) > size else ""
        return [await self._show(stored) for stored in found[:size]], token

    async def publish(
        self, name: str, *, dry_run: bool = False, platforms: Sequence[str] = (), budget_micros: int | None = None
    ) -> Campaign:
        """Put the campaign online, or show every request that this would send."""
        async with self._lock(name):
            stored = await self._find(name)
            status.after(Step.PUBLISH, stored.status, stored.name)
            launching.check_pages(stored)
            budget = launching.budget_for(stored, budget_micros)
            earlier = await self._platforms.setups(stored.id)
            if not dry_run:
                self._check_may_spend(stored, earlier, Step.PUBLISH)
            chosen = launching.choose(self._platforms, earlier, platforms, budget=budget, drafts=dry_run)
            origin = self.settings.public_url
            url = launching.page_url(self._platforms, stored, chosen, platforms, origin)
            if dry_run:
                launches = launching.launches_for(
                    stored, chosen, earlier, budget_micros=budget, url=url, origin_url=origin
                )
                setups = await self._platforms.dry_run(launches)
                counts = await self._visits.counts(stored.id)
                missing = self._missing()
                return view.campaign_message(stored, setups, counts, page_url=url, missing=missing)
            self._check_controller(stored)
            launching.check_ads(chosen, budget, url, origin)
            stored = await self.store.publish(stored.id, self._publication(stored, url, budget), chosen)
            _log.info("campaign_published", campaign=stored.name, platforms=list(chosen), page=url)
            launches = launching.launches_for(stored, chosen, earlier, budget_micros=budget, url=url, origin_url=origin)
            failed = launching.failure_of(await self._platforms.set_up(launches)) or await self._switch_on(launches)
            if failed:
                # First the ads: while they may run, the campaign counts as running and its spend is watched.
                await self._hold(stored)
                stored = await self.store.move(stored.id, Step.FAIL, failed)
                return await self._show(stored)
            return await self._show(await self._held_where_stopped(stored))

    async def pause(self, name: str) -> Campaign:
        """Hold ads and pages."""
        async with self._lock(name):
            stored = await self._find(name)
            status.after(Step.PAUSE, stored.status, stored.name)
            return await self._show(await self._pause(stored, "paused by hand"))

    async def resume(self, name: str) -> Campaign:
        """Let pages and ads go on. Refused where the money is spent or the decision stands."""
        async with self._lock(name):
            stored = await self._find(name)
            status.after(Step.RESUME, stored.status, stored.name)
            setups = await self._platforms.setups(stored.id)
            self._check_may_spend(stored, setups, Step.RESUME)
            stored = await self.store.move(stored.id, Step.RESUME)
            await self._platforms.switch(self._made(stored, setups, launching.SET_UP), on=True)
            return await self._show(await self._held_where_stopped(stored))

    async def read(self, name: str) -> tuple[Campaign, CampaignReading]:
        """Ask for the spend, read the counts by the plan, keep the reading, and pause what has to be paused."""
        async with self._lock(name):
            stored = await self._find(name)
            status.after(Step.READ, stored.status, stored.name)
            if stored.status == status.COMPLETED and stored.reading is not None:
                return await self._show(stored), stored.reading
            reading = await self._read(stored, ended=False)
            reading = await self.store.keep_reading(stored.id, reading)
            if stored.status == status.RUNNING:
                why = self._why_held(stored, await self._platforms.setups(stored.id), reading)
                if why:
                    _log.info("campaign_paused", campaign=stored.name, reason=why)
                    stored = await self._pause(stored, why)
            return await self._show(stored), reading

    async def complete(self, name: str) -> tuple[Campaign, CampaignReading]:
        """End it for good. Sign-ups stay until each is erased; which visitor was who cannot be told any more."""
        async with self._lock(name):
            stored = await self._find(name)
            status.after(Step.COMPLETE, stored.status, stored.name)
            if stored.status == status.COMPLETED and stored.reading is not None:
                return await self._show(stored), stored.reading
            await self._end(stored)
            reading = await self._read(stored, ended=True)
            stored = await self._held_where_stopped(await self.store.complete(stored.id, reading, "ended by hand"))
            assert stored.reading is not None, "kept with the status"
            _log.info("campaign_completed", campaign=stored.name, rule=stored.reading.rule)
            return await self._show(stored), stored.reading

    async def export(self, name: str, *, include_signups: bool = False) -> list[Artifact]:
        """The files of the campaign with their content; personal data only where asked for."""
        stored = await self._find(name)
        counts = await self._visits.counts(stored.id)
        people = await self._signups.reachable(stored.id) if include_signups else None
        return exports.export_files(stored, counts, people)

    async def forget_people(self) -> int:
        """Erase the addresses of campaigns that have ended long enough ago; returns how many."""
        erased = await forget_people(self.store.database, self._clock, self.settings.retention_days)
        if erased:
            _log.info("people_forgotten", addresses=erased)
        return erased

    async def _find(self, name: str) -> StoredCampaign:
        campaign_id = names.campaign_id(name)
        if campaign_id is None:
            raise not_found(name)
        return await self.store.get(campaign_id)

    async def _show(self, stored: StoredCampaign) -> Campaign:
        setups = await self._platforms.setups(stored.id)
        counts = await self._visits.counts(stored.id)
        missing = self._missing() if stored.status != status.COMPLETED else ()
        shown = view.campaign_message(stored, setups, counts, page_url=stored.page_url, missing=missing)
        if stored.completed_at is not None:
            day = view.moment(stored.completed_at) + timedelta(days=self.settings.retention_days)
            text = f"Addresses of those who signed up are erased on {day:%Y-%m-%d}; write to them and export before."
            shown.notices.append(_notice("sign-ups", text))
        return shown

    def _missing(self) -> list[common_pb2.Missing]:
        return view.what_is_missing(
            self._platforms.not_configured(),
            controller=self.settings.controller,
            public_url=self.settings.public_url,
            pages_served=self.settings.pages_served,
        )

    def _check_controller(self, stored: StoredCampaign) -> None:
        if not self.settings.controller:
            text = (
                "The campaign cannot be published: its page takes people's addresses and says who keeps them; set "
                "PIPELINE_CAMPAIGN_CONTROLLER to a name, a postal address and an e-mail address."
            )
            raise state_error(stored.name, stored.status, Step.PUBLISH, text)

    def _made(
        self,
        stored: StoredCampaign,
        setups: Sequence[PlatformSetup],
        states: Sequence[PlatformState.ValueType] = (),
    ) -> list[tuple[str, Launch]]:
        return launching.made_launches(self._platforms, stored, setups, states, origin_url=self.settings.public_url)

    def _publication(self, stored: StoredCampaign, url: str, budget: int) -> Publication:
        served = self._render(stored.request, stored.draft, slug=stored.slug, page_url=url)
        return Publication(
            pages=served.pages,
            title=served.title,
            consent_text=served.consent_text,
            consent_version=served.consent_version,
            adults_only=served.adults_only,
            page_url=url,
            plan_sha256=plan_digest(stored.draft.plan),
            budget_micros=budget,
            visitor_key=secrets.token_bytes(VISITOR_KEY_BYTES),
        )

    async def _switch_on(self, launches: Sequence[tuple[str, Launch]]) -> str:
        """Let all ads run; returns why where one refuses."""
        try:
            await self._platforms.switch(launches, on=True)
        except PipelineError as error:
            return str(error)
        return ""

    async def _hold(self, stored: StoredCampaign) -> None:
        """Hold every ad that may run."""
        setups = await self._platforms.setups(stored.id)
        await self._platforms.switch(self._made(stored, setups), on=False)
        launching.check_reach(self._platforms, setups)

    async def _end(self, stored: StoredCampaign) -> None:
        """Hold every ad for good."""
        setups = await self._platforms.setups(stored.id)
        await self._platforms.end(self._made(stored, setups))
        launching.check_reach(self._platforms, setups)

    async def _pause(self, stored: StoredCampaign, reason: str) -> StoredCampaign:
        await self._hold(stored)
        return await self._held_where_stopped(await self.store.move(stored.id, Step.PAUSE, reason))

    async def _held_where_stopped(self, stored: StoredCampaign) -> StoredCampaign:
        """The campaign as it stands now, with no ad on where another process paused or ended it meanwhile.

        Called after ads were switched on, and after a status that forbids them was written. A platform is marked as
        running before it is switched on: so whichever of the two comes last sees what the other has done.
        """
        now = await self.store.get(stored.id)
        if now.status in (status.PAUSED, status.COMPLETED):
            setups = await self._platforms.setups(now.id)
            if any(setup.state == campaign_pb2.PLATFORM_STATE_RUNNING for setup in setups):
                _log.warning("campaign_held", campaign=now.name, status=status.status_name(now.status))
                await (self._end if now.status == status.COMPLETED else self._hold)(now)
        return now

    async def _read(self, stored: StoredCampaign, *, ended: bool) -> CampaignReading:
        setups = await self._platforms.setups(stored.id)
        launches = self._made(stored, setups)
        unread = await self._platforms.read_spend(launches)
        asked = [setup.platform for setup in setups if setup.state not in launching.NOTHING_THERE]
        unread += [f"{name}: {why}" for name, why in self._platforms.not_configured() if name in asked]
        setups = await self._platforms.setups(stored.id)
        counts = await self._visits.counts(stored.id)
        assert stored.published_at is not None, "only what was published is read"
        read = functools.partial(
            self._read_counts,
            stored.draft.plan,
            counts,
            campaign=stored.name,
            as_of=self._clock.now(),
            spent_micros=sum(setup.spent_micros for setup in setups),
            budget_micros=stored.budget_micros,
            started_at=view.moment(stored.published_at),
            ended=ended,
            before=stored.reading,
        )
        # Statistics take some tenths of a second; visitors are served meanwhile.
        reading = await asyncio.to_thread(read)
        untold = await self._platforms.tell_counts(launches, counts)
        reading.notices.extend(_notice("spend", f"Spend could not be read, the last known stands: {w}") for w in unread)
        reading.notices.extend(_notice("counts", f"A platform was not told the counts: {w}") for w in untold)
        return reading

    def _why_held(
        self, stored: StoredCampaign, setups: Sequence[PlatformSetup], reading: CampaignReading | None
    ) -> str:
        return launching.why_held(stored, setups, reading, poll_seconds=self.settings.poll_seconds)

    def _check_may_spend(self, stored: StoredCampaign, setups: Sequence[PlatformSetup], step: Step) -> None:
        """Refuse to switch ads on again where the money is spent or the decision stands."""
        why = self._why_held(stored, setups, stored.reading)
        if why:
            verb = {Step.PUBLISH: "published again", Step.RESUME: "resumed"}[step]
            text = f"The campaign cannot be {verb}: {why}; complete it."
            raise state_error(stored.name, stored.status, step, text)

    def _lock(self, name: str) -> asyncio.Lock:
        lock = self._locks.get(name)
        if lock is None:
            lock = self._locks[name] = asyncio.Lock()
        return lock


def _notice(subject: str, message: str) -> Notice:
    return Notice(subject=subject, message=message, phase=common_pb2.PHASE_CAMPAIGN)
