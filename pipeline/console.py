"""What `pipeline run` and `pipeline watch` show: a line per phase, finds as they arrive, budget, time."""

from __future__ import annotations

import time
from collections import deque
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from pipeline.result import PipelineResult
from pipeline.v1 import common_pb2, mvp_pb2, pipeline_pb2, validation_pb2

MISSING_SHOWN = 4
ITEMS_SHOWN = 5
"""Newest finds below the phases: enough to see life, few enough to fit a small terminal."""

STATE_MARKS = {
    pipeline_pb2.PHASE_STATE_SUCCEEDED: Text("✓", style="green"),
    pipeline_pb2.PHASE_STATE_FAILED: Text("✗", style="red"),
    pipeline_pb2.PHASE_STATE_SKIPPED: Text("–", style="dim"),
}
VERDICT_STYLES = {
    "GO": "bold green",
    "PIVOT": "bold yellow",
    "NO_GO": "bold red",
    "INCONCLUSIVE": "bold cyan",
}


def phase_name(phase: int) -> str:
    """`validation`, `evidence`, ..."""
    return common_pb2.Phase.Name(common_pb2.Phase.ValueType(phase)).removeprefix("PHASE_").lower()


def dollars(micros: int) -> str:
    """US dollars with cents."""
    return f"${micros / 1e6:,.2f}"


class PhaseLine:
    """What one phase's line shows."""

    def __init__(self) -> None:
        self.state = pipeline_pb2.PHASE_STATE_PENDING
        self.note = ""
        self.started: float | None = None
        self.ended: float | None = None
        self.finds = 0

    def seconds(self, now: float) -> str:
        """Elapsed time, or nothing before the start."""
        return "" if self.started is None else f"{(self.ended or now) - self.started:.1f} s"


