"""What is put around a provider: prices, quotas, freshness, the count of what a run asked, the story of its breaker."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chassis.breaker import BreakerConfig
from chassis.budget import Budget
from chassis.cache_file import CacheFile
from chassis.limits import Profile
from chassis.resilience import RetryPolicy
from chassis.telemetry import Telemetry
from chassis.testing import ManualClock, recording_telemetry, settle
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2
from services.evidence.providers.base import Terms
from services.evidence.providers.fake import FakeProvider
from services.evidence.providers.upstream import Tally, Upstream
from tests.support.evidence_kit import found, query

TERMS = Terms(rate=100, burst=100, ttl_seconds=3600)
PRICE = Terms(rate=100, burst=100, price_micros=5_000)
Q = query()


def upstream(
    *answers: Any, clock: ManualClock | None = None, telemetry: Telemetry | None = None, **more: Any
) -> Upstream:
    provider = FakeProvider(*(answers or ([found()],)), name="paper", offline=False)
    wanted = {"terms": TERMS, **more}
    return Upstream(provider, telemetry=telemetry or recording_telemetry(), clock=clock or ManualClock(), **wanted)


def failed(**metadata: str) -> PipelineError:
    return PipelineError(errors_pb2.ERROR_REASON_UPSTREAM_FAILED, "no", metadata=metadata)


def asked(subject: Upstream) -> int:
    assert isinstance(subject.provider, FakeProvider)
    return len(subject.provider.asked)


async def ask(
    subject: Upstream,
    tally: Tally,
    *,
    budget: Budget | None = None,
    profile: Profile | None = None,
    clock: ManualClock | None = None,
    about: Any = Q,
) -> Any:
    """The answer, or the error; the clock moves on until there is one."""
    operation = subject.operation(profile or Profile(), asyncio.Semaphore(5), tally, budget)
    task = asyncio.ensure_future(operation(about))
    while not task.done():
        await (clock.tick(0.5) if clock else settle())
    return task.exception() or task.result()


async def test_a_call_is_paid_from_the_runs_budget() -> None:
    """Each paid call books its price; an answer from the cache costs nothing."""
    subject, budget, tally = upstream(terms=PRICE), Budget(20_000), Tally()
    for _ in range(3):
        await ask(subject, tally, budget=budget)
    await ask(subject, tally, budget=budget, about=query(claim_id="other"))
    assert (budget.spent_micros, budget.reserved_micros, tally.spent_micros) == (10_000, 0, 10_000)
    assert (tally.calls, tally.cache_hits) == (2, 2)


async def test_bookings_carry_the_runs_effect_keys() -> None:
    """Each attempt has a key of its own that begins with what the caller gave."""
    subject, budget, tally = upstream(terms=PRICE), Budget(20_000), Tally()
    for number in range(2):
        operation = subject.operation(Profile(), asyncio.Semaphore(1), tally, budget, "runs/1/evidence/2")
        await operation(query(claim_id=str(number)))
    assert [entry.key for entry in budget.status().entries] == [
        "runs/1/evidence/2/paper/1",
        "runs/1/evidence/2/paper/2",
    ]


async def test_without_money_nothing_is_asked() -> None:
    """A budget that does not cover the price, or none at all, leaves the question out and says why."""
    for budget in (Budget(4_999), None):
        subject, tally = upstream(terms=PRICE), Tally()
        outcome = await ask(subject, tally, budget=budget)
        assert outcome.reason == errors_pb2.ERROR_REASON_BUDGET_EXHAUSTED
        assert (asked(subject), tally.left_out, tally.spent_micros) == (0, 1, 0)


@pytest.mark.parametrize(
    ("error", "spent"),
    [
        (failed(status="401", cause="status"), 0),
        (failed(cause="connect"), 0),
        (PipelineError(errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED, "slower"), 0),
        (failed(status="200", cause="malformed"), 5_000),
        (PipelineError(errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED, "late"), 5_000),
    ],
)
async def test_what_an_error_costs(error: PipelineError, spent: int) -> None:
    """A refusal of the operator is free; an answer that came to grief on the way may have been billed."""
    subject, budget, tally = upstream(error, terms=PRICE, retry=RetryPolicy(attempts=1)), Budget(20_000), Tally()
    assert await ask(subject, tally, budget=budget) is error
    assert (budget.spent_micros, budget.reserved_micros, tally.spent_micros) == (spent, 0, spent)


async def test_a_cancelled_call_leaves_no_money_reserved() -> None:
    """Whoever leaves during a paid call has paid it, and nothing stays reserved."""
    clock, budget = ManualClock(), Budget(20_000)

    class Hangs(FakeProvider):
        async def search(self, query: Any) -> Any:
            await asyncio.Event().wait()

    subject = Upstream(Hangs(offline=False), telemetry=recording_telemetry(), clock=clock, terms=PRICE)
    task = asyncio.ensure_future(subject.operation(Profile(), asyncio.Semaphore(1), Tally(), budget)(Q))
    await settle()
    task.cancel()
    await settle()
    assert (budget.spent_micros, budget.reserved_micros) == (5_000, 0)


async def test_another_runs_empty_purse_fails_nobody_else() -> None:
    """Two runs that ask the same at once share the call; when the first cannot pay, the second pays itself."""
    subject = upstream(terms=PRICE)
    poor, rich = Tally(), Tally()
    slots = asyncio.Semaphore(5)
    outcomes = await asyncio.gather(
        subject.operation(Profile(), slots, poor, Budget(0))(Q),
        subject.operation(Profile(), slots, rich, Budget(9_000))(Q),
        return_exceptions=True,
    )
    assert isinstance(outcomes[0], PipelineError)
    assert outcomes[1] == (found(),)
    assert (poor.spent_micros, rich.spent_micros) == (0, 5_000)


async def test_the_quota_of_a_day_holds_over_processes(tmp_path: Path) -> None:
    """Three calls a day are three calls, however many processes make them; the next day there are more."""
    clock = ManualClock()
    terms = Terms(rate=100, burst=100, calls_per_day=3)
    errors: list[PipelineError] = []
    calls = 0
    for number in range(5):
        store = CacheFile(tmp_path / "cache.db", clock=clock, patience_seconds=5)
        subject, tally = upstream(clock=clock, terms=terms, store=store), Tally()
        outcome = await ask(subject, tally, about=query(claim_id=str(number)), clock=clock)
        errors += [outcome] if isinstance(outcome, PipelineError) else []
        calls += tally.calls
        assert tally.left_out == int(isinstance(outcome, PipelineError))
        await store.close()
    assert calls == 3
    assert [error.reason for error in errors] == [errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED] * 2
    assert 86_000 < (errors[0].retry_after or 0) <= 86_400
    clock.advance(86_400)
    store = CacheFile(tmp_path / "cache.db", clock=clock, patience_seconds=5)
    assert await ask(upstream(clock=clock, terms=terms, store=store), Tally(), clock=clock) == (found(),)
    await store.close()


async def test_an_answer_outlives_its_process(tmp_path: Path) -> None:
    """The second process gets the first one's answer, as long as both terms and run allow."""
    clock, tallies = ManualClock(), []
    for pause, profile in ((0, Profile()), (1_000, Profile()), (0, Profile(cache_ttl=900)), (3_700, Profile())):
        clock.advance(pause)
        store = CacheFile(tmp_path / "cache.db", clock=clock, patience_seconds=5)
        tally = Tally()
        assert await ask(upstream(clock=clock, store=store), tally, profile=profile, clock=clock) == (found(),)
        await store.close()
        tallies.append((tally.calls, tally.cache_hits))
    assert tallies == [(1, 0), (0, 1), (1, 0), (1, 0)]


