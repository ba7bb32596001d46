"""A run's spans, gathered from every server: `trace.json` in the OTLP JSON form that Jaeger's page uploads.

A span whose parent died with a killed process is hung under the run's root, and says so in an attribute.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from chassis.clock import Clock
from chassis.logs import get_logger
from chassis.telemetry import Telemetry

_log = get_logger("gateway.trace")

# A server ends its span a moment after the client has its answer; these are the looks that wait for it.
LOOKS = 4
LOOK_PAUSE_SECONDS = 0.05
LOST_PARENT = "pipeline.lost_parent_span_id"

SpanSource = Callable[[str], Awaitable[Sequence[str]]]


async def gather(
    trace_id: str, root_span_id: str, telemetry: Telemetry, sources: Sequence[SpanSource], clock: Clock
) -> bytes:
    """The trace as `{"resourceSpans": [...]}`. Servers that do not answer are left out."""
    resources: list[dict[str, Any]] = []
    for look in range(LOOKS):
        if look:
            await clock.sleep(LOOK_PAUSE_SECONDS)
        parts: list[str] = []
        own = telemetry.resource_spans_json(trace_id)
        if own is not None:
            parts.append(own)
        asked, sources = sources, []
        answers = await asyncio.gather(*(source(trace_id) for source in asked), return_exceptions=True)
        for source, answer in zip(asked, answers, strict=True):
            if isinstance(answer, BaseException):
                # Not asked again: a frozen server would hold up the end of the run by its time-out at every look.
                _log.info("spans_unreachable", error=str(answer)[:200])
            else:
                sources.append(source)
                parts.extend(answer)
        resources = [json.loads(part) for part in parts]
        if not orphans(resources, root_span_id):
            break
    adopt(resources, root_span_id)
    return json.dumps({"resourceSpans": resources}, separators=(",", ":"), ensure_ascii=False).encode()


def _spans(resources: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        span for resource in resources for scope in resource.get("scopeSpans", ()) for span in scope.get("spans", ())
    ]


def orphans(resources: Sequence[dict[str, Any]], root_span_id: str) -> list[dict[str, Any]]:
    """Spans other than the root whose parent is not among the spans."""
    spans = _spans(resources)
    known = {span.get("spanId") for span in spans} | {root_span_id}
    return [span for span in spans if span.get("spanId") != root_span_id and span.get("parentSpanId") not in known]


def adopt(resources: Sequence[dict[str, Any]], root_span_id: str) -> None:
    """Hang orphans under the root."""
    for span in orphans(resources, root_span_id):
        lost = span.get("parentSpanId", "")
        span["parentSpanId"] = root_span_id
        span.setdefault("attributes", []).append({"key": LOST_PARENT, "value": {"stringValue": lost}})
