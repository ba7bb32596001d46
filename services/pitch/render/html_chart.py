"""Charts of the page as inline SVG: the same bars as in the presentation, readable in light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.v1 import pitch_pb2
from services.pitch.render.metrics import text_width

_WIDTH, _LABEL_SIZE = 420.0, 11.0


def label(value: float, unit: str) -> str:
    """A value as its mark says it."""
    if unit == "USD":
        if value >= 999_500_000:
            return f"${value / 1e9:.1f}B"
        if value >= 999_500:
            return f"${value / 1e6:.1f}M"
        if value >= 10_000:
            return f"${value / 1e3:.0f}k"
        return f"${value:,.0f}" if value == round(value) or value >= 100 else f"${value:,.2f}"
    if unit == "customers" or (unit != "%" and value >= 100):
        return f"{value:,.0f}"
    text = f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{text}%" if unit == "%" else text


def geometry(chart: pitch_pb2.Chart) -> dict[str, Any]:
    """Rectangles and labels for the template; horizontal bars for "bar", else columns side by side."""
    return _bars(chart) if chart.kind == "bar" else _columns(chart)


def _top(chart: pitch_pb2.Chart) -> float:
    return max((value for series in chart.series for value in series.values), default=0.0) or 1.0


def _bars(chart: pitch_pb2.Chart) -> dict[str, Any]:
    left = min(max((text_width(name, _LABEL_SIZE) for name in chart.categories), default=0.0) + 10, 190.0)
    room, row = _WIDTH - left - 70, 40.0
    top = _top(chart)
    bars, texts = [], []
    for place, name in enumerate(chart.categories):
        y = place * row + 8
        texts.append({"x": left - 8, "y": y + 16, "text": _short(name, left - 10), "anchor": "end"})
        for series in chart.series[:1]:
            value = series.values[place]
            length = max(value / top * room, 1.0)
            bars.append(_bar(left, y, length, 24, 1))
            texts.append({"x": left + length + 6, "y": y + 16, "text": label(value, chart.unit), "anchor": "start"})
    return {"width": _WIDTH, "height": len(chart.categories) * row + 10, "bars": bars, "texts": texts, "legend": []}


def _columns(chart: pitch_pb2.Chart) -> dict[str, Any]:
    height, base = 250.0, 210.0
    top = _top(chart)
    group = _WIDTH / max(len(chart.categories), 1)
    count = max(len(chart.series), 1)
    width = min(group * 0.8 / count, 90.0)
    bars, texts = [], []
    for place, name in enumerate(chart.categories):
        start = place * group + (group - width * count) / 2
        texts.append({"x": place * group + group / 2, "y": base + 18, "text": name, "anchor": "middle"})
        for order, series in enumerate(chart.series):
            value = series.values[place]
            tall = max(value / top * (base - 26), 1.0)
            x = start + order * width
            tone = order if count > 1 else 1
            bars.append(_bar(x + 2, base - tall, width - 4, tall, tone))
            texts.append(
                {"x": x + width / 2, "y": base - tall - 6, "text": label(value, chart.unit), "anchor": "middle"}
            )
    legend = [{"tone": order, "name": series.name} for order, series in enumerate(chart.series)] if count > 1 else []
    return {"width": _WIDTH, "height": height, "bars": bars, "texts": texts, "legend": legend}


def _bar(x: float, y: float, width: float, height: float, tone: int) -> dict[str, Any]:
    return {"x": round(x, 1), "y": round(y, 1), "width": round(width, 1), "height": round(height, 1), "tone": tone}


def _short(text: str, width: float) -> str:
    while len(text) > 4 and text_width(text, _LABEL_SIZE) > width:
        text = text[:-2].rstrip("…") + "…"
    return text


def spoken(chart: pitch_pb2.Chart) -> str:
    """The chart in words, for the SVG's label."""
    parts = []
    for series in chart.series:
        values: Sequence[str] = [
            f"{name} {label(value, chart.unit)}" for name, value in zip(chart.categories, series.values, strict=True)
        ]
        parts.append(f"{series.name}: {', '.join(values)}")
    return f"{chart.title}. {'; '.join(parts)}"
