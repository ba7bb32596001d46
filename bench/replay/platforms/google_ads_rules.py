"""What Google Ads checks in a new search campaign, and the shapes of its answers where it refuses.

Names of errors are those of google.ads.googleads.v26.errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from bench.replay.platforms.shapes import Flaw

# Micros of a cent: amounts in USD are multiples of it.
MINIMUM_UNIT = 10_000
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


class Failed(Exception):
    """An answer instead of the one asked for."""

    def __init__(self, response: web.Response) -> None:
        super().__init__(response.status)
        self.response = response


def refuse(*faults: dict[str, Any]) -> Failed:
    """INVALID_ARGUMENT with these faults."""
    return Failed(failure(400, "INVALID_ARGUMENT", "Request contains an invalid argument.", list(faults)))


# ---------------------------------------------------------------------------------------------- rules


def budget_rules(made: dict[str, Any], where: str) -> Iterator[dict[str, Any]]:
    total = made.get("period") == "CUSTOM_PERIOD"
    field, other = ("totalAmountMicros", "amountMicros") if total else ("amountMicros", "totalAmountMicros")
    if field not in made:
        yield fault("fieldError", "REQUIRED", f"{where}.{snake(field)}")
    elif int(made[field]) % MINIMUM_UNIT:
        code = "NON_MULTIPLE_OF_MINIMUM_CURRENCY_UNIT"
        yield fault("campaignBudgetError", code, f"{where}.{snake(field)}", made[field])
    if other in made:
        code = "INVALID_PERIOD" if total else "TOTAL_BUDGET_AMOUNT_MUST_BE_UNSET_FOR_BUDGET_PERIOD_DAILY"
        yield fault("campaignBudgetError", code, f"{where}.{snake(other)}")
    if total and made.get("explicitlyShared", True):
        yield fault("campaignBudgetError", "INVALID_PERIOD", f"{where}.explicitly_shared")


def date_rules(made: dict[str, Any], where: str) -> Iterator[dict[str, Any]]:
    start, end = made.get("startDateTime", ""), made.get("endDateTime", "")
    for field, value in (("start_date_time", start), ("end_date_time", end)):
        if value and not _MOMENT.fullmatch(value):
            yield fault("dateError", "INVALID_FORMATTED_DATE_TIME", f"{where}.{field}", value)
    if start and end and start > end:
        yield fault("dateRangeError", "START_DATE_AFTER_END_DATE", f"{where}.start_date_time", start)


def ad_rules(ad: dict[str, Any], where: str) -> Iterator[dict[str, Any]]:
    for url in ad["finalUrls"]:
        if not urlsplit(url).scheme:
            yield fault("urlFieldError", "MISSING_PROTOCOL", f"{where}.final_urls[0]", url)
    texts = ad.get("responsiveSearchAd", {})
    for field, least, most, limit in (("headlines", 3, 15, 30), ("descriptions", 2, 4, 90)):
        listed = texts.get(field, [])
        at = f"{where}.responsive_search_ad.{field}"
        if len(listed) < least:
            yield fault("collectionSizeError", "TOO_FEW", at)
        if len(listed) > most:
            yield fault("collectionSizeError", "TOO_MANY", at)
        for place, item in enumerate(listed):
            if len(item["text"]) > limit:
                yield fault("stringLengthError", "TOO_LONG", f"{at}[{place}].text", item["text"])
    if "path2" in texts and "path1" not in texts:
        yield fault("adError", "MISSING_PATH1", f"{where}.responsive_search_ad.path2")


def keyword_rules(keyword: dict[str, Any], where: str) -> Iterator[dict[str, Any]]:
    text = keyword["text"]
    if len(text) > 80:
        yield fault("criterionError", "KEYWORD_TEXT_TOO_LONG", f"{where}.text", text)
    if len(text.split()) > 10:
        yield fault("criterionError", "KEYWORD_HAS_TOO_MANY_WORDS", f"{where}.text", text)
    if set(text) & set("!@%,*^=<>{}()|?\\~`"):
        yield fault("criterionError", "KEYWORD_HAS_INVALID_CHARS", f"{where}.text", text)


# ---------------------------------------------------------------------------------------------- answers


def fault(kind: str, code: str, path: str, trigger: str = "") -> dict[str, Any]:
    elements = []
    for part in path.split("."):
        match = re.fullmatch(r"(\w+)\[(\d+)\]", part)
        elements.append({"fieldName": match[1], "index": int(match[2])} if match else {"fieldName": part})
    fault: dict[str, Any] = {
        "errorCode": {kind: code},
        "message": f"{code.replace('_', ' ').capitalize()}.",
        "location": {"fieldPathElements": elements},
    }
    return {**fault, "trigger": {"stringValue": trigger}} if trigger else fault


def failure(code: int, status: str, message: str, faults: list[dict[str, Any]]) -> web.Response:
    failure = {
        "@type": "type.googleapis.com/google.ads.googleads.v26.errors.GoogleAdsFailure",
        "errors": faults,
        "requestId": "Kg94Puy-KlybQd7RquC9ew",
    }
    body = {"error": {"code": code, "message": message, "status": status, "details": [failure]}}
    return web.json_response(body, status=code)


def plain(code: int, status: str, message: str, reason: str = "") -> web.Response:
    error: dict[str, Any] = {"code": code, "message": message, "status": status}
    if reason:
        info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}
        error["details"] = [{**info, "metadata": {"service": "googleads.googleapis.com"}}]
    return web.json_response({"error": error}, status=code)


def known(found: Iterable[Flaw]) -> None:
    """Raises what the transcoder of the JSON says of names, types and values that it does not know."""
    for flaw in found:
        said = {
            "unknown": f"Invalid JSON payload received. Unknown name \"{flaw.name}\" at '{flaw.path}': "
            "Cannot find field.",
            "missing": f"Required field '{flaw.name}' is missing.",
        }.get(flaw.kind, f"Invalid value at '{flaw.path}.{snake(flaw.name)}'")
        violation = {"field": flaw.path, "description": said}
        detail = {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}
        error = {"code": 400, "message": said, "status": "INVALID_ARGUMENT", "details": [detail]}
        raise Failed(web.json_response({"error": error}, status=400))


def snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda m: f"_{m[0].lower()}", name)


def camel(name: str) -> str:
    return re.sub(r"_(\w)", lambda m: m[1].upper(), name)
