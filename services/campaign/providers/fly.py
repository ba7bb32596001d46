"""Fly.io: a small machine before the counting server, reached at `https://{app}.fly.dev`.

An app, two addresses for it (shared IPv4 and IPv6, both free of charge) and one machine, made stopped, over the
Machines API at `{fly_url}/v1`. What makes each effect happen once: names of apps are unique (422 `name_taken`), names
of machines are unique within an app (409 `already_exists`), and addresses are looked for among those of the app.

Cost: a running `shared-cpu-1x` with 256 MB is about 2 USD a month, a stopped one the storage of its image, traffic
comes extra (fly.io/docs/about/pricing, read in November 2026). The Machines API reports no cost, so that none is read
and `spends` is false: this money is not part of the campaign's budget.

Switching starts and stops the machine: ahead of visitors, and to spare what it costs. A visitor who comes meanwhile
wakes it, and reads what the counting server says of the campaign. It takes the machine's lease first, so that two who
switch do not undo each other, and waits until the machine is in the wanted state.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from chassis.http_answer import HttpResponse, parse_retry_after
from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2, errors_pb2
from services.campaign.providers.base import Done, Effect, Entry, Launch, Step, Terms
from services.campaign.providers.calls import (
    BLANKED,
    Api,
    Call,
    answered,
    failed,
    json_of,
    known_name,
    limited,
    object_of,
    part,
    refused_body,
    refused_key,
    rows,
    text,
)
from services.campaign.providers.fly_front import TOKEN_SETTING, FlyAccess, address_of, app_name, check_origin, machine

if TYPE_CHECKING:
    from chassis.clock import Clock
    from chassis.pool import HttpPool

PLATFORM = "fly"
APP, IPV4, IPV6, MACHINE = "fly/app", "fly/ipv4", "fly/ipv6", "fly/machine"
LEASE_SECONDS = 60
# The API waits this long at most, well within the pool's time-out.
WAIT_SECONDS = 15
_RUNNING = ("started", "starting")
_HELD = ("created", "stopped", "suspended")


class Fly:
    """One organisation at Fly.io."""

    name = PLATFORM
    spends = False

    def __init__(self, pool: HttpPool, access: FlyAccess, clock: Clock) -> None:
        self._api = Api(PLATFORM, access.url, pool, clock, self._refusal)
        self._access = access

    def front_url(self, launch: Launch) -> str:
        """Scheme and host under which visitors reach the page, known before the app exists."""
        return address_of(app_name(launch))

    def steps(self, launch: Launch) -> Sequence[Step]:
        app = app_name(launch)
        return (
            Step(APP, "App", app),
            Step(IPV4, "Shared IPv4 address", app),
            Step(IPV6, "IPv6 address", app),
            Step(MACHINE, "Machine that passes visits on to the counting server, stopped", app),
        )

    def request(self, launch: Launch, step: Step, done: Done) -> campaign_pb2.PlannedRequest:
        return self._creation(launch, step).shown(self._api, {"Authorization": f"Bearer {BLANKED}"})

    async def find(self, launch: Launch, step: Step, done: Done) -> Effect | None:
        app = app_name(launch)
        if step.key == APP:
            return await self._find_app(app)
        try:
            if step.key == MACHINE:
                return await self._find_machine(app)
            answer = await self._read(f"apps/{app}/ip_assignments")
        except PipelineError as error:
            if error.metadata.get("status") == "404":
                return None
            raise
        for row in rows(PLATFORM, answer, "ips"):
            if _kind(row) == step.key:
                return Effect(text(PLATFORM, row, "ip"), found=True)
        return None

    async def perform(self, launch: Launch, step: Step, done: Done) -> Effect:
        app = app_name(launch)
        check_origin(launch, app)
        try:
            response = await self._send(self._creation(launch, step))
        except PipelineError as error:
            if error.metadata.get("code") not in ("name_taken", "already_exists"):
                raise
            # An earlier try came through after it was looked for, or the name is somebody else's.
            found = await self.find(launch, step, done)
            if found is None:
                raise
            return found
        if step.key == APP:
            return Effect(app, detail=f"visitors reach it at {address_of(app)}")
        made = object_of(PLATFORM, json_of(PLATFORM, response))
        return Effect(text(PLATFORM, made, "id" if step.key == MACHINE else "ip"))

    async def undo(self, launch: Launch, step: Step, external_id: str) -> None:
        app = app_name(launch)
        paths = {APP: f"apps/{app}", MACHINE: f"apps/{app}/machines/{external_id}"}
        path = paths.get(step.key, f"apps/{app}/ip_assignments/{external_id}")
        params = {"force": "true"} if step.key in paths else {}
        try:
            await self._send(self._call("DELETE", path, params=params))
        except PipelineError as error:
            if error.metadata.get("status") != "404":
                raise

    async def switch(self, launch: Launch, done: Done, *, on: bool) -> None:
        path = f"apps/{app_name(launch)}/machines/{done[MACHINE]}"
        wanted, verb = (_RUNNING, "start") if on else (_HELD, "stop")
        state = await self._read(path)
        if state.get("state") in wanted:
            return
        params = {"state": "started" if on else "stopped", "timeout": str(WAIT_SECONDS)}
        if not on:
            # The API asks for the version of the machine where it waits for a stop.
            params["instance_id"] = text(PLATFORM, state, "instance_id")
        async with self._leased(path) as nonce:
            await self._send(self._call("POST", f"{path}/{verb}"), nonce)
            await self._read(f"{path}/wait", params)

    async def spent_micros(self, launch: Launch, done: Done) -> int:
        """0: the API reports no cost (see above)."""
        return 0

    # ------------------------------------------------------------------------------------ requests

    def _creation(self, launch: Launch, step: Step) -> Call:
        app = app_name(launch)
        if step.key == APP:
            return self._call("POST", "apps", {"app_name": app, "org_slug": self._access.organisation})
        if step.key == MACHINE:
            return self._call("POST", f"apps/{app}/machines", machine(self._access, launch, step.name))
        return self._call("POST", f"apps/{app}/ip_assignments", {"type": "shared_v4" if step.key == IPV4 else "v6"})

    def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, params: dict[str, str] | None = None
    ) -> Call:
        return Call(method, f"/v1/{path}", body, params or {})

    async def _send(self, call: Call, nonce: str = "") -> HttpResponse:
        return await call.send(self._api, self._headers() | ({"fly-machine-lease-nonce": nonce} if nonce else {}))

    async def _read(self, path: str, params: dict[str, str] | None = None) -> dict[str, Any]:
        return await self._call("GET", path, params=params).read(self._api, self._headers())

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._access.token.get_secret_value()}"}

    @asynccontextmanager
    async def _leased(self, path: str) -> AsyncIterator[str]:
        """The nonce of a lease on a machine; given back, or left to run out where giving back fails."""
        body = {"ttl": LEASE_SECONDS, "description": "switching"}
        answer = object_of(PLATFORM, json_of(PLATFORM, await self._send(self._call("POST", f"{path}/lease", body))))
        nonce = text(PLATFORM, part(answer, "data"), "nonce")
        try:
            yield nonce
        finally:
            with suppress(PipelineError):
                await self._send(self._call("DELETE", f"{path}/lease"), nonce)

    async def _find_app(self, app: str) -> Effect | None:
        """The app, where it is the organisation's own; one of somebody else's cannot be seen, or is named."""
        try:
            found = await self._read(f"apps/{app}")
        except PipelineError as error:
            if error.metadata.get("status") == "404":
                return None
            raise
        if part(found, "organization").get("slug") != self._access.organisation:
            raise failed(
                PLATFORM, "has the app in another organisation; check PIPELINE_FLY_ORGANISATION", cause="refused"
            )
        return Effect(app, found=True, detail=f"found; visitors reach it at {address_of(app)}")

    async def _find_machine(self, app: str) -> Effect | None:
        listed = json_of(PLATFORM, await self._send(self._call("GET", f"apps/{app}/machines")))
        for row in rows(PLATFORM, {"machines": listed if isinstance(listed, list) else None}, "machines"):
            if row.get("name") == app and row.get("state") not in ("destroyed", "destroying"):
                return Effect(text(PLATFORM, row, "id"), found=True)
        return None

    def _refusal(self, response: HttpResponse) -> PipelineError:
        """`{"error": "...", "status": "name_taken"}`; 401 for the token, 408, 409 for a lease or a name, 429."""
        body = refused_body(response)
        code = known_name(body.get("status")) or _code(str(body.get("error", "")))
        if response.status == 429:
            wait = parse_retry_after(response.headers.get("retry-after"), self._api.clock.now())
            # One call a second and action, three in a burst (working-with-machines-api#rate-limits).
            return limited(PLATFORM, 1.0 if wait is None else wait, 429, code)
        if response.status == 408:
            # A machine that takes its time: looked at again by whoever wanted it in that state.
            return PipelineError(
                errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED,
                f"{PLATFORM} did not get the machine into its state within {WAIT_SECONDS} s",
                metadata={"upstream": PLATFORM},
            )
        if response.status in (401, 403):
            return refused_key(PLATFORM, TOKEN_SETTING, response.status, code)
        return answered(PLATFORM, response.status, code)


def _code(said: str) -> str:
    """What an error's text says by its beginning, where no code comes with it."""
    if said.startswith("already_exists"):
        return "already_exists"
    if "Name has already been taken" in said:
        return "name_taken"
    return "lease_held" if "lease currently held" in said else ""


def _kind(row: dict[str, Any]) -> str:
    """Which step an address is the effect of: shared IPv4 and public IPv6; others are not ours."""
    ip = str(row.get("ip", ""))
    if row.get("egress") is True or ip.startswith("fdaa:"):
        return ""
    if row.get("shared") is True:
        return IPV4
    return IPV6 if ":" in ip else ""


ENTRY = Entry(
    name=PLATFORM,
    # One call a second, action and machine, three in a burst (fly.io/docs/machines/api/working-with-machines-api).
    terms=Terms(rate=1.0, burst=3, concurrency=2, timeout_seconds=25.0),
    make=lambda pool, config, clock: Fly(pool, FlyAccess.of(config), clock),
    lacks=lambda config: FlyAccess.of(config).lacks(),
    by_hand="Run any reverse proxy in front of the server that counts, and set PIPELINE_PAGE_URL to its address.",
)
