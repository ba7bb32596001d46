"""Claims runs and works on them, keeps their leases alive, and gives them back when the gateway stops."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from chassis.clock import Clock
from chassis.logs import get_logger
from chassis.streaming import cancel_and_wait, spawn_detached
from gateway.runs.leases import Lease
from gateway.runs.progress import RunProgress
from gateway.runs.store import QUEUE
from gateway.runs.wakeup import Wakeup
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

_log = get_logger("gateway.worker")

# A lease is renewed this often within its life, so that two lost renewals still cost nothing.
RENEWALS_PER_LEASE = 3


class Worker:
    """At most `limit` runs at a time; a limit of 0 works on none."""

    def __init__(
        self,
        progress: RunProgress,
        execute: Callable[[Lease], Awaitable[None]],
        wakeup: Wakeup,
        clock: Clock,
        *,
        owner: str,
        limit: int,
        lease_seconds: float,
        poll_seconds: float,
    ) -> None:
        self._progress = progress
        self._execute = execute
        self._wakeup = wakeup
        self._clock = clock
        self._owner = owner
        self._limit = limit
        self._lease_seconds = lease_seconds
        self._poll_seconds = poll_seconds
        self._runs: dict[str, tuple[Lease, asyncio.Task[None]]] = {}
        self._loops: list[asyncio.Task[None]] = []
        self._rng = random.Random()  # noqa: S311  (spreads polls, guards nothing)

    def __repr__(self) -> str:
        return f"Worker({self._owner}: {len(self._runs)}/{self._limit} runs)"

    @property
    def active(self) -> int:
        """Runs being worked on."""
        return len(self._runs)

    def start(self) -> None:
        """Begin to claim runs."""
        if self._limit > 0:
            self._loops = [
                spawn_detached(self._claim_loop(), name="worker-claims"),
                spawn_detached(self._renew_loop(), name="worker-leases"),
            ]

    async def stop(self) -> None:
        """Stop at once and give every run back as it stands: the next start resumes it without waiting."""
        loops, self._loops = self._loops, []
        if not loops:
            return
        await cancel_and_wait(loops)
        await cancel_and_wait([task for _, task in self._runs.values()])
        try:
            # Also what no task holds: a claim that was under way when its loop ended, a run that had not begun.
            await self._progress.release_all(self._owner)
        except PipelineError as error:
            _log.warning("release_failed", owner=self._owner, reason=error.reason_name)

    async def drop(self, run_id: str) -> None:
        """Stop working on one run (it was cancelled) and wait until its work has ended."""
        if run_id in self._runs:
            await cancel_and_wait([self._runs[run_id][1]])

    async def _claim_loop(self) -> None:
        while True:
            ticket = self._wakeup.ticket(QUEUE)
            try:
                while len(self._runs) < self._limit:
                    lease = await self._progress.claim(self._owner, self._lease_seconds, list(self._runs))
                    if lease is None:
                        break
                    self._begin(lease)
            except PipelineError as error:
                _log.warning("claim_failed", reason=error.reason_name)
            except Exception:
                # Nobody waits for this loop: if it ended, the gateway would accept runs and never begin one.
                _log.exception("claim_crashed")
            pause = self._poll_seconds * self._rng.uniform(0.9, 1.1)
            await self._wakeup.wait(QUEUE, ticket, pause)

    def _begin(self, lease: Lease) -> None:
        # Detached: a run outlives the call that created it.
        task = spawn_detached(self._work(lease), name=f"run-{lease.run_id}")
        self._runs[lease.run_id] = (lease, task)

        def ended(_: asyncio.Task[None]) -> None:
            self._runs.pop(lease.run_id, None)
            self._wakeup.notify(QUEUE)

        task.add_done_callback(ended)

    async def _work(self, lease: Lease) -> None:
        try:
            await self._execute(lease)
        except PipelineError as error:
            # A lost lease belongs to another worker; a store that does not answer leaves the run to its expiry.
            _log.warning("run_left", run=lease.run_id, reason=error.reason_name, error=error.message)
        except Exception:
            # The lease runs out and the run is tried again; its number of claims is bounded.
            _log.exception("run_crashed", run=lease.run_id)

    async def _renew_loop(self) -> None:
        while True:
            await self._clock.sleep(self._lease_seconds / RENEWALS_PER_LEASE)
            held = list(self._runs.values())
            results = await asyncio.gather(
                *(self._progress.renew(lease, self._lease_seconds) for lease, _ in held), return_exceptions=True
            )
            for (lease, task), result in zip(held, results, strict=True):
                if isinstance(result, PipelineError) and result.reason == errors_pb2.ERROR_REASON_LEASE_LOST:
                    _log.warning("lease_lost", run=lease.run_id)
                    task.cancel()
                elif isinstance(result, BaseException):
                    _log.warning("renew_failed", run=lease.run_id, error=str(result))
