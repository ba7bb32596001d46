"""PostHog, replayed: events by uuid, annotations that are marked rather than deleted, and the one query that is asked.

Built from PostHog's public documents (services/campaign/providers/posthog.py names them); errors have the shape of a
recorded one.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from bench.replay.platforms.stage import Asked, PlatformReplay, bearer, body_of

PROJECT = "12345"
KEY, PERSONAL_KEY = "phc_replayed-71d0", "phx_replayed-8e44"

_ERRORS = {
    401: ("authentication_error", "authentication_failed", "Invalid personal API key."),
    403: ("authentication_error", "permission_denied", "API key missing required scope."),
    404: ("invalid_request", "not_found", "Not found."),
    429: ("throttled_error", "rate_limited", "Request was throttled. Expected available in 2 seconds."),
    500: ("server_error", "error", "A server error occurred."),
    503: ("server_error", "error", "A server error occurred."),
}


class PostHogReplay(PlatformReplay):
    """One project."""

    def __init__(self) -> None:
        super().__init__()
        self.annotations: dict[str, dict[str, Any]] = {}
        # By uuid: an event that is sent twice is there once.
        self.events: dict[str, dict[str, Any]] = {}

    def has_effect(self, asked: Asked) -> bool:
        return asked.method != "GET" and not asked.path.endswith("/query/")

    def routes(self) -> list[web.RouteDef]:
        base = f"/api/projects/{PROJECT}"
        return [
            web.get(f"{base}/annotations/", self._opened(self._list)),
            web.post(f"{base}/annotations/", self._opened(self._annotate)),
            web.patch(f"{base}/annotations/{{id}}/", self._opened(self._mark)),
            web.post(f"{base}/query/", self._opened(self._query)),
            web.post("/batch/", self._batch),
        ]

    def refusal(self, status: int) -> web.Response:
        kind, code, detail = _ERRORS[status]
        headers = {"Retry-After": "2"} if status == 429 else {}
        body = {"type": kind, "code": code, "detail": detail, "attr": None}
        return web.json_response(body, status=status, headers=headers)

    def standing(self) -> list[dict[str, Any]]:
        """Annotations that are not marked as deleted."""
        return [a for a in self.annotations.values() if not a["deleted"]]

    def _opened(self, handler: Any) -> Any:
        async def run(request: web.Request) -> web.StreamResponse:
            if bearer(request) != PERSONAL_KEY:
                return self.refusal(401)
            response: web.StreamResponse = await handler(request)
            return response

        return run

    async def _list(self, request: web.Request) -> web.Response:
        wanted = request.query.get("search", "")
        found = [a for a in self.standing() if wanted in a["content"]]
        return web.json_response({"count": len(found), "next": None, "previous": None, "results": found})

    async def _annotate(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        if not isinstance(body.get("content"), str) or body.get("scope") not in ("project", "organization"):
            return web.json_response(
                {"type": "validation_error", "code": "invalid_input", "detail": "content", "attr": "content"},
                status=400,
            )
        self.made["annotation"] += 1
        number = self.made["annotation"]
        annotation = {**body, "id": number, "creation_type": "USR", "deleted": False}
        self.annotations[str(number)] = annotation
        return web.json_response(annotation, status=201)

    async def _mark(self, request: web.Request) -> web.Response:
        annotation = self.annotations.get(request.match_info["id"])
        if annotation is None or annotation["deleted"]:
            return self.refusal(404)
        annotation["deleted"] = (await body_of(request)).get("deleted", False)
        return web.json_response(annotation)

    async def _batch(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        if body.get("api_key") != KEY:
            return self.refusal(401)
        for event in body.get("batch", []):
            if event["uuid"] not in self.events:
                self.made[f"event {event['event']}"] += 1
            self.events[event["uuid"]] = event
        return web.json_response({"status": "Ok"})

    async def _query(self, request: web.Request) -> web.Response:
        """The counts of one campaign's days, each the largest that was sent."""
        query = (await body_of(request)).get("query", {})
        if query.get("kind") != "HogQLQuery":
            return web.json_response(
                {"type": "validation_error", "code": "parse_error", "detail": "query", "attr": None}, status=400
            )
        wanted = query.get("values", {}).get("campaign")
        days: dict[tuple[str, str], list[int]] = {}
        for event in self.events.values():
            properties = event["properties"]
            if event["event"] == "smoke_test_day" and properties["campaign"] == wanted:
                numbers = [properties[name] for name in ("visitors", "signups", "views")]
                key = (properties["day"], properties["variant"])
                days[key] = [max(pair) for pair in zip(days.get(key, numbers), numbers, strict=True)]
        results = [[*key, *numbers] for key, numbers in sorted(days.items())]
        return web.json_response({"results": results, "columns": ["day", "variant"], "hasMore": False})
