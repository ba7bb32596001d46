"""The statistics of a reading agree with published examples and keep their promises in simulated tests."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench import experiments as sim
from services.campaign.domain import statistics as st
from services.campaign.domain.reading import sequential
from services.campaign.domain.reading.posterior import posterior, probability_b_beats_a
from services.campaign.domain.reading.sample_ratio import sample_ratio, sample_ratio_p

# --- published examples -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("visitors", "signups"), [(10, 1), (20, 3), (412, 31)])
def test_limits_are_those_of_the_posterior(visitors: int, signups: int) -> None:
    """The credible interval leaves 2.5 % on either side of the density, integrated step by step."""
    found = posterior("all", visitors, signups, 0.04, 0.08)
    grid = np.linspace(0, 1, 2_000_001)[1:-1]
    density = np.exp((signups - 0.5) * np.log(grid) + (visitors - signups - 0.5) * np.log1p(-grid))
    share = np.cumsum(density) / density.sum()
    assert found.low == pytest.approx(float(grid[np.searchsorted(share, 0.025)]), abs=2e-4)
    assert found.high == pytest.approx(float(grid[np.searchsorted(share, 0.975)]), abs=2e-4)


def miller(a: tuple[int, int], b: tuple[int, int]) -> float:
    """P(b > a) for whole parameters: E. Miller, Formulas for Bayesian A/B Testing (2015), equation 6."""

    def log_beta(x: float, y: float) -> float:
        return math.lgamma(x) + math.lgamma(y) - math.lgamma(x + y)

    return sum(
        math.exp(log_beta(a[0] + i, b[1] + a[1]) - math.log(b[1] + i) - log_beta(1 + i, b[1]) - log_beta(a[0], a[1]))
        for i in range(b[0])
    )


@pytest.mark.parametrize(("a", "b"), [((5, 95), (9, 91)), ((31, 381), (44, 350)), ((2, 3), (3, 2))])
def test_beating_agrees_with_the_closed_form(a: tuple[int, int], b: tuple[int, int]) -> None:
    """Quadrature and Miller's sum give the same probability."""
    from pipeline.v1.campaign_pb2 import Posterior

    found = probability_b_beats_a(Posterior(alpha=a[0], beta=a[1]), Posterior(alpha=b[0], beta=b[1]))
    assert found == pytest.approx(miller(a, b), abs=1e-6)


def test_the_split_that_the_textbook_calls_unfair() -> None:
    """821,588 against 815,482: R. Kohavi, D. Tang and Y. Xu (2020), chapter 3, p = 1.8e-6."""
    assert sample_ratio_p(821_588, 815_482) == pytest.approx(1.8e-6, rel=0.03)
    assert not sample_ratio(821_588, 815_482).passed
    assert sample_ratio(0, 0).passed


def test_a_fair_split_of_few_is_exact() -> None:
    """Ten of ten on one side: twice 0.5 to the tenth."""
    assert sample_ratio_p(10, 0) == pytest.approx(2 * 0.5**10)


def test_the_mixture_is_the_closed_form_of_an_integral() -> None:
    """log M equals the numerical integral of likelihood ratios over the cut mixing distribution."""
    mixing, n, s, p = sequential.mixing_around(0.08), 300, 25, 0.04
    grid = np.linspace(p, 1, 400_001)[1:-1]
    weight = grid ** (mixing.u - 1) * (1 - grid) ** (mixing.v - 1)
    ratio = np.exp(s * np.log(grid / p) + (n - s) * np.log((1 - grid) / (1 - p)))
    expected = math.log(float(np.sum(weight * ratio) / np.sum(weight)))
    assert float(sequential.log_evidence_above(n, s, p, mixing)) == pytest.approx(expected, abs=1e-3)


def test_evidence_is_bounded_by_the_best_likelihood_ratio() -> None:
    """No mixture can find more than the best alternative would: the evidence of a day's counts is no invention."""
    best = 25 * math.log(25 / 300 / 0.04) + 275 * math.log((1 - 25 / 300) / 0.96)
    assert 0 < float(sequential.log_evidence_above(300, 25, 0.04, sequential.mixing_around(0.08))) < best


# --- simulated tests --------------------------------------------------------------------------------------------------


def test_peeking_every_day_does_not_raise_false_alarms() -> None:
    """2,000 tests without an effect: the always-valid test stays within alpha, the ordinary one does not."""
    month = sim.simulated(sim.BASELINE)
    assert sim.share(sim.sequential_rejects(*month, sim.ALPHA)).share <= sim.ALPHA
    assert sim.share(sim.naive_rejects(*month, sim.ALPHA)).low > 2 * sim.ALPHA


def test_the_plans_whole_rule_keeps_alpha() -> None:
    """Daily looks and the planned end together err as seldom as the plan says."""
    assert sim.share(sim.whole_rule_false_go()).share <= sim.ALPHA


def test_read_every_evening_the_whole_rule_errs_as_planned() -> None:
    """Stopped at its first decision: false GOs at the baseline, false NO-GOs at the target, and the planned power."""
    go, no, _ = sim.outcomes(sim.BASELINE)
    assert sim.share(go).share <= sim.ALPHA
    assert sim.share(no).share > 0.6
    go, no, _ = sim.outcomes(sim.TARGET)
    assert sim.share(no).share <= sim.ALPHA
    assert sim.share(go).high >= st.POWER


def test_equal_pages_are_seldom_called_different() -> None:
    """2,000 A/A tests of the two pages, looked at every day."""
    assert sim.share(sim.difference_rejects(sim.BASELINE, sim.ALPHA)).share <= sim.ALPHA


def test_a_great_difference_is_found() -> None:
    """The same test does find that page b is four times as good."""
    assert sim.share(sim.difference_rejects(0.05, sim.ALPHA, count=200, lift=0.15)).share > 0.9


@pytest.mark.parametrize("visitors", [150, 700])
def test_credible_intervals_cover_as_often_as_they_say(visitors: int) -> None:
    """95 % intervals hold the rate in 93 to 97 % of 2,000 tests."""
    assert sim.share(sim.credible_covers(visitors)).share == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("rate", [0.02, 0.06, 0.12])
def test_always_valid_intervals_hold_at_every_look(rate: float) -> None:
    """At least 95 % of tests never lose the true rate, on any of 28 evenings."""
    assert sim.share(sim.always_covers(rate, 0.025)).share >= 0.95


def test_the_planned_test_has_the_planned_power() -> None:
    """At the target rate the planned test says so in 80 % of tests or more, by simulation as by computation."""
    for alpha in (sim.ALPHA, sim.final_alpha(sim.ALPHA)):
        needed = st.exact_sample_size(sim.BASELINE, sim.TARGET, alpha)
        assert st.exact_power(needed, sim.BASELINE, sim.TARGET, alpha) >= st.POWER
        assert sim.share(sim.planned_rejects(sim.TARGET, alpha=alpha)).high >= st.POWER
        assert sim.share(sim.planned_rejects(sim.BASELINE, alpha=alpha)).low <= alpha


def test_fair_splits_raise_as_many_alarms_as_announced() -> None:
    """2,000 fair splits: the check's p-value is below 5 % in 5 % of them, within chance and whole counts."""
    found = sim.share(sim.sample_ratio_alarms(700))
    assert found.low <= 0.05
    assert found.high >= 0.04
