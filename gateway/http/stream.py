"""A run's events as server-sent events and over a WebSocket; a batch's states as server-sent events.

Both resume: an EventSource sends `Last-Event-ID` by itself, a WebSocket names `?after=`. A reader that is too slow
holds up nothing but itself: what it has not taken waits in the database.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from typing import Any, TypeVar

from aiohttp import WSCloseCode, web
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from chassis.streaming import cancel_and_wait
from gateway.http.errors import HEADERS, REQUEST_ID
from pipeline.errors import PipelineError
from pipeline.v1 import pipeline_pb2

T = TypeVar("T")

# A comment this often keeps proxies from closing a quiet stream.
QUIET_SECONDS = 15.0
# A reader that takes nothing for this long is let go; it comes back with its last number.
STALLED_SECONDS = 30.0
RETRY_MS = 1000


def to_dict(message: Message) -> dict[str, Any]:
    """Protobuf's JSON mapping, with the contract's own field names."""
    return MessageToDict(message, preserving_proto_field_name=True)


def _line(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


async def ticking(source: AsyncIterator[T], quiet_seconds: float = QUIET_SECONDS) -> AsyncIterator[T | None]:
    """The source's items, and None whenever it has been quiet for a while."""
    pending: asyncio.Future[T] | None = None
    try:
        while True:
            if pending is None:
                pending = asyncio.ensure_future(anext(source))
            await asyncio.wait((pending,), timeout=quiet_seconds)
            if not pending.done():
                yield None
                continue
            done, pending = pending, None
            try:
                item = done.result()
            except StopAsyncIteration:
                return
            yield item
    finally:
        if isinstance(pending, asyncio.Task):
            await cancel_and_wait([pending])
        with suppress(RuntimeError):
            await source.aclose()  # type: ignore[attr-defined]


async def sse(request: web.Request, source: AsyncIterator[Message], name_of: Any, id_of: Any) -> web.StreamResponse:
    """Write a stream of messages as server-sent events until it ends."""
    response = web.StreamResponse(
        headers={
            **HEADERS,
            "Content-Type": "text/event-stream; charset=utf-8",
            "X-Accel-Buffering": "no",
            "X-Request-Id": request[REQUEST_ID],
        }
    )
    async with aclosing(ticking(source)) as items:  # type: ignore[type-var]
        # The first item decides between a stream and an error: headers go out after it, unless it lets itself wait.
        await response.prepare(request)
        await _write(response, f"retry: {RETRY_MS}\n\n")
        try:
            async for item in items:
                if item is None:
                    await _write(response, ": quiet\n\n")
                    continue
                number = id_of(item)
                head = f"id: {number}\n" if number else ""
                await _write(response, f"{head}event: {name_of(item)}\ndata: {_line(to_dict(item))}\n\n")
        except PipelineError as error:
            await _write(response, f"event: error\ndata: {_line(error.to_json())}\n\n")
    with suppress(ConnectionResetError):
        await response.write_eof()
    return response


async def _write(response: web.StreamResponse, text: str) -> None:
    async with asyncio.timeout(STALLED_SECONDS):
        await response.write(text.encode())


async def websocket(
    request: web.Request, source: AsyncIterator[pipeline_pb2.RunEvent], heartbeat: float = 20.0
) -> web.WebSocketResponse:
    """Send each event as a JSON text message; close with 1000 after the last one."""
    socket = web.WebSocketResponse(heartbeat=heartbeat, max_msg_size=1024)
    await socket.prepare(request)

    async def send() -> None:
        async with aclosing(source) as events:  # type: ignore[type-var]
            async for event in events:
                async with asyncio.timeout(STALLED_SECONDS):
                    await socket.send_str(_line(to_dict(event)))

    sending = asyncio.create_task(send())
    listening = asyncio.create_task(_listen(socket))
    try:
        await asyncio.wait({sending, listening}, return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            error = sending.exception()
            if isinstance(error, PipelineError):
                with suppress(ConnectionResetError):
                    await socket.send_str(_line(error.to_json()))
                await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=error.reason_name.encode()[:100])
            elif isinstance(error, TimeoutError):
                await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"too slow: resume with after=")
            else:
                await socket.close(code=WSCloseCode.OK)
    finally:
        await cancel_and_wait([sending, listening])
        if not sending.cancelled():
            sending.exception()
    return socket


async def _listen(socket: web.WebSocketResponse) -> None:
    """Read what the peer sends, only to see it leave; the stream goes one way."""
    async for _ in socket:
        pass