async def test_no_cache_means_neither_read_nor_written(tmp_path: Path) -> None:
    """A run without caching asks for itself and leaves nothing behind."""
    store = CacheFile(tmp_path / "cache.db", clock=ManualClock(), patience_seconds=5)
    subject, tally = upstream(store=store), Tally()
    for _ in range(2):
        await ask(subject, tally, profile=Profile(caching=False))
    assert (tally.calls, tally.cache_hits) == (2, 0)
    await store.flush()
    assert await store.totals() == {}
    await store.close()


async def test_private_sources_are_kept_nowhere(tmp_path: Path) -> None:
    """What belongs to one run reaches neither memory nor disk, whatever the profile says."""
    store = CacheFile(tmp_path / "cache.db", clock=ManualClock(), patience_seconds=5)
    subject = upstream(store=store, private=True)
    await ask(subject, Tally())
    assert subject.cache is None
    await store.flush()
    assert await store.totals() == {}
    await store.close()


async def test_the_runs_time_out_bounds_each_call() -> None:
    """`connection_timeout` ends a call before the operator's time-out does."""
    clock = ManualClock()

    class Hangs(FakeProvider):
        async def search(self, query: Any) -> Any:
            await asyncio.Event().wait()

    subject = Upstream(Hangs(offline=False), telemetry=recording_telemetry(), clock=clock, terms=TERMS)
    outcome = await ask(subject, Tally(), profile=Profile(connection_timeout=2), clock=clock)
    assert outcome.reason == errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED
    assert clock.monotonic() <= 2.5


