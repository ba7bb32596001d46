"""A live campaign over a real server: drafted by a run, published, visited, read, ended; a restart in between."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urljoin

import aiohttp
import pytest

from chassis.channel import open_channel
from chassis.config import load
from chassis.figures import Figures
from chassis.listen import ListenError
from chassis.testing import ManualClock, phase_context, recording_telemetry, serve
from gateway import campaign_servicer
from pipeline.client import GatewayClient
from pipeline.errors import PipelineError
from pipeline.v1 import campaign_pb2, campaign_pb2_grpc, common_pb2, errors_pb2
from services.campaign import servicer
from services.campaign.config import CampaignConfig
from services.campaign.providers.base import REQUEST_SECONDS_MAX, CampaignPlatforms
from services.campaign.providers.fake import FakePlatform
from services.campaign.server import CampaignProviders, build
from tests.support.campaigns import IDEAS, request_for
from tests.support.served import free_port

RUN = "runs/01j9zq3c2m8v5t7w9x1y3z5b7d"
NAME = f"{RUN}/campaign"
CONTROLLER = "Larder Ltd, 1 High Street, Leeds, hello@example.org"
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept": "text/html",
    "Accept-Language": "en",
}


@pytest.fixture(scope="module")
def figures() -> Figures:
    return Figures.load()


class Campaigns:
    """One state folder, a page address, and a platform in memory that outlives the server."""

    def __init__(self, folder: Path, figures: Figures) -> None:
        self.config = load(
            CampaignConfig,
            state_dir=folder,
            page_listen=f"127.0.0.1:{free_port()}",
            campaign_controller=CONTROLLER,
        )
        self.clock = ManualClock()
        self.ads = FakePlatform("google_ads", spends=True)
        self.providers = CampaignProviders(figures, CampaignPlatforms(platforms=(self.ads,)))

    @asynccontextmanager
    async def running(self, **settings: object) -> AsyncIterator[GatewayClient]:
        """The server, from its start to its stop, and a client of it."""
        config = self.config.model_copy(update=settings)
        server = build(config, providers=self.providers, clock=self.clock, telemetry=recording_telemetry("campaign"))
        async with serve(server), GatewayClient(server.address) as client:
            yield client


@pytest.fixture
def campaigns(tmp_path: Path, figures: Figures) -> Campaigns:
    return Campaigns(tmp_path, figures)


async def draft(client: GatewayClient, run: str = RUN) -> campaign_pb2.CampaignResult:
    """Draft as the gateway does for a run."""
    request = request_for(IDEAS["food"], name="Larderwise")
    request.context.CopyFrom(phase_context(common_pb2.PHASE_CAMPAIGN, run=run))
    async with open_channel(client.target) as channel:
        call = campaign_pb2_grpc.CampaignServiceStub(channel).DraftCampaign(request, timeout=20)
        replies = [reply async for reply in call]
    return replies[-1].result


async def visit(url: str, status: int = 200) -> str:
    """The page as a browser gets it."""
    async with aiohttp.ClientSession(headers=BROWSER) as browser, browser.get(url) as answer:
        assert answer.status == status
        return await answer.text()


async def sign_up(url: str, html: str, email: str) -> str:
    """Send the form that stands on the page; returns the person's own page."""
    action = re.search(r'<form[^>]*action="([^"]+)"', html)
    assert action is not None
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', html))
    fields.update(email=email, consent="yes", website="")
    async with (
        aiohttp.ClientSession(headers=BROWSER) as browser,
        browser.post(urljoin(url, action.group(1)), data=fields) as answer,
    ):
        assert answer.status == 200
        return str(answer.url)


async def test_a_campaign_lives_through_a_restart(campaigns: Campaigns) -> None:
    """From draft to export; what a visitor was told before the restart holds after it, the promise to forget too."""
    public = {"page_url": "https://try.example.org"}
    async with campaigns.running(**public) as client:
        result = await draft(client)
        assert not [notice for notice in result.notices if notice.subject == "campaign"]
        published = await client.publish_campaign(NAME, budget_micros=20_000_000)
        assert published.status == campaign_pb2.CAMPAIGN_STATUS_RUNNING
        assert published.page_url == f"https://try.example.org/p/{published.slug}"
        assert [step.state for step in published.platforms[0].steps] == [campaign_pb2.SETUP_STEP_STATE_DONE] * 2
        assert len(campaigns.ads.running) == 1
        page = f"http://{campaigns.config.page_listen}/p/{published.slug}"
        html = await visit(page)
        campaigns.clock.advance(30)
        yours = await sign_up(page, html, "ada@example.org")
    async with campaigns.running(**public) as client:
        assert "ada@example.org" in await visit(yours)
        reply = await client.read_campaign(NAME)
        assert sum(count.visitors for count in reply.campaign.counts) == 1
        assert sum(count.signups for count in reply.campaign.counts) == 1
        assert not reply.reading.is_final
        assert (await client.pause_campaign(NAME)).status == campaign_pb2.CAMPAIGN_STATUS_PAUSED
        assert campaigns.ads.running == set()
        campaigns.clock.advance(2)
        assert "<form" not in await visit(page, status=503)
        assert (await client.resume_campaign(NAME)).status == campaign_pb2.CAMPAIGN_STATUS_RUNNING
        campaigns.clock.advance(2)
        assert "<form" in await visit(page)
        ended = await client.complete_campaign(NAME)
        assert ended.campaign.status == campaign_pb2.CAMPAIGN_STATUS_COMPLETED
        assert ended.campaign.platforms[0].state == campaign_pb2.PLATFORM_STATE_COMPLETED
        campaigns.clock.advance(2)
        assert "<form" not in await visit(page, status=410)
        assert "ada@example.org" in await visit(yours), "a person's rights outlive the campaign"
        files = {file.path: file.content for file in await client.export_campaign(NAME, include_signups=True)}
    campaigns.clock.advance(91 * 86_400)
    async with campaigns.running(**public) as client:
        # The first look of the new server erases what was kept long enough.
        for _ in range(1000):
            if "ada@example.org" not in await visit(yours):
                break
        kept = {file.path: file.content for file in await client.export_campaign(NAME, include_signups=True)}
    assert kept["campaign/signups.csv"].count(b"\r\n") == 1
    assert kept["campaign/counts.csv"] == files["campaign/counts.csv"]
    assert hashlib.sha256(files["campaign/plan.json"]).hexdigest() == published.plan_sha256
    (person,) = csv.DictReader(io.StringIO(files["campaign/signups.csv"].decode()))
    assert person["email"] == "ada@example.org"
    (day,) = csv.DictReader(io.StringIO(files["campaign/counts.csv"].decode()))
    assert (day["visitors"], day["signups"]) == ("1", "1")


