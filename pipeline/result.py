"""What a run gives back: the report of the contract with the names of the migration guide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format

from pipeline.v1 import (
    campaign_pb2,
    common_pb2,
    evidence_pb2,
    mvp_pb2,
    pipeline_pb2,
    pitch_pb2,
    validation_pb2,
)


@dataclass(frozen=True)
class PipelineResult:
    """One finished run. Everything here was counted, computed from stated inputs, or cited."""

    report: pipeline_pb2.Report

    @property
    def run_name(self) -> str:
        """Resource name, `runs/{run}`: watch or fetch the run again with it."""
        return self.report.run.name

    @property
    def status(self) -> str:
        """`succeeded`, `partial`, `failed` or `cancelled`."""
        return pipeline_pb2.RunState.Name(self.report.run.state).removeprefix("RUN_STATE_").lower()

    @property
    def startup_idea(self) -> str:
        """The idea as it was given."""
        return self.report.run.spec.idea.text

    @property
    def trace_id(self) -> str:
        """32 hex digits: the run's trace in Jaeger."""
        return self.report.run.trace_id

    @property
    def recommendation(self) -> str:
        """`go`, `pivot`, `no_go` or `inconclusive`."""
        name = validation_pb2.Recommendation.Name(self.report.verdict.recommendation)
        return name.removeprefix("RECOMMENDATION_").lower()

    @property
    def verdict(self) -> validation_pb2.Verdict:
        """The verdict over validation and evidence, with its reasons."""
        return self.report.verdict

    @property
    def profile(self) -> common_pb2.IdeaProfile:
        """The idea as it was understood."""
        return self.report.profile

    @property
    def validation(self) -> validation_pb2.ValidationResult:
        """Criteria, duplicates, claims."""
        return self.report.validation

    @property
    def evidence(self) -> evidence_pb2.EvidenceResult:
        """Cited items for and against each claim."""
        return self.report.evidence

    @property
    def evidence_count(self) -> int:
        """Number of evidence items kept."""
        return len(self.report.evidence.items)

    @property
    def pitch_deck(self) -> pitch_pb2.PitchResult:
        """Slides, citations, assumptions."""
        return self.report.pitch

    @property
    def campaign(self) -> campaign_pb2.CampaignResult:
        """Ads, landing pages and the plan of the smoke test."""
        return self.report.campaign

    @property
    def mvp(self) -> mvp_pb2.MvpResult:
        """The project's specification and the checks that it was put through."""
        return self.report.mvp

    @property
    def missing(self) -> list[common_pb2.Missing]:
        """What the result lacks, why, and what to do about it."""
        return list(self.report.missing)

    @property
    def execution_time_seconds(self) -> float:
        """From the start of the run to its end."""
        return self.report.metrics.execution_time.ToNanoseconds() / 1e9

    @property
    def cache_hit_rate(self) -> float:
        """Hits / (hits + misses) of this run over all services, 0 to 1."""
        return self.report.metrics.cache_hit_rate

    @property
    def parallel_operations_count(self) -> int:
        """Operations that overlapped another of the same run."""
        return self.report.metrics.parallel_operations_count

    @property
    def api_calls_saved(self) -> int:
        """Outside calls avoided by cache, single-flight and dedupe."""
        return self.report.metrics.api_calls_saved

    @property
    def overall_quality_score(self) -> float:
        """0 to 1: mean of the measured parts in `report.metrics.quality_parts`."""
        return self.report.metrics.overall_quality_score

    @property
    def total_cost_usd(self) -> float:
        """What the run spent, US dollars."""
        return self.report.budget.spent_micros / 1e6

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON-ready data, as `report.json` holds it; each slide's two scores stand there at zero too."""
        report = json_format.MessageToDict(self.report, preserving_proto_field_name=True)
        for slide in report.get("pitch", {}).get("slides", ()):
            slide.setdefault("quality_score", 0.0)
            slide.setdefault("evidence_count", 0)
        return report
