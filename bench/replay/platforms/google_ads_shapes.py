"""Resources of the Google Ads API v26 as far as a search campaign needs them, in their JSON form."""

from __future__ import annotations

from typing import Any

from bench.replay.platforms.shapes import INT64

_KEYWORD = {"text!": str, "matchType!": {"EXACT", "PHRASE", "BROAD"}}
_TEXT = {"text!": str, "pinnedField": {"HEADLINE_1", "HEADLINE_2", "HEADLINE_3", "DESCRIPTION_1", "DESCRIPTION_2"}}
_STATUS = {"ENABLED", "PAUSED"}

CAMPAIGN: dict[str, Any] = {
    "resourceName": str,
    "name!": str,
    "status": _STATUS,
    "advertisingChannelType!": {"SEARCH", "DISPLAY", "PERFORMANCE_MAX", "SHOPPING", "DEMAND_GEN"},
    "campaignBudget!": str,
    "manualCpc": {"enhancedCpcEnabled": bool},
    "targetSpend": {"cpcBidCeilingMicros": INT64, "targetSpendMicros": INT64},
    "networkSettings": {
        "targetGoogleSearch": bool,
        "targetSearchNetwork": bool,
        "targetContentNetwork": bool,
        "targetPartnerSearchNetwork": bool,
    },
    "geoTargetTypeSetting": {
        "positiveGeoTargetType": {"PRESENCE_OR_INTEREST", "SEARCH_INTEREST", "PRESENCE"},
        "negativeGeoTargetType": {"PRESENCE_OR_INTEREST", "PRESENCE"},
    },
    "startDateTime": str,
    "endDateTime": str,
    "finalUrlSuffix": str,
    "trackingUrlTemplate": str,
    "containsEuPoliticalAdvertising!": {
        "CONTAINS_EU_POLITICAL_ADVERTISING",
        "DOES_NOT_CONTAIN_EU_POLITICAL_ADVERTISING",
    },
}
BUDGET: dict[str, Any] = {
    "resourceName": str,
    "name": str,
    "period": {"DAILY", "CUSTOM_PERIOD"},
    "amountMicros": INT64,
    "totalAmountMicros": INT64,
    "deliveryMethod": {"STANDARD", "ACCELERATED"},
    "explicitlyShared": bool,
}
CAMPAIGN_CRITERION: dict[str, Any] = {
    "resourceName": str,
    "campaign!": str,
    "negative": bool,
    "keyword": _KEYWORD,
    "location": {"geoTargetConstant!": str},
    "language": {"languageConstant!": str},
}
AD_GROUP: dict[str, Any] = {
    "resourceName": str,
    "name!": str,
    "campaign!": str,
    "status": _STATUS,
    "type": {"SEARCH_STANDARD", "SEARCH_DYNAMIC_ADS"},
    "cpcBidMicros": INT64,
}
AD_GROUP_CRITERION: dict[str, Any] = {
    "resourceName": str,
    "adGroup!": str,
    "status": _STATUS,
    "negative": bool,
    "cpcBidMicros": INT64,
    "keyword": _KEYWORD,
}
AD_GROUP_AD: dict[str, Any] = {
    "resourceName": str,
    "adGroup!": str,
    "status": _STATUS,
    "ad!": {
        "finalUrls!": [str],
        "finalUrlSuffix": str,
        "responsiveSearchAd": {"headlines!": [_TEXT], "descriptions!": [_TEXT], "path1": str, "path2": str},
    },
}
# Operation -> (shape of what it creates, collection of its resource name, name of its result).
OPERATIONS: dict[str, tuple[dict[str, Any], str, str]] = {
    "campaignBudgetOperation": (BUDGET, "campaignBudgets", "campaignBudgetResult"),
    "campaignOperation": (CAMPAIGN, "campaigns", "campaignResult"),
    "campaignCriterionOperation": (CAMPAIGN_CRITERION, "campaignCriteria", "campaignCriterionResult"),
    "adGroupOperation": (AD_GROUP, "adGroups", "adGroupResult"),
    "adGroupCriterionOperation": (AD_GROUP_CRITERION, "adGroupCriteria", "adGroupCriterionResult"),
    "adGroupAdOperation": (AD_GROUP_AD, "adGroupAds", "adGroupAdResult"),
}
# Fields that refer to another resource, and whose collection.
REFERENCES = {"campaignBudget": "campaignBudgets", "campaign": "campaigns", "adGroup": "adGroups"}
REQUEST: dict[str, Any] = {
    "mutateOperations!": [dict],
    "partialFailure": bool,
    "validateOnly": bool,
    "responseContentType": {"RESOURCE_NAME_ONLY", "MUTABLE_RESOURCE"},
}
# What queries may select, by resource.
SELECTABLE = {
    "campaign": {
        "campaign.resource_name",
        "campaign.name",
        "campaign.status",
        "campaign.id",
        "metrics.cost_micros",
        "metrics.clicks",
        "customer.currency_code",
    },
    "customer": {"customer.currency_code", "customer.time_zone", "customer.id", "customer.resource_name"},
}
