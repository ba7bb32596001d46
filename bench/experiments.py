"""Does the reading of a smoke test keep its promises? Simulated tests, read by the code that reads real ones.

    python -m bench.experiments            # the table of docs/statistics.md

Each simulated test has so many visitors a day for a month, at one true rate, and is looked at every evening. A false GO
is a GO while the rate is the baseline; the naive reading looks at the planned test's p-value every evening as if it
were the only look.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from services.campaign.domain import statistics as st
from services.campaign.domain.reading import sequential
from services.campaign.domain.reading.levels import DAYS_MIN, final_alpha, looks_alpha

ALPHA = 0.05
TESTS = 2_000
DAYS = 28
PER_DAY = 25
BASELINE, TARGET = 0.04, 0.08


class Share(NamedTuple):
    """How often something happened, and its 95 % interval by chance."""

    share: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.share:.2%} ({self.low:.2%} to {self.high:.2%})"


def share(happened: Any) -> Share:
    """The share of true values, with its Clopper-Pearson interval."""
    n, k = len(happened), int(np.sum(happened))
    return Share(k / n, *st.interval(n, k, 0.95))


def simulated(rate: float, *, count: int = TESTS, seed: int = 1) -> tuple[Any, Any]:
    """Cumulative visitors and sign-ups after each evening of a month, shape (tests, days)."""
    rng = np.random.default_rng(seed)
    visitors = np.cumsum(rng.poisson(PER_DAY, (count, DAYS)), axis=1)
    signups = np.cumsum(rng.binomial(np.diff(visitors, axis=1, prepend=0), rate), axis=1)
    return visitors, signups


def sequential_rejects(visitors: Any, signups: Any, alpha: float) -> Any:
    """Tests in which some look rejects the baseline, shape (tests,)."""
    mixing = sequential.mixing_around(TARGET)
    evidence = sequential.log_evidence_above(visitors, signups, BASELINE, mixing)
    return (evidence >= -np.log(alpha)).any(axis=1)


def naive_rejects(visitors: Any, signups: Any, alpha: float) -> Any:
    """Tests in which some look's ordinary exact p-value is at most alpha, shape (tests,)."""
    from scipy import special

    return (special.bdtrc(np.maximum(signups - 1, 0), visitors, BASELINE) <= alpha).any(axis=1) & (signups > 0).any(
        axis=1
    )


def planned_rejects(rate: float, *, alpha: float, count: int = TESTS, seed: int = 2) -> Any:
    """Tests of the planned sample in which the planned test rejects the baseline, shape (tests,)."""
    needed = st.exact_sample_size(BASELINE, TARGET, alpha)
    signups = np.random.default_rng(seed).binomial(needed, rate, count)
    return signups >= st.critical_count(needed, BASELINE, alpha)


def difference_rejects(rate: float, alpha: float, *, count: int = TESTS, seed: int = 3, lift: float = 0.0) -> Any:
    """Tests in which some look says that page b differs from a; b's rate is `rate + lift`; shape (tests,)."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        n_a, n_b = rng.poisson(PER_DAY / 2, DAYS), rng.poisson(PER_DAY / 2, DAYS)
        s_a, s_b = rng.binomial(n_a, rate), rng.binomial(n_b, rate + lift)
        logs = sequential.log_evidence_of_difference(n_a.tolist(), s_a.tolist(), n_b.tolist(), s_b.tolist(), BASELINE)
        found.append(max(logs) >= -np.log(alpha))
    return np.array(found)


def always_covers(rate: float, level: float, *, count: int = TESTS, seed: int = 4) -> Any:
    """Tests in which every evening's interval holds the true rate, shape (tests,)."""
    visitors, signups = simulated(rate, count=count, seed=seed)
    # A rate is in the interval while neither side has evidence enough against it: the bounds are where that changes.
    above = sequential.log_evidence_above(visitors, signups, rate, sequential.mixing_around(TARGET))
    below = sequential.log_evidence_below(visitors, signups, rate, sequential.mixing_around(BASELINE))
    return (np.maximum(above, below) < -np.log(level)).all(axis=1)


def credible_covers(visitors: int, *, count: int = TESTS, seed: int = 5, credibility: float = 0.95) -> Any:
    """Tests whose credible interval holds the rate; rates drawn evenly from 1 % to 15 %, shape (tests,)."""
    from services.campaign.domain.reading.posterior import posterior

    rng = np.random.default_rng(seed)
    rates = rng.uniform(0.01, 0.15, count)
    signups = rng.binomial(visitors, rates)
    edges = {int(k): posterior("all", visitors, int(k), BASELINE, TARGET) for k in np.unique(signups)}
    return np.array([edges[int(k)].low <= rate <= edges[int(k)].high for k, rate in zip(signups, rates, strict=True)])


def sample_ratio_alarms(visitors: int, *, count: int = TESTS, seed: int = 6) -> Any:
    """Fair splits that the sample ratio check calls unfair at the 5 % level, shape (tests,)."""
    from services.campaign.domain.reading.sample_ratio import sample_ratio_p

    splits = np.random.default_rng(seed).binomial(visitors, 0.5, count)
    return np.array([sample_ratio_p(int(a), visitors - int(a)) <= 0.05 for a in splits])


