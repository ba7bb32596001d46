"""A campaign seen from the gateway: whose it is, its money, and what its end means for the run."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from chassis.artifacts import make_artifact
from chassis.testing import ManualClock
from gateway.http.app import HttpSide
from gateway.testing import GatewayRig
from gateway.verdict import combine
from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2, common_pb2, errors_pb2, validation_pb2
from tests.unit.gateway.test_verdict import SUPPORT, evidence, rules, validation

USD = 1_000_000
GO, NO_GO, INCONCLUSIVE, PIVOT = (
    validation_pb2.RECOMMENDATION_GO,
    validation_pb2.RECOMMENDATION_NO_GO,
    validation_pb2.RECOMMENDATION_INCONCLUSIVE,
    validation_pb2.RECOMMENDATION_PIVOT,
)


def reading(decision: campaign_pb2.CampaignDecision.ValueType, *, final: bool = True) -> campaign_pb2.CampaignReading:
    made = campaign_pb2.CampaignReading(decision=decision, is_final=final, rule="sample_complete")
    made.explanation = "31 of 412 visitors signed up, 7.5 %."
    made.posterior.probability_above_baseline, made.posterior.probability_above_target = 0.97, 0.02
    made.counts.add(variant="a", visitors=200, signups=15)
    made.counts.add(variant="b", visitors=212, signups=16)
    made.read_at.FromSeconds(1_700_000_000)
    return made


MEASURED_GO = reading(campaign_pb2.CAMPAIGN_DECISION_GO)
MEASURED_NO = reading(campaign_pb2.CAMPAIGN_DECISION_NO_GO)


# --- the verdict ------------------------------------------------------------------------------------------------------


def test_demand_that_was_measured_replaces_thin_evidence() -> None:
    """What was inconclusive for want of sources is a go once a planned test has found demand."""
    thin = evidence(("problem", common_pb2.STANCE_SUPPORTS))
    assert combine(validation(), thin).recommendation == INCONCLUSIVE
    verdict = combine(validation(), thin, MEASURED_GO)
    assert verdict.recommendation == GO
    assert "smoke_test_go" in rules(verdict)
    assert "starter_set_only" not in rules(verdict)
    assert verdict.confidence >= 0.97
    assert combine(validation(), None, MEASURED_GO).recommendation == GO


def test_demand_does_not_lift_a_contradicted_claim_or_a_rejection() -> None:
    """A test of the offer says nothing on a claim that sources contradict, nor on what the words rule out."""
    against = evidence(*SUPPORT, *[("audience", common_pb2.STANCE_CONTRADICTS)] * 8)
    alone = combine(validation(), against)
    assert alone.recommendation != GO
    assert combine(validation(), against, MEASURED_GO).recommendation == alone.recommendation
    assert combine(validation(NO_GO), evidence(*SUPPORT), MEASURED_GO).recommendation == NO_GO


def test_a_target_that_was_ruled_out_is_a_no() -> None:
    """However well the sources speak, an offer that its planned test ruled out is a no, with what to do next."""
    verdict = combine(validation(), evidence(*SUPPORT), MEASURED_NO)
    assert verdict.recommendation == NO_GO
    assert verdict.confidence == pytest.approx(0.98)
    assert "test that as an idea of its own" in verdict.would_change[0]
    assert "31 of 412 visitors" in next(r.explanation for r in verdict.reasons if r.rule == "smoke_test_no_go")


@pytest.mark.parametrize(
    "half",
    [
        reading(campaign_pb2.CAMPAIGN_DECISION_GO, final=False),
        reading(campaign_pb2.CAMPAIGN_DECISION_NO_GO, final=False),
        reading(campaign_pb2.CAMPAIGN_DECISION_INCONCLUSIVE),
    ],
)
def test_a_test_without_an_answer_changes_nothing(half: campaign_pb2.CampaignReading) -> None:
    """Before its stopping rule, and where it ends without an answer, the recommendation stays."""
    before = combine(validation(), evidence(*SUPPORT))
    after = combine(validation(), evidence(*SUPPORT), half)
    assert (after.recommendation, after.score) == (before.recommendation, before.score)
    assert ("smoke_test_inconclusive" in rules(after)) == half.is_final


# --- the calls --------------------------------------------------------------------------------------------------------


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[GatewayRig]:
    async with GatewayRig(tmp_path, ManualClock()) as made:
        yield made


async def ended(rig: GatewayRig, **spec: int) -> str:
    """A run that has ended; the name of its campaign."""
    name = await rig.create(**spec)
    await rig.finish(name)
    return f"{name}/campaign"


@pytest.mark.parametrize("name", ["", "runs/01j9/campaign", "runs/../campaign", "campaigns/1", "runs/x/campaigns"])
async def test_a_campaign_of_nobody_is_not_found(rig: GatewayRig, name: str) -> None:
    """A name that is no campaign of the caller's reaches no server."""
    with pytest.raises(PipelineError, match="No campaign has this name") as caught:
        await rig.campaigns.get(campaign_pb2.GetCampaignRequest(name=name))
    assert caught.value.reason_name == "CAMPAIGN_NOT_FOUND"
    assert rig.live.asked == []


