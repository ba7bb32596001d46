"""What Google Ads answers where it refuses, as typed errors.

Over REST: `{"error": {"code": 400, "message", "status": "INVALID_ARGUMENT", "details": [{"@type":
"type.googleapis.com/google.ads.googleads.v26.errors.GoogleAdsFailure", "errors": [ {"errorCode": {"campaignError":
"DUPLICATE_CAMPAIGN_NAME"}, "message", "trigger", "location": {"fieldPathElements": [{"fieldName": "mutate_operations",
"index": 1}, ...]}, "details": {"quotaErrorDetails": {"rateScope": "DEVELOPER", "rateName", "retryDelay": "30s"}}}],
"requestId"}]}}`; searchStream wraps the same in a list. Without a GoogleAdsFailure the details may hold
google.rpc.ErrorInfo (`reason: "ACCESS_TOKEN_EXPIRED"`). Atomic requests report every fault at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from chassis.http_answer import HttpResponse
from pipeline.errors import FieldViolation, PipelineError
from services.campaign.providers.calls import answered, known_name, limited, refused_body, refused_key
from services.campaign.providers.google_ads_access import PLATFORM, SETTINGS, refused_token

# Codes that say the campaign is there already, and that what is to be removed is gone.
DUPLICATE_NAME = "DUPLICATE_CAMPAIGN_NAME"
GONE = frozenset({"OPERATION_NOT_PERMITTED_FOR_REMOVED_RESOURCE", "RESOURCE_NOT_FOUND"})
_SECONDS = re.compile(r"(\d{1,7}(?:\.\d{1,9})?)s")
_VIOLATIONS_MAX = 8


class Fault(NamedTuple):
    """One error of a failure: the kind ("campaignError"), its name, where, and the wait that it asks for."""

    kind: str
    code: str
    field: str
    wait: float | None


def faults_of(response: HttpResponse) -> list[Fault]:
    """The faults that the answer lists, in its order; none where it is in another shape."""
    return [fault for error in _errors(response) if (fault := _fault(error)) is not None]


def refusal(response: HttpResponse) -> PipelineError:
    """The typed error of an answer with an error status. `code` in its metadata is the first fault's name."""
    oauth = refused_body(response).get("error")
    if isinstance(oauth, str):
        return refused_token(response, oauth)
    faults = faults_of(response)
    code = faults[0].code if faults else _reason(response)
    if response.status == 429 or any(fault.kind == "quotaError" for fault in faults):
        waits = [fault.wait for fault in faults if fault.wait is not None]
        return limited(PLATFORM, max(waits, default=None), response.status, code)
    if response.status in (401, 403):
        return refused_key(PLATFORM, f"{SETTINGS} and the account's access", response.status, code)
    error = answered(PLATFORM, response.status, code, field=faults[0].field if faults else "")
    found = [FieldViolation(f.field, f"is refused by {PLATFORM} ({f.code})") for f in faults if f.field and f.code]
    error.violations = tuple(found[:_VIOLATIONS_MAX])
    return error


def _errors(response: HttpResponse) -> Iterator[dict[str, Any]]:
    for detail in _details(response):
        listed = detail.get("errors")
        if isinstance(listed, list):
            yield from (error for error in listed if isinstance(error, dict))


def _details(response: HttpResponse) -> list[dict[str, Any]]:
    try:
        body = response.json()
    except ValueError:
        return []
    first = body[0] if isinstance(body, list) and body else body
    error = first.get("error") if isinstance(first, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    return [detail for detail in details if isinstance(detail, dict)] if isinstance(details, list) else []


def _fault(error: dict[str, Any]) -> Fault | None:
    named = error.get("errorCode")
    if not isinstance(named, dict) or not named:
        return None
    kind, code = next(iter(named.items()))
    return Fault(known_name(kind), known_name(code), _field(error), _wait(error))


def _field(error: dict[str, Any]) -> str:
    """ "mutate_operations[1].campaign_operation.create.name"; "" where the error has no place."""
    location = error.get("location")
    elements = location.get("fieldPathElements") if isinstance(location, dict) else None
    parts = []
    for element in elements if isinstance(elements, list) else []:
        if not isinstance(element, dict):
            return ""
        index = element.get("index")
        parts.append(f"{element.get('fieldName', '')}[{index}]" if isinstance(index, int) else element.get("fieldName"))
    return known_name(".".join(str(part) for part in parts))


def _wait(error: dict[str, Any]) -> float | None:
    details = error.get("details")
    quota = details.get("quotaErrorDetails") if isinstance(details, dict) else None
    match = _SECONDS.fullmatch(str(quota.get("retryDelay", ""))) if isinstance(quota, dict) else None
    return float(match.group(1)) if match else None


def _reason(response: HttpResponse) -> str:
    """google.rpc.ErrorInfo's reason, else the canonical status."""
    for detail in _details(response):
        if reason := known_name(detail.get("reason")):
            return reason
    error = refused_body(response).get("error")
    return known_name(error.get("status")) if isinstance(error, dict) else ""
