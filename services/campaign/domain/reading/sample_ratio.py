"""Was every visitor sent to a or b by the fair coin that the plan names? If not, no comparison can be trusted.

Threshold: R. Kohavi, D. Tang and Y. Xu, Trustworthy Online Controlled Experiments, 2020, chapter 21 (p below 0.001), so
that looking every day of a month raises a false alarm about once in fifty tests at most.
"""

from __future__ import annotations

from pipeline.v1.campaign_pb2 import SampleRatioCheck

THRESHOLD = 0.001
# Below this many visitors the exact test; above it chi-square, which agrees to two digits.
EXACT_VISITORS_MAX = 10_000


def sample_ratio(visitors_a: int, visitors_b: int) -> SampleRatioCheck:
    """Two-sided test of an equal split."""
    p = sample_ratio_p(visitors_a, visitors_b)
    return SampleRatioCheck(p_value=p, threshold=THRESHOLD, passed=p >= THRESHOLD)


def sample_ratio_p(visitors_a: int, visitors_b: int) -> float:
    """Probability of a split at least as uneven under a fair coin; 1.0 without visitors."""
    from scipy import special

    total = visitors_a + visitors_b
    if not total:
        return 1.0
    if total <= EXACT_VISITORS_MAX:
        # A fair coin is symmetric: twice the smaller tail.
        return min(2 * float(special.bdtr(min(visitors_a, visitors_b), total, 0.5)), 1.0)
    return float(special.chdtrc(1, (visitors_a - visitors_b) ** 2 / total))
