"""A reading says what the counts come to by the plan, and which rule said so."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest

from pipeline.v1 import campaign_pb2
from pipeline.v1.campaign_pb2 import CampaignReading
from services.campaign.domain import statistics as st
from services.campaign.domain.counts import Counts, DayCount
from services.campaign.domain.reading.decide import GO, INCONCLUSIVE, NO_GO, Facts, decide
from services.campaign.domain.reading.levels import final_alpha
from services.campaign.domain.reading.read import read

NEEDED = st.exact_sample_size(0.04, 0.08, final_alpha(0.05))
PLAN = campaign_pb2.TestPlan(baseline_rate=0.04, target_rate=0.08, alpha=0.05, power=0.8, sample_size_needed=NEEDED)
START = datetime(2026, 11, 2, tzinfo=UTC)
USD = 1_000_000


def spread(visitors: int, signups: int, days: int = 10, *, a_share: float = 0.5, bots: int = 0) -> Counts:
    """So many people, evenly over the days and the two pages."""
    found, came, signed = [], 0, 0
    upto = 0.0
    for day, variant in product(range(days), "ab"):
        upto += (a_share if variant == "a" else 1 - a_share) / days
        n, s = round(visitors * upto) - came, round(signups * upto) - signed
        came, signed = came + n, signed + s
        found.append(DayCount(START.date() + timedelta(day), variant, n, s, n))
    return Counts(days=found, bots=bots)


def reading(
    counts: Counts,
    *,
    days: int = 10,
    ended: bool = False,
    spent: int = 0,
    before: CampaignReading | None = None,
) -> CampaignReading:
    return read(
        PLAN,
        counts,
        campaign="runs/x/campaign",
        as_of=START + timedelta(days=days),
        started_at=START,
        spent_micros=spent,
        budget_micros=25 * USD,
        ended=ended,
        before=before,
    )


@pytest.mark.parametrize(
    ("signups_at", "rule", "decision", "final"),
    [
        (0.15, "sequential_go", GO, True),
        (0.005, "sequential_no_go", NO_GO, True),
        (0.0, "sequential_no_go", NO_GO, True),
    ],
)
def test_a_clear_rate_decides_early(
    signups_at: float, rule: str, decision: campaign_pb2.CampaignDecision.ValueType, final: bool
) -> None:
    """A rate far from the other side stops the test before the sample is complete, but not within the first week."""
    few = spread(NEEDED - 20, round((NEEDED - 20) * signups_at))
    found = reading(few)
    assert (found.rule, found.decision, found.is_final) == (rule, decision, final)
    early = reading(few, days=3)
    assert (early.rule, early.decision, early.is_final) == ("first_week", INCONCLUSIVE, False)
    assert "weekdays differ" in early.explanation
    ended = reading(few, days=3, ended=True)
    assert (ended.rule, ended.decision, ended.is_final) == ("ended_in_first_week", INCONCLUSIVE, True)


def test_the_planned_sample_decides_by_its_counts() -> None:
    """At the planned sample the exact counts of the plan decide, and what lies between them does not."""
    at = st.reading(NEEDED, 0.04, 0.08, final_alpha(0.05))
    assert reading(spread(NEEDED, at.wanted)).decision == GO
    assert reading(spread(NEEDED, at.unwanted)).decision == NO_GO
    if at.wanted - at.unwanted > 1:
        between = reading(spread(NEEDED, at.unwanted + 1))
        assert (between.rule, between.is_final) == ("sample_inconclusive", True)


def test_later_visitors_do_not_change_what_the_sample_said() -> None:
    """The planned test reads the day that completed the sample, however the days after it turn out."""
    at = st.reading(NEEDED, 0.04, 0.08, final_alpha(0.05))
    sample = spread(NEEDED, at.unwanted, days=8)
    flood = [DayCount(START.date() + timedelta(9 + day), variant, 100, 14) for day in range(5) for variant in "ab"]
    later = Counts(days=[*sample.days, *flood])
    assert reading(later, days=20).decision == reading(sample).decision == NO_GO


def test_the_sample_takes_every_weekday() -> None:
    """A crowd on the first days does not complete the sample: the days up to the week's end are part of it."""
    crowd = [DayCount(START.date(), variant, NEEDED, round(NEEDED * 0.06)) for variant in "ab"]
    calm = [DayCount(START.date() + timedelta(day), v, 40, 4) for day in range(1, 7) for v in "ab"]
    early = reading(Counts(days=[*crowd, *calm[:4]]), days=4)
    assert not early.fixed_horizon.sample_complete
    whole = reading(Counts(days=[*crowd, *calm]), days=8)
    assert whole.fixed_horizon.sample_complete
    assert whole.fixed_horizon.p_value == pytest.approx(
        st.binomial_tail(2 * NEEDED + 480, 2 * round(NEEDED * 0.06) + 48, 0.04)
    )


