"""Runs over fake phases on a manual clock: fan-out, gate, retry, degradation, cancel, resume."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from chassis.artifacts import make_artifact
from chassis.testing import ManualClock
from chassis.testing_phases import FakePhases, sample_result, unavailable
from gateway.testing import FakeClient, GatewayRig
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2, errors_pb2, pipeline_pb2, validation_pb2

V, E, P, C, M = (
    common_pb2.PHASE_VALIDATION,
    common_pb2.PHASE_EVIDENCE,
    common_pb2.PHASE_PITCH,
    common_pb2.PHASE_CAMPAIGN,
    common_pb2.PHASE_MVP,
)
SUCCEEDED, PARTIAL, FAILED, CANCELLED = (
    pipeline_pb2.RUN_STATE_SUCCEEDED,
    pipeline_pb2.RUN_STATE_PARTIAL,
    pipeline_pb2.RUN_STATE_FAILED,
    pipeline_pb2.RUN_STATE_CANCELLED,
)


def kinds(events: list[pipeline_pb2.RunEvent]) -> list[str]:
    return [str(event.WhichOneof("payload")) for event in events]


def check_log(events: list[pipeline_pb2.RunEvent]) -> None:
    """Every log: gapless from 1, opened once, closed once by its last event, one finish per phase."""
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    names = kinds(events)
    assert names[0] == "run_started"
    assert names[-1] == "run_finished"
    assert Counter(names)["run_started"] == Counter(names)["run_finished"] == 1
    finished = Counter(e.phase_finished.status.phase for e in events if e.HasField("phase_finished"))
    assert set(finished.values()) == {1}


def slow(phases: FakePhases, **seconds: float) -> None:
    for name, value in seconds.items():
        phases.script(common_pb2.Phase.Value(f"PHASE_{name.upper()}")).seconds = value


async def test_whole_run(tmp_path: Path) -> None:
    """A run with every phase succeeds; log, report, files and metrics agree."""
    async with GatewayRig(tmp_path, ManualClock()) as rig:
        slow(rig.phases, validation=1, evidence=2, mvp=3, pitch=1, campaign=1)
        name = await rig.create()
        events = await rig.finish(name)
        check_log(events)
        run = await rig.api.get_run(name)
        assert run.state == SUCCEEDED
        assert run.last_sequence == len(events)
        report = await rig.api.get_report(name)
        assert report.metrics == events[-1].run_finished.metrics
        assert {a.path for a in (await rig.api.list_artifacts(name, 0, ""))[0]} == {
            "deck.html", "deck.pptx", "campaign/plan.json", "mvp/README.md",
            "report.html", "report.json", "evidence.json", "trace.json",
        }  # fmt: skip
        assert report.metrics.cache_hit_rate == 0.25
        assert report.metrics.api_calls_saved == 5
        assert {t.phase for t in report.metrics.timings} == {V, E, P, C, M}
        chain = {link.claim_id: link for link in report.chain}
        assert list(chain["problem"].slide_numbers) == [1]
        assert list(chain["audience"].ad_asset_ids) == ["google-headline-1"]


async def test_validation_and_evidence_overlap(tmp_path: Path) -> None:
    """Two phases of 10 s that need nothing run side by side; the mvp joins when validation is done."""
    async with GatewayRig(tmp_path, ManualClock()) as rig:
        slow(rig.phases, validation=10, evidence=20, mvp=5)
        name = await rig.create()
        await rig.pass_time(1)
        assert (rig.phases.script(V).running, rig.phases.script(E).running) == (1, 1)
        await rig.pass_time(10)
        assert (rig.phases.script(M).running, rig.phases.script(E).running) == (1, 1)
        assert rig.phases.script(P).running == 0
        events = await rig.finish(name)
        assert events[-1].run_finished.metrics.parallel_operations_count >= 3


async def test_phase_slots_are_kept(tmp_path: Path) -> None:
    """With one slot the phases run one after another, and a request above the limit is lowered with a notice."""
    async with GatewayRig(tmp_path, ManualClock()) as rig:
        slow(rig.phases, validation=5, evidence=5)
        profile = common_pb2.ExecutionProfile(max_concurrent_phases=1, batch_size=9999)
        name = await rig.create(profile=profile)
        await rig.pass_time(2)
        assert (rig.phases.script(V).running, rig.phases.script(E).running) == (1, 0)
        run = await rig.api.get_run(name)
        assert [n.subject for n in run.notices] == ["spec.profile.batch_size"]
        await rig.finish(name)
        assert rig.phases.script(E).requests[0].context.profile.batch_size == 256
        assert rig.phases.script(E).requests[0].context.profile.max_concurrent_phases == 1


def reject(phases: FakePhases) -> None:
    result = sample_result(V)
    result.verdict.recommendation = validation_pb2.RECOMMENDATION_NO_GO
    phases.script(V).result = result


async def test_gate_stops_what_costs(tmp_path: Path) -> None:
    """A rejected idea still gets its evidence and verdict, but no deck, campaign or mvp; each is named as gated."""
    async with GatewayRig(tmp_path, ManualClock()) as rig:
        reject(rig.phases)
        name = await rig.create()
        events = await rig.finish(name)
        check_log(events)
        report = await rig.api.get_report(name)
        assert report.run.state == PARTIAL
        assert report.verdict.recommendation == validation_pb2.RECOMMENDATION_NO_GO
        assert [(m.subject, m.kind) for m in report.missing] == [
            (n, common_pb2.MISSING_KIND_GATED) for n in ("pitch", "campaign", "mvp")
        ]
        assert all(not rig.phases.script(phase).requests for phase in (P, C, M))


async def test_rejection_can_be_overruled(tmp_path: Path) -> None:
    """With the policy CONTINUE a rejected idea goes through every phase."""
    async with GatewayRig(tmp_path, ManualClock()) as rig:
        reject(rig.phases)
        name = await rig.create(on_rejection=pipeline_pb2.REJECTION_POLICY_CONTINUE)
        await rig.finish(name)
        assert (await rig.api.get_run(name)).state == SUCCEEDED


async def test_killed_phase_is_tried_again_under_a_new_attempt(tmp_path: Path) -> None:
    """A server lost in mid-phase is called again with attempt 2; items and results are told and stored once."""
    async with GatewayRig(tmp_path, ManualClock()) as rig:
        rig.phases.script(E).errors = [unavailable()]
        name = await rig.create()
        events = await rig.finish(name)
        check_log(events)
        assert [r.context.attempt for r in rig.phases.script(E).requests] == [1, 2]
        items = [e.evidence_found.id for e in events if e.HasField("evidence_found")]
        assert len(items) == len(set(items)) == 4
        assert [e.phase_started.attempt for e in events if e.phase_started.phase == E] == [1, 2]
        assert (await rig.api.get_run(name)).state == SUCCEEDED


async def test_refusal_is_not_tried_again(tmp_path: Path) -> None:
    """What the phase itself refuses is final: one call, a failed phase, the field named in the next step."""
    async with GatewayRig(tmp_path, ManualClock()) as rig:
        rig.phases.script(E).errors = [PipelineError.invalid("documents[0]", "is not a PDF")]
        name = await rig.create()
        await rig.finish(name)
        report = await rig.api.get_report(name)
        assert len(rig.phases.script(E).requests) == 1
        assert report.missing[0].error == errors_pb2.ERROR_REASON_INVALID_FIELD
        assert "documents[0]" in report.missing[0].next_step


async def test_lost_evidence_degrades_the_run(tmp_path: Path) -> None:
    """When evidence stays away the run ends PARTIAL: deck and campaign are made without it, and it is named."""
    async with GatewayRig(tmp_path, ManualClock()) as rig:
        client = rig.clients[E]
        assert isinstance(client, FakeClient)
        client.back = False
        rig.phases.script(E).errors = [unavailable() for _ in range(9)]
        name = await rig.create()
        events = await rig.finish(name)
        check_log(events)
        report = await rig.api.get_report(name)
        assert report.run.state == PARTIAL
        assert [(m.subject, m.kind) for m in report.missing] == [("evidence", common_pb2.MISSING_KIND_PHASE_FAILED)]
        assert report.verdict.recommendation == validation_pb2.RECOMMENDATION_INCONCLUSIVE
        assert len(rig.phases.script(P).requests) == 1
        elapsed = rig.clock.monotonic()
        assert 30 <= elapsed < 45, "it waits for the server as long as configured, and no longer"


async def test_attempts_are_bounded(tmp_path: Path) -> None:
    """A server that dies of every attempt gets as many as configured."""
    async with GatewayRig(tmp_path, ManualClock(), phase_attempts_max=3) as rig:
        rig.phases.script(M).errors = [unavailable() for _ in range(9)]
        name = await rig.create()
        await rig.finish(name)
        assert [r.context.attempt for r in rig.phases.script(M).requests] == [1, 2, 3]
        assert (await rig.api.get_run(name)).state == PARTIAL


async def test_nothing_usable_fails_the_run(tmp_path: Path) -> None:
    """Without validation and evidence there is nothing to show: the run fails with validation's reason."""
    async with GatewayRig(tmp_path, ManualClock()) as rig:
        boom = PipelineError(errors_pb2.ERROR_REASON_INTERNAL, "defect")
        rig.phases.script(V).errors = [boom]
        rig.phases.script(E).errors = [boom]
        name = await rig.create()
        events = await rig.finish(name)
        check_log(events)
        run = await rig.api.get_run(name)
        assert (run.state, run.failure.reason) == (FAILED, errors_pb2.ERROR_REASON_INTERNAL)
        assert not run.HasField("verdict"), "nothing was measured"
        assert {s.phase: s.state for s in run.phases}[P] == pipeline_pb2.PHASE_STATE_SKIPPED
        assert "report.html" in {a.path for a in (await rig.api.list_artifacts(name, 0, ""))[0]}


