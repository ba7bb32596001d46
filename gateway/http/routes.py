"""The REST surface: protobuf's JSON mapping of the same requests and responses as gRPC.

POST /v1/runs                        CreateRunRequest     -> 201 CreateRunResponse
GET  /v1/runs?page_size=&page_token= ListRunsResponse
GET  /v1/runs/{run}                  GetRunResponse
POST /v1/runs/{run}:cancel           CancelRunResponse
GET  /v1/runs/{run}/events           server-sent events (Last-Event-ID or ?after=)
GET  /v1/runs/{run}/ws?after=        the same over a WebSocket
GET  /v1/runs/{run}/report           GetReportResponse
GET  /v1/runs/{run}/artifacts        ListArtifactsResponse
GET  /v1/runs/{run}/artifacts/{path} the file
POST /v1/batches                     CreateBatchRequest   -> 201 CreateBatchResponse
GET  /v1/batches/{batch}             GetBatchResponse
GET  /v1/batches/{batch}/events      server-sent events
GET  /healthz  /readyz
Campaigns: gateway/http/campaign_routes.py.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from urllib.parse import quote

from aiohttp import web
from google.protobuf.message import Message

from gateway.http import stream
from gateway.http.body import check_type, read_message
from gateway.http.errors import REQUEST_ID
from gateway.runs.rows import TERMINAL
from gateway.service import PipelineApi
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2, pipeline_pb2

# Made files are shown, but never run in the gateway's origin: what they contain comes from the outside.
FILE_POLICY = (
    "sandbox allow-scripts allow-forms; default-src 'none'; img-src 'self' data:; style-src 'self' 'unsafe-inline';"
    " script-src 'self' 'unsafe-inline'; font-src 'self' data:; form-action 'none'; base-uri 'none'"
)


class Routes:
    """Handlers over the gateway's calls."""

    def __init__(self, api: PipelineApi, ready: Callable[[], Awaitable[bool]]) -> None:
        self._api = api
        self._ready = ready

    def add_to(self, app: web.Application) -> None:
        """Register every route. Order matters where one pattern contains another."""
        app.add_routes(
            [
                web.post("/v1/runs", self.create_run),
                web.get("/v1/runs", self.list_runs),
                web.post("/v1/runs/{run}:cancel", self.cancel_run),
                web.get("/v1/runs/{run}", self.get_run),
                web.get("/v1/runs/{run}/events", self.events),
                web.get("/v1/runs/{run}/ws", self.websocket),
                web.get("/v1/runs/{run}/report", self.report),
                web.get("/v1/runs/{run}/artifacts", self.list_artifacts),
                web.get("/v1/runs/{run}/artifacts/{path:.+}", self.artifact),
                web.post("/v1/batches", self.create_batch),
                web.get("/v1/batches/{batch}", self.get_batch),
                web.get("/v1/batches/{batch}/events", self.batch_events),
                web.get("/healthz", self.healthz),
                web.get("/readyz", self.readyz),
            ]
        )

    async def create_run(self, request: web.Request) -> web.StreamResponse:
        body = await read_message(request, pipeline_pb2.CreateRunRequest())
        run = await self._api.create_run(body, request.headers.get("traceparent", ""))
        return _answer(pipeline_pb2.CreateRunResponse(run=run), 201, {"Location": f"/v1/{run.name}"})

    async def list_runs(self, request: web.Request) -> web.StreamResponse:
        size = page_size(request)
        runs, token = await self._api.list_runs(size, request.query.get("page_token", ""))
        return _answer(pipeline_pb2.ListRunsResponse(runs=runs, next_page_token=token))

    async def get_run(self, request: web.Request) -> web.StreamResponse:
        return _answer(pipeline_pb2.GetRunResponse(run=await self._api.get_run(_run(request))))

    async def cancel_run(self, request: web.Request) -> web.StreamResponse:
        if request.body_exists or not same_origin(request):
            check_type(request)
        return _answer(pipeline_pb2.CancelRunResponse(run=await self._api.cancel_run(_run(request))))

    async def report(self, request: web.Request) -> web.StreamResponse:
        return _answer(pipeline_pb2.GetReportResponse(report=await self._api.get_report(_run(request))))

    async def events(self, request: web.Request) -> web.StreamResponse:
        after = _after(request, request.headers.get("Last-Event-ID", ""))
        run = await self._api.get_run(_run(request))
        if run.state in TERMINAL and after >= run.last_sequence:
            # The end of an EventSource: anything else and it would connect again for ever.
            return web.Response(status=204)
        return await stream.sse(
            request,
            self._api.watch_run(run.name, after),
            lambda event: event.WhichOneof("payload"),
            lambda event: event.sequence,
        )

    async def websocket(self, request: web.Request) -> web.StreamResponse:
        _check_origin(request)
        if not web.WebSocketResponse().can_prepare(request):
            mend = "is missing: open this address as a WebSocket, or read .../events"
            raise PipelineError.invalid("upgrade", mend)
        after = _after(request, "")
        run = await self._api.get_run(_run(request))
        return await stream.websocket(request, self._api.watch_run(run.name, after))

    async def list_artifacts(self, request: web.Request) -> web.StreamResponse:
        size = page_size(request)
        found, token = await self._api.list_artifacts(_run(request), size, request.query.get("page_token", ""))
        return _answer(pipeline_pb2.ListArtifactsResponse(artifacts=found, next_page_token=token))

    async def artifact(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        artifact, chunks = await self._api.open_artifact(f"{_run(request)}/artifacts/{path}")
        name = quote(path.rsplit("/", 1)[-1])
        response = web.StreamResponse(
            headers={
                "Content-Type": artifact.media_type or "application/octet-stream",
                "Content-Security-Policy": FILE_POLICY,
                "Content-Disposition": f"inline; filename*=UTF-8''{name}",
                "X-Content-Type-Options": "nosniff",
                "X-Frame-Options": "DENY",
                "Referrer-Policy": "no-referrer",
                "Cache-Control": "private, max-age=60",
                "ETag": f'"{artifact.sha256}"',
                "X-Request-Id": request[REQUEST_ID],
            }
        )
        response.content_length = artifact.size_bytes
        async with aclosing(chunks) as content:  # type: ignore[type-var]
            # The digest is checked before the first chunk, so that an error still has a status of its own.
            first = await anext(content, b"")
            await response.prepare(request)
            with suppress(ConnectionResetError):
                await stream.write(request, response, first)
                async for chunk in content:
                    await stream.write(request, response, chunk)
        return response

    async def create_batch(self, request: web.Request) -> web.StreamResponse:
        body = await read_message(request, pipeline_pb2.CreateBatchRequest())
        batch = await self._api.create_batch(body, request.headers.get("traceparent", ""))
        location = {"Location": f"/v1/{batch.name}"}
        return _answer(pipeline_pb2.CreateBatchResponse(batch=batch), 201, location)

    async def get_batch(self, request: web.Request) -> web.StreamResponse:
        return _answer(pipeline_pb2.GetBatchResponse(batch=await self._api.get_batch(_batch(request))))

    async def batch_events(self, request: web.Request) -> web.StreamResponse:
        batch = await self._api.get_batch(_batch(request))
        ended = batch.state == pipeline_pb2.BATCH_STATE_ENDED
        if ended and request.headers.get("Last-Event-ID") == str(batch.runs_ended):
            return web.Response(status=204)
        return await stream.sse(
            request, self._api.watch_batch(batch.name), lambda _: "batch", lambda item: item.runs_ended
        )

    async def healthz(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"status": "alive"})

    async def readyz(self, request: web.Request) -> web.StreamResponse:
        if await self._ready():
            return web.json_response({"status": "ready"})
        raise PipelineError(
            errors_pb2.ERROR_REASON_STORAGE_UNAVAILABLE,
            "The gateway cannot take work now.",
            metadata={"store": "runs"},
            retry_after=2.0,
        )


