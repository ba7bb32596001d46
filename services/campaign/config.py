"""Settings of the campaign server."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from chassis.config import ServerConfig, check_listen

_EXAMPLE = "write an address such as https://example.org/signup, or a path such as /signup"
# What would end an attribute or a policy directive.
_UNSAFE = set(" \t\r\n'\"<>;,\\")
# Where `pipeline serve` puts the pages: what a server without pages of its own takes for their address.
PAGE_LISTEN = "127.0.0.1:8081"


class CampaignConfig(ServerConfig):
    """`ServerConfig`, where the landing pages are served, and what they are told."""

    listen: str = Field("127.0.0.1:50064", description="address to serve on: host:port or unix:/path")
    campaign_signup_endpoint: str = Field(
        "", max_length=500, description="where landing pages post sign-ups; empty: not connected, and the page says so"
    )
    campaign_controller: str = Field(
        "",
        max_length=300,
        description="who keeps the addresses: name, postal address, e-mail; shown on the privacy page",
    )
    campaign_poll_seconds: float = Field(
        600.0,
        ge=1,
        le=86_400,
        allow_inf_nan=False,
        description="how often running campaigns are read: spend, cap, stopping rule",
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

    @property
    def database_path(self) -> Path:
        """The store of campaigns."""
        return self.state_dir / "campaigns.db"

    @property
    def public_url(self) -> str:
        """Where visitors reach the pages: scheme and host, no slash at the end."""
        return self.page_url or f"http://{self.page_listen or PAGE_LISTEN}"
