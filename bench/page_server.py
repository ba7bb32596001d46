"""The campaign server as a process of its own, with a published campaign: to be visited, killed, and looked into."""

from __future__ import annotations

import asyncio
import csv
import io
import os
import signal
import socket
import sqlite3
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from chassis.channel import open_channel
from chassis.idea.reading import read_idea
from pipeline.client import GatewayClient
from pipeline.v1 import campaign_pb2, campaign_pb2_grpc, common_pb2
from services.campaign.domain.reading.sample_ratio import sample_ratio_p

IDEA = "A mobile app that helps households waste less food by tracking expiry dates and suggesting recipes"
RUN = "runs/01j9zq3c2m8v5t7w9x1y3z5b7d"
NAME = f"{RUN}/campaign"


@dataclass(frozen=True)
class Stored:
    """What the server has kept."""

    visitors: int
    visitors_a: int
    views: int
    # People among the visitors who have signed up.
    people: int
    # Addresses as they are exported, each as often as it is there.
    emails: Sequence[str]
    # Links that open and show the address that they were given for.
    links: frozenset[str]

    @property
    def sample_ratio_p(self) -> float:
        """Of the visitors' split over both pages."""
        return sample_ratio_p(self.visitors_a, self.visitors - self.visitors_a)


class PageServer:
    """`python -m services.campaign` over a folder; started again it serves the same addresses and the same store."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._origin = f"127.0.0.1:{_free_port()}"
        self._target = f"unix:{folder}/campaign.sock"
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self.page = ""
        # What it has written to stderr, all starts together.
        self.log: list[str] = []

    async def start(self) -> None:
        """Returns once it serves. Raises RuntimeError where it ends instead, TimeoutError after 30 seconds."""
        environment = {
            **os.environ,
            "PIPELINE_LISTEN": self._target,
            "PIPELINE_STATE_DIR": str(self._folder),
            "PIPELINE_OFFLINE": "1",
            "PIPELINE_PAGE_LISTEN": self._origin,
            "PIPELINE_PAGE_TRUSTED_PROXIES": "1",
            # Nobody here reads before they write.
            "PIPELINE_PAGE_FORM_SECONDS_MIN": "0",
            "PIPELINE_CAMPAIGN_CONTROLLER": "Larder Ltd, 1 High Street, Leeds, hello@example.org",
            "PIPELINE_EXIT_WITH_PARENT": "1",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.campaign", env=environment, stderr=asyncio.subprocess.PIPE
        )
        assert process.stderr is not None
        async with asyncio.timeout(30):
            while line := (await process.stderr.readline()).decode():
                self.log.append(line)
                if "campaign serving on" in line:
                    break
            else:
                raise RuntimeError("the campaign server did not start: " + "".join(self.log[-5:]))
        self._process = process
        self._reading = asyncio.create_task(self._read(process.stderr))

    async def kill(self) -> None:
        """SIGKILL: it gets to do nothing more."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        await self._ended()

    async def stop(self) -> None:
        """SIGTERM, where it still runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            await self._ended()

    async def publish(self) -> None:
        """Draft a campaign as a run does, and put it online."""
        reading = read_idea(IDEA, "Larderwise")
        context = common_pb2.PhaseContext(run=RUN, phase=common_pb2.PHASE_CAMPAIGN, attempt=1, tenant="default")
        request = campaign_pb2.DraftCampaignRequest(context=context, profile=reading.profile, claims=reading.claims)
        async with open_channel(self._target) as channel:
            async for _ in campaign_pb2_grpc.CampaignServiceStub(channel).DraftCampaign(request, timeout=30):
                pass
        async with GatewayClient(self._target) as client:
            published = await client.publish_campaign(NAME)
        self.page = f"http://{self._origin}/p/{published.slug}"

    async def stored(self, links: Sequence[str]) -> Stored:
        """What a founder is told, and which of `links` (paths) open. The file has to pass SQLite's own check."""
        async with GatewayClient(self._target) as client:
            campaign = await client.get_campaign(NAME)
            files = {
                file.path: file.content.decode() for file in await client.export_campaign(NAME, include_signups=True)
            }
        with sqlite3.connect(f"file:{self._folder / 'campaigns.db'}?mode=ro", uri=True) as database:
            check = database.execute("PRAGMA integrity_check").fetchone()
        if check != ("ok",):
            raise RuntimeError(f"the store is damaged: {check}")
        people = csv.DictReader(io.StringIO(files["campaign/signups.csv"], newline=""))
        counts = campaign.counts
        return Stored(
            visitors=sum(count.visitors for count in counts),
            visitors_a=sum(count.visitors for count in counts if count.variant == "a"),
            views=sum(count.views for count in counts),
            people=sum(count.signups for count in counts),
            emails=[person["email"] for person in people],
            links=frozenset(await self._open(links)),
        )

    async def _open(self, links: Sequence[str]) -> list[str]:
        opened = []
        async with aiohttp.ClientSession() as browser:
            for link in dict.fromkeys(links):
                async with browser.get(f"http://{self._origin}{link}") as answer:
                    if answer.status == 200:
                        opened.append(link)
        return opened

    async def _read(self, stream: asyncio.StreamReader) -> None:
        while line := await stream.readline():
            self.log.append(line.decode())

    async def _ended(self) -> None:
        assert self._process is not None
        await self._process.wait()
        if self._reading is not None:
            await self._reading


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
