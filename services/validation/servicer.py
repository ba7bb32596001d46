"""ValidationService: reads the idea, scores it, compares it with earlier ones, and streams what it finds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from chassis.clock import Clock
from chassis.idea.reading import IdeaReading, read_idea
from chassis.idea.text import normalise, normalise_name
from chassis.models.embedding import Embedder
from chassis.streaming import Emit, stream
from chassis.telemetry import ATTR_ITEMS, Telemetry
from chassis.usage import current_usage
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2 as pb
from pipeline.v1 import validation_pb2 as vpb
from pipeline.v1 import validation_pb2_grpc
from services.validation.domain import criteria, duplicates, harm, trust, verdict
from services.validation.domain.duplicates import StoredIdea
from services.validation.providers.base import IdeaStore

SERVICE = "pipeline.v1.ValidationService"
_STEPS = 4


@dataclass(frozen=True)
class ValidationProviders:
    """What the server needs from the outside: earlier ideas and, optionally, vectors."""

    store: IdeaStore
    embedder: Embedder | None = None


class ValidationServicer(validation_pb2_grpc.ValidationServiceServicer):
    """Translates between the contract and the domain."""

    def __init__(self, providers: ValidationProviders, *, clock: Clock, telemetry: Telemetry) -> None:
        self._store = providers.store
        self._embedder = providers.embedder
        self._clock = clock
        self._telemetry = telemetry

    def ValidateIdea(self, request: vpb.ValidateIdeaRequest, context: Any) -> AsyncIterator[vpb.ValidateIdeaResponse]:
        """Streams progress, each criterion as it is scored, then one result; INVALID_FIELD for an unusable idea."""
        text = normalise(request.idea.text)
        name = normalise_name(request.idea.name)
        return stream(lambda emit: self._validate(request.context, text, name, emit))

    async def _validate(
        self, context: pb.PhaseContext, text: str, name: str, emit: Emit[vpb.ValidateIdeaResponse]
    ) -> None:
        await emit(_progress("reading the idea", 0))
        reading = read_idea(text, name)
        result = vpb.ValidationResult(profile=reading.profile, claims=reading.claims)
        result.suspicious_passages.extend(reading.suspicious)
        result.notices.extend(_notices(reading))
        await emit(_progress("scoring eight criteria", 1))
        usage = current_usage()
        with self._telemetry.span("validation.score") as span:
            for scored in criteria.score(_scored_profile(reading)):
                result.criteria.append(scored)
                await emit(vpb.ValidateIdeaResponse(criterion=scored))
            span.set_attribute(ATTR_ITEMS, len(result.criteria))
        await emit(_progress("comparing with earlier ideas", 2))
        async with usage.operation():
            await self._compare(context, text, result)
        await emit(_progress("weighing the verdict", 3))
        result.verdict.CopyFrom(verdict.decide(result.criteria, harm.find(text)))
        result.usage.CopyFrom(usage.to_proto())
        await emit(vpb.ValidateIdeaResponse(result=result))

    async def _compare(self, context: pb.PhaseContext, text: str, result: vpb.ValidationResult) -> None:
        """Fills duplicates; a store or embedder that fails leaves a `missing` entry, not a failed phase."""
        if not context.run:
            result.notices.append(_notice("context.run", "names no run: the idea was not stored and not compared"))
            return
        name, vector = await self._embed(text, result)
        idea = StoredIdea(context.tenant, context.run, text, self._clock.now(), name, vector)
        try:
            kept = await self._store.remember(idea)
            # A retry under the same run name compares its own text, from the place that the first try took.
            earlier = await self._store.earlier(kept)
        except PipelineError as error:
            result.missing.append(
                pb.Missing(
                    subject="duplicates",
                    phase=pb.PHASE_VALIDATION,
                    kind=pb.MISSING_KIND_SOURCE_FAILED,
                    reason=f"Earlier ideas could not be compared: {error.message}.",
                    next_step="Run the idea again when the store answers.",
                    error=error.reason,
                )
            )
            return
        result.duplicates.extend(await asyncio.to_thread(duplicates.find, idea, earlier))

    async def _embed(self, text: str, result: vpb.ValidationResult) -> tuple[str, bytes]:
        """The name of the vector space and the idea's vector; both empty where there is none."""
        if self._embedder is None:
            result.notices.append(_notice("embedder", "is off: earlier ideas are compared by their words only"))
            return "", b""
        try:
            whole, core = await self._embedder.embed([text, duplicates.core_of(result.profile)])
        except PipelineError as error:
            result.notices.append(_notice("embedder", f"failed ({error.message}): compared by words only"))
            return "", b""
        return f"{self._embedder.name}{duplicates.VECTOR_KIND}", duplicates.pack(whole, core)


def _scored_profile(reading: IdeaReading) -> pb.IdeaProfile:
    """The profile that is scored: of the part before any passage that addresses its reader."""
    if not reading.suspicious:
        return reading.profile
    text = trust.scored_text(reading.profile.idea, reading.suspicious)
    return reading.profile if text == reading.profile.idea else read_idea(text).profile


def _notices(reading: IdeaReading) -> list[pb.Notice]:
    notices = []
    profile = reading.profile
    if profile.language not in ("en", ""):
        notices.append(
            _notice(
                "language", f"reads as “{profile.language}”: this server reads English; translate it for a full profile"
            )
        )
    if profile.inferred_fields:
        fields = ", ".join(profile.inferred_fields)
        notices.append(_notice("profile", f"taken from what is usual, not from the idea's words: {fields}"))
    if reading.suspicious:
        notices.append(
            _notice(
                "idea.text",
                "holds passages that address a reader as instructions; they were kept as data, and the idea was scored "
                "by what stands before them",
            )
        )
    notices.extend(
        _notice("regulated field", f"{field.field} (“{field.basis}”): {field.advice}")
        for field in profile.regulated_fields
    )
    return notices


def _notice(subject: str, message: str) -> pb.Notice:
    return pb.Notice(subject=subject, message=message, phase=pb.PHASE_VALIDATION)


def _progress(message: str, done: int) -> vpb.ValidateIdeaResponse:
    return vpb.ValidateIdeaResponse(progress=pb.Progress(message=message, done=done, total=_STEPS))
