"""A platform without a network: it keeps what was made in memory and fails when told to.

For trying a set-up out, and for tests of what is above it; it holds the same contract as the adapters.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2, errors_pb2
from services.campaign.providers.base import Done, Effect, Launch, Step

URL = "https://fake.invalid"
SECONDS = 20
# Before the effect, or after it: the reply is lost, or comes too late.
KINDS = ("401", "429_seconds", "503", "reset", "lost", "stalled")


class FakePlatform:
    """Things with names in a dictionary. `things`: what a campaign consists of, in their order."""

    def __init__(self, name: str = "fake", *, spends: bool = False, things: Sequence[str] = ("account", "ad")) -> None:
        self._name = name
        self._spends = spends
        self._things = tuple(things)
        self._mishaps: list[tuple[str, str]] = []
        self._numbers = 0
        # Step key, name and id of each thing that exists.
        self.made: list[tuple[str, str, str]] = []
        # Ids of campaigns that run, and what each has cost.
        self.running: set[str] = set()
        self.spent: dict[str, int] = {}
        # Requests with an effect that arrived, by what they were.
        self.asked: list[str] = []

    @property
    def name(self) -> str:
        return self._name

    @property
    def spends(self) -> bool:
        return self._spends

    def mishap(self, kind: str, *, path: str = "", times: int = 1) -> None:
        """Let the next `times` requests with an effect fail so, of those whose key contains `path`; see `KINDS`."""
        if kind not in KINDS:
            raise ValueError(f"{kind} is no mishap; give one of {', '.join(KINDS)}")
        self._mishaps += [(kind, path)] * times

    def effects(self) -> list[str]:
        """What exists now, one entry a thing."""
        return [f"{key} {name}" for key, name, _ in self.made]

    def steps(self, launch: Launch) -> Sequence[Step]:
        return [Step(f"{self.name}/{t}", t.capitalize(), f"{launch.campaign_id} {t}") for t in self._things]

    def request(self, launch: Launch, step: Step, done: Done) -> campaign_pb2.PlannedRequest:
        body = {"name": step.name, "with": dict(done.effects), "page": launch.page_url}
        headers = {"Authorization": "Bearer ***", "Content-Type": "application/json"}
        return campaign_pb2.PlannedRequest(
            method="POST", url=f"{URL}/{step.key}", headers=headers, body=json.dumps(body, indent=2)
        )

    async def find(self, launch: Launch, step: Step, done: Done) -> Effect | None:
        found = [made for key, name, made in self.made if (key, name) == (step.key, step.name)]
        return Effect(found[0], found=True) if found else None

    async def perform(self, launch: Launch, step: Step, done: Done) -> Effect:
        kind = self._arrived(step.key)
        self._numbers += 1
        made = f"{self.name}-{self._numbers}"
        self.made.append((step.key, step.name, made))
        self._answered(kind)
        return Effect(made)

    async def undo(self, launch: Launch, step: Step, external_id: str) -> None:
        kind = self._arrived(step.key)
        self.made = [row for row in self.made if row[2] != external_id]
        self._answered(kind)

    async def switch(self, launch: Launch, done: Done, *, on: bool) -> None:
        kind = self._arrived("switch")
        (self.running.add if on else self.running.discard)(launch.campaign_id)
        self._answered(kind)

    async def spent_micros(self, launch: Launch, done: Done) -> int:
        self._answered(self._arrived("spend"))
        return self.spent.get(launch.campaign_id, 0)

    def _arrived(self, what: str) -> str:
        """The mishap of this request; raises where the effect does not happen."""
        self.asked.append(what)
        found = next(((kind, path) for kind, path in self._mishaps if path in what), None)
        if found is None:
            return ""
        self._mishaps.remove(found)
        kind = found[0]
        if kind == "429_seconds":
            raise PipelineError(
                errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED,
                f"{self.name} asks for fewer requests",
                metadata={"upstream": self.name, "status": "429"},
                retry_after=1.0,
            )
        if kind == "401":
            raise self._failed("refused the credentials; check its token", status="401")
        if kind == "503":
            raise self._failed("answered 503", status="503")
        if kind == "reset":
            raise self._failed("closed the connection without an answer", interrupted="true")
        return kind

    def _answered(self, kind: str) -> None:
        if kind == "lost":
            raise self._failed("closed the connection without an answer", interrupted="true")
        if kind == "stalled":
            raise PipelineError(
                errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED,
                f"{self.name} did not answer within {SECONDS} s",
                metadata={"upstream": self.name},
            )

    def _failed(self, what: str, **metadata: str) -> PipelineError:
        return PipelineError(
            errors_pb2.ERROR_REASON_UPSTREAM_FAILED,
            f"{self.name} {what}",
            metadata={"upstream": self.name, "cause": "status" if "status" in metadata else "disconnected", **metadata},
        )
