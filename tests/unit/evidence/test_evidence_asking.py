"""Which questions are put to a source: each once, and no more than its operator bears."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.v1 import common_pb2
from services.evidence.domain.asking import Question, questions, within
from tests.support.evidence_kit import query

PROBLEM, TIMING, PAY = (
    common_pb2.CLAIM_KIND_PROBLEM,
    common_pb2.CLAIM_KIND_TIMING,
    common_pb2.CLAIM_KIND_WILLINGNESS_TO_PAY,
)


def asked(*kinds: int) -> list[Question]:
    """One question of each of these kinds, in order."""
    return [Question(f"k{n}", query(kind)) for n, kind in enumerate(kinds)]


def test_a_question_that_two_claims_share_is_put_once() -> None:
    """Its answer serves both."""
    one, other = query(PROBLEM), query(TIMING, claim_id="timing")
    (question,) = questions([("same", one), ("same", other)])
    assert question.query is one
    assert question.wanted == [one, other]


def test_each_kind_of_claim_has_its_turn() -> None:
    """Five questions on the problem do not crowd out the one on timing."""
    kept = within(asked(PROBLEM, PROBLEM, PROBLEM, PROBLEM, TIMING, PAY), 4)
    assert [q.key for q in kept] == ["k0", "k1", "k4", "k5"]


@given(st.lists(st.sampled_from([PROBLEM, TIMING, PAY]), max_size=12), st.integers(0, 14))
def test_the_bound_is_kept_and_used(kinds: list[int], limit: int) -> None:
    """As many as the limit allows, in their order, and no kind is left out while another has two."""
    all_of_them = asked(*kinds)
    kept = within(all_of_them, limit)
    assert len(kept) == min(limit, len(all_of_them))
    assert [q for q in all_of_them if q in kept] == kept
    counts = [sum(q.query.kind == kind for q in kept) for kind in set(kinds)]
    if counts and min(counts) == 0:
        assert max(counts) <= 1
