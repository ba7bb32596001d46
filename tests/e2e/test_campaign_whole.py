"""A smoke test from idea to verdict over served processes, with a crowd that comes over HTTP."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any
from urllib.parse import urljoin

import aiohttp

from pipeline.client import GatewayClient
from pipeline.v1 import campaign_pb2, common_pb2, pipeline_pb2
from tests.support.served import Served

IDEA = "A mobile app that helps households waste less food by tracking expiry dates and suggesting recipes"
SKIPPED = (common_pb2.PHASE_PITCH, common_pb2.PHASE_MVP)
VISITORS, SIGNUPS = 300, 45
AT_ONCE = 20


class Crowd:
    """People with an address and a browser each, behind a proxy that says so."""

    def __init__(self, page: str, session: aiohttp.ClientSession) -> None:
        self._page = page
        self._session = session
        self._places = asyncio.Semaphore(AT_ONCE)

    async def come(self, visitors: int, signups: int) -> None:
        """So many see the page; the first of them sign up."""
        await asyncio.gather(*(self._one(number, signs_up=number < signups) for number in range(visitors)))

    async def _one(self, number: int, *, signs_up: bool) -> None:
        headers = {
            "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Accept": "text/html",
            "Accept-Language": "en",
            "X-Forwarded-For": f"203.0.{113 + number // 250}.{1 + number % 250}",
        }
        async with self._places, self._session.get(self._page, headers=headers) as answer:
            assert answer.status == 200
            html = await answer.text()
            if not signs_up:
                return
            action = re.search(r'<form[^>]*action="([^"]+)"', html)
            assert action is not None
            fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', html))
            fields.update(email=f"person{number}@example.org", consent="yes", website="")
            headers["Origin"] = self._page.partition("/p/")[0]
            url = urljoin(self._page, action.group(1))
            async with self._session.post(url, data=fields, headers=headers) as kept:
                assert "/yours/" in kept.url.path


async def file_of(session: aiohttp.ClientSession, served: Served, run: str, path: str) -> str:
    """A file of the run as REST serves it."""
    async with session.get(f"{served.http}/v1/{run}/artifacts/{path}") as answer:
        assert answer.status == 200
        return await answer.text()


def totals(counts: Any) -> tuple[int, int]:
    """Visitors and sign-ups of both pages together, of a message or of its JSON."""
    rows = [row if isinstance(row, dict) else {"visitors": row.visitors, "signups": row.signups} for row in counts]
    return sum(int(row["visitors"]) for row in rows), sum(int(row["signups"]) for row in rows)


async def test_a_crowd_is_counted_read_and_shown_in_the_runs_report(served: Served) -> None:
    """Everybody counts once; the reading reaches report and files, waits for its week, and costs the run nothing."""
    async with (
        GatewayClient(served.target) as client,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
    ):
        spec = pipeline_pb2.RunSpec(idea=common_pb2.Idea(text=IDEA), skip_phases=SKIPPED)
        created = await client.create_run(spec)
        async for _ in client.watch_run(created.name):
            pass
        run = created.name
        before = json.loads(await file_of(session, served, run, "report.json"))
        assert "campaign_reading" not in before
        published = await client.publish_campaign(f"{run}/campaign")
        assert published.status == campaign_pb2.CAMPAIGN_STATUS_RUNNING
        await Crowd(published.page_url, session).come(VISITORS, SIGNUPS)
        reply = await client.read_campaign(published.name)
        assert totals(reply.campaign.counts) == totals(reply.reading.counts) == (VISITORS, SIGNUPS)
        assert all(100 < count.visitors < 200 for count in reply.campaign.counts), "the pages share the visitors"
        assert reply.reading.posterior.mean > reply.campaign.plan.target_rate
        assert not reply.reading.is_final, "however good it looks, a week has not passed"
        after = json.loads(await file_of(session, served, run, "report.json"))
        assert totals(after["campaign_reading"]["counts"]) == (VISITORS, SIGNUPS)
        assert after["verdict"] == before["verdict"]
        html = await file_of(session, served, run, "report.html")
        assert "so far" in html[html.index('id="reading"') :][:400]
        assert all(f"{count.visitors:,}" in html for count in reply.campaign.counts)
        ended = await client.complete_campaign(published.name)
        assert ended.campaign.status == campaign_pb2.CAMPAIGN_STATUS_COMPLETED
        assert ended.reading.is_final
        last = json.loads(await file_of(session, served, run, "report.json"))
        assert last["campaign_reading"]["is_final"]
        assert last["campaign_reading"]["decision"] == campaign_pb2.CampaignDecision.Name(ended.reading.decision)
        assert ended.reading.decision == campaign_pb2.CAMPAIGN_DECISION_INCONCLUSIVE
        budget = (await client.get_run(run)).budget
        assert (budget.spent_micros, budget.reserved_micros) == (0, 0), "nothing was spent and nothing is kept back"
        files = {file.path: file for file in await client.export_campaign(published.name, include_signups=True)}
        assert files["campaign/signups.csv"].content.count(b"@example.org,") == SIGNUPS
