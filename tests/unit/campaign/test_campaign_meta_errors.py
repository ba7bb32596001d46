"""What Meta says where it refuses, as typed errors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chassis.http_answer import HttpResponse
from pipeline.v1 import errors_pb2
from services.campaign.providers.meta_errors import refusal


def answer(status: int, error: dict[str, Any] | None, **headers: str) -> HttpResponse:
    body = json.dumps({"error": error}).encode() if error is not None else b"<html>"
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpResponse(status, "https://graph.facebook.com/", names, body)


@pytest.mark.parametrize("code", [4, 17, 32, 613, 80_000, 80_004])
def test_a_throttled_call_is_a_rate_limit_though_it_comes_as_400(code: int) -> None:
    """Without a header that names a time, a minute is waited."""
    error = refusal(answer(400, {"code": code, "message": "x"}))
    assert (error.reason, error.retry_after) == (errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED, 60.0)


def test_the_usage_header_names_the_wait() -> None:
    """In minutes, the longest of all that it lists."""
    entries = [{"type": "ads_insights", "estimated_time_to_regain_access": 0}, {"estimated_time_to_regain_access": 3}]
    usage = json.dumps({"1": entries, "2": "x"})
    error = refusal(answer(400, {"code": 80_004}, x_business_use_case_usage=usage))
    assert error.retry_after == 180.0


@pytest.mark.parametrize("code", [190, 102, 10, 200, 294])
def test_a_refused_token_names_its_setting(code: int) -> None:
    """A person has to mend it."""
    error = refusal(answer(400, {"code": code, "error_subcode": 463}))
    assert error.reason == errors_pb2.ERROR_REASON_UPSTREAM_FAILED
    assert "PIPELINE_META_TOKEN" in error.message
    assert error.metadata["status"] == "400"


@pytest.mark.parametrize("error", [{"code": 1}, {"code": 2}, {"code": 100, "is_transient": True}])
def test_what_passes_counts_as_the_platform_being_unwell(error: dict[str, Any]) -> None:
    """Whatever the status: after it, it is not known whether the effect happened."""
    assert refusal(answer(400, error)).metadata["status"] == "500"


def test_a_bad_parameter_is_named_and_no_sentence_of_the_platform_is_passed_on() -> None:
    """Code, subcode and the field at fault are enough to look it up."""
    data = json.dumps({"blame_field_specs": [["targeting", "geo_locations"]]})
    error = refusal(
        answer(400, {"code": 100, "error_subcode": 1_885_272, "message": "EAAB-secret", "error_data": data})
    )
    assert (error.metadata["code"], error.metadata["field"]) == ("100/1885272", "targeting.geo_locations")
    assert "EAAB-secret" not in json.dumps(error.to_json())


@pytest.mark.parametrize("error", [None, {}, {"code": "x y"}, {"code": 100, "error_data": "{"}, {"code": [1]}])
def test_an_answer_in_another_shape_is_still_a_typed_error(error: dict[str, Any] | None) -> None:
    """Its status is told."""
    found = refusal(answer(502, error))
    assert (found.reason, found.metadata["status"]) == (errors_pb2.ERROR_REASON_UPSTREAM_FAILED, "502")
