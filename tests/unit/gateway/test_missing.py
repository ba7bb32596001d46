"""What a run lacks is told once, in the order in which it matters."""

from gateway.missing import settle
from gateway.report.build import next_steps
from pipeline.v1 import common_pb2, pipeline_pb2

PITCH, EVIDENCE, CAMPAIGN = common_pb2.PHASE_PITCH, common_pb2.PHASE_EVIDENCE, common_pb2.PHASE_CAMPAIGN
NO_COVERAGE = common_pb2.MISSING_KIND_NO_COVERAGE


def lack(
    subject: str,
    phase: common_pb2.Phase.ValueType = EVIDENCE,
    kind: common_pb2.MissingKind.ValueType = NO_COVERAGE,
    step: str = "",
) -> common_pb2.Missing:
    return common_pb2.Missing(subject=subject, phase=phase, kind=kind, reason=f"No {subject}.", next_step=step)


def test_one_gap_seen_by_two_phases_is_one_entry() -> None:
    """Evidence without a source on a claim and a slide without one are the same gap; the deck's step is kept."""
    found = settle([], [lack("market-size", step="Count."), lack("market size", PITCH, step="Look it up in a census.")])
    assert [(entry.subject, entry.next_step) for entry in found] == [
        ("a count of the market", "Look it up in a census.")
    ]


def test_no_known_rival_is_one_entry() -> None:
    """The empty directory, the uncovered claim and the empty slide are one gap; what the directory says is kept."""
    directory = lack("directory")
    (found,) = settle([], [lack("competition"), directory, lack("competition", PITCH, step="Ask ten people.")])
    assert (found.subject, found.reason, found.next_step) == (
        "sources on competitors",
        directory.reason,
        "Ask ten people.",
    )


def test_a_gap_that_only_the_deck_sees_stays() -> None:
    """Where evidence speaks about the claim, what the slide still lacks is told."""
    assert [entry.subject for entry in settle([], [lack("why now", PITCH)])] == ["why now"]


def test_what_decides_comes_before_what_is_not_connected() -> None:
    """Whole phases first, then failed sources, claims without sources, founder's input, connections."""
    given = [
        lack("publishing the ads", CAMPAIGN, common_pb2.MISSING_KIND_NOT_CONFIGURED),
        lack("team", PITCH, common_pb2.MISSING_KIND_FOUNDER_INPUT),
        lack("timing"),
        lack("problem"),
        lack("hackernews", EVIDENCE, common_pb2.MISSING_KIND_SOURCE_FAILED),
    ]
    whole = [lack("mvp", common_pb2.PHASE_MVP, common_pb2.MISSING_KIND_GATED)]
    found = [entry.subject for entry in settle(whole, given)]
    assert found == ["mvp", "hackernews", "sources on the problem", "a reason why now", "team", "publishing the ads"]
    assert given[3].subject == "problem", "the entries of the phases are not changed"


def test_shortfalls_are_one_entry() -> None:
    """Every count below its target is named, in one entry and in words."""
    short = common_pb2.MISSING_KIND_SHORTFALL
    (found,) = settle([], [lack("technology_trends", kind=short), lack("competition", kind=short)])
    assert "technology trends" in found.reason.lower()
    assert "competition" in found.reason


def test_two_ways_to_say_a_step_are_one_step() -> None:
    """A step that another phase asks for in other words is not repeated; different steps stay."""
    report = pipeline_pb2.Report()
    report.verdict.would_change.append("Ask five people who have the problem and give the notes as documents.")
    report.missing.append(lack("problem", step="Talk to five people who have the problem and give notes as documents."))
    report.missing.append(lack("why now", step="Find one figure from before and one from after the change."))
    assert len(next_steps(report)) == 2


def test_sources_that_nobody_asked_are_one_entry() -> None:
    """A founder offline reads one line, not one for each of twenty sources; each one's own mend is kept."""
    entries = [
        common_pb2.Missing(subject=name, phase=EVIDENCE, kind=common_pb2.MISSING_KIND_NOT_CONFIGURED, next_step=step)
        for name, step in (("brave", "For brave: set PIPELINE_BRAVE_KEY."), ("searxng", "For searxng: set X."))
    ]
    offline = [lack(name, EVIDENCE, common_pb2.MISSING_KIND_OFFLINE) for name in ("hackernews", "openalex")]
    found = settle([], [*entries, *offline])
    assert [entry.subject for entry in found] == ["online sources", "further sources"]
    assert "hackernews, openalex were not asked" in found[0].reason
    assert found[1].next_step == "For brave: set PIPELINE_BRAVE_KEY; For searxng: set X."
