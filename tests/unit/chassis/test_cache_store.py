"""The disk behind the caches: over processes, over faults, within its bounds."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.cache_file import PENDING_MAX, CacheFile
from chassis.cache_store import StoredCache, StoredVectors
from chassis.codecs import BytesCodec, JsonCodec, RecordsCodec, VectorCodec
from chassis.config import ServerConfig, load
from chassis.testing import FakeEmbedder, ManualClock, until
from chassis.usage import record_usage
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2


@asynccontextmanager
async def opened(path: Path, clock: ManualClock | None = None, **bounds: float) -> AsyncIterator[CacheFile]:
    """A cache file that is closed at the end, as a process does."""
    file = CacheFile(path, clock=clock or ManualClock(), **{"patience_seconds": 5, **bounds})  # type: ignore[arg-type]
    try:
        yield file
    finally:
        await file.close()


def answers(file: CacheFile, clock: ManualClock | None = None) -> StoredCache:
    return StoredCache("hackernews", file, JsonCodec(), ttl=3600, clock=clock or ManualClock())


def says(value: object, asked: list[object]) -> Callable[[], object]:
    async def compute() -> object:
        asked.append(value)
        return value

    return compute


async def test_a_second_process_asks_nobody(tmp_path: Path) -> None:
    """What one process asked for, the next one has: a hit that saves the call."""
    asked: list[object] = []
    async with opened(tmp_path / "cache.db") as file:
        await answers(file).get_or_compute("q", says("first", asked))
    async with opened(tmp_path / "cache.db") as file:
        cache = answers(file)
        with record_usage() as usage:
            assert await cache.get_or_compute("q", says("second", asked), saves_calls=1) == "first"
        measured = await cache.measure()
    assert asked == ["first"]
    assert (usage.cache_hits, usage.cache_misses, usage.external_calls_saved) == (1, 0, 1)
    assert (measured.stored_entries, measured.stored_bytes) == (1, len('"first"'))


async def test_age_counts_over_processes(tmp_path: Path) -> None:
    """A value read back is as old as it is, in memory too; one from the future is not served."""
    clock = ManualClock()
    async with opened(tmp_path / "cache.db", clock) as file:
        await answers(file, clock).set("q", "old", ttl=100)
    clock.advance(60)
    async with opened(tmp_path / "cache.db", clock) as file:
        cache = answers(file, clock)
        assert await cache.get("q", ttl=50) is None
        assert await cache.get("q") == "old"
        clock.advance(41)
        assert await cache.get("q") is None
    async with opened(tmp_path / "cache.db", ManualClock()) as file:
        clock_back = answers(file)
        await clock_back.set("future", 1)
        await file.flush()
    connection = sqlite3.connect(tmp_path / "cache.db")
    connection.execute("UPDATE entries SET stored = stored + 3600, expires = expires + 3600")
    connection.commit()
    connection.close()
    async with opened(tmp_path / "cache.db", ManualClock()) as file:
        assert await answers(file).get("future") is None


async def test_the_file_tells_nobody_what_was_asked(tmp_path: Path) -> None:
    """Keys are stored hashed, and nobody else may read the file."""
    async with opened(tmp_path / "cache.db") as file:
        await answers(file).set("my secret idea about soap", "an answer")
    for part in tmp_path.iterdir():
        assert b"secret idea" not in part.read_bytes()
    assert (tmp_path / "cache.db").stat().st_mode & 0o077 == 0


async def test_another_codec_or_space_sees_nothing(tmp_path: Path) -> None:
    """Equal keys of other caches and of other forms of the value are other entries."""
    async with opened(tmp_path / "cache.db") as file:
        await answers(file).set("q", "text")
        assert await StoredCache("wikipedia", file, JsonCodec()).get("q") is None
        assert await StoredCache("hackernews", file, BytesCodec()).get("q") is None
        assert await StoredCache("hackernews", file, JsonCodec()).get("q") == "text"


@pytest.mark.parametrize("content", [b"this is no database" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
async def test_a_damaged_file_is_done_without(tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """A file that is no database is left alone with one warning; clearing everything replaces it."""
    path = tmp_path / "cache.db"
    path.write_bytes(content)
    asked: list[object] = []
    async with opened(path) as file:
        cache = answers(file)
        with caplog.at_level(logging.WARNING):
            for key in "abc":
                assert await cache.get_or_compute(key, says(key, asked)) == key
        assert asked == ["a", "b", "c"]
        assert len([r for r in caplog.records if "is not used" in r.message]) == 1
        assert await cache.get("a") == "a"
        await file.clear()
        await cache.set("d", "d")
        await file.flush()
    async with opened(path) as file:
        assert await answers(file).get("d") == "d"


async def test_a_locked_file_costs_milliseconds(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """While another program holds the file, answers come from the upstream at once and nothing fails."""
    path = tmp_path / "cache.db"
    async with opened(path) as file:
        await answers(file).set("q", "stored")
    lock = sqlite3.connect(path, isolation_level=None)
    lock.execute("PRAGMA locking_mode = EXCLUSIVE")
    lock.execute("BEGIN EXCLUSIVE")
    asked: list[object] = []
    async with opened(path, patience_seconds=0.05) as file:
        cache = answers(file)
        begun = time.perf_counter()
        assert await cache.get_or_compute("first", says("asked", asked)) == "asked"
        opening = time.perf_counter() - begun
        begun = time.perf_counter()
        for number in range(20):
            await cache.get_or_compute(str(number), says(number, asked))
        resting = time.perf_counter() - begun
    lock.close()
    assert opening < 2.5
    assert resting < 0.5
    assert "is not used" in caplog.text
    assert len(asked) == 21


async def test_a_folder_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    """Where no file can be made, the cache works in memory; clearing says what is wrong."""
    (tmp_path / "file").write_text("not a folder")
    asked: list[object] = []
    async with opened(tmp_path / "file" / "cache.db") as file:
        cache = answers(file)
        assert await cache.get_or_compute("q", says(1, asked)) == 1
        assert await cache.get_or_compute("q", says(2, asked)) == 1
        await file.flush()


async def test_a_value_that_no_codec_takes_costs_nothing(tmp_path: Path) -> None:
    """A value that cannot be encoded is served from memory, and its neighbours are stored."""
    async with opened(tmp_path / "cache.db") as file:
        cache = answers(file)
        await cache.set("odd", {1, 2})
        await cache.set("even", [1, 2])
        assert await cache.get("odd") == {1, 2}
        assert (await cache.measure()).stored_entries == 1


async def test_the_file_is_bounded_by_bytes_and_entries(tmp_path: Path) -> None:
    """Past a bound the oldest go; the file on disk does not outgrow twice its bound."""
    clock = ManualClock()
    bytes_max = 4 * 1024 * 1024
    async with opened(tmp_path / "cache.db", clock, bytes_max=bytes_max, entries_max=500) as file:
        cache = StoredCache("pages", file, BytesCodec(), max_size=1, clock=clock)
        for number in range(2_000):
            await cache.set(str(number), b"x" * 20_000)
            clock.advance(1)
            if number % 50 == 0:
                await file.flush()
        measured = await cache.measure()
        assert 0 < measured.stored_entries <= 500
        assert measured.stored_bytes <= bytes_max * 1.05
        assert await cache.get("0") is None
        assert await cache.get("1999") == b"x" * 20_000
        await cache.set("huge", b"x" * bytes_max)
        await file.flush()
        assert (await cache.measure()).stored_bytes <= bytes_max * 1.05
    assert sum(part.stat().st_size for part in tmp_path.iterdir()) < 2 * bytes_max


async def test_waiting_writes_are_bounded(tmp_path: Path) -> None:
    """Writes that outrun the disk are dropped, not piled up."""
    async with opened(tmp_path / "cache.db") as file:
        for number in range(PENDING_MAX + 100):
            file.put("space", number.to_bytes(16), lambda: b"v", 60)
        assert file.dropped_writes >= 99
        await file.flush()
        assert (await file.totals())["space"].entries <= PENDING_MAX + 1


async def test_clear_forgets_writes_that_wait(tmp_path: Path) -> None:
    """What was put before a clear is not on disk after it; other spaces are."""
    async with opened(tmp_path / "cache.db") as file:
        one, two = answers(file), StoredCache("wikipedia", file, JsonCodec())
        for number in range(20):
            await one.set(str(number), number)
            await two.set(str(number), number)
        assert await one.clear() == 20
        await file.flush()
        assert {space: totals.entries for space, totals in (await file.totals()).items()} == {"wikipedia": 20}


async def test_processes_share_the_file(tmp_path: Path) -> None:
    """Four processes that write at once lose nothing and break nothing."""
    script = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from chassis.cache_file import CacheFile\n"
        "async def main():\n"
        "    file = CacheFile(Path(sys.argv[1]), patience_seconds=10)\n"
        "    for n in range(100):\n"
        "        file.put(sys.argv[2], n.to_bytes(16), lambda: b'v' * 500, 3600)\n"
        "        await file.get(sys.argv[2], n.to_bytes(16))\n"
        "    for _ in range(5):\n"
        "        assert await file.spend('quota', '2026-01-01', 1000) is True\n"
        "    await file.close()\n"
        "asyncio.run(main())\n"
    )
    path = tmp_path / "cache.db"
    async with opened(path) as file:
        await file.totals()
        processes = [
            await asyncio.create_subprocess_exec(
                sys.executable, "-c", script, str(path), f"p{n}", stderr=subprocess.PIPE
            )
            for n in range(4)
        ]
        for process in processes:
            _, errors = await process.communicate()
            assert process.returncode == 0, errors.decode()
        assert {space: totals.entries for space, totals in (await file.totals()).items()} == dict.fromkeys(
            ("p0", "p1", "p2", "p3"), 100
        )
        used = [await file.spend("quota", "2026-01-01", 22) for _ in range(3)]
    assert used == [True, True, False]


async def test_quotas_outlive_a_clear_and_end_with_the_day(tmp_path: Path) -> None:
    """Forgetting answers gives no new calls; a new day does."""
    async with opened(tmp_path / "cache.db") as file:
        assert [await file.spend("openalex", "2026-01-01", 2) for _ in range(3)] == [True, True, False]
        await file.clear()
        assert await file.spend("openalex", "2026-01-01", 2) is False
        assert await file.spend("openalex", "2026-01-02", 2) is True


async def test_the_loop_is_not_blocked_by_the_disk(tmp_path: Path) -> None:
    """While megabytes are written, the event loop goes on turning."""
    async with opened(tmp_path / "cache.db") as file:
        for number in range(200):
            file.put("pages", number.to_bytes(16), lambda: b"x" * 200_000, 60)
        turns = 0
        while file._writing is not None:
            await asyncio.sleep(0)
            turns += 1
        assert turns > 100


async def test_vectors_outlive_the_process(tmp_path: Path) -> None:
    """The second process embeds only what is new, and gets equal vectors."""
    first = FakeEmbedder()
    async with opened(tmp_path / "cache.db") as file:
        vectors = await StoredVectors(first, file).embed(["food waste", "no-shows", "food waste"])
    second = FakeEmbedder()
    async with opened(tmp_path / "cache.db") as file:
        kept = StoredVectors(second, file)
        with record_usage() as usage:
            again = await kept.embed(["food waste", "new", "no-shows"])
        measured = await kept.measure()
        assert await kept.clear() == 3
    assert second.texts_embedded == 1
    assert usage.cache_hits == 2
    assert measured.stored_entries == 3
    np.testing.assert_array_equal(again[[0, 2]], vectors[:2])


async def test_a_stored_cache_closes_with_a_typed_error(tmp_path: Path) -> None:
    """Who waits for a closing cache is told that the computation was cancelled."""
    async with opened(tmp_path / "cache.db") as file:
        cache, begun = answers(file), asyncio.Event()

        async def hangs() -> None:
            begun.set()
            await asyncio.Event().wait()

        caller = asyncio.create_task(cache.get_or_compute("k", hangs))
        await until(begun.is_set)
        await cache.close()
        with pytest.raises(PipelineError) as caught:
            await caller
    assert caught.value.reason == errors_pb2.ERROR_REASON_CANCELLED


def test_the_configuration_says_whether_there_is_a_file(tmp_path: Path) -> None:
    """No file with `cache_on_disk` false; otherwise one in the state folder that nothing has opened yet."""
    assert CacheFile.of(load(ServerConfig, state_dir=tmp_path, cache_on_disk=False)) is None
    file = CacheFile.of(load(ServerConfig, state_dir=tmp_path, cache_on_disk=True))
    assert file is not None
    assert file.path == tmp_path / "cache.db"
    assert list(tmp_path.iterdir()) == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(_JSON)
def test_json_round_trips(value: object) -> None:
    """Whatever JSON can say comes back equal."""
    assert JsonCodec().decode(JsonCodec().encode(value)) == value


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=8, max_size=8))
def test_vectors_round_trip(numbers: list[float]) -> None:
    """A vector comes back bit by bit; bytes of another length are refused."""
    codec = VectorCodec(8)
    vector = np.array(numbers, dtype=np.float32)
    data = codec.encode(vector)
    np.testing.assert_array_equal(codec.decode(data), vector)
    with pytest.raises(ValueError):
        codec.decode(data[:-1])


@dataclass(frozen=True)
class Part:
    raw: bytes
    at: datetime | None = None


@dataclass(frozen=True)
class Whole:
    parts: tuple[Part, ...]
    note: str = ""


def test_records_round_trip_within_one_another() -> None:
    """Dataclasses in dataclasses, bytes and times come back equal."""
    codec = RecordsCodec("page", [Whole, Part])
    whole = Whole((Part(b"\x00\xff"), Part(b"", datetime(2026, 1, 1, tzinfo=UTC))), "\ud800 half a character")
    assert codec.decode(codec.encode(whole)) == whole


@pytest.mark.parametrize("value", [[1], {"a": 1}, {1}, object(), Part])
def test_what_would_come_back_otherwise_is_refused(value: object) -> None:
    """A value that the codec could not give back equal is not stored."""
    with pytest.raises(TypeError):
        RecordsCodec("page", [Whole]).encode(value)


def test_other_fields_make_another_name() -> None:
    """Entries of a build with other fields are not read."""
    assert RecordsCodec("page", [Whole]).name != RecordsCodec("page", [Part]).name
