"""The REST side at its edges: every refusal in one form, readers that take nothing, a server that stops."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from chassis.calls import Calls
from chassis.testing import ManualClock
from gateway.http import errors, stream
from gateway.http.app import HttpSide
from gateway.testing import GatewayRig
from pipeline.v1 import pipeline_pb2

IDEA = {"text": "A tool that helps bakeries plan how much bread to bake"}
JSON = {"Content-Type": "application/json"}


class Served:
    """A REST side, its client, and the calls that say whether it drains."""

    def __init__(self, url: str, http: aiohttp.ClientSession, calls: Calls) -> None:
        self.url = url
        self.http = http
        self.calls = calls

    async def call(self, method: str, path: str, **kwargs: Any) -> tuple[int, Any]:
        async with self.http.request(method, self.url + path, **kwargs) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else None


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    calls = Calls("gateway", 64)

    async def ready() -> bool:
        return not calls.draining

    async with GatewayRig(tmp_path, ManualClock()) as rig:
        side = HttpSide("127.0.0.1:0")
        await side.start(rig.api, ready, calls.refuse_while_draining)
        async with aiohttp.ClientSession(trust_env=False) as http:
            yield Served(side.address, http, calls)
        await side.stop()


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "field", "mend"),
    [
        ("PUT", "/v1/runs", {"data": "{}", "headers": JSON}, 405, "method", "GET, HEAD, POST"),
        ("DELETE", f"/v1/runs/{'0' * 26}", {}, 405, "method", "GET"),
        ("POST", "/v1/runs", {"data": "{}", "headers": {"Content-Type": "text/plain"}}, 415, "content-type", "json"),
        ("POST", "/v1/runs", {"data": b"{", "headers": JSON | {"Content-Encoding": "gzip"}}, 415, "content-enc", ""),
        ("POST", "/v1/runs", {"data": '{"spec":', "headers": JSON}, 400, "body", "line 1, column 9"),
        ("POST", "/v1/runs", {"data": "", "headers": JSON}, 400, "body", "not JSON"),
        ("POST", "/v1/runs", {"data": b"\xff", "headers": JSON}, 400, "body", "UTF-8"),
        ("POST", "/v1/runs", {"json": [1]}, 400, "body", "{ }"),
        ("POST", "/v1/runs", {"data": "null", "headers": JSON}, 400, "body", "{ }"),
        ("POST", "/v1/runs", {"json": {"spec": {"idea": {"txt": "x"}}}}, 400, "spec.idea.txt", "remove"),
        ("POST", "/v1/runs", {"data": '{"spec":{},"spec":{}}', "headers": JSON}, 400, "body", "duplicate key spec"),
        ("POST", "/v1/runs", {"json": {"spec": {"idea": IDEA, "mvp_type": "X"}}}, 400, "spec.mvp_type", "MVP_TYPE_PWA"),
        ("GET", f"/v1/runs/{'0' * 26}/ws", {}, 400, "upgrade", "WebSocket"),
        ("GET", "/v1/runs?page_size=abc", {}, 400, "page_size", "whole number"),
        ("GET", "/v1/runs?page_token=zzzz", {}, 400, "page_token", "next_page_token"),
    ],
)
async def test_refusals_have_one_form(
    served: Served, method: str, path: str, options: dict[str, Any], status: int, field: str, mend: str
) -> None:
    """Status and body agree, and the violation names the field and the mend."""
    got, body = await served.call(method, path, **options)
    assert got == status
    assert body["error"]["code"] == status
    assert body["error"]["request_id"]
    violation = body["error"]["field_violations"][0]
    assert violation["field"].startswith(field)
    assert mend in violation["description"]
    assert "Error:" not in body["error"]["message"], "no defect of ours in a message"


async def test_a_draining_server_takes_no_work_over_rest(served: Served) -> None:
    """While the gateway stops, REST refuses with 503 DRAINING and Retry-After; probes still answer."""
    served.calls.draining = True
    async with served.http.post(f"{served.url}/v1/runs", json={"spec": {"idea": IDEA}}) as answer:
        assert answer.status == 503
        assert answer.headers["Retry-After"]
        assert (await answer.json())["error"]["reason"] == "DRAINING"
    assert (await served.call("GET", "/healthz"))[0] == 200
    assert (await served.call("GET", "/readyz"))[0] == 503


async def test_an_ended_batch_ends_its_event_source(served: Served) -> None:
    """A browser that reconnects with the last number gets 204, which is how an EventSource is told to stop."""
    _, body = await served.call("POST", "/v1/batches", json={"specs": [{"idea": IDEA}]})
    url = f"{served.url}/v1/{body['batch']['name']}/events"
    async with served.http.get(url) as answer:
        last = [line for line in (await answer.text()).splitlines() if line.startswith("id: ")][-1]
    async with served.http.get(url, headers={"Last-Event-ID": last.removeprefix("id: ")}) as answer:
        assert answer.status == 204


class Source:
    """Large events without end; counts what was asked of it."""

    def __init__(self) -> None:
        self.given = 0
        self.closed = asyncio.Event()

    async def events(self) -> AsyncIterator[pipeline_pb2.RunEvent]:
        try:
            while True:
                self.given += 1
                event = pipeline_pb2.RunEvent(sequence=self.given)
                event.phase_progress.progress.message = "x" * 100_000
                yield event
                await asyncio.sleep(0)
        finally:
            self.closed.set()


@asynccontextmanager
async def stalled_reader(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]], head: str
) -> AsyncIterator[socket.socket]:
    """A server with one handler, and a socket that has sent a request and reads nothing."""
    app = web.Application(middlewares=[errors.errors])
    app.on_response_prepare.append(errors.mark_started)
    app.router.add_get("/", handler)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    loop = asyncio.get_running_loop()
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.setblocking(False)
        await loop.sock_connect(reader, runner.addresses[0])
        await loop.sock_sendall(reader, f"GET / HTTP/1.1\r\nHost: localhost\r\n{head}\r\n".encode())
        yield reader
    await runner.cleanup()


async def rest_of(reader: socket.socket) -> bytes:
    """Everything that still arrives until the server ends the connection; TimeoutError when it does not."""
    loop = asyncio.get_running_loop()
    got = b""
    async with asyncio.timeout(5):
        with contextlib.suppress(ConnectionResetError):
            while chunk := await loop.sock_recv(reader, 1 << 20):
                got += chunk
    return got


UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


@pytest.mark.parametrize("kind", ["sse", "websocket"])
async def test_a_reader_that_takes_nothing_is_cut_off(kind: str) -> None:
    """What waits for a stalled reader is bounded; then its connection ends and its source is closed."""
    source = Source()

    async def handler(request: web.Request) -> web.StreamResponse:
        if kind == "websocket":
            return await stream.websocket(request, source.events(), stalled_seconds=0.2)
        return await stream.sse(request, source.events(), lambda _: "e", lambda event: event.sequence, 0.2)

    async with stalled_reader(handler, UPGRADE if kind == "websocket" else "") as reader:
        async with asyncio.timeout(5):
            await source.closed.wait()
        assert source.given < 200, "20 MB at the most, most of it in the kernel"
        await rest_of(reader)


async def test_a_failure_in_mid_answer_ends_the_connection() -> None:
    """A defect after the head went out sends no second answer behind the first half."""

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"half")
        raise RuntimeError("a defect")

    async with stalled_reader(handler, "") as reader:
        got = await rest_of(reader)
    assert got.count(b"HTTP/1.1") <= 1
    assert b"INTERNAL" not in got


async def test_the_text_of_a_defect_stays_in_the_log() -> None:
    """A handler that raises with a secret answers INTERNAL with a request id, and nothing of what it said."""

    async def handler(request: web.Request) -> web.StreamResponse:
        raise ValueError("password=hunter2 in /etc/app")

    async with stalled_reader(handler, "Connection: close\r\n") as reader:
        head, _, body = (await rest_of(reader)).partition(b"\r\n\r\n")
    assert b"500" in head.splitlines()[0]
    error = json.loads(body)["error"]
    assert (error["reason"], bool(error["request_id"])) == ("INTERNAL", True)
    assert b"hunter2" not in body
    assert b"/etc/app" not in body
