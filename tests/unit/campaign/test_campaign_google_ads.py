"""Google Ads: the request that makes a search campaign, its money, its names, and what refusals mean."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from bench.replay.platforms.google_ads import ACCESS_TOKEN, CUSTOMER, REFRESH_TOKEN, GoogleAdsReplay
from chassis.http_answer import HttpResponse
from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2, errors_pb2
from services.campaign.domain import limits
from services.campaign.providers.base import Done, Step
from services.campaign.providers.google_ads import CAMPAIGN, quoted
from services.campaign.providers.google_ads_access import GoogleAdsAccess
from services.campaign.providers.google_ads_errors import faults_of, refusal
from services.campaign.providers.launches import name_of
from tests.support.ads import NOW, body_of, drafted, google_ads, launched, made, manual_clock, planned

# Beside the repository, not part of it.
SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "api-samples" / "google_ads"


def creations(body: dict[str, Any], operation: str) -> list[dict[str, Any]]:
    return [item[operation]["create"] for item in body["mutateOperations"] if operation in item]


async def test_the_replay_takes_the_whole_campaign_in_one_request() -> None:
    """A drafted campaign is accepted as it is: every field and value is one that the API knows."""
    async with GoogleAdsReplay() as replay, google_ads(replay) as platform:
        done = await made(platform, launched())

        assert done[CAMPAIGN] == replay.all("campaigns")[0]["resourceName"]
        assert [len(replay.all(kind)) for kind in ("campaigns", "campaignBudgets", "adGroups", "adGroupAds")] == [1] * 4
        assert len([asked for asked in replay.asked if asked.path.endswith("googleAds:mutate")]) == 1


async def test_everything_is_made_switched_off() -> None:
    """The campaign is paused; what is in it is on, so that one switch turns all."""
    async with GoogleAdsReplay() as replay, google_ads(replay) as platform:
        await made(platform, launched())

        assert replay.all("campaigns")[0]["status"] == "PAUSED"
        assert replay.all("adGroups")[0]["status"] == "ENABLED"


async def test_the_budget_is_a_total_that_never_exceeds_the_cap() -> None:
    """A campaign total budget, rounded down to a cent, of this campaign alone."""
    async with GoogleAdsReplay() as replay, google_ads(replay) as platform:
        await made(platform, launched(budget_micros=199_999_999))

        budget = replay.all("campaignBudgets")[0]
        assert (budget["period"], budget["totalAmountMicros"]) == ("CUSTOM_PERIOD", "199990000")
        assert budget["explicitlyShared"] is False
        assert "amountMicros" not in budget


async def test_a_click_costs_at_most_the_plan_s_upper_price() -> None:
    """The ad group's bid is the plan's upper price of a click."""
    async with GoogleAdsReplay() as replay, google_ads(replay) as platform:
        await made(platform, launched())

        channel = next(c for c in drafted().plan.channels if c.platform == limits.GOOGLE)
        assert int(replay.all("adGroups")[0]["cpcBidMicros"]) == channel.cpc_high_micros // 10_000 * 10_000


async def test_ads_show_in_search_results_alone_and_to_people_who_are_there() -> None:
    """No display network, no partners; the place is where people are."""
    async with GoogleAdsReplay() as replay, google_ads(replay, location="2826") as platform:
        await made(platform, launched())

        campaign = replay.all("campaigns")[0]
        assert {name for name, on in campaign["networkSettings"].items() if on} == {"targetGoogleSearch"}
        assert campaign["geoTargetTypeSetting"] == {"positiveGeoTargetType": "PRESENCE"}
        criteria = replay.all("campaignCriteria")
        assert [c["location"] for c in criteria if "location" in c] == [
            {"geoTargetConstant": "geoTargetConstants/2826"}
        ]


async def test_the_campaign_declares_that_it_is_no_political_advertising() -> None:
    """Without the declaration the API refuses every new campaign."""
    async with GoogleAdsReplay() as replay, google_ads(replay) as platform:
        body = body_of(planned(platform, launched())[0])

        declared = creations(body, "campaignOperation")[0]["containsEuPoliticalAdvertising"]
        assert declared == "DOES_NOT_CONTAIN_EU_POLITICAL_ADVERTISING"


async def test_keywords_keep_their_match_types_and_negatives_are_the_campaign_s() -> None:
    """Every drafted keyword is sent once: positive ones to the ad group, negative ones to the campaign."""
    async with GoogleAdsReplay() as replay, google_ads(replay) as platform:
        await made(platform, launched())

        wanted = {
            (k.text, campaign_pb2.KeywordMatch.Name(k.match).removeprefix("KEYWORD_MATCH_"), k.negative)
            for k in drafted().keywords
        }
        sent = {(c["keyword"]["text"], c["keyword"]["matchType"], False) for c in replay.all("adGroupCriteria")}
        negative = [c for c in replay.all("campaignCriteria") if "keyword" in c]
        sent |= {(c["keyword"]["text"], c["keyword"]["matchType"], c["negative"]) for c in negative}
        assert sent == wanted


async def test_the_ad_leads_to_the_page_with_its_source() -> None:
    """The final URL names source, medium and campaign; the keyword is added by the platform."""
    async with GoogleAdsReplay() as replay, google_ads(replay) as platform:
        await made(platform, launched())

        url = urlsplit(replay.all("adGroupAds")[0]["ad"]["finalUrls"][0])
        assert url._replace(query="").geturl() == "https://try.example.org/p/larderwise-7k2m"
        tags = {"utm_source": ["google"], "utm_medium": ["cpc"], "utm_campaign": ["larderwise-7k2m"]}
        assert parse_qs(url.query) == tags
        assert replay.all("campaigns")[0]["finalUrlSuffix"] == "utm_term={keyword}"


async def test_the_ad_carries_the_drafted_texts() -> None:
    """Headlines, descriptions and paths are those of the draft, as many as the platform takes."""
    async with GoogleAdsReplay() as replay, google_ads(replay) as platform:
        await made(platform, launched())

        ad = replay.all("adGroupAds")[0]["ad"]["responsiveSearchAd"]
        drafted_headlines = [
            a.text for a in drafted().assets if a.platform == limits.GOOGLE and a.kind == limits.HEADLINE
        ]
        assert [item["text"] for item in ad["headlines"]] == drafted_headlines[:15]
        assert len(ad["descriptions"]) >= 2


async def test_dates_are_those_of_the_account_s_time_zone() -> None:
    """03:30 in UTC is still the day before in New York: the campaign starts there and then, for fourteen days."""
    async with GoogleAdsReplay(time_zone="America/New_York") as replay, google_ads(replay) as platform:
        await made(platform, launched(days=14))

        campaign = replay.all("campaigns")[0]
        assert (campaign["startDateTime"], campaign["endDateTime"]) == ("2026-11-24 00:00:00", "2026-12-07 23:59:59")


async def test_a_later_try_ends_on_the_same_day() -> None:
    """Two days after the publication a retry starts on its own day, as no campaign starts in the past."""
    clock = manual_clock()
    clock.advance(timedelta(days=2).total_seconds())
    async with GoogleAdsReplay(time_zone="UTC") as replay, google_ads(replay, clock) as platform:
        await made(platform, launched(starts_at=NOW, days=14))

        campaign = replay.all("campaigns")[0]
        assert (campaign["startDateTime"], campaign["endDateTime"]) == ("2026-11-27 00:00:00", "2026-12-08 23:59:59")


async def test_an_account_in_another_currency_is_refused_before_anything_is_made() -> None:
    """A cap in dollars is not spent as euros: INVALID_FIELD names the setting, and no mutation leaves."""
    async with GoogleAdsReplay(currency="EUR") as replay, google_ads(replay) as platform:
        with pytest.raises(PipelineError, match="kept in EUR; set PIPELINE_GOOGLE_ADS_CUSTOMER_ID") as raised:
            await made(platform, launched())

        assert raised.value.reason == errors_pb2.ERROR_REASON_INVALID_FIELD
        assert not replay.made


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"page_url": "http://127.0.0.1:8081/p/larderwise"}, "page_url is not an address that everybody reaches"),
        ({"budget_micros": 0}, "budget_micros leaves google_ads 0.00 USD"),
        ({"days": 2}, "leave google_ads 2 days"),
        ({"days": 91}, "leave google_ads 91 days"),
    ],
)
async def test_money_and_time_that_make_no_campaign_are_refused_before_anything_is_made(
    changes: dict[str, Any], said: str
) -> None:
    """The platform's bounds are checked here, with the mend, and nothing is sent that changes something."""
    async with GoogleAdsReplay() as replay, google_ads(replay) as platform:
        with pytest.raises(PipelineError, match=said) as raised:
            await made(platform, launched(**changes))

        assert raised.value.reason == errors_pb2.ERROR_REASON_INVALID_FIELD
        assert not replay.made


