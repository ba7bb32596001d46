"""The phases by number and by name."""

from __future__ import annotations

from typing import TypeAlias

from pipeline.v1 import common_pb2, pipeline_pb2

PhaseValue: TypeAlias = "common_pb2.Phase.ValueType"

ALL_PHASES: tuple[PhaseValue, ...] = (
    common_pb2.PHASE_VALIDATION,
    common_pb2.PHASE_EVIDENCE,
    common_pb2.PHASE_PITCH,
    common_pb2.PHASE_CAMPAIGN,
    common_pb2.PHASE_MVP,
)


def phase_name(phase: PhaseValue) -> str:
    """`validation`, `evidence`, ..."""
    return common_pb2.Phase.Name(phase).removeprefix("PHASE_").lower()


def state_name(state: pipeline_pb2.RunState.ValueType) -> str:
    """`SUCCEEDED`, `PARTIAL`, ..."""
    return pipeline_pb2.RunState.Name(state).removeprefix("RUN_STATE_")
