"""How long the event loop is held up while the local embedder computes hundreds of texts.

    python -m bench.evaluation.loop_lag

A probe asks for the next turn of the loop again and again and notes how long each takes; another sleeps for 5 ms at a
time and notes by how much it oversleeps (what a timer or a socket of the server would see). Once with the embedder as
it is (its own thread), once with the same computation in the loop, once with nothing to do. Compare within one run
only: the numbers are the machine's and its neighbours'.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chassis.models.embedding import MiniLmEmbedder

TICK_SECONDS = 0.005


@dataclass(frozen=True)
class Lag:
    """Milliseconds that timers came late, and how long the work took in all."""

    median: float
    p99: float
    highest: float
    seconds: float


async def lag_during(work: Callable[[], Awaitable[object]]) -> Lag:
    """The lag of the loop's timers while `work` runs."""
    late: list[float] = []
    done = asyncio.Event()

    async def probe() -> None:
        while not done.is_set():
            before = time.perf_counter()
            await asyncio.sleep(TICK_SECONDS)
            late.append(time.perf_counter() - before - TICK_SECONDS)

    probing = asyncio.create_task(probe())
    await asyncio.sleep(0)
    started = time.perf_counter()
    await work()
    seconds = time.perf_counter() - started
    done.set()
    await probing
    late.sort()
    at = [late[min(int(len(late) * share), len(late) - 1)] * 1_000 for share in (0.5, 0.99)]
    return Lag(at[0], at[1], late[-1] * 1_000, seconds)


def texts(count: int, mark: str) -> list[str]:
    """Sentences of about 25 words, none like another: no cache helps."""
    return [
        f"{mark} {n}: households in district {n} throw away {n % 90 + 10} kilograms of food a year because expiry "
        "dates pass unnoticed and nobody plans the meals of the week"
        for n in range(count)
    ]


async def measure(count: int) -> dict[str, Lag]:
    """Lag while idle, with the embedder's thread, and with the computation in the loop."""
    embedder = MiniLmEmbedder()
    await embedder.warm()
    threaded = await lag_during(lambda: embedder.embed(texts(count, "thread")))
    encoder = await embedder._loaded()

    async def in_the_loop() -> None:
        # In the embedder's own batches, with a turn of the loop between them: as kind as the loop can be treated.
        given = texts(count, "loop")
        for start in range(0, count, 16):
            encoder.encode(given[start : start + 16])
            await asyncio.sleep(0)

    inside = await lag_during(in_the_loop)
    idle = await lag_during(lambda: asyncio.sleep(1.0))
    await embedder.close()
    return {"idle": idle, "in its thread": threaded, "in the loop": inside}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=400, help="texts to embed")
    given = parser.parse_args()
    lags = asyncio.run(measure(given.texts))
    print(f"{given.texts} texts of about 25 words; lateness of a 5 ms timer in ms")
    print(f"{'':<14} {'median':>8} {'p99':>8} {'max':>8}   embedding took")
    for name, lag in lags.items():
        print(f"{name:<14} {lag.median:8.2f} {lag.p99:8.2f} {lag.highest:8.2f}   {lag.seconds:.2f} s")
    thread, loop = lags["in its thread"], lags["in the loop"]
    print(f"the loop is held up {loop.p99 / thread.p99:.0f} times as long without the thread (p99)")


if __name__ == "__main__":
    main()