def _answer(message: Message, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response(stream.to_dict(message), status=status, headers=headers)


def same_origin(request: web.Request) -> bool:
    """False for a call that a page of another origin made."""
    origin = request.headers.get("Origin", "")
    return not origin or origin.partition("://")[2] == request.host


def _check_origin(request: web.Request) -> None:
    """A WebSocket is not bound to its page's origin by the browser: check it here."""
    if not same_origin(request):
        raise PipelineError(
            errors_pb2.ERROR_REASON_PERMISSION_DENIED,
            "Pages of other origins may not open this stream.",
            metadata={"origin": request.headers.get("Origin", "")[:200]},
        )


def _run(request: web.Request) -> str:
    return f"runs/{request.match_info['run']}"


def _batch(request: web.Request) -> str:
    return f"batches/{request.match_info['batch']}"


def page_size(request: web.Request) -> int:
    """`?page_size=`; 0 without."""
    return _number(request, "page_size")


def _number(request: web.Request, field: str) -> int:
    text = request.query.get(field, "")
    if not text:
        return 0
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise PipelineError.invalid(field, f"is {text[:20]!r}; give a whole number from 0")
    return int(text)


def _after(request: web.Request, last_event_id: str) -> int:
    """The header wins over ?after=: a reconnecting EventSource repeats its first address."""
    if re.fullmatch(r"[0-9]{1,15}", last_event_id):
        return int(last_event_id)
    return _number(request, "after")
