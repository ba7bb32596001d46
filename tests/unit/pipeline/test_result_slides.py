"""The report as data says for every slide what it is, how good it is and what it rests on."""

from __future__ import annotations

from pipeline.result import PipelineResult
from pipeline.v1 import pipeline_pb2, pitch_pb2


def test_every_slide_of_the_report_has_its_type_and_scores() -> None:
    """A slide that cites nothing says zero, instead of leaving the reader to look for a missing key."""
    slides = [
        pitch_pb2.Slide(type=pitch_pb2.SLIDE_TYPE_PROBLEM, quality_score=0.5, evidence_count=2),
        pitch_pb2.Slide(type=pitch_pb2.SLIDE_TYPE_TEAM),
    ]
    report = pipeline_pb2.Report(pitch=pitch_pb2.PitchResult(slides=slides))
    given = PipelineResult(report).to_dict()["pitch"]["slides"]
    assert [slide["type"] for slide in given] == ["SLIDE_TYPE_PROBLEM", "SLIDE_TYPE_TEAM"]
    assert [(slide["quality_score"], slide["evidence_count"]) for slide in given] == [(0.5, 2), (0.0, 0)]


def test_a_report_without_a_deck_stays_as_it_is() -> None:
    """Where no deck was drafted, none is made up."""
    assert "pitch" not in PipelineResult(pipeline_pb2.Report()).to_dict()
