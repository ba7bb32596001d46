"""The machine at Fly.io that stands before the counting server: a Caddy that passes everything on.

`config` is the Machines API's (fly.io/docs/machines/api/machines-resource, read in November 2026): `image`, `guest`,
`restart`, `files` (absolute `guest_path`, `raw_value` in base64), `services` with ports and handlers.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from pipeline.errors import PipelineError
from services.campaign.providers.base import Launch
from services.campaign.providers.launches import check_public

if TYPE_CHECKING:
    from services.campaign.config import CampaignConfig

PORT = 8080
TOKEN_SETTING = "PIPELINE_FLY_TOKEN"  # noqa: S105 - a setting's name
CADDYFILE_PATH = "/etc/caddy/Caddyfile"
# Names of apps are part of a host name: "Name under 63 chars using numbers, lowercase letters and dashes".
APP_CHARS_MAX = 62
_ORIGIN = re.compile(r"https?://(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?)(?::\d{1,5})?")
_IMAGE = re.compile(r"[a-z0-9][A-Za-z0-9._/:@-]{0,254}")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_REGION = re.compile(r"[a-z]{3}")


@dataclass(frozen=True)
class FlyAccess:
    """The organisation and what opens it."""

    token: SecretStr
    organisation: str = "personal"
    # Three letters ("ord", "fra"); "" the one nearest to the caller.
    region: str = ""
    image: str = "registry-1.docker.io/library/caddy:2-alpine"
    url: str = "https://api.machines.dev"

    @classmethod
    def of(cls, config: CampaignConfig) -> FlyAccess:
        """What the configuration says."""
        return cls(
            token=config.fly_token,
            organisation=config.fly_organisation,
            region=config.fly_region,
            image=config.fly_image,
            url=config.fly_url,
        )

    def lacks(self) -> str:
        """The setting that is missing or wrong, with the mend; "" where calls can be made."""
        if not self.token.get_secret_value():
            return f"{TOKEN_SETTING} is empty"
        if not _SLUG.fullmatch(self.organisation):
            return "PIPELINE_FLY_ORGANISATION is no organisation's slug such as personal"
        if self.region and not _REGION.fullmatch(self.region):
            return "PIPELINE_FLY_REGION is no region of three letters such as fra"
        if not _IMAGE.fullmatch(self.image):
            return "PIPELINE_FLY_IMAGE is no container image such as registry-1.docker.io/library/caddy:2-alpine"
        return ""


def app_name(launch: Launch) -> str:
    """`front-{campaign id}` where the id fits a host name; else what fits of it, and a digest that tells it apart.

    Names are unique among all apps at Fly.io, those of other customers included.
    """
    plain = f"front-{launch.campaign_id}"
    if re.fullmatch(rf"[a-z0-9-]{{1,{APP_CHARS_MAX}}}", plain) and not plain.endswith("-"):
        return plain
    digest = hashlib.sha256(launch.campaign_id.encode()).hexdigest()[:12]
    kept = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
    return f"{kept[: APP_CHARS_MAX - 13].rstrip('-')}-{digest}"


def address_of(app: str) -> str:
    """Where visitors reach the front."""
    return f"https://{app}.fly.dev"


def caddyfile(origin: str) -> str:
    """Passes every request on to the origin, and tells it the visitor's address as Fly's proxy saw it.

    Raises INVALID_FIELD for an origin that is more than scheme, host and port: it becomes part of a program's
    configuration.
    """
    origin = origin.rstrip("/")
    if not _ORIGIN.fullmatch(origin):
        raise PipelineError.invalid("origin_url", "is no address such as https://pages.example.org; set the public one")
    return f"""{{
	admin off
	auto_https off
}}
:{PORT} {{
	reverse_proxy {origin} {{
		header_up Host {{upstream_hostport}}
		header_up X-Forwarded-For {{http.request.header.Fly-Client-IP}}
		header_up X-Forwarded-Proto https
	}}
}}
"""


def check_origin(launch: Launch, app: str) -> None:
    """Raises INVALID_FIELD for an origin that visits cannot be passed on to: out of reach, or the front itself."""
    check_public("origin_url", launch.origin_url)
    if urlsplit(launch.origin_url).hostname == urlsplit(address_of(app)).hostname:
        raise PipelineError.invalid("origin_url", "is the front itself; set PIPELINE_PAGE_URL to the counting server's")


def machine(access: FlyAccess, launch: Launch, name: str) -> dict[str, Any]:
    """Body of the request that makes the machine, switched off (`skip_launch`).

    Fly's proxy starts a machine that is held when a visitor comes, so that a paused campaign still says so, and
    suspends one that nobody visits: whether ads lead here is not the front's to decide.
    """
    content = base64.b64encode(caddyfile(launch.origin_url).encode()).decode()
    body: dict[str, Any] = {
        "name": name,
        "skip_launch": True,
        "config": {
            "image": access.image,
            "guest": {"cpu_kind": "shared", "cpus": 1, "memory_mb": 256},
            "restart": {"policy": "always"},
            "files": [{"guest_path": CADDYFILE_PATH, "raw_value": content}],
            "metadata": {"campaign": launch.campaign_id},
            "services": [
                {
                    "protocol": "tcp",
                    "internal_port": PORT,
                    "autostart": True,
                    "autostop": "suspend",
                    "ports": [
                        {"port": 80, "handlers": ["http"], "force_https": True},
                        {"port": 443, "handlers": ["tls", "http"]},
                    ],
                }
            ],
        },
    }
    if access.region:
        body["region"] = access.region
    return body
