"""Meta: campaign, ad set and ad, their money, the categories that ads have to name, and what refusals mean."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from bench.replay.platforms.meta import ACCOUNT, PAGE, TOKEN, MetaReplay
from chassis.http_answer import HttpResponse
from pipeline.errors import PipelineError
from pipeline.v1 import errors_pb2
from services.campaign.domain import limits
from services.campaign.providers.base import Done
from services.campaign.providers.meta import AD, AD_SET, CAMPAIGN, micros
from services.campaign.providers.meta_errors import refusal
from services.campaign.providers.meta_objects import MetaAccess, special_categories
from tests.support.ads import NOW, body_of, drafted, launched, made, manual_clock, meta, planned
from tests.support.campaigns import IDEAS

ACCESS = MetaAccess(token=SecretStr(TOKEN), account_id=ACCOUNT, page_id=PAGE)


async def test_the_replay_takes_campaign_ad_set_and_ad() -> None:
    """What is drafted is accepted as it is, and each hangs on the one before."""
    async with MetaReplay() as replay, meta(replay) as platform:
        done = await made(platform, launched())

        assert dict(replay.made) == {"campaigns": 1, "adsets": 1, "ads": 1}
        assert replay.nodes[done[AD_SET]]["campaign_id"] == done[CAMPAIGN]
        assert replay.nodes[done[AD]]["adset_id"] == done[AD_SET]


async def test_everything_is_made_switched_off() -> None:
    """The campaign is paused; what is in it is on, so that one switch turns all."""
    async with MetaReplay() as replay, meta(replay) as platform:
        done = await made(platform, launched())

        assert replay.nodes[done[CAMPAIGN]]["status"] == "PAUSED"
        assert replay.nodes[done[AD_SET]]["status"] == replay.nodes[done[AD]]["status"] == "ACTIVE"


async def test_the_budget_is_for_the_whole_time_in_cents_and_never_exceeds_the_cap() -> None:
    """A lifetime budget on the ad set, rounded down; the campaign has none of its own."""
    async with MetaReplay() as replay, meta(replay) as platform:
        done = await made(platform, launched(budget_micros=123_459_999))

        assert replay.nodes[done[AD_SET]]["lifetime_budget"] == 12_345
        campaign = replay.nodes[done[CAMPAIGN]]
        assert not {"lifetime_budget", "daily_budget", "spend_cap"} & set(campaign)
        assert campaign["is_adset_budget_sharing_enabled"] is False


async def test_ads_end_by_themselves() -> None:
    """Start and end with their time zone; the end is that of the publication, whenever the try."""
    clock = manual_clock()
    clock.advance(timedelta(days=1).total_seconds())
    async with MetaReplay() as replay, meta(replay, clock) as platform:
        done = await made(platform, launched(starts_at=NOW, days=14))

        ad_set = replay.nodes[done[AD_SET]]
        assert ad_set["start_time"] == "2026-11-26T03:30:00+0000"
        assert ad_set["end_time"] == "2026-12-09T03:30:00+0000"


async def test_nobody_is_picked_but_adults_of_the_countries() -> None:
    """No interests, no widening by the platform: the test asks who happens to see the ad."""
    async with MetaReplay() as replay, meta(replay, countries="us, ca") as platform:
        done = await made(platform, launched())

        assert replay.nodes[done[AD_SET]]["targeting"] == {
            "age_min": 18,
            "geo_locations": {"countries": ["US", "CA"]},
            "targeting_automation": {"advantage_audience": 0},
        }


async def test_ads_in_the_eu_name_who_benefits_and_who_pays() -> None:
    """Asked for by the Digital Services Act; without the setting the platform is not configured."""
    assert "BENEFICIARY" in MetaAccess(SecretStr("t"), ACCOUNT, PAGE, countries="US,DE").lacks()
    async with MetaReplay() as replay, meta(replay, countries="DE", beneficiary="Larderwise GmbH") as platform:
        done = await made(platform, launched())

        ad_set = replay.nodes[done[AD_SET]]
        assert ad_set["dsa_beneficiary"] == ad_set["dsa_payor"] == "Larderwise GmbH"


async def test_the_ad_leads_to_the_page_with_its_source() -> None:
    """Link and button are the same address, which names source, medium and campaign."""
    async with MetaReplay() as replay, meta(replay) as platform:
        done = await made(platform, launched())

        story = replay.nodes[done[AD]]["creative"]["object_story_spec"]
        link = story["link_data"]["link"]
        assert story["page_id"] == PAGE
        assert story["link_data"]["call_to_action"] == {"type": "SIGN_UP", "value": {"link": link}}
        assert urlsplit(link)._replace(query="").geturl() == "https://try.example.org/p/larderwise-7k2m"
        tags = {"utm_source": ["meta"], "utm_medium": ["paid_social"], "utm_campaign": ["larderwise-7k2m"]}
        assert parse_qs(urlsplit(link).query) == tags


async def test_the_ad_carries_the_drafted_texts() -> None:
    """The first text of each kind."""
    async with MetaReplay() as replay, meta(replay) as platform:
        done = await made(platform, launched())

        link = replay.nodes[done[AD]]["creative"]["object_story_spec"]["link_data"]
        first = {a.kind: a.text for a in reversed(drafted().assets) if a.platform == limits.META}
        assert link["message"] == first[limits.PRIMARY]
        assert link["name"] == first[limits.HEADLINE]


async def test_the_ad_shows_the_picture_that_is_set() -> None:
    """Without one, the platform takes the page's own."""
    picture = "https://try.example.org/picture.png"
    async with MetaReplay() as replay:
        for given, wanted in ((picture, picture), ("", None)):
            async with meta(replay, picture=given) as platform:
                done = await made(platform, launched())
            link = replay.nodes[done[AD]]["creative"]["object_story_spec"]["link_data"]
            assert link.get("picture") == wanted


