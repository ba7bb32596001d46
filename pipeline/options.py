"""What a caller may set: the configuration of the migration guide and its mapping onto the contract."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from google.protobuf import duration_pb2

from pipeline.errors import FieldViolation, PipelineError
from pipeline.v1 import common_pb2, errors_pb2, evidence_pb2, pipeline_pb2

DOCUMENT_BYTES_MAX = 2 * 1024 * 1024
"""Per file; the contract's own limit, checked here as well so that a huge file is never read into memory."""


class InvestorType(StrEnum):
    """Whom the deck is written for."""

    ANGEL = "angel"
    SEED = "seed"
    SERIES_A = "series_a"
    GROWTH = "growth"
    STRATEGIC = "strategic"


class MVPType(StrEnum):
    """What the MVP is; AUTO chooses by the product's form."""

    AUTO = "auto"
    LANDING_PAGE = "landing_page"
    WEB_APP = "web_app"
    API_SERVICE = "api_service"
    PWA = "pwa"


class CampaignType(StrEnum):
    """What the campaign is for."""

    SMOKE_TEST = "smoke_test"
    PILOT = "pilot"
    FULL_LAUNCH = "full_launch"


@dataclass(frozen=True)
class ResearchDomain:
    """A field to search in: its keywords, how many finds are wanted and how good they must be (0 to 1)."""

    name: str
    keywords: Sequence[str] = ()
    min_evidence_count: int = 3
    quality_threshold: float = 0.35

    def to_proto(self) -> evidence_pb2.ResearchDomain:
        """The domain as the contract states it."""
        return evidence_pb2.ResearchDomain(
            name=self.name,
            keywords=self.keywords,
            min_evidence_count=self.min_evidence_count,
            quality_threshold=self.quality_threshold,
        )


@dataclass
class AsyncPipelineConfig:
    """How much a run may use. Fields may be set after construction: the next run takes them up.

    The server lowers what is above its limits and says so in the run's notices.
    """

    max_concurrent_phases: int = 2
    max_concurrent_operations: int = 10
    max_concurrent_api_calls: int = 5
    enable_aggressive_caching: bool = True
    cache_ttl_seconds: float = 3600
    cache_max_size: int = 1000
    connection_pool_size: int = 20
    connection_timeout: float = 30
    batch_size: int = 10
    batch_timeout_seconds: float = 0.5
    enable_metrics: bool = True
    metrics_interval_seconds: float = 60
    reuse_connections: bool = True

    def to_profile(self, *, offline: bool = False) -> common_pb2.ExecutionProfile:
        """The configuration as an `ExecutionProfile`; raises INVALID_FIELD for what no server could use."""
        violations = [
            FieldViolation(f"config.{name}", f"is {value!r}; give a number above 0")
            for name, value in vars(self).items()
            if not isinstance(value, bool)
            and (not isinstance(value, int | float) or not math.isfinite(value) or value <= 0)
        ]
        if violations:
            raise PipelineError.invalid_fields(violations)
        return common_pb2.ExecutionProfile(
            max_concurrent_phases=_int32(self.max_concurrent_phases),
            max_concurrent_operations=_int32(self.max_concurrent_operations),
            max_concurrent_api_calls=_int32(self.max_concurrent_api_calls),
            caching=self.enable_aggressive_caching,
            cache_ttl=_duration(self.cache_ttl_seconds),
            cache_max_size=_int32(self.cache_max_size),
            connection_pool_size=_int32(self.connection_pool_size),
            connection_timeout=_duration(self.connection_timeout),
            batch_size=_int32(self.batch_size),
            batch_timeout=_duration(self.batch_timeout_seconds),
            reuse_connections=self.reuse_connections,
            offline=offline,
        )


def sequential_config() -> AsyncPipelineConfig:
    """One thing after another: no parallel phases or calls, no cache, no batches, no connection kept."""
    return AsyncPipelineConfig(
        max_concurrent_phases=1,
        max_concurrent_operations=1,
        max_concurrent_api_calls=1,
        enable_aggressive_caching=False,
        connection_pool_size=1,
        batch_size=1,
        reuse_connections=False,
    )


