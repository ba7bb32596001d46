"""What Google Ads says where it refuses, as typed errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chassis.http_answer import HttpResponse
from pipeline.v1 import errors_pb2
from services.campaign.providers.google_ads_errors import faults_of, refusal

# Beside the repository, not part of it.
SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "api-samples" / "google_ads"


def answer(status: int, body: object) -> HttpResponse:
    return HttpResponse(status, "https://googleads.googleapis.com/", {}, json.dumps(body).encode())


def failure(status: int, *errors: dict[str, Any]) -> HttpResponse:
    kind = "type.googleapis.com/google.ads.googleads.v26.errors.GoogleAdsFailure"
    details = [{"@type": kind, "errors": list(errors), "requestId": "x"}]
    return answer(status, {"error": {"code": status, "message": "secret-words", "details": details}})


def test_a_used_up_quota_is_a_rate_limit_with_the_wait_that_it_names() -> None:
    """Whatever the HTTP status says; waits above five minutes are cut for callers and kept in the metadata."""
    quota = {"quotaErrorDetails": {"rateScope": "ACCOUNT", "rateName": "x", "retryDelay": "1800.5s"}}
    error = refusal(failure(429, {"errorCode": {"quotaError": "RESOURCE_EXHAUSTED"}, "details": quota}))

    assert error.reason == errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED
    assert (error.retry_after, error.metadata["wait_seconds"]) == (300.0, "1800")


def test_a_refusal_names_the_fault_and_its_field_and_no_sentence_of_the_platform() -> None:
    """Codes and fields are the platform's names; its sentences may repeat what was sent."""
    elements = [{"fieldName": "mutate_operations", "index": 1}, {"fieldName": "campaign_operation"}]
    fault = {
        "errorCode": {"campaignError": "DUPLICATE_CAMPAIGN_NAME"},
        "message": "secret-words",
        "trigger": {"stringValue": "secret-words"},
        "location": {"fieldPathElements": elements},
    }
    error = refusal(failure(400, fault))

    assert error.metadata["code"] == "DUPLICATE_CAMPAIGN_NAME"
    assert error.violations[0].field == "mutate_operations[1].campaign_operation"
    assert "secret-words" not in json.dumps(error.to_json())


@pytest.mark.parametrize("body", [[], {}, {"error": {}}, {"error": {"details": [{"errors": ["x", {"errorCode": 7}]}]}}])
def test_an_answer_in_another_shape_is_still_a_typed_error(body: object) -> None:
    """Only its status is told then."""
    error = refusal(answer(500, body))
    assert (error.reason, error.metadata["status"]) == (errors_pb2.ERROR_REASON_UPSTREAM_FAILED, "500")


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="needs shared/api-samples beside the repository")
def test_a_recorded_failure_is_read() -> None:
    """As a user of the API printed it; over REST the same stands in `error`."""
    recorded = json.loads((SAMPLES / "failure_status_v16.json").read_text())
    faults = faults_of(answer(400, {"error": recorded}))
    assert faults
    assert all(fault.kind.endswith("Error") and fault.code.isupper() for fault in faults)
