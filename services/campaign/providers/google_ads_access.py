"""Access to the Google Ads API over REST: an OAuth 2.0 access token, from a refresh token or given as it is.

`POST {token_url}` with the form `grant_type=refresh_token&client_id&client_secret&refresh_token` answers
`{"access_token", "expires_in": 3599, "scope", "token_type": "Bearer"}`; a refresh token that is no more is 400
`{"error": "invalid_grant"}`, a wrong client 401 `{"error": "invalid_client"}` (read in November 2026:
developers.google.com/identity/protocols/oauth2/web-server and .../google-ads/api/rest/auth). Every call carries
`Authorization: Bearer`, and `login-customer-id` where a manager account calls for a client. Developer tokens ended on
9 September 2026: access belongs to the Cloud project of the OAuth client, the header `developer-token` is optional and
ignored (developers.google.com/google-ads/api/docs/ api-policy/developer-token); it is sent where one is set, for API
versions that still ask for it.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from pydantic import SecretStr

from chassis.http_answer import HttpResponse
from pipeline.errors import PipelineError
from services.campaign.providers.calls import (
    BLANKED,
    answered,
    json_of,
    known_name,
    limited,
    object_of,
    refused_key,
    text,
)

if TYPE_CHECKING:
    from services.campaign.config import CampaignConfig
    from services.campaign.providers.calls import Api

PLATFORM = "google_ads"
SETTINGS = "PIPELINE_GOOGLE_ADS_REFRESH_TOKEN, PIPELINE_GOOGLE_ADS_CLIENT_ID and PIPELINE_GOOGLE_ADS_CLIENT_SECRET"
TOKEN_SETTING = "PIPELINE_GOOGLE_ADS_ACCESS_TOKEN"  # noqa: S105 - a setting's name
# A token is renewed this long before it ends, so that none ends on the way.
MARGIN_SECONDS = 60.0
_NONE = SecretStr("")
_CUSTOMER = re.compile(r"\d{10}")
_VERSION = re.compile(r"v\d{1,3}")


@dataclass(frozen=True)
class GoogleAdsAccess:
    """The account and what opens it. Give a ready access token, or a refresh token with its client."""

    customer_id: str
    refresh_token: SecretStr = _NONE
    client_id: SecretStr = _NONE
    client_secret: SecretStr = _NONE
    access_token: SecretStr = _NONE
    developer_token: SecretStr = _NONE
    login_customer_id: str = ""
    url: str = "https://googleads.googleapis.com"
    token_url: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
    version: str = "v26"
    # Criterion ids of where and in which language ads are shown (geo target 2840: the United States, language 1000:
    # English; developers.google.com/google-ads/api/data/geotargets and /codes-formats#languages).
    location: str = "2840"
    language: str = "1000"

    @classmethod
    def of(cls, config: CampaignConfig) -> GoogleAdsAccess:
        """What the configuration says."""
        return cls(
            customer_id=config.google_ads_customer_id,
            refresh_token=config.google_ads_refresh_token,
            client_id=config.google_ads_client_id,
            client_secret=config.google_ads_client_secret,
            access_token=config.google_ads_access_token,
            developer_token=config.google_ads_developer_token,
            login_customer_id=config.google_ads_login_customer_id,
            url=config.google_ads_url,
            token_url=config.google_ads_token_url,
            version=config.google_ads_version,
            location=config.google_ads_location,
            language=config.google_ads_language,
        )

    def lacks(self) -> str:
        """The setting that is missing or wrong, with the mend; "" where calls can be made."""
        if not _CUSTOMER.fullmatch(self.customer):
            return "PIPELINE_GOOGLE_ADS_CUSTOMER_ID is no account number of ten digits"
        if self.login_customer_id and not _CUSTOMER.fullmatch(self.login_customer):
            return "PIPELINE_GOOGLE_ADS_LOGIN_CUSTOMER_ID is no account number of ten digits"
        if not _VERSION.fullmatch(self.version):
            return "PIPELINE_GOOGLE_ADS_VERSION is no version such as v26"
        if not (self.location.isdecimal() and self.language.isdecimal()):
            return (
                "PIPELINE_GOOGLE_ADS_LOCATION and PIPELINE_GOOGLE_ADS_LANGUAGE are criterion ids such as 2840 and 1000"
            )
        if self.access_token.get_secret_value() or self.renewable:
            return ""
        return f"{TOKEN_SETTING} is empty, and so is one of {SETTINGS}"

    @property
    def customer(self) -> str:
        """The account's number without its dashes; its setting's name where there is none."""
        return self.customer_id.replace("-", "").strip() or "{PIPELINE_GOOGLE_ADS_CUSTOMER_ID}"

    @property
    def login_customer(self) -> str:
        return self.login_customer_id.replace("-", "").strip()

    @property
    def renewable(self) -> bool:
        secrets = (self.refresh_token, self.client_id, self.client_secret)
        return all(secret.get_secret_value() for secret in secrets)


@dataclass
class Tokens:
    """The access token of the moment; one renewal serves all calls that wait for it."""

    api: Api
    access: GoogleAdsAccess
    _token: str = field(default="", repr=False)
    _ends_at: float = 0.0
    _renewing: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    def shown(self) -> dict[str, str]:
        """The headers of every call, secrets blanked."""
        return self._headers(BLANKED, BLANKED)

    async def headers(self) -> dict[str, str]:
        """The headers of a call now."""
        return self._headers(await self._current(), self.access.developer_token.get_secret_value())

    def forget(self) -> None:
        """Drop a token that was refused: the next call gets another one."""
        self._token = ""

    def _headers(self, token: str, developer_token: str) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {token}"}
        if self.access.developer_token.get_secret_value():
            headers["developer-token"] = developer_token
        if self.access.login_customer:
            headers["login-customer-id"] = self.access.login_customer
        return headers

    async def _current(self) -> str:
        if not self.access.renewable:
            return self.access.access_token.get_secret_value()
        async with self._renewing:
            if not self._token or self.api.clock.monotonic() >= self._ends_at:
                await self._renew()
            return self._token

    async def _renew(self) -> None:
        form = {
            "grant_type": "refresh_token",
            "client_id": self.access.client_id.get_secret_value(),
            "client_secret": self.access.client_secret.get_secret_value(),
            "refresh_token": self.access.refresh_token.get_secret_value(),
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode(form).encode()
        response = await self.api.ask("POST", self.access.token_url, headers, body=body)
        given = object_of(PLATFORM, json_of(PLATFORM, response))
        seconds = given.get("expires_in")
        self._token = text(PLATFORM, given, "access_token")
        lasts = float(seconds) if isinstance(seconds, (int, float)) and not isinstance(seconds, bool) else 0.0
        self._ends_at = self.api.clock.monotonic() + max(lasts - MARGIN_SECONDS, 0.0)


def refused_token(response: HttpResponse, error: str) -> PipelineError:
    """What a refusal of the token endpoint means; `error` is OAuth's name of it."""
    code = known_name(error)
    if response.status == 429:
        return limited(PLATFORM, None, 429, code)
    if response.status in (400, 401, 403):
        return refused_key(PLATFORM, SETTINGS, response.status, code)
    return answered(PLATFORM, response.status, code)