def whole_rule_false_go(*, count: int = TESTS, seed: int = 7) -> Any:
    """Tests at the baseline that end in a GO by either of the plan's two tests, shape (tests,)."""
    visitors, signups = simulated(BASELINE, count=count, seed=seed)
    needed = st.exact_sample_size(BASELINE, TARGET, final_alpha(ALPHA))
    early = sequential_rejects(visitors, signups, looks_alpha(ALPHA))
    complete = visitors >= needed
    first = np.argmax(complete, axis=1)
    rows = np.arange(len(visitors))
    n, s = visitors[rows, first], signups[rows, first]
    at_end = np.array(
        [s_ >= st.critical_count(int(n_), BASELINE, final_alpha(ALPHA)) for n_, s_ in zip(n, s, strict=True)]
    )
    return early | (complete.any(axis=1) & at_end)


def outcomes(rate: float, *, count: int = TESTS, seed: int = 9) -> tuple[Any, Any, Any]:
    """The plan's whole rule, read every evening from the first week on and stopped at its first decision.

    Returns GO (shape (tests,)), NO_GO (shape (tests,)) and the visitors at the decision, or of the month without one.
    """
    visitors, signups = simulated(rate, count=count, seed=seed)
    needed, level = st.exact_sample_size(BASELINE, TARGET, final_alpha(ALPHA)), -np.log(looks_alpha(ALPHA))
    enough = (visitors >= needed) & (np.arange(DAYS) >= DAYS_MIN - 1)
    complete = np.where(enough.any(axis=1), np.argmax(enough, axis=1), DAYS)
    looked = np.arange(DAYS)[None, :] <= complete[:, None]
    for_go = sequential.log_evidence_above(visitors, signups, BASELINE, sequential.mixing_around(TARGET))
    for_no = sequential.log_evidence_below(visitors, signups, TARGET, sequential.mixing_around(BASELINE))
    # What a look has found stays found; it is told when the week is over.
    found = [np.maximum.accumulate((e >= level) & looked, axis=1) for e in (for_go, for_no)]
    go, no, at = np.zeros(count, bool), np.zeros(count, bool), visitors[:, -1].copy()
    for test in range(count):
        for day in range(DAYS_MIN - 1, DAYS):
            if found[0][test, day]:
                go[test], at[test] = True, visitors[test, day]
            elif found[1][test, day]:
                no[test], at[test] = True, visitors[test, day]
            elif day >= complete[test]:
                n, s = int(visitors[test, complete[test]]), int(signups[test, complete[test]])
                decided = st.reading(n, BASELINE, TARGET, final_alpha(ALPHA))
                go[test], no[test] = 0 <= decided.wanted <= s, s <= decided.unwanted
                at[test] = visitors[test, day]
            else:
                continue
            break
    return go, no, at


def main() -> None:
    """Prints the table."""
    month = simulated(BASELINE)
    at_target = simulated(TARGET, seed=8)
    first_days = tuple(counts[:, :9] for counts in at_target)
    rows = [
        ("false GO, always-valid test, 28 looks at 5 %", share(sequential_rejects(*month, ALPHA))),
        ("false GO, ordinary test, 28 looks at 5 %", share(naive_rejects(*month, ALPHA))),
        ("false GO, the plan's whole rule at 5 %", share(whole_rule_false_go())),
        ("false difference of equal pages, 28 looks at 5 %", share(difference_rejects(BASELINE, ALPHA))),
        ("equal pages called unequal by the split check at 5 %", share(sample_ratio_alarms(700))),
        ("95 % credible interval holds the rate, 150 visitors", share(credible_covers(150))),
        ("95 % credible interval holds the rate, 700 visitors", share(credible_covers(700))),
        ("always-valid interval (2.5 % a side) holds at all 28 looks", share(always_covers(0.06, 0.025))),
        ("power of the planned test at the target (planned: 80 %)", share(planned_rejects(TARGET, alpha=ALPHA))),
        ("the same at the level left by the looks", share(planned_rejects(TARGET, alpha=final_alpha(ALPHA)))),
        (
            "GO at the target, looks alone at 1 %, 700 visitors",
            share(sequential_rejects(*at_target, looks_alpha(ALPHA))),
        ),
        (
            "the same, within the 225 planned visitors (9 days)",
            share(sequential_rejects(*first_days, looks_alpha(ALPHA))),
        ),
    ]
    print(f"{TESTS} simulated tests each, {PER_DAY} visitors a day, baseline {BASELINE:.0%}, target {TARGET:.0%}")
    for name, found in rows:
        print(f"{name:62} {found}")
    print("the plan's whole rule, stopped at its first decision: true rate, GO, NO_GO, mean visitors")
    for rate in (0.04, 0.06, 0.08, 0.12):
        go, no, at = outcomes(rate)
        print(f"  {rate:4.0%}  {np.mean(go):6.1%}  {np.mean(no):6.1%}  {np.mean(at):5.0f}")
    need, alone = (st.exact_sample_size(BASELINE, TARGET, a) for a in (final_alpha(ALPHA), ALPHA))
    print(f"visitors planned: {need}; without the looks it would be {alone}")


if __name__ == "__main__":
    main()
