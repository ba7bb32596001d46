"""What happens to a campaign in which order, with platforms that do as they are told."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2, common_pb2, errors_pb2
from services.campaign.domain.budget import split_budget
from services.campaign.domain.status import COMPLETED, DRAFT, FAILED, PAUSED, RUNNING
from services.campaign.live.ports import SignupRow
from services.campaign.live.watch import CampaignWatch
from services.campaign.store import schema
from tests.support.live_campaigns import NAME, RUN, Kit, live_kit

BUDGET = 25_000_000


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    """A drafted campaign, google_ads and netlify configured."""
    async with live_kit(tmp_path, "google_ads", "netlify") as made:
        await made.draft()
        yield made


async def test_a_draft_is_listed_with_its_plan_and_nothing_online(kit: Kit) -> None:
    """What exists after a run: a plan, a slug, no page, no digest."""
    campaign = await kit.live.get(NAME)
    assert campaign.status == DRAFT
    assert campaign.plan.budget_micros == BUDGET
    assert campaign.slug.startswith("larderwise-")
    assert (campaign.page_url, campaign.plan_sha256) == ("", "")
    assert [c.name for c in (await kit.live.list_campaigns("default", 0, ""))[0]] == [NAME]
    assert (await kit.live.list_campaigns("somebody else", 0, ""))[0] == []


async def test_a_dry_run_shows_every_request_and_changes_nothing(kit: Kit) -> None:
    """The requests and the address are there; status, store and platforms are as before."""
    campaign = await kit.live.publish(NAME, dry_run=True)
    assert [s.steps[0].request.url for s in campaign.platforms] == [
        "https://google_ads.example/make",
        "https://netlify.example/make",
    ]
    assert campaign.page_url == f"https://try.example.org/p/{campaign.slug}"
    assert campaign.status == DRAFT
    assert kit.platforms.calls == []
    assert (await kit.live.get(NAME)).status == DRAFT


async def test_publishing_registers_the_plan_then_sets_up_then_switches_on(kit: Kit) -> None:
    """No ad runs before everything is there; the digest is that of the exported plan."""
    campaign = await kit.live.publish(NAME)
    assert campaign.status == RUNNING
    assert kit.platforms.calls == ["google_ads set up", "netlify set up", "google_ads on", "netlify on"]
    assert kit.platforms.launches["google_ads"].budget_micros == BUDGET
    assert kit.platforms.launches["netlify"].budget_micros == 0
    assert kit.platforms.launches["netlify"].origin_url == "https://try.example.org"
    plan = next(f for f in await kit.live.export(NAME) if f.path == "campaign/plan.json")
    assert hashlib.sha256(plan.content).hexdigest() == campaign.plan_sha256


async def test_a_front_is_where_ads_lead_and_passes_visitors_on_to_the_server_that_counts(kit: Kit) -> None:
    """The page's address is the front's, in a dry run too; the front itself is told the counting server's."""
    kit.platforms.front = "larderwise.netlify.example"
    shown = await kit.live.publish(NAME, dry_run=True)
    campaign = await kit.live.publish(NAME)
    assert shown.page_url == campaign.page_url == f"https://larderwise.netlify.example/p/{campaign.slug}"
    for launch in kit.platforms.launches.values():
        assert launch.page_url == campaign.page_url
        assert launch.origin_url == "https://try.example.org"


async def test_a_front_that_was_left_out_is_not_the_pages_address(kit: Kit) -> None:
    """The address is that of the first publication, whatever is configured besides."""
    kit.platforms.front = "larderwise.netlify.example"
    first = await kit.live.publish(NAME, platforms=["google_ads"])
    assert first.page_url == f"https://try.example.org/p/{first.slug}"
    assert (await kit.live.publish(NAME, platforms=["google_ads", "netlify"])).page_url == first.page_url


async def test_publishing_twice_changes_nothing(kit: Kit) -> None:
    """Key, pages and date of the first publication stay."""
    first = await kit.live.publish(NAME)
    key = await _column(kit, schema.campaigns.c.visitor_key)
    kit.clock.advance(60)
    second = await kit.live.publish(NAME)
    assert second == first
    assert await _column(kit, schema.campaigns.c.visitor_key) == key


