"""MvpService: from a profile to a project that was booted and tested, streamed check by check."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final

from chassis.streaming import Emit, stream
from chassis.telemetry import ATTR_ITEMS, ATTR_OUTCOME, Telemetry
from chassis.usage import current_usage
from pipeline.v1 import common_pb2, mvp_pb2, mvp_pb2_grpc
from services.mvp import checks
from services.mvp.domain import render, report
from services.mvp.domain.spec import Plan, make_plan
from services.mvp.sandbox import Limits, Sandbox

SERVICE: Final = "pipeline.v1.MvpService"
_STEPS: Final = 4


@dataclass(frozen=True)
class MvpProviders:
    """What the server needs from the outside: a place to run projects."""

    sandbox: Sandbox = field(default_factory=Sandbox)
    limits: Limits = field(default_factory=Limits)
    builds: int = 1
    """Projects at the same time."""


class MvpServicer(mvp_pb2_grpc.MvpServiceServicer):
    """Translates between the contract and the domain."""

    def __init__(self, providers: MvpProviders, *, telemetry: Telemetry) -> None:
        self._sandbox = providers.sandbox
        self._limits = providers.limits
        self._telemetry = telemetry
        self._turns = asyncio.Semaphore(providers.builds)

    def BuildMvp(self, request: mvp_pb2.BuildMvpRequest, context: Any) -> AsyncIterator[mvp_pb2.BuildMvpResponse]:
        """Streams progress, each check as it ends, then one result; INVALID_FIELD for an unusable profile."""
        plan = make_plan(request.profile, request.claims, request.type)
        return stream(lambda emit: self._build(plan, emit))

    async def _build(self, plan: Plan, emit: Emit[mvp_pb2.BuildMvpResponse]) -> None:
        tables = ", ".join(entity.many for entity in plan.entities)
        await emit(_progress(f"planned {tables}" if tables else "planned a page", 1))
        if self._turns.locked():
            await emit(_progress("waiting for a build to finish", 1))
        async with self._turns, current_usage().operation():
            with self._telemetry.span("mvp.render") as span:
                files = await asyncio.to_thread(render.render, plan)
                span.set_attribute(ATTR_ITEMS, len(files))
            await emit(_progress(f"wrote {len(files)} files", 2))
            await emit(_progress("booting it and running its tests", 3))

            async def on_check(check: mvp_pb2.MvpCheck) -> None:
                await emit(mvp_pb2.BuildMvpResponse(check=check))

            with self._telemetry.span("mvp.verify") as span:
                found = await checks.verify(files, plan, self._sandbox, self._telemetry, self._limits, on_check)
                span.set_attribute(ATTR_OUTCOME, "delivered" if found.passed else "failed")
        await emit(_progress("wrote the report", _STEPS))
        await emit(mvp_pb2.BuildMvpResponse(result=_result(plan, files, found)))


def _result(plan: Plan, files: dict[str, bytes], found: checks.Verified) -> mvp_pb2.MvpResult:
    result = mvp_pb2.MvpResult(
        spec=plan.spec,
        status=mvp_pb2.MVP_STATUS_DELIVERED if found.passed else mvp_pb2.MVP_STATUS_FAILED,
        checks=found.checks,
        log_tail=found.log_tail,
        isolation=found.isolation.text if found.isolation is not None else "Nothing was run.",
        missing=report.missing(plan),
        usage=current_usage().to_proto(),
    )
    if any(entity.seeds for entity in plan.entities):
        result.notices.append(
            common_pb2.Notice(
                subject="sample data",
                message="The project's sample rows are made up to show how it works; they are not evidence.",
                phase=common_pb2.PHASE_MVP,
            )
        )
    figures = {
        "files": float(len(files)),
        "bytes": float(sum(len(content) for content in files.values())),
        "sandbox_seconds": found.sandbox_seconds,
        "cpu_seconds": found.cpu_seconds,
        "memory_peak_mb": found.memory_peak_bytes / 1024**2,
    }
    result.artifacts.extend(report.artifacts(files, result, figures))
    return result


def _progress(message: str, done: int) -> mvp_pb2.BuildMvpResponse:
    return mvp_pb2.BuildMvpResponse(progress=common_pb2.Progress(message=message, done=done, total=_STEPS))
