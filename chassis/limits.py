"""How much of everything a run may use: what the client asks for, bounded by what the server allows.

`AsyncPipelineConfig` -> `ExecutionProfile` (contract) -> `Profile` (here). A value above the server's limit
is lowered and the reader is told; a value that makes no sense is refused with its field.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import NamedTuple

from google.protobuf.duration_pb2 import Duration

from pipeline.errors import FieldViolation, PipelineError
from pipeline.v1 import common_pb2


@dataclass(frozen=True)
class Profile:
    """What a run may use, resolved. Times in seconds; the defaults are those of the guide."""

    max_concurrent_phases: int = 2
    max_concurrent_operations: int = 10
    max_concurrent_api_calls: int = 5
    caching: bool = True
    cache_ttl: float = 3600.0
    # Told to every phase and checked, but a run cannot resize a cache that it shares with others: each server bounds
    # its own (`PIPELINE_EVIDENCE_CACHE_SIZE`, `PIPELINE_CACHE_BYTES_MAX`).
    cache_max_size: int = 1000
    connection_pool_size: int = 20
    # Bounds each outside call as a whole, connecting included, where the source's own time-out is longer.
    connection_timeout: float = 30.0
    batch_size: int = 10
    batch_timeout: float = 0.5
    reuse_connections: bool = True
    offline: bool = False

    def __post_init__(self) -> None:
        for field in _COUNTS:
            value = getattr(self, field)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise PipelineError.invalid(f"profile.{field}", f"is {value}; write a whole number from 1")
        for field in _TIMES:
            if not (0 < getattr(self, field) < math.inf):
                raise PipelineError.invalid(f"profile.{field}", f"is {getattr(self, field)}; write seconds above 0")

    def to_proto(self) -> common_pb2.ExecutionProfile:
        """Every field set, as a gateway hands it to the phases."""
        message = common_pb2.ExecutionProfile(
            caching=self.caching, reuse_connections=self.reuse_connections, offline=self.offline
        )
        for field in _COUNTS:
            setattr(message, field, getattr(self, field))
        for field in _TIMES:
            getattr(message, field).CopyFrom(_duration(getattr(self, field)))
        return message


_COUNTS = (
    "max_concurrent_phases",
    "max_concurrent_operations",
    "max_concurrent_api_calls",
    "cache_max_size",
    "connection_pool_size",
    "batch_size",
)
_TIMES = ("cache_ttl", "connection_timeout", "batch_timeout")


@dataclass(frozen=True)
class ProfileLimits:
    """The most that one server lets a client ask for; the bounds of the contract's comments."""

    max_concurrent_phases: int = 5
    max_concurrent_operations: int = 100
    max_concurrent_api_calls: int = 50
    # A week: figures and pages change, so that an older answer is no longer the upstream's.
    cache_ttl: float = 7 * 86_400.0
    cache_max_size: int = 100_000
    connection_pool_size: int = 200
    # Above two minutes every caller has given up.
    connection_timeout: float = 120.0
    batch_size: int = 256
    # A batch waits to save work, not to make a run wait.
    batch_timeout: float = 10.0
    # A server that is offline lets no run go online.
    offline: bool = False

    def __post_init__(self) -> None:
        for field in (*_COUNTS, *_TIMES):
            if not (0 < getattr(self, field) < math.inf):
                raise ValueError(f"{field} is {getattr(self, field)}; write a limit above 0")

    def as_map(self) -> dict[str, int]:
        """Maxima by ExecutionProfile field, durations in whole seconds: the form of `ServerInfo.limits`."""
        return {k: math.floor(v) for k, v in asdict(self).items() if k != "offline"}


class Resolved(NamedTuple):
    profile: Profile
    notices: list[common_pb2.Notice]


def resolve_profile(
    asked: common_pb2.ExecutionProfile | None = None,
    limits: ProfileLimits | None = None,
    *,
    field_prefix: str = "spec.profile",
    defaults: Profile | None = None,
) -> Resolved:
    """The profile to run with, and a notice for each value that was lowered.

    Fields that are not set take the default (silently lowered to the limit). Raises PipelineError
    INVALID_FIELD with a violation `spec.profile.<field>` for each count or duration that is not above 0.
    """
    asked = asked or common_pb2.ExecutionProfile()
    limits = limits or ProfileLimits()
    values: dict[str, int | float | bool] = asdict(defaults or Profile())
    notices: list[common_pb2.Notice] = []
    violations: list[FieldViolation] = []
    for field in fields(Profile):
        name = field.name
        given = asked.HasField(name)  # type: ignore[arg-type]
        if name in ("caching", "reuse_connections", "offline"):
            if given:
                values[name] = bool(getattr(asked, name))
            continue
        limit: float = getattr(limits, name)
        if not given:
            values[name] = min(values[name], limit)
            continue
        value = _seconds(getattr(asked, name)) if name in _TIMES else int(getattr(asked, name))
        unit = " seconds" if name in _TIMES else ""
        if not value > 0:
            mend = f"is {value:g}{unit}; write a value above 0, at most {limit:g}{unit}"
            violations.append(FieldViolation(f"{field_prefix}.{name}", mend))
            continue
        if value > limit:
            message = f"{name} lowered from {value:g}{unit} to {limit:g}{unit}, the limit of this server"
            notices.append(common_pb2.Notice(subject=f"{field_prefix}.{name}", message=message))
            value = limit if name in _TIMES else int(limit)
        values[name] = value
    if violations:
        raise PipelineError.invalid_fields(violations)
    if limits.offline and not values["offline"]:
        values["offline"] = True
        if asked.HasField("offline"):
            notices.append(
                common_pb2.Notice(
                    subject=f"{field_prefix}.offline",
                    message="offline set to true: this server opens no outside connection",
                )
            )
    return Resolved(Profile(**values), notices)  # type: ignore[arg-type]


def _seconds(duration: Duration) -> float:
    return duration.seconds + duration.nanos / 1e9


def _duration(seconds: float) -> Duration:
    whole, part = divmod(round(seconds * 1e9), 1_000_000_000)
    return Duration(seconds=whole, nanos=part)