async def test_a_draft_never_overwrites_a_published_campaign(kit: Kit) -> None:
    """A second attempt of the phase keeps the registered plan and says so."""
    published = await kit.live.publish(NAME)
    await kit.draft()
    assert await kit.live.get(NAME) == published


async def test_a_failed_set_up_holds_every_ad_and_is_gone_on_with(kit: Kit) -> None:
    """FAILED with the reason; publishing again runs."""
    kit.platforms.broken.add("set_up")
    campaign = await kit.live.publish(NAME)
    assert campaign.status == FAILED
    assert campaign.status_reason == "google_ads: the token was refused"
    assert not [call for call in kit.platforms.calls if call.endswith(" on")]
    kit.platforms.broken.clear()
    campaign = await kit.live.publish(NAME)
    assert (campaign.status, campaign.status_reason) == (RUNNING, "")


async def test_an_ad_that_cannot_be_switched_on_takes_the_others_down(kit: Kit) -> None:
    """Half of a plan is not run."""
    kit.platforms.broken.add("switch_on")
    campaign = await kit.live.publish(NAME)
    assert campaign.status == FAILED
    assert "503" in campaign.status_reason
    assert kit.platforms.calls[-2:] == ["google_ads off", "netlify off"]


async def test_a_publication_that_died_goes_on_with_the_platforms_it_was_asked_for(tmp_path: Path) -> None:
    """What was asked for is on the disk with the status: a new process sets up that and nothing else."""
    async with live_kit(tmp_path, "google_ads", "netlify") as dying:
        await dying.draft()

        async def die(launches: object) -> list[campaign_pb2.PlatformSetup]:
            raise KeyboardInterrupt

        dying.platforms.set_up = die  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            await dying.live.publish(NAME, platforms=["netlify"])
    async with live_kit(tmp_path, "google_ads", "netlify") as reborn:
        assert (await reborn.live.get(NAME)).status == RUNNING
        async with reborn.store.database.read() as conn:
            asked = (await conn.execute(select(schema.platforms.c.platform, schema.platforms.c.state))).all()
    assert [tuple(row) for row in asked] == [("netlify", campaign_pb2.PLATFORM_STATE_PLANNED)]


@pytest.mark.parametrize(
    ("asked", "field", "word"),
    [
        ({"budget_micros": BUDGET + 1}, "budget_micros", "$25"),
        ({"budget_micros": -1}, "budget_micros", "negative"),
        ({"platforms": ["tiktok"]}, "platforms", "not configured"),
        ({"platforms": ["x"] * 17}, "platforms", "16"),
    ],
)
async def test_what_cannot_be_published_is_refused_by_field(kit: Kit, asked: dict, field: str, word: str) -> None:
    """INVALID_FIELD with the mend, and the draft stays one."""
    with pytest.raises(PipelineError) as caught:
        await kit.live.publish(NAME, **asked)
    assert caught.value.violations[0].field == field
    assert word in caught.value.message
    assert (await kit.live.get(NAME)).status == DRAFT


@pytest.mark.parametrize("dry_run", [False, True])
async def test_a_launch_is_refused_with_what_to_do(kit: Kit, dry_run: bool) -> None:
    """A launch has no page of ours to lead to: publishing it, or showing how, names what to do instead."""
    await kit.draft(kind=common_pb2.CAMPAIGN_TYPE_FULL_LAUNCH)
    with pytest.raises(PipelineError) as caught:
        await kit.live.publish(NAME, dry_run=dry_run)
    assert caught.value.reason == errors_pb2.ERROR_REASON_CAMPAIGN_STATE
    assert "Final URL" in caught.value.message
    assert kit.platforms.calls == []
    assert (await kit.live.get(NAME)).status == DRAFT


async def test_nobody_collects_addresses_without_a_name(tmp_path: Path) -> None:
    """Publishing names the missing setting; a dry run still shows what there is."""
    async with live_kit(tmp_path, controller="") as kit:
        await kit.draft()
        with pytest.raises(PipelineError) as caught:
            await kit.live.publish(NAME)
        assert caught.value.reason == errors_pb2.ERROR_REASON_CAMPAIGN_STATE
        assert "PIPELINE_CAMPAIGN_CONTROLLER" in caught.value.message
        shown = await kit.live.publish(NAME, dry_run=True)
        assert "responsible person on the privacy page" in [m.subject for m in shown.missing]


