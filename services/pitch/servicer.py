"""PitchService: drafts the deck, streams its slides, hands over .pptx and .html and, with LibreOffice, .pdf."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from chassis.artifacts import make_artifact
from chassis.budget import Budget
from chassis.clock import Clock
from chassis.figures import Figures
from chassis.models.embedding import Embedder
from chassis.models.text import NoTextModel, TextModel
from chassis.models.use import ModelUse
from chassis.streaming import Emit, stream
from chassis.telemetry import ATTR_ITEMS, Telemetry
from chassis.usage import current_usage
from pipeline.errors import FieldViolation, PipelineError
from pipeline.v1 import common_pb2, pitch_pb2, pitch_pb2_grpc
from services.pitch import model_words
from services.pitch.domain import deck as decks
from services.pitch.domain import plans
from services.pitch.domain.deck import Deck
from services.pitch.domain.sizing import Sizing
from services.pitch.pdf import PdfConverter, PdfError
from services.pitch.render.html_writer import write_html
from services.pitch.render.layout import paginate
from services.pitch.render.pptx_writer import write_pptx

SERVICE = "pipeline.v1.PitchService"
PPTX_TYPE = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
# A deck rests on seven kinds of claims; mechanisms may add some. More is no deck's request.
CLAIMS_MAX = 200
CRITERIA_MAX = 100
_STEPS = 4


@dataclass(frozen=True)
class PitchProviders:
    """What the server plans with: cited figures, and planning values that are shown as assumptions."""

    figures: Figures
    sizing: Sizing
    # None: the slides are worded by rules alone.
    text_model: TextModel | None = None
    # Compares what a model wrote with what its evidence says; None: words and numbers alone do.
    embedder: Embedder | None = None


class PitchServicer(pitch_pb2_grpc.PitchServiceServicer):
    """Translates between the contract and the domain."""

    def __init__(
        self, providers: PitchProviders, *, clock: Clock, telemetry: Telemetry, pdf: PdfConverter | None = None
    ) -> None:
        self._providers = providers
        self._pdf = pdf or PdfConverter("off")
        self._clock = clock
        self._telemetry = telemetry

    def DraftDeck(
        self, request: pitch_pb2.DraftDeckRequest, context: Any
    ) -> AsyncIterator[pitch_pb2.DraftDeckResponse]:
        """Streams progress, each slide, then one result; INVALID_FIELD where the profile says nothing."""
        check(request)
        return stream(lambda emit: self._draft(request, emit))

    async def _draft(self, request: pitch_pb2.DraftDeckRequest, emit: Emit[pitch_pb2.DraftDeckResponse]) -> None:
        usage = current_usage()
        plan = plans.plan_for(request.investor_type)
        await emit(_progress(f"writing slides for {plan.reader}", 0))
        # A quarter of a second of pure computation each: in a thread, so that other calls go on.
        async with usage.operation():
            with self._telemetry.span("pitch.write") as span:
                written = await asyncio.to_thread(decks.write, request, self._providers.figures, self._providers.sizing)
                use = self._model_use(request)
                await model_words.reword(written.brief, written.drafts, use, self._providers.embedder)
                deck = await asyncio.to_thread(decks.finish, written, paginate)
                span.set_attribute(ATTR_ITEMS, len(deck.slides))
        for slide in deck.slides:
            await emit(pitch_pb2.DraftDeckResponse(slide=slide))
        await emit(_progress(f"drawing {len(deck.slides)} slides", 1))
        async with usage.operation():
            with self._telemetry.span("pitch.draw"):
                artifacts = await asyncio.to_thread(self._draw, deck)
        gaps = []
        if self._pdf.available:
            await emit(_progress("converting the deck to PDF", 2))
            try:
                async with usage.operation():
                    with self._telemetry.span("pitch.pdf"):
                        content = await self._pdf.convert(artifacts[0].content)
                artifacts.append(make_artifact("deck.pdf", content, "application/pdf", common_pb2.PHASE_PITCH))
            except PdfError as error:
                gaps.append(_no_pdf(str(error)))
        await emit(_progress(f"handing over {', '.join(artifact.path for artifact in artifacts)}", _STEPS - 1))
        result = pitch_pb2.PitchResult(
            investor_type=deck.investor,
            slides=deck.slides,
            artifacts=artifacts,
            citations=deck.marks.citations,
            assumptions=deck.marks.assumptions,
            quality=deck.quality,
            missing=[*deck.missing, *gaps, *use.missing()],
            notices=[*deck.notices, *use.notices()],
            usage=usage.to_proto(),
        )
        result.usage.spend.extend(use.spends())
        await emit(pitch_pb2.DraftDeckResponse(result=result))

    def _model_use(self, request: pitch_pb2.DraftDeckRequest) -> ModelUse:
        context = request.context
        return ModelUse(
            self._providers.text_model or NoTextModel(),
            Budget(context.allowance_micros),
            key=f"{context.run}/pitch/{context.attempt}",
            phase=common_pb2.PHASE_PITCH,
            offline=context.profile.offline,
        )

    def _draw(self, deck: Deck) -> list[common_pb2.Artifact]:
        return [
            make_artifact("deck.pptx", write_pptx(deck, self._clock.now()), PPTX_TYPE, common_pb2.PHASE_PITCH),
            make_artifact("deck.html", write_html(deck), "text/html; charset=utf-8", common_pb2.PHASE_PITCH),
        ]


def _no_pdf(why: str) -> common_pb2.Missing:
    return common_pb2.Missing(
        subject="deck.pdf",
        phase=common_pb2.PHASE_PITCH,
        kind=common_pb2.MISSING_KIND_SOURCE_FAILED,
        reason=f"There is no deck.pdf: {why}.",
        next_step="Open deck.pptx and export it as PDF, or print deck.html.",
    )


def check(request: pitch_pb2.DraftDeckRequest) -> None:
    """Raises INVALID_FIELD with every field that cannot be used."""
    violations = []
    if not (request.profile.idea.strip() or request.profile.one_liner.strip()):
        violations.append(FieldViolation("profile.idea", "is empty; send the profile that validation returned"))
    if request.investor_type not in common_pb2.InvestorType.values():
        known = ", ".join(name.removeprefix("INVESTOR_TYPE_") for name in common_pb2.InvestorType.keys()[1:])
        violations.append(FieldViolation("investor_type", f"is {request.investor_type}; take one of {known}"))
    for name, items, limit in (
        ("claims", request.claims, CLAIMS_MAX),
        ("criteria", request.criteria, CRITERIA_MAX),
    ):
        if len(items) > limit:
            violations.append(FieldViolation(name, f"has {len(items)} entries; send at most {limit}"))
    if violations:
        raise PipelineError.invalid_fields(violations)


def _progress(message: str, done: int) -> pitch_pb2.DraftDeckResponse:
    return pitch_pb2.DraftDeckResponse(progress=common_pb2.Progress(message=message, done=done, total=_STEPS))
