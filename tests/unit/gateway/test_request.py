"""Requests are checked field by field; what is wrong is named with its mend."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.config import ConfigError, load
from chassis.limits import ProfileLimits
from gateway.batches import plan_batch, rank, shares
from gateway.config import GatewayConfig
from gateway.request import check_batch, check_request_id, check_spec
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2, pipeline_pb2, validation_pb2

IDEA = common_pb2.Idea(text="A tool that helps bakeries plan how much bread to bake")
LIMITS = ProfileLimits()


def spec(**fields: Any) -> pipeline_pb2.RunSpec:
    return pipeline_pb2.RunSpec(**{"idea": IDEA, **fields})


def document(name: str, content: bytes = b"some text") -> common_pb2.Document:
    return common_pb2.Document(name=name, content=content)


def faults(given: pipeline_pb2.RunSpec) -> list[str]:
    with pytest.raises(PipelineError) as caught:
        check_spec(given, LIMITS)
    assert all(violation.description for violation in caught.value.violations)
    return [violation.field for violation in caught.value.violations]


def test_defaults_are_filled_in() -> None:
    """Without money in the request the defaults hold: $60 in all, $25 of it for ads."""
    checked = check_spec(spec(), LIMITS)
    assert (checked.cap_micros, checked.spec.ad_budget_micros) == (60_000_000, 25_000_000)
    small = check_spec(spec(budget_micros=10_000_000), LIMITS)
    assert small.spec.ad_budget_micros == 10_000_000
    free = check_spec(spec(budget_micros=0), LIMITS)
    assert (free.cap_micros, free.spec.ad_budget_micros) == (0, 0)


def test_text_is_normalised() -> None:
    """What is stored is the idea after normalisation."""
    idea = common_pb2.Idea(text="  A  tool\u200b that helps bakeries ﬁll shelves ")
    assert check_spec(spec(idea=idea), LIMITS).spec.idea.text == "A tool that helps bakeries fill shelves"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"idea": common_pb2.Idea(text="123456789")}, "spec.idea.text"),
        ({"idea": common_pb2.Idea(text="ab " * 1667 + "xyz")}, "spec.idea.text"),
        ({"idea": common_pb2.Idea(text="A tool that \x00 helps")}, "spec.idea.text"),
        ({"idea": common_pb2.Idea(text=IDEA.text, name="n" * 81)}, "spec.idea.name"),
        ({"budget_micros": -1}, "spec.budget_micros"),
        ({"budget_micros": 2 * 10**12}, "spec.budget_micros"),
        ({"ad_budget_micros": -1}, "spec.ad_budget_micros"),
        ({"budget_micros": 5, "ad_budget_micros": 6}, "spec.ad_budget_micros"),
        ({"target_investor": 77}, "spec.target_investor"),
        ({"mvp_type": 77}, "spec.mvp_type"),
        ({"on_rejection": 77}, "spec.on_rejection"),
        ({"skip_phases": [77]}, "spec.skip_phases[0]"),
        ({"skip_phases": [common_pb2.PHASE_VALIDATION]}, "spec.skip_phases[0]"),
        ({"profile": common_pb2.ExecutionProfile(batch_size=0)}, "spec.profile.batch_size"),
        ({"domains": [pipeline_pb2.RunSpec().domains.add(name="No Slug")]}, "spec.domains[0].name"),
    ],
)
def test_each_violation_names_its_field(fields: dict[str, Any], field: str) -> None:
    """A wrong field is refused under its own path."""
    assert faults(spec(**fields)) == [field]


def test_all_violations_are_told_at_once() -> None:
    """A caller mends a request in one go: every fault of it is named."""
    idea = common_pb2.Idea(text="short")
    documents = [document("a.exe"), document("b.txt"), document("B.TXT")]
    assert faults(spec(idea=idea, budget_micros=-1, documents=documents)) == [
        "spec.idea.text",
        "spec.budget_micros",
        "spec.documents[0]",
        "spec.documents[2]",
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("", b"x"),
        ("../plan.md", b"x"),
        ("dir/plan.md", b"x"),
        ("plan.docx", b"x"),
        ("plan.md", b""),
        ("plan.md", b"\xff\xfe\x00"),
        ("plan.txt", b"caf\xe9"),
        ("plan.pdf", b"just text"),
        ("plan.pdf", b"%PDF-1.7 cut off"),
        ("plan.md", b"x" * (2 * 1024 * 1024 + 1)),
    ],
)
def test_unusable_documents_are_refused(name: str, content: bytes) -> None:
    """A document that cannot be a source is DOCUMENT_UNREADABLE, with its place in the list."""
    with pytest.raises(PipelineError) as caught:
        check_spec(spec(documents=[document("fine.md"), document(name, content)]), LIMITS)
    assert caught.value.reason == errors_pb2.ERROR_REASON_DOCUMENT_UNREADABLE
    assert [violation.field for violation in caught.value.violations] == ["spec.documents[1]"]


def test_documents_together_are_bounded() -> None:
    """Five documents of 2 MiB are more than a run takes."""
    documents = [document(f"{number}.txt", b"x" * 2 * 1024 * 1024) for number in range(5)]
    assert faults(spec(documents=documents)) == ["spec.documents"]


@pytest.mark.parametrize("threshold", [float("nan"), float("inf"), -0.1, 1.1])
def test_domain_thresholds_are_shares(threshold: float) -> None:
    """A quality threshold is a number from 0 to 1."""
    given = spec()
    given.domains.add(name="market", quality_threshold=threshold)
    assert faults(given) == ["spec.domains[0].quality_threshold"]


@pytest.mark.parametrize("request_id", ["x" * 65, "with space", "ümlaut", "line\nbreak"])
def test_request_ids_are_plain(request_id: str) -> None:
    """A request id fits a header and a log line."""
    with pytest.raises(PipelineError) as caught:
        check_request_id(request_id)
    assert caught.value.violations[0].field == "request_id"


def test_rest_can_be_switched_off() -> None:
    """The word `off` switches REST off, as an empty setting does; an address without a port is refused."""
    assert load(GatewayConfig, http_listen="off").http_listen == ""
    assert load(GatewayConfig, http_listen="").http_listen == ""
    with pytest.raises(ConfigError, match="http_listen"):
        load(GatewayConfig, http_listen="localhost")


def test_batch_names_the_spec_at_fault() -> None:
    """A batch is refused as a whole, with the index of every idea at fault."""
    request = pipeline_pb2.CreateBatchRequest(specs=[spec(), spec(budget_micros=-1), spec()])
    request.specs[2].idea.text = ""
    with pytest.raises(PipelineError) as caught:
        check_batch(request, LIMITS)
    fields = [violation.field for violation in caught.value.violations]
    assert fields == ["specs[1].budget_micros", "specs[2].idea.text"]
    with pytest.raises(PipelineError):
        check_batch(pipeline_pb2.CreateBatchRequest(), LIMITS)


def test_equal_ideas_share_a_run() -> None:
    """The same words in another case are the same idea; other options make another run."""
    shouted = common_pb2.Idea(text=IDEA.text.upper() + ".")
    specs = [spec(), spec(idea=shouted), spec(budget_micros=1), spec()]
    checked = [check_spec(each, LIMITS) for each in specs]
    planned = plan_batch(checked, None)
    assert planned.entries == ((0, None), (0, 0), (1, None), (0, 0))
    assert planned.budget_micros == 60_000_001


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=20), st.integers(0, 10**10))
def test_shares_never_exceed_the_whole(wanted: list[int], total: int) -> None:
    """No run gets more than it wants, all together get no more than there is, and nothing is held back."""
    parts = shares(wanted, total)
    assert all(0 <= part <= want for part, want in zip(parts, wanted, strict=True))
    assert sum(parts) <= total
    assert sum(parts) >= min(total, sum(wanted)) - len(wanted)


def entry(
    index: int, recommendation: validation_pb2.Recommendation.ValueType, score: float, quality: float = 0.5
) -> pipeline_pb2.BatchEntry:
    return pipeline_pb2.BatchEntry(
        index=index,
        run=f"runs/{index}",
        state=pipeline_pb2.RUN_STATE_SUCCEEDED,
        verdict=validation_pb2.Verdict(recommendation=recommendation, score=score),
        overall_quality_score=quality,
    )


def test_ranking_is_by_recommendation_then_score_then_quality() -> None:
    """Best first; runs without a verdict stay unranked at the end; every place has a reason."""
    waiting = pipeline_pb2.BatchEntry(index=5, run="runs/5", state=pipeline_pb2.RUN_STATE_RUNNING)
    twin = entry(6, validation_pb2.RECOMMENDATION_GO, 3.0)
    twin.run, twin.duplicate_of = "runs/1", 1
    ranked = rank(
        [
            entry(0, validation_pb2.RECOMMENDATION_NO_GO, 5.0),
            entry(1, validation_pb2.RECOMMENDATION_GO, 3.0),
            entry(2, validation_pb2.RECOMMENDATION_GO, 3.5, 0.1),
            entry(3, validation_pb2.RECOMMENDATION_GO, 3.5, 0.9),
            entry(4, validation_pb2.RECOMMENDATION_INCONCLUSIVE, 5.0),
            waiting,
            twin,
        ]
    )
    assert [e.index for e in ranked] == [3, 2, 1, 6, 4, 0, 5]
    assert [e.rank for e in ranked] == [1, 2, 3, 3, 4, 5, 0]
    assert all(e.reason for e in ranked)


def test_document_names_may_have_as_many_characters_as_the_message_says() -> None:
    """120 characters are a file name, 121 are not."""
    spec = pipeline_pb2.RunSpec(idea=IDEA)
    spec.documents.add(name="n" * 117 + ".md", content=b"text")
    assert check_spec(spec, ProfileLimits()).spec.documents
    spec.documents[0].name = "n" + spec.documents[0].name
    with pytest.raises(PipelineError) as caught:
        check_spec(spec, ProfileLimits())
    assert "1 to 120 characters" in caught.value.violations[0].description
