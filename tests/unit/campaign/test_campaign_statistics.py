"""Sample sizes and small-sample readings, against published examples and exact arithmetic."""

from __future__ import annotations

import math

import pytest

from services.campaign.domain import statistics as st


def test_sample_size_nist_example() -> None:
    """NIST e-Handbook 7.2.4.2: 10 % against 20 %, one-sided alpha 5 %, beta 10 %, needs 102."""
    assert st.sample_size(0.10, 0.20, alpha=0.05, power=0.90) == 102


def test_sample_size_rosner_example() -> None:
    """Rosner's breast-cancer example: 2 % against 5 %, two-sided alpha 5 %, power 90 %, needs 341."""
    assert st.sample_size(0.02, 0.05, alpha=0.025, power=0.90) == 341


@pytest.mark.parametrize(("p0", "p1"), [(0.0, 0.1), (0.1, 0.1), (0.1, 1.0), (math.nan, 0.1)])
def test_sample_size_refuses_rates_without_a_question(p0: float, p1: float) -> None:
    """Equal rates or rates outside (0, 1) raise ValueError instead of a number."""
    with pytest.raises(ValueError, match="rates"):
        st.sample_size(p0, p1)


@pytest.mark.parametrize(("n", "p"), [(1, 0.3), (12, 0.038), (40, 0.5), (97, 0.08), (300, 0.9)])
def test_binomial_tail_equals_the_sum(n: int, p: float) -> None:
    """The tail equals the plain sum of binomial terms for every count."""
    for k in range(n + 2):
        plain = math.fsum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))
        assert st.binomial_tail(n, k, p) == pytest.approx(plain, abs=1e-9)


def test_twelve_visitors_by_hand() -> None:
    """With 12 visitors and a 3.8 % baseline three sign-ups are the first surprising count (1.0 % against 7.5
    % for two)."""
    assert st.binomial_tail(12, 2, 0.038) == pytest.approx(1 - 0.962**12 - 12 * 0.038 * 0.962**11)
    assert st.binomial_tail(12, 2, 0.038) > 0.05 > st.binomial_tail(12, 3, 0.038)
    assert st.critical_count(12, 0.038) == 3
    reading = st.reading(12, 0.038, 0.0805)
    assert (reading.wanted, reading.unwanted) == (3, -1)


def test_one_visitor_can_show_nothing_at_a_high_baseline() -> None:
    """One visitor cannot refute a 10 % baseline: no rejection region, no detectable effect."""
    assert st.critical_count(1, 0.10) == 2
    assert st.exact_power(1, 0.10, 0.9) == 0.0
    assert st.detectable_effect(1, 0.10) == 0.0
    assert st.detectable_effect(0, 0.10) == 0.0


def test_detectable_effect_gives_the_power_it_promises() -> None:
    """At the detectable difference the exact test has 80 % power, and clearly less below it."""
    for n in (5, 12, 50, 400):
        effect = st.detectable_effect(n, 0.038)
        assert st.exact_power(n, 0.038, 0.038 + effect) == pytest.approx(0.8, abs=1e-6)
        assert st.exact_power(n, 0.038, 0.038 + effect * 0.9) < 0.8


def test_exact_sample_size_reaches_power_and_is_not_below_the_approximation() -> None:
    """The planned sample gives the exact test its stated power at no more than its stated alpha."""
    for p0, p1 in ((0.038, 0.0805), (0.038, 0.1314), (0.023, 0.0555)):
        n = st.exact_sample_size(p0, p1)
        assert n >= st.sample_size(p0, p1)
        assert st.exact_power(n, p0, p1) >= 0.8
        assert st.binomial_tail(n, st.critical_count(n, p0), p0) <= 0.05


def test_the_three_readings_do_not_overlap() -> None:
    """A count never reads as wanted and unwanted at once."""
    for n in (1, 10, 100, 1000, 30_000):
        reading = st.reading(n, 0.038, 0.08)
        assert reading.wanted == -1 or reading.unwanted < reading.wanted


def test_interval_matches_the_rule_of_three() -> None:
    """No sign-up among 100 visitors leaves an upper 95 % bound of 1 - 0.05^(1/100), about 3 in 100."""
    low, high = st.interval(100, 0, confidence=0.9)
    assert low == 0.0
    assert high == pytest.approx(1 - 0.05 ** (1 / 100), abs=1e-9)


def test_large_samples_use_the_normal_approximation_smoothly() -> None:
    """Just above the exact limit the tail differs from the exact one by less than half a percentage point."""
    n = st.EXACT_VISITORS_MAX
    k = round(n * 0.05) + 30
    assert st.binomial_tail(n + 1, k, 0.05) == pytest.approx(st.binomial_tail(n, k, 0.05), abs=0.005)
