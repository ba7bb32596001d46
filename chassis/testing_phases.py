"""Fake phase servers: real gRPC servers of this house whose work is a script. For tests of whoever calls phases.

    phases = FakePhases(clock)
    phases.script(PHASE_EVIDENCE).errors.append(unavailable())
    async with phases.serve(folder) as targets: ...        # {"validation": "unix:...", ...}

What they return is made up and says so: no number of it is meant to look measured.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chassis.artifacts import make_artifact
from chassis.clock import Clock
from chassis.config import ServerConfig, load
from chassis.server import Server
from chassis.telemetry import Telemetry
from pipeline.errors import PipelineError
from pipeline.v1 import (
    campaign_pb2,
    campaign_pb2_grpc,
    common_pb2,
    errors_pb2,
    evidence_pb2,
    evidence_pb2_grpc,
    mvp_pb2,
    mvp_pb2_grpc,
    pitch_pb2,
    pitch_pb2_grpc,
    validation_pb2,
    validation_pb2_grpc,
)

CLAIMS: tuple[tuple[str, common_pb2.ClaimKind.ValueType], ...] = (
    ("problem", common_pb2.CLAIM_KIND_PROBLEM),
    ("audience", common_pb2.CLAIM_KIND_AUDIENCE),
    ("competition", common_pb2.CLAIM_KIND_COMPETITION),
)


def unavailable(message: str = "the server is away") -> PipelineError:
    """What a caller sees of a server that was killed."""
    return PipelineError(errors_pb2.ERROR_REASON_UPSTREAM_FAILED, message)


def evidence_item(
    number: int,
    claim_id: str = "problem",
    stance: common_pb2.Stance.ValueType = common_pb2.STANCE_SUPPORTS,
    *,
    verified: bool = True,
    weight: float = 0.8,
) -> common_pb2.EvidenceItem:
    """A made-up source."""
    return common_pb2.EvidenceItem(
        id=f"ev-{number:012x}",
        claim_id=claim_id,
        stance=stance,
        stance_confidence=1.0,
        quote=f"Made-up quote number {number}.",
        url=f"https://example.com/{number}",
        title=f"Made-up source {number}",
        provider="fake",
        source_type=common_pb2.SOURCE_TYPE_REFERENCE,
        composite=weight,
        verified=verified,
        rationale="Made up for a test.",
    )


def sample_result(phase: common_pb2.Phase.ValueType, idea: str = "A made-up idea") -> Any:
    """A small, complete result of a phase."""
    usage = common_pb2.Usage(cache_hits=1, cache_misses=3, external_calls=3, external_calls_saved=1)
    if phase == common_pb2.PHASE_VALIDATION:
        return validation_pb2.ValidationResult(
            profile=common_pb2.IdeaProfile(
                idea=idea, names=["Made Up"], one_liner=idea[:140], coverage=0.5, category="general"
            ),
            claims=[common_pb2.Claim(id=name, kind=kind, text=f"The claim on {name}.") for name, kind in CLAIMS],
            criteria=[_criterion(validation_pb2.CRITERION_CLARITY, 4)],
            verdict=validation_pb2.Verdict(recommendation=validation_pb2.RECOMMENDATION_GO, score=4.0, confidence=0.8),
            usage=usage,
        )
    if phase == common_pb2.PHASE_EVIDENCE:
        items = [evidence_item(n, CLAIMS[n % 2][0]) for n in range(1, 5)]
        return evidence_pb2.EvidenceResult(items=items, usage=usage)
    if phase == common_pb2.PHASE_PITCH:
        return pitch_pb2.PitchResult(
            slides=[pitch_pb2.Slide(number=1, title="Purpose", claim_ids=["problem"])],
            artifacts=[
                make_artifact("deck.html", b"<p>made up</p>", "text/html"),
                make_artifact("deck.pptx", b"PK made up"),
            ],
            quality=pitch_pb2.DeckQuality(overall=0.6),
            usage=usage,
        )
    if phase == common_pb2.PHASE_CAMPAIGN:
        return campaign_pb2.CampaignResult(
            assets=[campaign_pb2.AdAsset(id="google-headline-1", text="Made up", claim_id="audience")],
            artifacts=[make_artifact("campaign/plan.json", b"{}", "application/json")],
            usage=usage,
        )
    return mvp_pb2.MvpResult(
        status=mvp_pb2.MVP_STATUS_DELIVERED,
        checks=[mvp_pb2.MvpCheck(name="boots", status=mvp_pb2.CHECK_STATUS_PASSED)],
        artifacts=[make_artifact("mvp/README.md", b"# made up\n")],
        usage=usage,
    )


def _criterion(criterion: validation_pb2.Criterion.ValueType, score: int) -> validation_pb2.CriterionScore:
    return validation_pb2.CriterionScore(criterion=criterion, score=score, reason="Made up.", confidence=0.5)


def responses(phase: common_pb2.Phase.ValueType, result: Any) -> list[Any]:
    """What a phase streams for a result: progress, each item, the result."""
    response, item_field, items = {
        common_pb2.PHASE_VALIDATION: (validation_pb2.ValidateIdeaResponse, "criterion", "criteria"),
        common_pb2.PHASE_EVIDENCE: (evidence_pb2.CollectEvidenceResponse, "item", "items"),
        common_pb2.PHASE_PITCH: (pitch_pb2.DraftDeckResponse, "slide", "slides"),
        common_pb2.PHASE_CAMPAIGN: (campaign_pb2.DraftCampaignResponse, "asset", "assets"),
        common_pb2.PHASE_MVP: (mvp_pb2.BuildMvpResponse, "check", "checks"),
    }[phase]
    make: Any = response
    return [
        make(progress=common_pb2.Progress(message="working", done=1, total=2)),
        *(make(**{item_field: item}) for item in getattr(result, items)),
        make(result=result),
    ]


@dataclass
class Script:
    """What a fake phase does. `seconds`: how long it works, after its items and before its result.

    `errors`: one is raised per call, after the items, until none is left. `result`: None takes the sample.
    """

    phase: common_pb2.Phase.ValueType
    seconds: float = 0.0
    result: Any = None
    errors: list[PipelineError] = field(default_factory=list)
    requests: list[Any] = field(default_factory=list)
    running: int = 0
    cancelled: int = 0

    async def play(self, request: Any, clock: Clock) -> AsyncIterator[Any]:
        """One call."""
        self.requests.append(request)
        self.running += 1
        error = self.errors.pop(0) if self.errors else None
        try:
            *items, last = responses(self.phase, self.result or sample_result(self.phase))
            for item in items:
                yield item
            if error is not None:
                raise error
            if self.seconds:
                await clock.sleep(self.seconds)
            yield last
        except BaseException as ended:
            self.cancelled += not isinstance(ended, PipelineError)
            raise
        finally:
            self.running -= 1


_ADD: Mapping[common_pb2.Phase.ValueType, tuple[str, type[Any], str, Any]] = {
    common_pb2.PHASE_VALIDATION: (
        "validation",
        validation_pb2_grpc.ValidationServiceServicer,
        "ValidateIdea",
        validation_pb2_grpc.add_ValidationServiceServicer_to_server,
    ),
    common_pb2.PHASE_EVIDENCE: (
        "evidence",
        evidence_pb2_grpc.EvidenceServiceServicer,
        "CollectEvidence",
        evidence_pb2_grpc.add_EvidenceServiceServicer_to_server,
    ),
    common_pb2.PHASE_PITCH: (
        "pitch",
        pitch_pb2_grpc.PitchServiceServicer,
        "DraftDeck",
        pitch_pb2_grpc.add_PitchServiceServicer_to_server,
    ),
    common_pb2.PHASE_CAMPAIGN: (
        "campaign",
        campaign_pb2_grpc.CampaignServiceServicer,
        "DraftCampaign",
        campaign_pb2_grpc.add_CampaignServiceServicer_to_server,
    ),
    common_pb2.PHASE_MVP: (
        "mvp",
        mvp_pb2_grpc.MvpServiceServicer,
        "BuildMvp",
        mvp_pb2_grpc.add_MvpServiceServicer_to_server,
    ),
}


class FakePhases:
    """Five scripts, and servers that play them."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.scripts = {phase: Script(phase) for phase in _ADD}

    def script(self, phase: common_pb2.Phase.ValueType) -> Script:
        """What that phase does."""
        return self.scripts[phase]

    def build(self, phase: common_pb2.Phase.ValueType, folder: Path) -> Server:
        """A server of the phase that listens on a socket in `folder`."""
        name, base, method, add = _ADD[phase]
        config = load(ServerConfig, listen=f"unix:{folder}/{name}.sock", state_dir=folder)
        server = Server(name, config, telemetry=Telemetry.create(name), clock=self.clock)
        script, clock = self.scripts[phase], self.clock

        def call(self: Any, request: Any, context: Any) -> AsyncIterator[Any]:
            return script.play(request, clock)

        # The generated base answers UNIMPLEMENTED for the service's other methods.
        servicer = type("Servicer", (base,), {method: call})()
        server.add(add, servicer, f"pipeline.v1.{base.__name__.removesuffix('Servicer')}")
        return server

    @asynccontextmanager
    async def serve(self, folder: Path) -> AsyncIterator[dict[str, str]]:
        """All five, started; yields their targets by name."""
        async with AsyncExitStack() as stack:
            targets = {}
            for phase, (name, *_) in _ADD.items():
                server = self.build(phase, folder)
                await server.start()
                stack.push_async_callback(server.stop, 0.2)
                targets[name] = server.address
            yield targets
