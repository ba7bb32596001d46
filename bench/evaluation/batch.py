"""What a batch of related ideas saves in outside calls, against as many runs that know nothing of each other."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from bench.evaluation.harness import finish, pipeline, spec
from bench.evaluation.report import Row
from bench.replay.process import control, replayed, stats
from bench.replay.server import settings

TITLE = "Batch: outside calls of 20 related ideas, against 20 runs that know nothing of each other"
# One field, as a founder varies an idea: by audience, by form, by what it does about the problem.
IDEAS = tuple(
    f"{form} that helps {audience} waste less food by {means}"
    for form, audience, means in (
        ("A mobile app", "households", "tracking expiry dates"),
        ("A mobile app", "students", "tracking expiry dates"),
        ("A mobile app", "families", "tracking expiry dates"),
        ("A mobile app", "restaurants", "tracking expiry dates"),
        ("A mobile app", "households", "suggesting recipes"),
        ("A mobile app", "students", "suggesting recipes"),
        ("A mobile app", "families", "suggesting recipes"),
        ("A mobile app", "restaurants", "planning orders"),
        ("A web app", "households", "tracking expiry dates"),
        ("A web app", "canteens", "planning orders"),
        ("A web app", "supermarkets", "planning orders"),
        ("A web app", "hotels", "planning orders"),
        ("A smart label", "households", "tracking expiry dates"),
        ("A smart label", "supermarkets", "tracking expiry dates"),
        ("A marketplace", "supermarkets", "selling what is left"),
        ("A marketplace", "bakeries", "selling what is left"),
        ("A marketplace", "restaurants", "selling what is left"),
        ("A marketplace", "hotels", "selling what is left"),
        ("A subscription service", "households", "planning meals"),
        ("A subscription service", "families", "planning meals"),
    )
)
SAVED_MIN = 0.2  # a fifth: far above what chance overlaps give, and reached without any tuning to these sentences


def run(data: Path) -> list[Row]:
    """Return the rows; `data` is not needed: the replayed world makes its own."""
    del data
    return asyncio.run(_measure())


async def _measure() -> list[Row]:
    with replayed(seed=7) as address:
        control(address, latency=False)
        for idea in IDEAS:
            with tempfile.TemporaryDirectory() as folder:
                async with pipeline(Path(folder), settings(address)) as client:
                    await finish(client, spec(idea))
        apart = int(stats(address)["calls"])
        control(address, reset=True)
        with tempfile.TemporaryDirectory() as folder:
            async with pipeline(Path(folder), settings(address)) as client:
                batch = await client.create_batch([spec(idea) for idea in IDEAS])
                async for _ in client.watch_batch(batch.name):
                    pass
        together = int(stats(address)["calls"])
        control(address, reset=True)
        with tempfile.TemporaryDirectory() as folder:
            again = 0
            for _ in range(2):  # a founder who starts the program twice; the second start counts
                async with pipeline(Path(folder), {**settings(address), "cache_on_disk": True}) as client:
                    await finish(client, spec(IDEAS[0]))
                again = int(stats(address)["calls"])
                control(address, reset=True)
    saved = 1 - together / max(apart, 1)
    return [
        Row(
            f"outside calls that a batch of {len(IDEAS)} related ideas saves",
            saved,
            f">= {SAVED_MIN}",
            holds=saved >= SAVED_MIN,
            note=f"{together} calls together, {apart} in {len(IDEAS)} separate runs with empty caches, at the server",
        ),
        Row(
            "outside calls of the same idea in a second process",
            again,
            "= 0",
            "calls",
            again == 0,
            "answers are kept on disk; counted at the replay server",
        ),
    ]
