"""Clock, usage counters, logging, fakes and the network guard."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import socket

import numpy as np
import pytest

from chassis.clock import SystemClock
from chassis.logs import configure_logging, get_logger, redact
from chassis.testing import FakeEmbedder, ManualClock, NetworkBlockedError, NetworkGuard, settle
from chassis.usage import current_usage, record_usage


async def test_a_manual_clock_wakes_sleepers_in_order_of_their_time() -> None:
    """tick moves from sleeper to sleeper, so that those that sleep again wake again in time."""
    clock = ManualClock()
    log: list[tuple[str, float]] = []

    async def every(name: str, seconds: float) -> None:
        while True:
            await clock.sleep(seconds)
            log.append((name, clock.monotonic()))

    tasks = [asyncio.create_task(every("a", 2)), asyncio.create_task(every("b", 3))]
    await clock.tick(6)
    assert sorted(log, key=lambda entry: entry[1]) == log
    assert [moment for name, moment in log if name == "a"] == [2, 4, 6]
    assert [moment for name, moment in log if name == "b"] == [3, 6]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert clock.sleepers == 0
    assert (clock.now() - ManualClock().now()).total_seconds() == 6


async def test_the_system_clock_is_aware_and_monotonic() -> None:
    """now() has a zone; a sleep of nothing or less returns."""
    clock = SystemClock()
    before = clock.monotonic()
    await clock.sleep(-1)
    assert clock.now().tzinfo is not None
    assert clock.monotonic() >= before


async def test_overlapping_operations_count_as_parallel_once_each() -> None:
    """Two that overlap are two parallel operations; a third one alone is not parallel."""
    gates = [asyncio.Event() for _ in range(2)]

    async def operate(gate: asyncio.Event) -> None:
        async with current_usage().operation():
            await gate.wait()

    with record_usage() as usage:
        tasks = [asyncio.create_task(operate(gate)) for gate in gates]
        await settle()
        for gate in gates:
            gate.set()
        await asyncio.gather(*tasks)
        await operate(gates[0])
        current_usage().cache_hit()
        current_usage().call_saved(3)
    proto = usage.to_proto()
    assert (proto.operations, proto.parallel_operations) == (3, 2)
    assert (proto.cache_hits, proto.external_calls_saved) == (1, 3)
    current_usage().cache_hit()
    assert usage.cache_hits == 1


async def test_the_fake_embedder_is_deterministic_and_normalised() -> None:
    """Equal texts have equal unit vectors, shared words make texts similar, no words give zeros."""
    embedder = FakeEmbedder()
    rows = await embedder.embed(["Food waste app", "food waste APP", "food truck", "drone scan", "!!"])
    assert rows.shape == (5, 384)
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows[:4], axis=1), 1.0)
    assert np.array_equal(rows[0], rows[1])
    assert rows[0] @ rows[2] > rows[0] @ rows[3]
    assert not rows[4].any()


def test_the_guard_refuses_what_leaves_this_machine(guard: NetworkGuard) -> None:
    """Connections and DNS queries to the outside raise and are remembered; loopback is free."""
    with guard.expected() as seen:
        with pytest.raises(NetworkBlockedError, match=r"192\.0\.2\.1:80"):
            socket.create_connection(("192.0.2.1", 80), timeout=1)
        with pytest.raises(NetworkBlockedError, match=r"of example\.com"):
            socket.getaddrinfo("example.com", 80)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, pytest.raises(NetworkBlockedError):
            udp.sendto(b"x", ("192.0.2.1", 53))
    assert len(seen) == 3
    with socket.create_server(("127.0.0.1", 0)) as listener:
        socket.create_connection(listener.getsockname()).close()
    socket.getaddrinfo("192.0.2.1", 80)
    assert not guard.violations


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abcdefgh12345678",
        "https://user:pa55word@host/x",
        "api_key=abc123def",
        "sk-abcdefghijklmnop1234",
    ],
)
def test_credentials_are_redacted(text: str) -> None:
    """What looks like a credential does not stand in a log line."""
    clean = redact(text)
    assert "[redacted]" in clean
    for secret in ("abcdefgh12345678", "pa55word", "abc123def", "abcdefghijklmnop"):
        assert secret not in clean


def test_json_lines_carry_fields_and_no_secrets() -> None:
    """With the json format each event is one object with its fields; keys named like secrets are redacted."""
    stream = io.StringIO()
    logger = logging.getLogger("pipeline")
    level = logger.level
    try:
        configure_logging("info", "json", stream)
        log = get_logger("mvp", server="mvp")
        log.info("built", files=3, token="t0k3n", odd="\ud800 %s")
        log.debug("unseen")
        try:
            raise ValueError("password=hunter2")
        except ValueError:
            log.exception("failed")
    finally:
        root = logging.getLogger()
        for handler in [handler for handler in root.handlers if handler.get_name() == "pipeline"]:
            root.removeHandler(handler)
        logger.setLevel(level)
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (first["event"], first["files"], first["token"], first["odd"]) == ("built", 3, "[redacted]", "? %s")
    assert (first["logger"], first["level"], first["server"]) == ("pipeline.mvp", "info", "mvp")
    assert "ValueError" in second["exception"]
    assert "hunter2" not in stream.getvalue()
