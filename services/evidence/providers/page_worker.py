"""Reading pages in a process of its own, which is killed when a page takes too long or too much memory.

Parsers of HTML and PDF have inputs that hold them up for minutes or crash them; a thread cannot be ended. The parent
talks to its worker over pipes: a length, a JSON head and the body one way, a length and JSON the other.
"""

from __future__ import annotations

import asyncio
import json
import os
import struct
import sys
from collections.abc import Awaitable
from datetime import datetime
from typing import Any, BinaryIO, Protocol, cast

from services.evidence.providers.extract import UnreadableError
from services.evidence.providers.page_text import PageText, read_page

# A page of half a megabyte takes 1.5 s of processor time, which a busy machine stretches by five.
SECONDS_MAX = 15.0
STARTING_SECONDS_MAX = 30.0
WORKERS_MAX = 2
# The parsers need a quarter of it for the largest ordinary page.
MEMORY_BYTES_MAX = 1536 * 1024 * 1024
# The text of a page in JSON, at most six bytes a character, and its few fields.
ANSWER_BYTES_MAX = 2 * 1024 * 1024
_HEAD = struct.Struct(">II")
_LENGTH = struct.Struct(">I")
_READY = b"R"


class Extractor(Protocol):
    """Turns bodies into text."""

    async def extract(self, media_type: str, charset: str, body: bytes, now: datetime) -> PageText:
        """Raises UnreadableError."""
        ...

    async def close(self) -> None: ...


class InlineExtractor:
    """In a thread of this process: for pages that are trusted to end."""

    async def extract(self, media_type: str, charset: str, body: bytes, now: datetime) -> PageText:
        return await asyncio.to_thread(read_page, media_type, charset, body, now)

    async def close(self) -> None:
        """Nothing to close."""


class ProcessExtractor:
    """At most `workers` processes, started when a page first needs one; `seconds` for one page."""

    def __init__(self, *, workers: int = WORKERS_MAX, seconds: float = SECONDS_MAX) -> None:
        if workers < 1 or not seconds > 0:
            raise ValueError("workers start at 1, seconds above 0")
        self._seconds = seconds
        self._free = asyncio.Semaphore(workers)
        self._idle: list[asyncio.subprocess.Process] = []
        self._all: set[asyncio.subprocess.Process] = set()
        self.killed = 0

    async def extract(self, media_type: str, charset: str, body: bytes, now: datetime) -> PageText:
        async with self._free:
            worker = self._idle.pop() if self._idle else await self._start()
            try:
                answer = await self._within(self._seconds, _ask(worker, media_type, charset, body, now))
            except BaseException:
                # Also where the caller left: what the worker would answer belongs to nobody.
                await self._kill(worker)
                raise
            self._idle.append(worker)
        if "unreadable" in answer:
            raise UnreadableError(str(answer["unreadable"]))
        published = answer["published_at"]
        return PageText(
            text=answer["text"],
            title=answer["title"],
            author=answer["author"],
            published_at=datetime.fromisoformat(published) if published else None,
            flags=tuple(answer["flags"]),
        )

    async def close(self) -> None:
        for worker in tuple(self._all):
            await self._kill(worker)
        self._idle.clear()

    async def _start(self) -> asyncio.subprocess.Process:
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "services.evidence.providers.page_worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            # Nothing of our settings, keys among them, reaches the process that reads foreign pages.
            env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PATH": os.environ.get("PATH", "")},
        )
        self._all.add(worker)
        try:
            await self._within(STARTING_SECONDS_MAX, cast(asyncio.StreamReader, worker.stdout).readexactly(1))
        except BaseException:
            await self._kill(worker)
            raise
        return worker

    async def _within(self, seconds: float, work: Awaitable[Any]) -> Any:
        try:
            async with asyncio.timeout(seconds):
                return await work
        except TimeoutError:
            raise UnreadableError(f"takes more than {seconds:g} s to read") from None
        except (asyncio.IncompleteReadError, ConnectionError, struct.error):
            raise UnreadableError("takes more memory to read than a page may, or breaks its reader") from None

    async def _kill(self, worker: asyncio.subprocess.Process) -> None:
        self.killed += 1
        self._all.discard(worker)
        if worker.returncode is None:
            worker.kill()
        await asyncio.shield(worker.wait())

    def __repr__(self) -> str:
        return f"<ProcessExtractor {len(self._all)} workers, {len(self._idle)} idle, {self.killed} killed>"


async def _ask(
    worker: asyncio.subprocess.Process, media_type: str, charset: str, body: bytes, now: datetime
) -> dict[str, Any]:
    stdin, stdout = cast(asyncio.StreamWriter, worker.stdin), cast(asyncio.StreamReader, worker.stdout)
    head = json.dumps({"media_type": media_type, "charset": charset, "now": now.isoformat()}).encode()
    stdin.write(_HEAD.pack(len(head), len(body)) + head + body)
    await stdin.drain()
    (length,) = _LENGTH.unpack(await stdout.readexactly(_LENGTH.size))
    if length > ANSWER_BYTES_MAX:
        # A worker that a page has taken over decides nothing here, the length of its answer included.
        raise UnreadableError("gave more text than is read of one page")
    answer: dict[str, Any] = json.loads(await stdout.readexactly(length))
    return answer


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answers requests until there are no more: the parent closed its end, or is gone."""
    while len(sizes := requests.read(_HEAD.size)) == _HEAD.size:
        head_length, body_length = _HEAD.unpack(sizes)
        head = json.loads(requests.read(head_length))
        answer = json.dumps(_answer(head, requests.read(body_length))).encode()
        answers.write(_LENGTH.pack(len(answer)) + answer)
        answers.flush()


def _answer(head: dict[str, str], body: bytes) -> dict[str, Any]:
    try:
        page = read_page(head["media_type"], head["charset"], body, datetime.fromisoformat(head["now"]))
    except UnreadableError as error:
        return {"unreadable": str(error)}
    except (MemoryError, RecursionError):
        return {"unreadable": "takes more memory to read than a page may"}
    except Exception:
        # A defect of a parser; its text may hold the page, which belongs in no log.
        return {"unreadable": "breaks its reader"}
    return {
        "text": page.text,
        "title": page.title,
        "author": page.author,
        "published_at": page.published_at.isoformat() if page.published_at else "",
        "flags": list(page.flags),
    }


def main() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import pypdf  # noqa: F401 - loaded before the first page counts its time
    import trafilatura  # noqa: F401

    answers = sys.stdout.buffer
    answers.write(_READY)
    answers.flush()
    # What a parser prints must not get between the answers.
    sys.stdout = sys.stderr
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
