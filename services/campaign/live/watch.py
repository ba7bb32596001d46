"""Looks after campaigns while nobody asks: spend, cap, stopping rule and reading; addresses of those that ended."""

from __future__ import annotations

import asyncio
import contextlib

from chassis.clock import Clock
from chassis.logs import get_logger
from pipeline.errors import PipelineError
from services.campaign.domain.names import campaign_name
from services.campaign.live.campaigns import LiveCampaigns

_log = get_logger("campaign.watch")


class CampaignWatch:
    """Reads every running campaign at the start and each `seconds` after the last look; one at a time.

    A platform reports its spend with a delay of its own (minutes to hours): the cap holds on what is reported, which is
    why each platform is given its budget as a limit as well.
    """

    def __init__(self, live: LiveCampaigns, clock: Clock, seconds: float) -> None:
        self._live = live
        self._clock = clock
        self._seconds = seconds
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; needs a running loop."""
        self._task = asyncio.create_task(self._run(), name="campaign-watch")

    async def stop(self) -> None:
        """End at once; a look under way is cut off, and the next server begins with one."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def look(self) -> None:
        """Erase what was kept long enough, then look at every running campaign.

        What goes wrong with one keeps nobody from the others.
        """
        try:
            await self._live.forget_people()
        except Exception as error:  # the next look tries again
            _tell("people_not_forgotten", error)
        try:
            running = await self._live.store.running()
        except Exception as error:  # nor must it end the watch: money would be spent that nobody counts
            _tell("campaigns_unread", error)
            return
        for campaign_id in running:
            name = campaign_name(campaign_id)
            try:
                await self._live.read(name)
            except Exception as error:  # a defect met by one campaign must not leave the others unwatched
                _tell("campaign_unread", error, campaign=name)

    async def _run(self) -> None:
        while True:
            await self.look()
            await self._clock.sleep(self._seconds)


def _tell(event: str, error: Exception, **fields: str) -> None:
    if isinstance(error, PipelineError):
        _log.warning(event, error=str(error), **fields)
    else:
        _log.error(event, exc_info=error, **fields)
