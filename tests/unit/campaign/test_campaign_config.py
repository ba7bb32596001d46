"""Settings of live campaigns: what is refused, and where visitors are sent."""

from __future__ import annotations

import pytest

from chassis.config import ConfigError, load
from services.campaign.config import CampaignConfig


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("page_url", "ftp://try.example.org"),
        ("page_url", "https://try.example.org/landing"),
        ("page_url", "https://user:pw@try.example.org"),
        ("page_url", "try.example.org"),
        ("page_listen", "unix:/run/pages"),
        ("page_listen", "8081"),
        ("page_trusted_proxies", -1),
        ("campaign_poll_seconds", 0),
        ("campaign_retention_days", 0),
    ],
)
def test_a_wrong_setting_is_one_sentence_that_names_it(setting: str, value: object) -> None:
    """The start is refused before anything is opened."""
    with pytest.raises(ConfigError, match=setting):
        load(CampaignConfig, **{setting: value})


def test_visitors_are_sent_to_the_public_address() -> None:
    """The one that is set, else the one that pages are served on, else where `pipeline serve` puts them."""
    assert load(CampaignConfig, page_url="https://try.example.org/").public_url == "https://try.example.org"
    assert load(CampaignConfig, page_listen="127.0.0.1:9000").public_url == "http://127.0.0.1:9000"
    assert load(CampaignConfig, page_listen="off").public_url == "http://127.0.0.1:8081"
