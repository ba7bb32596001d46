"""Every reason of the contract is known to the code, documented with an example, and survives the wire."""

from __future__ import annotations

import json
import re
from pathlib import Path

import grpc
import pytest

from pipeline import errors
from pipeline.errors import PipelineError, from_rpc_status, to_rpc_status
from pipeline.v1.errors_pb2 import ErrorReason

PROTO = Path(__file__).resolve().parents[2] / "protos/pipeline/v1/errors.proto"
PREFIX = "ERROR_REASON_"
REASONS = [name for name, number in ErrorReason.items() if number]


def documentation() -> dict[str, str]:
    """Comment of each enum member, as one line."""
    found: dict[str, str] = {}
    comment: list[str] = []
    for line in PROTO.read_text(encoding="utf-8").splitlines():
        text = line.strip()
        member = re.match(r"(ERROR_REASON_\w+) = \d+;", text)
        if text.startswith("//"):
            comment.append(text.removeprefix("//").strip())
        elif member:
            found[member[1]] = " ".join(comment)
            comment = []
        elif not text:
            comment = []
    return found


def test_the_proto_and_the_stubs_have_the_same_reasons() -> None:
    """No reason is missing from the comments that this test reads."""
    assert set(documentation()) == set(ErrorReason.keys())


@pytest.mark.parametrize("name", REASONS)
def test_every_reason_has_a_code_that_its_documentation_names(name: str) -> None:
    """The code that a reason travels under is the one its comment says, and HTTP has one of the same class."""
    error = PipelineError(ErrorReason.Value(name), "x")
    assert ErrorReason.Value(name) in errors._CODES
    assert re.search(rf"\b{error.status_name}\b", documentation()[name])
    assert grpc.StatusCode[error.status_name] is error.code
    assert 400 <= error.http_status < 600
    stated = re.search(r"\(HTTP (\d+)\)", documentation()[name])
    if stated:
        assert error.http_status == int(stated[1])


@pytest.mark.parametrize("name", REASONS)
def test_every_reason_has_an_example_that_round_trips(name: str) -> None:
    """The example in the comment is JSON of this reason, and everything in it survives gRPC and REST."""
    example = documentation()[name].partition("Example: ")[2]
    parsed = json.loads(example)
    assert parsed["reason"] == name.removeprefix(PREFIX)
    retry_after = 1.5 if "RetryInfo" in documentation()[name] else None
    error = PipelineError(
        ErrorReason.Value(name),
        "message",
        metadata=parsed.get("metadata", {}),
        violations=[(v["field"], v["description"]) for v in parsed.get("field_violations", ())],
        retry_after=retry_after,
        request_id=parsed.get("request_id", "abc"),
    )
    back = from_rpc_status(to_rpc_status(error))
    for attribute in ("reason", "message", "metadata", "violations", "retry_after", "request_id", "code"):
        assert getattr(back, attribute) == getattr(error, attribute)
    rest = back.to_json()["error"]
    assert isinstance(rest, dict)
    assert {key: rest[key] for key in parsed} == parsed