async def test_ads_never_lead_to_an_address_of_this_machine(tmp_path: Path) -> None:
    """Paid clicks on loopback are refused; the page alone may be tried there."""
    async with live_kit(tmp_path, "google_ads", "netlify", public_url="http://127.0.0.1:8081") as kit:
        await kit.draft()
        with pytest.raises(PipelineError, match="PIPELINE_PAGE_URL"):
            await kit.live.publish(NAME)
        assert (await kit.live.publish(NAME, platforms=["netlify"])).status == RUNNING


async def test_without_platforms_the_page_runs_and_the_rest_is_named(tmp_path: Path) -> None:
    """Each platform that is not configured comes with its setting and the way by hand."""
    async with live_kit(tmp_path) as kit:
        await kit.draft()
        campaign = await kit.live.publish(NAME)
        assert campaign.status == RUNNING
        google = next(m for m in campaign.missing if m.subject == "google_ads")
        assert "PIPELINE_GOOGLE_ADS_TOKEN" in google.reason
        assert "ads.csv" in google.next_step


async def test_without_money_only_what_costs_nothing_is_set_up(kit: Kit) -> None:
    """A budget of 0 leaves the ads out; asking for them all the same is refused."""
    with pytest.raises(PipelineError) as caught:
        await kit.live.publish(NAME, platforms=["google_ads"], budget_micros=0)
    assert caught.value.violations[0].field == "budget_micros"
    await kit.live.publish(NAME, budget_micros=0)
    assert kit.platforms.calls == ["netlify set up", "netlify on"]


async def test_a_platform_that_sells_cannot_join_later(tmp_path: Path) -> None:
    """The money was shared at the first publication."""
    async with live_kit(tmp_path, "google_ads", "meta") as kit:
        await kit.draft()
        await kit.live.publish(NAME, platforms=["google_ads"])
        with pytest.raises(PipelineError, match="too late"):
            await kit.live.publish(NAME, platforms=["google_ads", "meta"])


async def test_ads_of_a_lost_account_are_never_called_held(tmp_path: Path) -> None:
    """Without its token a running platform cannot be told to stop: pausing and ending say so."""
    async with live_kit(tmp_path, "google_ads") as kit:
        await kit.draft()
        await kit.live.publish(NAME)
        kit.platforms.names = ()
        for step in (kit.live.pause, kit.live.complete):
            with pytest.raises(PipelineError, match="PIPELINE_GOOGLE_ADS_TOKEN"):
                await step(NAME)
        campaign, reading = await kit.live.read(NAME)
        assert campaign.status == RUNNING
        assert any("google_ads" in notice.message for notice in reading.notices)


async def test_a_dry_run_without_accounts_shows_what_there_would_be(tmp_path: Path) -> None:
    """A founder sees the requests before opening an account anywhere."""
    async with live_kit(tmp_path) as kit:
        await kit.draft()
        assert [s.platform for s in (await kit.live.publish(NAME, dry_run=True)).platforms] == ["google_ads", "netlify"]
        assert len((await kit.live.publish(NAME, dry_run=True, platforms=["netlify"])).platforms) == 1


async def test_pausing_holds_the_ads_first_and_may_be_repeated(kit: Kit) -> None:
    """A platform that refuses leaves the page online, so that those whom its ads still bring find it."""
    await kit.live.publish(NAME)
    kit.platforms.broken.add("switch_off")
    with pytest.raises(PipelineError, match="503"):
        await kit.live.pause(NAME)
    assert (await kit.live.get(NAME)).status == RUNNING
    kit.platforms.broken.clear()
    paused = await kit.live.pause(NAME)
    assert paused.status == PAUSED
    assert await kit.live.pause(NAME) == paused
    resumed = await kit.live.resume(NAME)
    assert (resumed.status, resumed.status_reason) == (RUNNING, "")
    assert await kit.live.resume(NAME) == resumed


