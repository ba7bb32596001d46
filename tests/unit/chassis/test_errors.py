"""The typed error: bounds, unknown reasons, bare statuses."""

from __future__ import annotations

import grpc
import grpc.aio
import pytest
from google.rpc import code_pb2, error_details_pb2, status_pb2
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import (
    DETAILS_BYTES_MAX,
    FieldViolation,
    PipelineError,
    from_rpc_error,
    from_rpc_status,
    safe_text,
    to_rpc_status,
)
from pipeline.v1 import errors_pb2

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=600)


def test_an_invalid_field_reads_as_a_sentence() -> None:
    """The message names the fields and what to do; long lists are counted."""
    error = PipelineError.invalid("idea.text", "has 9 characters; write at least 10")
    assert str(error) == "idea.text has 9 characters; write at least 10"
    assert error.violations == (FieldViolation("idea.text", "has 9 characters; write at least 10"),)
    assert (error.code, error.http_status) == (grpc.StatusCode.INVALID_ARGUMENT, 400)
    many = PipelineError.invalid_fields([(f"f{n}", "is wrong") for n in range(5)])
    assert many.message.endswith("; and 2 more")
    with pytest.raises(ValueError, match="at least one"):
        PipelineError.invalid_fields([])


def test_a_reason_of_a_newer_server_passes_through_unharmed() -> None:
    """A reason that this build does not know keeps its name, code and metadata on its way on."""
    status = status_pb2.Status(code=code_pb2.OUT_OF_RANGE, message="m")
    info = error_details_pb2.ErrorInfo(reason="FROM_THE_FUTURE", domain="pipeline.v1", metadata={"k": "v"})
    status.details.add().Pack(info)
    error = from_rpc_status(status)
    assert error.reason == errors_pb2.ERROR_REASON_UNSPECIFIED
    assert (error.reason_name, error.code) == ("FROM_THE_FUTURE", grpc.StatusCode.OUT_OF_RANGE)
    assert error.http_status == 400
    again = from_rpc_status(to_rpc_status(error))
    assert (again.reason_name, again.code, again.metadata) == (error.reason_name, error.code, {"k": "v"})


@pytest.mark.parametrize(
    ("code", "reason", "http"),
    [
        (grpc.StatusCode.UNAVAILABLE, errors_pb2.ERROR_REASON_UPSTREAM_FAILED, 503),
        (grpc.StatusCode.DEADLINE_EXCEEDED, errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED, 504),
        (grpc.StatusCode.CANCELLED, errors_pb2.ERROR_REASON_CANCELLED, 499),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, errors_pb2.ERROR_REASON_OVERLOADED, 429),
        (grpc.StatusCode.UNIMPLEMENTED, errors_pb2.ERROR_REASON_INTERNAL, 501),
        (grpc.StatusCode.UNKNOWN, errors_pb2.ERROR_REASON_INTERNAL, 500),
    ],
)
def test_a_bare_status_is_understood_by_its_code(
    code: grpc.StatusCode, reason: errors_pb2.ErrorReason.ValueType, http: int
) -> None:
    """What the transport or a foreign server says keeps its code and text."""
    bare = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details="went away")
    error = from_rpc_error(bare)
    assert (error.reason, error.code, error.message) == (reason, code, "went away")
    assert error.http_status == http


def test_garbage_in_the_trailers_is_ignored() -> None:
    """Details that are not a Status, or speak of another code, do not hide the error."""
    other = status_pb2.Status(code=code_pb2.ABORTED, message="other").SerializeToString()
    for value in (b"\xff\xfe garbage", other):
        trailers = grpc.aio.Metadata(("grpc-status-details-bin", value))
        error = from_rpc_error(
            grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), trailers, details="d")
        )
        assert (error.reason, error.message) == (errors_pb2.ERROR_REASON_UPSTREAM_FAILED, "d")


@given(
    message=ANY_TEXT,
    metadata=st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=30),
    violations=st.lists(st.tuples(ANY_TEXT, ANY_TEXT), max_size=40),
)
def test_details_are_always_small_and_valid(
    message: str, metadata: dict[str, str], violations: list[tuple[str, str]]
) -> None:
    """Whatever is put in, at most DETAILS_BYTES_MAX bytes of valid text come out."""
    error = PipelineError(errors_pb2.ERROR_REASON_INVALID_FIELD, message, metadata=metadata, violations=violations)
    status = to_rpc_status(error)
    assert status.ByteSize() <= DETAILS_BYTES_MAX
    back = from_rpc_status(status)
    assert back.reason == error.reason
    str(back.to_json()).encode()
    assert len(back.violations) <= len(violations)


def test_worst_case_details_keep_at_least_one_violation() -> None:
    """When everything is too much, the caller still learns of one field."""
    error = PipelineError(
        errors_pb2.ERROR_REASON_INVALID_FIELD,
        "😀" * 4_000,
        metadata={f"{'k' * 90}{n}": "😀" * 400 for n in range(40)},
        violations=[("😀" * 400, "😀" * 4_000)] * 40,
    )
    status = to_rpc_status(error)
    assert status.ByteSize() <= DETAILS_BYTES_MAX
    assert from_rpc_status(status).violations


def test_safe_text_neutralises_what_terminals_and_wires_stumble_over() -> None:
    """Control, bidi and zero-width characters and lone surrogates are replaced; the length is capped."""
    assert safe_text("a\x00b\x1b[31m\u202ec\ud800") == "a\ufffdb\ufffd[31m\ufffdc?"
    assert safe_text("line\nbreak\tand tab") == "line\nbreak\tand tab"
    assert len(safe_text("x" * 10_000)) == 400


def test_an_oversized_artifact_is_resource_exhausted() -> None:
    """ARTIFACT_REJECTED is DATA_LOSS for a digest and RESOURCE_EXHAUSTED for a size."""
    reason = errors_pb2.ERROR_REASON_ARTIFACT_REJECTED
    assert PipelineError(reason, "digest").code is grpc.StatusCode.DATA_LOSS
    sized = PipelineError(reason, "size", metadata={"limit_bytes": "16"})
    assert (sized.code, sized.http_status) == (grpc.StatusCode.RESOURCE_EXHAUSTED, 413)
    assert from_rpc_status(to_rpc_status(sized)).http_status == 413
