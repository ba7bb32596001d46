"""The one request that makes a search campaign: operations on resources that refer to each other by temporary names.

Shapes are those of google.ads.googleads.v26 (services/google_ads_service.proto, resources/*.proto) in their JSON form:
lowerCamelCase, 64-bit numbers as texts. A new resource carries a negative id that later operations of the same request
use; each number is used once, whatever the type. Operations of one type stand together, as each change of type costs
the platform a call of its own (developers.google.com/google-ads/api/docs/mutating/best-practices).
"""

from __future__ import annotations

from datetime import date
from typing import Any

from pipeline.v1 import campaign_pb2
from services.campaign.domain import limits
from services.campaign.providers.base import Launch
from services.campaign.providers.google_ads_access import GoogleAdsAccess
from services.campaign.providers.launches import channel_of, name_of, tagged, texts, whole_cents

# Google Ads: a campaign total budget runs 3 to 90 days in a search campaign, and no more than it is ever billed
# (support.google.com/google-ads/answer/10486938 and answer/15137812, read in November 2026).
DAYS_MIN, DAYS_MAX = 3, 90
_MATCHES = {
    campaign_pb2.KEYWORD_MATCH_BROAD: "BROAD",
    campaign_pb2.KEYWORD_MATCH_PHRASE: "PHRASE",
    campaign_pb2.KEYWORD_MATCH_EXACT: "EXACT",
}
_BUDGET, _CAMPAIGN, _AD_GROUP = -1, -2, -3

Operation = dict[str, Any]


def mutate(launch: Launch, access: GoogleAdsAccess, first: date, last: date) -> dict[str, Any]:
    """The body of `googleAds:mutate`, for a campaign from its first day through its last. All or nothing."""
    names = _Names(access.customer)
    return {
        "mutateOperations": [
            {"campaignBudgetOperation": {"create": _budget(launch, names)}},
            {"campaignOperation": {"create": _campaign(launch, names, first, last)}},
            *({"campaignCriterionOperation": {"create": c}} for c in _campaign_criteria(launch, access, names)),
            {"adGroupOperation": {"create": _ad_group(launch, names)}},
            *({"adGroupCriterionOperation": {"create": c}} for c in _keywords(launch, names)),
            {"adGroupAdOperation": {"create": _ad(launch, names)}},
        ],
        "partialFailure": False,
    }


class _Names:
    """Temporary resource names of one request."""

    def __init__(self, customer: str) -> None:
        self.budget = f"customers/{customer}/campaignBudgets/{_BUDGET}"
        self.campaign = f"customers/{customer}/campaigns/{_CAMPAIGN}"
        self.ad_group = f"customers/{customer}/adGroups/{_AD_GROUP}"


def _budget(launch: Launch, names: _Names) -> Operation:
    """A total for the campaign's whole time, not a day's average: the platform never bills more."""
    return {
        "resourceName": names.budget,
        "name": name_of(launch),
        "period": "CUSTOM_PERIOD",
        "totalAmountMicros": str(whole_cents(launch.budget_micros)),
        "deliveryMethod": "STANDARD",
        "explicitlyShared": False,
    }


def _campaign(launch: Launch, names: _Names, first: date, last: date) -> Operation:
    return {
        "resourceName": names.campaign,
        "name": name_of(launch),
        "status": "PAUSED",
        "advertisingChannelType": "SEARCH",
        "campaignBudget": names.budget,
        # The ad group's bid is the most a click may cost.
        "manualCpc": {},
        "networkSettings": {
            "targetGoogleSearch": True,
            "targetSearchNetwork": False,
            "targetContentNetwork": False,
            "targetPartnerSearchNetwork": False,
        },
        # People who are there, not people who are interested in the place.
        "geoTargetTypeSetting": {"positiveGeoTargetType": "PRESENCE"},
        # In the account's time zone.
        "startDateTime": f"{first:%Y-%m-%d} 00:00:00",
        "endDateTime": f"{last:%Y-%m-%d} 23:59:59",
        "finalUrlSuffix": "utm_term={keyword}",
        # Required of every new campaign (…/api/docs/api-policy/eu-par): a smoke test of a product is none.
        "containsEuPoliticalAdvertising": "DOES_NOT_CONTAIN_EU_POLITICAL_ADVERTISING",
    }


def _campaign_criteria(launch: Launch, access: GoogleAdsAccess, names: _Names) -> list[Operation]:
    """Place, language, and the searches that the ad is not for."""
    criteria: list[Operation] = [
        {"campaign": names.campaign, "location": {"geoTargetConstant": f"geoTargetConstants/{access.location}"}},
        {"campaign": names.campaign, "language": {"languageConstant": f"languageConstants/{access.language}"}},
    ]
    for keyword in launch.draft.keywords:
        if keyword.negative:
            match = {"text": keyword.text, "matchType": _MATCHES.get(keyword.match, "BROAD")}
            criteria.append({"campaign": names.campaign, "negative": True, "keyword": match})
    return criteria


def _ad_group(launch: Launch, names: _Names) -> Operation:
    """On, in a campaign that is paused: switching the campaign switches everything."""
    return {
        "resourceName": names.ad_group,
        "name": "Keywords of the plan",
        "campaign": names.campaign,
        "status": "ENABLED",
        "type": "SEARCH_STANDARD",
        "cpcBidMicros": str(whole_cents(channel_of(launch, limits.GOOGLE).cpc_high_micros)),
    }


def _keywords(launch: Launch, names: _Names) -> list[Operation]:
    return [
        {
            "adGroup": names.ad_group,
            "status": "ENABLED",
            "keyword": {"text": keyword.text, "matchType": _MATCHES.get(keyword.match, "PHRASE")},
        }
        for keyword in launch.draft.keywords
        if not keyword.negative
    ]


def _ad(launch: Launch, names: _Names) -> Operation:
    headlines = texts(launch, limits.GOOGLE, limits.HEADLINE)
    descriptions = texts(launch, limits.GOOGLE, limits.DESCRIPTION)
    paths = texts(launch, limits.GOOGLE, limits.PATH)
    ad: Operation = {
        "headlines": [{"text": headline} for headline in headlines],
        "descriptions": [{"text": description} for description in descriptions],
    }
    # The second path is only shown after a first.
    ad.update(zip(("path1", "path2"), paths, strict=False))
    page = tagged(launch.page_url, {"source": "google", "medium": "cpc", "campaign": launch.slug})
    return {
        "adGroup": names.ad_group,
        "status": "ENABLED",
        "ad": {"finalUrls": [page], "responsiveSearchAd": ad},
    }
