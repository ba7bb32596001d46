"""The budget: reserve, settle, release, and a cap that holds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chassis.budget import MAX_CAP_MICROS, Budget, Reservation, ReservationState, micros_from_usd
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2

SEARCH = common_pb2.BUDGET_CATEGORY_SEARCH
MODELS = common_pb2.BUDGET_CATEGORY_MODELS


def test_reserve_settle_release() -> None:
    """Reserving holds money, settling books what it cost, releasing gives it back."""
    budget = Budget(1_000)
    first = budget.reserve(SEARCH, 400, "run/evidence/1/brave", "brave: 3 searches")
    second = budget.reserve(MODELS, 300, "run/pitch/1/text", "deck text")
    assert (budget.spent_micros, budget.reserved_micros, budget.left_micros) == (0, 700, 300)
    budget.settle(first, 250)
    budget.release(second)
    status = budget.status()
    assert (status.cap_micros, status.spent_micros, status.reserved_micros) == (1_000, 250, 0)
    assert [(e.category, e.amount_micros, e.purpose, e.key) for e in status.entries] == [
        (SEARCH, 250, "brave: 3 searches", "run/evidence/1/brave")
    ]
    assert budget.state(second.key) is ReservationState.RELEASED


def test_settling_twice_books_once() -> None:
    """The same effect key books once, however often reserve and settle are repeated."""
    budget = Budget(1_000)
    for _ in range(3):
        reservation = budget.reserve(SEARCH, 400, "k", "search")
        budget.settle(reservation, 400)
    budget.release(reservation)
    assert (budget.spent_micros, budget.reserved_micros) == (400, 0)


def test_released_key_can_be_reserved_anew() -> None:
    """A step that was cancelled may be tried again under its key."""
    budget = Budget(1_000)
    budget.release(budget.reserve(SEARCH, 1_000, "k", "search"))
    budget.settle(budget.reserve(SEARCH, 600, "k", "search"), 600)
    assert budget.spent_micros == 600


def test_exhausted_budget_names_what_is_lacking() -> None:
    """A step above the rest is refused with category, need and rest; what fits still goes."""
    budget = Budget(1_000)
    budget.reserve(MODELS, 900, "a", "text")
    with pytest.raises(PipelineError) as caught:
        budget.reserve(SEARCH, 101, "b", "search")
    assert caught.value.reason == errors_pb2.ERROR_REASON_BUDGET_EXHAUSTED
    assert caught.value.metadata == {"category": "SEARCH", "needed_micros": "101", "left_micros": "100"}
    budget.reserve(SEARCH, 100, "b", "search")
    assert budget.left_micros == 0


def test_zero_budget_allows_what_is_free() -> None:
    """With a cap of 0 free steps pass and paid ones do not; there is nothing to alert about."""
    budget = Budget(0)
    budget.settle(budget.reserve(SEARCH, 0, "free", "free search"), 0)
    with pytest.raises(PipelineError):
        budget.reserve(SEARCH, 1, "paid", "search")
    assert budget.take_alerts() == []


def test_50_concurrent_calls_with_budget_for_10() -> None:
    """50 threads that reserve at once get ten reservations between them."""
    budget = Budget(10 * 50)

    def step(number: int) -> bool:
        try:
            budget.settle(budget.reserve(SEARCH, 50, f"step-{number}", "search"), 50)
        except PipelineError:
            return False
        return True

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(step, range(50))) == 10
    assert budget.spent_micros == budget.cap_micros


def test_alerts_once_each() -> None:
    """80, 95 and 100 % are reported once each, also where one step crosses several."""
    budget = Budget(1_000)
    budget.reserve(SEARCH, 799, "a", "")
    assert budget.take_alerts() == []
    budget.reserve(SEARCH, 1, "b", "")
    assert budget.take_alerts() == [80]
    assert budget.take_alerts() == []
    budget.reserve(SEARCH, 200, "c", "")
    assert budget.take_alerts() == [95, 100]
    budget.release(Reservation("c", SEARCH, 200, ""))
    budget.reserve(SEARCH, 200, "c", "")
    assert budget.take_alerts() == []


def test_cost_above_the_reservation_is_refused() -> None:
    """A step cannot settle for more than it reserved; the reservation stays held."""
    budget = Budget(1_000)
    reservation = budget.reserve(SEARCH, 100, "k", "search")
    with pytest.raises(PipelineError) as caught:
        budget.settle(reservation, 101)
    assert caught.value.violations[0].field == "budget.actual_micros"
    assert (budget.spent_micros, budget.reserved_micros) == (0, 100)


def test_unknown_foreign_and_released_keys_are_refused() -> None:
    """Keys that were never reserved, mean something else or were released do not book."""
    budget = Budget(1_000)
    held = budget.reserve(SEARCH, 100, "k", "search")
    for attempt in (
        lambda: budget.settle(Reservation("other", SEARCH, 1, ""), 1),
        lambda: budget.reserve(SEARCH, 101, "k", "search"),
        lambda: budget.reserve(MODELS, 100, "k", "search"),
        lambda: budget.reserve(SEARCH, 1, "", "search"),
    ):
        with pytest.raises(PipelineError) as caught:
            attempt()
        assert caught.value.violations[0].field == "budget.key"
    budget.release(held)
    with pytest.raises(PipelineError):
        budget.settle(held, 1)
    assert (budget.spent_micros, budget.reserved_micros) == (0, 0)


@pytest.mark.parametrize("amount", [-1, float("nan"), 1.5, True, "5"])
def test_nonsense_amounts_are_refused(amount: object) -> None:
    """Negative, NaN, fractional and other amounts are refused with their field."""
    budget = Budget(1_000)
    held = budget.reserve(SEARCH, 10, "k", "")
    for attempt in (
        lambda: Budget(amount),  # type: ignore[arg-type]
        lambda: budget.reserve(SEARCH, amount, "x", ""),  # type: ignore[arg-type]
        lambda: budget.settle(held, amount),  # type: ignore[arg-type]
    ):
        with pytest.raises(PipelineError) as caught:
            attempt()
        assert caught.value.reason == errors_pb2.ERROR_REASON_INVALID_FIELD
    with pytest.raises(PipelineError):
        Budget(MAX_CAP_MICROS + 1)


@pytest.mark.parametrize("usd", [-0.01, float("nan"), float("inf"), 1e12, True])
def test_nonsense_dollars_are_refused(usd: float) -> None:
    """USD that cannot be a budget are refused, naming the field given."""
    with pytest.raises(PipelineError) as caught:
        micros_from_usd(usd, "spec.budget_micros")
    assert caught.value.violations[0].field == "spec.budget_micros"
    assert (micros_from_usd(60), micros_from_usd(0.005), micros_from_usd(0)) == (60_000_000, 5_000, 0)


class BudgetMachine(RuleBasedStateMachine):
    """Any order of bookings, with repeats."""

    def __init__(self) -> None:
        super().__init__()
        self.budget = Budget(1_000)
        self.known: dict[str, Reservation] = {}
        self.settled: dict[str, int] = {}

    @rule(key=st.sampled_from("abcdef"), amount=st.integers(0, 700))
    def reserve(self, key: str, amount: int) -> None:
        left = self.budget.left_micros
        fresh = self.budget.state(key) in (None, ReservationState.RELEASED)
        try:
            self.known[key] = self.budget.reserve(SEARCH, amount, key, "")
            assert not fresh or amount <= left
        except PipelineError as error:
            if error.reason == errors_pb2.ERROR_REASON_BUDGET_EXHAUSTED:
                assert fresh
                assert amount > left

    @rule(key=st.sampled_from("abcdef"), actual=st.integers(0, 700))
    def settle(self, key: str, actual: int) -> None:
        if key in self.known:
            try:
                self.budget.settle(self.known[key], actual)
            except PipelineError:
                return
            self.settled.setdefault(key, actual)

    @rule(key=st.sampled_from("abcdef"))
    def release(self, key: str) -> None:
        if key in self.known:
            self.budget.release(self.known[key])

    @invariant()
    def cap_holds_and_books_agree(self) -> None:
        status = self.budget.status()
        assert 0 <= status.spent_micros + status.reserved_micros <= status.cap_micros
        assert sum(e.amount_micros for e in status.entries) == status.spent_micros + status.reserved_micros
        assert status.spent_micros == sum(self.settled.values())


TestBudgetMachine = BudgetMachine.TestCase
TestBudgetMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
