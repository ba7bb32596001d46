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

from chassis.clock import Clock
from chassis.logs import get_logger
from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2, common_pb2, errors_pb2
from pipeline.v1.campaign_pb2 import Campaign, CampaignReading, CampaignResult, DraftCampaignRequest, PlatformSetup
from pipeline.v1.common_pb2 import Artifact, Notice
from services.campaign.domain import names, status, wording
from services.campaign.domain.budget import CHANNELS, split_budget
from services.campaign.domain.registration import plan_digest
from services.campaign.domain.setup_steps import over_cap
from services.campaign.domain.status import Step, state_error
from services.campaign.live import exports, view
from services.campaign.live.ports import CountedVisits, KeptSignups, Platforms, ReadCounts, RenderPages
from services.campaign.providers.base import Launch
from services.campaign.store.campaigns import CampaignStore, Publication, StoredCampaign, not_found

PAGE_SIZE, PAGE_SIZE_MAX = 50, 200
PLATFORMS_MAX = 16
VISITOR_KEY_BYTES = 32
# A test of ads runs two weeks: every weekday twice (the plan's stopping rule says the same).
DAYS = 14

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
            budget = _budget(stored, budget_micros)
            earlier = await self._platforms.setups(stored.id)
            chosen = self._choose(earlier, platforms, drafts=dry_run)
            url = stored.page_url or self._page_url(stored)
            if dry_run:
                launches = self._launches(stored, chosen, earlier, budget_micros=budget, url=url)
                setups = await self._platforms.dry_run(launches)
                counts = await self._visits.counts(stored.id)
                missing = self._missing()
                return view.campaign_message(stored, setups, counts, page_url=url, missing=missing)
            self._check_controller(stored)
            self._check_address(chosen, budget, url)
            stored = await self.store.publish(stored.id, self._publication(stored, url, budget), chosen)
            _log.info("campaign_published", campaign=stored.name, platforms=list(chosen), page=url)
            launches = self._launches(stored, chosen, earlier, budget_micros=budget, url=url)
            failed = _failed(await self._platforms.set_up(launches)) or await self._switch_on(launches)
            if failed:
                # First the ads: while they may run, the campaign counts as running and its spend is watched.
                await self._hold(stored)
                stored = await self.store.move(stored.id, Step.FAIL, failed)
            return await self._show(stored)

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
            why = self._why_held(stored, setups, stored.reading)
            if why:
                text = f"The campaign cannot be resumed: {why}; complete it."
                raise state_error(stored.name, stored.status, Step.RESUME, text)
            stored = await self.store.move(stored.id, Step.RESUME)
            await self._platforms.switch(self._made(stored, setups, _SET_UP), on=True)
            return await self._show(stored)

    async def read(self, name: str) -> tuple[Campaign, CampaignReading]:
        """Ask for the spend, read the counts by the plan, keep the reading, and pause what has to be paused."""
        async with self._lock(name):
            stored = await self._find(name)
            status.after(Step.READ, stored.status, stored.name)
            if stored.status == status.COMPLETED and stored.reading is not None:
                return await self._show(stored), stored.reading
            reading = await self._read(stored, ended=False)
            await self.store.keep_reading(stored.id, reading)
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
            stored = await self.store.complete(stored.id, reading, "ended by hand")
            _log.info("campaign_completed", campaign=stored.name, rule=reading.rule)
            return await self._show(stored), reading

    async def export(self, name: str, *, include_signups: bool = False) -> list[Artifact]:
        """The files of the campaign with their content; personal data only where asked for."""
        stored = await self._find(name)
        counts = await self._visits.counts(stored.id)
        people = await self._signups.reachable(stored.id) if include_signups else None
        return exports.export_files(stored, counts, people)

    async def _find(self, name: str) -> StoredCampaign:
        campaign_id = names.campaign_id(name)
        if campaign_id is None:
            raise not_found(name)
        return await self.store.get(campaign_id)

    async def _show(self, stored: StoredCampaign) -> Campaign:
        setups = await self._platforms.setups(stored.id)
        counts = await self._visits.counts(stored.id)
        missing = self._missing() if stored.status != status.COMPLETED else ()
        return view.campaign_message(stored, setups, counts, page_url=stored.page_url, missing=missing)

    def _missing(self) -> list[common_pb2.Missing]:
        return view.what_is_missing(
            self._platforms.not_configured(),
            controller=self.settings.controller,
            public_url=self.settings.public_url,
            pages_served=self.settings.pages_served,
        )

    def _choose(
        self, earlier: Sequence[PlatformSetup], asked: Sequence[str], *, drafts: bool
    ) -> tuple[str, ...]:
        """The platforms to set up: those asked for, else those of an earlier publication, else all configured.

        `drafts`: requests are shown only, so that platforms without an account may be chosen, and all of them are where
        none has one. The money was shared between those that cost when the first of them was set up: none is added
        later.
        """
        if len(asked) > PLATFORMS_MAX:
            raise PipelineError.invalid("platforms", f"names {len(asked)} platforms; give {PLATFORMS_MAX} at most")
        configured, why_not = self._platforms.configured(), dict(self._platforms.not_configured())
        usable = (*configured, *why_not) if drafts else configured
        before = [setup.platform for setup in earlier if setup.state not in _NEVER_ASKED]
        chosen = tuple(dict.fromkeys(asked or before or configured or usable))
        selling = [name for name in before if name in CHANNELS]
        for name in chosen:
            if name not in usable:
                known = ", ".join((*configured, *why_not)) or "none"
                reason = why_not.get(name, f"this server knows {known}")
                raise PipelineError.invalid("platforms", f"{name[:40]!r} is not configured: {reason}")
            if selling and name not in before and name in CHANNELS:
                raise PipelineError.invalid(
                    "platforms", f"{name!r} comes too late: {', '.join(selling)} took the budget; leave it out"
                )
        return chosen

    def _check_address(self, platforms: Sequence[str], budget: int, url: str) -> None:
        """Refuse ads that lead to an address of this machine: every click would be paid for nothing."""
        spending = [name for name in platforms if self._platforms.spends(name)]
        if spending and budget > 0 and view.is_loopback(url):
            raise PipelineError.invalid(
                "platforms",
                f"includes {spending[0]}, whose ads would lead to {url}, which visitors cannot reach; set "
                "PIPELINE_PAGE_URL to the public address before the first publication, or leave the platform out",
            )

    def _check_controller(self, stored: StoredCampaign) -> None:
        if not self.settings.controller:
            text = (
                "The campaign cannot be published: its page takes people's addresses and says who keeps them; set "
                "PIPELINE_CAMPAIGN_CONTROLLER to a name, a postal address and an e-mail address."
            )
            raise state_error(stored.name, stored.status, Step.PUBLISH, text)

    def _page_url(self, stored: StoredCampaign) -> str:
        return f"{self.settings.public_url}/p/{stored.slug}"

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

    def _launches(
        self,
        stored: StoredCampaign,
        platforms: Sequence[str],
        setups: Sequence[PlatformSetup],
        *,
        budget_micros: int,
        url: str,
    ) -> list[tuple[str, Launch]]:
        """What each platform is told. Shares are those of all platforms, whichever are spoken to now."""
        everyone = dict.fromkeys([*(s.platform for s in setups if s.state not in _NEVER_ASKED), *platforms])
        shares = split_budget(stored.draft.plan, budget_micros, tuple(everyone))
        origin = url.removesuffix(f"/p/{stored.slug}")
        return [
            (
                name,
                Launch(
                    campaign_id=stored.id,
                    title=stored.title or "Smoke test",
                    slug=stored.slug,
                    page_url=url,
                    origin_url=origin,
                    draft=stored.draft,
                    budget_micros=shares[name],
                    days=DAYS,
                    starts_at=None if stored.published_at is None else view.moment(stored.published_at),
                ),
            )
            for name in platforms
        ]

    def _made(
        self,
        stored: StoredCampaign,
        setups: Sequence[PlatformSetup],
        states: Sequence[campaign_pb2.PlatformState.ValueType] = (),
    ) -> list[tuple[str, Launch]]:
        """Launches of the platforms on which something may exist (or that are in `states`), as far as they can be
        asked: an account may have been taken out of the settings since.
        """
        configured = self._platforms.configured()
        made = [
            setup.platform
            for setup in setups
            if setup.platform in configured
            and (setup.state in states if states else setup.state not in _NOTHING_THERE)
        ]
        return self._launches(stored, made, setups, budget_micros=stored.budget_micros, url=stored.page_url)

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
        self._check_reach(setups)

    async def _end(self, stored: StoredCampaign) -> None:
        """Hold every ad for good."""
        setups = await self._platforms.setups(stored.id)
        await self._platforms.end(self._made(stored, setups))
        self._check_reach(setups)

    def _check_reach(self, setups: Sequence[PlatformSetup]) -> None:
        """Refuse to call ads held that may run where this server has no account any more."""
        for name, why in self._platforms.not_configured():
            states = [setup.state for setup in setups if setup.platform == name]
            if name in CHANNELS and campaign_pb2.PLATFORM_STATE_RUNNING in states:
                raise PipelineError(
                    errors_pb2.ERROR_REASON_UPSTREAM_FAILED,
                    f"The ads on {name} may still run and cannot be held from here: {why}. Set it and try again.",
                    metadata={"upstream": name},
                )

    async def _pause(self, stored: StoredCampaign, reason: str) -> StoredCampaign:
        await self._hold(stored)
        return await self.store.move(stored.id, Step.PAUSE, reason)

    async def _read(self, stored: StoredCampaign, *, ended: bool) -> CampaignReading:
        setups = await self._platforms.setups(stored.id)
        launches = self._made(stored, setups)
        unread = await self._platforms.read_spend(launches)
        asked = [setup.platform for setup in setups if setup.state not in _NOTHING_THERE]
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
        """Why no more money may be spent on this campaign; "" where it may, or where nothing costs."""
        if not any(setup.platform in CHANNELS and setup.state not in _NOTHING_THERE for setup in setups):
            return ""
        spent = sum(setup.spent_micros for setup in setups)
        if over_cap(spent, stored.budget_micros, days=DAYS, until_next_reading=self.settings.poll_seconds):
            cap = wording.dollars(stored.budget_micros)
            return f"the platforms report {wording.dollars(spent)} spent of {cap}, and reports lag"
        if reading is not None and reading.is_final:
            decision = campaign_pb2.CampaignDecision.Name(reading.decision).removeprefix("CAMPAIGN_DECISION_")
            return f"the stopping rule was met: {decision.replace('_', '-')}"
        return ""

    def _lock(self, name: str) -> asyncio.Lock:
        lock = self._locks.get(name)
        if lock is None:
            lock = self._locks[name] = asyncio.Lock()
        return lock


