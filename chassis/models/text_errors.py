"""What goes wrong at a text model, as the pipeline's one error. Bodies and messages of providers stay out.

They may quote the prompt or a part of the key. What is kept: the status, the provider's error code, and how long it
asks to be left alone.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from chassis.http_answer import RETRY_AFTER_SECONDS_MAX, parse_retry_after
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

# A 429 without Retry-After: providers count by the minute.
RETRY_AFTER_SECONDS_DEFAULT = 10.0
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,60}")


def output_mode_refused(error: Exception) -> bool:
    """Whether the server did not understand the request as it was written.

    That is 400 or 422; llama-cpp-python says 500, and names the field.
    """
    status = getattr(error, "status_code", 0)
    return status in (400, 422) or (status == 500 and "response_format" in str(getattr(error, "body", "")))


def translated(error: Exception, name: str, now: datetime | None = None) -> PipelineError:
    """The error that callers see. `now` is for a Retry-After that names a date."""
    from pydantic_ai.exceptions import ModelConnectionError, ModelHTTPError, ModelTimeoutError, UnexpectedModelBehavior

    if isinstance(error, ModelHTTPError):
        return _status(error.status_code, error.headers or {}, _code(error), name, now or datetime.now(UTC))
    if isinstance(error, ModelTimeoutError):
        return PipelineError(
            errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED, f"{name} did not answer in time", metadata={"upstream": name}
        )
    if isinstance(error, ModelConnectionError):
        return failed(name, "cannot be reached or broke off its answer", cause="connect")
    if isinstance(error, UnexpectedModelBehavior):
        return failed(name, "sent no answer that can be read", cause="malformed")
    status = getattr(error.__cause__, "status_code", 0)
    if 300 <= status < 400:
        return failed(
            name, f"leads to another address ({status}); set PIPELINE_TEXT_MODEL_URL to that", cause="redirect"
        )
    return failed(name, f"failed ({type(error).__name__})", cause="error")


def failed(name: str, what: str, *, cause: str, status: int = 0, retry_after: float | None = None) -> PipelineError:
    """UPSTREAM_FAILED of the model `name`."""
    metadata = {"upstream": name, "cause": cause} | ({"status": str(status)} if status else {})
    return PipelineError(
        errors_pb2.ERROR_REASON_UPSTREAM_FAILED, f"{name} {what}", metadata=metadata, retry_after=retry_after
    )


def _status(status: int, headers: dict[str, str], code: str, name: str, now: datetime) -> PipelineError:
    known = f", {code}" if code else ""
    wait = _wait(headers, now)
    match status:
        case 429 if code in ("insufficient_quota", "billing_error"):
            return failed(name, f"has no credit left (429{known})", cause="status", status=status)
        case 429:
            return PipelineError(
                errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED,
                f"{name} asks for fewer calls",
                metadata={"upstream": name, "status": "429"},
                retry_after=RETRY_AFTER_SECONDS_DEFAULT if wait is None else wait,
            )
        case 401 | 403:
            return failed(name, f"refused the key in PIPELINE_TEXT_MODEL_KEY ({status})", cause="status", status=status)
        case 404:
            return failed(name, "is not known at this address (404)", cause="status", status=status)
        case 529:
            return failed(name, "is overloaded (529)", cause="status", status=status, retry_after=wait)
        case _:
            return failed(name, f"answered {status}{known}", cause="status", status=status, retry_after=wait)


def _code(error: object) -> str:
    """The provider's word for the error, where it is a word."""
    for field in ("provider_error_code", "provider_error_type"):
        value = getattr(error, field, None)
        if isinstance(value, str) and _CODE.fullmatch(value):
            return value
    return ""


def _wait(headers: dict[str, str], now: datetime) -> float | None:
    """Seconds that the headers ask for: `retry-after-ms`, or `retry-after` in seconds or as an HTTP date."""
    exact = headers.get("retry-after-ms", "")
    if exact.isdigit():
        return min(int(exact) / 1_000, RETRY_AFTER_SECONDS_MAX)
    return parse_retry_after(headers.get("retry-after"), now)
