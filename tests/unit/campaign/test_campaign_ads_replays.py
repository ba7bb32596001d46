"""The replayed platforms are no pushovers: what the real ones refuse of a request, they refuse, and nothing is made."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

import pytest

from bench.replay.platforms.fly import FlyReplay
from bench.replay.platforms.google_ads import GoogleAdsReplay
from bench.replay.platforms.meta import MetaReplay
from chassis.pool import HttpPool
from services.campaign.providers.base import Done
from tests.support.ads import body_of, fly, google_ads, launched, made, meta

Tamper = Callable[[dict[str, Any]], object]


def creation(body: dict[str, Any], operation: str) -> Any:
    return next(item[operation]["create"] for item in body["mutateOperations"] if operation in item)


async def refused(url: str, body: dict[str, Any], tamper: Tamper, token: str) -> str:
    """What is answered to the request once it was tampered with."""
    changed = copy.deepcopy(body)
    tamper(changed)
    assert changed != body
    pool = HttpPool("test")
    try:
        headers = {"Authorization": f"Bearer {token}"}
        response = await pool.request("POST", url, headers=headers, json_body=changed, answers=range(400, 600))
    finally:
        await pool.close()
    assert 400 <= response.status < 500
    return response.text()


@pytest.mark.parametrize(
    ("tamper", "code"),
    [
        (lambda b: creation(b, "campaignOperation").pop("containsEuPoliticalAdvertising"), "REQUIRED"),
        (lambda b: creation(b, "campaignOperation").update(startDate="2026-11-25"), 'Unknown name "startDate"'),
        (lambda b: creation(b, "campaignOperation").update(status="LIVE"), "Invalid value at"),
        (lambda b: creation(b, "campaignOperation").pop("endDateTime"), "INVALID_PERIOD"),
        (lambda b: creation(b, "campaignOperation").update(endDateTime="2026-12-08"), "INVALID_FORMATTED_DATE_TIME"),
        (lambda b: creation(b, "campaignBudgetOperation").update(totalAmountMicros="1234567"), "NON_MULTIPLE"),
        (lambda b: creation(b, "campaignBudgetOperation").update(totalAmountMicros=5), "Invalid value at"),
        (lambda b: creation(b, "adGroupOperation").update(campaign="customers/1/campaigns/9"), "RESOURCE_NOT_FOUND"),
        (lambda b: creation(b, "adGroupAdOperation")["ad"]["responsiveSearchAd"]["headlines"].clear(), "TOO_FEW"),
        (
            lambda b: creation(b, "adGroupAdOperation")["ad"]["responsiveSearchAd"]["headlines"][0].update(
                text="x" * 31
            ),
            "TOO_LONG",
        ),
        (lambda b: creation(b, "adGroupCriterionOperation")["keyword"].update(text="a!"), "KEYWORD_HAS_INVALID_CHARS"),
        (lambda b: b["mutateOperations"].reverse(), "RESOURCE_NOT_FOUND"),
    ],
)
async def test_google_ads_refuses_the_whole_request_for_one_fault(tamper: Tamper, code: str) -> None:
    """Atomic: one wrong field, and there is neither budget nor campaign."""
    async with GoogleAdsReplay() as replay, google_ads(replay) as platform:
        launch = launched()
        step = platform.steps(launch)[0]
        await platform.find(launch, step, Done())
        request = platform.request(launch, step, Done())
        said = await refused(request.url, body_of(request), tamper, next(iter(replay.tokens)))

        assert code in re.sub(r"\\", "", said)
        assert not replay.resources


@pytest.mark.parametrize(
    ("place", "tamper", "code"),
    [
        (0, lambda b: b.pop("special_ad_categories"), "special_ad_categories is required"),
        (0, lambda b: b.pop("is_adset_budget_sharing_enabled"), "4834011"),
        (0, lambda b: b.update(special_ad_categories=["HOUSING"]), "3858064"),
        (0, lambda b: b.update(objective="LINK_CLICKS"), "objective"),
        (0, lambda b: b.update(budget=1), "budget is not known"),
        (1, lambda b: b["targeting"].pop("targeting_automation"), "1870227"),
        (1, lambda b: b.update(lifetime_budget=1_399), "1885272"),
        (1, lambda b: b.pop("end_time"), "1487793"),
        (1, lambda b: b.update(campaign_id="7"), "1487056"),
        (1, lambda b: b["targeting"]["geo_locations"].update(countries=["DE"]), "dsa_beneficiary"),
        (2, lambda b: b["creative"]["object_story_spec"].update(page_id="1"), "1443048"),
    ],
)
async def test_meta_refuses_what_its_reference_refuses(place: int, tamper: Tamper, code: str) -> None:
    """Parameters by name, value and what they ask of each other."""
    from bench.replay.platforms.meta import TOKEN

    async with MetaReplay() as replay, meta(replay) as platform:
        launch = launched()
        done = await made(platform, launch)
        request = platform.request(launch, platform.steps(launch)[place], done)
        assert code in await refused(request.url, body_of(request), tamper, TOKEN)
        assert sum(replay.made.values()) == 3


@pytest.mark.parametrize(
    ("place", "tamper", "code"),
    [
        (0, lambda b: b.pop("org_slug"), "org_slug"),
        (0, lambda b: b.update(app_name="Front_1"), "Name under 63 chars"),
        (1, lambda b: b.update(type="v5"), "type"),
        (3, lambda b: b["config"].update(imge="x"), "imge"),
        (3, lambda b: b["config"]["restart"].update(policy="sometimes"), "policy"),
        (3, lambda b: b["config"]["files"][0].update(guest_path="etc/caddy"), "guest_path must be absolute"),
        (3, lambda b: b["config"]["files"][0].update(raw_value=":8080 {"), "raw_value base64"),
        (3, lambda b: b.update(region="fra"), "already_exists"),
    ],
)
async def test_fly_refuses_what_its_reference_refuses(place: int, tamper: Tamper, code: str) -> None:
    """Fields, values, paths and names that are taken."""
    from bench.replay.platforms.fly import TOKEN

    async with FlyReplay() as replay, fly(replay) as platform:
        launch = launched()
        await made(platform, launch)
        request = platform.request(launch, platform.steps(launch)[place], Done())
        assert code in await refused(request.url, body_of(request), tamper, TOKEN)
        assert sum(replay.made.values()) == 4