_NEVER_ASKED = (campaign_pb2.PLATFORM_STATE_UNSPECIFIED, campaign_pb2.PLATFORM_STATE_NOT_CONFIGURED)
_SET_UP = (campaign_pb2.PLATFORM_STATE_RUNNING, campaign_pb2.PLATFORM_STATE_PAUSED)
_NOTHING_THERE = (
    *_NEVER_ASKED,
    campaign_pb2.PLATFORM_STATE_UNDONE,
    campaign_pb2.PLATFORM_STATE_COMPLETED,
)


def _budget(stored: StoredCampaign, asked: int | None) -> int:
    """The cap over all platforms, micros of USD: never above the plan's, and fixed by the first publication."""
    if asked is None:
        return stored.budget_micros
    if stored.status != status.DRAFT and asked != stored.budget_micros:
        fixed = wording.dollars(stored.budget_micros)
        raise PipelineError.invalid(
            "budget_micros", f"was fixed at {fixed} when the campaign was published; leave it out"
        )
    if asked < 0:
        raise PipelineError.invalid("budget_micros", "is negative; write 0 or more micros of USD")
    if asked > stored.draft.plan.budget_micros:
        most = wording.dollars(stored.draft.plan.budget_micros)
        raise PipelineError.invalid("budget_micros", f"is above the plan's {most}; give at most that, or plan anew")
    return asked


def _notice(subject: str, message: str) -> Notice:
    return Notice(subject=subject, message=message, phase=common_pb2.PHASE_CAMPAIGN)


def _failed(setups: Sequence[PlatformSetup]) -> str:
    """Why the set-up did not come to its end, the first reason; "" where it did."""
    for setup in setups:
        if setup.state == campaign_pb2.PLATFORM_STATE_FAILED:
            return f"{setup.platform}: {setup.detail}"
    return ""
