"""Five hundred visitors over 64 connections, and the pages' server killed in the middle of them: the visitors' own log
and the store agree. `python -m bench.visitors` is the same at full size.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.visitors import Crowd, one_round, problems, told_of

VISITORS, CONNECTIONS = 500, 64
# Rarer than one run in a million; the bench looks as closely as a campaign's own reading does.
SAMPLE_RATIO_P_MIN = 1e-6


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_nothing_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    """Every visitor and address counts once, whoever sends a form twice or comes back; both pages get their half."""
    crowd, stored, took = await one_round(tmp_path, VISITORS, CONNECTIONS, seed=11, kill=False)
    found = problems(crowd, stored, killed=False, sample_ratio_p_min=SAMPLE_RATIO_P_MIN)
    assert found == [], told_of(crowd, stored, took)
    assert any(len(links) == 2 for visitor in crowd.visitors for links in visitor.links.values())
    assert any(len(visitor.links) == 2 for visitor in crowd.visitors)


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_what_was_answered_survives_kill_minus_nine(tmp_path: Path) -> None:
    """Of visits and addresses the store holds every one that was answered and none that was not sent."""
    crowd, stored, took = await one_round(tmp_path, VISITORS, CONNECTIONS, seed=12, kill=True)
    found = problems(crowd, stored, killed=True, sample_ratio_p_min=SAMPLE_RATIO_P_MIN)
    assert found == [], told_of(crowd, stored, took)
    assert crowd.broken, "nobody was waiting when the server was killed"
    assert answered_after_the_kill(crowd)


def answered_after_the_kill(crowd: Crowd) -> bool:
    """The last of the visitors came after the half that the kill waited for."""
    return bool(crowd.visitors[-1].variants)
