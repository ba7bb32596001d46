"""A run's events as server-sent events and over a WebSocket; a batch's states as server-sent events.

Both resume: an EventSource sends `Last-Event-ID` by itself, a WebSocket names `?after=`. A reader that is too slow
holds up nothing but itself: what it has not taken waits in the database.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from typing import Any, TypeVar

from aiohttp import WSCloseCode, web
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from chassis.logs import get_logger
from chassis.streaming import cancel_and_wait
from gateway.http.errors import HEADERS, REQUEST_ID, cut_off
from pipeline.errors import PipelineError
from pipeline.v1 import pipeline_pb2

T = TypeVar("T")

_log = get_logger("gateway.http")

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


async def write(
    request: web.Request, response: web.StreamResponse, data: bytes, stalled_seconds: float = STALLED_SECONDS
) -> None:
    """Write to a reader that takes it; one that does not is cut off. Raises ConnectionResetError when it is gone."""
    try:
        async with asyncio.timeout(stalled_seconds):
            await response.write(data)
    except TimeoutError:
        cut_off(request)
        raise ConnectionResetError("the reader takes nothing") from None


async def sse(
    request: web.Request,
    source: AsyncIterator[Message],
    name_of: Callable[[Any], str | None],
    id_of: Callable[[Any], int],
    stalled_seconds: float = STALLED_SECONDS,
) -> web.StreamResponse:
    """Write a stream of messages as server-sent events until it ends or its reader does."""

    async def send(text: str) -> None:
        await write(request, response, text.encode(), stalled_seconds)

    response = web.StreamResponse(
        headers={
            **HEADERS,
            "Content-Type": "text/event-stream; charset=utf-8",
            "X-Accel-Buffering": "no",
            "X-Request-Id": request[REQUEST_ID],
        }
    )
    async with aclosing(ticking(source)) as items:  # type: ignore[type-var]
        await response.prepare(request)
        with suppress(ConnectionResetError):
            try:
                await send(f"retry: {RETRY_MS}\n\n")
                async for item in items:
                    if item is None:
                        await send(": quiet\n\n")
                        continue
                    number = id_of(item)
                    head = f"id: {number}\n" if number else ""
                    await send(f"{head}event: {name_of(item)}\ndata: {_line(to_dict(item))}\n\n")
            except PipelineError as error:
                error.request_id = error.request_id or request[REQUEST_ID]
                await send(f"event: error\ndata: {_line(error.to_json())}\n\n")
    return response


async def websocket(
    request: web.Request,
    source: AsyncIterator[pipeline_pb2.RunEvent],
    heartbeat: float = 20.0,
    stalled_seconds: float = STALLED_SECONDS,
) -> web.WebSocketResponse:
    """Send each event as a JSON text message; close with 1000 after the last one."""
    socket = web.WebSocketResponse(heartbeat=heartbeat, max_msg_size=1024)
    await socket.prepare(request)

    async def send() -> None:
        async with aclosing(source) as events:  # type: ignore[type-var]
            async for event in events:
                async with asyncio.timeout(stalled_seconds):
                    await socket.send_str(_line(to_dict(event)))

    sending = asyncio.create_task(send())
    listening = asyncio.create_task(_listen(socket))
    try:
        await asyncio.wait({sending, listening}, return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            error = sending.exception()
            if isinstance(error, PipelineError):
                error.request_id = error.request_id or request[REQUEST_ID]
                with suppress(ConnectionResetError, TimeoutError):
                    async with asyncio.timeout(stalled_seconds):
                        await socket.send_str(_line(error.to_json()))
                await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=error.reason_name.encode()[:100])
            elif isinstance(error, TimeoutError):
                # A close frame would wait behind all that the reader does not take.
                cut_off(request)
            elif error is not None and not isinstance(error, ConnectionResetError):
                _log.error("websocket_failed", path=request.path, exc_info=error)
                await socket.close(code=WSCloseCode.INTERNAL_ERROR)
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