def events(telemetry: Telemetry) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (span.name, event.name, dict(event.attributes or {})) for span in telemetry.spans() for event in span.events
    ]


async def test_the_trace_tells_what_the_breaker_did() -> None:
    """Opening is an event of the call that caused it; refusals and retries are events of the phase, without spans."""
    clock, telemetry = ManualClock(), recording_telemetry()
    subject = upstream(failed(status="503"), clock=clock, telemetry=telemetry, retry=RetryPolicy(attempts=2))
    tally = Tally()
    with telemetry.span("phase"):
        for number in range(5):
            await ask(subject, tally, about=query(claim_id=str(number)), clock=clock)
    told = events(telemetry)
    (opening,) = [event for event in told if event[1] == "breaker.transition"]
    assert opening[0] == "provider.call"
    assert opening[2]["pipeline.breaker"] == "paper"
    assert opening[2]["pipeline.breaker.cause"] == "5 failures in a row"
    assert opening[2]["pipeline.breaker.to"] == "open"
    assert opening[2]["pipeline.breaker.rest_s"] > 0
    refusals = [event for event in told if event[1] == "breaker.refusal"]
    assert refusals
    assert {event[0] for event in refusals} == {"phase"}
    retries = [event for event in told if event[1] == "retry"]
    assert len(retries) == tally.retries > 0
    assert all(event[2]["pipeline.retry.wait_s"] > 0 and event[2]["pipeline.provider"] == "paper" for event in retries)
    assert len([span for span in telemetry.spans() if span.name == "provider.call"]) == 5 == tally.calls
    assert tally.left_out > 0


async def test_the_end_of_the_retry_budget_is_told() -> None:
    """When retries are used up, the trace says so, and no more calls are made for it."""
    clock, telemetry = ManualClock(), recording_telemetry()
    never = BreakerConfig(mode="consecutive", failure_threshold=1_000)
    subject = upstream(failed(status="503"), clock=clock, telemetry=telemetry, breaker=never)
    tally = Tally()
    with telemetry.span("phase"):
        for number in range(12):
            await ask(subject, tally, about=query(claim_id=str(number)), clock=clock)
    causes = [event[2].get("pipeline.retry.cause") for event in events(telemetry) if event[1] == "retry.given_up"]
    assert "retry budget exhausted" in causes
    assert "attempts" in causes
    assert tally.calls <= 12 + 10 + 0.2 * 12


async def test_waiting_for_a_turn_does_not_look_like_a_slow_upstream() -> None:
    """Twenty quick calls of an upstream that may be asked every two seconds open no breaker."""
    clock = ManualClock()
    subject = upstream(clock=clock, terms=Terms(rate=0.5, burst=1))
    slots = asyncio.Semaphore(5)
    profile = Profile(caching=False)
    done: list[Any] = []
    for _ in range(5):
        tasks = [asyncio.ensure_future(subject.operation(profile, slots, Tally())(Q)) for _ in range(5)]
        while not all(task.done() for task in tasks):
            await clock.tick(0.5)
        done += [task.exception() for task in tasks]
    assert done == [None] * 25
    assert subject.breaker.history == ()
