"""What a text model's call costs, from the price list that genai-prices ships with.

The list is the installed version's: nothing is fetched. A model that it does not know, and a server on this machine,
are booked with 0 and `note` says why, so that nobody takes the 0 for a price. Discounts for cached prompts are left
out: a booking is never too low.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

from chassis.budget import MICROS, Budget
from pipeline.v1 import common_pb2

# Tokens that providers add around a prompt (roles, tools): a few hundred at most.
_OVERHEAD_TOKENS = 1_000


class PriceList:
    """Prices of one model at one provider. `provider_url` where the server is not the provider's own."""

    def __init__(self, model: str, *, provider: str, provider_url: str = "", local: bool = False) -> None:
        self._model = model
        self._provider = {"provider_api_url": provider_url} if provider_url else {"provider_id": provider}
        self.note = ""
        if local:
            self.note = "the model runs on this machine"
        elif self._micros(1, 1) is None:
            self.note = f"genai-prices does not know the price of {model} there"

    def micros(self, input_tokens: int, output_tokens: int) -> int:
        """The price in micros of USD, rounded up; 0 where there is a `note`."""
        return 0 if self.note else self._micros(input_tokens, output_tokens) or 0

    def micros_max(self, prompt_bytes: int, output_tokens_max: int) -> int:
        """The highest price of one call: no prompt has more tokens than bytes."""
        return self.micros(prompt_bytes + _OVERHEAD_TOKENS, output_tokens_max)

    def _micros(self, input_tokens: int, output_tokens: int) -> int | None:
        from genai_prices import Usage, calc_price

        try:
            usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
            price = calc_price(usage, self._model, **self._provider)  # type: ignore[call-overload]
        except LookupError:
            return None
        micros: int = math.ceil(price.total_price * MICROS)
        return micros


class Bill:
    """What one request's answers have cost so far."""

    def __init__(self, reserved_micros: int) -> None:
        self.reserved_micros = reserved_micros
        self.micros = 0
        self.answered = False

    def add(self, micros: int) -> None:
        self.micros += micros
        self.answered = True


@contextmanager
def booked(budget: Budget, amount_micros: int, key: str, purpose: str) -> Iterator[Bill]:
    """Reserves before, settles what was answered, and releases where nothing was, whatever happens inside.

    Raises BUDGET_EXHAUSTED before anything is done. A provider that charges more than the most it may is booked
    with the whole reservation; `Bill.micros` keeps the true figure.
    """
    reservation = budget.reserve(common_pb2.BUDGET_CATEGORY_MODELS, amount_micros, key, purpose)
    bill = Bill(amount_micros)
    try:
        yield bill
    finally:
        if bill.answered:
            budget.settle(reservation, min(bill.micros, amount_micros))
        else:
            budget.release(reservation)
