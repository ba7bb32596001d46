"""Settings of the pitch server; see `chassis.config.ServerConfig` for those that all servers share."""

from __future__ import annotations

from pydantic import Field

from chassis.config import ServerConfig


class PitchConfig(ServerConfig):
    """`PIPELINE_*` variables of this server."""

    listen: str = Field("127.0.0.1:50063", description="address to serve on: host:port or unix:/path")