async def test_a_campaign_over_its_cap_is_paused_and_stays_so(kit: Kit) -> None:
    """The cap is held against what the platforms report, with room for what they have not reported yet."""
    await kit.live.publish(NAME, budget_micros=20_000_000)
    kit.platforms.spent["google_ads"] = 18_000_000
    assert (await kit.live.read(NAME))[0].status == RUNNING
    kit.platforms.spent["google_ads"] = 19_900_000
    campaign, _ = await kit.live.read(NAME)
    assert campaign.status == PAUSED
    assert campaign.status_reason == "the platforms report $19.90 spent of $20, and reports lag"
    assert kit.platforms.calls[-2:] == ["google_ads off", "netlify off"]
    with pytest.raises(PipelineError, match="complete it"):
        await kit.live.resume(NAME)


async def test_a_met_stopping_rule_stops_what_costs_and_nothing_else(tmp_path: Path) -> None:
    """Ads stop; a page that costs nothing goes on until its founder ends it."""
    (tmp_path / "paid").mkdir()
    for folder, platforms, expected in (("paid", ("google_ads",), PAUSED), ("free", (), RUNNING)):
        async with live_kit(tmp_path / folder, *platforms) as kit:
            await kit.draft()
            await kit.live.publish(NAME)
            kit.decision.MergeFrom(
                campaign_pb2.CampaignReading(decision=campaign_pb2.CAMPAIGN_DECISION_GO, is_final=True)
            )
            campaign, reading = await kit.live.read(NAME)
            assert reading.is_final
            assert campaign.status == expected


async def test_a_spend_that_cannot_be_read_is_said(kit: Kit) -> None:
    """The counts are read all the same."""
    await kit.live.publish(NAME)
    kit.platforms.broken.add("read_spend")
    _, reading = await kit.live.read(NAME)
    assert any("google_ads does not answer" in n.message for n in reading.notices)


async def test_completing_ends_ads_reads_once_more_and_forgets_the_key(kit: Kit) -> None:
    """The last reading stands, whatever is counted or asked afterwards."""
    await kit.live.publish(NAME)
    kit.decision.rule = "sample_complete"
    campaign, reading = await kit.live.complete(NAME)
    assert campaign.status == COMPLETED
    assert kit.platforms.calls[-2:] == ["google_ads ended", "netlify ended"]
    assert await _column(kit, schema.campaigns.c.visitor_key) is None
    kit.decision.rule = "something_else"
    assert (await kit.live.complete(NAME))[1] == reading
    assert (await kit.live.read(NAME))[1] == reading
    for step in (kit.live.publish, kit.live.pause, kit.live.resume):
        with pytest.raises(PipelineError, match="run the idea again"):
            await step(NAME)


async def test_ads_that_cannot_be_ended_keep_the_campaign_open(kit: Kit) -> None:
    """Completed means that nothing is paid for any more."""
    await kit.live.publish(NAME)
    kit.platforms.broken.add("end")
    with pytest.raises(PipelineError, match="503"):
        await kit.live.complete(NAME)
    assert (await kit.live.get(NAME)).status == RUNNING


async def test_an_unknown_campaign_is_not_found(kit: Kit) -> None:
    """By every name that is none."""
    for name in ("runs/01j9zq3c2m8v5t7w9x1y3z5b7e/campaign", "nonsense", RUN):
        with pytest.raises(PipelineError) as caught:
            await kit.live.get(name)
        assert caught.value.reason == errors_pb2.ERROR_REASON_CAMPAIGN_NOT_FOUND


async def test_an_export_has_people_only_when_asked_and_no_formulas(kit: Kit) -> None:
    """Counts by day, the ads with their address, and cells that spreadsheets leave alone."""
    campaign = await kit.live.publish(NAME)
    kit.visited(40, 3)
    await kit.live.read(NAME)
    at = datetime(2026, 1, 2, 10, 30, tzinfo=UTC)
    kit.told.people = (SignupRow("=cmd@example.org", "a", at, "1", "I agree."),)
    files = {f.path: f.content.decode() for f in await kit.live.export(NAME)}
    assert set(files) == {
        *(f"campaign/{name}" for name in ("plan.json", "ads.json", "ads.csv", "counts.csv", "reading.json"))
    }
    assert files["campaign/counts.csv"] == "day,variant,visitors,signups,views\r\n2026-01-01,a,40,3,40\r\n"
    ads = list(csv.DictReader(io.StringIO(files["campaign/ads.csv"])))
    assert {row["Final URL"] for row in ads if row["Ad type"]} == {campaign.page_url}
    people = {f.path: f.content.decode() for f in await kit.live.export(NAME, include_signups=True)}
    (person,) = csv.DictReader(io.StringIO(people["campaign/signups.csv"]))
    assert person["email"] == "'=cmd@example.org"
    assert person["signed_up_at"] == "2026-01-02T10:30:00+00:00"


