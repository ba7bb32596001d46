"""One campaign on one platform: its steps made once each, taken back, switched; every state on the disk first.

    planned --claim--> sent --answer--> done --undo--> undone
                        |  ^
              refused --+  +-- looked for, not there: sent again

Between a claim and the answer anything may end: the request, its reply, this process. Whoever comes next finds the step
sent and asks the platform for it before sending again. What was sent by somebody else less than `REQUEST_SECONDS_MAX`
ago may still be on its way, so that it is waited for.

What this cannot see: a process that is stopped for longer than that between its claim and its request, and goes on
after another has sent. There, what platforms refuse by themselves (a name that is taken) is all that is left.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from chassis.clock import Clock
from chassis.logs import get_logger
from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2, errors_pb2
from services.campaign.domain.setup_steps import Move, next_move, pause_after, refused
from services.campaign.providers.base import REQUEST_SECONDS_MAX, Done, Effect, Launch, Platform, Step
from services.campaign.store.effects import EffectStore, StoredStep

T = TypeVar("T")

# How often a step that another call has sent is looked at.
POLL_SECONDS = 1.0

_SENT = campaign_pb2.SETUP_STEP_STATE_SENT
_DONE = campaign_pb2.SETUP_STEP_STATE_DONE
_FAILED = campaign_pb2.SETUP_STEP_STATE_FAILED
_UNDONE = campaign_pb2.SETUP_STEP_STATE_UNDONE

_log = get_logger("campaign.setup")


class PlatformSteps:
    """The steps of `launch` on `platform`. Its rows have to be there (`EffectStore.plan`)."""

    def __init__(self, platform: Platform, launch: Launch, store: EffectStore, clock: Clock) -> None:
        self._platform = platform
        self._launch = launch
        self._id = launch.campaign_id
        self._store = store
        self._clock = clock

    async def make(self) -> Done:
        """Make what is not there. Raises the first PipelineError that no other try would mend; what is made stays."""
        done: dict[str, str] = {}
        for step in self._platform.steps(self._launch):
            done[step.key] = await self._make(step, Done(dict(done)))
        return Done(done)

    async def done(self) -> Done | None:
        """Effects of a set-up that came to its end, None where it did not."""
        stored = await self._store.steps(self._id, self._platform.name)
        finished = stored and all(step.state == _DONE for step in stored)
        return Done({step.key: step.external_id for step in stored}) if finished else None

    async def undo(self) -> None:
        """Take back what is or may be there, the last first. Raises the first error that no other try would mend."""
        stored = {step.key: step for step in await self._store.steps(self._id, self._platform.name)}
        done = Done({key: row.external_id for key, row in stored.items() if row.state == _DONE})
        for step in reversed(self._platform.steps(self._launch)):
            row = stored[step.key]
            if row.attempts and row.state != _UNDONE:
                await self._undo(step, row, done)

    async def switch(self, done: Done, *, on: bool) -> None:
        """Let the campaign run, or hold it."""
        await self.repeated(lambda: self._platform.switch(self._launch, done, on=on))

    async def repeated(self, call: Callable[[], Awaitable[T]]) -> T:
        """What a call that changes nothing when repeated returns, with pauses between its tries."""
        tries = 0
        while True:
            try:
                return await call()
            except PipelineError as error:
                tries += 1
                pause = pause_after(error, tries)
                if pause is None:
                    raise
            await self._clock.sleep(pause)

    # ------------------------------------------------------------------------------------ one step

    async def _make(self, step: Step, done: Done) -> str:
        """The external id of a step's effect, which exists exactly once afterwards."""
        row = await self._not_on_its_way(step)
        tries = 0
        while (move := next_move(row.state, row.attempts)) != Move.REST:
            try:
                effect = await self._platform.find(self._launch, step, done) if move == Move.LOOK else None
                if effect is None:
                    row = await self._store.claim(self._id, row)
                    effect = await self._platform.perform(self._launch, step, done)
            except PipelineError as error:
                if error.reason == errors_pb2.ERROR_REASON_REQUEST_IN_FLIGHT:
                    raise
                tries += 1
                pause = pause_after(error, tries)
                state = _FAILED if refused(error) else _SENT
                if row.attempts:
                    await self._store.keep_step(self._id, step.key, state, detail=str(error))
                if pause is None:
                    raise
                _log.info("step_tried_again", step=step.key, campaign=self._id, tries=tries, pause=pause)
                await self._clock.sleep(pause)
                row = await self._store.step(self._id, step.key)
            else:
                detail = effect.detail or ("found: an earlier try had made it" if effect.found else "")
                await self._store.keep_step(self._id, step.key, _DONE, external_id=effect.external_id, detail=detail)
                return effect.external_id
        return row.external_id

    async def _not_on_its_way(self, step: Step) -> StoredStep:
        """The row of a step once no request of an earlier call can be on its way any more."""
        row = await self._store.step(self._id, step.key)
        waited = 0.0
        while row.state == _SENT and waited < REQUEST_SECONDS_MAX:
            age = self._clock.now().timestamp() - row.updated_at / 1e6
            if age >= REQUEST_SECONDS_MAX:
                break
            pause = min(POLL_SECONDS, REQUEST_SECONDS_MAX - age)
            await self._clock.sleep(pause)
            waited += pause
            row = await self._store.step(self._id, step.key)
        return row

    async def _undo(self, step: Step, row: StoredStep, done: Done) -> None:
        external_id = row.external_id
        if row.state != _DONE:
            row = await self._not_on_its_way(step)
            effect = await self.repeated(lambda: self._find(step, done))
            if effect is None:
                await self._store.keep_step(self._id, step.key, _UNDONE, detail="was not there")
                return
            external_id = effect.external_id
        await self.repeated(lambda: self._platform.undo(self._launch, step, external_id))
        await self._store.keep_step(self._id, step.key, _UNDONE, external_id=external_id)

    async def _find(self, step: Step, done: Done) -> Effect | None:
        return await self._platform.find(self._launch, step, done)
