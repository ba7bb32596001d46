"""Execution profiles: defaults, clamping, refusal."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration

from chassis.limits import Profile, ProfileLimits, resolve_profile
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2


def test_nothing_asked_gives_the_defaults() -> None:
    """An empty profile is the guide's configuration, without a notice."""
    profile, notices = resolve_profile(common_pb2.ExecutionProfile())
    assert profile == Profile()
    assert (profile.max_concurrent_operations, profile.batch_size, profile.cache_ttl) == (10, 10, 3600)
    assert notices == []
    assert resolve_profile().profile == profile


def test_every_field_is_taken_over() -> None:
    """What a client asks for within the limits is what it gets; the message survives a round trip."""
    wanted = Profile(3, 20, 10, False, 60.5, 500, 40, 5.25, 64, 0.125, False, True)
    profile, notices = resolve_profile(wanted.to_proto())
    assert profile == wanted
    assert notices == []


def test_values_above_the_limits_are_lowered_and_said_so() -> None:
    """Each value above the server's limit is lowered, with a notice that names both."""
    asked = common_pb2.ExecutionProfile(batch_size=900, max_concurrent_phases=9, cache_ttl=Duration(seconds=10**9))
    profile, notices = resolve_profile(asked)
    assert (profile.batch_size, profile.max_concurrent_phases, profile.cache_ttl) == (256, 5, 604_800)
    assert {notice.subject for notice in notices} == {
        "spec.profile.batch_size",
        "spec.profile.max_concurrent_phases",
        "spec.profile.cache_ttl",
    }
    message = next(n.message for n in notices if n.subject.endswith("batch_size"))
    assert message == "batch_size lowered from 900 to 256, the limit of this server"


def test_exactly_the_limit_is_not_lowered() -> None:
    """Asking for the most that is allowed is no matter for a notice."""
    profile, notices = resolve_profile(common_pb2.ExecutionProfile(batch_size=256))
    assert (profile.batch_size, notices) == (256, [])


def test_defaults_stay_within_a_small_server() -> None:
    """A server smaller than the defaults lowers them without notices: nobody asked for them."""
    limits = ProfileLimits(max_concurrent_operations=4, batch_timeout=0.1)
    profile, notices = resolve_profile(common_pb2.ExecutionProfile(), limits)
    assert (profile.max_concurrent_operations, profile.batch_timeout) == (4, 0.1)
    assert notices == []


@pytest.mark.parametrize(
    "asked",
    [
        {"max_concurrent_phases": 0},
        {"max_concurrent_operations": -1},
        {"max_concurrent_api_calls": 0},
        {"cache_max_size": -5},
        {"connection_pool_size": 0},
        {"batch_size": 0},
        {"cache_ttl": Duration(seconds=-1)},
        {"connection_timeout": Duration()},
        {"batch_timeout": Duration(nanos=-5)},
    ],
)
def test_values_that_make_no_sense_are_refused(asked: dict[str, Any]) -> None:
    """A count or a duration that is not above 0 is INVALID_FIELD with its path and the bound."""
    with pytest.raises(PipelineError) as caught:
        resolve_profile(common_pb2.ExecutionProfile(**asked))
    assert caught.value.reason == errors_pb2.ERROR_REASON_INVALID_FIELD
    (violation,) = caught.value.violations
    assert violation.field == f"spec.profile.{next(iter(asked))}"
    assert "at most" in violation.description


def test_all_wrong_fields_are_named_together() -> None:
    """A client learns of all its mistakes at once."""
    with pytest.raises(PipelineError) as caught:
        resolve_profile(common_pb2.ExecutionProfile(batch_size=0, cache_max_size=0), field_prefix="profile")
    assert [v.field for v in caught.value.violations] == ["profile.cache_max_size", "profile.batch_size"]


def test_offline_server_keeps_every_run_offline() -> None:
    """An offline server lets no run go online and says so to who asked for it."""
    limits = ProfileLimits(offline=True)
    assert resolve_profile(None, limits).profile.offline
    profile, notices = resolve_profile(common_pb2.ExecutionProfile(offline=False), limits)
    assert profile.offline
    assert notices[0].subject == "spec.profile.offline"


@pytest.mark.parametrize(
    "change",
    [{"batch_size": 0}, {"batch_size": 1.5}, {"cache_ttl": float("nan")}, {"batch_timeout": float("inf")}],
)
def test_profile_refuses_nonsense(change: dict[str, Any]) -> None:
    """A profile made in Python is checked as well."""
    with pytest.raises(PipelineError) as caught:
        Profile(**change)
    assert caught.value.violations[0].field == f"profile.{next(iter(change))}"


def test_limits_are_shown_by_field() -> None:
    """The operator's map names ExecutionProfile fields with whole numbers."""
    shown = ProfileLimits().as_map()
    assert set(shown) < set(common_pb2.ExecutionProfile.DESCRIPTOR.fields_by_name)
    assert (shown["batch_size"], shown["cache_ttl"]) == (256, 604_800)
    with pytest.raises(ValueError, match="batch_size"):
        ProfileLimits(batch_size=0)