async def test_the_watch_reads_at_the_start_and_again_after_its_pause(kit: Kit) -> None:
    """A cap passed while nobody asks is noticed at the next look; a paused campaign is left alone."""
    await kit.live.publish(NAME)
    watch = CampaignWatch(kit.live, kit.clock, seconds=600)
    await watch.look()
    assert (await kit.live.store.get(NAME.split("/")[1])).reading is not None
    kit.platforms.spent["google_ads"] = BUDGET
    await watch.look()
    assert (await kit.live.get(NAME)).status == PAUSED
    calls = list(kit.platforms.calls)
    await watch.look()
    assert kit.platforms.calls == calls


async def test_one_broken_campaign_does_not_keep_the_watch_from_the_others(kit: Kit) -> None:
    """The second campaign is read although the first one's ads cannot be held."""
    other = "runs/01j9zq3c2m8v5t7w9x1y3z5b7e"
    await kit.draft(other)
    await kit.live.publish(NAME)
    await kit.live.publish(f"{other}/campaign")
    kit.platforms.spent["google_ads"] = BUDGET
    kit.platforms.broken.add("switch_off")
    await CampaignWatch(kit.live, kit.clock, seconds=600).look()
    assert (await kit.store.get(other.removeprefix("runs/"))).reading is not None


def test_the_budget_is_shared_as_the_plan_shares_it() -> None:
    """Sums to the cap, to the micro; platforms that sell nothing get nothing."""
    plan = campaign_pb2.TestPlan(
        channels=[
            campaign_pb2.ChannelPlan(platform=campaign_pb2.AD_PLATFORM_GOOGLE_SEARCH, budget_micros=10),
            campaign_pb2.ChannelPlan(platform=campaign_pb2.AD_PLATFORM_META, budget_micros=5),
        ]
    )
    assert split_budget(plan, 100, ("google_ads", "meta", "fly")) == {"google_ads": 67, "meta": 33, "fly": 0}
    assert split_budget(plan, 100, ("meta", "fly")) == {"meta": 100, "fly": 0}
    assert split_budget(campaign_pb2.TestPlan(), 101, ("google_ads", "meta")) == {"google_ads": 51, "meta": 50}
    assert split_budget(plan, 0, ("meta",)) == {"meta": 0}


@given(
    budget=st.integers(0, 10**12),
    google=st.integers(0, 10**12),
    meta=st.integers(0, 10**12),
    names=st.permutations(["google_ads", "meta", "netlify", "fly", "posthog"]).flatmap(
        lambda order: st.integers(0, 5).map(lambda count: order[:count])
    ),
)
def test_platforms_together_never_get_more_than_the_cap(budget: int, google: int, meta: int, names: list[str]) -> None:
    """Whatever the plan and whoever takes part: no share is negative, and they sum to the cap, or to nothing."""
    channels = ((campaign_pb2.AD_PLATFORM_GOOGLE_SEARCH, google), (campaign_pb2.AD_PLATFORM_META, meta))
    plan = campaign_pb2.TestPlan(
        channels=[campaign_pb2.ChannelPlan(platform=platform, budget_micros=money) for platform, money in channels]
    )
    shares = split_budget(plan, budget, names)
    assert all(share >= 0 for share in shares.values())
    assert sum(shares.values()) == (budget if {"google_ads", "meta"} & set(names) else 0)


async def _column(kit: Kit, column: object) -> object:
    async with kit.store.database.read() as conn:
        return (await conn.execute(select(column))).scalar()  # type: ignore[call-overload]
