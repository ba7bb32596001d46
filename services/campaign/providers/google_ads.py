"""Google Ads: one paused search campaign, made by one atomic request.

`POST {google_ads_url}/v26/customers/{customer}/googleAds:mutate` creates budget, campaign, criteria, ad group,
keywords and ad together or not at all, so that a set-up cannot be half done. There is no idempotency key. What makes
the effect happen once: names of campaigns are unique within an account (CampaignError.DUPLICATE_CAMPAIGN_NAME), and
the campaign's id is part of its name, by which `googleAds:search` finds it after a reply was lost.

Money: amounts are micros of the account's currency. Only accounts in USD are used, as the cap is in USD. The budget is
a campaign total budget (no daily average): Google bills no more than it. A click costs at most the plan's upper price
of a click. `metrics.cost_micros` may trail what was shown by some hours.

Dates run in the account's time zone, from the day of the set-up. A campaign that is paused beyond its last day shows
nothing when it is let run again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, timedelta, tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2
from services.campaign.domain import limits
from services.campaign.providers.base import Done, Effect, Entry, Launch, Step, Terms
from services.campaign.providers.calls import Api, Call, failed, part, rows, text
from services.campaign.providers.google_ads_access import PLATFORM, GoogleAdsAccess, Tokens
from services.campaign.providers.google_ads_errors import DUPLICATE_NAME, GONE, refusal
from services.campaign.providers.google_ads_operations import DAYS_MAX, DAYS_MIN, mutate
from services.campaign.providers.launches import (
    CENT_MICROS,
    DIGITS_MAX,
    budget_too_small,
    channel_of,
    check_public,
    name_of,
    not_in_usd,
    texts,
    whole_cents,
)

if TYPE_CHECKING:
    from chassis.clock import Clock
    from chassis.pool import HttpPool

CAMPAIGN = "google_ads/campaign"


class GoogleAds:
    """One Google Ads account."""

    name = PLATFORM
    spends = True

    def __init__(self, pool: HttpPool, access: GoogleAdsAccess, clock: Clock) -> None:
        self._api = Api(PLATFORM, access.url, pool, clock, refusal)
        self._access = access
        self._tokens = Tokens(self._api, access)
        # (currency, time zone) of the account, once it was asked.
        self._account: tuple[str, str] | None = None

    def steps(self, launch: Launch) -> Sequence[Step]:
        title = "Budget, campaign, keywords and ad, in one request that is carried out whole or not at all"
        return (Step(CAMPAIGN, title, name_of(launch)),)

    def request(self, launch: Launch, step: Step, done: Done) -> campaign_pb2.PlannedRequest:
        """Dates are those of the account's time zone once that is known, before of UTC."""
        return self._creation(launch, step).shown(self._api, self._tokens.shown())

    async def find(self, launch: Launch, step: Step, done: Done) -> Effect | None:
        fields = "campaign.resource_name, campaign.name, campaign.status"
        where = f"campaign.name = {quoted(step.name)} AND campaign.status != 'REMOVED'"
        for row in await self._search(selecting(fields, "campaign", where)):
            campaign = part(row, "campaign")
            if campaign.get("name") == step.name:
                return Effect(text(PLATFORM, campaign, "resourceName"), found=True)
        return None

    async def perform(self, launch: Launch, step: Step, done: Done) -> Effect:
        await self._check(launch)
        try:
            answer = await self._send(self._creation(launch, step))
        except PipelineError as error:
            if error.metadata.get("code") != DUPLICATE_NAME:
                raise
            # An earlier try came through after it was looked for.
            found = await self.find(launch, step, done)
            if found is None:
                raise
            return found
        for made in rows(PLATFORM, answer, "mutateOperationResponses"):
            if "campaignResult" in made:
                return Effect(text(PLATFORM, part(made, "campaignResult"), "resourceName"))
        raise failed(PLATFORM, "answered without the campaign's name", cause="malformed")

    async def undo(self, launch: Launch, step: Step, external_id: str) -> None:
        """Removes the campaign; its budget is its own and goes with it."""
        try:
            await self._send(self._campaigns({"remove": external_id}))
        except PipelineError as error:
            if error.metadata.get("code") not in GONE:
                raise

    async def switch(self, launch: Launch, done: Done, *, on: bool) -> None:
        update = {"resourceName": done[CAMPAIGN], "status": "ENABLED" if on else "PAUSED"}
        await self._send(self._campaigns({"update": update, "updateMask": "status"}))

    async def spent_micros(self, launch: Launch, done: Done) -> int:
        """Cost over the campaign's whole life, which no date in the query limits."""
        fields, where = (
            "customer.currency_code, metrics.cost_micros",
            f"campaign.resource_name = {quoted(done[CAMPAIGN])}",
        )
        spent = 0
        for row in await self._search(selecting(fields, "campaign", where)):
            currency = part(row, "customer").get("currencyCode", "")
            if currency != "USD":
                raise self._wrong_currency(str(currency))
            cost = str(part(row, "metrics").get("costMicros", "0"))
            if not cost.isdecimal() or len(cost) > DIGITS_MAX:
                raise failed(PLATFORM, "answered a cost that is no number", cause="malformed")
            spent += int(cost)
        return spent

    # ------------------------------------------------------------------------------------ requests

    def _creation(self, launch: Launch, step: Step) -> Call:
        return self._call("googleAds:mutate", mutate(launch, self._access, *self._days(launch)))

    def _campaigns(self, operation: dict[str, Any]) -> Call:
        return self._call("campaigns:mutate", {"operations": [operation]})

    def _call(self, method: str, body: dict[str, Any]) -> Call:
        return Call("POST", f"/{self._access.version}/customers/{self._access.customer}/{method}", body)

    async def _search(self, query: str) -> list[dict[str, Any]]:
        return rows(PLATFORM, await self._send(self._call("googleAds:search", {"query": query})), "results")

    async def _send(self, call: Call) -> dict[str, Any]:
        try:
            return await call.read(self._api, await self._tokens.headers())
        except PipelineError as error:
            if error.metadata.get("status") == "401":
                self._tokens.forget()
            raise

    # ------------------------------------------------------------------------------------ checks

    async def _check(self, launch: Launch) -> None:
        """Refuses what Google would refuse, or would spend differently, before anything is made."""
        check_public("page_url", launch.page_url)
        bid = channel_of(launch, limits.GOOGLE).cpc_high_micros
        if whole_cents(bid) < CENT_MICROS:
            raise PipelineError.invalid("platforms", f"name {PLATFORM}, for which the plan has no price of a click")
        if whole_cents(launch.budget_micros) < bid:
            raise budget_too_small(PLATFORM, launch.budget_micros, bid, launch.days)
        for kind, slot in ((limits.HEADLINE, "headlines"), (limits.DESCRIPTION, "descriptions")):
            least = next(s.least for s in limits.SLOTS if (s.platform, s.kind) == (limits.GOOGLE, kind))
            if len(texts(launch, limits.GOOGLE, kind)) < least:
                raise PipelineError.invalid("assets", f"hold fewer than {least} {slot} for {PLATFORM}; draft anew")
        if all(keyword.negative for keyword in launch.draft.keywords):
            raise PipelineError.invalid("keywords", f"hold none that {PLATFORM} could show the ad for; draft anew")
        currency, _ = await self._known_account()
        if currency != "USD":
            raise self._wrong_currency(currency)
        first, last = self._days(launch)
        days = (last - first).days + 1
        if not DAYS_MIN <= days <= DAYS_MAX:
            raise PipelineError.invalid(
                "days", f"leave {PLATFORM} {days} days; a total budget runs {DAYS_MIN} to {DAYS_MAX} there"
            )

    async def _known_account(self) -> tuple[str, str]:
        if self._account is None:
            found = await self._search("SELECT customer.currency_code, customer.time_zone FROM customer LIMIT 1")
            customer = part(found[0], "customer") if found else {}
            self._account = (str(customer.get("currencyCode", "")), str(customer.get("timeZone", "")))
        return self._account

    def _wrong_currency(self, currency: str) -> PipelineError:
        return not_in_usd(PLATFORM, currency, "set PIPELINE_GOOGLE_ADS_CUSTOMER_ID to an account in USD")

    def _days(self, launch: Launch) -> tuple[date, date]:
        """First and last day in the account's time zone. A later try starts later and ends on the same day."""
        now = self._api.clock.now()
        began = launch.starts_at or now
        zone = self._zone()
        last = began.astimezone(zone).date() + timedelta(days=launch.days - 1)
        return max(began, now).astimezone(zone).date(), last

    def _zone(self) -> tzinfo:
        try:
            return ZoneInfo(self._account[1]) if self._account else UTC
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return UTC


def selecting(fields: str, resource: str, where: str) -> str:
    """A query of the Google Ads Query Language."""
    return " ".join(("SELECT", fields, "FROM", resource, "WHERE", where))


def quoted(value: str) -> str:
    """A string of the Google Ads Query Language."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


ENTRY = Entry(
    name=PLATFORM,
    # Explorer access has 2,880 operations a day (developers.google.com/google-ads/api/docs/best-practices/quotas); a
    # campaign is some 60 operations in one request, and a reading one.
    terms=Terms(rate=1.0, burst=5, concurrency=2, timeout_seconds=25.0),
    make=lambda pool, config, clock: GoogleAds(pool, GoogleAdsAccess.of(config), clock),
    lacks=lambda config: GoogleAdsAccess.of(config).lacks(),
    by_hand="Import campaign/ads.csv in Google Ads Editor (Account > Import > From file), set the page's address as "
    "final URL, and give the campaign a total budget with these dates.",
)
