"""`python -m bench.replay --port 0 --seed 7 --faults 0.3`: prints its address on the first line and serves."""

from __future__ import annotations

import argparse
import asyncio
import sys

from bench.replay.server import ReplayServer


async def serve(port: int, seed: int, faults: float) -> None:
    """Answer until the process is ended."""
    replay = ReplayServer(seed=seed, faults=faults)
    sys.stdout.write(f"{await replay.start(port)}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.replay", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--faults", type=float, default=0.0, help="share of the calls that fail, 0 to 1")
    arguments = parser.parse_args()
    try:
        asyncio.run(serve(arguments.port, arguments.seed, arguments.faults))
    except KeyboardInterrupt:
        sys.exit(130)
