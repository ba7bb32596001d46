"""What a run counted, summed over its phases. Counted, never estimated."""

from __future__ import annotations

from collections.abc import Sequence

from gateway import quality
from gateway.results import Results
from pipeline.v1 import pipeline_pb2


def measure(run: pipeline_pb2.Run, results: Results, asked: int, ended_at: int) -> pipeline_pb2.Metrics:
    """Metrics of a run that ended at `ended_at` (microseconds since the epoch)."""
    metrics = pipeline_pb2.Metrics()
    started = run.started_at.ToMicroseconds() if run.HasField("started_at") else ended_at
    metrics.execution_time.FromMicroseconds(max(ended_at - started, 0))
    for result in results.by_phase().values():
        usage = result.usage
        metrics.cache_hits += usage.cache_hits
        metrics.cache_misses += usage.cache_misses
        metrics.external_calls += usage.external_calls
        metrics.api_calls_saved += usage.external_calls_saved
        metrics.parallel_operations_count += usage.parallel_operations
    looked_up = metrics.cache_hits + metrics.cache_misses
    metrics.cache_hit_rate = metrics.cache_hits / looked_up if looked_up else 0.0
    spans: list[tuple[int, int]] = []
    for status in run.phases:
        if not status.HasField("started_at") or not status.HasField("ended_at"):
            continue
        begin, end = status.started_at.ToMicroseconds(), status.ended_at.ToMicroseconds()
        spans.append((begin, end))
        timing = metrics.timings.add(phase=status.phase)
        timing.offset.FromMicroseconds(max(begin - started, 0))
        timing.duration.FromMicroseconds(max(end - begin, 0))
    # A phase that overlapped another is an operation that ran in parallel, like those inside the phases.
    metrics.parallel_operations_count += overlapping(spans)
    measured = quality.parts(results, asked)
    metrics.quality_parts.update(measured)
    metrics.overall_quality_score = quality.overall(measured)
    return metrics


def overlapping(spans: Sequence[tuple[int, int]]) -> int:
    """How many of the intervals share time with another one."""
    return sum(
        any(
            begin < other_end and other_begin < end
            for place, (other_begin, other_end) in enumerate(spans)
            if place != number
        )
        for number, (begin, end) in enumerate(spans)
    )