async def test_the_tenant_of_a_list_is_the_gateways(rig: GatewayRig) -> None:
    """Whoever asks for another tenant's campaigns gets the gateway's own."""
    await rig.campaigns.list(campaign_pb2.ListCampaignsRequest(tenant="somebody-else"))
    assert rig.live.asked[-1].tenant == "default"


async def test_publishing_keeps_the_ads_money_and_completing_books_what_was_spent(rig: GatewayRig) -> None:
    """The run's budget holds the ads' money from publication to the end, and then what the platforms charged."""
    name = await ended(rig)
    run = name.removesuffix("/campaign")
    await rig.campaigns.publish(campaign_pb2.PublishCampaignRequest(name=name))
    await rig.campaigns.publish(campaign_pb2.PublishCampaignRequest(name=name))
    assert (await rig.api.get_run(run)).budget.reserved_micros == 25 * USD
    rig.live.spent_micros = 17 * USD
    await rig.campaigns.complete(campaign_pb2.CompleteCampaignRequest(name=name))
    await rig.campaigns.complete(campaign_pb2.CompleteCampaignRequest(name=name))
    budget = (await rig.api.get_run(run)).budget
    assert (budget.reserved_micros, budget.spent_micros) == (0, 17 * USD)
    assert [entry.category for entry in budget.entries] == [common_pb2.BUDGET_CATEGORY_ADS]


async def test_a_run_without_the_money_publishes_nothing(rig: GatewayRig) -> None:
    """A budget that does not cover the ads refuses before the campaign server hears of it."""
    name = await ended(rig, budget_micros=10 * USD)
    with pytest.raises(PipelineError) as caught:
        await rig.campaigns.publish(campaign_pb2.PublishCampaignRequest(name=name))
    assert caught.value.reason_name == "BUDGET_EXHAUSTED"
    assert rig.live.status == campaign_pb2.CAMPAIGN_STATUS_DRAFT
    await rig.campaigns.publish(campaign_pb2.PublishCampaignRequest(name=name, budget_micros=8 * USD))
    assert rig.live.status == campaign_pb2.CAMPAIGN_STATUS_RUNNING


async def test_a_refused_publication_keeps_no_money(rig: GatewayRig) -> None:
    """Publishing what has ended is refused, and the money that was kept for it is free again."""
    name = await ended(rig)
    await rig.campaigns.publish(campaign_pb2.PublishCampaignRequest(name=name))
    rig.live.spent_micros = 3 * USD
    await rig.campaigns.complete(campaign_pb2.CompleteCampaignRequest(name=name))
    with pytest.raises(PipelineError, match="has ended"):
        await rig.campaigns.publish(campaign_pb2.PublishCampaignRequest(name=name))
    budget = (await rig.api.get_run(name.removesuffix("/campaign"))).budget
    assert (budget.reserved_micros, budget.spent_micros) == (0, 3 * USD)


async def test_a_second_try_with_more_money_keeps_more_money(rig: GatewayRig) -> None:
    """After an answer that never came the budget is asked for anew: what is kept covers what may be spent."""
    name = await ended(rig)
    rig.live.publish_error = PipelineError(errors_pb2.ERROR_REASON_UPSTREAM_FAILED, "The server does not answer.")
    with pytest.raises(PipelineError):
        await rig.campaigns.publish(campaign_pb2.PublishCampaignRequest(name=name, budget_micros=5 * USD))
    assert await _reserved(rig, name) == 5 * USD
    rig.live.publish_error = None
    await rig.campaigns.publish(campaign_pb2.PublishCampaignRequest(name=name, budget_micros=20 * USD))
    assert await _reserved(rig, name) == 20 * USD


async def test_money_that_the_run_does_not_have_leaves_what_was_kept(rig: GatewayRig) -> None:
    """A second try that the budget does not cover is refused and changes nothing."""
    name = await ended(rig, budget_micros=10 * USD)
    rig.live.publish_error = PipelineError(errors_pb2.ERROR_REASON_UPSTREAM_FAILED, "The server does not answer.")
    with pytest.raises(PipelineError):
        await rig.campaigns.publish(campaign_pb2.PublishCampaignRequest(name=name, budget_micros=5 * USD))
    with pytest.raises(PipelineError, match="does not cover"):
        await rig.campaigns.publish(campaign_pb2.PublishCampaignRequest(name=name, budget_micros=20 * USD))
    assert await _reserved(rig, name) == 5 * USD