@pytest.mark.parametrize(
    ("idea", "category"),
    [
        ("A marketplace where landlords and tenants swap apartments", "HOUSING"),
        ("A tool that helps recruiters screen job candidates", "EMPLOYMENT"),
        ("An app that compares mortgages and loans for young buyers", "FINANCIAL_PRODUCTS_SERVICES"),
    ],
)
async def test_an_idea_in_a_special_field_names_its_category_and_its_countries(idea: str, category: str) -> None:
    """Housing, employment and financial ads that do not say so are rejected."""
    launch = launched(idea)
    async with MetaReplay() as replay, meta(replay) as platform:
        done = await made(platform, launch)

        campaign = replay.nodes[done[CAMPAIGN]]
        assert category in campaign["special_ad_categories"]
        assert campaign["special_ad_category_country"] == ["US"]


def test_an_idea_in_no_special_field_names_none() -> None:
    """The field is required: it is sent empty."""
    assert special_categories(ACCESS, launched(IDEAS["food"])) == []


def test_an_operator_may_name_categories_besides() -> None:
    """Once each, in a stable order."""
    access = MetaAccess(SecretStr("t"), ACCOUNT, PAGE, categories="housing, EMPLOYMENT,housing")
    assert special_categories(access, launched(IDEAS["food"])) == ["EMPLOYMENT", "HOUSING"]


# ---------------------------------------------------------------------------------------------- refused before


async def test_an_account_in_another_currency_is_refused_before_anything_is_made() -> None:
    """A cap in dollars is not spent as euros."""
    async with MetaReplay(currency="EUR") as replay, meta(replay) as platform:
        with pytest.raises(PipelineError, match="kept in EUR; set PIPELINE_META_ACCOUNT_ID") as raised:
            await made(platform, launched())

        assert raised.value.reason == errors_pb2.ERROR_REASON_INVALID_FIELD
        assert not replay.made


async def test_a_budget_below_the_account_s_smallest_is_refused_before_anything_is_made() -> None:
    """The account says what a day has to have; the error says what that makes for the whole time."""
    async with MetaReplay(least_cents_a_day=500) as replay, meta(replay) as platform:
        with pytest.raises(PipelineError, match=r"leaves meta 69\.99 USD for 14 days, and it takes 70\.00 USD"):
            await made(platform, launched(budget_micros=69_990_000, days=14))
        assert not replay.made

        await made(platform, launched(budget_micros=70_000_000, days=14))
        assert replay.made["adsets"] == 1


async def test_an_account_that_is_not_active_is_refused_before_anything_is_made() -> None:
    """Disabled and unsettled accounts take campaigns and never show them."""
    async with MetaReplay(account_status=3) as replay, meta(replay) as platform:
        with pytest.raises(PipelineError, match=r"not active \(status 3\)"):
            await made(platform, launched())
        assert not replay.made


