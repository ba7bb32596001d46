"""An upstream with weather: answers like the Hacker News search, after a seeded log-normal latency.

    python -m bench.simulator --port 0 --seed 7      prints the address on its first line

`GET /api/v1/search` answers with hits that repeat the query's words; `GET /stats` tells how many calls came. The
latency is log-normal with a median of 120 ms, clipped to 50-300 ms: what a public search API shows from afar.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import random
import sys

from aiohttp import web

LATENCY_MEDIAN_SECONDS = 0.120
LATENCY_SIGMA = 0.45
LATENCY_BOUNDS_SECONDS = (0.050, 0.300)
HITS = 10


class Simulator:
    """Counts calls and answers each after its own latency."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.calls = 0

    def latency(self) -> float:
        """Seconds until the next answer."""
        low, high = LATENCY_BOUNDS_SECONDS
        return min(max(self._random.lognormvariate(math.log(LATENCY_MEDIAN_SECONDS), LATENCY_SIGMA), low), high)

    async def search(self, request: web.Request) -> web.Response:
        """Ten stories about whatever was asked."""
        self.calls += 1
        await asyncio.sleep(self.latency())
        query = request.query.get("query", "")
        hits = [
            {
                "objectID": f"{abs(hash((query, index))) % 10**8}",
                "title": f"{query} in practice, part {index + 1}",
                "url": f"https://example.org/{index}",
                "author": f"author{index}",
                "points": 10 * index,
                "num_comments": index,
                "created_at": "2026-03-01T12:00:00Z",
                "story_text": f"We looked at {query} for a year. Part {index + 1} of the notes speaks of {query}.",
                "_tags": ["story"],
            }
            for index in range(HITS)
        ]
        return web.json_response({"hits": hits, "nbHits": HITS, "page": 0, "nbPages": 1, "hitsPerPage": HITS})

    async def stats(self, _: web.Request) -> web.Response:
        """Calls so far."""
        return web.json_response({"calls": self.calls})


async def serve(port: int, seed: int) -> None:
    """Answer until the process is ended."""
    simulator = Simulator(seed)
    app = web.Application()
    app.router.add_get("/api/v1/search", simulator.search)
    app.router.add_get("/stats", simulator.stats)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    host, bound = runner.addresses[0][:2]
    sys.stdout.write(f"http://{host}:{bound}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.port, arguments.seed))
