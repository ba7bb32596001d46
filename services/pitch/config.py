"""Settings of the pitch server; see `chassis.config.ServerConfig` for those that all servers share."""

from __future__ import annotations

from pydantic import Field

from chassis.config import TextModelConfig


class PitchConfig(TextModelConfig):
    """`PIPELINE_*` variables of this server."""

    listen: str = Field("127.0.0.1:50063", description="address to serve on: host:port or unix:/path")
    soffice: str = Field(
        "auto", max_length=500, description="LibreOffice's program for deck.pdf; auto: the one on the PATH; off: no PDF"
    )
