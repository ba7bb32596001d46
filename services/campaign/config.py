"""Settings of the campaign server."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field, field_validator

from chassis.config import ServerConfig

_EXAMPLE = "write an address such as https://example.org/signup, or a path such as /signup"
# What would end an attribute or a policy directive.
_UNSAFE = set(" \t\r\n'\"<>;,\\")


class CampaignConfig(ServerConfig):
    """`ServerConfig` and what the landing pages are told."""

    listen: str = Field("127.0.0.1:50064", description="address to serve on: host:port or unix:/path")
    campaign_signup_endpoint: str = Field(
        "", max_length=500, description="where landing pages post sign-ups; empty: not connected, and the page says so"
    )
    campaign_controller: str = Field(
        "",
        max_length=300,
        description="who keeps the addresses: name, postal address, e-mail; shown on the privacy page",
    )

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
