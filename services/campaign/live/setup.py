"""Sets a campaign up on its platforms, in parallel, and takes care that nothing is made twice or left running.

What a failure leads to:

- An error that may pass (time-out, 429, 5xx, a lost connection) is waited out within bounds, and the platform is asked
  for the effect before the request leaves again.
- A refusal ends that platform alone: FAILED with the reason. What it had made stays, switched off, so that it costs
  nothing, and the next publication goes on from there. A publication never takes anything back by itself: a refusal is
  mended by a person (a token, a card, a text) and set-ups are slow to repeat.
- Ads are switched on last, and only once all that costs nothing (the page's host among it) is on.
- Ending a campaign takes back what never ran (`end`), and holds for good what did, since a platform's figures are worth
  keeping. `undo` takes back everything.

A state is never better than the truth: a platform counts as RUNNING before the request that switches it on leaves, and
as PAUSED after the answer to the one that holds it.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from chassis.clock import Clock
from chassis.logs import get_logger
from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2, errors_pb2
from pipeline.v1.campaign_pb2 import PlatformSetup, PlatformState, SetupStep
from services.campaign.domain.counts import Counts
from services.campaign.live.steps import PlatformSteps
from services.campaign.providers.base import CampaignPlatforms, Done, HostsPage, Launch, Platform, TellsCounts
from services.campaign.store.effects import EffectStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_PLANNED = campaign_pb2.PLATFORM_STATE_PLANNED
_SETTING_UP = campaign_pb2.PLATFORM_STATE_SETTING_UP
_RUNNING = campaign_pb2.PLATFORM_STATE_RUNNING
_PAUSED = campaign_pb2.PLATFORM_STATE_PAUSED
_FAILED = campaign_pb2.PLATFORM_STATE_FAILED
_UNDONE = campaign_pb2.PLATFORM_STATE_UNDONE
_COMPLETED = campaign_pb2.PLATFORM_STATE_COMPLETED

_log = get_logger("campaign.setup")

# A launch for a platform, by the platform's name: each has its own share of the money.
Launches = Sequence[tuple[str, Launch]]


class Setup:
    """The platforms of this server. Launches of one call belong to one campaign.

    What goes wrong on a platform is told in its `PlatformSetup`, except where a method says that it raises. A name that
    is no platform of this server raises INVALID_FIELD; a store that fails raises STORAGE_UNAVAILABLE.
    """

    def __init__(self, platforms: CampaignPlatforms, store: EffectStore, clock: Clock) -> None:
        self._platforms = {platform.name: platform for platform in platforms.platforms}
        self._drafts = {platform.name: platform for platform in platforms.drafts}
        self._not_configured = platforms.not_configured
        self._store = store
        self._clock = clock
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    def configured(self) -> tuple[str, ...]:
        """Names of the platforms of this server."""
        return tuple(self._platforms)

    def not_configured(self) -> tuple[tuple[str, str], ...]:
        """Names of the others and why ("PIPELINE_NETLIFY_TOKEN is empty")."""
        return self._not_configured

    def spends(self, platform: str) -> bool:
        """True where a running campaign costs money there."""
        found = self._platforms.get(platform)
        return found is not None and found.spends

    def front_url(self, launches: Launches) -> str:
        """Scheme and host of the page on the first platform that hosts it; "" where none does."""
        for name, launch in launches:
            platform = self._platforms.get(name) or self._drafts.get(name)
            if isinstance(platform, HostsPage):
                return platform.front_url(launch)
        return ""

    async def setups(self, campaign_id: str) -> list[PlatformSetup]:
        """What is stored of the campaign's platforms; asks nobody."""
        found = []
        for stored in await self._store.platforms(campaign_id):
            setup = PlatformSetup(
                platform=stored.name, state=stored.state, spent_micros=stored.spent_micros, detail=stored.detail
            )
            if stored.spend_read_at is not None:
                setup.spend_read_at.FromMicroseconds(stored.spend_read_at)
            for step in await self._store.steps(campaign_id, stored.name):
                setup.steps.add(
                    key=step.key,
                    title=step.title,
                    state=step.state,
                    external_id=step.external_id,
                    attempts=step.attempts,
                    detail=step.detail,
                )
            found.append(setup)
        return found

    async def dry_run(self, launches: Launches) -> list[PlatformSetup]:
        """Every request that would be sent to each platform, those not configured among them. Sends and stores nothing.

        A step that is done shows the request that made it; ids that are not known yet stand as `{step key}`.
        """
        reasons = dict(self._not_configured)
        found = []
        for name, launch in launches:
            platform = self._platforms.get(name) or self._drafts.get(name)
            if platform is None and name not in reasons:
                raise self._unknown(name)
            state = _PLANNED if name in self._platforms else campaign_pb2.PLATFORM_STATE_NOT_CONFIGURED
            setup = PlatformSetup(platform=name, state=state, detail=reasons.get(name, ""))
            if platform is not None:
                await self._plan_requests(setup, platform, launch)
            found.append(setup)
        return found

    async def set_up(self, launches: Launches) -> list[PlatformSetup]:
        """Make what is not made yet, switched off, on all platforms at a time. Goes on where an earlier try stopped."""
        return await self._each(launches, self._make)

    async def switch(self, launches: Launches, *, on: bool) -> list[PlatformSetup]:
        """Let the ads run, or hold them, as often as wanted. Raises the first error of a platform that did not do so.

        All platforms are tried before it is raised; to run, those that cost nothing come first, and where one of them
        fails, nothing that costs is switched on. A platform whose set-up has not ended cannot run (CAMPAIGN_STATE) and
        has nothing to hold.
        """

        async def turn(platform: Platform, launch: Launch) -> None:
            await self._switch(platform, launch, on=on)

        if not on:
            return await self._each(launches, turn, raises=True)
        free = [(name, launch) for name, launch in launches if not self._platform(name).spends]
        costly = [(name, launch) for name, launch in launches if self._platform(name).spends]
        made = await self._each(free, turn, raises=True) + await self._each(costly, turn, raises=True)
        order = {name: number for number, (name, _) in enumerate(launches)}
        return sorted(made, key=lambda setup: order[setup.platform])

    async def end(self, launches: Launches) -> list[PlatformSetup]:
        """Hold for good what ran, take back what never did. Raises the first error of a platform that did not do so."""
        return await self._each(launches, self._end, raises=True)

    async def undo(self, launches: Launches) -> list[PlatformSetup]:
        """Take everything back, the last step first. Setting up again afterwards makes it anew."""
        return await self._each(launches, self._undo)

    async def read_spend(self, launches: Launches) -> list[str]:
        """Ask each platform that costs what the campaign has cost, and store it.

        Returns why some could not be asked: their last known figure stands, with the time of its reading.
        """
        unread: dict[str, str] = {}

        async def read(platform: Platform, launch: Launch) -> None:
            steps = self._steps(platform, launch)
            done = await steps.done() if platform.spends else None
            if done is None:
                return
            try:
                spent = await platform.spent_micros(launch, done)
            except PipelineError as error:
                unread[platform.name] = str(error)
            else:
                await self._store.keep_spend(launch.campaign_id, platform.name, spent)

        await self._each(launches, read)
        return [f"{name}: {unread[name]}" for name, _ in launches if name in unread]

    async def tell_counts(self, launches: Launches, counts: Counts) -> list[str]:
        """Tell the platforms that take them what was counted on whole days; returns why some were not told."""
        untold: dict[str, str] = {}

        async def tell(platform: Platform, launch: Launch) -> None:
            if isinstance(platform, TellsCounts):
                try:
                    await platform.tell(launch, counts)
                except PipelineError as error:
                    untold[platform.name] = str(error)

        await self._each(launches, tell)
        return [f"{name}: {untold[name]}" for name, _ in launches if name in untold]

    # ------------------------------------------------------------------------------------ one platform

    async def _make(self, platform: Platform, launch: Launch) -> None:
        campaign = launch.campaign_id
        await self._store.plan(campaign, platform.name, platform.steps(launch))
        state = await self._state(campaign, platform.name)
        steps = self._steps(platform, launch)
        if state == _COMPLETED or (state in (_RUNNING, _PAUSED) and await steps.done() is not None):
            return
        await self._store.keep_platform(campaign, platform.name, _SETTING_UP)
        await steps.make()
        await self._store.keep_platform(campaign, platform.name, _PAUSED)

    async def _switch(self, platform: Platform, launch: Launch, *, on: bool) -> None:
        campaign = launch.campaign_id
        steps = self._steps(platform, launch)
        done = await steps.done()
        if done is None:
            if on:
                raise PipelineError(
                    errors_pb2.ERROR_REASON_CAMPAIGN_STATE,
                    f"The campaign is not set up on {platform.name} yet; publish it again.",
                )
            return
        if on:
            await self._store.keep_platform(campaign, platform.name, _RUNNING)
        await steps.switch(done, on=on)
        if not on:
            await self._store.keep_platform(campaign, platform.name, _PAUSED)

    async def _end(self, platform: Platform, launch: Launch) -> None:
        if await self._steps(platform, launch).done() is None:
            await self._undo(platform, launch)
            return
        await self._switch(platform, launch, on=False)
        await self._store.keep_platform(launch.campaign_id, platform.name, _COMPLETED)

    async def _undo(self, platform: Platform, launch: Launch) -> None:
        await self._store.plan(launch.campaign_id, platform.name, platform.steps(launch))
        await self._steps(platform, launch).undo()
        await self._store.keep_platform(launch.campaign_id, platform.name, _UNDONE)

    async def _plan_requests(self, setup: PlatformSetup, platform: Platform, launch: Launch) -> None:
        stored = {step.key: step for step in await self._store.steps(launch.campaign_id, platform.name)}
        made = {key: row.external_id for key, row in stored.items() if row.external_id}
        try:
            planned = platform.steps(launch)
            done = Done({step.key: made.get(step.key, f"{{{step.key}}}") for step in planned})
            for step in planned:
                shown = SetupStep(key=step.key, title=step.title, state=campaign_pb2.SETUP_STEP_STATE_PLANNED)
                shown.request.CopyFrom(platform.request(launch, step, done))
                if (row := stored.get(step.key)) is not None:
                    shown.state, shown.attempts, shown.external_id = row.state, row.attempts, row.external_id
                setup.steps.append(shown)
        except PipelineError as error:
            setup.detail = f"{setup.detail}; {error}" if setup.detail else str(error)

    # ------------------------------------------------------------------------------------ all platforms

    async def _each(
        self, launches: Launches, work: Callable[[Platform, Launch], Awaitable[None]], *, raises: bool = False
    ) -> list[PlatformSetup]:
        """Do `work` for all launches at a time: what one platform refuses is told in its row and stops no other."""
        chosen = [(self._platform(name), launch) for name, launch in launches]
        if not chosen:
            return []
        errors: dict[str, PipelineError] = {}

        async def one(platform: Platform, launch: Launch) -> None:
            try:
                await work(platform, launch)
            except Exception as error:
                errors[platform.name] = await self._told(platform.name, launch.campaign_id, error)

        campaign = chosen[0][1].campaign_id
        async with self._alone(campaign):
            try:
                async with asyncio.TaskGroup() as group:
                    for platform, launch in chosen:
                        group.create_task(one(platform, launch), name=f"{platform.name}/{campaign}")
            except BaseExceptionGroup as group_error:
                # Only a store that fails gets here: the first error says it all.
                raise group_error.exceptions[0] from None
        if raises:
            for platform, _ in chosen:
                if platform.name in errors:
                    raise errors[platform.name]
        names = {platform.name for platform, _ in chosen}
        return [setup for setup in await self.setups(campaign) if setup.platform in names]

    async def _told(self, name: str, campaign: str, error: Exception) -> PipelineError:
        """Keep why a platform failed. Errors of our own store, and of the code around, are raised as they are."""
        if not isinstance(error, PipelineError):
            _log.exception("platform_failed", platform=name, campaign=campaign)
            error = PipelineError(
                errors_pb2.ERROR_REASON_INTERNAL,
                f"{name} could not be spoken to ({type(error).__name__}); the server's log tells more",
                metadata={"upstream": name},
            )
        if error.metadata.get("store"):
            raise error
        _log.warning("platform_refused", platform=name, campaign=campaign, reason=error.reason_name)
        await self._store.plan(campaign, name, ())  # a launch that it cannot take has no steps, and is told too
        state = await self._state(campaign, name)
        failed = _FAILED if state in (_PLANNED, _SETTING_UP, _UNDONE, _FAILED) else None
        await self._store.keep_platform(campaign, name, failed, detail=str(error))
        return error

    async def _state(self, campaign: str, name: str) -> PlatformState.ValueType:
        found = [row.state for row in await self._store.platforms(campaign) if row.name == name]
        return found[0] if found else _PLANNED

    def _steps(self, platform: Platform, launch: Launch) -> PlatformSteps:
        return PlatformSteps(platform, launch, self._store, self._clock)

    def _platform(self, name: str) -> Platform:
        if name not in self._platforms:
            raise self._unknown(name)
        return self._platforms[name]

    def _unknown(self, name: str) -> PipelineError:
        reason = dict(self._not_configured).get(name, f"choose from {', '.join(self._platforms) or 'none'}")
        return PipelineError.invalid("platforms", f"name {name[:40]!r}, which this server cannot use: {reason}")

    @asynccontextmanager
    async def _alone(self, campaign: str) -> AsyncIterator[None]:
        """One call at a time for a campaign; over processes, the store's claims keep them apart."""
        lock = self._locks.get(campaign)
        if lock is None:
            lock = self._locks[campaign] = asyncio.Lock()
        async with lock:
            yield