async def test_a_campaign_is_found_by_its_name_and_by_no_other() -> None:
    """A title with quotes, a backslash and another campaign of the same title do no harm."""
    tricky = launched(title='Larder\'s \\ "wise"\n')
    other = launched(title='Larder\'s \\ "wise"\n', campaign_id="01jd9q3k7m2xw4v8h5t6p0r1sb")
    async with GoogleAdsReplay() as replay, google_ads(replay) as platform:
        await made(platform, other)
        assert await platform.find(tricky, platform.steps(tricky)[0], Done()) is None

        done = await made(platform, tricky)
        found = await platform.find(tricky, platform.steps(tricky)[0], Done())
        assert found is not None
        assert found.found
        assert found.external_id == done[CAMPAIGN]


async def test_a_campaign_that_was_removed_is_not_found() -> None:
    """After it was taken back it can be made anew, under the same name."""
    launch = launched()
    async with GoogleAdsReplay() as replay, google_ads(replay) as platform:
        step = platform.steps(launch)[0]
        done = await made(platform, launch)
        await platform.undo(launch, step, done[CAMPAIGN])
        assert await platform.find(launch, step, Done()) is None

        await made(platform, launch)
        assert len(replay.all("campaigns")) == 1


async def test_taking_back_twice_is_taking_back_once() -> None:
    """What is removed already, or was never there, counts as taken back."""
    launch = launched()
    async with GoogleAdsReplay() as replay, google_ads(replay) as platform:
        step = platform.steps(launch)[0]
        done = await made(platform, launch)
        await platform.undo(launch, step, done[CAMPAIGN])
        await platform.undo(launch, step, done[CAMPAIGN])
        await platform.undo(launch, step, f"customers/{CUSTOMER}/campaigns/999")

        assert not replay.all("campaigns")
        assert not replay.all("campaignBudgets")


