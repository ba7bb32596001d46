"""One trace per run: every server in it, one root, nothing orphaned."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.main_pipeline_async import AsyncMainPipeline

IDEA = "A scheduling tool for small clinics that reduces no-shows with automatic reminders and waitlist filling"
SERVICES = {"gateway", "validation", "evidence", "pitch", "campaign", "mvp"}


@pytest.fixture(scope="module")
def spans(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The spans of `trace.json` by id, each with its service's name."""
    return asyncio.run(run_and_read(tmp_path_factory.mktemp("state")))


async def run_and_read(state_dir: Path) -> dict[str, dict[str, Any]]:
    """Run one idea embedded and read its trace back."""
    async with AsyncMainPipeline(state_dir=state_dir, offline=True) as pipeline:
        result = await pipeline.execute_full_pipeline(IDEA)
        content = await pipeline.client.download_artifact(f"{result.run_name}/artifacts/trace.json")
    return read_spans(json.loads(content), result.trace_id)


def read_spans(trace: dict[str, Any], trace_id: str) -> dict[str, dict[str, Any]]:
    """Spans of one trace in OTLP JSON by span id."""
    found: dict[str, dict[str, Any]] = {}
    for resource in trace["resourceSpans"]:
        attributes = {entry["key"]: entry["value"] for entry in resource["resource"]["attributes"]}
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                assert span["traceId"] == trace_id
                found[span["spanId"]] = {**span, "service": attributes["service.name"]["stringValue"]}
    return found


def test_all_six_servers_are_in_the_trace(spans) -> None:
    """Each server contributes spans under its own name."""
    assert {span["service"] for span in spans.values()} == SERVICES


def test_there_is_one_root_and_it_is_the_run(spans) -> None:
    """The gateway's run span is the only one without a parent."""
    (root,) = [span for span in spans.values() if not span.get("parentSpanId")]
    assert root["service"] == "gateway"
    assert root["name"] == "pipeline.run"


def test_no_span_is_an_orphan(spans) -> None:
    """Every parent named is in the file."""
    assert [
        span["name"] for span in spans.values() if span.get("parentSpanId") and span["parentSpanId"] not in spans
    ] == []


def test_client_and_server_spans_are_joined(spans) -> None:
    """Each phase's server span is the child of a gateway's client span."""
    served = [span for span in spans.values() if span["kind"] in (2, "SPAN_KIND_SERVER")]
    assert {span["service"] for span in served} == SERVICES - {"gateway"}
    for span in served:
        caller = spans[span["parentSpanId"]]
        assert caller["service"] == "gateway"
        assert caller["kind"] in (3, "SPAN_KIND_CLIENT")


def test_providers_and_the_sandbox_are_inside(spans) -> None:
    """What the phases did is visible: provider calls below evidence, sandbox runs below mvp."""
    names = {(span["service"], span["name"].split()[0]) for span in spans.values()}
    assert any(service == "evidence" and name.startswith("provider") for service, name in names), names
    assert any(service == "mvp" and name.startswith("sandbox") for service, name in names), names


def test_children_lie_within_the_run(spans) -> None:
    """No span begins before its root or ends after it (1 ms for the clock's grain)."""
    (root,) = [span for span in spans.values() if not span.get("parentSpanId")]
    start, end = int(root["startTimeUnixNano"]), int(root["endTimeUnixNano"])
    for span in spans.values():
        assert int(span["startTimeUnixNano"]) >= start - 1_000_000, span["name"]
        assert int(span["endTimeUnixNano"]) <= end + 1_000_000, span["name"]


def test_reading_checks_the_trace_id(tmp_path: Path) -> None:
    """The reader itself can fail: a span of another trace is noticed."""
    trace = {
        "resourceSpans": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "x"}}]},
                "scopeSpans": [{"spans": [{"traceId": "a", "spanId": "b"}]}],
            }
        ]
    }
    with pytest.raises(AssertionError):
        read_spans(trace, "c")
