"""Settings of the evidence server, `PIPELINE_*`."""

from __future__ import annotations

from pydantic import Field, field_validator

from chassis.config import ServerConfig


class EvidenceConfig(ServerConfig):
    """Where the evidence server listens and whom it asks. No key is needed."""

    listen: str = Field("127.0.0.1:50062", description="address to serve on: host:port or unix:/path")
    hackernews_url: str = Field(
        "https://hn.algolia.com", description="address of the Hacker News search; empty: not asked"
    )
    # 10,000 calls an hour are 2.7 a second.
    hackernews_rate: float = Field(
        2.5, gt=0, le=100, allow_inf_nan=False, description="Hacker News searches per second, on average"
    )
    hackernews_timeout_seconds: float = Field(
        10.0, gt=0, le=120, allow_inf_nan=False, description="longest wait for one Hacker News search"
    )
    evidence_cache_size: int = Field(1_000, ge=1, le=100_000, description="answers kept in memory for each source")

    @field_validator("hackernews_url")
    @classmethod
    def _address(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://, for example https://hn.algolia.com")
        return value