async def test_left_out_phases_are_not_missing(tmp_path: Path) -> None:
    """A phase the caller left out is skipped in silence; the run succeeds."""
    async with GatewayRig(tmp_path, ManualClock()) as rig:
        name = await rig.create(skip_phases=[C, M])
        await rig.finish(name)
        report = await rig.api.get_report(name)
        assert (report.run.state, list(report.missing)) == (SUCCEEDED, [])
        assert report.metrics.quality_parts["phases_completed"] == 1


async def test_cancel_at_any_time(tmp_path: Path) -> None:
    """A cancel stops the work at once, keeps what was stored, and the log ends with CANCELLED."""
    async with GatewayRig(tmp_path, ManualClock()) as rig:
        slow(rig.phases, evidence=50)
        name = await rig.create()
        await rig.pass_time(2)
        run = await rig.api.cancel_run(name)
        assert run.state == CANCELLED
        assert rig.phases.script(E).running == 0
        assert rig.phases.script(E).cancelled == 1
        assert rig.gateway.worker is not None
        assert rig.gateway.worker.active == 0
        events = [event async for event in rig.api.watch_run(name, 0)]
        check_log(events)
        assert events[-1].run_finished.state == CANCELLED
        report = await rig.api.get_report(name)
        assert report.HasField("validation")
        assert "report.html" in {a.path for a in (await rig.api.list_artifacts(name, 0, ""))[0]}
        with pytest.raises(PipelineError) as caught:
            await rig.api.cancel_run(name)
        assert caught.value.reason == errors_pb2.ERROR_REASON_RUN_ALREADY_ENDED


