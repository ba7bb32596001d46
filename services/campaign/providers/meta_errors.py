"""What the Graph API answers where it refuses, as typed errors.

`{"error": {"message", "type": "OAuthException", "code": 100, "error_subcode": 1885272, "is_transient": false,
"error_user_title", "error_user_msg", "error_data": "{\\"blame_field_specs\\": [[\\"lifetime_budget\\"]]}",
"fbtrace_id"}}`, mostly with 400; the code, not the status, says what it is
(developers.facebook.com/docs/graph-api/guides/error-handling and .../marketing-api/error-reference, read in November
2026). Throttled calls come as 400 too, and the header X-Business-Use-Case-Usage names the minutes until calls are
taken again: `{"<business>": [{"type": "ads_management", "call_count": 100, "estimated_time_to_regain_access": 5,
...}]}`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from chassis.http_answer import HttpResponse
from pipeline.errors import PipelineError
from services.campaign.providers.calls import answered, failed, known_name, limited, refused_body, refused_key

PLATFORM = "meta"
TOKEN_SETTING = "PIPELINE_META_TOKEN"  # noqa: S105 - a setting's name
# Application, user, ad account and business use case limits (docs/graph-api/overview/rate-limiting).
_THROTTLED = frozenset({4, 17, 32, 613, *range(80_000, 80_015)})
# Downtime: "wait and retry".
_TRANSIENT = frozenset({1, 2})
# No or another session, token, permission.
_TOKEN = frozenset({10, 102, 190, *range(200, 300)})
# What asks for a thing that is not there (any more).
NOT_THERE = frozenset({"803", "100/33"})


def refusal(response: HttpResponse) -> PipelineError:
    """The typed error of an answer with an error status; metadata `code` is `code` or `code/subcode`."""
    error = refused_body(response).get("error")
    if not isinstance(error, dict):
        return limited(PLATFORM, None, 429) if response.status == 429 else answered(PLATFORM, response.status)
    number = error["code"] if isinstance(error.get("code"), int) else 0
    named = code_of(error)
    if number in _THROTTLED or response.status == 429:
        return limited(PLATFORM, regained_after(response), response.status, named)
    if number in _TRANSIENT or error.get("is_transient") is True:
        # Whatever the status, the platform is unwell; whether the effect happened is not known.
        return answered(PLATFORM, max(response.status, 500), named)
    if number in _TOKEN or response.status in (401, 403):
        return refused_key(PLATFORM, f"{TOKEN_SETTING} and what it is allowed", response.status, named)
    return failed(
        PLATFORM,
        f"answered {response.status} ({named})" if named else f"answered {response.status}",
        cause="status",
        status=response.status,
        code=named,
        field=blamed(error),
    )


def code_of(error: dict[str, Any]) -> str:
    """ "100/1885272", "190"; "" where there is none."""
    code, sub = known_name(error.get("code")), known_name(error.get("error_subcode"))
    return f"{code}/{sub}" if code and sub else code


def blamed(error: dict[str, Any]) -> str:
    """The parameter at fault ("targeting.geo_locations"), where the answer names one."""
    data = error.get("error_data")
    try:
        data = json.loads(data) if isinstance(data, str) else data
        first = data["blame_field_specs"][0] if isinstance(data, dict) else []
    except (ValueError, LookupError, TypeError):
        return ""
    return known_name(".".join(str(part) for part in first)) if isinstance(first, list) else ""


def regained_after(response: HttpResponse) -> float | None:
    """Seconds until calls are taken again by the usage header; None where it says nothing."""
    minutes = [
        entry["estimated_time_to_regain_access"]
        for entry in _usage(response.headers.get("x-business-use-case-usage", ""))
        if isinstance(entry.get("estimated_time_to_regain_access"), (int, float))
    ]
    longest = max(minutes, default=0)
    return longest * 60.0 if longest > 0 else None


def _usage(header: str) -> Iterator[dict[str, Any]]:
    try:
        usage = json.loads(header) if header else {}
    except (ValueError, RecursionError):
        return
    for entries in usage.values() if isinstance(usage, dict) else ():
        if isinstance(entries, list):
            yield from (entry for entry in entries if isinstance(entry, dict))
