"""How many visitors a question needs, and what a number of visitors can answer; standard library only.

The test: H0 `p <= p0` (the page converts no better than an ordinary one) against H1 `p >= p1`, one-sided,
exact binomial. One-sided because only a rate above the baseline leads to building; alpha 0.05 and power 0.8
are the customary choices (J. Cohen, Statistical Power Analysis for the Behavioral Sciences, 2nd ed. 1988,
section 2.4).
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

ALPHA = 0.05
POWER = 0.8
# Above this the binomial sums are replaced by the normal approximation: at n p0 of several hundred they agree
# to better than half a percentage point of power, and the plan stays instant.
EXACT_VISITORS_MAX = 20_000
# The search for the exact sample size gives up after this factor over the approximation.
_EXACT_SEARCH_FACTOR = 1.6


class Reading(NamedTuple):
    """How to read a count among `visitors`: `wanted` or more sign-ups show a rate above the baseline,
    `unwanted` or fewer rule out the target rate, anything between is inconclusive. -1: no such count
    exists."""

    visitors: int
    wanted: int
    unwanted: int


def sample_size(p0: float, p1: float, alpha: float = ALPHA, power: float = POWER) -> int:
    """Visitors for a one-sided one-sample test of a proportion, by the normal approximation:

        n = ((z(1-alpha) sqrt(p0 (1-p0)) + z(power) sqrt(p1 (1-p1))) / (p1 - p0))^2, rounded up

    NIST/SEMATECH e-Handbook of Statistical Methods, section 7.2.4.2 (one-sided case); the same in Fleiss,
    Levin and Paik, Statistical Methods for Rates and Proportions, 3rd ed., chapter 2. Raises ValueError when
    the rates leave (0, 1) or are equal.
    """
    _check(p0, p1, alpha, power)
    normal = NormalDist()
    spread = normal.inv_cdf(1 - alpha) * math.sqrt(p0 * (1 - p0)) + normal.inv_cdf(power) * math.sqrt(p1 * (1 - p1))
    return math.ceil((spread / (p1 - p0)) ** 2 - 1e-9)


def exact_sample_size(p0: float, p1: float, alpha: float = ALPHA, power: float = POWER) -> int:
    """The smallest n, from the normal approximation upwards, at which the exact test has at least `power`.

    The approximation can fall short of its promise by a few visitors because counts are whole; the exact test
    is what the decision rule uses, so the plan asks for what that test needs.
    """
    start = sample_size(p0, p1, alpha, power)
    for n in range(start, math.ceil(start * _EXACT_SEARCH_FACTOR) + 10):
        if exact_power(n, p0, p1, alpha) >= power:
            return n
    return start


def sample_size_two(p1: float, p2: float, alpha: float = ALPHA, power: float = POWER) -> int:
    """Visitors per variant to tell two rates apart, two-sided, by the normal approximation with pooled variance:

        n = ((z(1-alpha/2) sqrt(2 p (1-p)) + z(power) sqrt(p1 (1-p1) + p2 (1-p2))) / (p2 - p1))^2, p = (p1 + p2) / 2

    Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions, 3rd ed., equation 4.14 (no continuity
    correction).
    """
    _check(p1, p2, alpha, power)
    normal, pooled = NormalDist(), (p1 + p2) / 2
    spread = normal.inv_cdf(1 - alpha / 2) * math.sqrt(2 * pooled * (1 - pooled))
    spread += normal.inv_cdf(power) * math.sqrt(p1 * (1 - p1) + p2 * (1 - p2))
    return math.ceil((spread / (p2 - p1)) ** 2 - 1e-9)


def binomial_tail(n: int, k: int, p: float) -> float:
    """P(X >= k) for X ~ Binomial(n, p)."""
    if k <= 0:
        return 1.0
    if k > n or p <= 0:
        return 0.0
    if p >= 1:
        return 1.0
    if n > EXACT_VISITORS_MAX:
        return 1 - NormalDist(n * p, math.sqrt(n * p * (1 - p))).cdf(k - 0.5)
    if k <= n * p:  # sum the shorter, smaller side
        return 1 - _sum(n, 0, k - 1, p)
    return _sum(n, k, n, p)


def _sum(n: int, first: int, last: int, p: float) -> float:
    """Sum of the binomial probabilities of `first` to `last`; terms by recurrence from the one at an end."""
    ratio = p / (1 - p)
    if first > n * p:  # falling terms: start at the largest, stop when they vanish
        term = _probability(n, first, p)
        total = 0.0
        for k in range(first, last + 1):
            total += term
            if term < total * 1e-17:
                break
            term *= (n - k) / (k + 1) * ratio
        return min(total, 1.0)
    term = _probability(n, last, p)
    total = 0.0
    for k in range(last, first - 1, -1):
        total += term
        if term < total * 1e-17:
            break
        term *= k / ((n - k + 1) * ratio)
    return min(total, 1.0)


def _probability(n: int, k: int, p: float) -> float:
    log = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(log + k * math.log(p) + (n - k) * math.log1p(-p))


def critical_count(n: int, p0: float, alpha: float = ALPHA) -> int:
    """The smallest count whose tail probability under `p0` is at most alpha; n + 1 when there is none."""
    low, high = 0, n + 1
    while low < high:
        middle = (low + high) // 2
        if binomial_tail(n, middle, p0) <= alpha:
            high = middle
        else:
            low = middle + 1
    return low


def futile_count(n: int, p1: float, alpha: float = ALPHA) -> int:
    """The largest count whose lower tail under `p1` is at most alpha; -1 when there is none."""
    low, high = -1, n
    while low < high:
        middle = (low + high + 1) // 2
        if 1 - binomial_tail(n, middle + 1, p1) <= alpha:
            low = middle
        else:
            high = middle - 1
    return low


def exact_power(n: int, p0: float, p1: float, alpha: float = ALPHA) -> float:
    """Probability that the exact one-sided test of `p0` rejects when the rate is `p1`."""
    critical = critical_count(n, p0, alpha)
    return 0.0 if critical > n else binomial_tail(n, critical, p1)


def detectable_effect(n: int, p0: float, alpha: float = ALPHA, power: float = POWER) -> float:
    """Smallest difference above `p0` that the exact test shows with `power` at n visitors; 0.0 when none
    is."""
    if n < 1:
        return 0.0
    critical = critical_count(n, p0, alpha)
    if critical > n:
        return 0.0
    low, high = p0, 1.0
    for _ in range(50):  # 2^-50 is far below any rate that matters
        middle = (low + high) / 2
        if binomial_tail(n, critical, middle) >= power:
            high = middle
        else:
            low = middle
    return high - p0


def reading(n: int, p0: float, p1: float, alpha: float = ALPHA) -> Reading:
    """The counts that decide among n visitors; see `Reading`."""
    if n < 1:
        return Reading(n, -1, -1)
    critical = critical_count(n, p0, alpha)
    return Reading(n, critical if critical <= n else -1, min(futile_count(n, p1, alpha), critical - 1))


def interval(n: int, k: int, confidence: float = 0.9) -> tuple[float, float]:
    """Clopper-Pearson interval of a rate, k sign-ups among n visitors (C. Clopper and E. Pearson, Biometrika
    1934)."""
    if n < 1:
        return 0.0, 1.0
    side = (1 - confidence) / 2
    return (_solve(n, k, side) if k else 0.0), (_solve(n, k + 1, 1 - side) if k < n else 1.0)


def _solve(n: int, k: int, tail: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        if binomial_tail(n, k, middle) < tail:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _check(p0: float, p1: float, alpha: float, power: float) -> None:
    if not (0 < p0 < 1 and 0 < p1 < 1) or p0 == p1:
        raise ValueError("rates must lie between 0 and 1 and differ")
    if not (0 < alpha < 1 and 0 < power < 1):
        raise ValueError("alpha and power must lie between 0 and 1")
