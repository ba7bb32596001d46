"""What goes wrong on the way to an HTTP upstream, as the one typed error."""

from __future__ import annotations

from typing import NoReturn

from chassis.clock import Clock
from chassis.http_answer import parse_retry_after
from chassis.safe_http import AddressRefusedError, UnknownHostError
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2
from pipeline.v1.errors_pb2 import ErrorReason

# What a 429 without Retry-After is taken to mean.
RETRY_AFTER_SECONDS_DEFAULT = 10.0


class OfflineError(PipelineError):
    """The pool is offline: nothing was resolved or connected. Says nothing about the upstream."""

    def __init__(self, upstream: str) -> None:
        super().__init__(
            errors_pb2.ERROR_REASON_UPSTREAM_FAILED,
            f"{upstream} was not asked: offline",
            metadata={"upstream": upstream, "offline": "true"},
        )


class Failures:
    """The errors of one upstream; each names it in its message and in its metadata."""

    def __init__(self, upstream: str, clock: Clock) -> None:
        self._upstream = upstream
        self._clock = clock

    def refuse(self, status: int, retry_after: str | None) -> NoReturn:
        """Raises what an answer that is no success means."""
        wait = parse_retry_after(retry_after, self._clock.now())
        if status == 429:
            raise PipelineError(
                errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED,
                f"{self._upstream} asks for fewer calls",
                metadata={"upstream": self._upstream, "status": "429"},
                retry_after=RETRY_AFTER_SECONDS_DEFAULT if wait is None else wait,
            )
        raise self.failed(f"answered {status}", cause="status", status=status, retry_after=wait)

    def broken(self, exc: Exception, started: bool) -> PipelineError:
        """What an exception of the transport means; `started`: the answer had begun."""
        import aiohttp

        if isinstance(exc, aiohttp.InvalidURL):
            return self.failed("has an address that cannot be used", cause="redirect")
        if started:
            return self.failed("broke off its answer", cause="truncated", interrupted="true")
        if isinstance(exc, aiohttp.ClientConnectorError):
            if isinstance(exc.os_error, AddressRefusedError):
                return self.failed("leads to an address that is not public", cause="address")
            if isinstance(exc.os_error, UnknownHostError):
                return self.failed("has no address", cause="unknown_host")
            return self.failed("cannot be reached", cause="connect")
        if isinstance(exc, aiohttp.ConnectionTimeoutError):
            return self.failed("did not take the connection in time", cause="connect")
        if isinstance(exc, aiohttp.ClientResponseError):
            return self.failed("sent headers that cannot be read", cause="malformed")
        return self.failed("closed the connection without an answer", cause="disconnected", interrupted="true")

    def failed(
        self, what: str, *, cause: str, status: int = 0, retry_after: float | None = None, **extra: str
    ) -> PipelineError:
        """UPSTREAM_FAILED with its cause; `what` completes "hackernews ..."."""
        metadata = {"upstream": self._upstream, "cause": cause, **extra}
        if status:
            metadata["status"] = str(status)
        reason: ErrorReason.ValueType = errors_pb2.ERROR_REASON_UPSTREAM_FAILED
        return PipelineError(reason, f"{self._upstream} {what}", metadata=metadata, retry_after=retry_after)

    def too_late(self, seconds: float) -> PipelineError:
        return PipelineError(
            errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED,
            f"{self._upstream} did not answer within {max(seconds, 0):g} s",
            metadata={"upstream": self._upstream},
        )

    def queue_full(self, limit: int) -> PipelineError:
        return PipelineError(
            errors_pb2.ERROR_REASON_OVERLOADED,
            f"{limit} calls wait for a connection to {self._upstream}",
            metadata={"upstream": self._upstream, "limit": str(limit)},
            retry_after=1.0,
        )

    def closed(self) -> PipelineError:
        return PipelineError(
            errors_pb2.ERROR_REASON_DRAINING, f"the pool of {self._upstream} is closed", retry_after=1.0
        )
