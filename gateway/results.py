"""The stored results of a run's phases, typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Union

from gateway.names import PhaseValue
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


@dataclass(frozen=True)
class Results:
    """What the phases returned; None for a phase without a result."""

    validation: validation_pb2.ValidationResult | None = None
    evidence: evidence_pb2.EvidenceResult | None = None
    pitch: pitch_pb2.PitchResult | None = None
    campaign: campaign_pb2.CampaignResult | None = None
    mvp: mvp_pb2.MvpResult | None = None

    @classmethod
    def parse(cls, stored: Mapping[int, bytes]) -> Results:
        """From checkpoints, by Phase number."""

        def get(phase: PhaseValue) -> bytes | None:
            return stored.get(phase)

        validation, evidence = get(common_pb2.PHASE_VALIDATION), get(common_pb2.PHASE_EVIDENCE)
        pitch, campaign = get(common_pb2.PHASE_PITCH), get(common_pb2.PHASE_CAMPAIGN)
        mvp = get(common_pb2.PHASE_MVP)
        return cls(
            validation=(None if validation is None else validation_pb2.ValidationResult.FromString(validation)),
            evidence=None if evidence is None else evidence_pb2.EvidenceResult.FromString(evidence),
            pitch=None if pitch is None else pitch_pb2.PitchResult.FromString(pitch),
            campaign=None if campaign is None else campaign_pb2.CampaignResult.FromString(campaign),
            mvp=None if mvp is None else mvp_pb2.MvpResult.FromString(mvp),
        )

    def by_phase(self) -> dict[PhaseValue, AnyResult]:
        """Results that exist, in the order of the phases."""
        pairs: list[tuple[PhaseValue, AnyResult | None]] = [
            (common_pb2.PHASE_VALIDATION, self.validation),
            (common_pb2.PHASE_EVIDENCE, self.evidence),
            (common_pb2.PHASE_PITCH, self.pitch),
            (common_pb2.PHASE_CAMPAIGN, self.campaign),
            (common_pb2.PHASE_MVP, self.mvp),
        ]
        return {phase: result for phase, result in pairs if result is not None}

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