async def test_a_campaign_that_came_through_meanwhile_is_taken_for_the_effect() -> None:
    """The platform refuses a second campaign of the name; the first one is the step's effect."""
    launch = launched()
    async with GoogleAdsReplay() as replay, google_ads(replay) as platform:
        step = platform.steps(launch)[0]
        first = await platform.perform(launch, step, Done())
        second = await platform.perform(launch, step, Done())

        assert (second.external_id, second.found) == (first.external_id, True)
        assert replay.made["campaigns"] == 1


async def test_switching_turns_the_campaign_alone_and_repeats_without_harm() -> None:
    """On, on, off: the status follows."""
    launch = launched()
    async with GoogleAdsReplay() as replay, google_ads(replay) as platform:
        done = await made(platform, launch)
        for on, status in ((True, "ENABLED"), (True, "ENABLED"), (False, "PAUSED")):
            await platform.switch(launch, done, on=on)
            assert replay.all("campaigns")[0]["status"] == status


async def test_spend_is_what_the_platform_says_in_micros() -> None:
    """Nothing before the first click, then the sum over the campaign's life."""
    launch = launched()
    async with GoogleAdsReplay() as replay, google_ads(replay) as platform:
        done = await made(platform, launch)
        assert await platform.spent_micros(launch, done) == 0

        replay.cost_micros[done[CAMPAIGN]] = 12_340_000
        assert await platform.spent_micros(launch, done) == 12_340_000


