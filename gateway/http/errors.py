"""Errors over REST: the JSON of errors.proto under the HTTP status that the reason stands for."""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable, Callable

from aiohttp import web

from chassis.logs import get_logger, set_request_id
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

_log = get_logger("gateway.http")

REQUEST_ID = web.RequestKey("request_id", str)
STARTED = web.RequestKey("started", bool)
REQUEST_ID_HEADER = "X-Request-Id"
_REQUEST_ID = re.compile(r"^[A-Za-z0-9._:-]{1,64}$")
# For every answer: no sniffing, no frame, no referrer. Pages that carry scripts of their own are sandboxed besides.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def not_found(path: str) -> PipelineError:
    """No such route."""
    return PipelineError(
        errors_pb2.ERROR_REASON_NOT_FOUND, "There is nothing at this address.", metadata={"path": path[:200]}
    )


def response_of(error: PipelineError) -> web.Response:
    """The answer that carries the error."""
    response = web.json_response(error.to_json(), status=error.http_status)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(max(round(error.retry_after), 1))
    return response


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever a handler raises into a typed answer, and give every call an id."""
    given = request.headers.get(REQUEST_ID_HEADER, "")
    request_id = given if _REQUEST_ID.match(given) else uuid.uuid4().hex
    request[REQUEST_ID] = request_id
    set_request_id(request_id)
    response: web.StreamResponse
    try:
        response = await handler(request)
    except PipelineError as error:
        error.request_id = error.request_id or request_id
        response = response_of(error)
    except web.HTTPException as error:
        typed = _of_http(request, error)
        typed.request_id = request_id
        response = response_of(typed)
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
    except ConnectionResetError:
        raise  # the reader left; there is nobody to answer
    except Exception as error:
        _log.exception("http_failed", path=request.path)
        if request.get(STARTED):
            # Half an answer is out: a second one behind it would read as part of the first.
            cut_off(request)
            raise ConnectionResetError("failed in mid-answer") from error
        response = response_of(
            PipelineError(
                errors_pb2.ERROR_REASON_INTERNAL,
                "Something went wrong here; the log has it under the request id.",
                request_id=request_id,
            )
        )
    if not response.prepared:
        response.headers[REQUEST_ID_HEADER] = request_id
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
    return response


def _of_http(request: web.Request, error: web.HTTPException) -> PipelineError:
    if error.status == 404:
        return not_found(request.path)
    if error.status == 405:
        allowed = error.headers.get("Allow", "").replace(",", ", ")
        typed = PipelineError.invalid("method", f"{request.method} is not taken here; use {allowed}")
    elif error.status == 413:
        mend = f"has more than {request.client_max_size} bytes; give fewer or smaller documents"
        typed = PipelineError.invalid("body", mend)
    else:
        typed = PipelineError.invalid("request", (error.reason or "cannot be used").lower())
    typed.http_status = error.status
    return typed


async def mark_started(request: web.BaseRequest, _: web.StreamResponse) -> None:
    """Signal handler: the head of an answer is about to go out."""
    request[STARTED] = True


def cut_off(request: web.BaseRequest) -> None:
    """End the connection at once: nothing more that is written to it would be read as meant."""
    if request.transport is not None:
        request.transport.abort()
