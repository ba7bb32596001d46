"""What is put around a platform's API: connections, breaker, rate limit, time-outs, spans.

Only reads (GET) are repeated here. A request with an effect leaves once; whether it is sent again is for the set-up to
decide, after it has looked whether the first one arrived.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from chassis.breaker import BreakerConfig, CircuitBreaker
from chassis.clock import Clock
from chassis.deadline import current_deadline
from chassis.http_answer import HttpResponse
from chassis.pool import HttpPool, user_agent_for
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
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2
from services.campaign.providers.base import REQUEST_SECONDS_MAX, Terms

# Five failures in a row: a set-up makes a dozen requests, which fill no window.
BREAKER = BreakerConfig(mode="consecutive")


@dataclass(frozen=True)
class _Request:
    method: str
    url: str
    params: Mapping[str, str | int | float] | None
    headers: Mapping[str, str] | None
    json_body: object | None
    body: bytes | None
    timeout: float | None
    reuse_connections: bool | None
    answers: Collection[int]


class _UnwellError(PipelineError):
    """An answer with status 500 and above that the caller wants to read: the breaker is to hear of it."""

    def __init__(self, upstream: str, response: HttpResponse) -> None:
        super().__init__(
            errors_pb2.ERROR_REASON_UPSTREAM_FAILED,
            f"{upstream} answered {response.status}",
            metadata={"upstream": upstream, "cause": "status", "status": str(response.status)},
        )
        self.response = response


class PlatformPool(HttpPool):
    """Connections to one platform within its `terms`, with a breaker and a span around every request.

    Raises what `HttpPool.request` raises, and BREAKER_OPEN while the platform rests. Time for a request is the terms'
    time-out, or what is left of the deadline of the call being served. Header values never reach a span or an error.
    """

    def __init__(
        self,
        name: str,
        terms: Terms,
        *,
        telemetry: Telemetry,
        clock: Clock,
        offline: bool = False,
        contact: str = "",
        retry: RetryPolicy | None = None,
    ) -> None:
        super().__init__(
            name,
            limit=terms.concurrency,
            limit_per_host=terms.concurrency,
            total_timeout=min(terms.timeout_seconds, REQUEST_SECONDS_MAX),
            offline=offline,
            user_agent=user_agent_for(contact),
            clock=clock,
        )
        self.breaker = CircuitBreaker(name, BREAKER, clock)
        self._seconds = min(terms.timeout_seconds, REQUEST_SECONDS_MAX)
        op: Operation[_Request, HttpResponse] = guarded(self._leave, self.breaker)
        op = traced(op, telemetry, name)
        op = rate_limited(op, TokenBucket(terms.rate, terms.burst, clock, name=name))
        self._send: Operation[_Request, HttpResponse] = refused_early(op, self.breaker)
        self._read = retried(self._send, retry or RetryPolicy(), clock, budget=RetryBudget(), name=name)

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str | int | float] | None = None,
        headers: Mapping[str, str] | None = None,
        json_body: object | None = None,
        body: bytes | None = None,
        timeout: float | None = None,
        reuse_connections: bool | None = None,
        answers: Collection[int] = (),
    ) -> HttpResponse:
        """As `HttpPool.request`; a GET is repeated after what may pass, anything else leaves once."""
        asked = _Request(method, url, params, headers, json_body, body, timeout, reuse_connections, answers)
        try:
            return await (self._read if method == "GET" else self._send)(asked)
        except _UnwellError as error:
            return error.response

    async def _leave(self, asked: _Request) -> HttpResponse:
        deadline = current_deadline()
        seconds = self._seconds if asked.timeout is None else min(asked.timeout, self._seconds)
        if deadline is not None:
            seconds = deadline.shrink(seconds)
        response = await super().request(
            asked.method,
            asked.url,
            params=asked.params,
            headers=asked.headers,
            json_body=asked.json_body,
            body=asked.body,
            timeout=seconds,
            reuse_connections=asked.reuse_connections,
            answers=asked.answers,
        )
        if response.status >= 500:
            raise _UnwellError(self.name, response)
        return response