async def test_the_watch_pauses_what_has_spent_its_money(campaigns: Campaigns) -> None:
    """Nobody asks: the next look finds the cap reached, and the ads are off."""
    async with campaigns.running(page_url="https://try.example.org", campaign_poll_seconds=600.0) as client:
        await draft(client)
        published = await client.publish_campaign(NAME)
        (campaign_id,) = campaigns.ads.running
        campaigns.ads.spent[campaign_id] = published.budget_micros
        campaigns.clock.advance(601)
        for _ in range(1000):
            if (await client.get_campaign(NAME)).status == campaign_pb2.CAMPAIGN_STATUS_PAUSED:
                break
        seen = await client.get_campaign(NAME)
    assert seen.status == campaign_pb2.CAMPAIGN_STATUS_PAUSED
    assert seen.spent_micros == published.budget_micros
    assert campaigns.ads.running == set()


async def test_a_set_up_that_was_refused_goes_on_where_it_stopped(campaigns: Campaigns) -> None:
    """FAILED with the reason and the step; publishing again makes what is missing, once."""
    async with campaigns.running(page_url="https://try.example.org") as client:
        await draft(client)
        campaigns.ads.fail("401")
        failed = await client.publish_campaign(NAME)
        assert failed.status == campaign_pb2.CAMPAIGN_STATUS_FAILED
        assert failed.status_reason.startswith("google_ads: ")
        await visit(f"http://{campaigns.config.page_listen}/p/{failed.slug}", status=503)
        again = await client.publish_campaign(NAME)
        assert again.status == campaign_pb2.CAMPAIGN_STATUS_RUNNING
        assert set(campaigns.ads.made.values()) == {1}


async def test_errors_cross_the_wire_with_their_reason(campaigns: Campaigns) -> None:
    """An unknown campaign, and a step that its status does not allow."""
    async with campaigns.running(page_listen="") as client:
        with pytest.raises(PipelineError) as caught:
            await client.get_campaign(NAME)
        assert caught.value.reason == errors_pb2.ERROR_REASON_CAMPAIGN_NOT_FOUND
        await draft(client)
        with pytest.raises(PipelineError) as caught:
            await client.pause_campaign(NAME)
        assert caught.value.reason == errors_pb2.ERROR_REASON_CAMPAIGN_STATE
        assert caught.value.metadata["status"] == "DRAFT"
        first = await client.list_campaigns(page_size=1)
        assert [c.name for c in first.campaigns] == [NAME]
        assert first.next_page_token == ""


async def test_a_store_that_cannot_be_opened_costs_no_run_its_draft(campaigns: Campaigns) -> None:
    """The draft comes with a notice; what needs the store says so."""
    campaigns.config.database_path.mkdir()
    async with campaigns.running() as client:
        result = await draft(client)
        assert [notice.subject for notice in result.notices][-1] == "campaign"
        assert result.artifacts
        with pytest.raises(PipelineError) as caught:
            await client.get_campaign(NAME)
        assert caught.value.reason == errors_pb2.ERROR_REASON_STORAGE_UNAVAILABLE


async def test_a_page_address_in_use_stops_the_start_in_one_sentence(
    campaigns: Campaigns, tmp_path: Path, figures: Figures
) -> None:
    """As a port of the gateway does: exit code 2 and the setting."""
    async with campaigns.running():
        (tmp_path / "other").mkdir()
        other = Campaigns(tmp_path / "other", figures)
        with pytest.raises(ListenError, match="PIPELINE_PAGE_LISTEN"):
            async with other.running(page_listen=campaigns.config.page_listen):
                pass


def test_changes_have_time_for_the_slowest_platform_at_either_server() -> None:
    """A publication after a crash looks for a lost request first: longer than a call has by default, and the gateway
    waits for the campaign server."""
    methods = campaign_pb2.DESCRIPTOR.services_by_name["LiveCampaignService"].methods_by_name
    default = CampaignConfig.model_fields["unary_deadline_seconds"].default
    for method, policy in servicer.POLICIES.items():
        assert method in methods
        at_gateway = campaign_servicer.POLICIES[method].deadline(default)
        here = policy.deadline(default)
        assert here is not None
        assert at_gateway is not None
        assert default + REQUEST_SECONDS_MAX < here < at_gateway
    assert set(servicer.POLICIES) == set(campaign_servicer.POLICIES)
