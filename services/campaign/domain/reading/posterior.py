"""What the counts say about a rate: Beta posterior of a binomial proportion.

Prior: Jeffreys' Beta(1/2, 1/2). It favours no rate, and its equal-tailed interval covers about as often as it says also
for few sign-ups (L. Brown, T. Cai and A. DasGupta, Interval Estimation for a Binomial Proportion, Statistical Science
16, 2001). scipy is imported where it is used: it takes longer than the rest of the server together.
"""

from __future__ import annotations

from pipeline.v1.campaign_pb2 import Posterior

PRIOR = (0.5, 0.5)
CREDIBILITY = 0.95
# Nodes of the quadrature for P(b > a): exact to more than six digits for any counts.
_NODES = 256


def posterior(subject: str, visitors: int, signups: int, baseline: float, target: float) -> Posterior:
    """The posterior of a rate after `signups` among `visitors`; baseline and target are shares, 0 to 1."""
    from scipy import special

    alpha, beta = PRIOR[0] + signups, PRIOR[1] + visitors - signups
    side = (1 - CREDIBILITY) / 2
    # Where nobody, or everybody, signed up, Jeffreys' interval ends at the border (the same source, section 4.3).
    low = 0.0 if signups == 0 else float(special.betaincinv(alpha, beta, side))
    high = 1.0 if signups == visitors else float(special.betaincinv(alpha, beta, 1 - side))
    return Posterior(
        subject=subject,
        alpha=alpha,
        beta=beta,
        mean=alpha / (alpha + beta),
        low=low,
        high=high,
        credibility=CREDIBILITY,
        probability_above_baseline=float(special.betaincc(alpha, beta, baseline)),
        probability_above_target=float(special.betaincc(alpha, beta, target)),
    )


def probability_b_beats_a(a: Posterior, b: Posterior) -> float:
    """P(rate of b > rate of a) for two independent Beta posteriors, 0 to 1.

    The integral of P(b > x) over the distribution of a, by Gauss-Legendre quadrature over a's quantiles; for whole
    parameters it equals E. Miller's closed form (Formulas for Bayesian A/B Testing, 2015).
    """
    import numpy as np
    from scipy import special

    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    quantiles = special.betaincinv(a.alpha, a.beta, (nodes + 1) / 2)
    wins = float(np.sum(weights / 2 * special.betaincc(b.alpha, b.beta, quantiles)))
    return min(max(wins, 0.0), 1.0)
