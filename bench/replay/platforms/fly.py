"""Fly.io's Machines API, replayed: `/v1/apps`, their addresses, machines, leases, waits.

Names of apps are unique among all customers (422 with status `name_taken`), names of machines within an app (409
`already_exists`); whoever allocates an IPv6 address twice has two. A leased machine is changed by the holder of the
nonce alone. Shapes and texts follow fly.io/docs/machines/api and the client superfly/fly-go.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from aiohttp import web

from bench.replay.platforms.shapes import flaws
from bench.replay.platforms.stage import Asked, PlatformReplay, bearer, body_of

TOKEN = "FlyV1-fm2_replayed-81c0"
ORGANISATION = "personal"
_APP = re.compile(r"[a-z0-9-]{1,62}")
_HANDLERS = {"http", "tls", "tcp"}
APP_SHAPE: dict[str, Any] = {"app_name!": str, "org_slug!": str, "network": str, "enable_subdomains": bool}
IP_SHAPE: dict[str, Any] = {
    "type!": {"v4", "v6", "shared_v4", "private_v6"},
    "region": str,
    "org_slug": str,
    "network": str,
    "service_name": str,
}
MACHINE_SHAPE: dict[str, Any] = {
    "name": str,
    "region": str,
    "lease_ttl": int,
    "skip_launch": bool,
    "skip_service_registration": bool,
    "config!": {
        "image!": str,
        "auto_destroy": bool,
        "env": dict,
        "guest": {"cpu_kind": {"shared", "performance"}, "cpus": int, "memory_mb": int},
        "restart": {"policy!": {"no", "on-failure", "always"}, "max_retries": int},
        "files": [{"guest_path!": str, "raw_value": str, "secret_name": str}],
        "metadata": dict,
        "checks": dict,
        "services": [
            {
                "protocol!": {"tcp", "udp"},
                "internal_port!": int,
                "autostart": bool,
                "autostop": {"off", "stop", "suspend"},
                "min_machines_running": int,
                "ports": [{"port": int, "handlers": [_HANDLERS], "force_https": bool}],
            }
        ],
    },
}


class FlyReplay(PlatformReplay):
    """All apps of everybody, by name; one organisation has the token."""

    def __init__(self) -> None:
        super().__init__()
        # {"name", "org", "ips", "machines"}
        self.apps: dict[str, dict[str, Any]] = {}
        self._number = 0

    def machines(self, app: str) -> list[dict[str, Any]]:
        return list(self.apps.get(app, {}).get("machines", {}).values())

    def addresses(self, app: str) -> list[dict[str, Any]]:
        return list(self.apps.get(app, {}).get("ips", ()))

    def take_name(self, app: str, organisation: str = "somebody-else") -> None:
        """Another customer makes an app of this name."""
        self.apps[app] = {"name": app, "org": organisation, "ips": [], "machines": {}}

    def routes(self) -> list[web.RouteDef]:
        app, machine = "/v1/apps/{app}", "/v1/apps/{app}/machines/{machine}"
        return [
            web.post("/v1/apps", self._opened(self._create_app)),
            web.get(app, self._opened(self._get_app)),
            web.delete(app, self._opened(self._delete_app)),
            web.get(f"{app}/ip_assignments", self._opened(self._list_ips)),
            web.post(f"{app}/ip_assignments", self._opened(self._assign_ip)),
            web.delete(f"{app}/ip_assignments/{{ip}}", self._opened(self._release_ip)),
            web.get(f"{app}/machines", self._opened(self._list_machines)),
            web.post(f"{app}/machines", self._opened(self._create_machine)),
            web.get(machine, self._opened(self._get_machine)),
            web.delete(machine, self._opened(self._delete_machine)),
            web.post(f"{machine}/{{verb:start|stop|suspend}}", self._opened(self._switch)),
            web.get(f"{machine}/wait", self._opened(self._wait)),
            web.post(f"{machine}/lease", self._opened(self._lease)),
            web.delete(f"{machine}/lease", self._opened(self._release)),
        ]

    def has_effect(self, asked: Asked) -> bool:
        return asked.method != "GET" and not asked.path.endswith("/lease")

    def refusal(self, status: int) -> web.Response:
        said = {401: "unauthorized", 403: "forbidden", 429: "rate limit exceeded"}
        return _error(status, said.get(status, "internal server error"))

    def _opened(self, handler: Any) -> Any:
        async def checked(request: web.Request) -> web.StreamResponse:
            if bearer(request) != TOKEN:
                return self.refusal(401)
            name = request.match_info.get("app")
            app = self.apps.get(name or "")
            if name is not None and app is None:
                return _error(404, "app not found")
            if app is not None and app["org"] != ORGANISATION:
                return _error(403, "unauthorized")
            machine = request.match_info.get("machine")
            if app is not None and machine is not None and machine not in app["machines"]:
                return _error(404, f"machine {machine} not found")
            answer: web.StreamResponse = await handler(request)
            return answer

        return checked

    # ------------------------------------------------------------------------------------ apps

    async def _create_app(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        if flaw := next(flaws(APP_SHAPE, body), None):
            return _error(400, f"invalid field {flaw.path}{flaw.name} ({flaw.kind})")
        name = body["app_name"]
        if not _APP.fullmatch(name):
            return _error(422, "Validation failed: Name under 63 chars using numbers, lowercase letters and dashes")
        if name in self.apps:
            return _error(422, "Validation failed: Name has already been taken", "name_taken")
        if body["org_slug"] != ORGANISATION:
            return _error(404, "organization not found")
        self.take_name(name, ORGANISATION)
        self.made["apps"] += 1
        return web.json_response({"id": f"z4k69dxd8r31p5m{self._next()}", "created_at": 1_708_631_799_000}, status=201)

    async def _get_app(self, request: web.Request) -> web.Response:
        app = self.apps[request.match_info["app"]]
        organisation = {"name": "My Org", "slug": app["org"]}
        status = "deployed" if app["machines"] else "pending"
        return web.json_response(
            {"id": "z4k69dxd", "name": app["name"], "status": status, "organization": organisation}
        )

    async def _delete_app(self, request: web.Request) -> web.Response:
        app = self.apps[request.match_info["app"]]
        running = [m for m in app["machines"].values() if m["state"] == "started"]
        if running and request.query.get("force") != "true":
            return _error(422, "app has running machines")
        del self.apps[app["name"]]
        return web.Response(status=202)

    # ------------------------------------------------------------------------------------ addresses

    async def _list_ips(self, request: web.Request) -> web.Response:
        return web.json_response({"ips": self.apps[request.match_info["app"]]["ips"]})

    async def _assign_ip(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        if flaw := next(flaws(IP_SHAPE, body), None):
            return _error(400, f"invalid field {flaw.path}{flaw.name} ({flaw.kind})")
        ips, number = self.apps[request.match_info["app"]]["ips"], self._next()
        shared = body["type"] == "shared_v4"
        held = [ip for ip in ips if ip["shared"]]
        if shared and held:
            return _error(422, "Validation failed: App already has a shared IPv4 address")
        ip = "66.241.124.1" if shared else f"2a09:8280:1::{number:x}" if body["type"] == "v6" else f"37.16.9.{number}"
        row = {"ip": ip, "region": "global", "service_name": "", "shared": shared, "created_at": "2026-11-25T00:00:00Z"}
        ips.append({**row, "egress": False})
        self.made[body["type"]] += 1
        return web.json_response(ips[-1])

    async def _release_ip(self, request: web.Request) -> web.Response:
        app = self.apps[request.match_info["app"]]
        kept = [ip for ip in app["ips"] if ip["ip"] != request.match_info["ip"]]
        if len(kept) == len(app["ips"]):
            return _error(404, "ip not found")
        app["ips"] = kept
        return web.Response(status=204)

    # ------------------------------------------------------------------------------------ machines

    async def _list_machines(self, request: web.Request) -> web.Response:
        return web.json_response([_shown(m) for m in self.machines(request.match_info["app"])])

    async def _create_machine(self, request: web.Request) -> web.Response:
        body, app = await body_of(request), self.apps[request.match_info["app"]]
        if flaw := next(flaws(MACHINE_SHAPE, body), None):
            return _error(400, f"invalid field {flaw.path}.{flaw.name} ({flaw.kind})")
        for file in body["config"].get("files", ()):
            if not file["guest_path"].startswith("/") or not _is_base64(file.get("raw_value", "")):
                return _error(422, "invalid config.files: guest_path must be absolute and raw_value base64")
        number = self._next()
        name = body.get("name") or f"aged-thunder-{number}"
        for machine in app["machines"].values():
            if machine["name"] == name:
                said = f"already_exists: unique machine name violation, machine ID {machine['id']} already exists"
                return _error(409, said)
        machine = {
            "id": f"1857156b526d{number:02x}",
            "name": name,
            "state": "created" if body.get("skip_launch") else "started",
            "region": body.get("region") or "ord",
            "instance_id": f"01HEPA330HZ37A78TK0{number:07d}",
            "private_ip": "fdaa:ff:ff:a7b:195:e229:8038:2",
            "created_at": "2026-11-25T00:00:00Z",
            "config": body["config"],
            "nonce": "",
        }
        app["machines"][machine["id"]] = machine
        self.made["machines"] += 1
        return web.json_response(_shown(machine))

    async def _get_machine(self, request: web.Request) -> web.Response:
        return web.json_response(_shown(self._machine(request)))

    async def _delete_machine(self, request: web.Request) -> web.Response:
        machine = self._machine(request)
        if machine["state"] == "started" and request.query.get("force") != "true":
            return _error(412, "failed_precondition: unable to destroy machine, not currently stopped")
        del self.apps[request.match_info["app"]]["machines"][machine["id"]]
        return web.json_response({"ok": True})

    async def _switch(self, request: web.Request) -> web.Response:
        machine, verb = self._machine(request), request.match_info["verb"]
        if refused := _leased_to_another(machine, request):
            return refused
        before, after = machine["state"], {"start": "started", "stop": "stopped", "suspend": "suspended"}[verb]
        if verb == "start" and before == "started":
            return _error(412, "failed_precondition: unable to start machine from current state: 'started'")
        machine["state"] = after
        self.made[verb] += 1
        return web.json_response(
            {"previous_state": before, "migrated": False, "new_host": ""} if verb == "start" else {"ok": True}
        )

    async def _wait(self, request: web.Request) -> web.Response:
        machine, state = self._machine(request), request.query.get("state", "started")
        if state not in ("started", "stopped", "suspended", "destroyed"):
            return _error(400, "invalid state")
        if state == "stopped" and request.query.get("instance_id") != machine["instance_id"]:
            return _error(400, "instance_id is required when waiting for a stopped machine")
        if machine["state"] != state:
            return _error(408, "deadline_exceeded: machine failed to reach desired state")
        return web.json_response({"ok": True})

    async def _lease(self, request: web.Request) -> web.Response:
        machine = self._machine(request)
        if refused := _leased_to_another(machine, request):
            return refused
        machine["nonce"] = f"5c35f65c{self._next():04x}"
        data = {
            "nonce": machine["nonce"],
            "expires_at": 1_708_569_778,
            "owner": "replay",
            "version": machine["instance_id"],
        }
        return web.json_response({"status": "success", "data": data}, status=201)

    async def _release(self, request: web.Request) -> web.Response:
        machine = self._machine(request)
        if refused := _leased_to_another(machine, request):
            return refused
        machine["nonce"] = ""
        return web.json_response({"status": "success", "data": {"ok": True}})

    def _machine(self, request: web.Request) -> dict[str, Any]:
        machine: dict[str, Any] = self.apps[request.match_info["app"]]["machines"][request.match_info["machine"]]
        return machine

    def _next(self) -> int:
        self._number += 1
        return self._number


def _leased_to_another(machine: dict[str, Any], request: web.Request) -> web.Response | None:
    if machine["nonce"] and request.headers.get("fly-machine-lease-nonce") != machine["nonce"]:
        said = f"aborted: machine ID {machine['id']} lease currently held by 81c0@tokens.fly.io"
        return _error(409, said)
    return None


def _shown(machine: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in machine.items() if key != "nonce"}


def _is_base64(value: str) -> bool:
    try:
        return bool(base64.b64decode(value, validate=True))
    except binascii.Error:
        return False


def _error(status: int, said: str, code: str = "") -> web.Response:
    return web.json_response({"error": said, **({"status": code} if code else {})}, status=status)
