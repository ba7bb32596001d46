"""The stored results of a run's phases, typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Union

from gateway.names import PhaseValue, phase_name
from pipeline.v1 import (
    campaign_pb2,
    common_pb2,
    evidence_pb2,
    mvp_pb2,
    pitch_pb2,
    validation_pb2,
)

AnyResult = Union[  # noqa: UP007  (a union of generated classes has no | at run time)
    validation_pb2.ValidationResult,
    evidence_pb2.EvidenceResult,
    pitch_pb2.PitchResult,
    campaign_pb2.CampaignResult,
    mvp_pb2.MvpResult,
]

_TYPES: Mapping[PhaseValue, Any] = {
    common_pb2.PHASE_VALIDATION: validation_pb2.ValidationResult,
    common_pb2.PHASE_EVIDENCE: evidence_pb2.EvidenceResult,
    common_pb2.PHASE_PITCH: pitch_pb2.PitchResult,
    common_pb2.PHASE_CAMPAIGN: campaign_pb2.CampaignResult,
    common_pb2.PHASE_MVP: mvp_pb2.MvpResult,
}


@dataclass(frozen=True)
class Results:
    """What the phases returned, a field per phase; None for a phase without a result."""

    validation: validation_pb2.ValidationResult | None = None
    evidence: evidence_pb2.EvidenceResult | None = None
    pitch: pitch_pb2.PitchResult | None = None
    campaign: campaign_pb2.CampaignResult | None = None
    mvp: mvp_pb2.MvpResult | None = None

    @classmethod
    def parse(cls, stored: Mapping[int, bytes]) -> Results:
        """From checkpoints, by Phase number."""
        return cls(
            **{phase_name(phase): kind.FromString(stored[phase]) for phase, kind in _TYPES.items() if phase in stored}
        )

    def with_result(self, phase: PhaseValue, result: AnyResult) -> Results:
        """These and one more."""
        change: Any = {phase_name(phase): result}
        return replace(self, **change)

    def by_phase(self) -> dict[PhaseValue, AnyResult]:
        """Results that exist, in the order of the phases."""
        found = {phase: getattr(self, phase_name(phase)) for phase in _TYPES}
        return {phase: result for phase, result in found.items() if result is not None}

    def count(self) -> int:
        """Number of phases with a result."""
        return len(self.by_phase())

    @property
    def claims(self) -> list[common_pb2.Claim]:
        """The run's claims: validation's, or evidence's where validation has none."""
        if self.validation is not None and self.validation.claims:
            return list(self.validation.claims)
        return list(self.evidence.claims) if self.evidence is not None else []

    @property
    def missing(self) -> list[common_pb2.Missing]:
        """What the phases say they lack, with the phase filled in."""
        found = []
        for phase, result in self.by_phase().items():
            for missing in result.missing:
                copy = common_pb2.Missing()
                copy.CopyFrom(missing)
                copy.phase = copy.phase or phase
                found.append(copy)
        return found