async def test_publishing_again_keeps_the_budget_of_the_first_publication(rig: GatewayRig) -> None:
    """Not the plan's, which the run may not be able to pay: here after a set-up that failed freed the money."""
    name = await ended(rig, budget_micros=10 * USD)
    rig.live.spending = False
    await rig.campaigns.publish(campaign_pb2.PublishCampaignRequest(name=name, budget_micros=8 * USD))
    assert await _reserved(rig, name) == 0
    rig.live.spending = True
    await rig.campaigns.publish(campaign_pb2.PublishCampaignRequest(name=name))
    assert await _reserved(rig, name) == 8 * USD


async def test_a_refusal_beside_a_publication_does_not_free_its_money(rig: GatewayRig) -> None:
    """Two at once: the one that is refused frees nothing that the other's ads may spend."""
    name = await ended(rig)
    publish, entered, go_on = rig.live.PublishCampaign, asyncio.Event(), asyncio.Event()

    async def slowly(request: Any, timeout: float | None = None) -> campaign_pb2.PublishCampaignResponse:
        rig.live.PublishCampaign = refuse  # type: ignore[method-assign]
        entered.set()
        await go_on.wait()
        return await publish(request)

    async def refuse(request: Any, timeout: float | None = None) -> campaign_pb2.PublishCampaignResponse:
        raise PipelineError.invalid("platforms", "names none")

    rig.live.PublishCampaign = slowly  # type: ignore[method-assign]
    first = asyncio.create_task(rig.campaigns.publish(campaign_pb2.PublishCampaignRequest(name=name)))
    await entered.wait()
    second = asyncio.create_task(rig.campaigns.publish(campaign_pb2.PublishCampaignRequest(name=name)))
    await asyncio.wait([second], timeout=0.2)
    go_on.set()
    await first
    with pytest.raises(PipelineError, match="names none"):
        await second
    assert await _reserved(rig, name) == 25 * USD


async def test_a_refusal_after_a_lost_answer_frees_the_money_of_a_draft(rig: GatewayRig) -> None:
    """A draft cannot be completed: what was kept for it must not stay for good."""
    name = await ended(rig)
    rig.live.publish_error = PipelineError(errors_pb2.ERROR_REASON_UPSTREAM_FAILED, "The server does not answer.")
    with pytest.raises(PipelineError):
        await rig.campaigns.publish(campaign_pb2.PublishCampaignRequest(name=name))
    rig.live.publish_error = PipelineError.invalid("platforms", "names none")
    with pytest.raises(PipelineError):
        await rig.campaigns.publish(campaign_pb2.PublishCampaignRequest(name=name))
    assert await _reserved(rig, name) == 0


async def test_a_page_without_ads_keeps_no_money(rig: GatewayRig) -> None:
    """A dry run, and a campaign that no platform takes part in, leave the budget as it was."""
    rig.live.spending = False
    name = await ended(rig)
    for dry_run in (True, False):
        await rig.campaigns.publish(campaign_pb2.PublishCampaignRequest(name=name, dry_run=dry_run))
        assert (await rig.api.get_run(name.removesuffix("/campaign"))).budget.reserved_micros == 0


async def test_a_final_reading_is_part_of_the_verdict_and_the_report(rig: GatewayRig) -> None:
    """After the last reading the run, its report and its files say what the visitors said."""
    name = await ended(rig)
    run = name.removesuffix("/campaign")
    before = (await rig.api.get_run(run)).verdict
    plot = make_artifact("campaign/posterior.svg", b"<svg/>", "image/svg+xml", common_pb2.PHASE_CAMPAIGN)
    rig.live.reading.CopyFrom(MEASURED_NO)
    rig.live.reading.artifacts.append(plot)
    rig.live.reading.is_final = False
    await rig.campaigns.read(campaign_pb2.ReadCampaignRequest(name=name))
    assert (await rig.api.get_run(run)).verdict == before
    rig.live.reading.is_final = True
    await rig.campaigns.read(campaign_pb2.ReadCampaignRequest(name=name))
    assert (await rig.api.get_run(run)).verdict.recommendation == NO_GO
    report = await rig.api.get_report(run)
    assert report.campaign_reading.rule == "sample_complete"
    assert report.campaign_reading.artifacts[0].content == b""
    page, plain = await file(rig, run, "report.html"), json.loads(await file(rig, run, "report.json"))
    assert plain["verdict"]["recommendation"] == "RECOMMENDATION_NO_GO"
    assert "31 of 412 visitors signed up" in page
    assert base64.b64encode(b"<svg/>").decode() in page
    assert await file(rig, run, "campaign/posterior.svg") == "<svg/>"