def run_spec(
    startup_idea: str,
    *,
    config: AsyncPipelineConfig,
    name: str = "",
    target_investor: InvestorType | str = InvestorType.SEED,
    generate_mvp: bool = True,
    mvp_type: MVPType | str = MVPType.AUTO,
    campaign_type: CampaignType | str = CampaignType.SMOKE_TEST,
    max_total_budget: float = 60.0,
    ad_budget: float | None = None,
    continue_on_rejection: bool = False,
    documents: Sequence[Path | str] = (),
    domains: Sequence[ResearchDomain] = (),
    offline: bool = False,
) -> pipeline_pb2.RunSpec:
    """Build the request of one run; money in USD. Raises `PipelineError` that names every field at fault."""
    violations: list[FieldViolation] = []
    if not isinstance(startup_idea, str):
        raise PipelineError.invalid("startup_idea", f"is {type(startup_idea).__name__}; give a text")
    try:
        startup_idea.encode()
    except UnicodeEncodeError:
        violations.append(FieldViolation("startup_idea", "holds half a character (a lone surrogate); type it anew"))
        startup_idea = ""
    investor = _member("target_investor", InvestorType, target_investor, violations)
    mvp = _member("mvp_type", MVPType, mvp_type, violations)
    campaign = _member("campaign_type", CampaignType, campaign_type, violations)
    budget = _micros("max_total_budget", max_total_budget, violations)
    ads = None if ad_budget is None else _micros("ad_budget", ad_budget, violations)
    if violations:
        raise PipelineError.invalid_fields(violations)
    return pipeline_pb2.RunSpec(
        idea=common_pb2.Idea(text=startup_idea, name=name),
        target_investor=common_pb2.InvestorType.Value(f"INVESTOR_TYPE_{investor.upper()}"),
        skip_phases=() if generate_mvp else (common_pb2.PHASE_MVP,),
        mvp_type=(
            common_pb2.MVP_TYPE_UNSPECIFIED
            if mvp == MVPType.AUTO
            else common_pb2.MvpType.Value(f"MVP_TYPE_{mvp.upper()}")
        ),
        campaign_type=common_pb2.CampaignType.Value(f"CAMPAIGN_TYPE_{campaign.upper()}"),
        budget_micros=budget,
        ad_budget_micros=ads,
        on_rejection=(
            pipeline_pb2.REJECTION_POLICY_CONTINUE if continue_on_rejection else pipeline_pb2.REJECTION_POLICY_STOP
        ),
        profile=config.to_profile(offline=offline),
        documents=read_documents(documents),
        domains=[domain.to_proto() for domain in domains],
    )


def read_documents(paths: Sequence[Path | str]) -> list[common_pb2.Document]:
    """Read the founder's files; raises DOCUMENT_UNREADABLE naming `documents[i]` and the mend."""
    found: list[common_pb2.Document] = []
    for index, given in enumerate(paths):
        path = Path(given)
        try:
            size = path.stat().st_size
            if size > DOCUMENT_BYTES_MAX:
                raise _unreadable(index, path, f"has {size:,} bytes; give at most {DOCUMENT_BYTES_MAX:,}")
            found.append(common_pb2.Document(name=path.name, content=path.read_bytes()))
        except OSError as error:
            reason = error.strerror or "cannot be opened"
            raise _unreadable(index, path, f"{reason.lower()}; check the path") from error
    return found


def _unreadable(index: int, path: Path, mend: str) -> PipelineError:
    return PipelineError(
        errors_pb2.ERROR_REASON_DOCUMENT_UNREADABLE,
        f"{path}: {mend}",
        metadata={"document": path.name},
        violations=[FieldViolation(f"documents[{index}]", f"{path}: {mend}")],
    )


def _member(field: str, kind: type[StrEnum], value: str, violations: list[FieldViolation]) -> str:
    wanted = str(value).strip().lower().replace("-", "_").replace(" ", "_")
    members = {member.value for member in kind}
    if wanted not in members:
        known = ", ".join(sorted(members))
        violations.append(FieldViolation(field, f"{str(value)[:40]!r} is not known; give one of {known}"))
    return wanted


def _micros(field: str, value: float, violations: list[FieldViolation]) -> int:
    if not isinstance(value, int | float) or not math.isfinite(value) or not 0 <= value <= 1_000_000:
        violations.append(FieldViolation(field, f"is {value!r}; give US dollars from 0 to 1,000,000"))
        return 0
    return round(value * 1_000_000)


def _int32(value: int) -> int:
    # What is above a server's limit is lowered there, with a notice; int32 is only the wire's bound.
    return min(int(value), 2**31 - 1)


def _duration(seconds: float) -> duration_pb2.Duration:
    duration = duration_pb2.Duration()
    duration.FromNanoseconds(int(min(seconds, 10**9) * 1e9))
    return duration
