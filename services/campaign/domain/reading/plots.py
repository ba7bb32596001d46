"""Three plots of a reading as native SVG: readable in light and dark, without script, the same bytes each time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from chassis.artifacts import make_artifact
from pipeline.v1 import common_pb2
from pipeline.v1.campaign_pb2 import CampaignReading, TestPlan
from services.campaign.domain.reading import sequential
from services.campaign.domain.reading.levels import looks_alpha

if TYPE_CHECKING:
    from services.campaign.domain.reading.read import Days

WIDTH, HEIGHT = 720, 300
LEFT, RIGHT, TOP, BOTTOM = 64, 20, 44, 44
# Of "baseline 3.8 %", with some air.
LABEL_WIDTH = 110
# Points of the posterior's curve.
_POINTS = 160
# More days than this are drawn as every n-th.
_DAYS_DRAWN_MAX = 60

_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1f2933}.soft{fill:#52606d;font-size:12px}.head{font-weight:600;"
    "font-size:15px}.axis{stroke:#9aa5b1;stroke-width:1}.grid{stroke:#e4e7eb;stroke-width:1}.area{fill:#2f6f6b;"
    "fill-opacity:.18}.line{fill:none;stroke:#2f6f6b;stroke-width:2.5}.dot{fill:#2f6f6b}.base{stroke:#b44d12;"
    "stroke-width:1.5;stroke-dasharray:6 4}.goal{stroke:#2158a8;stroke-width:1.5;stroke-dasharray:2 4}"
    ".baset{fill:#9a3f0c}.goalt{fill:#2158a8}.bar{fill:#9aa5b1}.bar2{fill:#2f6f6b}@media(prefers-color-scheme:dark){text{fill:#e4e7eb}"
    ".soft{fill:#b8c2cc}.grid{stroke:#323f4b}.area{fill:#6fc2bb}.line{stroke:#6fc2bb}.dot{fill:#6fc2bb}.base{"
    "stroke:#f0a36b}.goal{stroke:#8fb8f0}.baset{fill:#f0a36b}.goalt{fill:#8fb8f0}.bar2{fill:#6fc2bb}}"
)


def draw(plan: TestPlan, reading: CampaignReading, days: Days) -> list[common_pb2.Artifact]:
    """campaign/posterior.svg, campaign/sequential.svg, campaign/days.svg."""
    drawn = {
        "posterior": _posterior(plan, reading),
        "sequential": _sequential(plan, reading, days),
        "days": _days(reading, days),
    }
    return [
        make_artifact(f"campaign/{name}.svg", svg.encode(), "image/svg+xml", common_pb2.PHASE_CAMPAIGN)
        for name, svg in drawn.items()
    ]


class _Frame:
    """Maps values to places."""

    def __init__(self, x_max: float, y_max: float, x_min: float = 0.0) -> None:
        self.x_min, self.x_max, self.y_max = x_min, max(x_max, x_min + 1e-9), max(y_max, 1e-9)

    def x(self, value: float) -> float:
        share = (value - self.x_min) / (self.x_max - self.x_min)
        return LEFT + min(max(share, 0.0), 1.0) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - min(max(value / self.y_max, 0.0), 1.0) * (HEIGHT - TOP - BOTTOM)


def _posterior(plan: TestPlan, reading: CampaignReading) -> str:
    import numpy as np
    from scipy import special

    share = reading.posterior
    a, b = share.alpha, share.beta
    top = min(max(float(special.betaincinv(a, b, 0.9995)), plan.target_rate * 1.3), 1.0)
    # The prior has no top at 0 and 1: the curve keeps a hundredth away from them.
    xs = np.linspace(top / 100, min(top, 0.99), _POINTS)
    logs = special.xlogy(a - 1, xs) + special.xlog1py(b - 1, -xs) - special.betaln(a, b)
    densities = [float(value) for value in np.exp(logs)]
    frame = _Frame(top, max(densities) * 1.08)
    curve = " ".join(f"{frame.x(float(x)):.1f},{frame.y(d):.1f}" for x, d in zip(xs, densities, strict=True))
    ground = f"{frame.x(float(xs[-1])):.1f},{frame.y(0):.1f} {frame.x(float(xs[0])):.1f},{frame.y(0):.1f}"
    body = [
        f'<polygon class="area" points="{curve} {ground}"/>',
        f'<polyline class="line" points="{curve}"/>',
        *_across(frame, plan),
        *_percent_axis(frame, top, horizontal=True),
    ]
    told = (
        f"The sign-up rate of both pages is {share.low:.2%} to {share.high:.2%} with {share.credibility:.0%}; it is"
        f" above the baseline with {share.probability_above_baseline:.0%} and at the target or more with"
        f" {share.probability_above_target:.0%}."
    )
    return _svg("What the sign-up rate may be", told, body)


def _sequential(plan: TestPlan, reading: CampaignReading, days: Days) -> str:
    visitors, signups = days.totals()
    places = _thinned(len(visitors))
    drawn = [visitors[i] for i in places], [signups[i] for i in places]
    above, below = sequential.mixing_around(plan.target_rate), sequential.mixing_around(plan.baseline_rate)
    level = looks_alpha(plan.alpha)
    lows = [float(low) for low in sequential.lower_bounds(*drawn, level, above)]
    highs = [float(high) for high in sequential.upper_bounds(*drawn, level, below)]
    rates = [s / n if n else 0.0 for n, s in zip(*drawn, strict=True)]
    edges = list(zip(lows, highs, rates, strict=True))
    finite = [high for _, high, _ in edges if high < 1.0]
    top = min(max([plan.target_rate * 2, *(rate * 1.2 for *_, rate in edges), *finite[-1:]]), 1.0)
    frame = _Frame(max(len(visitors) - 1, 1), top)
    up = [f"{frame.x(i):.1f},{frame.y(high):.1f}" for i, (_, high, _) in zip(places, edges, strict=True)]
    down = [f"{frame.x(i):.1f},{frame.y(low):.1f}" for i, (low, _, _) in zip(places, edges, strict=True)]
    rate = " ".join(f"{frame.x(i):.1f},{frame.y(r):.1f}" for i, (_, _, r) in zip(places, edges, strict=True))
    body = [
        *_percent_axis(frame, top, horizontal=False),
        f'<polygon class="area" points="{" ".join([*up, *reversed(down)])}"/>' if edges else "",
        f'<polyline class="line" points="{rate}"/>' if len(edges) > 1 else "",
        *(
            f'<circle class="dot" cx="{frame.x(i):.1f}" cy="{frame.y(r):.1f}" r="3"/>'
            for i, (*_, r) in zip(places, edges, strict=True)
        ),
        *_along(frame, plan),
        *_day_axis(frame, days),
    ]
    told = (
        f"The rate so far and the interval that holds at every look: now {reading.sequential.low:.2%} to"
        f" {reading.sequential.high:.2%}. The test stops early where the interval leaves the baseline of"
        f" {plan.baseline_rate:.2%} below or the target of {plan.target_rate:.2%} above."
    )
    return _svg("The rate and its always-valid interval, day by day", told, body)


def _days(reading: CampaignReading, days: Days) -> str:
    visitors = [a + b for a, b in zip(days.visitors["a"], days.visitors["b"], strict=True)]
    signups = [a + b for a, b in zip(days.signups["a"], days.signups["b"], strict=True)]
    top = max([1, *visitors]) * 1.1
    frame = _Frame(max(len(visitors), 1), top)
    width = max((WIDTH - LEFT - RIGHT) / max(len(visitors), 1) * 0.7, 1.0)
    body = []
    for step in _ticks(top):
        y = frame.y(step)
        body.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        body.append(f'<text class="soft" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{step:g}</text>')
    for i, (came, signed) in enumerate(zip(visitors, signups, strict=True)):
        left = frame.x(i + 0.15)
        for kind, value in (("bar", came), ("bar2", signed)):
            y = frame.y(value)
            height = HEIGHT - BOTTOM - y
            body.append(f'<rect class="{kind}" x="{left:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>')
    for place, (kind, name) in enumerate((("bar", "visitors"), ("bar2", "sign-ups"))):
        x = WIDTH - RIGHT - 170 + 90 * place
        body.append(f'<rect class="{kind}" x="{x}" y="13" width="10" height="10"/>')
        body.append(f'<text class="soft" x="{x + 15}" y="22">{name}</text>')
    body += _day_axis(_Frame(max(len(visitors) - 0.5, 0.5), top, -0.5), days)
    came_all, signed_all = sum(c.visitors for c in reading.counts), sum(c.signups for c in reading.counts)
    told = f"{came_all:,} visitors (grey) and {signed_all:,} sign-ups by day of the first visit."
    return _svg("Visitors and sign-ups by day", told, body)


def _svg(title: str, told: str, body: Sequence[str]) -> str:
    inside = "\n".join(part for part in body if part)
    axis = f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{HEIGHT - BOTTOM}" y2="{HEIGHT - BOTTOM}"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="t d">\n'
        f'<title id="t">{escape(title)}</title>\n<desc id="d">{escape(told)}</desc>\n<style>{_STYLE}</style>\n'
        f'<text class="head" x="{LEFT}" y="22">{escape(title)}</text>\n{inside}\n{axis}\n</svg>\n'
    )


def _across(frame: _Frame, plan: TestPlan) -> list[str]:
    """Baseline and target as upright lines; their names keep clear of each other and of the left edge."""
    body = []
    crowded = frame.x(plan.baseline_rate) < LEFT + LABEL_WIDTH
    for kind, name, value, anchor in (
        ("base", "baseline", plan.baseline_rate, "end"),
        ("goal", "target", plan.target_rate, "start"),
    ):
        x = frame.x(value)
        body.append(f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
        label = f"{name} {value * 100:.3g} %"
        y, side = TOP + 6, anchor
        if crowded and kind == "base":
            # Beside the target's name, one line below: left of its own line it would be cut off.
            x, y, side = frame.x(plan.target_rate), y + 18, "start"
        shift = -5 if side == "end" else 5
        body.append(f'<text class="{kind}t" x="{x + shift:.1f}" y="{y}" text-anchor="{side}">{label}</text>')
    return body


def _along(frame: _Frame, plan: TestPlan) -> list[str]:
    body = []
    for kind, name, value, shift in (
        ("base", "baseline", plan.baseline_rate, 14),
        ("goal", "target", plan.target_rate, -5),
    ):
        y = frame.y(value)
        body.append(f'<line class="{kind}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        label = f"{name} {value * 100:.3g} %"
        body.append(f'<text class="{kind}t" x="{WIDTH - RIGHT}" y="{y + shift:.1f}" text-anchor="end">{label}</text>')
    return body


def _percent_axis(frame: _Frame, top: float, *, horizontal: bool) -> list[str]:
    body = []
    for step in _ticks(top):
        if horizontal:
            x = frame.x(step)
            label = f"{step * 100:.3g} %"
            body.append(
                f'<text class="soft" x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{label}</text>'
            )
        else:
            y = frame.y(step)
            body.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            label = f"{step * 100:.3g} %"
            body.append(f'<text class="soft" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    return body


def _day_axis(frame: _Frame, days: Days) -> list[str]:
    """First and last day, and one between where there is room."""
    if not days.days:
        return []
    last = len(days.days) - 1
    places = sorted({0, last // 2, last} if last > 3 else {0, last})
    body = []
    for place in places:
        anchor = "middle" if 0 < place < last else "start" if place == 0 else "end"
        day = days.days[place]
        label = f"{day.day} {day:%b}"
        x, y = frame.x(place), HEIGHT - BOTTOM + 18
        body.append(f'<text class="soft" x="{x:.1f}" y="{y}" text-anchor="{anchor}">{label}</text>')
    return body


def _ticks(top: float) -> list[float]:
    """Four or five round steps from 0."""
    raw = top / 4
    size = 10 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= raw)
    return [step * i for i in range(int(top / step + 1e-9) + 1)]


def _thinned(count: int) -> list[int]:
    """Places of at most _DAYS_DRAWN_MAX days, the last one among them."""
    stride = max(1, -(-count // _DAYS_DRAWN_MAX))
    places = list(range(0, count, stride))
    return places if not count or places[-1] == count - 1 else [*places, count - 1]
