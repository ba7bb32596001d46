"""The Google Ads API over REST and its token endpoint, replayed: `POST /v26/customers/{id}/googleAds:mutate` and more.

Mutations are atomic: every operation is checked before any of them is carried out. Names of campaigns are unique
within the account, those that were removed aside. Faults come as GoogleAdsFailure, unknown fields as the JSON
transcoder says them. Checks are those of the reference (developers.google.com/google-ads/api/reference/rpc/v26).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web

from bench.replay.platforms import google_ads_shapes as shapes
from bench.replay.platforms.google_ads_rules import (
    Failed,
    ad_rules,
    budget_rules,
    camel,
    date_rules,
    failure,
    fault,
    keyword_rules,
    known,
    plain,
    refuse,
    snake,
)
from bench.replay.platforms.shapes import Flaw, flaws
from bench.replay.platforms.stage import Asked, PlatformReplay, bearer, body_of

CUSTOMER = "1234567890"
REFRESH_TOKEN, CLIENT_ID, CLIENT_SECRET = "1//refresh-9f1c", "client-7a", "secret-3e"
ACCESS_TOKEN = "ya29.replayed-{}"
TOKEN_SECONDS = 3_599
_QUERY = re.compile(r"SELECT (?P<fields>[\w., ]+) FROM (?P<resource>\w+)(?: WHERE (?P<where>.+?))?(?: LIMIT \d+)?")
_CONDITION = re.compile(r"(\w+\.\w+) (=|!=) '((?:[^'\\]|\\.)*)'")


class GoogleAdsReplay(PlatformReplay):
    """One account, with what was made in it by resource name."""

    def __init__(self, *, currency: str = "USD", time_zone: str = "America/New_York", version: str = "v26") -> None:
        super().__init__()
        self.currency = currency
        self.time_zone = time_zone
        self.version = version
        self.resources: dict[str, dict[str, Any]] = {}
        # Cost by campaign, micros.
        self.cost_micros: dict[str, int] = {}
        self.tokens_given = 0
        self.tokens: set[str] = set()
        self._number = 1000

    # ------------------------------------------------------------------------------------ what tests look at

    def all(self, collection: str) -> list[dict[str, Any]]:
        """Resources of a collection ("campaigns") that were not removed."""
        return [r for name, r in self.resources.items() if f"/{collection}/" in name and r.get("status") != "REMOVED"]

    # ------------------------------------------------------------------------------------ server

    def routes(self) -> list[web.RouteDef]:
        base = rf"/{self.version}/customers/{{customer:\d+}}"
        return [
            web.post("/token", self._token),
            web.post(f"{base}/googleAds:mutate", self._opened(self._mutate)),
            web.post(f"{base}/googleAds:search", self._opened(self._search)),
            web.post(f"{base}/campaigns:mutate", self._opened(self._campaigns)),
        ]

    def has_effect(self, asked: Asked) -> bool:
        return asked.path.endswith(":mutate")

    def refusal(self, status: int) -> web.Response:
        if status == 429:
            quota = {"rateScope": "DEVELOPER", "rateName": "Number of operations for explorer access"}
            details = {"quotaErrorDetails": {**quota, "retryDelay": "30s"}}
            fault = {
                "errorCode": {"quotaError": "RESOURCE_EXHAUSTED"},
                "message": "Too many requests.",
                "details": details,
            }
            return failure(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota).", [fault])
        if status == 401:
            return plain(
                401, "UNAUTHENTICATED", "Request had invalid authentication credentials.", "ACCESS_TOKEN_EXPIRED"
            )
        if status == 403:
            fault = {"errorCode": {"authorizationError": "USER_PERMISSION_DENIED"}, "message": "No access to customer."}
            return failure(403, "PERMISSION_DENIED", "The caller does not have permission", [fault])
        return plain(status, "INTERNAL" if status == 500 else "UNAVAILABLE", "Internal error encountered.")

    def _opened(self, handler: Any) -> Any:
        async def checked(request: web.Request) -> web.StreamResponse:
            if bearer(request) not in self.tokens:
                return self.refusal(401)
            if request.match_info["customer"] != CUSTOMER:
                return self.refusal(403)
            try:
                answer: web.StreamResponse = await handler(request)
            except Failed as failed:
                return failed.response
            return answer

        return checked

    async def _token(self, request: web.Request) -> web.Response:
        if request.content_type != "application/x-www-form-urlencoded":
            return web.json_response({"error": "invalid_request"}, status=400)
        form = {key: values[0] for key, values in parse_qs((await request.read()).decode()).items()}
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return web.json_response({"error": "invalid_client", "error_description": "Unauthorized"}, status=401)
        if form.get("grant_type") != "refresh_token" or form.get("refresh_token") != REFRESH_TOKEN:
            return web.json_response({"error": "invalid_grant", "error_description": "Bad Request"}, status=400)
        self.tokens_given += 1
        token = ACCESS_TOKEN.format(self.tokens_given)
        self.tokens.add(token)
        answer = {"access_token": token, "expires_in": TOKEN_SECONDS, "token_type": "Bearer"}
        return web.json_response({**answer, "scope": "https://www.googleapis.com/auth/adwords"})

    # ------------------------------------------------------------------------------------ mutations

    async def _mutate(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        known(flaws(shapes.REQUEST, body))
        operations = body["mutateOperations"]
        faults = [fault for place, operation in enumerate(operations) for fault in self._faults(place, operation)]
        faults += self._bad_references(operations)
        if faults:
            raise refuse(*faults)
        if body.get("validateOnly"):
            return web.json_response({})
        # One request, one effect, whatever it consists of.
        self.made["campaigns"] += sum("campaignOperation" in operation for operation in operations)
        return web.json_response({"mutateOperationResponses": self._carry_out(operations)})

    def _faults(self, place: int, operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
        name = next(iter(operation), "")
        path = f"mutate_operations[{place}]"
        if name not in shapes.OPERATIONS or list(operation[name]) != ["create"]:
            known([Flaw("unknown", path, name)])
        shape, _, _ = shapes.OPERATIONS[name]
        made = operation[name]["create"]
        where = f"{path}.{snake(name)}.create"
        found = list(flaws(shape, made, where))
        known(flaw for flaw in found if flaw.kind != "missing")
        yield from (fault("fieldError", "REQUIRED", f"{flaw.path}.{snake(flaw.name)}") for flaw in found)
        if not found:
            yield from self._rules(name, made, where)

    def _rules(self, name: str, made: dict[str, Any], where: str) -> Iterator[dict[str, Any]]:
        if name == "campaignBudgetOperation":
            yield from budget_rules(made, where)
        elif name == "campaignOperation":
            if any(campaign["name"] == made["name"] for campaign in self.all("campaigns")):
                yield fault("campaignError", "DUPLICATE_CAMPAIGN_NAME", f"{where}.name", made["name"])
            yield from date_rules(made, where)
        elif name == "adGroupAdOperation":
            yield from ad_rules(made["ad"], f"{where}.ad")
        elif "keyword" in made:
            yield from keyword_rules(made["keyword"], f"{where}.keyword")

    def _bad_references(self, operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Temporary names that are used twice, or before they are defined; names of things that are not there."""
        defined: set[str] = set()
        numbers: set[str] = set()
        bad = []
        for place, operation in enumerate(operations):
            name, made = next((name, action["create"]) for name, action in operation.items())
            where = f"mutate_operations[{place}].{snake(name)}.create"
            for field in shapes.REFERENCES:
                target = made.get(field)
                if target is not None and target not in defined and target not in self.resources:
                    bad.append(fault("mutateError", "RESOURCE_NOT_FOUND", f"{where}.{snake(field)}", target))
            own = made.get("resourceName")
            if own is not None:
                number = own.rsplit("/", 1)[-1]
                if number in numbers:
                    bad.append(fault("mutateError", "ID_EXISTS_IN_MULTIPLE_MUTATES", f"{where}.resource_name", own))
                numbers.add(number)
                defined.add(own)
        budgets = {o["campaignBudgetOperation"]["create"].get("resourceName"): o["campaignBudgetOperation"]["create"]
                   for o in operations if "campaignBudgetOperation" in o}  # fmt: skip
        for place, operation in enumerate(operations):
            campaign = operation.get("campaignOperation", {}).get("create", {})
            budget = budgets.get(campaign.get("campaignBudget"), {})
            if budget.get("period") == "CUSTOM_PERIOD" and not (
                campaign.get("startDateTime") and campaign.get("endDateTime")
            ):
                where = f"mutate_operations[{place}].campaign_operation.create.campaign_budget"
                bad.append(fault("campaignBudgetError", "INVALID_PERIOD", where))
        return bad

    def _carry_out(self, operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
        real: dict[str, str] = {}
        answers = []
        for operation in operations:
            name, made = next((name, dict(action["create"])) for name, action in operation.items())
            _, collection, result = shapes.OPERATIONS[name]
            made.update({field: real.get(made[field], made[field]) for field in shapes.REFERENCES if field in made})
            self._number += 1
            parent = made.get("adGroup", "").rsplit("/", 1)[-1]
            number = f"{parent}~{self._number}" if parent else str(self._number)
            given = f"customers/{CUSTOMER}/{collection}/{number}"
            if "resourceName" in made:
                real[made["resourceName"]] = given
            self.resources[given] = {**made, "resourceName": given}
            answers.append({result: {"resourceName": given}})
        return answers

    async def _campaigns(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        operation = body["operations"][0]
        name = operation.get("remove") or operation.get("update", {}).get("resourceName", "")
        campaign = self.resources.get(name)
        if campaign is None or "/campaigns/" not in name:
            raise refuse(fault("mutateError", "RESOURCE_NOT_FOUND", "operations[0]", name))
        if campaign.get("status") == "REMOVED":
            code = "OPERATION_NOT_PERMITTED_FOR_REMOVED_RESOURCE"
            raise refuse(fault("contextError", code, "operations[0]", name))
        if "remove" in operation:
            campaign["status"] = "REMOVED"
            self.resources[campaign["campaignBudget"]]["status"] = "REMOVED"
        else:
            known(
                flaws(
                    {"resourceName!": str, "status": {"ENABLED", "PAUSED"}}, operation["update"], "operations[0].update"
                )
            )
            if operation.get("updateMask") != "status":
                raise refuse(fault("fieldMaskError", "FIELD_MASK_MISSING", "operations[0]"))
            campaign["status"] = operation["update"]["status"]
        return web.json_response({"results": [{"resourceName": name}]})

    # ------------------------------------------------------------------------------------ queries

    async def _search(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        query = _QUERY.fullmatch(" ".join(str(body.get("query", "")).split()))
        if query is None or set(body) - {"query", "pageToken"}:
            raise refuse(fault("queryError", "UNEXPECTED_INPUT", "query"))
        fields = [field.strip() for field in query["fields"].split(",")]
        resource = query["resource"]
        unknown = [field for field in fields if field not in shapes.SELECTABLE.get(resource, ())]
        if unknown:
            raise refuse(fault("queryError", "UNRECOGNIZED_FIELD", unknown[0]))
        conditions = _CONDITION.findall(query["where"] or "")
        customer = {"resourceName": f"customers/{CUSTOMER}", "id": CUSTOMER}
        customer |= {"currencyCode": self.currency, "timeZone": self.time_zone}
        if resource == "customer":
            rows = [{"customer": customer}]
        else:
            campaigns = [r for name, r in self.resources.items() if "/campaigns/" in name]
            rows = [
                {"campaign": campaign, "customer": customer, "metrics": {"costMicros": str(self._cost(campaign))}}
                for campaign in campaigns
                if all(_holds(campaign, *condition) for condition in conditions)
            ]
        results = [_selected(row, fields) for row in rows]
        return web.json_response(
            {"results": results, "fieldMask": ",".join(camel(f) for f in fields)} if results else {}
        )

    def _cost(self, campaign: dict[str, Any]) -> int:
        return self.cost_micros.get(campaign["resourceName"], 0)


def _holds(campaign: dict[str, Any], field: str, operator: str, value: str) -> bool:
    actual = str(campaign.get(camel(field.partition(".")[2]), ""))
    wanted = re.sub(r"\\(.)", r"\1", value)
    return (actual == wanted) == (operator == "=")


def _selected(row: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    """The fields that were selected, and the resource name that always comes with its resource."""
    chosen: dict[str, Any] = {}
    for field in fields:
        resource, _, name = field.partition(".")
        part = chosen.setdefault(resource, {})
        if "resourceName" in row[resource]:
            part["resourceName"] = row[resource]["resourceName"]
        if camel(name) in row[resource]:
            part[camel(name)] = row[resource][camel(name)]
    return chosen
