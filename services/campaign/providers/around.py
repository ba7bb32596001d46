"""What is put around a platform's API: connections, breaker, rate limit, time-outs, spans, typed refusals.

Only reads are retried here. A request with an effect leaves once; whether it is sent again is for the set-up to decide,
after it has looked whether the first one arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chassis.breaker import BreakerConfig, CircuitBreaker
from chassis.clock import Clock
from chassis.deadline import current_deadline
from chassis.http_answer import HttpResponse, parse_retry_after
from chassis.pool import HttpPool
from chassis.pool_errors import RETRY_AFTER_SECONDS_DEFAULT
from chassis.resilience import (
    Operation,
    RetryBudget,
    RetryPolicy,
    TokenBucket,
    guarded,
    rate_limited,
    refused_early,
    retried,
    traced,
)
from chassis.telemetry import Telemetry
from pipeline.errors import PipelineError, safe_text
from pipeline.v1 import errors_pb2
from services.campaign.providers.base import REQUEST_SECONDS_MAX, Terms

# Five failures in a row: a set-up makes a dozen requests, which fill no window.
BREAKER = BreakerConfig(mode="consecutive")
# Every refusal is read: platforms say in the body what is wrong, some even that they throttle.
_REFUSALS = range(400, 600)
# Of what a platform says about a refusal, so much is passed on.
REASON_CHARS_MAX = 200


@dataclass(frozen=True)
class Request:
    """One request to an API. `path` is appended to the client's address, unless it is an address itself."""

    method: str
    path: str
    params: Mapping[str, str | int | float] | None = None
    headers: Mapping[str, str] | None = None
    json_body: object | None = None
    body: bytes | None = None


# The error that a refusal (status 400 to 599) means, None to have `refusal` decide.
Refused = Callable[[HttpResponse], PipelineError | None]


class ApiClient:
    """A platform's API as its adapter calls it. Header values may hold secrets: none reaches a span, log or error.

    `refused` reads refusals in the platform's own way (its throttling, its words for what is wrong).
    """

    def __init__(
        self,
        name: str,
        url: str,
        pool: HttpPool,
        terms: Terms,
        *,
        telemetry: Telemetry,
        clock: Clock,
        refused: Refused | None = None,
    ) -> None:
        self.name = name
        self.url = url.rstrip("/")
        self.clock = clock
        self.breaker = CircuitBreaker(name, BREAKER, clock)
        self.refused = refused
        self._pool = pool
        self._seconds = min(terms.timeout_seconds, REQUEST_SECONDS_MAX)
        limiter = TokenBucket(terms.rate, terms.burst, clock, name=name)
        op: Operation[Request, HttpResponse] = guarded(self._once, self.breaker)
        op = traced(op, telemetry, name)
        op = rate_limited(op, limiter)
        self._send = refused_early(op, self.breaker)
        self._read = retried(self._send, RetryPolicy(), clock, budget=RetryBudget(), name=name)

    async def read(
        self,
        path: str,
        *,
        params: Mapping[str, str | int | float] | None = None,
        headers: Mapping[str, str] | None = None,
        method: str = "GET",
        json_body: object | None = None,
    ) -> Any:
        """JSON of a request that changes nothing (queries sent by POST among them): retried.

        Raises as `send`; an answer that is no JSON is UPSTREAM_FAILED with cause `malformed`.
        """
        return self.json(await self._read(Request(method, path, params, headers, json_body)))

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int | float] | None = None,
        headers: Mapping[str, str] | None = None,
        json_body: object | None = None,
        body: bytes | None = None,
    ) -> HttpResponse:
        """One request with an effect, sent once. `body` are bytes as they are, `json_body` what is written as JSON.

        Raises UPSTREAM_RATE_LIMITED (with the wait), UPSTREAM_FAILED (metadata `status` or `cause`),
        DEADLINE_EXCEEDED and BREAKER_OPEN. After DEADLINE_EXCEEDED, status 5xx and causes such as `disconnected` it is
        not known whether the effect happened.
        """
        return await self._send(Request(method, path, params, headers, json_body, body))

    def json(self, response: HttpResponse) -> Any:
        """The answer's JSON; UPSTREAM_FAILED with cause `malformed` where it is none."""
        try:
            return response.json()
        except ValueError as error:
            raise self.failed("sent no JSON", cause="malformed") from error

    def failed(self, what: str, *, cause: str, status: int = 0) -> PipelineError:
        """UPSTREAM_FAILED; `what` completes "netlify ..."."""
        metadata = {"upstream": self.name, "cause": cause, **({"status": str(status)} if status else {})}
        return PipelineError(errors_pb2.ERROR_REASON_UPSTREAM_FAILED, f"{self.name} {what}", metadata=metadata)

    async def _once(self, request: Request) -> HttpResponse:
        deadline = current_deadline()
        response = await self._pool.request(
            request.method,
            request.path if "://" in request.path else self.url + request.path,
            params=request.params,
            headers={"Accept": "application/json", **(request.headers or {})},
            json_body=request.json_body,
            body=request.body,
            timeout=self._seconds if deadline is None else deadline.shrink(self._seconds),
            answers=_REFUSALS,
        )
        if response.status < 400:
            return response
        own = self.refused(response) if self.refused is not None else None
        raise own or self.refusal(response)

    def refusal(self, response: HttpResponse, reason: str = "", retry_after: float | None = None) -> PipelineError:
        """What a status from 400 means. `reason`: the platform's words; `retry_after`: the wait that its body names."""
        status = response.status
        metadata = {"upstream": self.name, "status": str(status), "cause": "status"}
        wait = parse_retry_after(response.headers.get("retry-after"), self.clock.now())
        wait = retry_after if retry_after is not None else wait
        said = f": {safe_text(reason, REASON_CHARS_MAX)}" if reason else ""
        if status == 429:
            return PipelineError(
                errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED,
                f"{self.name} asks for fewer requests{said}",
                metadata=metadata,
                retry_after=RETRY_AFTER_SECONDS_DEFAULT if wait is None else wait,
            )
        if status in (401, 403):
            what = f"refused the credentials ({status}){said}; check its token and what the token may do"
        else:
            what = f"answered {status}{said}"
        return PipelineError(
            errors_pb2.ERROR_REASON_UPSTREAM_FAILED, f"{self.name} {what}", metadata=metadata, retry_after=wait
        )

    def __repr__(self) -> str:
        return f"<ApiClient {self.name} {self.breaker.state}>"