# ---------------------------------------------------------------------------------------------- access


async def test_one_access_token_serves_until_a_minute_before_its_end() -> None:
    """Tokens are renewed by time, not by call."""
    clock, launch = manual_clock(), launched()
    async with GoogleAdsReplay() as replay, google_ads(replay, clock) as platform:
        done = await made(platform, launch)
        clock.advance(3_500)
        await platform.spent_micros(launch, done)
        assert replay.tokens_given == 1

        clock.advance(100)
        await platform.spent_micros(launch, done)
        assert replay.tokens_given == 2


async def test_a_token_that_is_refused_early_is_not_used_again() -> None:
    """The call that met the refusal fails; the next one gets a new token."""
    launch = launched()
    async with GoogleAdsReplay() as replay, google_ads(replay) as platform:
        await platform.find(launch, platform.steps(launch)[0], Done())
        replay.tokens.clear()
        with pytest.raises(PipelineError, match="refused the credentials"):
            await made(platform, launch)
        await made(platform, launch)

        assert replay.tokens_given == 2
        assert replay.made["campaigns"] == 1


async def test_a_refused_refresh_token_names_the_settings_and_no_secret() -> None:
    """UPSTREAM_FAILED with OAuth's code; the message says which settings to look at."""
    async with GoogleAdsReplay() as replay, google_ads(replay, refresh_token=SecretStr("1//old-3f")) as platform:
        with pytest.raises(PipelineError, match=r"invalid_grant.*PIPELINE_GOOGLE_ADS_REFRESH_TOKEN") as raised:
            await made(platform, launched())

        assert raised.value.reason == errors_pb2.ERROR_REASON_UPSTREAM_FAILED
        assert "1//old-3f" not in repr(raised.value.to_json())


async def test_a_ready_access_token_is_used_without_a_token_endpoint() -> None:
    """Whoever has a token needs no OAuth client here."""
    token = ACCESS_TOKEN.format(7)
    async with GoogleAdsReplay() as replay:
        replay.tokens.add(token)
        changes = {"refresh_token": SecretStr(""), "access_token": SecretStr(token)}
        async with google_ads(replay, **changes) as platform:
            await made(platform, launched())

        assert replay.tokens_given == 0
        assert replay.made["campaigns"] == 1


async def test_headers_name_the_manager_account_and_a_developer_token_where_one_is_set() -> None:
    """Without these settings the headers are not sent: developer tokens have ended."""
    async with GoogleAdsReplay() as replay:
        async with google_ads(replay) as platform:
            await platform.find(launched(), Step(CAMPAIGN, "", "x"), Done())
        assert not {"developer-token", "login-customer-id"} & set(replay.asked[-1].headers)

        changes = {"login_customer_id": "999-888-7777", "developer_token": SecretStr("dev-5a")}
        async with google_ads(replay, **changes) as platform:
            await platform.find(launched(), Step(CAMPAIGN, "", "x"), Done())
            shown = planned(platform, launched())[0]
        assert replay.asked[-1].headers["login-customer-id"] == "9998887777"
        assert replay.asked[-1].headers["developer-token"] == "dev-5a"
        assert shown.headers["developer-token"] == shown.headers["Authorization"].removeprefix("Bearer ") == "***"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"customer_id": ""}, "CUSTOMER_ID"),
        ({"customer_id": "12"}, "CUSTOMER_ID"),
        ({"login_customer_id": "x"}, "LOGIN_CUSTOMER_ID"),
        ({"refresh_token": SecretStr("")}, "REFRESH_TOKEN"),
        ({"version": "v26/../x"}, "VERSION"),
        ({"location": "Berlin"}, "LOCATION"),
    ],
)
def test_what_is_missing_is_named(changes: dict[str, Any], said: str) -> None:
    """The reason is one sentence that begins with the setting."""
    given = {"customer_id": CUSTOMER, "refresh_token": SecretStr("r"), "client_id": SecretStr("i")}
    complete = {**given, "client_secret": SecretStr("s")}
    assert GoogleAdsAccess(**complete).lacks() == ""  # type: ignore[arg-type]
    assert said in GoogleAdsAccess(**{**complete, **changes}).lacks()  # type: ignore[arg-type]


