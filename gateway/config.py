"""Settings of the gateway, read from `PIPELINE_*`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator

from chassis.config import ServerConfig, check_listen


class GatewayConfig(ServerConfig):
    """What the gateway is told."""

    listen: str = Field("127.0.0.1:50051", description="gRPC address: host:port or unix:/path")
    http_listen: str = Field("127.0.0.1:8080", description="REST address host:port; off: no REST")

    validation_target: str = Field("127.0.0.1:50061", description="address of the validation server")
    evidence_target: str = Field("127.0.0.1:50062", description="address of the evidence server")
    pitch_target: str = Field("127.0.0.1:50063", description="address of the pitch server")
    campaign_target: str = Field("127.0.0.1:50064", description="address of the campaign server")
    mvp_target: str = Field("127.0.0.1:50065", description="address of the mvp server")

    # Deadlines: about ten times what each phase takes on two cores, so that only a stuck server meets them.
    validation_seconds: float = Field(20.0, gt=0, le=600, allow_inf_nan=False, description="deadline")
    # A source may take 40 s, the pages 25 s, addresses 10 s; the rest is computing beside other runs.
    evidence_seconds: float = Field(120.0, gt=0, le=1800, allow_inf_nan=False, description="deadline")
    pitch_seconds: float = Field(90.0, gt=0, le=600, allow_inf_nan=False, description="deadline")
    campaign_seconds: float = Field(60.0, gt=0, le=600, allow_inf_nan=False, description="deadline")
    mvp_seconds: float = Field(240.0, gt=0, le=1800, allow_inf_nan=False, description="deadline")

    phase_patience_seconds: float = Field(
        30.0,
        ge=0,
        le=600,
        allow_inf_nan=False,
        description="how long a run waits for a phase server to come back",
    )
    # Two dollars are about 400 paid searches, or a few hundred short calls of a small text model.
    evidence_allowance_usd: float = Field(
        2.0,
        ge=0,
        le=1_000,
        allow_inf_nan=False,
        description="what the evidence of a run may spend of its budget on paid searches and text models",
    )
    # A deck is some ten short questions.
    pitch_allowance_usd: float = Field(
        0.5,
        ge=0,
        le=1_000,
        allow_inf_nan=False,
        description="what the deck of a run may spend of its budget on text models",
    )
    phase_attempts_max: int = Field(4, ge=1, le=20, description="tries of a phase whose server goes away")

    # 8 runs keep two cores busy (a run is mostly one embedding or one sandbox at a time); more only queue elsewhere.
    max_concurrent_runs: int = Field(8, ge=0, le=256, description="runs worked on at a time; 0: none")
    max_queued_runs: int = Field(2000, ge=1, le=100_000, description="runs that may wait to be worked on")
    lease_seconds: float = Field(
        10.0,
        ge=1,
        le=600,
        allow_inf_nan=False,
        description="after this long without a sign of life a run is taken over",
    )
    poll_seconds: float = Field(
        1.0, gt=0, le=60, allow_inf_nan=False, description="how often the store is asked for news"
    )
    tenant: str = Field("default", min_length=1, max_length=64, description="whose runs these are")

    @field_validator("http_listen")
    @classmethod
    def _http_listen(cls, value: str) -> str:
        if value.lower() in ("", "off", "none"):
            # An empty variable counts as not set, so the environment needs a word for it.
            return ""
        if value.startswith("unix:"):
            raise ValueError("is not an address for REST; write host:port (127.0.0.1:8080) or off")
        return check_listen(value)

    @field_validator("validation_target", "evidence_target", "pitch_target", "campaign_target", "mvp_target")
    @classmethod
    def _target(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("is empty; write host:port, dns:///name:port or unix:/path")
        return value.strip()

    @property
    def artifacts_dir(self) -> Path:
        """Folder of the runs' files."""
        return self.state_dir / "artifacts"

    @property
    def database_path(self) -> Path:
        """The store of runs."""
        return self.state_dir / "runs.db"
