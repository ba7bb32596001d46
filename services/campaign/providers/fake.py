"""A platform without a network: it keeps what was made in memory and fails when told to.

For trying a set-up out, and for tests of what is above it; it holds the same contract as the adapters.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Sequence

from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2, errors_pb2
from services.campaign.providers.base import Done, Effect, Launch, Step

URL = "https://fake.invalid"
SECONDS = 20
# Nothing happens; or it happens, and the answer is lost, comes too late, or says 500.
KINDS = ("401", "429", "503", "reset", "lost", "held", "500_after")


class FakePlatform:
    """Things with names. `things`: what a campaign consists of, in their order."""

    def __init__(self, name: str = "fake", *, spends: bool = False, things: Sequence[str] = ("account", "ad")) -> None:
        self._name = name
        self._spends = spends
        self._things = tuple(things)
        self._due: deque[str] = deque()
        # What exists now: step key and name, and its id.
        self.things: list[tuple[str, str, str]] = []
        # Effects by step key; what was taken back stays counted, so that a second one is seen.
        self.made: Counter[str] = Counter()
        # Campaigns that run, and what each has cost in micros.
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

    def fail(self, *kinds: str) -> None:
        """Order faults for the next requests with an effect, one each; `KINDS` says which there are."""
        unknown = [kind for kind in kinds if kind not in KINDS]
        if unknown:
            raise ValueError(f"{unknown[0]} is no fault; write some of {', '.join(KINDS)}")
        self._due.extend(kinds)

    def steps(self, launch: Launch) -> Sequence[Step]:
        return [Step(f"{self.name}/{t}", t.capitalize(), f"{launch.campaign_id} {t}") for t in self._things]

    def request(self, launch: Launch, step: Step, done: Done) -> campaign_pb2.PlannedRequest:
        body = {"name": step.name, "with": dict(done.effects), "page": launch.page_url}
        headers = {"Authorization": "Bearer ***", "Content-Type": "application/json"}
        return campaign_pb2.PlannedRequest(
            method="POST", url=f"{URL}/{step.key}", headers=headers, body=json.dumps(body, indent=2)
        )

    async def find(self, launch: Launch, step: Step, done: Done) -> Effect | None:
        found = [made for key, name, made in self.things if (key, name) == (step.key, step.name)]
        return Effect(found[0], found=True) if found else None

    async def perform(self, launch: Launch, step: Step, done: Done) -> Effect:
        fault = self._arrived(step.key)
        self.made[step.key] += 1
        made = f"{step.key}-{sum(self.made.values())}"
        self.things.append((step.key, step.name, made))
        self._answered(fault)
        return Effect(made)

    async def undo(self, launch: Launch, step: Step, external_id: str) -> None:
        fault = self._arrived(f"undo {step.key}")
        self.things = [thing for thing in self.things if thing[2] != external_id]
        self._answered(fault)

    async def switch(self, launch: Launch, done: Done, *, on: bool) -> None:
        fault = self._arrived("switch")
        (self.running.add if on else self.running.discard)(launch.campaign_id)
        self._answered(fault)

    async def spent_micros(self, launch: Launch, done: Done) -> int:
        self._answered(self._arrived("spend"))
        return self.spent.get(launch.campaign_id, 0)

    def _arrived(self, what: str) -> str:
        """The fault that this request meets after its effect; raises where the effect does not happen."""
        self.asked.append(what)
        kind = self._due.popleft() if self._due else ""
        match kind:
            case "401":
                raise self._failed("refused the credentials; check its token", "status", status="401")
            case "429":
                raise PipelineError(
                    errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED,
                    f"{self.name} asks for fewer calls",
                    metadata={"upstream": self.name, "status": "429"},
                    retry_after=1.0,
                )
            case "503":
                raise self._failed("answered 503", "status", status="503")
            case "reset":
                raise self._failed("closed the connection without an answer", "disconnected", interrupted="true")
        return kind

    def _answered(self, fault: str) -> None:
        match fault:
            case "lost":
                raise self._failed("closed the connection without an answer", "disconnected", interrupted="true")
            case "500_after":
                raise self._failed("answered 500", "status", status="500")
            case "held":
                raise PipelineError(
                    errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED,
                    f"{self.name} did not answer within {SECONDS} s",
                    metadata={"upstream": self.name},
                )

    def _failed(self, what: str, cause: str, **metadata: str) -> PipelineError:
        told = {"upstream": self.name, "cause": cause, **metadata}
        return PipelineError(errors_pb2.ERROR_REASON_UPSTREAM_FAILED, f"{self.name} {what}", metadata=told)