async def test_drain_gives_the_run_back_and_the_next_start_resumes_at_once(tmp_path: Path) -> None:
    """A stopped gateway loses nothing: finished phases are kept, the others start again, no time is waited."""
    clock = ManualClock()
    phases = FakePhases(clock)
    phases.script(E).seconds = 50
    async with GatewayRig(tmp_path, clock, phases) as rig:
        name = await rig.create()
        await rig.pass_time(2)
    stopped_at = clock.monotonic()
    phases.script(E).seconds = 0
    async with GatewayRig(tmp_path, clock, phases) as rig:
        events = await rig.finish(name)
        check_log(events)
        assert clock.monotonic() - stopped_at < 5
        resumed = [e.run_resumed for e in events if e.HasField("run_resumed")]
        assert len(resumed) == 1
        assert V in resumed[0].kept_phases
        assert len(phases.script(V).requests) == 1
        assert [r.context.attempt for r in phases.script(E).requests] == [1, 2]
        assert (await rig.api.get_run(name)).state == SUCCEEDED


async def test_dead_gateway_is_replaced_and_its_zombie_refused(tmp_path: Path) -> None:
    """A gateway that stops breathing loses its run after the lease; when it wakes up its writes are refused."""
    clock = ManualClock()
    phases = FakePhases(clock)
    phases.script(E).seconds = 30
    async with GatewayRig(tmp_path, clock, phases) as zombie:
        name = await zombie.create()
        await zombie.pass_time(1)
        assert zombie.gateway.worker is not None
        zombie.gateway.worker._loops[1].cancel()  # its heart stops, its work goes on
        clock.advance(11)
        phases.script(E).seconds = 0
        async with GatewayRig(tmp_path, clock, phases) as successor:
            events = await successor.finish(name)
            check_log(events)
            assert kinds(events).count("run_resumed") == 1
            clock.advance(60)
            await zombie.settle()
            await successor.settle()
            assert [e async for e in successor.api.watch_run(name, 0)] == events
            assert (await successor.api.get_run(name)).state == SUCCEEDED


