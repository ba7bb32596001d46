"""A spending cap: reserve before a paid call, settle after it, release when it did not happen.

Pure book-keeping in micros of USD (1 USD = 1,000,000). What is spent plus what is reserved never exceeds
the cap, also under threads. Every booking carries an effect key: the same key books once, however often a
step is repeated after a crash.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from enum import StrEnum

from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2, pipeline_pb2

MICROS = 1_000_000
# A million dollars: far above any run, far below where int64 sums could overflow.
MAX_CAP_MICROS = 1_000_000 * MICROS
# A run makes tens of paid calls; the bound keeps a runaway loop from filling memory.
MAX_ENTRIES = 10_000
ALERT_PERCENTS = (80, 95, 100)


class ReservationState(StrEnum):
    HELD = "held"
    SETTLED = "settled"
    RELEASED = "released"


@dataclass(frozen=True)
class Reservation:
    """Money kept for one step under way. `key` is the step's effect key."""

    key: str
    category: common_pb2.BudgetCategory.ValueType
    amount_micros: int
    purpose: str


@dataclass
class _Entry:
    reservation: Reservation
    state: ReservationState
    booked_micros: int  # reserved while held, actual once settled, 0 once released


def micros_from_usd(usd: float, field: str = "budget") -> int:
    """USD as micros; refuses NaN, infinity, negative and absurd amounts (PipelineError INVALID_FIELD)."""
    if isinstance(usd, bool) or not isinstance(usd, int | float) or not math.isfinite(usd):
        raise PipelineError.invalid(field, f"is {usd}; write an amount in USD, for example 60")
    if usd < 0:
        raise PipelineError.invalid(field, f"is {usd}; write 0 or more USD")
    if usd > MAX_CAP_MICROS / MICROS:
        raise PipelineError.invalid(field, f"is {usd}; write at most {MAX_CAP_MICROS // MICROS} USD")
    return round(usd * MICROS)


class Budget:
    """One run's ledger in memory."""

    def __init__(self, cap_micros: int) -> None:
        self.cap_micros = _checked(cap_micros, "budget.cap_micros")
        if self.cap_micros > MAX_CAP_MICROS:
            raise PipelineError.invalid("budget.cap_micros", f"is {cap_micros}; write at most {MAX_CAP_MICROS}")
        self._entries: dict[str, _Entry] = {}
        self._spent = 0
        self._reserved = 0
        self._alerted: set[int] = set()
        self._lock = threading.Lock()

    @property
    def spent_micros(self) -> int:
        return self._spent

    @property
    def reserved_micros(self) -> int:
        return self._reserved

    @property
    def left_micros(self) -> int:
        """What can still be reserved."""
        return self.cap_micros - self._spent - self._reserved

    def reserve(
        self, category: common_pb2.BudgetCategory.ValueType, amount_micros: int, key: str, purpose: str
    ) -> Reservation:
        """Keeps money for a step; give the highest price that it can have.

        The same key returns the same reservation and books nothing more (a released one is taken anew).
        Raises BUDGET_EXHAUSTED where the rest does not cover it, INVALID_FIELD for a negative amount or a
        key that was used for something else.
        """
        amount = _checked(amount_micros, "budget.amount_micros")
        if not key:
            raise PipelineError.invalid("budget.key", "is empty; give the step's effect key")
        wanted = Reservation(key, category, amount, purpose)
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and entry.state is not ReservationState.RELEASED:
                held = entry.reservation
                if (held.category, held.amount_micros) != (category, amount):
                    raise PipelineError.invalid("budget.key", f"{key!r} was reserved for something else")
                return held
            if amount > self.left_micros or (entry is None and len(self._entries) >= MAX_ENTRIES):
                raise self._exhausted(wanted)
            self._entries[key] = _Entry(wanted, ReservationState.HELD, amount)
            self._reserved += amount
            return wanted

    def settle(self, reservation: Reservation, actual_micros: int) -> None:
        """Books what the step did cost, at most what was reserved, and frees the rest.

        Settling again is ignored. A released reservation cannot be settled: its money may be gone.
        """
        actual = _checked(actual_micros, "budget.actual_micros")
        with self._lock:
            entry = self._known(reservation)
            if entry.state is ReservationState.SETTLED:
                return
            if entry.state is ReservationState.RELEASED:
                raise PipelineError.invalid("budget.key", f"{reservation.key!r} was released; reserve it anew")
            if actual > reservation.amount_micros:
                raise PipelineError.invalid(
                    "budget.actual_micros",
                    f"is {actual}, above the {reservation.amount_micros} reserved; reserve the highest price",
                )
            self._reserved -= reservation.amount_micros
            self._spent += actual
            entry.state, entry.booked_micros = ReservationState.SETTLED, actual

    def release(self, reservation: Reservation) -> None:
        """The step did not happen: frees its money. Ignored where it was settled or released before."""
        with self._lock:
            entry = self._known(reservation)
            if entry.state is ReservationState.HELD:
                self._reserved -= reservation.amount_micros
                entry.state, entry.booked_micros = ReservationState.RELEASED, 0

    def state(self, key: str) -> ReservationState | None:
        """How the step with this key stands; None when it never reserved."""
        entry = self._entries.get(key)
        return entry.state if entry else None

    def status(self) -> pipeline_pb2.BudgetStatus:
        """The ledger summed up; entries are what is held or spent, in the order of booking."""
        with self._lock:
            return pipeline_pb2.BudgetStatus(
                cap_micros=self.cap_micros,
                spent_micros=self._spent,
                reserved_micros=self._reserved,
                entries=[
                    common_pb2.Spend(
                        category=e.reservation.category,
                        amount_micros=e.booked_micros,
                        purpose=e.reservation.purpose,
                        key=e.reservation.key,
                    )
                    for e in self._entries.values()
                    if e.state is not ReservationState.RELEASED
                ],
            )

    def take_alerts(self) -> list[int]:
        """Percentages (80, 95, 100) that spent + reserved has reached since the last call; each once."""
        with self._lock:
            if self.cap_micros == 0:
                return []
            used = self._spent + self._reserved
            crossed = [p for p in ALERT_PERCENTS if p not in self._alerted and used * 100 >= self.cap_micros * p]
            self._alerted.update(crossed)
            return crossed

    def __repr__(self) -> str:
        return f"<Budget cap={self.cap_micros} spent={self._spent} reserved={self._reserved}>"

    def _known(self, reservation: Reservation) -> _Entry:
        entry = self._entries.get(reservation.key)
        if entry is None:
            raise PipelineError.invalid("budget.key", f"{reservation.key!r} was never reserved")
        return entry

    def _exhausted(self, wanted: Reservation) -> PipelineError:
        category = common_pb2.BudgetCategory.Name(wanted.category).removeprefix("BUDGET_CATEGORY_")
        return PipelineError(
            errors_pb2.ERROR_REASON_BUDGET_EXHAUSTED,
            f"{wanted.purpose or category.lower()} needs {wanted.amount_micros} micros of USD, "
            f"{self.left_micros} are left",
            metadata={
                "category": category,
                "needed_micros": str(wanted.amount_micros),
                "left_micros": str(self.left_micros),
            },
        )


def _checked(value: int, field: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise PipelineError.invalid(field, f"is {value!r}; write whole micros of USD")
    if value < 0:
        raise PipelineError.invalid(field, f"is {value}; write 0 or more")
    return value
