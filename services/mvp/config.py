"""Configuration of the MVP server."""

from __future__ import annotations

import os

from pydantic import Field

from chassis.config import ServerConfig


class MvpConfig(ServerConfig):
    """What the MVP server is told besides what every server is."""

    listen: str = "127.0.0.1:50065"
    mvp_builds: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=64,
        description="projects built and checked at the same time; more wait for their turn",
    )
    mvp_check_seconds: float = Field(
        60.0, ge=5, le=600, allow_inf_nan=False, description="longest a sandboxed program may run"
    )
    mvp_check_memory_mb: int = Field(2048, ge=512, le=16_384, description="address space of a sandboxed program")
