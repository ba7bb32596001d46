"""The one typed error that crosses every wire.

`PipelineError` <-> `google.rpc.Status` with `ErrorInfo`, `RequestInfo`, `BadRequest` and `RetryInfo` (shapes
and examples: protos/pipeline/v1/errors.proto), and <-> the JSON of the REST surface. gRPC itself is imported
only where it is needed, so that pure code can raise these errors cheaply.

Everything that leaves in trailers is bounded and made valid: gRPC turns 17,000 characters of details into
RESOURCE_EXHAUSTED, and a lone surrogate hangs the call until its deadline.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pipeline.v1 import errors_pb2
from pipeline.v1.errors_pb2 import ErrorReason

if TYPE_CHECKING:
    import grpc
    from google.rpc.status_pb2 import Status

DOMAIN = "pipeline.v1"
DETAILS_KEY = "grpc-status-details-bin"

# gRPC's default for all metadata together is 8 KiB, and the message travels twice (once percent-encoded).
DETAILS_BYTES_MAX = 3_500
MESSAGE_CHARS_MAX = 400
FIELD_CHARS_MAX = 100
DESCRIPTION_CHARS_MAX = 240
VIOLATIONS_MAX = 16
METADATA_ENTRIES_MAX = 16
METADATA_CHARS_MAX = 160
RETRY_AFTER_SECONDS_MAX = 86_400.0

_PREFIX = "ERROR_REASON_"

# reason -> (canonical code, HTTP status). HTTP follows Google's mapping where no narrower status exists.
_CODES: dict[ErrorReason.ValueType, tuple[str, int]] = {
    errors_pb2.ERROR_REASON_INVALID_FIELD: ("INVALID_ARGUMENT", 400),
    errors_pb2.ERROR_REASON_DOCUMENT_UNREADABLE: ("INVALID_ARGUMENT", 400),
    errors_pb2.ERROR_REASON_RUN_NOT_FOUND: ("NOT_FOUND", 404),
    errors_pb2.ERROR_REASON_BATCH_NOT_FOUND: ("NOT_FOUND", 404),
    errors_pb2.ERROR_REASON_ARTIFACT_NOT_FOUND: ("NOT_FOUND", 404),
    errors_pb2.ERROR_REASON_RUN_NOT_FINISHED: ("FAILED_PRECONDITION", 409),
    errors_pb2.ERROR_REASON_REQUEST_ID_REUSED: ("INVALID_ARGUMENT", 422),
    errors_pb2.ERROR_REASON_REQUEST_IN_FLIGHT: ("ABORTED", 409),
    errors_pb2.ERROR_REASON_BUDGET_EXHAUSTED: ("RESOURCE_EXHAUSTED", 402),
    errors_pb2.ERROR_REASON_OVERLOADED: ("RESOURCE_EXHAUSTED", 429),
    errors_pb2.ERROR_REASON_BREAKER_OPEN: ("UNAVAILABLE", 503),
    errors_pb2.ERROR_REASON_UPSTREAM_FAILED: ("UNAVAILABLE", 503),
    errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED: ("RESOURCE_EXHAUSTED", 429),
    errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED: ("DEADLINE_EXCEEDED", 504),
    errors_pb2.ERROR_REASON_DRAINING: ("UNAVAILABLE", 503),
    errors_pb2.ERROR_REASON_CANCELLED: ("CANCELLED", 499),
    errors_pb2.ERROR_REASON_RUN_ALREADY_ENDED: ("FAILED_PRECONDITION", 409),
    errors_pb2.ERROR_REASON_LEASE_LOST: ("ABORTED", 409),
    # RESOURCE_EXHAUSTED (413) where metadata names a limit, see `PipelineError.__init__`.
    errors_pb2.ERROR_REASON_ARTIFACT_REJECTED: ("DATA_LOSS", 500),
    errors_pb2.ERROR_REASON_STORAGE_FULL: ("RESOURCE_EXHAUSTED", 507),
    errors_pb2.ERROR_REASON_STORAGE_UNAVAILABLE: ("UNAVAILABLE", 503),
    errors_pb2.ERROR_REASON_UNAUTHENTICATED: ("UNAUTHENTICATED", 401),
    errors_pb2.ERROR_REASON_PERMISSION_DENIED: ("PERMISSION_DENIED", 403),
    errors_pb2.ERROR_REASON_INTERNAL: ("INTERNAL", 500),
    errors_pb2.ERROR_REASON_NOT_FOUND: ("NOT_FOUND", 404),
    errors_pb2.ERROR_REASON_CAMPAIGN_NOT_FOUND: ("NOT_FOUND", 404),
    errors_pb2.ERROR_REASON_CAMPAIGN_STATE: ("FAILED_PRECONDITION", 409),
}

# What a bare status without our details is taken for: a proxy, the transport, or a foreign server sent it.
_BARE: dict[str, ErrorReason.ValueType] = {
    "INVALID_ARGUMENT": errors_pb2.ERROR_REASON_INVALID_FIELD,
    "NOT_FOUND": errors_pb2.ERROR_REASON_NOT_FOUND,
    "UNAVAILABLE": errors_pb2.ERROR_REASON_UPSTREAM_FAILED,
    "DEADLINE_EXCEEDED": errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED,
    "CANCELLED": errors_pb2.ERROR_REASON_CANCELLED,
    "RESOURCE_EXHAUSTED": errors_pb2.ERROR_REASON_OVERLOADED,
    "UNAUTHENTICATED": errors_pb2.ERROR_REASON_UNAUTHENTICATED,
    "PERMISSION_DENIED": errors_pb2.ERROR_REASON_PERMISSION_DENIED,
}
_HTTP_OF_CODE: dict[str, int] = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


class FieldViolation(NamedTuple):
    """A field of the request that cannot be used: its path (`idea.text`), what is wrong and the mend."""

    field: str
    description: str


def safe_text(text: str, chars_max: int = MESSAGE_CHARS_MAX) -> str:
    """`text` without lone surrogates, control and bidi characters, cut to `chars_max` characters."""
    text = text[: chars_max * 4].encode("utf-8", "replace").decode("utf-8")
    text = _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
    return text if len(text) <= chars_max else text[: chars_max - 1] + "…"


class PipelineError(Exception):
    """A failure with a reason that programs can act on.

    `reason_name` is the reason without its prefix; it keeps the name of a reason that a newer server sent and
    this build does not know (`reason` is then ERROR_REASON_UNSPECIFIED), so that passing it on loses nothing.
    `retry_after` is in seconds, None where waiting does not help.
    """

    def __init__(
        self,
        reason: ErrorReason.ValueType,
        message: str,
        *,
        metadata: Mapping[str, str] | None = None,
        violations: Sequence[FieldViolation] = (),
        retry_after: float | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.metadata: dict[str, str] = dict(metadata or {})
        self.violations = tuple(FieldViolation(*violation) for violation in violations)
        self.retry_after = retry_after
        if retry_after is not None:
            self.retry_after = min(max(retry_after, 0.0), RETRY_AFTER_SECONDS_MAX)
        self.request_id = request_id
        self.reason_name = ErrorReason.Name(reason).removeprefix(_PREFIX)
        self._status, self.http_status = _CODES.get(reason, ("UNKNOWN", 500))
        if reason == errors_pb2.ERROR_REASON_ARTIFACT_REJECTED and "limit_bytes" in self.metadata:
            self._status, self.http_status = "RESOURCE_EXHAUSTED", 413

    def __repr__(self) -> str:
        return f"PipelineError({self.reason_name}, {self.message!r})"

    def __str__(self) -> str:
        fields = "; ".join(f"{violation.field} {violation.description}" for violation in self.violations)
        return f"{self.message}: {fields}" if fields and fields not in self.message else self.message

    @property
    def code(self) -> grpc.StatusCode:
        """The gRPC status code that this error travels under."""
        import grpc

        return grpc.StatusCode[self._status]

    @property
    def status_name(self) -> str:
        """Name of the status code (`INVALID_ARGUMENT`), without importing gRPC."""
        return self._status

    @classmethod
    def invalid(cls, field: str, description: str) -> PipelineError:
        """INVALID_FIELD with one violation."""
        return cls.invalid_fields([FieldViolation(field, description)])

    @classmethod
    def invalid_fields(cls, violations: Sequence[FieldViolation | tuple[str, str]]) -> PipelineError:
        """INVALID_FIELD; the message is the violations as one sentence. ValueError when there are none."""
        if not violations:
            raise ValueError("INVALID_FIELD needs at least one violation")
        named = [FieldViolation(*violation) for violation in violations]
        message = "; ".join(f"{violation.field} {violation.description}" for violation in named[:3])
        if len(named) > 3:
            message += f"; and {len(named) - 3} more"
        return cls(errors_pb2.ERROR_REASON_INVALID_FIELD, message, violations=named)

    def to_json(self) -> dict[str, object]:
        """The REST form (errors.proto): `{"error": {"code", "status", "reason", "message", ...}}`."""
        error: dict[str, object] = {
            "code": self.http_status,
            "status": self._status,
            "reason": self.reason_name,
            "message": safe_text(self.message),
            "metadata": {safe_text(key): safe_text(value) for key, value in self.metadata.items()},
            "request_id": self.request_id,
        }
        if self.retry_after is not None:
            error["retry_after_seconds"] = self.retry_after
        if self.violations:
            error["field_violations"] = [
                {
                    "field": safe_text(violation.field, FIELD_CHARS_MAX),
                    "description": safe_text(violation.description, DESCRIPTION_CHARS_MAX),
                }
                for violation in self.violations[:VIOLATIONS_MAX]
            ]
        return {"error": error}


def to_rpc_status(error: PipelineError) -> Status:
    """`error` as google.rpc.Status of at most DETAILS_BYTES_MAX bytes; what does not fit is dropped."""
    violations = list(error.violations[:VIOLATIONS_MAX])
    metadata = list(error.metadata.items())[:METADATA_ENTRIES_MAX]
    while True:
        status = _status(error, violations, metadata)
        if status.ByteSize() <= DETAILS_BYTES_MAX or not (violations or metadata):
            return status
        (violations if len(violations) > 1 or not metadata else metadata).pop()


def _status(error: PipelineError, violations: Iterable[FieldViolation], metadata: Iterable[tuple[str, str]]) -> Status:
    from google.rpc import error_details_pb2, status_pb2

    status = status_pb2.Status(code=error.code.value[0], message=safe_text(error.message))
    info = error_details_pb2.ErrorInfo(reason=error.reason_name, domain=DOMAIN)
    for key, value in metadata:
        info.metadata[safe_text(key, FIELD_CHARS_MAX)] = safe_text(value, METADATA_CHARS_MAX)
    status.details.add().Pack(info)
    if error.request_id:
        request = error_details_pb2.RequestInfo(request_id=safe_text(error.request_id, FIELD_CHARS_MAX))
        status.details.add().Pack(request)
    bad = error_details_pb2.BadRequest()
    for violation in violations:
        bad.field_violations.add(
            field=safe_text(violation.field, FIELD_CHARS_MAX),
            description=safe_text(violation.description, DESCRIPTION_CHARS_MAX),
        )
    if bad.field_violations:
        status.details.add().Pack(bad)
    if error.retry_after is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromNanoseconds(int(error.retry_after * 1e9))
        status.details.add().Pack(retry)
    return status


def to_status(error: PipelineError) -> grpc.Status:
    """`error` for `await context.abort_with_status(...)`."""
    from grpc_status import rpc_status

    status: grpc.Status = rpc_status.to_status(to_rpc_status(error))
    return status


def from_rpc_status(status: Status) -> PipelineError:
    """The typed error that a google.rpc.Status carries; a bare status is mapped by its code."""
    from google.rpc import error_details_pb2

    info = error_details_pb2.ErrorInfo()
    request = error_details_pb2.RequestInfo()
    bad = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    retry_after: float | None = None
    for detail in status.details:
        for message in (info, request, bad, retry):
            if detail.Is(message.DESCRIPTOR):
                detail.Unpack(message)
        if detail.Is(retry.DESCRIPTOR):
            retry_after = retry.retry_delay.ToNanoseconds() / 1e9
    code = _code_name(status.code)
    known = f"{_PREFIX}{info.reason}" in ErrorReason.keys()  # noqa: SIM118 - an enum wrapper, not a dict
    if info.domain == DOMAIN and known:
        reason = ErrorReason.Value(f"{_PREFIX}{info.reason}")
    else:
        reason = _bare_reason(code) if not info.reason else errors_pb2.ERROR_REASON_UNSPECIFIED
    error = PipelineError(
        reason,
        status.message,
        metadata=dict(info.metadata),
        violations=[FieldViolation(item.field, item.description) for item in bad.field_violations],
        retry_after=retry_after,
        request_id=request.request_id,
    )
    if info.reason:
        error.reason_name = info.reason
    # The code that was sent stands, whatever this build would have chosen.
    if code != error._status:
        error._status, error.http_status = code, _HTTP_OF_CODE.get(code, 500)
    return error


def _bare_reason(code: str) -> ErrorReason.ValueType:
    return _BARE.get(code, errors_pb2.ERROR_REASON_INTERNAL)


def _code_name(number: int) -> str:
    import grpc

    for code in grpc.StatusCode:
        if code.value[0] == number:
            return code.name
    return "UNKNOWN"


def from_rpc_error(error: grpc.RpcError) -> PipelineError:
    """The typed error behind a failed call, sync or asyncio; never raises.

    A status without our details (the transport's own UNAVAILABLE, say) keeps its code and text.
    """
    from google.protobuf.message import DecodeError
    from google.rpc import status_pb2

    code = error.code() if hasattr(error, "code") else None
    number: int = code.value[0] if code is not None else 2
    message = (error.details() if hasattr(error, "details") else None) or str(error)
    status = status_pb2.Status(code=number, message=safe_text(message))
    # grpcio's stubs declare a metadatum as something that cannot be unpacked.
    trailers: Any = error.trailing_metadata() if hasattr(error, "trailing_metadata") else None
    for key, value in trailers or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            try:
                carried = status_pb2.Status.FromString(value)
            except DecodeError:
                continue
            if carried.code == number:
                status = carried
    return from_rpc_status(status)
