"""Settings of the campaign server."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from chassis.config import ServerConfig, check_listen
from services.campaign.domain.visiting import RETENTION_DAYS

_EXAMPLE = "write an address such as https://example.org/signup, or a path such as /signup"
# What would end an attribute or a policy directive.
_UNSAFE = set(" \t\r\n'\"<>;,\\")
# Where `pipeline serve` puts the pages: what a server without pages of its own takes for their address.
PAGE_LISTEN = "127.0.0.1:8081"


class CampaignConfig(ServerConfig):
    """`ServerConfig`, where the landing pages are served, and what they are told."""

    listen: str = Field("127.0.0.1:50064", description="address to serve on: host:port or unix:/path")

    google_ads_url: str = Field("https://googleads.googleapis.com", description="address of the Google Ads API")
    google_ads_version: str = Field("v26", description="version of the Google Ads API")
    google_ads_token_url: str = Field(
        "https://oauth2.googleapis.com/token", description="where access tokens come from"
    )
    google_ads_customer_id: str = Field("", description="Google Ads account that ads run in, kept in USD; empty: none")
    google_ads_login_customer_id: str = Field("", description="manager account that opens it; empty: opened directly")
    google_ads_client_id: SecretStr = Field(SecretStr(""), description="OAuth client of your Google Cloud project")
    google_ads_client_secret: SecretStr = Field(SecretStr(""), description="secret of the OAuth client")
    google_ads_refresh_token: SecretStr = Field(SecretStr(""), description="refresh token with the scope adwords")
    google_ads_access_token: SecretStr = Field(
        SecretStr(""), description="a ready access token, used where no refresh token is set"
    )
    google_ads_developer_token: SecretStr = Field(
        SecretStr(""), description="developer token, for API versions that ask for one (ended in September 2026)"
    )
    google_ads_location: str = Field(
        "2840", description="criterion id of the place whose people see the ads (2840: United States)"
    )
    google_ads_language: str = Field("1000", description="criterion id of the ads' language (1000: English)")

    meta_url: str = Field("https://graph.facebook.com", description="address of Meta's Graph API")
    meta_version: str = Field("v26.0", description="version of the Graph API")
    meta_token: SecretStr = Field(SecretStr(""), description="system user token with ads_management; empty: no ads")
    meta_account_id: str = Field("", description="Meta ad account that ads run in, kept in USD")
    meta_page_id: str = Field("", description="Facebook page that the ads are shown for")
    meta_countries: str = Field("US", description="countries whose people see the ads, two letters, commas between")
    meta_picture_url: str = Field(
        "", max_length=500, description="https address of the ad's picture; empty: the one that the page names"
    )
    meta_beneficiary: str = Field(
        "", max_length=512, description="who benefits from the ads and pays for them, shown on ads in the EU"
    )
    meta_special_ad_categories: str = Field(
        "", description="special ad categories besides those of the idea's field (EMPLOYMENT, HOUSING, ...)"
    )

    fly_url: str = Field("https://api.machines.dev", description="address of Fly.io's Machines API")
    fly_token: SecretStr = Field(SecretStr(""), description="organisation token of Fly.io; empty: no front there")
    fly_organisation: str = Field("personal", description="slug of the organisation at Fly.io")
    fly_region: str = Field("", description="region of the front (fra, ord, ...); empty: the nearest one")
    fly_image: str = Field(
        "registry-1.docker.io/library/caddy:2-alpine", description="image of the front: a Caddy of version 2"
    )

    campaign_signup_endpoint: str = Field(
        "", max_length=500, description="where landing pages post sign-ups; empty: not connected, and the page says so"
    )
    campaign_controller: str = Field(
        "",
        max_length=300,
        description="who keeps the addresses: name, postal address, e-mail; shown on the privacy page",
    )
    netlify_token: SecretStr = Field(SecretStr(""), description="personal access token of Netlify; empty: not used")
    netlify_team: str = Field("", max_length=100, description="slug of the Netlify team; empty: the token's own")
    netlify_url: str = Field("https://api.netlify.com/api/v1", description="address of the Netlify API")
    posthog_key: SecretStr = Field(SecretStr(""), description="project token of PostHog (phc_...); empty: not used")
    posthog_personal_key: SecretStr = Field(
        SecretStr(""), description="personal key of PostHog with the scopes annotation:read, :write and query:read"
    )
    posthog_project: str = Field("", max_length=20, description="number of the PostHog project")
    posthog_url: str = Field("https://us.posthog.com", description="address of PostHog's private API")
    posthog_capture_url: str = Field("https://us.i.posthog.com", description="address that takes events for PostHog")
    campaign_poll_seconds: float = Field(
        600.0,
        ge=1,
        le=86_400,
        allow_inf_nan=False,
        description="how often running campaigns are read: spend, cap, stopping rule",
    )
    campaign_retention_days: int = Field(
        RETENTION_DAYS,
        ge=1,
        le=3_650,
        description="days after a campaign's end until the addresses of its people are erased",
    )
    page_listen: str = Field(
        PAGE_LISTEN, description="address that landing pages are served on: host:port; off: no pages, no watching"
    )
    page_url: str = Field(
        "", max_length=300, description="public address of the pages, scheme and host; empty: http://{page_listen}"
    )
    page_trusted_proxies: int = Field(
        0, ge=0, le=8, description="proxies in front of the pages whose X-Forwarded-For counts; 0: none is believed"
    )
    page_form_seconds_min: int = Field(
        1, ge=0, le=60, description="a form that is filled in faster came from a program; 0: none is too fast"
    )
    campaign_linkedin_intro_max: int = Field(
        150, ge=100, le=3_000, description="longest LinkedIn introductory text; beyond 150 LinkedIn folds it away"
    )

    @field_validator("page_listen")
    @classmethod
    def _page_listen(cls, value: str) -> str:
        if value.lower() in ("", "off", "none"):
            # An empty variable counts as not set, so the environment needs a word for it.
            return ""
        if value.startswith("unix:"):
            raise ValueError(f"is not an address for pages; write host:port ({PAGE_LISTEN}) or off")
        return check_listen(value)

    @field_validator("page_url")
    @classmethod
    def _page_url(cls, value: str) -> str:
        value = value.strip().rstrip("/")
        if not value:
            return ""
        example = "write scheme and host alone, such as https://try.example.org"
        try:
            parts = urlsplit(value)
            usable = parts.scheme in ("http", "https") and parts.hostname and not parts.username and parts.port != 0
        except ValueError:
            usable = False
        if not usable or _UNSAFE & set(value) or not value.isprintable():
            raise ValueError(f"is not an address of pages; {example}")
        if parts.path or parts.query or parts.fragment:
            raise ValueError(f"has more than scheme and host; {example}")
        return value

    @field_validator("campaign_signup_endpoint")
    @classmethod
    def _endpoint(cls, value: str) -> str:
        value = value.strip()
        if not value:
            return ""
        if _UNSAFE & set(value) or not value.isprintable():
            raise ValueError(f"holds characters that no address has; {_EXAMPLE}")
        if value.startswith("/") and not value.startswith("//"):
            return value
        try:
            parts = urlsplit(value)
            local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        except ValueError:
            raise ValueError(f"is not an address; {_EXAMPLE}") from None
        if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and local)) or parts.username:
            raise ValueError(f"is not an https address; {_EXAMPLE}")
        return value

    @field_validator("campaign_controller")
    @classmethod
    def _controller(cls, value: str) -> str:
        return " ".join(value.split())

    @field_validator("netlify_url", "posthog_url", "posthog_capture_url")
    @classmethod
    def _api(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://, for example https://api.netlify.com/api/v1")
        return value.rstrip("/")

    @property
    def database_path(self) -> Path:
        """The store of campaigns."""
        return self.state_dir / "campaigns.db"

    @property
    def public_url(self) -> str:
        """Where visitors reach the pages: scheme and host, no slash at the end."""
        return self.page_url or f"http://{self.page_listen or PAGE_LISTEN}"
