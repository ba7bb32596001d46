"""The three things a campaign is at Meta: campaign, ad set, ad. Their parameters are those of Marketing API v26.0.

Names and values were checked against Meta's own business SDK (facebook_business/adobjects/adaccount.py, v25.0.2) and
the reference of each edge (developers.facebook.com/docs/marketing-api/reference/ad-account/{campaigns,adsets,ads}).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from chassis.idea import regulated
from services.campaign.domain import limits
from services.campaign.providers.base import Launch
from services.campaign.providers.launches import name_of, tagged, texts, whole_cents
from services.campaign.providers.meta_errors import TOKEN_SETTING

if TYPE_CHECKING:
    from services.campaign.config import CampaignConfig

_VERSION = re.compile(r"v\d{1,3}\.\d")
# Where Meta asks who benefits from an ad and who pays for it: EU member states (DSA, article 26).
EU = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()
)  # fmt: skip
# What an ad may not pick its audience by: the categories that Meta asks to be named.
SPECIAL = ("NONE", "EMPLOYMENT", "FINANCIAL_PRODUCTS_SERVICES", "HOUSING", "ONLINE_GAMBLING_AND_GAMING")


@dataclass(frozen=True)
class MetaAccess:
    """The ad account, the page that ads are shown for, and the token that opens both."""

    token: SecretStr
    account_id: str
    page_id: str
    # Two-letter codes, with commas between them.
    countries: str = "US"
    # Who benefits from the ads and pays for them; asked for where an EU country is targeted.
    beneficiary: str = ""
    # Address of a picture for the ad; "": the one that the page names (og:image), where it names one.
    picture: str = ""
    # Special ad categories besides those that the idea's field asks for; "" none.
    categories: str = ""
    url: str = "https://graph.facebook.com"
    version: str = "v26.0"

    @classmethod
    def of(cls, config: CampaignConfig) -> MetaAccess:
        """What the configuration says."""
        return cls(
            token=config.meta_token,
            account_id=config.meta_account_id,
            page_id=config.meta_page_id,
            countries=config.meta_countries,
            beneficiary=config.meta_beneficiary,
            picture=config.meta_picture_url,
            categories=config.meta_special_ad_categories,
            url=config.meta_url,
            version=config.meta_version,
        )

    @property
    def account(self) -> str:
        """The account's number, without "act_"; its setting's name where there is none."""
        return self.account_id.removeprefix("act_").strip() or "{PIPELINE_META_ACCOUNT_ID}"

    @property
    def page(self) -> str:
        return self.page_id.strip() or "{PIPELINE_META_PAGE_ID}"

    @property
    def country_codes(self) -> list[str]:
        return _listed(self.countries)

    def lacks(self) -> str:
        """The setting that is missing or wrong, with the mend; "" where calls can be made."""
        if not self.token.get_secret_value():
            return f"{TOKEN_SETTING} is empty"
        if not self.account.isdecimal():
            return "PIPELINE_META_ACCOUNT_ID is no ad account number"
        if not self.page.isdecimal():
            return "PIPELINE_META_PAGE_ID is no page number"
        if not _VERSION.fullmatch(self.version):
            return "PIPELINE_META_VERSION is no version such as v26.0"
        if not self.country_codes or not all(len(c) == 2 and c.isascii() and c.isalpha() for c in self.country_codes):
            return "PIPELINE_META_COUNTRIES holds no two-letter country codes such as US,CA"
        if EU.intersection(self.country_codes) and not self.beneficiary.strip():
            return "PIPELINE_META_BENEFICIARY is empty: Meta asks who benefits from ads in the EU"
        if self.picture and not self.picture.startswith("https://"):
            return "PIPELINE_META_PICTURE_URL is no https address"
        unknown = [category for category in _listed(self.categories) if category not in SPECIAL]
        if unknown:
            return f"PIPELINE_META_SPECIAL_AD_CATEGORIES holds {unknown[0]}; write some of {', '.join(SPECIAL[1:])}"
        return ""


def _listed(value: str) -> list[str]:
    return list(dict.fromkeys(part.strip().upper() for part in value.split(",") if part.strip()))


def special_categories(access: MetaAccess, launch: Launch) -> list[str]:
    """The idea's field as Meta asks it to be named, and what the operator named; empty where it is none of them.

    Too many narrow what an audience may be picked by, which these ads do not do; too few get ads rejected.
    """
    found = {category for category in _listed(access.categories) if category != "NONE"}
    found.update(_OF_FIELD[field] for field in launch_fields(launch) if field in _OF_FIELD)
    return sorted(found)


# Fields of regulation (chassis/idea/regulated.py) -> category.
_OF_FIELD = {
    "employment": "EMPLOYMENT",
    "finance": "FINANCIAL_PRODUCTS_SERVICES",
    "housing": "HOUSING",
    "gambling": "ONLINE_GAMBLING_AND_GAMING",
}


def launch_fields(launch: Launch) -> set[str]:
    """Fields of regulation that what is advertised touches, by the words of ads, keywords and pages."""
    draft = launch.draft
    said = [launch.title, draft.plan.hypothesis, *(asset.text for asset in draft.assets)]
    said += [keyword.text for keyword in draft.keywords if not keyword.negative]
    said += [f"{page.headline} {page.subheadline}" for page in draft.landing_pages]
    return {found.field for found in regulated.find(". ".join(said))}


def campaign(access: MetaAccess, launch: Launch) -> dict[str, Any]:
    """Paused: its ad set and ad are on, so that switching the campaign switches everything."""
    categories = special_categories(access, launch)
    body: dict[str, Any] = {
        "name": name_of(launch),
        "objective": "OUTCOME_TRAFFIC",
        "buying_type": "AUCTION",
        "status": "PAUSED",
        "special_ad_categories": categories,
        # Required where the budget is the ad set's (since v24.0).
        "is_adset_budget_sharing_enabled": False,
    }
    if categories:
        body["special_ad_category_country"] = access.country_codes
    return body


def ad_set(access: MetaAccess, launch: Launch, campaign_id: str, start: datetime, end: datetime) -> dict[str, Any]:
    """The money, for the whole time, in cents; and everybody of age in the countries, picked by nothing else."""
    body: dict[str, Any] = {
        "name": name_of(launch),
        "campaign_id": campaign_id,
        "status": "ACTIVE",
        "lifetime_budget": whole_cents(launch.budget_micros) // 10_000,
        "start_time": moment(start),
        "end_time": moment(end),
        "billing_event": "IMPRESSIONS",
        "optimization_goal": "LINK_CLICKS",
        "bid_strategy": "LOWEST_COST_WITHOUT_CAP",
        "destination_type": "WEBSITE",
        "targeting": {
            "age_min": 18,
            "geo_locations": {"countries": access.country_codes},
            # Required since v23.0: Meta's own widening of the audience would change who the test asks.
            "targeting_automation": {"advantage_audience": 0},
        },
    }
    if EU.intersection(access.country_codes):
        body |= {"dsa_beneficiary": access.beneficiary.strip(), "dsa_payor": access.beneficiary.strip()}
    return body


def ad(access: MetaAccess, launch: Launch, ad_set_id: str) -> dict[str, Any]:
    """The ad with its creative in it, so that no creative of a lost reply is left over.

    One ad with the first text of each kind: a test of this size tells no ads apart.
    """
    page = tagged(launch.page_url, {"source": "meta", "medium": "paid_social", "campaign": launch.slug})
    link: dict[str, Any] = {"link": page, "call_to_action": {"type": "SIGN_UP", "value": {"link": page}}}
    for key, kind in (("message", limits.PRIMARY), ("name", limits.HEADLINE), ("description", limits.DESCRIPTION)):
        drafted = texts(launch, limits.META, kind)
        if drafted:
            link[key] = drafted[0]
    if access.picture:
        link["picture"] = access.picture
    return {
        "name": name_of(launch),
        "adset_id": ad_set_id,
        "status": "ACTIVE",
        "creative": {
            "name": name_of(launch),
            "object_story_spec": {"page_id": access.page, "link_data": link},
        },
    }


def moment(at: datetime) -> str:
    """As the API takes times: `2026-11-25T14:00:00+0000`."""
    return f"{at:%Y-%m-%dT%H:%M:%S%z}"
