"""Meta (Facebook and Instagram): a paused campaign for traffic to the page, with one ad set and one ad.

`POST {meta_url}/v26.0/act_{account}/campaigns|adsets|ads` answers `{"id": "..."}`. There is no idempotency key, and
names need not be unique. What makes each effect happen once: the campaign's id is part of every name, by which the
account's campaigns (`filtering` by name), the campaign's ad sets and the ad set's ads are looked through before
anything is sent again. The creative travels inside the ad: on its own it could not be looked for, as that edge takes
no filter.

Money: amounts are cents of the account's currency. Only accounts in USD are used, as the cap is in USD. The ad set's
lifetime budget is the cap: Meta spends no more between its start and its end. The account's smallest budget a day
(`minimum_budgets`) is asked for before anything is made. A campaign that is paused beyond its end shows nothing when
it is let run again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2
from services.campaign.domain import limits
from services.campaign.providers import meta_objects as objects
from services.campaign.providers.base import Done, Effect, Entry, Launch, Step, Terms
from services.campaign.providers.calls import BLANKED, Api, Call, failed, rows, text
from services.campaign.providers.launches import (
    CENT_MICROS,
    DIGITS_MAX,
    budget_too_small,
    check_public,
    name_of,
    not_in_usd,
    texts,
    whole_cents,
)
from services.campaign.providers.meta_errors import NOT_THERE, PLATFORM, refusal
from services.campaign.providers.meta_objects import MetaAccess

if TYPE_CHECKING:
    from chassis.clock import Clock
    from chassis.pool import HttpPool

CAMPAIGN, AD_SET, AD = "meta/campaign", "meta/ad_set", "meta/ad"
# An account's `account_status` that may run ads.
_ACTIVE = 1
# Things of one campaign's name on one page of an edge; there should be one at most.
_PAGE = "100"


class Meta:
    """One ad account with its page."""

    name = PLATFORM
    spends = True

    def __init__(self, pool: HttpPool, access: MetaAccess, clock: Clock) -> None:
        self._api = Api(PLATFORM, access.url, pool, clock, refusal)
        self._access = access
        # Cents a day, once the account was asked and found fit.
        self._least_a_day: int | None = None

    def steps(self, launch: Launch) -> Sequence[Step]:
        name = name_of(launch)
        return (
            Step(CAMPAIGN, "Campaign, paused", name),
            Step(AD_SET, "Ad set with the budget, the time and the countries", name),
            Step(AD, "Ad with its creative", name),
        )

    def request(self, launch: Launch, step: Step, done: Done) -> campaign_pb2.PlannedRequest:
        return self._creation(launch, step, done).shown(self._api, {"Authorization": f"Bearer {BLANKED}"})

    async def find(self, launch: Launch, step: Step, done: Done) -> Effect | None:
        params = {"fields": "id,name", "limit": _PAGE}
        if step.key == CAMPAIGN:
            wanted = [{"field": "name", "operator": "CONTAIN", "value": launch.campaign_id}]
            params["filtering"] = json.dumps(wanted)
            call = self._call("GET", f"{self._account}/campaigns", params=params)
        elif step.key == AD_SET:
            call = self._call("GET", f"{done[CAMPAIGN]}/adsets", params=params)
        else:
            call = self._call("GET", f"{done[AD_SET]}/ads", params=params)
        for row in rows(PLATFORM, await self._send(call), "data"):
            if row.get("name") == step.name:
                return Effect(text(PLATFORM, row, "id"), found=True)
        return None

    async def perform(self, launch: Launch, step: Step, done: Done) -> Effect:
        if step.key != AD:
            await self._check(launch)
        return Effect(text(PLATFORM, await self._send(self._creation(launch, step, done)), "id"))

    async def undo(self, launch: Launch, step: Step, external_id: str) -> None:
        """Deletes it; what is in it goes with it."""
        try:
            await self._send(self._call("DELETE", external_id))
        except PipelineError as error:
            if error.metadata.get("code") not in NOT_THERE:
                raise

    async def switch(self, launch: Launch, done: Done, *, on: bool) -> None:
        await self._send(self._call("POST", done[CAMPAIGN], {"status": "ACTIVE" if on else "PAUSED"}))

    async def spent_micros(self, launch: Launch, done: Done) -> int:
        """Spend over the campaign's whole life; insights are in units of the currency ("12.34") and may trail."""
        params = {"fields": "spend,account_currency", "date_preset": "maximum"}
        spent = 0
        for row in rows(
            PLATFORM, await self._send(self._call("GET", f"{done[CAMPAIGN]}/insights", params=params)), "data"
        ):
            if row.get("account_currency") != "USD":
                raise self._wrong_currency(str(row.get("account_currency", "")))
            spent += micros(text(PLATFORM, row, "spend"))
        return spent

    # ------------------------------------------------------------------------------------ requests

    def _creation(self, launch: Launch, step: Step, done: Done) -> Call:
        if step.key == CAMPAIGN:
            return self._call("POST", f"{self._account}/campaigns", objects.campaign(self._access, launch))
        if step.key == AD_SET:
            parent = done.effects.get(CAMPAIGN, f"{{{CAMPAIGN}}}")
            body = objects.ad_set(self._access, launch, parent, *self._times(launch))
            return self._call("POST", f"{self._account}/adsets", body)
        parent = done.effects.get(AD_SET, f"{{{AD_SET}}}")
        return self._call("POST", f"{self._account}/ads", objects.ad(self._access, launch, parent))

    def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, params: dict[str, str] | None = None
    ) -> Call:
        return Call(method, f"/{self._access.version}/{path}", body, params or {})

    async def _send(self, call: Call) -> dict[str, Any]:
        # In a header and not in the address, which gets logged.
        headers = {"Authorization": f"Bearer {self._access.token.get_secret_value()}"}
        return await call.read(self._api, headers)

    @property
    def _account(self) -> str:
        return f"act_{self._access.account}"

    def _times(self, launch: Launch) -> tuple[datetime, datetime]:
        """Start and end, to the minute. A later try starts later and ends at the same moment."""
        now = self._api.clock.now()
        began = launch.starts_at or now
        end = began + timedelta(days=launch.days)
        return max(began, now).replace(second=0, microsecond=0), end.replace(second=0, microsecond=0)

    # ------------------------------------------------------------------------------------ checks

    async def _check(self, launch: Launch) -> None:
        """Refuses what Meta would refuse, or would spend differently, before anything is made."""
        check_public("page_url", launch.page_url)
        start, end = self._times(launch)
        days = math.ceil((end - start) / timedelta(days=1))
        if days < 2:
            raise PipelineError.invalid("days", f"leave {PLATFORM} {days}; a lifetime budget needs more than one")
        if not texts(launch, limits.META, limits.PRIMARY):
            raise PipelineError.invalid("assets", f"hold no text for {PLATFORM}; draft anew")
        if self._least_a_day is None:
            await self._check_account()
            self._least_a_day = await self._asked_least()
        least = max(self._least_a_day, 1) * days * CENT_MICROS
        if whole_cents(launch.budget_micros) < least:
            raise budget_too_small(PLATFORM, launch.budget_micros, least, days)

    async def _check_account(self) -> None:
        account = await self._send(self._call("GET", self._account, params={"fields": "currency,account_status"}))
        if account.get("currency") != "USD":
            raise self._wrong_currency(str(account.get("currency", "")))
        if account.get("account_status") != _ACTIVE:
            status = account.get("account_status")
            raise failed(PLATFORM, f"account is not active (status {status}); see Ads Manager", cause="refused")

    async def _asked_least(self) -> int:
        """The smallest budget a day for ads that are optimised for clicks, in cents."""
        answer = await self._send(self._call("GET", f"{self._account}/minimum_budgets"))
        for row in rows(PLATFORM, answer, "data"):
            if row.get("currency") == "USD":
                least = text(PLATFORM, row, "min_daily_budget_high_freq")
                if least.isdecimal():
                    return int(least)
        raise failed(PLATFORM, "answered no smallest budget in USD", cause="malformed")

    def _wrong_currency(self, currency: str) -> PipelineError:
        return not_in_usd(PLATFORM, currency, "set PIPELINE_META_ACCOUNT_ID to an account in USD")


def micros(amount: str) -> int:
    """ "12.34" in micros, exactly."""
    whole, _, part = amount.partition(".")
    if not whole.isdecimal() or len(whole) > DIGITS_MAX - 6 or (part and not part.isdecimal()):
        raise failed(PLATFORM, "answered an amount that is no number", cause="malformed")
    return int(whole) * 1_000_000 + int(part[:6].ljust(6, "0"))


ENTRY = Entry(
    name=PLATFORM,
    # Limited access has a basic quota of calls an hour and account that is not published as one number
    # (developers.facebook.com/docs/marketing-api/overview/rate-limiting); a set-up is a dozen calls.
    terms=Terms(rate=1.0, burst=10, concurrency=2, timeout_seconds=25.0),
    make=lambda pool, config, clock: Meta(pool, MetaAccess.of(config), clock),
    lacks=lambda config: MetaAccess.of(config).lacks(),
    by_hand="Make the campaign in Ads Manager: objective Traffic, a lifetime budget with these dates, the texts of "
    "campaign/ads.json, and the page's address with its utm parameters as website.",
)
