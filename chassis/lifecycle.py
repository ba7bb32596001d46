"""One process, one server: from configuration to exit code. Every `__main__.py` is a call of `main`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn, TypeVar

from chassis.config import ConfigError, ServerConfig, load
from chassis.logs import configure_logging
from chassis.server import Server

C = TypeVar("C", bound=ServerConfig)

EXIT_WITH_PARENT = "PIPELINE_EXIT_WITH_PARENT"
"""Set to 1 by a supervisor: the server drains and ends when its parent does, however that ended."""

PARENT_POLL_SECONDS = 1.0

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_CONFIG = 2


async def run(server: Server, *, stop: asyncio.Event | None = None, announce: bool = False) -> None:
    """Serves until SIGINT, SIGTERM or `stop`, then drains; a second signal ends the waiting for calls in flight.

    `announce` writes one line "<name> serving on <address>" to stderr, for people and supervisors.
    """
    loop = asyncio.get_running_loop()
    asked = stop if stop is not None else asyncio.Event()
    impatient = asyncio.Event()

    def on_signal() -> None:
        if asked.is_set():
            impatient.set()
        asked.set()

    installed: list[signal.Signals] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        # Not on the main thread, or no signals here: the embedder stops the server itself.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, on_signal)
            installed.append(number)
    try:
        await server.start()
        if announce:
            print(f"{server.name} serving on {server.address}", file=sys.stderr, flush=True)  # noqa: T201
        watching = asyncio.create_task(_set_when_orphaned(asked)) if os.environ.get(EXIT_WITH_PARENT) == "1" else None
        await asked.wait()
        if watching is not None:
            watching.cancel()
        stopping = asyncio.create_task(server.stop())
        hurry = asyncio.create_task(impatient.wait())
        await asyncio.wait({stopping, hurry}, return_when=asyncio.FIRST_COMPLETED)
        if not stopping.done():
            server.hurry()
        hurry.cancel()
        await stopping
    except asyncio.CancelledError:
        await server.stop(0)
        raise
    finally:
        for number in installed:
            loop.remove_signal_handler(number)
        # Exporters flush here; off the loop, since a slow collector blocks.
        await asyncio.to_thread(server.telemetry.shutdown)


async def _set_when_orphaned(asked: asyncio.Event) -> None:
    """Set `asked` when the process that started this one is gone."""
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110 - nothing but polling tells that a parent is gone
        await asyncio.sleep(PARENT_POLL_SECONDS)
    asked.set()


def main(build: Callable[[C], Server], config_cls: type[C]) -> NoReturn:
    """Configuration -> build -> run -> exit: 0 after a drain, 2 for a wrong setting or a port in use, else 1."""
    try:
        config = load(config_cls)
        configure_logging(config.log_level, config.log_format)
        asyncio.run(run(build(config), announce=True))
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201
        sys.exit(EXIT_CONFIG)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(EXIT_OK)