async def test_an_older_reading_does_not_replace_a_newer_one(rig: GatewayRig) -> None:
    """Two readers at once: what was read last is kept, whichever answer arrives last."""
    name = await ended(rig)
    rig.live.reading.CopyFrom(MEASURED_NO)
    await rig.campaigns.read(campaign_pb2.ReadCampaignRequest(name=name))
    rig.live.reading.CopyFrom(MEASURED_GO)
    rig.live.reading.read_at.FromSeconds(1_600_000_000)
    await rig.campaigns.read(campaign_pb2.ReadCampaignRequest(name=name))
    report = await rig.api.get_report(name.removesuffix("/campaign"))
    assert report.campaign_reading.decision == campaign_pb2.CAMPAIGN_DECISION_NO_GO
    assert report.verdict.recommendation == NO_GO


async def test_an_older_reading_leaves_the_plots_of_a_newer_one(rig: GatewayRig) -> None:
    """What arrives late is left out of the files as it is out of the report."""
    name = await ended(rig)
    for content, second in ((b"<svg>new</svg>", 1_700_000_000), (b"<svg>old</svg>", 1_600_000_000)):
        rig.live.reading.CopyFrom(MEASURED_NO)
        rig.live.reading.read_at.FromSeconds(second)
        rig.live.reading.artifacts.append(make_artifact("campaign/posterior.svg", content, "image/svg+xml"))
        await rig.campaigns.read(campaign_pb2.ReadCampaignRequest(name=name))
    assert await file(rig, name.removesuffix("/campaign"), "campaign/posterior.svg") == "<svg>new</svg>"


async def test_the_report_of_a_cancelled_run_keeps_a_reading_that_came_first(rig: GatewayRig) -> None:
    """Between the end of a run and its files a reading may be kept: the files have it too."""
    run = await rig.create()
    worker = rig.gateway.worker
    assert worker is not None
    drop = worker.drop

    async def then_read(run_id: str) -> None:
        await drop(run_id)
        rig.live.reading.CopyFrom(reading(campaign_pb2.CAMPAIGN_DECISION_GO, final=False))
        await rig.campaigns.read(campaign_pb2.ReadCampaignRequest(name=f"{run}/campaign"))

    worker.drop = then_read  # type: ignore[method-assign]
    await rig.api.cancel_run(run)
    assert "campaign_reading" in json.loads(await file(rig, run, "report.json"))


async def test_campaigns_over_rest(rig: GatewayRig) -> None:
    """Every call has its route; a step that the status forbids is a 409 with its reason."""

    async def ready() -> bool:
        return True

    name = await ended(rig)
    side = HttpSide("127.0.0.1:0")
    await side.start(rig.api, ready, campaigns=rig.campaigns)
    async with aiohttp.ClientSession(trust_env=False) as http:

        async def call(method: str, path: str, body: object = None) -> tuple[int, dict[str, dict[str, object]]]:
            async with http.request(method, side.address + path, json=body) as answer:
                return answer.status, await answer.json()

        status, body = await call("POST", f"/v1/{name}:pause")
        assert (status, body["error"]["reason"]) == (409, "CAMPAIGN_STATE")
        status, body = await call("POST", f"/v1/{name}:publish", {"dry_run": True})
        assert (status, body["campaign"]["status"]) == (200, "CAMPAIGN_STATUS_DRAFT")
        for step, after in (("publish", "RUNNING"), ("pause", "PAUSED"), ("resume", "RUNNING")):
            status, body = await call("POST", f"/v1/{name}:{step}")
            assert (status, body["campaign"]["status"]) == (200, f"CAMPAIGN_STATUS_{after}")
        assert (await call("POST", f"/v1/{name}:read"))[0] == 200
        status, body = await call("POST", f"/v1/{name}:export", {"include_signups": True})
        assert status == 200
        assert rig.live.asked[-1].include_signups
        status, body = await call("POST", f"/v1/{name}:publish", {"name": "runs/other/campaign"})
        assert (status, body["error"]["reason"]) == (400, "INVALID_FIELD")
        assert (await call("POST", f"/v1/{name}:complete"))[1]["campaign"]["status"] == "CAMPAIGN_STATUS_COMPLETED"
        assert (await call("GET", f"/v1/{name}"))[0] == 200
        assert (await call("GET", "/v1/campaigns?page_size=5"))[0] == 200
        assert (await call("GET", "/v1/runs/nobody/campaign"))[0] == 404
    await side.stop()


async def _reserved(rig: GatewayRig, name: str) -> int:
    return (await rig.api.get_run(name.removesuffix("/campaign"))).budget.reserved_micros


async def file(rig: GatewayRig, run: str, path: str) -> str:
    _, chunks = await rig.api.open_artifact(f"{run}/artifacts/{path}")
    return b"".join([chunk async for chunk in chunks]).decode()
