"""How a campaign looks on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.console import VERDICT_STYLES, dollars
from pipeline.v1 import campaign_pb2, common_pb2
from pipeline.v1.campaign_pb2 import Campaign, CampaignReading, PlatformSetup

STATUS_STYLES = {"running": "green", "paused": "yellow", "failed": "bold red", "completed": "bold"}
STEP_MARKS = {
    campaign_pb2.SETUP_STEP_STATE_DONE: Text("✓", style="green"),
    campaign_pb2.SETUP_STEP_STATE_FAILED: Text("✗", style="red"),
    campaign_pb2.SETUP_STEP_STATE_SENT: Text("?", style="yellow"),
    campaign_pb2.SETUP_STEP_STATE_UNDONE: Text("–", style="dim"),
}


def status_word(campaign: Campaign) -> Text:
    """`running`, in its colour."""
    word = campaign_pb2.CampaignStatus.Name(campaign.status).removeprefix("CAMPAIGN_STATUS_").lower()
    return Text(word, style=STATUS_STYLES.get(word, ""))


def plan_view(campaign: Campaign) -> RenderableType:
    """The test as it was planned: the question, what the money can show, how it is decided."""
    plan = campaign.plan
    kind = common_pb2.CampaignType.Name(campaign.campaign_type).removeprefix("CAMPAIGN_TYPE_").lower().replace("_", " ")
    channels = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("channel", "budget", "a click", "clicks", "sign-ups"):
        channels.add_column(heading, justify="left" if heading == "channel" else "right")
    for channel in plan.channels:
        name = campaign_pb2.AdPlatform.Name(channel.platform).removeprefix("AD_PLATFORM_").lower().replace("_", " ")
        channels.add_row(
            name,
            dollars(channel.budget_micros),
            dollars(channel.cpc_micros),
            f"{channel.clicks_low:,}–{channel.clicks_high:,}",
            f"{channel.signups_expected:.1f}",
        )
    return Group(
        *_heading(campaign, kind),
        Text(),
        *_paragraph("Question", plan.hypothesis),
        *_paragraph("What the money can show", plan.honest_statement),
        *_paragraph("When it stops", plan.stopping_rule),
        *_paragraph("How it is decided", plan.decision_rule),
        channels,
        *_registered(campaign),
        *_missing(campaign.missing),
    )


def campaign_view(campaign: Campaign, *, whole: bool = False) -> RenderableType:
    """Status, page, counts, platforms; what is missing by name, or `whole` with the mends."""
    counts = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("page", "visitors", "sign-ups", "rate", "views"):
        counts.add_column(heading, justify="left" if heading == "page" else "right")
    for count in campaign.counts:
        rate = f"{count.signups / count.visitors:.1%}" if count.visitors else "–"
        counts.add_row(count.variant, f"{count.visitors:,}", f"{count.signups:,}", rate, f"{count.views:,}")
    parts: list[RenderableType] = [*_heading(campaign, ""), Text(), counts]
    if campaign.platforms:
        parts += [Text(), _platforms(campaign)]
    parts += [Text(f"! {n.message}", style="yellow") for n in campaign.notices]
    parts += _registered(campaign)
    if whole or not campaign.missing:
        return Group(*parts, *_missing(campaign.missing))
    lacking = ", ".join(one.subject for one in campaign.missing)
    return Group(*parts, Text(f"missing: {lacking}; `pipeline campaign show` has the mends", style="dim"))


def requests_view(campaign: Campaign) -> RenderableType:
    """Every request that a publication would send, in its order, whole, so that each can be held against its API."""
    total = sum(len(setup.steps) for setup in campaign.platforms)
    requests = f"{total:,} {'request' if total == 1 else 'requests'}"
    parts: list[RenderableType] = [
        *_heading(campaign, ""),
        Text(f"page     {campaign.page_url}"),
        Text(f"dry run: {requests}, none was sent", style="bold"),
    ]
    for setup in campaign.platforms:
        parts += [Text(), Text(f"{setup.platform}  {_state(setup)}", style="bold")]
        if setup.detail:
            parts.append(Text(f"  {setup.detail}", style="yellow"))
        for number, step in enumerate(setup.steps, start=1):
            parts += [Text(f"  {number}. {step.title or step.key}"), _request(step.request)]
    # Platforms have said above what they lack.
    shown = {setup.platform for setup in campaign.platforms}
    return Group(*parts, *_missing([one for one in campaign.missing if one.subject not in shown]))


def reading_view(reading: CampaignReading) -> RenderableType:
    """The decision, why, and the numbers behind it."""
    word = campaign_pb2.CampaignDecision.Name(reading.decision).removeprefix("CAMPAIGN_DECISION_")
    standing = "the decision stands" if reading.is_final else "so far; the test goes on"
    fixed = reading.fixed_horizon
    sample = f"{fixed.visitors:,} of {fixed.visitors_needed:,} visitors"
    table = Table.grid(padding=(0, 2))
    if fixed.visitors:
        _numbers(table, reading)
    table.add_row("sample", sample)
    parts: list[RenderableType] = [
        Text(),
        Text.assemble((word.replace("_", "-"), VERDICT_STYLES.get(word, "bold")), f"  {standing}"),
        Text(reading.explanation),
        Text(),
        table,
    ]
    parts += [Text(f"! {g.name}: {g.detail}", style="yellow") for g in reading.guardrails if not g.passed]
    parts += [Text(f"! {n.message}", style="yellow") for n in reading.notices]
    return Group(*parts)


def _numbers(table: Table, reading: CampaignReading) -> None:
    """What visitors have shown; without any, the prior's numbers would be mistaken for a finding."""
    rate, sequential = reading.posterior, reading.sequential
    table.add_row("rate", f"{rate.mean:.1%}, {rate.credibility:.0%} credible {rate.low:.1%} to {rate.high:.1%}")
    table.add_row(
        "chances",
        f"above the baseline {rate.probability_above_baseline:.0%}, "
        f"at the target or above {rate.probability_above_target:.0%}",
    )
    table.add_row("b over a", f"{reading.probability_b_beats_a:.0%}")
    table.add_row(
        "any time",
        f"rate {sequential.low:.1%} to {sequential.high:.1%}, p {sequential.p_value:.3g} against the baseline",
    )
    table.add_row(
        "split", f"p {reading.sample_ratio.p_value:.3g}" + ("" if reading.sample_ratio.passed else ": broken")
    )