def test_an_access_shows_no_secret() -> None:
    """Neither its repr nor that of what holds tokens."""
    assert REFRESH_TOKEN not in repr(GoogleAdsAccess(customer_id=CUSTOMER, refresh_token=SecretStr(REFRESH_TOKEN)))


# ---------------------------------------------------------------------------------------------- refusals


def answer(status: int, body: object) -> HttpResponse:
    return HttpResponse(status, "https://googleads.googleapis.com/", {}, json.dumps(body).encode())


def failure(status: int, *errors: dict[str, Any]) -> HttpResponse:
    kind = "type.googleapis.com/google.ads.googleads.v26.errors.GoogleAdsFailure"
    details = [{"@type": kind, "errors": list(errors), "requestId": "x"}]
    return answer(status, {"error": {"code": status, "message": "secret-words", "details": details}})


def test_a_used_up_quota_is_a_rate_limit_with_the_wait_that_it_names() -> None:
    """Whatever the HTTP status says; waits above five minutes are cut for callers and kept in the metadata."""
    quota = {"quotaErrorDetails": {"rateScope": "ACCOUNT", "rateName": "x", "retryDelay": "1800.5s"}}
    error = refusal(failure(429, {"errorCode": {"quotaError": "RESOURCE_EXHAUSTED"}, "details": quota}))

    assert error.reason == errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED
    assert (error.retry_after, error.metadata["wait_seconds"]) == (300.0, "1800")


def test_a_refusal_names_the_fault_and_its_field_and_no_sentence_of_the_platform() -> None:
    """Codes and fields are the platform's names; its sentences may repeat what was sent."""
    elements = [{"fieldName": "mutate_operations", "index": 1}, {"fieldName": "campaign_operation"}]
    fault = {
        "errorCode": {"campaignError": "DUPLICATE_CAMPAIGN_NAME"},
        "message": "secret-words",
        "trigger": {"stringValue": "secret-words"},
        "location": {"fieldPathElements": elements},
    }
    error = refusal(failure(400, fault))

    assert error.metadata["code"] == "DUPLICATE_CAMPAIGN_NAME"
    assert error.violations[0].field == "mutate_operations[1].campaign_operation"
    assert "secret-words" not in json.dumps(error.to_json())


@pytest.mark.parametrize("body", [[], {}, {"error": {}}, {"error": {"details": [{"errors": ["x", {"errorCode": 7}]}]}}])
def test_an_answer_in_another_shape_is_still_a_typed_error(body: object) -> None:
    """Only its status is told then."""
    error = refusal(answer(500, body))
    assert (error.reason, error.metadata["status"]) == (errors_pb2.ERROR_REASON_UPSTREAM_FAILED, "500")


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="needs shared/api-samples beside the repository")
def test_a_recorded_failure_is_read() -> None:
    """As a user of the API printed it; over REST the same stands in `error`."""
    recorded = json.loads((SAMPLES / "failure_status_v16.json").read_text())
    faults = faults_of(answer(400, {"error": recorded}))
    assert faults
    assert all(fault.kind.endswith("Error") and fault.code.isupper() for fault in faults)


def test_a_text_in_a_query_cannot_end_it() -> None:
    """Quotes and backslashes are escaped as the query language wants."""
    assert quoted("a'b\\c") == "'a\\'b\\\\c'"


def test_a_name_is_one_line_and_holds_the_campaign_s_id() -> None:
    """Control characters and length are the platform's concern: they are taken out, the id never."""
    name = name_of(launched(title="A\n\tB\x00 " + "x" * 300))
    assert name.startswith("A B xx")
    assert "\n" not in name
    assert name.endswith(f"[{launched().campaign_id}]")
    assert len(name) < 128
