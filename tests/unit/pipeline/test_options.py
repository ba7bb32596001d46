"""What a caller may set, and what it becomes in the contract."""

import math
from pathlib import Path

import pytest

from pipeline.errors import PipelineError
from pipeline.options import AsyncPipelineConfig, InvestorType, ResearchDomain, run_spec, sequential_config
from pipeline.v1 import common_pb2, errors_pb2, pipeline_pb2

IDEA = "A marketplace that matches students with vetted tutors"


def fields_at_fault(error: PipelineError) -> set[str]:
    """Names of the fields that an error complains of."""
    return {violation.field for violation in error.violations}


def test_every_setting_reaches_the_profile() -> None:
    """The guide's settings map one to one on an ExecutionProfile."""
    config = AsyncPipelineConfig(
        max_concurrent_phases=3, max_concurrent_operations=7, max_concurrent_api_calls=4,
        enable_aggressive_caching=False, cache_ttl_seconds=60, cache_max_size=9, connection_pool_size=8,
        connection_timeout=1.5, batch_size=6, batch_timeout_seconds=0.25, reuse_connections=False,
    )  # fmt: skip
    profile = config.to_profile(offline=True)
    assert (profile.max_concurrent_phases, profile.max_concurrent_operations) == (3, 7)
    assert (profile.max_concurrent_api_calls, profile.connection_pool_size, profile.batch_size) == (4, 8, 6)
    assert (profile.caching, profile.reuse_connections, profile.offline) == (False, False, True)
    assert (profile.cache_ttl.seconds, profile.cache_max_size) == (60, 9)
    assert profile.connection_timeout.ToMilliseconds() == 1500
    assert profile.batch_timeout.ToMilliseconds() == 250


def test_a_setting_changed_after_construction_counts() -> None:
    """`config.cache_max_size = 1000` is taken up by the next run."""
    config = AsyncPipelineConfig()
    config.cache_max_size = 1234
    assert run_spec(IDEA, config=config).profile.cache_max_size == 1234


def test_the_fallback_does_one_thing_at_a_time() -> None:
    """The synchronous baseline has no parallelism, cache, batch or kept connection."""
    profile = sequential_config().to_profile()
    assert profile.max_concurrent_phases == profile.max_concurrent_operations == 1
    assert profile.max_concurrent_api_calls == profile.batch_size == 1
    assert (profile.caching, profile.reuse_connections) == (False, False)


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, "many"])
def test_a_setting_no_server_could_use_is_named(value: object) -> None:
    """Zero, negative, not a number: the field is named, before anything is started."""
    with pytest.raises(PipelineError) as caught:
        AsyncPipelineConfig(batch_size=value).to_profile()  # type: ignore[arg-type]
    assert fields_at_fault(caught.value) == {"config.batch_size"}


def test_all_bad_fields_are_told_at_once() -> None:
    """An investor, a budget and an advertising budget at fault: one error names the three."""
    with pytest.raises(PipelineError) as caught:
        run_spec(IDEA, config=AsyncPipelineConfig(), target_investor="bank", max_total_budget=math.nan, ad_budget=-1)
    assert fields_at_fault(caught.value) == {"target_investor", "max_total_budget", "ad_budget"}
    assert caught.value.reason == errors_pb2.ERROR_REASON_INVALID_FIELD


def test_half_a_character_is_refused_before_it_reaches_the_wire() -> None:
    """A lone surrogate cannot be encoded; it is named instead of raising UnicodeEncodeError."""
    with pytest.raises(PipelineError) as caught:
        run_spec("An idea with \ud800 in it", config=AsyncPipelineConfig())
    assert fields_at_fault(caught.value) == {"startup_idea"}


def test_the_spec_carries_what_was_asked() -> None:
    """Investor, skipped phases, money in micros, domains."""
    spec = run_spec(
        IDEA,
        config=AsyncPipelineConfig(),
        target_investor=InvestorType.SERIES_A,
        generate_mvp=False,
        max_total_budget=12.5,
        continue_on_rejection=True,
        domains=[ResearchDomain("competition", ["tutoring"], 5, 0.5)],
    )
    assert spec.target_investor == common_pb2.INVESTOR_TYPE_SERIES_A
    assert list(spec.skip_phases) == [common_pb2.PHASE_MVP]
    assert (spec.budget_micros, spec.HasField("ad_budget_micros")) == (12_500_000, False)
    assert spec.on_rejection == pipeline_pb2.REJECTION_POLICY_CONTINUE
    assert (spec.domains[0].keywords[0], spec.domains[0].min_evidence_count) == ("tutoring", 5)


def test_a_document_that_is_not_there_or_too_large_is_named(tmp_path: Path) -> None:
    """The index and the path are in the error, and nothing large is read."""
    with pytest.raises(PipelineError, match=r"nothing\.md"):
        run_spec(IDEA, config=AsyncPipelineConfig(), documents=[tmp_path / "nothing.md"])
    large = tmp_path / "large.txt"
    with large.open("wb") as file:
        file.truncate(2 * 1024 * 1024 + 1)
    small = tmp_path / "small.txt"
    small.write_text("Interviews")
    with pytest.raises(PipelineError) as caught:
        run_spec(IDEA, config=AsyncPipelineConfig(), documents=[small, large])
    assert fields_at_fault(caught.value) == {"documents[1]"}
    assert caught.value.reason == errors_pb2.ERROR_REASON_DOCUMENT_UNREADABLE
