"""What goes wrong at an upstream as typed errors, how long it wants to be left alone, and the rest that follows.

No sentence of an upstream is passed on, since an API may repeat a key in it. A provider with a `Rest` makes no call
before an upstream's wish to be left alone has passed.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from chassis.clock import Clock
from chassis.http_answer import RETRY_AFTER_SECONDS_MAX, HttpResponse, parse_retry_after
from chassis.pool_errors import RETRY_AFTER_SECONDS_DEFAULT
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2

# A year; an upstream that asks for more is taken at its word, not for ever.
REST_SECONDS_MAX = 366 * 86_400.0
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,60}")


# ------------------------------------------------------------------------------------ errors


def failed(provider: str, what: str, *, cause: str, status: int = 0) -> PipelineError:
    """UPSTREAM_FAILED; `what` completes the sentence that begins with the provider's name."""
    metadata = {"upstream": provider, "cause": cause}
    if status:
        metadata["status"] = str(status)
    return PipelineError(errors_pb2.ERROR_REASON_UPSTREAM_FAILED, f"{provider} {what}", metadata=metadata)


def malformed(provider: str, what: str) -> PipelineError:
    """UPSTREAM_FAILED for an answer that is not in the API's shape; `what` completes "wikipedia answered ..."."""
    return failed(provider, f"answered {what}", cause="malformed")


def refused(provider: str, response: HttpResponse, code: object = "", *, cause: str = "refused") -> PipelineError:
    """UPSTREAM_FAILED for an error that the API reports in its body; `cause` where it comes with HTTP 200.

    `code` is the API's own name for it ("internal_api_error_DBQueryError"); what is no such name is left out.
    """
    ok = 200 <= response.status < 300
    code = str(code) if _CODE.fullmatch(str(code)) else ""
    what = ("refused the request" if ok else f"answered {response.status}") + (f" ({code})" if code else "")
    error = failed(provider, what, cause=cause if ok else "status", status=response.status)
    if code:
        error.metadata["code"] = code
    return error


def refused_words(provider: str, status: int) -> PipelineError:
    """UPSTREAM_FAILED: the upstream cannot search for these words."""
    return failed(provider, "refused the search words", cause="refused", status=status)


def refused_key(provider: str, setting: str, status: int) -> PipelineError:
    """The upstream does not take our key: a person has to mend it, so that the message names the setting."""
    return failed(provider, f"refused the key; check {setting}", cause="status", status=status)


def limited(provider: str, seconds: float, status: int = 0, why: str = "asks for fewer calls") -> PipelineError:
    """UPSTREAM_RATE_LIMITED with the wait, capped as everywhere; the whole wait stands in the metadata."""
    metadata = {"upstream": provider}
    if status:
        metadata["status"] = str(status)
    if seconds > RETRY_AFTER_SECONDS_MAX:
        metadata["wait_seconds"] = f"{seconds:.0f}"
    return PipelineError(
        errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED,
        f"{provider} {why}",
        metadata=metadata,
        retry_after=min(max(seconds, 0.0), RETRY_AFTER_SECONDS_MAX),
    )


def throttled(
    provider: str, response: HttpResponse, clock: Clock, default: float = RETRY_AFTER_SECONDS_DEFAULT
) -> PipelineError:
    """UPSTREAM_RATE_LIMITED for a throttle that does not come as 429; `default` seconds where it names no time."""
    wait = wait_of(response, clock)
    return limited(provider, default if wait is None else wait, response.status)


def error_body(response: HttpResponse) -> dict[str, Any]:
    """The JSON object of a refusal; {} where it is none."""
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


# ------------------------------------------------------------------------------------ waits


def sent_at(response: HttpResponse, clock: Clock) -> datetime:
    """When the answer was sent by its own Date, so that a wrong clock here does no harm; else now."""
    try:
        sent = parsedate_to_datetime(response.headers.get("date", ""))
    except (ValueError, OverflowError):
        return clock.now()
    return sent.replace(tzinfo=UTC) if sent.tzinfo is None else sent


def wait_of(response: HttpResponse, clock: Clock) -> float | None:
    """Seconds of the answer's Retry-After; None where it names none.

    Seconds are taken whole, so that a rest of a day is kept; what callers are told is capped by `limited`.
    """
    said = response.headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit() and len(said) < 12:
        return float(said)
    return parse_retry_after(said, sent_at(response, clock))


class Rest:
    """Remembers until when an upstream wants to be left alone. One for each provider, kept as long as it."""

    def __init__(self, provider: str, clock: Clock) -> None:
        self._provider = provider
        self._clock = clock
        self._until = 0.0
        self._why = ""

    @property
    def seconds(self) -> float:
        """What is left of the rest; 0 when the upstream may be asked."""
        return max(self._until - self._clock.monotonic(), 0.0)

    def begin(self, seconds: float, why: str = "asks for fewer calls") -> None:
        """The upstream wants `seconds` without a call; a shorter wish does not end a longer one."""
        if not math.isfinite(seconds) or seconds <= 0:
            return
        until = self._clock.monotonic() + min(seconds, REST_SECONDS_MAX)
        if until > self._until:
            self._until, self._why = until, why

    def check(self) -> None:
        """Raises UPSTREAM_RATE_LIMITED while the rest lasts: no call goes out."""
        if (left := self.seconds) > 0:
            raise limited(self._provider, left, why=self._why)

    def __repr__(self) -> str:
        return f"<Rest {self._provider} {self.seconds:g} s>"
