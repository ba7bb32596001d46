"""Meta's Marketing API v26.0, replayed: `POST /v26.0/act_{account}/campaigns|adsets|ads`, the edges that list them,
insights, the account, its smallest budgets.

Names need not be unique, as at Meta: whoever creates twice has two. Errors have the Graph API's shape. It is stricter
in one point: the Graph API leaves parameters that it does not know aside, this one refuses them, so that a misspelt one
is seen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from bench.replay.platforms.shapes import NUMBER, Flaw, flaws
from bench.replay.platforms.stage import Asked, PlatformReplay, bearer, body_of

ACCOUNT, PAGE = "10152335766987003", "300664329976860"
TOKEN = "EAAB-replayed-4c1d"
VERSION = "v26.0"
_STATUS = {"ACTIVE", "PAUSED"}
_CALL_TO_ACTION = {"type!": {"SIGN_UP", "LEARN_MORE", "SUBSCRIBE", "NO_BUTTON"}, "value": {"link": str}}
_LINK_DATA = {
    "link!": str,
    "message": str,
    "name": str,
    "description": str,
    "caption": str,
    "picture": str,
    "image_hash": str,
    "call_to_action": _CALL_TO_ACTION,
}
SHAPES: dict[str, dict[str, Any]] = {
    "campaigns": {
        "name!": str,
        "objective!": {"OUTCOME_TRAFFIC", "OUTCOME_LEADS", "OUTCOME_AWARENESS", "OUTCOME_ENGAGEMENT", "OUTCOME_SALES"},
        "status": _STATUS,
        "buying_type": {"AUCTION", "RESERVED"},
        "special_ad_categories!": [
            {"NONE", "EMPLOYMENT", "HOUSING", "CREDIT", "FINANCIAL_PRODUCTS_SERVICES", "ONLINE_GAMBLING_AND_GAMING"}
        ],
        "special_ad_category_country": [str],
        "is_adset_budget_sharing_enabled": bool,
        "daily_budget": int,
        "lifetime_budget": int,
        "spend_cap": int,
        "bid_strategy": str,
    },
    "adsets": {
        "name!": str,
        "campaign_id!": str,
        "status": _STATUS,
        "daily_budget": int,
        "lifetime_budget": int,
        "start_time": str,
        "end_time": str,
        "billing_event!": {"IMPRESSIONS", "LINK_CLICKS"},
        "optimization_goal!": {"LINK_CLICKS", "LANDING_PAGE_VIEWS", "IMPRESSIONS", "REACH", "OFFSITE_CONVERSIONS"},
        "bid_strategy": {"LOWEST_COST_WITHOUT_CAP", "LOWEST_COST_WITH_BID_CAP", "COST_CAP"},
        "bid_amount": int,
        "destination_type": {"WEBSITE", "APP", "MESSENGER"},
        "dsa_beneficiary": str,
        "dsa_payor": str,
        "targeting!": {
            "age_min": int,
            "age_max": int,
            "geo_locations!": {"countries": [str], "regions": [dict], "cities": [dict]},
            "targeting_automation!": {"advantage_audience!": NUMBER},
        },
    },
    "ads": {
        "name!": str,
        "adset_id!": str,
        "status": _STATUS,
        "creative!": {
            "creative_id": str,
            "name": str,
            "object_story_spec": {"page_id!": str, "link_data!": _LINK_DATA},
        },
    },
}
# Where things of a kind hang: parameter of the parent, and the parent's kind.
_PARENTS = {"adsets": ("campaign_id", "campaigns"), "ads": ("adset_id", "adsets")}
EU = {"DE", "FR", "IE", "NL", "ES", "IT", "AT", "BE"}


class MetaReplay(PlatformReplay):
    """One ad account, with what was made in it by id."""

    def __init__(self, *, currency: str = "USD", account_status: int = 1, least_cents_a_day: int = 100) -> None:
        super().__init__()
        self.currency = currency
        self.account_status = account_status
        self.least_cents_a_day = least_cents_a_day
        # Nodes by id: {"id", "kind", ...parameters}.
        self.nodes: dict[str, dict[str, Any]] = {}
        # Spend by campaign as the insights tell it ("12.34").
        self.spend: dict[str, str] = {}
        # Minutes that a throttled caller is told to wait.
        self.minutes_to_wait = 1
        self._number = 120_330_000_008_134_000

    def all(self, kind: str) -> list[dict[str, Any]]:
        """What there is of a kind ("campaigns")."""
        return [node for node in self.nodes.values() if node["kind"] == kind]

    def routes(self) -> list[web.RouteDef]:
        act = f"/{VERSION}/act_{ACCOUNT}"
        return [
            web.get(act, self._opened(self._account)),
            web.get(f"{act}/minimum_budgets", self._opened(self._minimum_budgets)),
            web.post(f"{act}/{{kind:campaigns|adsets|ads}}", self._opened(self._create)),
            web.get(f"{act}/{{edge:campaigns|adsets|ads}}", self._opened(self._list)),
            web.get(rf"/{VERSION}/{{id:\d+}}/insights", self._opened(self._insights)),
            web.get(rf"/{VERSION}/{{id:\d+}}/{{edge:adsets|ads}}", self._opened(self._list)),
            web.post(rf"/{VERSION}/{{id:\d+}}", self._opened(self._update)),
            web.delete(rf"/{VERSION}/{{id:\d+}}", self._opened(self._delete)),
        ]

    def refusal(self, status: int) -> web.Response:
        if status == 429:
            # Throttled calls come with 400; the header names the minutes.
            entry = {"type": "ads_management", "call_count": 100, "total_cputime": 25, "total_time": 25}
            usage = {"20001": [{**entry, "estimated_time_to_regain_access": self.minutes_to_wait}]}
            said = "(#80004) There have been too many calls to this ad-account. Wait a bit and try again."
            return _error(80_004, said, sub=2_446_079, headers={"X-Business-Use-Case-Usage": json.dumps(usage)})
        if status == 401:
            return _error(190, "Error validating access token: Session has expired", sub=463, status=401)
        if status == 403:
            return _error(200, "(#200) Ad account owner has NOT grant ads_management permission", status=403)
        return _error(
            2, "An unexpected error has occurred. Please retry your request later.", status=status, transient=True
        )

    def _opened(self, handler: Any) -> Any:
        async def checked(request: web.Request) -> web.StreamResponse:
            if bearer(request) != TOKEN:
                return self.refusal(401)
            answer: web.StreamResponse = await handler(request)
            return answer

        return checked

    # ------------------------------------------------------------------------------------ nodes

    async def _create(self, request: web.Request) -> web.Response:
        kind, body = request.match_info["kind"], await body_of(request)
        flaw = next(flaws(SHAPES[kind], body), None)
        if flaw is not None:
            return _flawed(flaw)
        refused = self._refused(kind, body)
        if refused is not None:
            return refused
        self._number += 1
        self.nodes[str(self._number)] = {**body, "id": str(self._number), "kind": kind}
        self.made[kind] += 1
        return web.json_response({"id": str(self._number)})

    def _refused(self, kind: str, body: Mapping[str, Any]) -> web.Response | None:
        if kind in _PARENTS:
            field, parent = _PARENTS[kind]
            if self.nodes.get(body[field], {}).get("kind") != parent:
                return _error(100, "Invalid parameter", sub=1_487_056, blame=[field])
        if kind == "campaigns":
            return _campaign_refused(body)
        if kind == "adsets":
            return self._ad_set_refused(body)
        story = body["creative"].get("object_story_spec")
        if story is None and "creative_id" not in body["creative"]:
            return _error(100, "Invalid parameter", sub=1_885_183, blame=["creative"])
        if story is not None and (story["page_id"] != PAGE or not urlsplit(story["link_data"]["link"]).netloc):
            return _error(100, "Invalid parameter", sub=1_443_048, blame=["creative", "object_story_spec"])
        return None

    def _ad_set_refused(self, body: Mapping[str, Any]) -> web.Response | None:
        if "lifetime_budget" in body:
            if "end_time" not in body:
                return _error(100, "Invalid parameter", sub=1_487_793, blame=["end_time"])
            days = (_time(body["end_time"]) - _time(body["start_time"])).total_seconds() / 86_400
            if days < 1 or body["lifetime_budget"] < self.least_cents_a_day * days:
                title = "Budget is too low"
                return _error(100, "Invalid parameter", sub=1_885_272, blame=["lifetime_budget"], title=title)
        elif "daily_budget" not in body:
            return _error(100, "Invalid parameter", sub=1_885_621, blame=["daily_budget"])
        countries = body["targeting"]["geo_locations"].get("countries", [])
        if EU.intersection(countries) and not (body.get("dsa_beneficiary") and body.get("dsa_payor")):
            return _error(100, "Invalid parameter", sub=3_858_081, blame=["dsa_beneficiary"])
        return None

    async def _update(self, request: web.Request) -> web.Response:
        node = self.nodes.get(request.match_info["id"])
        if node is None:
            return _missing(request)
        body = await body_of(request)
        flaw = next(flaws({"status": {*_STATUS, "DELETED", "ARCHIVED"}, "name": str}, body), None)
        if flaw is not None:
            return _flawed(flaw)
        node.update(body)
        return web.json_response({"success": True})

    async def _delete(self, request: web.Request) -> web.Response:
        node = self.nodes.pop(request.match_info["id"], None)
        if node is None:
            return _missing(request)
        gone = {node["id"]}
        for field, _ in _PARENTS.values():
            gone |= {n["id"] for n in self.nodes.values() if n.get(field) in gone}
        self.nodes = {number: n for number, n in self.nodes.items() if number not in gone}
        return web.json_response({"success": True})

    # ------------------------------------------------------------------------------------ reads

    async def _account(self, request: web.Request) -> web.Response:
        node = {"id": f"act_{ACCOUNT}", "account_status": self.account_status, "currency": self.currency}
        fields = ["id", *request.query.get("fields", "id").split(",")]
        unknown = [field for field in fields if field not in node]
        if unknown:
            return _error(100, f"(#100) Tried accessing nonexisting field ({unknown[0]}) on node type (AdAccount)")
        return web.json_response({field: node[field] for field in fields})

    async def _minimum_budgets(self, _: web.Request) -> web.Response:
        least = self.least_cents_a_day
        rows = [
            {
                "currency": currency,
                "min_daily_budget_imp": least,
                "min_daily_budget_high_freq": least,
                "min_daily_budget_low_freq": least * 40,
                "min_daily_budget_video_views": least,
            }
            for currency in ("AED", "USD", "ZAR")
        ]
        return web.json_response({"data": rows})

    async def _list(self, request: web.Request) -> web.Response:
        edge, parent = request.match_info["edge"], request.match_info.get("id")
        rows = self.all(edge)
        if parent is not None:
            if parent not in self.nodes:
                return _missing(request)
            rows = [row for row in rows if row.get(_PARENTS[edge][0]) == parent]
        try:
            filters = json.loads(request.query.get("filtering", "[]"))
        except ValueError:
            return _error(100, "(#100) param filtering must be an array.")
        for item in filters:
            if item.get("field") not in ("name", "campaign.name") or item.get("operator") not in ("EQUAL", "CONTAIN"):
                return _error(100, "(#100) Filtering field is invalid", sub=1_815_001)
            value = item["value"]
            rows = [r for r in rows if (r["name"] == value if item["operator"] == "EQUAL" else value in r["name"])]
        fields = ["id", *(f for f in request.query.get("fields", "id").split(",") if f != "id")]
        data = [{field: row[field] for field in fields if field in row} for row in rows]
        cursors = {"before": "NjA0NzMwNzI0NjA0MgZDZD", "after": "NjAzNzU5MTE0NjI0MgZDZD"}
        return web.json_response({"data": data, "paging": {"cursors": cursors}} if data else {"data": []})

    async def _insights(self, request: web.Request) -> web.Response:
        number = request.match_info["id"]
        if number not in self.nodes:
            return _missing(request)
        spend = self.spend.get(number)
        if spend is None:
            return web.json_response({"data": []})
        row = {"spend": spend, "account_currency": self.currency, "date_start": "2026-11-01", "date_stop": "2026-11-25"}
        return web.json_response({"data": [row], "paging": {"cursors": {"before": "MAZDZD", "after": "MAZDZD"}}})

    def has_effect(self, asked: Asked) -> bool:
        return asked.method != "GET"


def _campaign_refused(body: Mapping[str, Any]) -> web.Response | None:
    special = [category for category in body["special_ad_categories"] if category != "NONE"]
    if special and not body.get("special_ad_category_country"):
        return _error(100, "Invalid parameter", sub=3_858_064, blame=["special_ad_category_country"])
    budget = "daily_budget" in body or "lifetime_budget" in body
    if not budget and "is_adset_budget_sharing_enabled" not in body:
        title = "Must specify True or False in is_adset_budget_sharing_enabled field"
        return _error(100, "Invalid parameter", sub=4_834_011, blame=["is_adset_budget_sharing_enabled"], title=title)
    if body.get("spend_cap", 10_000) < 10_000:
        return _error(100, "Invalid parameter", sub=1_885_317, blame=["spend_cap"])
    return None


def _time(value: str) -> datetime:
    return datetime.strptime(value, "%Y-%m-%dT%H:%M:%S%z")


def _flawed(flaw: Flaw) -> web.Response:
    place = f"{flaw.path}.{flaw.name}" if flaw.path else flaw.name
    if flaw.name in ("targeting_automation", "advantage_audience") and flaw.kind == "missing":
        return _error(
            100, "Invalid parameter", sub=1_870_227, blame=place.split("."), title="Advantage audience flag required"
        )
    said = {
        "unknown": f"(#100) The parameter {place} is not known",
        "missing": f"(#100) The parameter {place} is required",
    }.get(flaw.kind, f"(#100) Param {re.sub(r'[^a-z_.]', '', place)} must be of another kind")
    return _error(100, said)


def _missing(request: web.Request) -> web.Response:
    number = request.match_info["id"]
    said = f"Unsupported {request.method.lower()} request. Object with ID '{number}' does not exist"
    return _error(100, said, sub=33, kind="GraphMethodException")


def _error(
    code: int,
    message: str,
    *,
    sub: int = 0,
    status: int = 400,
    blame: list[str] | None = None,
    title: str = "",
    transient: bool = False,
    headers: Mapping[str, str] | None = None,
    kind: str = "OAuthException",
) -> web.Response:
    error: dict[str, Any] = {"message": message, "type": kind, "code": code, "is_transient": transient}
    if blame:
        error["error_data"] = json.dumps({"blame_field_specs": [blame]})
    if sub:
        error["error_subcode"] = sub
    if title:
        error |= {"error_user_title": title, "error_user_msg": title}
    return web.json_response(
        {"error": {**error, "fbtrace_id": "AqmV8CUdtJHXr2MOUl4l8cS"}}, status=status, headers=headers
    )
