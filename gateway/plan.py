"""The phases of a run as data: what each needs, what stops it, and what may start next.

Standard library only, no I/O and no clock: `decide` is a function of what has settled so far. A phase starts the moment
its needs have settled; there are no stages.

    validation  needs nothing
    evidence    needs nothing
    mvp         needs validation (must have succeeded: it builds from the profile)
    pitch       needs validation (must have succeeded) and evidence (settled: without it the deck is thinner)
    campaign    the same as pitch

A gate stops mvp, pitch and campaign when validation rejects the idea and the run's policy is to stop.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Step(StrEnum):
    """A phase of a run, in the order of the plan."""

    VALIDATION = "validation"
    EVIDENCE = "evidence"
    PITCH = "pitch"
    CAMPAIGN = "campaign"
    MVP = "mvp"


class Outcome(StrEnum):
    """How a phase settled."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"


class Why(StrEnum):
    """Why a phase is skipped."""

    NOT_ASKED = "not_asked"
    GATED = "gated"
    NEED_FAILED = "need_failed"


@dataclass(frozen=True)
class Rule:
    """Needs and gate of one phase.

    needs: phases that must have settled. requires: those of them that must have succeeded. gated: skipped when the idea
    is rejected and the policy is to stop.
    """

    step: Step
    needs: frozenset[Step] = frozenset()
    requires: frozenset[Step] = frozenset()
    gated: bool = False

    def __post_init__(self) -> None:
        if not self.requires <= self.needs:
            raise ValueError(f"{self.step}: requires {self.requires - self.needs} without needing it")


@dataclass(frozen=True)
class Start:
    """The phase may start now."""

    step: Step


@dataclass(frozen=True)
class Skip:
    """The phase will not run; `because` names the failed need where `why` is NEED_FAILED."""

    step: Step
    why: Why
    because: Step | None = None


Decision = Start | Skip

RULES: tuple[Rule, ...] = (
    Rule(Step.VALIDATION),
    Rule(Step.EVIDENCE),
    # mvp before pitch and campaign: it is the longest phase and can start first, so it gets the free slot.
    Rule(Step.MVP, needs=frozenset({Step.VALIDATION}), requires=frozenset({Step.VALIDATION}), gated=True),
    Rule(
        Step.PITCH,
        needs=frozenset({Step.VALIDATION, Step.EVIDENCE}),
        requires=frozenset({Step.VALIDATION}),
        gated=True,
    ),
    Rule(
        Step.CAMPAIGN,
        needs=frozenset({Step.VALIDATION, Step.EVIDENCE}),
        requires=frozenset({Step.VALIDATION}),
        gated=True,
    ),
)


@dataclass(frozen=True)
class Plan:
    """What one run shall do: the rules, the phases left out, and how many phases may run at once."""

    rules: tuple[Rule, ...] = RULES
    left_out: frozenset[Step] = frozenset()
    max_concurrent: int = 5

    def __post_init__(self) -> None:
        if self.max_concurrent < 1:
            raise ValueError(f"max_concurrent is {self.max_concurrent}; give at least 1")
        if Step.VALIDATION in self.left_out:
            raise ValueError("validation cannot be left out: every other phase rests on it")

    @property
    def steps(self) -> tuple[Step, ...]:
        """The phases that this run shall do, in the order of `Step`."""
        known = {rule.step for rule in self.rules}
        return tuple(step for step in Step if step in known and step not in self.left_out)

    def decide(
        self, settled: Mapping[Step, Outcome], running: Collection[Step] = (), *, rejected: bool = False
    ) -> list[Decision]:
        """What to do now: skips first, then as many starts as there are free slots.

        A skip settles a phase at once, so the decisions are computed as if it had: no second call is needed.
        """
        seen = dict(settled)
        skips: list[Decision] = []
        moved = True
        while moved:
            moved = False
            for rule in self.rules:
                if rule.step in seen or rule.step in running:
                    continue
                skip = self._skip(rule, seen, rejected)
                if skip is not None:
                    skips.append(skip)
                    seen[rule.step] = Outcome.SKIPPED
                    moved = True
        free = self.max_concurrent - len(running)
        starts = [
            Start(rule.step)
            for rule in self.rules
            if rule.step not in seen and rule.step not in running and rule.needs <= seen.keys()
        ]
        return [*skips, *starts[: max(free, 0)]]

    def _skip(self, rule: Rule, settled: Mapping[Step, Outcome], rejected: bool) -> Skip | None:
        if rule.step in self.left_out:
            return Skip(rule.step, Why.NOT_ASKED)
        for need in sorted(rule.requires):
            if need in settled and settled[need] is not Outcome.SUCCEEDED:
                return Skip(rule.step, Why.NEED_FAILED, need)
        if rule.gated and rejected:
            return Skip(rule.step, Why.GATED)
        return None

    def finished(self, settled: Mapping[Step, Outcome]) -> bool:
        """True when every phase has settled."""
        return all(rule.step in settled for rule in self.rules)

    def ready(self, done: Mapping[Step, Outcome]) -> list[Step]:
        """Phases whose needs have settled and that nothing skips, ignoring what already runs."""
        return [decision.step for decision in self.decide(done) if isinstance(decision, Start)]


def critical_path(durations: Mapping[Step, float], rules: tuple[Rule, ...] = RULES) -> float:
    """Shortest time in seconds that the plan allows, given each phase's own duration in seconds."""
    ends: dict[Step, float] = {}
    pending = [rule for rule in rules if rule.step in durations]
    while pending:
        for rule in pending:
            needs = [need for need in rule.needs if need in durations]
            if all(need in ends for need in needs):
                ends[rule.step] = max((ends[need] for need in needs), default=0.0) + durations[rule.step]
                pending.remove(rule)
                break
        else:
            raise ValueError("the plan's needs form a circle")
    return max(ends.values(), default=0.0)
