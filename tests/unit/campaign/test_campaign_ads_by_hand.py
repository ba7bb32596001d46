"""Without keys: what advertising platforms and the front would be sent, and what to do by hand."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from chassis.testing import ManualClock, recording_telemetry
from services.campaign.config import CampaignConfig
from services.campaign.providers import fly, google_ads, meta
from services.campaign.providers.base import Entry
from services.campaign.providers.registry import make_platforms
from tests.support.ads import SECRETS, body_of, launched, planned

ENTRIES = (google_ads.ENTRY, meta.ENTRY, fly.ENTRY)


def test_without_keys_every_request_is_shown_and_its_gaps_are_named() -> None:
    """The drafts show complete bodies; accounts that are not set stand as the name of their setting."""
    made = make_platforms(
        CampaignConfig(offline=False), telemetry=recording_telemetry(), clock=ManualClock(), entries=ENTRIES
    )
    assert not made.platforms
    shown = {platform.name: planned(platform, launched()) for platform in made.drafts}

    assert [len(shown[name]) for name in ("google_ads", "meta", "fly")] == [1, 3, 4]
    assert "/customers/{PIPELINE_GOOGLE_ADS_CUSTOMER_ID}/googleAds:mutate" in shown["google_ads"][0].url
    assert "/act_{PIPELINE_META_ACCOUNT_ID}/campaigns" in shown["meta"][0].url
    assert body_of(shown["meta"][2])["adset_id"] == "{meta/ad_set}"
    assert body_of(shown["fly"][3])["config"]["image"].startswith("registry-1.docker.io/library/caddy")


def test_without_keys_the_reason_names_the_setting_and_the_way_by_hand() -> None:
    """One sentence on what is missing, one on the file to import."""
    made = make_platforms(
        CampaignConfig(offline=False), telemetry=recording_telemetry(), clock=ManualClock(), entries=ENTRIES
    )
    reasons = dict(made.not_configured)
    assert reasons["google_ads"].startswith("PIPELINE_GOOGLE_ADS_CUSTOMER_ID")
    assert "campaign/ads.csv" in reasons["google_ads"]
    assert reasons["meta"].startswith("PIPELINE_META_TOKEN")
    assert "campaign/ads.json" in reasons["meta"]
    assert reasons["fly"].startswith("PIPELINE_FLY_TOKEN")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_with_keys_nothing_that_is_shown_holds_one(entry: Entry) -> None:
    """Requests, the platform and the configuration itself."""
    keys = {
        "google_ads_customer_id": "123-456-7890",
        "google_ads_client_id": SecretStr(SECRETS[2]),
        "google_ads_client_secret": SecretStr(SECRETS[1]),
        "google_ads_refresh_token": SecretStr(SECRETS[0]),
        "google_ads_developer_token": SecretStr(SECRETS[3]),
        "meta_token": SecretStr(SECRETS[4]),
        "meta_account_id": "10152335766987003",
        "meta_page_id": "300664329976860",
        "fly_token": SecretStr(SECRETS[5]),
    }
    config = CampaignConfig(offline=False, **keys)
    made = make_platforms(config, telemetry=recording_telemetry(), clock=ManualClock(), entries=(entry,))
    (platform,) = made.platforms
    told = f"{planned(platform, launched())} {platform!r} {vars(platform)!r} {config!r}"
    assert not [secret for secret in SECRETS if secret in told]
