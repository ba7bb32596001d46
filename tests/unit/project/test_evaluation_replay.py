"""The evaluation's own measures can fail: each is held against a case that is wrong."""

from __future__ import annotations

import hashlib
import json

import pytest

from bench.evaluation.citations import fault_of, stands
from bench.evaluation.harness import attributes, spans
from bench.evaluation.resilience import _manners, _untold
from pipeline.v1 import common_pb2, evidence_pb2, pipeline_pb2

TEXT = "🥕 We waste 12 hours a week.\nNobody would pay for it."


def item(**changes: object) -> dict[str, object]:
    quote = "We waste 12 hours a week."
    start = TEXT.index(quote)
    return {
        "quote": quote,
        "quote_start": start,
        "quote_end": start + len(quote),
        "source_path": "sources/a.txt",
        "content_sha256": hashlib.sha256(TEXT.encode()).hexdigest(),
        **changes,
    }


def test_a_quote_at_its_place_has_no_fault() -> None:
    """Offsets count code points of the kept text."""
    assert fault_of(item(), TEXT) == ""


@pytest.mark.parametrize(
    ("changes", "text", "fault"),
    [
        ({"source_path": ""}, TEXT, "not kept"),
        ({}, TEXT + "!", "hash"),
        ({"quote_start": 0}, TEXT, "offsets"),
        ({"quote": "We waste 13 hours a week."}, TEXT, "offsets"),
    ],
)
def test_a_quote_that_is_not_there_is_a_fault(changes: dict[str, object], text: str, fault: str) -> None:
    """A text that was not kept, was changed, or says otherwise is told apart."""
    assert fault in fault_of(item(**changes), text)


def test_a_slides_quote_may_be_cut_at_its_end() -> None:
    """White space may differ and the end may be cut; a word may not."""
    assert stands("We waste 12 hours a week. Nobody would…", TEXT)
    assert not stands("We waste 12 days a week.", TEXT)
    assert not stands("…", TEXT)


def test_a_source_that_failed_in_silence_is_counted() -> None:
    """A failed source counts as told only with a reason and a next step."""
    report = pipeline_pb2.Report(
        evidence=evidence_pb2.EvidenceResult(
            providers=[evidence_pb2.ProviderReport(provider=name, last_error="down") for name in ("a", "b", "c")]
        ),
        missing=[
            common_pb2.Missing(
                subject="a", kind=common_pb2.MISSING_KIND_SOURCE_FAILED, reason="a is down", next_step="Run again."
            ),
            common_pb2.Missing(subject="b", kind=common_pb2.MISSING_KIND_SOURCE_FAILED, reason="b is down"),
        ],
    )
    assert _untold(report) == 2


def test_calls_beyond_the_retry_budget_do_not_hold() -> None:
    """One call more than the budget allows, counted at the server, is seen and named."""
    told = {"upstreams": {"a": 130, "pages": 999}, "faults": {"a": {"503": 40}}}
    assert _manners([], told, {"a": 100})[0].holds
    row = _manners([], {**told, "upstreams": {"a": 131}}, {"a": 100})[0]
    assert row.holds is False
    assert "beyond: a" in row.note


def test_spans_and_events_are_read_from_a_trace() -> None:
    """Attributes come as plain values."""
    span = {"name": "s", "attributes": [{"key": "k", "value": {"stringValue": "v"}}]}
    trace = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()
    (found,) = spans(trace)
    assert attributes(found) == {"k": "v"}
