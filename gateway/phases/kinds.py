"""All phases, in the order of the contract."""

from __future__ import annotations

from gateway.names import PhaseValue
from gateway.phases import campaign, evidence, mvp, pitch, validation
from gateway.phases.base import PhaseKind
from gateway.plan import Step

KINDS: tuple[PhaseKind, ...] = (validation.KIND, evidence.KIND, pitch.KIND, campaign.KIND, mvp.KIND)
PHASE_OF: dict[Step, PhaseValue] = {Step(kind.name): kind.phase for kind in KINDS}
STEP_OF: dict[PhaseValue, Step] = {phase: step for step, phase in PHASE_OF.items()}