async def test_a_page_that_nobody_reaches_is_refused_before_anything_is_made() -> None:
    """Money spent on clicks that lead nowhere is lost."""
    async with MetaReplay() as replay, meta(replay) as platform:
        with pytest.raises(PipelineError, match="page_url is not an address that everybody reaches"):
            await made(platform, launched(page_url="http://localhost:8081/p/larderwise"))
        assert not replay.asked


async def test_a_single_day_is_refused_before_anything_is_made() -> None:
    """A lifetime budget needs more than a day."""
    async with MetaReplay() as replay, meta(replay) as platform:
        with pytest.raises(PipelineError, match="leave meta 1"):
            await made(platform, launched(days=1))
        assert not replay.made


# ---------------------------------------------------------------------------------------------- finding, undoing


async def test_each_step_is_found_by_its_name_under_its_parent() -> None:
    """A campaign of another id with the same title is not taken for it."""
    launch, other = launched(), launched(campaign_id="01jd9q3k7m2xw4v8h5t6p0r1sb")
    async with MetaReplay() as replay, meta(replay) as platform:
        await made(platform, other)
        assert await platform.find(launch, platform.steps(launch)[0], Done()) is None

        done = await made(platform, launch)
        for step in platform.steps(launch):
            found = await platform.find(launch, step, done)
            assert found is not None
            assert found.found
            assert found.external_id == done[step.key]
        assert replay.made["campaigns"] == 2


async def test_taking_the_campaign_back_takes_what_is_in_it_and_twice_is_once() -> None:
    """What is gone counts as taken back."""
    launch = launched()
    async with MetaReplay() as replay, meta(replay) as platform:
        done = await made(platform, launch)
        campaign, _, ad = platform.steps(launch)
        await platform.undo(launch, campaign, done[CAMPAIGN])
        assert not replay.nodes

        await platform.undo(launch, campaign, done[CAMPAIGN])
        await platform.undo(launch, ad, done[AD])


async def test_switching_turns_the_campaign_alone_and_repeats_without_harm() -> None:
    """On, on, off: the status follows."""
    launch = launched()
    async with MetaReplay() as replay, meta(replay) as platform:
        done = await made(platform, launch)
        for on, status in ((True, "ACTIVE"), (True, "ACTIVE"), (False, "PAUSED")):
            await platform.switch(launch, done, on=on)
            assert replay.nodes[done[CAMPAIGN]]["status"] == status


async def test_spend_is_what_the_insights_say() -> None:
    """Nothing before the first impression; then exact, though it comes as a decimal text."""
    launch = launched()
    async with MetaReplay() as replay, meta(replay) as platform:
        done = await made(platform, launch)
        assert await platform.spent_micros(launch, done) == 0

        replay.spend[done[CAMPAIGN]] = "12.34"
        assert await platform.spent_micros(launch, done) == 12_340_000


@pytest.mark.parametrize(
    ("amount", "wanted"), [("0", 0), ("7", 7_000_000), ("0.1", 100_000), ("12.345678", 12_345_678)]
)
def test_amounts_are_read_exactly(amount: str, wanted: int) -> None:
    """No binary fractions in between."""
    assert micros(amount) == wanted


@pytest.mark.parametrize("amount", ["", "-1", "1,5", "1.2.3", "NaN", "1e3", "9" * 10])
def test_an_amount_that_is_none_is_malformed(amount: str) -> None:
    """UPSTREAM_FAILED rather than a wrong figure."""
    with pytest.raises(PipelineError, match="no number"):
        micros(amount)


# ---------------------------------------------------------------------------------------------- requests shown


async def test_requests_that_are_shown_are_those_that_are_sent_secrets_aside() -> None:
    """Ids that are not known yet stand as their step's key, and nothing leaves."""
    async with MetaReplay() as replay, meta(replay) as platform:
        shown = planned(platform, launched())
        assert not replay.asked
        assert [r.method for r in shown] == ["POST"] * 3
        assert body_of(shown[1])["campaign_id"] == "{meta/campaign}"
        assert all(r.headers["Authorization"] == "Bearer ***" and TOKEN not in str(r) for r in shown)

        await made(platform, launched())
        sent = [asked for asked in replay.asked if asked.method == "POST"]
        assert [f"{replay.url}{asked.path}" for asked in sent] == [r.url for r in shown]
        assert sent[0].json() == body_of(shown[0])