async def test_hostile_artifact_fails_the_phase_alone(tmp_path: Path) -> None:
    """A phase whose file would leave the folder fails; nothing of it is stored, the run goes on."""
    async with GatewayRig(tmp_path / "state", ManualClock()) as rig:
        result = sample_result(P)
        result.artifacts.append(make_artifact("../../escape.txt", b"x"))
        rig.phases.script(P).result = result
        name = await rig.create()
        await rig.finish(name)
        run = await rig.api.get_run(name)
        assert run.state == PARTIAL
        assert {s.phase: s.failure.reason for s in run.phases}[P] == errors_pb2.ERROR_REASON_ARTIFACT_REJECTED
        assert "escape.txt" not in str(list(os.walk(tmp_path)))
        assert "deck.pptx" not in {a.path for a in (await rig.api.list_artifacts(name, 0, ""))[0]}


async def test_phase_cannot_overwrite_another_phases_file(tmp_path: Path) -> None:
    """A file, or a folder in its place, that an earlier phase made refuses the later phase; the run still ends."""
    for path in ("deck.html", "deck.html/notes.txt"):
        async with GatewayRig(tmp_path / path.replace("/", "-"), ManualClock()) as rig:
            result = sample_result(M)
            result.artifacts.append(make_artifact(path, b"mine"))
            rig.phases.script(M).result = result
            slow(rig.phases, mvp=30)
            name = await rig.create()
            await rig.finish(name)
            failures = {s.phase: s.failure.reason for s in (await rig.api.get_run(name)).phases}
            assert failures[M] == errors_pb2.ERROR_REASON_ARTIFACT_REJECTED
            deck, chunks = await rig.api.open_artifact(f"{name}/artifacts/deck.html")
            assert b"".join([chunk async for chunk in chunks]) == b"<p>made up</p>"
            assert deck.phase == P


async def test_overspending_phase_is_named(tmp_path: Path) -> None:
    """A phase that reports more spent than it was allowed is booked in full and noted."""
    async with GatewayRig(tmp_path, ManualClock()) as rig:
        result = sample_result(E)
        result.usage.spend.add(category=common_pb2.BUDGET_CATEGORY_SEARCH, amount_micros=1500, key="s", purpose="x")
        rig.phases.script(E).result = result
        name = await rig.create(budget_micros=1000)
        await rig.finish(name)
        report = await rig.api.get_report(name)
        assert report.budget.spent_micros == 1500
        assert "more than it was allowed" in report.evidence.notices[0].message


async def test_trace_has_one_root_and_no_orphan(tmp_path: Path) -> None:
    """trace.json holds the run's root and a span per phase under it."""
    async with GatewayRig(tmp_path, ManualClock()) as rig:
        name = await rig.create()
        await rig.finish(name)
        artifact_, chunks = await rig.api.open_artifact(f"{name}/artifacts/trace.json")
        trace: dict[str, Any] = json.loads(b"".join([chunk async for chunk in chunks]))
        spans = [s for r in trace["resourceSpans"] for scope in r["scopeSpans"] for s in scope["spans"]]
        roots = [s for s in spans if not s.get("parentSpanId")]
        assert len(roots) == 1
        run = await rig.api.get_run(name)
        assert {s["traceId"] for s in spans} == {run.trace_id}
        under = {s["name"] for s in spans if s.get("parentSpanId") == roots[0]["spanId"]}
        assert len(under) == 5
        assert artifact_.media_type == "application/json"


async def test_many_runs_share_the_slots(tmp_path: Path) -> None:
    """No more runs are worked on at a time than configured; all of them end."""
    async with GatewayRig(tmp_path, ManualClock(), max_concurrent_runs=2) as rig:
        slow(rig.phases, evidence=5)
        names = [await rig.create() for _ in range(5)]
        await rig.pass_time(1)
        assert rig.phases.script(E).running == 2
        for name in names:
            await rig.finish(name)