class RunView:
    """Follows one run's events on a terminal; on anything else it prints a line per step."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._phases: dict[int, PhaseLine] = {}
        self._items: deque[Text] = deque(maxlen=ITEMS_SHOWN)
        self._budget: pipeline_pb2.BudgetStatus | None = None
        self._began = time.monotonic()
        self._live = Live(console=console, refresh_per_second=8, transient=True, get_renderable=self._render)
        self._spinner = Spinner("dots", style="cyan")

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def show(self, event: pipeline_pb2.RunEvent) -> None:
        """Take one event in."""
        kind = event.WhichOneof("payload")
        handler = getattr(self, f"_on_{kind}", None)
        if handler is not None:
            handler(getattr(event, str(kind)))

    def _line(self, phase: int) -> PhaseLine:
        return self._phases.setdefault(phase, PhaseLine())

    def _say(self, text: Text) -> None:
        if not self._console.is_terminal:
            self._console.print(text, soft_wrap=True)

    def _item(self, phase: int, text: Text) -> None:
        self._line(phase).finds += 1
        self._items.append(text)
        self._say(text)

    def _on_run_started(self, started: pipeline_pb2.RunStarted) -> None:
        for phase in started.phases:
            self._line(phase)
        self._say(Text(f"trace {started.trace_id}", style="dim"))

    def _on_run_resumed(self, _: pipeline_pb2.RunResumed) -> None:
        self._items.append(Text("the run was taken up again after an interruption", style="yellow"))

    def _on_phase_started(self, started: pipeline_pb2.PhaseStarted) -> None:
        line = self._line(started.phase)
        line.state, line.started, line.ended = pipeline_pb2.PHASE_STATE_RUNNING, time.monotonic(), None
        again = f" (try {started.attempt})" if started.attempt > 1 else ""
        self._say(Text(f"{phase_name(started.phase)} started{again}"))

    def _on_phase_progress(self, progress: pipeline_pb2.PhaseProgress) -> None:
        self._line(progress.phase).note = progress.progress.message

    def _on_phase_finished(self, finished: pipeline_pb2.PhaseFinished) -> None:
        status = finished.status
        line = self._line(status.phase)
        line.state, line.ended = status.state, time.monotonic()
        line.note = status.detail or status.failure.message
        state = pipeline_pb2.PhaseState.Name(status.state).removeprefix("PHASE_STATE_").lower()
        self._say(Text(f"{phase_name(status.phase)} {state} {line.seconds(time.monotonic())} {line.note}".rstrip()))

    def _on_evidence_found(self, item: common_pb2.EvidenceItem) -> None:
        stance = common_pb2.Stance.Name(item.stance).removeprefix("STANCE_").lower()
        style = {"supports": "green", "contradicts": "red"}.get(stance, "dim")
        text = Text.assemble((f"{stance:>11} ", style), (f"{item.claim_id}: ", "dim"), item.title or item.url)
        self._item(common_pb2.PHASE_EVIDENCE, text)

    def _on_criterion_scored(self, criterion: validation_pb2.CriterionScore) -> None:
        name = validation_pb2.Criterion.Name(criterion.criterion).removeprefix("CRITERION_").lower()
        score = f"{criterion.score}/5" if criterion.HasField("score") else "not scored"
        self._item(common_pb2.PHASE_VALIDATION, Text.assemble((f"{score:>11} ", "cyan"), name))

    def _on_check_finished(self, check: mvp_pb2.MvpCheck) -> None:
        status = mvp_pb2.CheckStatus.Name(check.status).removeprefix("CHECK_STATUS_").lower()
        style = {"passed": "green", "failed": "red"}.get(status, "dim")
        text = Text.assemble((f"{status:>11} ", style), f"mvp {check.name}", (f"  {check.detail}", "dim"))
        self._item(common_pb2.PHASE_MVP, text)

    def _on_budget_alert(self, alert: pipeline_pb2.BudgetAlert) -> None:
        self._budget = alert.budget
        self._items.append(Text(f"{alert.percent} % of the budget is used", style="yellow"))

    def _on_verdict_reached(self, verdict: validation_pb2.Verdict) -> None:
        text = Text.assemble(("    verdict ", "dim"), verdict_text(verdict))
        self._items.append(text)
        self._say(text)

    def _render(self) -> RenderableType:
        now = time.monotonic()
        table = Table.grid(padding=(0, 2))
        for phase, line in sorted(self._phases.items()):
            mark: RenderableType = STATE_MARKS.get(line.state, Text("·", style="dim"))
            if line.state == pipeline_pb2.PHASE_STATE_RUNNING:
                mark = self._spinner
            finds = f"{line.finds} items" if line.finds else ""
            table.add_row(mark, phase_name(phase), line.seconds(now), finds, Text(line.note[:70], style="dim"))
        spent = f"   spent {dollars(self._budget.spent_micros)}" if self._budget else ""
        return Group(table, *self._items, Text(f"{now - self._began:.1f} s{spent}", style="dim"))


def verdict_text(verdict: validation_pb2.Verdict) -> Text:
    """`PIVOT 3.1/5`, coloured."""
    if not verdict.recommendation:
        return Text("none", style="dim")
    name = validation_pb2.Recommendation.Name(verdict.recommendation).removeprefix("RECOMMENDATION_")
    score = f" {verdict.score:.1f}/5" if verdict.score else ""
    return Text(f"{name.replace('_', '-')}{score}", style=VERDICT_STYLES.get(name, "bold"))


def _word(recommendation: validation_pb2.Recommendation.ValueType) -> str:
    """`NO-GO` for RECOMMENDATION_NO_GO."""
    return validation_pb2.Recommendation.Name(recommendation).removeprefix("RECOMMENDATION_").replace("_", "-")


def bullets(sentences: list[str]) -> Table:
    """One sentence a point; a second line stays under the first."""
    table = Table.grid(padding=(0, 1))
    for sentence in sentences:
        table.add_row(" ·", Text(sentence))
    return table


def summary(result: PipelineResult, folder: str) -> RenderableType:
    """What a founder wants to know first, at most a screenful."""
    report = result.report
    lines: list[RenderableType] = [
        Text.assemble(
            ("Verdict  ", "bold"),
            verdict_text(report.verdict),
            f"   confidence {report.verdict.confidence:.0%}",
        )
    ]
    lines.append(bullets([reason.explanation for reason in report.verdict.reasons[:4]]))
    if report.verdict.would_change:
        lines.append(Text("What would change it", style="bold"))
        lines.append(bullets(list(report.verdict.would_change[:3])))
    if report.verdict.flips:
        lines.append(Text("What would flip it", style="bold"))
        lines.append(bullets([f"{flip.fact} Then: {_word(flip.recommendation)}" for flip in report.verdict.flips[:3]]))
    stances = [item.stance for item in report.evidence.items]
    counts = Table.grid(padding=(0, 2))
    counts.add_row(
        "evidence",
        f"{stances.count(common_pb2.STANCE_SUPPORTS)} for, {stances.count(common_pb2.STANCE_CONTRADICTS)} against, "
        f"{stances.count(common_pb2.STANCE_MENTIONS)} related",
    )
    if report.pitch.slides:
        quality = report.pitch.quality
        counts.add_row(
            "deck",
            f"{len(report.pitch.slides)} slides; {quality.numbers_cited} numbers cited, "
            f"{quality.numbers_assumed} marked as assumptions",
        )
    if report.campaign.assets:
        counts.add_row("campaign", report.campaign.plan.honest_statement)
    if report.mvp.checks:
        passed = sum(check.status == mvp_pb2.CHECK_STATUS_PASSED for check in report.mvp.checks)
        status = mvp_pb2.MvpStatus.Name(report.mvp.status).removeprefix("MVP_STATUS_").lower()
        counts.add_row("mvp", f"{status}: {passed} of {len(report.mvp.checks)} checks passed")
    counts.add_row("spent", f"{dollars(report.budget.spent_micros)} of {dollars(report.budget.cap_micros)}")
    lines.append(counts)
    if report.missing:
        lines.append(Text(f"Missing ({len(report.missing)})", style="bold"))
        shown = [f"{entry.subject}: {entry.reason}" for entry in report.missing[:MISSING_SHOWN]]
        more = len(report.missing) - len(shown)
        lines.append(bullets([*shown, f"and {more} more, in the report"] if more else shown))
    if folder:
        lines.append(Text.assemble(("Open  ", "bold"), f"{folder}/report.html"))
    lines.append(
        Text(
            f"{result.run_name}   {result.execution_time_seconds:.1f} s   trace {result.trace_id}",
            style="dim",
        )
    )
    return Group(*lines)