async def test_without_settings_requests_name_them() -> None:
    """A dry run shows where account and page go."""
    async with MetaReplay() as replay, meta(replay, account_id="", page_id="", token=SecretStr("")) as platform:
        shown = planned(platform, launched())
        assert "act_{PIPELINE_META_ACCOUNT_ID}/campaigns" in shown[0].url
        assert body_of(shown[2])["creative"]["object_story_spec"]["page_id"] == "{PIPELINE_META_PAGE_ID}"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"token": SecretStr("")}, "PIPELINE_META_TOKEN"),
        ({"account_id": "mine"}, "ACCOUNT_ID"),
        ({"page_id": ""}, "PAGE_ID"),
        ({"countries": "Germany"}, "COUNTRIES"),
        ({"picture": "picture.png"}, "PICTURE_URL"),
        ({"categories": "CARS"}, "SPECIAL_AD_CATEGORIES"),
        ({"version": "v26.0/../x"}, "VERSION"),
    ],
)
def test_what_is_missing_is_named(changes: dict[str, Any], said: str) -> None:
    """The reason is one sentence that begins with the setting."""
    given: dict[str, Any] = {"token": SecretStr("t"), "account_id": f"act_{ACCOUNT}", "page_id": PAGE}
    assert MetaAccess(**given).lacks() == ""
    assert said in MetaAccess(**{**given, **changes}).lacks()


# ---------------------------------------------------------------------------------------------- refusals


def answer(status: int, error: dict[str, Any] | None, **headers: str) -> HttpResponse:
    body = json.dumps({"error": error}).encode() if error is not None else b"<html>"
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpResponse(status, "https://graph.facebook.com/", names, body)


@pytest.mark.parametrize("code", [4, 17, 32, 613, 80_000, 80_004])
def test_a_throttled_call_is_a_rate_limit_though_it_comes_as_400(code: int) -> None:
    """Without a header that names a time, a minute is waited."""
    error = refusal(answer(400, {"code": code, "message": "x"}))
    assert (error.reason, error.retry_after) == (errors_pb2.ERROR_REASON_UPSTREAM_RATE_LIMITED, 60.0)


def test_the_usage_header_names_the_wait() -> None:
    """In minutes, the longest of all that it lists."""
    entries = [{"type": "ads_insights", "estimated_time_to_regain_access": 0}, {"estimated_time_to_regain_access": 3}]
    usage = json.dumps({"1": entries, "2": "x"})
    error = refusal(answer(400, {"code": 80_004}, x_business_use_case_usage=usage))
    assert error.retry_after == 180.0


@pytest.mark.parametrize("code", [190, 102, 10, 200, 294])
def test_a_refused_token_names_its_setting(code: int) -> None:
    """A person has to mend it."""
    error = refusal(answer(400, {"code": code, "error_subcode": 463}))
    assert error.reason == errors_pb2.ERROR_REASON_UPSTREAM_FAILED
    assert "PIPELINE_META_TOKEN" in error.message
    assert error.metadata["status"] == "400"


@pytest.mark.parametrize("error", [{"code": 1}, {"code": 2}, {"code": 100, "is_transient": True}])
def test_what_passes_counts_as_the_platform_being_unwell(error: dict[str, Any]) -> None:
    """Whatever the status: after it, it is not known whether the effect happened."""
    assert refusal(answer(400, error)).metadata["status"] == "500"


def test_a_bad_parameter_is_named_and_no_sentence_of_the_platform_is_passed_on() -> None:
    """Code, subcode and the field at fault are enough to look it up."""
    data = json.dumps({"blame_field_specs": [["targeting", "geo_locations"]]})
    error = refusal(
        answer(400, {"code": 100, "error_subcode": 1_885_272, "message": "EAAB-secret", "error_data": data})
    )
    assert (error.metadata["code"], error.metadata["field"]) == ("100/1885272", "targeting.geo_locations")
    assert "EAAB-secret" not in json.dumps(error.to_json())


@pytest.mark.parametrize("error", [None, {}, {"code": "x y"}, {"code": 100, "error_data": "{"}, {"code": [1]}])
def test_an_answer_in_another_shape_is_still_a_typed_error(error: dict[str, Any] | None) -> None:
    """Its status is told."""
    found = refusal(answer(502, error))
    assert (found.reason, found.metadata["status"]) == (errors_pb2.ERROR_REASON_UPSTREAM_FAILED, "502")