def _heading(campaign: Campaign, kind: str) -> list[RenderableType]:
    line = Text.assemble((campaign.name, "bold"), "  ", status_word(campaign))
    if kind:
        line.append(f"  {kind}")
    if campaign.status_reason:
        line.append(f"  {campaign.status_reason}")
    money = f"budget   {dollars(campaign.budget_micros)}, spent {dollars(campaign.spent_micros)}"
    parts: list[RenderableType] = [line, Text(money)]
    if campaign.page_url and campaign.HasField("published_at"):
        parts.append(Text(f"page     {campaign.page_url}"))
    return parts


def _registered(campaign: Campaign) -> list[RenderableType]:
    if not campaign.plan_sha256:
        return []
    day = campaign.published_at.ToDatetime().strftime("%Y-%m-%d %H:%M UTC")
    return [Text(), Text(f"plan registered {day}, sha256 {campaign.plan_sha256}", style="dim")]


def _platforms(campaign: Campaign) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("platform", "state", "steps", "spent", ""):
        table.add_column(heading)
    for setup in campaign.platforms:
        marks = Text(" ").join([STEP_MARKS.get(step.state, Text("·", style="dim")) for step in setup.steps])
        table.add_row(setup.platform, _state(setup), marks, dollars(setup.spent_micros), setup.detail)
    return table


def _state(setup: PlatformSetup) -> str:
    return campaign_pb2.PlatformState.Name(setup.state).removeprefix("PLATFORM_STATE_").lower().replace("_", " ")


def _request(request: campaign_pb2.PlannedRequest) -> Text:
    lines = [f"{request.method} {request.url}", *(f"{k}: {v}" for k, v in sorted(request.headers.items()))]
    if request.body:
        lines += ["", *request.body.splitlines()]
    return Text("\n".join(f"     {line}" for line in lines), style="dim")


def _missing(missing: Sequence[common_pb2.Missing]) -> list[RenderableType]:
    if not missing:
        return []
    parts: list[RenderableType] = [Text(), Text("missing", style="bold")]
    for one in missing:
        parts.append(Text(f"  {one.subject}: {one.reason} {one.next_step}"))
    return parts


def _paragraph(heading: str, text: str) -> list[RenderableType]:
    return [Text(heading, style="bold"), Text(text), Text()] if text else []
