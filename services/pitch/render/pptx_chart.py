"""Native charts: editable in PowerPoint, few colours, values at the marks instead of gridlines."""

from __future__ import annotations

from typing import Any

from pipeline.v1 import pitch_pb2
from services.pitch.domain import words
from services.pitch.render import pptx_template as template
from services.pitch.render import theme


def number_format(unit: str, values: list[float]) -> str:
    """Excel number format for labels: as many places as the values need."""
    if unit == "USD":
        if max(values, default=0) >= 10_000:
            if max(values) >= 1e9:
                return '[>=1000000000]$0.0,,,"B";[>=1000000]$0.0,,"M";$0,"k"'
            return '[>=1000000]$0.0,,"M";[>=1000]$0,"k";$0'
        return '"$"0.00' if any(value < 100 and value != round(value) for value in values) else '"$"#,##0'
    if unit == "%":
        return '0"%"' if all(value == round(value) for value in values) else '0.0#"%"'
    # Counts of people: a hundredth of a customer says nothing.
    whole = unit == "customers" or max(values, default=0) >= 100 or all(value == round(value) for value in values)
    return "#,##0" if whole else "0.0#"


def add_chart(holder: Any, chart: pitch_pb2.Chart) -> Any:
    """Puts the chart into a chart placeholder; returns the graphic frame."""
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import (
        XL_CHART_TYPE,
        XL_LABEL_POSITION,
        XL_LEGEND_POSITION,
        XL_TICK_LABEL_POSITION,
        XL_TICK_MARK,
    )
    from pptx.util import Pt

    kinds = {
        "bar": XL_CHART_TYPE.BAR_CLUSTERED,
        "column": XL_CHART_TYPE.COLUMN_CLUSTERED,
        "line": XL_CHART_TYPE.LINE_MARKERS,
    }
    values = [value for series in chart.series for value in series.values]
    shown = number_format(chart.unit, values)
    data = CategoryChartData(number_format=shown)  # type: ignore[no-untyped-call]
    data.categories = [words.clean(name, 60) for name in chart.categories]
    for series in chart.series:
        data.add_series(words.clean(series.name, 60), list(series.values))  # type: ignore[no-untyped-call]
    frame = holder.insert_chart(kinds.get(chart.kind, XL_CHART_TYPE.COLUMN_CLUSTERED), data)
    drawn = frame.chart
    drawn.font.size, drawn.font.name = Pt(11), theme.FONT
    drawn.font.color.rgb = template.rgb(theme.INK)
    drawn.has_title = True
    drawn.chart_title.include_in_layout = False
    title = drawn.chart_title.text_frame
    title.text = words.clean(chart.title, 120)
    run = title.paragraphs[0].runs[0]
    run.font.size, run.font.bold = Pt(12), True
    run.font.color.rgb = template.rgb(theme.INK)
    several = len(chart.series) > 1
    drawn.has_legend = several
    if several:
        drawn.legend.position = XL_LEGEND_POSITION.BOTTOM
        drawn.legend.include_in_layout = False
        drawn.legend.font.size = Pt(11)
    value_axis, category_axis = drawn.value_axis, drawn.category_axis
    value_axis.has_major_gridlines = False
    value_axis.visible = False
    value_axis.minimum_scale = 0
    category_axis.has_major_gridlines = False
    category_axis.major_tick_mark = XL_TICK_MARK.NONE
    category_axis.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    category_axis.format.line.color.rgb = template.rgb(theme.LINE)
    category_axis.tick_labels.font.size = Pt(11)
    if chart.kind == "bar":
        # First category on top, as it is read.
        category_axis.reverse_order = True
    plot = drawn.plots[0]
    if chart.kind != "line":
        plot.gap_width = 55 if not several else 60
        plot.overlap = -5 if several else 0
    plot.has_data_labels = True
    labels = plot.data_labels
    labels.number_format, labels.number_format_is_linked = shown, False
    labels.font.size = Pt(10 if several else 11)
    if chart.kind != "line":
        labels.position = XL_LABEL_POSITION.OUTSIDE_END
    for place, series in enumerate(plot.series):
        colour = theme.SERIES[place % len(theme.SERIES)] if several else theme.ACCENT
        series.format.fill.solid()
        series.format.fill.fore_color.rgb = template.rgb(colour)
        series.invert_if_negative = False
    return frame