def test_a_final_reading_stands() -> None:
    """Once the stopping rule was met, the decision is kept with its reason; counts go on being told."""
    few = NEEDED - 20
    first = reading(spread(few, round(few * 0.15)))
    assert first.is_final
    later = reading(spread(5_000, 100), days=25, ended=True, before=first)
    assert (later.decision, later.rule, later.explanation) == (first.decision, first.rule, first.explanation)
    assert later.fixed_horizon.visitors == 5_000


def test_before_the_sample_is_complete_nothing_stands() -> None:
    """A middling rate goes on collecting; where the test ends so, it ends without an answer."""
    half = spread(NEEDED // 2, round(NEEDED // 2 * 0.06))
    going, ended = reading(half), reading(half, ended=True)
    assert (going.rule, going.is_final) == ("collecting", False)
    assert (ended.rule, ended.decision, ended.is_final) == ("ended_early", INCONCLUSIVE, True)
    assert f"{NEEDED - NEEDED // 2:,} visitors" in going.explanation


def test_an_unequal_split_forbids_a_decision() -> None:
    """However clear the rate, a split that no fair coin makes is told instead."""
    found = reading(spread(800, 120, a_share=0.7))
    assert (found.rule, found.decision, found.is_final) == ("guardrail_sample_ratio", INCONCLUSIVE, False)
    assert not next(guard for guard in found.guardrails if guard.name == "sample_ratio").passed


def test_mostly_programs_forbid_a_decision() -> None:
    """Where most visits were automatic, nothing is concluded from the rest."""
    assert reading(spread(800, 120, bots=9_000)).rule == "guardrail_bots"


def test_overspending_is_told_and_decides_nothing() -> None:
    """Money over the cap is a guardrail that is not met; the visitors it bought still count."""
    found = reading(spread(800, 120), spent=26 * USD)
    assert not next(guard for guard in found.guardrails if guard.name == "budget").passed
    assert found.decision == GO


def test_the_interval_and_the_tests_agree() -> None:
    """The baseline is rejected exactly where the always-valid interval lies above it, the target where below."""
    few = NEEDED - 1
    for signups in range(0, 50, 5):
        looked = reading(spread(few, signups)).sequential
        assert looked.baseline_rejected == (looked.low > PLAN.baseline_rate)
        assert looked.target_rejected == (looked.high < PLAN.target_rate)
        assert looked.low <= signups / few <= looked.high


@pytest.mark.parametrize(
    "counts",
    [
        Counts(days=()),
        Counts(days=(DayCount(date(2026, 1, 1), "a", 0, 0),)),
        Counts(days=(DayCount(date(2026, 1, 1), "b", 7, 7, 9),)),
        Counts(days=(DayCount(date(2026, 1, 1), "a", 1, 0), DayCount(date(2026, 3, 1), "b", 1, 1))),
        spread(1_000_000, 60_000, days=40),
    ],
)
def test_odd_counts_are_read_too(counts: Counts) -> None:
    """Nobody, one page alone, everybody, gaps between days, a million: numbers stay within their bounds."""
    found = reading(counts)
    for share in (found.posterior, *found.variant_posteriors):
        assert 0 <= share.low <= share.mean <= share.high <= 1
    assert 0 <= found.sequential.low <= found.sequential.high <= 1
    assert 0 <= found.sequential.p_value <= 1
    assert 0 <= found.probability_b_beats_a <= 1
    assert found.explanation


def test_plots_are_pictures_that_can_be_heard() -> None:
    """Three well-formed SVG files with title and description, no script, nothing from outside, the same bytes twice."""
    one, two = reading(spread(500, 30)), reading(spread(500, 30))
    assert [artifact.path.rsplit("/")[-1] for artifact in one.artifacts] == [
        "posterior.svg",
        "sequential.svg",
        "days.svg",
    ]
    for first, second in zip(one.artifacts, two.artifacts, strict=True):
        assert first.content == second.content
        root = ET.fromstring(first.content)  # our own text
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert {"title", "desc"} <= tags
        assert not tags & {"script", "image", "foreignObject", "a"}
        assert b"http" not in first.content.replace(b"http://www.w3.org/2000/svg", b"")


def test_every_combination_of_facts_has_a_rule() -> None:
    """Whatever the facts, a decision comes out, and GO or NO_GO stand only as final ones with a fair split."""
    for values in product((False, True), repeat=9):
        facts = Facts(*values)
        found = decide(facts)
        if found.decision != INCONCLUSIVE:
            assert found.is_final
            assert facts.split_is_fair
            assert facts.mostly_people
        if facts.ended:
            assert found.is_final
