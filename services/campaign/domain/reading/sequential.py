"""Tests that may be looked at every day: always-valid p-values and intervals for Bernoulli data, nothing approximated.

One rate. For a rate q > p the likelihood ratio of q to p is a supermartingale whenever the true rate is at most p, and
so is a mixture of such ratios over a fixed distribution of q (H. Robbins, Statistical Methods Related to the Law of the
Iterated Logarithm, 1970; the mixture SPRT of R. Johari, P. Koomen, L. Pekelis and D. Walsh, Always Valid Inference,
Operations Research 70, 2022). With a Beta(u, v) that is cut to q > p the mixture has a closed form:

    M(p) = B(u+s, v+n-s) P(Beta(u+s, v+n-s) > p) / (B(u, v) P(Beta(u, v) > p)) / (p^s (1-p)^(n-s))

By Ville's inequality M ever reaches 1/alpha with probability alpha at most, however often one looks. The smallest 1/M
so far is an always-valid p-value; the rates p that are not rejected are an interval that holds at all times (a
confidence sequence: S. Howard, A. Ramdas, J. McAuliffe and J. Sekhon, Annals of Statistics 49, 2021). The other side
is the same with q < p. The normal approximation of the usual mSPRT is not used: at rates of a few percent it rests
on a handful of sign-ups in the first days, and here nothing has to be approximated.

Two pages. With visitors sent to a or b by a fair coin, S = P(y | page) / P(y), the page's estimated rate over the mean
of both, has expectation 1 whenever the rates are equal, whatever they are (R. Turner, A. Ly and P. Gruenwald, Generic
E-variables for Exact Sequential k-Sample Tests, 2024). The estimates come from earlier days alone, so that the product
over the days is a martingale. The interval of the difference joins the intervals of both rates by the union bound.

Functions take numbers or numpy arrays of cumulative counts, so that simulations run the code that readings run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

# How many visitors' worth of opinion the mixing distributions hold: wide enough to find rates twice or half as high.
MIXING_VISITORS = 40.0
# Ten digits of a rate.
_BISECTIONS = 36


class Mixing(NamedTuple):
    """A Beta distribution of the alternatives, fixed before the first visitor."""

    u: float
    v: float


def mixing_around(rate: float) -> Mixing:
    """The alternatives around a rate (0 to 1)."""
    return Mixing(rate * MIXING_VISITORS, (1 - rate) * MIXING_VISITORS)


def log_evidence_above(visitors: Any, signups: Any, rate: Any, mixing: Mixing) -> Any:
    """log M: evidence that the true rate is above `rate`."""
    from scipy import special

    # P(Beta > rate) as a cumulative of the mirrored distribution: no digits are lost where it is tiny.
    tail = _log_cdf(mixing.v + visitors - signups, mixing.u + signups, 1 - rate)
    prior = _log_cdf(mixing.v, mixing.u, 1 - rate)
    ratio = special.betaln(mixing.u + signups, mixing.v + visitors - signups) - special.betaln(mixing.u, mixing.v)
    return ratio + tail - prior - special.xlogy(signups, rate) - special.xlog1py(visitors - signups, -rate)


def log_evidence_below(visitors: Any, signups: Any, rate: Any, mixing: Mixing) -> Any:
    """log M: evidence that the true rate is below `rate`; the mirror image."""
    mirrored = Mixing(mixing.v, mixing.u)
    return log_evidence_above(visitors, visitors - signups, 1 - rate, mirrored)


def lower_bounds(visitors: Any, signups: Any, alpha: float, mixing: Mixing) -> Any:
    """For each count: rates below this are rejected at level alpha (one-sided) as too low. Shape of the counts."""
    import numpy as np

    n, s = np.asarray(visitors, float), np.asarray(signups, float)
    # Between a rate that is rejected, or 0, and the estimate, which never is.
    rejected, kept = np.zeros_like(n), s / np.maximum(n, 1.0)
    for _ in range(_BISECTIONS):
        middle = np.maximum((rejected + kept) / 2, 1e-12)
        out = log_evidence_above(n, s, middle, mixing) >= -math.log(alpha)
        rejected, kept = np.where(out, middle, rejected), np.where(out, kept, middle)
    return np.where(s > 0, rejected, 0.0)


def upper_bounds(visitors: Any, signups: Any, alpha: float, mixing: Mixing) -> Any:
    """For each count: rates above this are rejected at level alpha (one-sided) as too high. Shape of the counts."""
    import numpy as np

    failures = np.asarray(visitors, float) - np.asarray(signups, float)
    return 1.0 - lower_bounds(visitors, failures, alpha, Mixing(mixing.v, mixing.u))


def p_value(log_evidences: Sequence[float]) -> float:
    """The always-valid p-value after a sequence of looks."""
    return math.exp(-max(max(log_evidences, default=0.0), 0.0))


def log_evidence_of_difference(
    visitors_a: Sequence[int],
    signups_a: Sequence[int],
    visitors_b: Sequence[int],
    signups_b: Sequence[int],
    guess: float,
) -> list[float]:
    """log evidence that the rates of a and b differ, after each day, from counts per day; `guess`: before any."""
    found, total = [], 0.0
    seen = [guess * MIXING_VISITORS, MIXING_VISITORS, guess * MIXING_VISITORS, MIXING_VISITORS]
    for n_a, s_a, n_b, s_b in zip(visitors_a, signups_a, visitors_b, signups_b, strict=True):
        rate_a, rate_b = seen[0] / seen[1], seen[2] / seen[3]
        mean = (rate_a + rate_b) / 2
        total += s_a * math.log(rate_a / mean) + (n_a - s_a) * math.log((1 - rate_a) / (1 - mean))
        total += s_b * math.log(rate_b / mean) + (n_b - s_b) * math.log((1 - rate_b) / (1 - mean))
        found.append(total)
        seen = [seen[0] + s_a, seen[1] + n_a, seen[2] + s_b, seen[3] + n_b]
    return found


def _log_cdf(a: Any, b: Any, x: Any) -> Any:
    """log P(Beta(a, b) <= x), also where the probability is too small for a float."""
    import numpy as np
    from scipy import special

    plain = special.betainc(a, b, x)
    # Where it vanishes: the leading factor of the continued fraction (DLMF 8.17.22), with x far below the mode.
    with np.errstate(divide="ignore"):
        far = special.xlogy(a, x) + special.xlog1py(b, -x) - np.log(a) - special.betaln(a, b)
        return np.where(plain > 1e-280, np.log(np.maximum(plain, 1e-300)), far)
